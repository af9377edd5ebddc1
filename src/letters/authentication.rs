//! What our border server noted about a mail: Authentication-Results (RFC 8601), believed only from the server
//! that is configured, and who handed the mail in (RFC 5321 section 4.4).

use core::net::IpAddr;

use super::headers::{self, Field, Headers};
use super::vouching::{Authentication, Client, Verdict};

/// Fields of the trusted server taken together when nothing has taken the mail in above them.
const MAX_FIELDS: usize = 8;

/// Fields looked at.
const MAX_LOOKED_AT: usize = 400;

/// Reads what the trusted server `authserv_id` wrote, and nothing that may have come with the mail.
///
/// A server stamps above its own Received field or straight under it. So fields count above the Received
/// field of `border_host`; failing those, one that stands straight under it. Whatever is further down was in
/// the mail when it reached the border. Where the border is not named, or left no Received field, nothing
/// below the second Received field counts.
pub fn read(headers: &Headers<'_>, authserv_id: Option<&str>, border_host: Option<&str>) -> Authentication {
    let mut found = Authentication::default();
    let Some(trusted) = authserv_id else { return found };
    let fields = &headers.fields[..headers.fields.len().min(MAX_LOOKED_AT)];
    let is_border = |f: &Field<'_>| border_host.is_some_and(|hosts| is_by(f.raw, hosts));
    let border_named = fields.iter().any(|f| is_received(f) && is_border(f));
    let (mut passed, mut beyond, mut taken) = (0, false, 0);
    for field in fields {
        if is_received(field) {
            if taken > 0 || (beyond && !is_border(field)) || (!border_named && passed > 0) {
                break;
            }
            passed += 1;
            beyond |= border_named && is_border(field);
        } else if field.name.eq_ignore_ascii_case(b"authentication-results") {
            let most = if passed == 0 || (border_named && !beyond) { MAX_FIELDS } else { 1 };
            if taken < most && stamp(field, trusted, &mut found) {
                taken += 1;
            } else if beyond {
                break;
            }
        } else if beyond && !is_trace(field) {
            break;
        }
    }
    found
}

fn is_received(field: &Field<'_>) -> bool {
    field.name.eq_ignore_ascii_case(b"received")
}

/// Other fields a server writes in the same breath.
fn is_trace(field: &Field<'_>) -> bool {
    field.name.eq_ignore_ascii_case(b"received-spf") || field.name.to_ascii_lowercase().starts_with(b"arc-")
}

/// Who handed the mail to the border host: by its own topmost Received field and nobody else's.
///
/// The envelope sender is taken only from a Return-Path above that field: one further down came with the mail.
pub fn client(headers: &Headers<'_>, border_host: Option<&str>) -> Option<Client> {
    let hosts = border_host?;
    let fields = &headers.fields[..headers.fields.len().min(MAX_LOOKED_AT)];
    let is_border = |f: &Field<'_>| is_received(f) && is_by(f.raw, hosts);
    let at = fields.iter().position(is_border)?;
    let (ip, helo) = from_part(&headers::text(fields[at].raw))?;
    let sender = fields[..at].iter().find(|f| f.name.eq_ignore_ascii_case(b"return-path"));
    let sender = sender.map(|f| headers::text(f.raw)).map(|path| {
        let bare = path.trim().trim_start_matches('<').trim_end_matches('>').trim();
        bare.chars().take(320).collect()
    });
    Some(Client { ip, helo, sender })
}

/// The address and the greeting in "from GREETING (name [192.0.2.1]) by ...". What the client could choose is
/// never taken for its address: Exim has the greeting last in the comment, the others the address.
fn from_part(received: &str) -> Option<(IpAddr, String)> {
    let (from, _) = received.strip_prefix("from ")?.split_once(" by ")?;
    let (known, helo) = match from.rsplit_once("helo=") {
        Some((known, helo)) => (known, helo.trim_end_matches(')')),
        None => (from, from.split_whitespace().next().unwrap_or("")),
    };
    let ip = known.rsplit('[').filter_map(|rest| rest.split_once(']')).find_map(|(inside, _)| {
        let bare = inside.split_once(':').filter(|(tag, _)| tag.eq_ignore_ascii_case("ipv6"));
        bare.map_or(inside, |(_, address)| address).parse().ok()
    })?;
    let helo = helo.split_whitespace().next().unwrap_or("");
    let is_name = helo.contains('.') && !helo.starts_with('[');
    Some((ip, if is_name { helo.to_ascii_lowercase() } else { String::new() }))
}

/// What a forwarder found, by its ARC-Authentication-Results (RFC 8617 section 4.1.1): "i=1; host; results".
pub fn sealed(raw: &[u8]) -> Authentication {
    let mut found = Authentication::default();
    let value = strip_comments(&String::from_utf8_lossy(&raw[..raw.len().min(16 << 10)]));
    value.split(';').skip(2).take(50).for_each(|s| section(s, &mut found));
    found
}

/// Whether one of the hosts, parted by spaces, says in a Received field that it took the mail in.
pub fn is_by(received: &[u8], hosts: &str) -> bool {
    by(received).is_some_and(|by| hosts.split_whitespace().any(|host| by.eq_ignore_ascii_case(host)))
}

/// The host that says in a Received field that it took the mail in (RFC 5321 section 4.4).
fn by(received: &[u8]) -> Option<String> {
    let value = headers::text(received);
    let host = value.split_whitespace().skip_while(|w| !w.eq_ignore_ascii_case("by")).nth(1)?;
    Some(host.trim_end_matches([';', '.', ',']).to_string())
}

/// Takes the results of a field if the trusted server wrote it.
fn stamp(field: &Field<'_>, trusted: &str, found: &mut Authentication) -> bool {
    let value = strip_comments(&String::from_utf8_lossy(&field.raw[..field.raw.len().min(16 << 10)]));
    let mut sections = value.split(';');
    let server = sections.next().unwrap_or("").split_whitespace().next().unwrap_or("").trim_matches('"');
    let ours = server.eq_ignore_ascii_case(trusted);
    if ours {
        sections.take(50).for_each(|s| section(s, found));
    }
    ours
}

fn section(text: &str, found: &mut Authentication) {
    let mut words = text.split_whitespace();
    let Some((method, result)) = words.next().and_then(|w| w.split_once('=')) else { return };
    let method = method.split('/').next().unwrap_or("").to_ascii_lowercase();
    let properties: Vec<(String, &str)> = words
        .filter_map(|w| w.split_once('='))
        .map(|(k, v)| (k.to_ascii_lowercase(), v.trim_matches('"')))
        .collect();
    let property = |name: &str| properties.iter().find(|(k, _)| k == name).map(|(_, v)| *v);
    let domain = |v: &str| v.rsplit('@').next().unwrap_or(v).to_ascii_lowercase();
    let subject = match method.as_str() {
        "spf" => property("smtp.mailfrom").or(property("smtp.helo")).map(domain),
        "dkim" => property("header.d").or(property("header.i")).map(domain),
        "dmarc" => property("header.from").map(domain),
        "auth" => property("smtp.auth").or(property("smtp.mailfrom")).map(String::from),
        _ => None,
    };
    let verdict = Verdict { result: result.to_ascii_lowercase(), subject };
    match method.as_str() {
        "dkim" => found.dkim.push(verdict),
        "spf" => _ = found.spf.get_or_insert(verdict),
        "dmarc" => _ = found.dmarc.get_or_insert(verdict),
        "arc" => _ = found.arc.get_or_insert(verdict),
        "auth" => _ = found.auth.get_or_insert(verdict),
        _ => {}
    }
}

/// Removes comments in parentheses, nested ones too, outside quoted strings; `;` inside them goes with them.
fn strip_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for c in text.chars() {
        if escaped {
            escaped = false;
        } else if c == '\\' && (quoted || depth > 0) {
            escaped = true;
            continue;
        } else if c == '"' && depth == 0 {
            quoted = !quoted;
        } else if c == '(' && !quoted {
            depth += 1;
            continue;
        } else if c == ')' && !quoted && depth > 0 {
            depth -= 1;
            continue;
        }
        if depth == 0 {
            out.push(if c == ';' && quoted { ' ' } else { c });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &[u8], id: &str) -> Authentication {
        read(&Headers::split(raw).0, Some(id), None)
    }

    /// Who is authenticated in a mail of these lines, and how many signatures are told of, when mx.our is
    /// trusted. `auth=` and the others stand for whole fields.
    fn said(lines: &[&str], border: Option<&str>) -> String {
        let whole = |line: &&str| match *line {
            "border" => "Received: from far by mx.our; Mon, 1 Jan 2024 10:00:00 +0000\n".to_string(),
            "store" => "Received: from mx.our by store.our; Mon, 1 Jan 2024 10:00:00 +0000\n".to_string(),
            "far" => "Received: from home by far; Mon, 1 Jan 2024 10:00:00 +0000\n".to_string(),
            "subject" => "Subject: x\n".to_string(),
            "liar" => "Authentication-Results: far; auth=pass smtp.auth=liar\n".to_string(),
            who => format!("Authentication-Results: mx.our; auth=pass smtp.auth={who}; dkim=pass\n"),
        };
        let raw: String = lines.iter().map(whole).chain(["\n".to_string()]).collect();
        let found = read(&Headers::split(raw.as_bytes()).0, Some("mx.our"), border);
        let who = found.auth.and_then(|v| v.subject).unwrap_or_else(|| "nobody".to_string());
        format!("{who} {}", found.dkim.len())
    }

    #[test]
    fn with_a_border_named_only_its_own_stamps_count() {
        for (lines, expected) in [
            (&["ann", "border", "forged"][..], "ann 1"),
            (&["ann", "ann", "border"], "ann 2"),
            (&["store", "ann", "border", "forged"], "ann 1"),
            (&["border", "ann", "forged", "far"], "ann 1"),
            (&["store", "border", "ann", "subject"], "ann 1"),
            (&["border", "border", "ann"], "ann 1"),
            (&["border", "liar", "forged"], "nobody 0"),
            (&["border", "subject", "forged"], "nobody 0"),
            (&["border", "far", "forged"], "nobody 0"),
            (&["store", "border", "far", "border", "forged"], "nobody 0"),
            (&["store", "border", "subject", "border", "forged"], "nobody 0"),
        ] {
            assert_eq!(said(lines, Some("MX.our")), expected, "{lines:?}");
        }
    }

    #[test]
    fn with_no_border_named_nothing_below_the_second_received_counts() {
        for border in [None, Some("mx.elsewhere")] {
            for (lines, expected) in [
                (&["ann"][..], "ann 1"),
                (&["ann", "border", "forged"], "ann 1"),
                (&["store", "ann", "border", "forged"], "ann 1"),
                (&["store", "ann", "forged"], "ann 1"),
                (&["store", "border", "forged"], "nobody 0"),
                (&["border", "far", "subject", "forged"], "nobody 0"),
            ] {
                assert_eq!(said(lines, border), expected, "{lines:?}");
            }
        }
    }

    #[test]
    fn only_the_trusted_servers_topmost_block_counts() {
        let raw = b"Received: by mx\nAuthentication-Results: mx.our.example 1; spf=pass (x; y=z) \
        smtp.mailfrom=a@B.example;\n \
            dkim=fail header.d=b.example; dkim=pass header.d=c.example\nAuthentication-Results: liar; \
            dmarc=pass\n\
            Received: from far\nAuthentication-Results: mx.our.example; dmarc=pass header.from=b.example\n\n";
        let found = check(raw, "MX.our.example");
        assert_eq!(found.spf.as_ref().and_then(|v| v.subject.as_deref()), Some("b.example"));
        assert_eq!(found.dkim.len(), 2);
        assert_eq!(found.dmarc, None);
        assert_eq!(check(raw, "mx.other.example"), Authentication::default());
    }
}

//! Authentication-Results (RFC 8601), believed only from the server that is configured.

use super::headers::Headers;
use super::letter::{Authentication, Verdict};

/// Fields of the trusted server taken together when they stand next to each other at the top.
const MAX_FIELDS: usize = 8;

/// Reads the topmost block of Authentication-Results the trusted server wrote. A block ends at the first
/// Received field below its first line: anything under that came with the mail.
pub fn read(headers: &Headers<'_>, authserv_id: Option<&str>) -> Authentication {
    let mut found = Authentication::default();
    let Some(trusted) = authserv_id else { return found };
    let mut taken = 0;
    for field in &headers.fields {
        if taken > 0 && field.name.eq_ignore_ascii_case(b"received") || taken >= MAX_FIELDS {
            break;
        }
        if !field.name.eq_ignore_ascii_case(b"authentication-results") {
            continue;
        }
        let value = strip_comments(&String::from_utf8_lossy(&field.raw[..field.raw.len().min(16 << 10)]));
        let mut sections = value.split(';');
        let server = sections.next().unwrap_or("").split_whitespace().next().unwrap_or("").trim_matches('"');
        if server.eq_ignore_ascii_case(trusted) {
            taken += 1;
            sections.take(50).for_each(|s| section(s, &mut found));
        }
    }
    found
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
        read(&Headers::split(raw).0, Some(id))
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

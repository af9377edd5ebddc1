//! DNS answers out of a file, for tests, rehearsals and `inspect --zone`: a name that is not in it does not exist.
//!
//! Read are zone files (RFC 1035 section 5) with A, AAAA, MX, TXT, PTR and CNAME records, `$ORIGIN`, parentheses
//! and quoted strings; lines of a name and the bare text of its TXT record; and JSON of the shape
//! `{"example.org": {"selector._domainkey": [["txt", "v=DKIM1; ..."]]}}`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Aliases followed from one name.
const ALIASES: usize = 8;

/// Everything a zone file says. Names are in lower case, without a dot at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Zone {
    pub txt: BTreeMap<String, Vec<String>>,
    pub mx: BTreeMap<String, Vec<(u16, String)>>,
    pub a: BTreeMap<String, Vec<Ipv4Addr>>,
    pub aaaa: BTreeMap<String, Vec<Ipv6Addr>>,
    pub ptr: BTreeMap<IpAddr, Vec<String>>,
    aliases: BTreeMap<String, String>,
}

impl Zone {
    /// # Errors
    /// What could not be read, and in which line.
    pub fn parse(text: &str) -> Result<Zone, String> {
        let mut zone = Zone::default();
        if text.trim_start().starts_with('{') {
            zone.read_json(text)?;
        } else {
            zone.read_lines(text)?;
        }
        zone.follow_aliases();
        Ok(zone)
    }

    fn read_lines(&mut self, text: &str) -> Result<(), String> {
        let (mut origin, mut last) = (String::new(), String::new());
        let mut lines = text.lines().enumerate();
        while let Some((n, line)) = lines.next() {
            let wrong = |what: &str| format!("line {}: {what}", n + 1);
            let own_name = !line.starts_with([' ', '\t']);
            if let Some((name, rest)) = plain(line) {
                self.txt.entry(absolute(name, &origin)).or_default().push(rest.to_owned());
                continue;
            }
            let (mut words, mut open) = words(line);
            while open > 0 {
                let Some((_, more)) = lines.next() else {
                    return Err(wrong("a parenthesis is never closed"));
                };
                let (more, change) = self::words(more);
                words.extend(more);
                open += change;
            }
            let mut words = words.into_iter().peekable();
            match words.peek().map(|w| w.to_ascii_uppercase()).as_deref() {
                None | Some("$TTL") => continue,
                Some("$ORIGIN") => {
                    origin = words.nth(1).map(|w| absolute(&w, &origin)).unwrap_or_default();
                    continue;
                }
                Some(_) => {}
            }
            if own_name {
                last = absolute(&words.next().unwrap_or_default(), &origin);
            }
            while words.next_if(|w| is_ttl(w) || is_class(w)).is_some() {}
            let kind = words.next().unwrap_or_default();
            let data: Vec<String> = words.collect();
            self.add(&last, &kind, &data, &origin).map_err(|what| wrong(&what))?;
        }
        Ok(())
    }

    fn read_json(&mut self, text: &str) -> Result<(), String> {
        type Domains = BTreeMap<String, BTreeMap<String, Vec<Vec<serde_json::Value>>>>;
        let domains: Domains = serde_json::from_str(text).map_err(|error| error.to_string())?;
        for (domain, labels) in domains {
            for (label, records) in labels {
                let name = absolute(&label, &absolute(&domain, ""));
                for record in records {
                    let word = |v: &serde_json::Value| v.as_str().map_or(v.to_string(), str::to_owned);
                    let mut words = record.iter().map(word);
                    let kind = words.next().unwrap_or_default();
                    let data: Vec<String> = words.collect();
                    self.add(&name, &kind, &data, "").map_err(|what| format!("{name}: {what}"))?;
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, name: &str, kind: &str, data: &[String], origin: &str) -> Result<(), String> {
        let first = data.first().map_or("", String::as_str);
        let address = || format!("{first:?} is no address");
        match kind.to_ascii_uppercase().as_str() {
            "TXT" | "SPF" => self.txt.entry(name.to_owned()).or_default().push(data.concat()),
            "A" => self.a.entry(name.to_owned()).or_default().push(first.parse().map_err(|_| address())?),
            "AAAA" => {
                self.aaaa.entry(name.to_owned()).or_default().push(first.parse().map_err(|_| address())?)
            }
            "MX" => {
                let [preference, host] = data else { return Err("MX needs a number and a host".to_owned()) };
                let preference = preference.parse().map_err(|_| "MX needs a number first".to_owned())?;
                self.mx.entry(name.to_owned()).or_default().push((preference, absolute(host, origin)));
            }
            "PTR" => {
                let ip = reverse(name).ok_or("PTR needs a name under in-addr.arpa or ip6.arpa")?;
                self.ptr.entry(ip).or_default().push(absolute(first, origin));
            }
            "CNAME" => _ = self.aliases.insert(name.to_owned(), absolute(first, origin)),
            "SOA" | "NS" | "CAA" | "SRV" | "DNSKEY" | "RRSIG" | "DS" | "TLSA" => {}
            other => {
                return Err(format!("{other:?} is no record that matters here; write TXT, A, AAAA or MX"));
            }
        }
        Ok(())
    }

    fn follow_aliases(&mut self) {
        for (name, target) in self.aliases.clone() {
            let mut target = target;
            for _ in 0..ALIASES {
                let Some(next) = self.aliases.get(&target) else { break };
                target = next.clone();
            }
            copy(&mut self.txt, &name, &target);
            copy(&mut self.a, &name, &target);
            copy(&mut self.aaaa, &name, &target);
            copy(&mut self.mx, &name, &target);
        }
    }
}

fn copy<T: Clone>(records: &mut BTreeMap<String, Vec<T>>, name: &str, target: &str) {
    if let Some(found) = records.get(target).cloned() {
        records.entry(name.to_owned()).or_insert(found);
    }
}

/// A name and the bare text of its TXT record: the second word is no part of a zone file's grammar.
fn plain(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_end();
    if line.starts_with([' ', '\t', ';', '$', '(', '"']) {
        return None;
    }
    let (name, rest) = line.split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    let second = rest.split(|c: char| c.is_whitespace() || c == '(').next()?;
    (second.contains('=') && !second.starts_with('"')).then_some((name, rest))
}

/// The words of a line, strings in quotes as one, without comments; and how many parentheses stay open.
fn words(line: &str) -> (Vec<String>, i32) {
    let (mut words, mut word, mut open): (Vec<String>, Option<String>, i32) = (Vec::new(), None, 0);
    let (mut quoted, mut chars) = (false, line.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => word.get_or_insert_default().extend(chars.next()),
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
                if !quoted {
                    words.extend(word.take());
                }
            }
            _ if quoted => word.get_or_insert_default().push(c),
            ';' => break,
            '(' | ')' => {
                words.extend(word.take());
                open += if c == '(' { 1 } else { -1 };
            }
            c if c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    (words, open)
}

fn is_ttl(word: &str) -> bool {
    let digits = word.trim_end_matches(|c: char| "smhdwSMHDW".contains(c));
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

fn is_class(word: &str) -> bool {
    ["IN", "CH", "HS"].iter().any(|class| word.eq_ignore_ascii_case(class))
}

/// A name in full. One without an origin to be relative to is taken as it stands.
fn absolute(name: &str, origin: &str) -> String {
    let lower = name.to_lowercase();
    match lower.strip_suffix('.') {
        Some(whole) => whole.to_owned(),
        None if matches!(lower.as_str(), "@" | "") => origin.to_owned(),
        None if origin.is_empty() => lower,
        None => format!("{lower}.{origin}"),
    }
}

/// The address a name of the reverse tree stands for (RFC 1035 section 3.5, RFC 3596 section 2.5).
fn reverse(name: &str) -> Option<IpAddr> {
    if let Some(labels) = name.strip_suffix(".in-addr.arpa") {
        let octets: Vec<&str> = labels.split('.').rev().collect();
        return octets.join(".").parse::<Ipv4Addr>().ok().map(IpAddr::V4);
    }
    let nibbles: String = name.strip_suffix(".ip6.arpa")?.split('.').rev().collect();
    let value = u128::from_str_radix(&nibbles, 16).ok().filter(|_| nibbles.len() == 32)?;
    Some(IpAddr::V6(Ipv6Addr::from(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, name: &str, expected: &[&str]) {
        let zone = Zone::parse(text).expect("a zone");
        assert_eq!(zone.txt.get(name).map_or(&[][..], Vec::as_slice), expected, "{text}");
    }

    #[test]
    fn text_records_are_read_in_all_three_shapes() {
        check("a.example v=spf1 ip4:192.0.2.1; -all", "a.example", &["v=spf1 ip4:192.0.2.1; -all"]);
        check("S._domainkey.a.example.\tk=rsa; p=AB==\n", "s._domainkey.a.example", &["k=rsa; p=AB=="]);
        check("a.example. 3600 IN TXT \"v=\" \"spf1; x\" ; why", "a.example", &["v=spf1; x"]);
        check(
            "$ORIGIN a.example.\n@ TXT one\n  IN TXT two\nb 1h TXT ( \"x\"\n \"y\" )",
            "a.example",
            &["one", "two"],
        );
        check("$ORIGIN a.example.\nb 1h TXT ( \"x\"\n \"y\" )", "b.a.example", &["xy"]);
        check(r#"{"a.example": {"s._domainkey": [["txt", "p=x"]]}}"#, "s._domainkey.a.example", &["p=x"]);
        check("b.example. CNAME c.example.\nc.example. TXT \"far\"", "b.example", &["far"]);
    }

    #[test]
    fn addresses_and_hosts_are_read() {
        let zone = "a.example. A 192.0.2.1\na.example. AAAA 2001:db8::1\na.example. MX 10 mx.a.example.\n\
                    1.2.0.192.in-addr.arpa. PTR a.example.\n";
        let zone = Zone::parse(zone).expect("a zone");
        assert_eq!(zone.a["a.example"], [Ipv4Addr::new(192, 0, 2, 1)]);
        assert_eq!(zone.aaaa["a.example"].len(), 1);
        assert_eq!(zone.mx["a.example"], [(10, "mx.a.example".to_owned())]);
        assert_eq!(zone.ptr[&IpAddr::from([192, 0, 2, 1])], ["a.example"]);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        for (text, expected) in [
            ("\na.example. A here", "line 2"),
            ("a.example. MX mx", "MX needs"),
            ("a.example. TXT (\"x\"", "parenthesis"),
            ("a.example. WHAT x", "no record"),
            ("{\"a\": 1}", "invalid type"),
        ] {
            let said = Zone::parse(text).expect_err("no zone");
            assert!(said.contains(expected), "{said}");
        }
    }
}

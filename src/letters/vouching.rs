//! Who vouches that a mail is from its author: our border server's word, our own check of it, and what both
//! together are worth. The checking itself asks DNS and is done elsewhere; here its outcome is an input.

use core::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::letter::{Address, Letter, Place, Trust};

/// One method's outcome (RFC 8601).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// "pass", "fail", "softfail", "none", ... in lower case.
    pub result: String,
    /// The domain it speaks for: header.d, smtp.mailfrom's domain, header.from; smtp.auth's user.
    pub subject: Option<String>,
}

impl Verdict {
    /// A verdict on a domain, in lower case.
    pub fn on(result: &str, domain: &str) -> Verdict {
        Verdict { result: result.to_owned(), subject: Some(domain.to_lowercase()) }
    }

    pub fn passes(&self) -> bool {
        self.result == "pass"
    }
}

/// The topmost block of Authentication-Results of the trusted server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    pub spf: Option<Verdict>,
    /// One per signature.
    pub dkim: Vec<Verdict>,
    pub dmarc: Option<Verdict>,
    pub arc: Option<Verdict>,
    /// The submission's user.
    pub auth: Option<Verdict>,
}

/// What our own check of a mail found (RFC 7208, 6376, 8617, 9989). Kept with the mail: DNS changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// How often DNS was asked about this mail.
    pub looks: u8,
    /// Nothing where it is not known who handed the mail in, or the sender's domain is not that of From.
    pub spf: Option<Verdict>,
    pub dkim: Vec<Signed>,
    /// Nothing where it could not change anything.
    pub dmarc: Option<Verdict>,
    pub arc: Option<Chain>,
}

/// A DKIM signature and how it fared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Why it does not pass, in plain English.
    pub why: Option<String>,
    /// It speaks for the domain of From (RFC 9989 section 4.4), or one above it.
    pub aligned: bool,
    /// It covers the whole text: no `l=` tag.
    pub whole: bool,
    /// The header fields it covers, in lower case.
    pub covers: Vec<String>,
}

/// A chain of forwarders that sealed what they saw (RFC 8617).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    pub result: String,
    /// From the last forwarder to the first.
    pub sealers: Vec<Sealer>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealer {
    /// The domain that sealed.
    pub domain: String,
    /// What it found when it took the mail in.
    pub saw: Authentication,
}

/// Who handed a mail to our border host, as that host noted it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    pub ip: IpAddr,
    /// The name it greeted with; empty where it is not noted.
    pub helo: String,
    /// The envelope sender, where the note of it cannot have come with the mail.
    pub sender: Option<String>,
}

/// Whether From is vouched for, and on which grounds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vouching {
    pub aligned: bool,
    pub grounds: Vec<Ground>,
}

/// Why a From is believed, or is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ground {
    /// The border server took it from that user after login.
    Submitted,
    /// The border server found it signed, approved or sent by the domain of From.
    BorderPass,
    /// The border server found that it is not.
    BorderFail,
    /// A signature of the domain of From holds.
    Signed,
    /// A host that the domain of From names handed it in.
    Sent,
    /// A forwarder we trust saw that it was genuine before it changed it.
    Forwarded,
    /// A signature of the domain of From does not hold.
    SignatureFails,
    /// What passes speaks for another domain than From's.
    NotAligned,
    /// The signature leaves the end of the text open (`l=`).
    PartlySigned,
    /// The signature leaves out a field that says who wrote what to whom.
    FieldsUnsigned,
    /// What says which matter is meant stands where the signature does not reach.
    TokenUnsigned,
    /// From names several authors, or stands there twice.
    SeveralAuthors,
    /// A mailing list wrote itself into From.
    FromRewritten,
    /// The border server and we disagree; the worse counts.
    Disagreement,
    /// DNS gave no answer in time.
    DnsFailed,
    /// Nobody vouches for anything.
    Nothing,
}

/// Whether a proven domain may speak for an author's: the same, or one above it, which must have a dot.
pub fn speaks_for(proven: &str, author: &str) -> bool {
    let (proven, author) = (proven.trim_start_matches('@').to_lowercase(), author.to_lowercase());
    proven.contains('.') && (author == proven || author.ends_with(&format!(".{proven}")))
}

/// Whether asking about one domain can prove anything about the other: the same, above or below it.
pub fn related(one: &str, other: &str) -> bool {
    speaks_for(one, other) || speaks_for(other, one)
}

impl Letter {
    /// Takes in what our own check found, and weighs all evidence anew.
    pub fn weigh(&mut self, checked: Option<Checked>, trust: &Trust<'_>) {
        self.checked = checked;
        self.vouching = vouching(self, trust);
    }

    /// The outcomes that count: of our own check where there was one, else the border's.
    pub fn results(&self) -> [Option<&str>; 4] {
        let Some(own) = &self.checked else {
            let border = &self.authentication;
            let dkim = border.dkim.iter().find(|v| v.passes()).or(border.dkim.first());
            return [border.spf.as_ref(), dkim, border.dmarc.as_ref(), border.arc.as_ref()]
                .map(|verdict| verdict.map(|v| v.result.as_str()));
        };
        let passing = |s: &&Signed| s.verdict.passes();
        let best = own.dkim.iter().filter(passing).max_by_key(|s| s.aligned).or(own.dkim.first());
        [
            own.spf.as_ref().map(|v| &v.result),
            best.map(|s| &s.verdict.result),
            own.dmarc.as_ref().map(|v| &v.result),
            own.arc.as_ref().map(|chain| &chain.result),
        ]
        .map(|result| Some(result.map_or("none", String::as_str)))
    }
}

fn vouching(letter: &Letter, trust: &Trust<'_>) -> Vouching {
    let mut grounds = Vec::new();
    let Some(from) = &letter.from else { return Vouching { aligned: false, grounds: vec![Ground::Nothing] } };
    let border = border(&letter.authentication, from, &mut grounds);
    let own = letter.checked.as_ref().and_then(|checked| own(checked, letter, from, trust, &mut grounds));
    let submitted = grounds.contains(&Ground::Submitted);
    if !submitted && border.is_some() && own.is_some() && border != own {
        grounds.push(Ground::Disagreement);
    }
    let believed = submitted || (border != Some(false) && own != Some(false) && border.or(own).is_some());
    if letter.authors > 1 {
        grounds.push(Ground::SeveralAuthors);
    }
    if letter.rewritten {
        grounds.push(Ground::FromRewritten);
    }
    if grounds.is_empty() {
        grounds.push(Ground::Nothing);
    }
    Vouching { aligned: believed && letter.authors <= 1 && !letter.rewritten, grounds }
}

/// What the border server says of this From; nothing where it says neither yes nor no.
fn border(found: &Authentication, from: &Address, grounds: &mut Vec<Ground>) -> Option<bool> {
    let domain = from.domain().unwrap_or("");
    if found.auth.iter().any(|v| v.passes() && v.subject.as_deref().is_some_and(|user| same(user, from))) {
        grounds.push(Ground::Submitted);
        return Some(true);
    }
    if found.dmarc.as_ref().is_some_and(|v| v.result == "fail" && is_about(v, domain)) {
        grounds.push(Ground::BorderFail);
        return Some(false);
    }
    if vouched(found, domain) {
        grounds.push(Ground::BorderPass);
        return Some(true);
    }
    if found.dkim.iter().any(|v| v.result == "fail" && is_about(v, domain)) {
        grounds.push(Ground::BorderFail);
        return Some(false);
    }
    if found.dkim.iter().chain(&found.spf).any(Verdict::passes) {
        grounds.push(Ground::NotAligned);
    }
    None
}

fn same(user: &str, from: &Address) -> bool {
    user.to_lowercase() == from.address.to_lowercase()
}

fn is_about(verdict: &Verdict, domain: &str) -> bool {
    verdict.subject.as_deref().is_some_and(|subject| speaks_for(subject, domain))
}

/// Whether a server's results, any of them, prove the domain.
fn vouched(found: &Authentication, domain: &str) -> bool {
    let proofs = found.dkim.iter().chain(&found.dmarc).chain(&found.spf);
    proofs.filter(|v| v.passes()).any(|v| is_about(v, domain))
}

/// What our own check says; nothing where it could not tell.
fn own(
    checked: &Checked,
    letter: &Letter,
    from: &Address,
    trust: &Trust<'_>,
    grounds: &mut Vec<Ground>,
) -> Option<bool> {
    let mut credited = false;
    let mut doubts = Vec::new();
    for signed in checked.dkim.iter().filter(|s| s.verdict.passes()) {
        match flaw(signed, letter) {
            None => credited = true,
            Some(flaw) => doubts.push(flaw),
        }
    }
    if credited {
        grounds.push(Ground::Signed);
    }
    if checked.spf.as_ref().is_some_and(Verdict::passes) && sent(checked, from) {
        grounds.push(Ground::Sent);
        credited = true;
    }
    if checked.arc.as_ref().is_some_and(|chain| forwarded(chain, from, trust)) {
        grounds.push(Ground::Forwarded);
        credited = true;
    }
    if credited {
        return Some(true);
    }
    doubts.sort_unstable();
    doubts.dedup();
    let failed = checked.dkim.iter().any(|s| s.aligned && s.verdict.result == "fail")
        || (checked.spf.is_some() && checked.dmarc.as_ref().is_some_and(|v| v.result == "fail"));
    if checked.unsettled() {
        doubts.push(Ground::DnsFailed);
    } else if failed {
        doubts.push(Ground::SignatureFails);
    }
    let verdict = (failed && !checked.unsettled()).then_some(false);
    grounds.extend(doubts);
    verdict
}

/// SPF proves From's domain where DMARC says so, or, without a policy, where the domains fit.
fn sent(checked: &Checked, from: &Address) -> bool {
    match checked.dmarc.as_ref().map(|v| v.result.as_str()) {
        Some("pass") => true,
        Some("none") | None => checked.spf.as_ref().is_some_and(|v| is_about(v, from.domain().unwrap_or(""))),
        Some(_) => false,
    }
}

/// What keeps a signature that holds from proving who wrote this to us now.
fn flaw(signed: &Signed, letter: &Letter) -> Option<Ground> {
    let covers = |name: &str| signed.covers.iter().any(|c| c == name);
    if !signed.aligned {
        return Some(Ground::NotAligned);
    }
    if !signed.whole {
        return Some(Ground::PartlySigned);
    }
    let named = letter.written_to == 0 || covers("to") || covers("cc");
    let titled = letter.subject.is_empty() || covers("subject");
    if !(covers("from") && named && titled && (covers("message-id") || covers("date"))) {
        return Some(Ground::FieldsUnsigned);
    }
    let written_to = &letter.to[..letter.written_to.min(letter.to.len())];
    let reached = |token: &str| {
        written_to.iter().any(|to| to.address.to_lowercase().contains(token))
            || letter.tokens.iter().any(|c| c.place == Place::Body && c.token == token)
            || (covers("in-reply-to")
                && letter.in_reply_to.iter().any(|id| id.to_lowercase().contains(token)))
            || (covers("references") && letter.references.iter().any(|id| id.to_lowercase().contains(token)))
    };
    let first = letter.tokens.iter().find(|carrier| carrier.place != Place::Returned);
    first.is_some_and(|carrier| !reached(&carrier.token)).then_some(Ground::TokenUnsigned)
}

/// A whole chain whose last links we trust, one of which saw that the mail was genuine. What lies before the
/// first link that we do not trust is hearsay.
fn forwarded(chain: &Chain, from: &Address, trust: &Trust<'_>) -> bool {
    let trusted =
        |sealer: &&Sealer| trust.forwarders.iter().any(|domain| domain.eq_ignore_ascii_case(&sealer.domain));
    let domain = from.domain().unwrap_or("");
    chain.result == "pass"
        && chain.sealers.iter().take_while(trusted).any(|sealer| {
            let failed = sealer.saw.dmarc.as_ref().is_some_and(|v| v.result == "fail" && is_about(v, domain));
            !failed && vouched(&sealer.saw, domain)
        })
}

impl Checked {
    /// DNS failed for something that may pass another time, and nothing else decides.
    pub fn unsettled(&self) -> bool {
        let waits = |v: &Verdict| v.result == "temperror";
        let passes = self.dkim.iter().any(|s| s.aligned && s.verdict.passes());
        let dkim = self.dkim.iter().filter(|s| s.aligned).map(|s| &s.verdict);
        let arc = self.arc.as_ref().is_some_and(|chain| chain.result == "temperror");
        !passes && (arc || dkim.chain(&self.spf).chain(&self.dmarc).any(waits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_speaks_for_itself_and_those_below_it_but_no_top_level_does() {
        for (proven, author, expected) in [
            ("a.example", "a.example", true),
            ("@A.example", "a.EXAMPLE", true),
            ("a.example", "mail.a.example", true),
            ("mail.a.example", "a.example", false),
            ("example", "a.example", false),
            ("b.example", "ab.example", false),
            ("", "a.example", false),
        ] {
            assert_eq!(speaks_for(proven, author), expected, "{proven} {author}");
        }
        assert!(related("mail.a.example", "a.example") && !related("a.example", "b.example"));
    }

    #[test]
    fn dns_is_asked_again_only_where_its_answer_could_change_something() {
        let signed = |result: &str, aligned: bool| Signed {
            verdict: Verdict::on(result, "a.example"),
            aligned,
            ..Signed::default()
        };
        for (dkim, expected) in [
            (vec![signed("temperror", true)], true),
            (vec![signed("temperror", true), signed("fail", true)], true),
            (vec![signed("temperror", true), signed("pass", true)], false),
            (vec![signed("temperror", false)], false),
            (vec![signed("permerror", true)], false),
            (vec![], false),
        ] {
            let checked = Checked { dkim, ..Checked::default() };
            assert_eq!(checked.unsettled(), expected, "{checked:?}");
        }
    }
}

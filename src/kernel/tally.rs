//! A tally anyone can check: the published file of a ballot, and the recount of it.

use super::ballot::{Counts, Rule, Verdict};
use super::canonical;
use super::choice::Choice;
use super::ids::Party;
use super::strict;
use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Names the form of the file.
pub const FORMAT: &str = "atlarged-tally-1";

/// The file as published: a body, where it stands in the journal, and our signature over both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    pub format: String,
    pub body: Body,
    /// The head of the journal when the ballot was closed, hex.
    pub journal_head: String,
    /// Ed25519 public key, hex; its fingerprint is published apart.
    pub public_key: String,
    /// Ed25519 over the canonical JSON of this file without the signature, hex.
    pub signature: String,
}

/// What was asked, what was answered, what follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    pub case: String,
    /// Question, effects, rule, electorate as they were when the ballot opened.
    pub frozen: Value,
    /// SHA-256 of `frozen`; it stands in every ballot mail and receipt.
    pub electorate_hash: String,
    /// What the electorate is called.
    pub names: BTreeMap<Party, String>,
    pub closes: DateTime<Utc>,
    pub closed: DateTime<Utc>,
    /// Sorted by code.
    pub ballots: Vec<Cast>,
    pub counts: Counts,
    /// None where the ballot was annulled.
    pub verdict: Option<Verdict>,
    /// Rounds that found no quorum.
    pub earlier: Vec<Value>,
    /// Why it was annulled.
    pub annulled: Option<String>,
}

/// One ballot under its receipt code; with its voter only where the ballot was open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cast {
    pub code: String,
    pub choice: Choice,
    pub voter: Option<Party>,
}

/// What a recount looked at, and what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// "The signature is by the key in the file".
    pub checked: String,
    pub holds: bool,
}

/// What `frozen` must contain to be counted.
#[derive(Deserialize)]
struct Frozen {
    rule: Rule,
    electorate: Vec<Party>,
    secrecy: String,
}

impl Frozen {
    /// A rule that can be counted by, and both as this program writes them.
    fn is_as_written(&self, frozen: &Value) -> bool {
        self.rule.check().is_ok()
            && frozen.get("rule") == serde_json::to_value(self.rule).ok().as_ref()
            && frozen.get("electorate") == serde_json::to_value(&self.electorate).ok().as_ref()
    }
}

/// The bytes that are signed.
pub fn signed_bytes(body: &Body, journal_head: &str, public_key: &str) -> Vec<u8> {
    let value = serde_json::json!({
        "format": FORMAT, "body": body, "journal_head": journal_head, "public_key": public_key,
    });
    canonical::canonical(&value).into_bytes()
}

/// The fingerprint of a public key: SHA-256 of its 32 bytes, hex.
pub fn fingerprint(public_key: &[u8]) -> String {
    canonical::sha256(public_key)
}

/// Recounts a published file: everything that can be checked from the file alone, and against a fingerprint
/// published apart. The file is taken as it stands, not as this program would have written it.
///
/// # Errors
/// It is no tally: no JSON that can be read in one way only, or not of the form.
pub fn recount(text: &str, key: Option<&str>) -> Result<(Tally, Vec<Finding>), serde_json::Error> {
    let file = strict::parse(text)?;
    let tally = Tally::deserialize(&file)?;
    let findings = tally.findings(&file, key);
    Ok((tally, findings))
}

impl Tally {
    fn findings(&self, file: &Value, key: Option<&str>) -> Vec<Finding> {
        let mut findings = vec![self.form(file), self.signed(file)];
        findings.extend(key.map(|key| self.by_key(key)));
        findings
            .push(finding("the hash in the ballot mails is of this question, rule and electorate", || {
                canonical::hash(&self.body.frozen) == self.body.electorate_hash
            }));
        findings.extend(self.counted());
        findings
    }

    /// Nothing stands in it that we do not read, and everything as we write it: "p1" is never "p01".
    fn form(&self, file: &Value) -> Finding {
        finding("the file has the form of a tally", || {
            self.format == FORMAT && serde_json::to_value(self).is_ok_and(|ours| ours == *file)
        })
    }

    /// What was signed is the file's own content, whatever this program makes of it.
    fn signed(&self, file: &Value) -> Finding {
        finding("the signature is by the key in the file", || {
            let key = HEXLOWER.decode(self.public_key.as_bytes()).unwrap_or_default();
            let signature = HEXLOWER.decode(self.signature.as_bytes()).unwrap_or_default();
            let mut unsigned = file.clone();
            if let Some(fields) = unsigned.as_object_mut() {
                fields.remove("signature");
            }
            let bytes = canonical::canonical(&unsigned).into_bytes();
            UnparsedPublicKey::new(&ED25519, key).verify(&bytes, &signature).is_ok()
        })
    }

    fn by_key(&self, expected: &str) -> Finding {
        finding("the key has the published fingerprint", || {
            let key = HEXLOWER.decode(self.public_key.as_bytes()).unwrap_or_default();
            let plain: String = expected.chars().filter(char::is_ascii_hexdigit).collect();
            fingerprint(&key) == plain.to_ascii_lowercase()
        })
    }

    fn counted(&self) -> Vec<Finding> {
        let body = &self.body;
        let readable =
            Frozen::deserialize(&body.frozen).ok().filter(|frozen| frozen.is_as_written(&body.frozen));
        let Some(frozen) = readable else {
            return vec![Finding { checked: "the rule and the electorate can be read".into(), holds: false }];
        };
        let codes: BTreeSet<&str> = body.ballots.iter().map(|cast| cast.code.as_str()).collect();
        let voters: Vec<Party> = body.ballots.iter().filter_map(|cast| cast.voter).collect();
        let distinct: BTreeSet<Party> = voters.iter().copied().collect();
        let electorate: BTreeSet<Party> = frozen.electorate.iter().copied().collect();
        let open = frozen.secrecy == "open";
        let sitting = u32::try_from(electorate.len()).unwrap_or(u32::MAX);
        let counts = Counts::of(body.ballots.iter().map(|cast| cast.choice));
        vec![
            finding("every ballot has a code of its own, in order", || {
                codes.len() == body.ballots.len() && body.ballots.is_sorted_by(|a, b| a.code < b.code)
            }),
            finding("nobody stands in the electorate twice", || electorate.len() == frozen.electorate.len()),
            finding("no more ballots than voters", || body.ballots.len() <= electorate.len()),
            finding("voters are named where the ballot is open, and nowhere else", || {
                voters.len() == if open { body.ballots.len() } else { 0 }
            }),
            finding("each voter is of the electorate and has one ballot", || {
                distinct.len() == voters.len() && distinct.is_subset(&electorate)
            }),
            finding("the ballots add up to the counts", || counts == body.counts),
            finding("the rule gives the verdict", || match (&body.annulled, body.verdict) {
                (Some(_), verdict) => verdict.is_none() && body.ballots.is_empty(),
                (None, verdict) => verdict == Some(frozen.rule.decide(counts, sitting)),
            }),
        ]
    }
}

fn finding(checked: &str, holds: impl FnOnce() -> bool) -> Finding {
    Finding { checked: checked.to_owned(), holds: holds() }
}

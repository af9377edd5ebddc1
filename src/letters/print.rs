//! The print of a mail as it was sent: what can later be compared with a copy of it, and nothing that could be
//! read. Codes of runs of its words, of its links, of its addresses; the codes are keyed, so that nobody who sees
//! the record can try guesses.
//!
//! Runs end after words chosen by the words themselves, so that two copies are cut alike wherever they begin.
//! The first and the last run, which share their ends with what stands around a forwarded copy, do not count.

use serde::{Deserialize, Serialize};

use super::forwarded::Item;
use crate::kernel::said::Differs;

/// A run ends after one word in this many, on average.
const RUN: u32 = 8;
/// Words that may stand between the place where a mail program put a copy and the copy: header lines, greeting.
const ABOVE: usize = 80;
/// Words that may stand below a copy.
const BELOW: usize = 60;

/// Gives a string the code that stands for it in the record.
pub type Code<'a> = &'a dyn Fn(&str) -> String;

/// A mail as it was sent, one entry per form (plain text, HTML).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Print {
    pub forms: Vec<Form>,
}

/// One form: codes of its runs in order, of its links and addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    pub runs: Vec<String>,
    pub links: Vec<String>,
    pub addresses: Vec<String>,
}

/// A run of words, and where it begins and ends among the items.
struct Run {
    code: String,
    begins: usize,
    ends: usize,
}

fn ends_run(word: &str) -> bool {
    let hash =
        word.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash >> 7).is_multiple_of(RUN)
}

fn runs(items: &[Item], code: Code<'_>) -> Vec<Run> {
    let mut found = Vec::new();
    let (mut words, mut begins) = (String::new(), 0);
    for (at, item) in items.iter().enumerate() {
        let Item::Word(word) = item else { continue };
        if words.is_empty() {
            begins = at;
        }
        words.push_str(word);
        words.push(' ');
        if ends_run(word) {
            found.push(Run { code: code(&words), begins, ends: at + 1 });
            words.clear();
        }
    }
    found
}

impl Print {
    /// The print of a mail's forms.
    pub fn of(forms: &[Vec<Item>], code: Code<'_>) -> Print {
        let form = |items: &Vec<Item>| {
            let (mut links, mut addresses) = (Vec::new(), Vec::new());
            for item in items {
                match item {
                    Item::Link(link) => links.push(code(link)),
                    Item::Address(address) => addresses.push(code(address)),
                    Item::Word(_) | Item::Mark => {}
                }
            }
            for list in [&mut links, &mut addresses] {
                list.sort();
                list.dedup();
            }
            Form {
                runs: runs(items, code).into_iter().skip(1).map(|run| run.code).collect(),
                links,
                addresses,
            }
        };
        Print { forms: forms.iter().map(form).collect() }
    }

    /// What of a copy is not as it was sent; nothing where it is the same mail. Every form of the copy must be like
    /// some form of the mail: which of them a person sees is up to the mail program.
    pub fn differs(&self, copy: &[Vec<Item>], code: Code<'_>) -> Vec<Differs> {
        let mut all: Vec<Differs> = Vec::new();
        for theirs in copy {
            let found = self.forms.iter().map(|ours| ours.differs(self, theirs, code));
            all.extend(found.min_by_key(Vec::len).unwrap_or_else(|| vec![Differs::Text]));
        }
        all.sort();
        all.dedup();
        all
    }

    /// Links and addresses may stand in one form alone: a page shows an address as a button.
    fn has(&self, pick: impl Fn(&Form) -> &Vec<String>, code: &str) -> bool {
        self.forms.iter().any(|form| pick(form).iter().any(|known| known == code))
    }
}

impl Form {
    fn differs(&self, print: &Print, items: &[Item], code: Code<'_>) -> Vec<Differs> {
        let theirs = runs(items, code);
        let place = (!self.runs.is_empty())
            .then(|| {
                theirs
                    .windows(self.runs.len())
                    .position(|window| window.iter().zip(&self.runs).all(|(run, ours)| run.code == *ours))
            })
            .flatten();
        let copy = place.map(|at| (theirs[at].begins, theirs[at + self.runs.len() - 1].ends));
        let words = |items: &[Item]| items.iter().filter(|item| matches!(item, Item::Word(_))).count();
        let alone = |(begins, ends): (usize, usize)| {
            let from = items[..begins].iter().position(|item| *item == Item::Mark).unwrap_or(0);
            words(&items[from..begins]) <= ABOVE && words(&items[ends..]) <= BELOW
        };
        let (begins, ends) = copy.unwrap_or((0, items.len()));
        let mut found = Vec::new();
        if !copy.is_some_and(alone) {
            found.push(Differs::Text);
        }
        let mut links = items.iter().enumerate().filter_map(|(at, item)| match item {
            // Around a copy mail programs make links of the addresses in its header.
            Item::Link(link) if link.starts_with("mailto:") && !link.contains('?') => {
                (copy.is_some() && (begins..ends).contains(&at)).then_some(link)
            }
            Item::Link(link) => Some(link),
            _ => None,
        });
        let address_of = |link: &str| link.strip_prefix("mailto:").map(&code);
        let known = |link: &String| {
            print.has(|form| &form.links, &code(link))
                || address_of(link).is_some_and(|address| print.has(|form| &form.addresses, &address))
        };
        if !links.all(known) {
            found.push(Differs::Links);
        }
        let inside = if copy.is_some() { &items[begins..ends] } else { &[] };
        let mut addresses = inside.iter().filter_map(|item| match item {
            Item::Address(address) => Some(code(address)),
            _ => None,
        });
        if !addresses.all(|address| print.has(|form| &form.addresses, &address)) {
            found.push(Differs::Addresses);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::letters::forwarded::{forwarded, sent};

    const NOTICE: &str = "Dear Ann,\n\nShall the advice of the region in respect of the accreditation of Open Net \
        Society be overturned, and shall the organisation become a structure of the community from the first day \
        of the next month on, with all the rights and duties that the rules of procedure give to it?\n\n\
        YES: https://clerk.example/v/abc?choice=yes\n\nPlease answer by the first of December at noon. Whoever wants \
        to know more may write to help@clerk.example at any time before that day, or read the whole file on the \
        pages of the clerk, where every answer will be shown when the vote is over.\n\nReference number below.\n";

    fn code(text: &str) -> String {
        format!("{:x}", text.bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(31) ^ u64::from(byte)))
    }

    /// What differs in the copy below VERIFY.
    fn check(copy: &str, expected: &[Differs]) {
        let original = format!("From: c@clerk.example\n\n{NOTICE}");
        let print = Print::of(&sent(original.as_bytes()), &code);
        let mail = format!(
            "From: a@b.example\n\nVERIFY\n\n---------- Forwarded message ---------\nFrom: Clerk <c@clerk.example>\n\
             Date: Thu, 20 Aug 2026\nSubject: vote\nTo: <ann@member.example>\n\n{copy}"
        );
        let found = forwarded(mail.as_bytes()).expect("a mail below");
        assert_eq!(print.differs(&found.forms, &code), expected, "{copy}");
    }

    #[test]
    fn a_copy_is_known_however_it_was_wrapped_or_marked() {
        check(NOTICE, &[]);
        let marked: String = NOTICE.lines().map(|line| format!("> {line}\n")).collect();
        check(&marked, &[]);
        let narrow: String = NOTICE
            .split(' ')
            .enumerate()
            .map(|(n, word)| format!("{word}{}", if n % 5 == 0 { "\n" } else { " " }))
            .collect();
        check(&narrow, &[]);
    }

    #[test]
    fn whatever_was_changed_is_told_by_its_kind() {
        use Differs::{Addresses, Links, Text};
        check(&NOTICE.replace("be overturned", "not be overturned"), &[Text]);
        check(&NOTICE.replace("first of December", "first of January"), &[Text]);
        check(&NOTICE.replace("https://clerk.example", "https://evil.example"), &[Links]);
        check(&NOTICE.replace("help@clerk.example", "help@evil.example"), &[Addresses]);
        check(&format!("{NOTICE}\nhttp://evil.example/login\n"), &[Links]);
        check(&format!("http://evil.example/login\n\n{NOTICE}"), &[Links]);
        check(&format!("{}{NOTICE}", "You must pay a fee at once. ".repeat(20)), &[Text]);
        check("Something else altogether.\n", &[Text]);
    }
}

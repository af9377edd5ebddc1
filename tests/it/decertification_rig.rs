//! Stories of decertification. A script's lines are `DAY HH:MM who: what`; the transcript says what came of each.
//! Clocks strike on their own between the lines; the ballot runs beside the matter and gets the votes.
//!
//! People are those of the stories of applications; the structure is o1 of Africa, for which `r1` (its prime) and `r3`
//! speak; `sec` and `p32` lead its region, `sec2` leads Europe. `open by WHO: {…}` opens a matter, `votes: 6 2 1` answers
//! YES, NO and ABSTAIN by as many members, `votes by mail` is the same. After a name: `to:LABEL` the mail that is
//! answered, `forged` the right token and an unproven From, `sure` a confirmed one. `order VERB {…}` is one at the keyboard.

use crate::accreditation_cast::{day_zero, name, party, register as cast};
use crate::forms::RENDERER;
use crate::render::{recipient, send};
use atlarged::advance::{self, Before, CaseRow, Commit, LetterBody};
use atlarged::kernel::assurance::Assurance;
use atlarged::kernel::choice::Choice;
use atlarged::kernel::ids::{CaseId, NoticeId, OrganisationId, Party, PersonId};
use atlarged::kernel::language::Language;
use atlarged::kernel::people::{Organisation, OrganisationKind, Person, Region, Role, RoleHeld};
use atlarged::kernel::register::{Change, Register};
use atlarged::kernel::said::{Command, Problem, Said};
use atlarged::kernel::workflow::{Answers, Input, Opening, Order, Reply, Undelivered};
use atlarged::workflows::{Kind, Policies, Surroundings};
use chrono::{DateTime, Duration, NaiveTime, Utc};
use expect_test::Expect;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The matter of every story.
const CASE: CaseId = CaseId(1);

fn representative(id: u32, addresses: usize) -> Change {
    Change::Person(Person {
        id: PersonId(id),
        name: format!("N{id}"),
        language: Language::ALL[id as usize % 7],
        zone: chrono_tz::UTC,
        addresses: (0..addresses).map(|n| format!("p{id}.{n}@a.example")).collect(),
        roles: vec![RoleHeld {
            role: Role::AlsRepresentative,
            region: Some(Region::Africa),
            organisation: Some(OrganisationId(1)),
            from: DateTime::UNIX_EPOCH,
            until: None,
        }],
    })
}

/// The cast, with two who speak for o1.
fn register() -> Register {
    let mut register = cast();
    register.apply(&representative(41, 2));
    register.apply(&representative(43, 1));
    let mut member = register.person(PersonId(2)).expect("m2").clone();
    member.addresses.push("p2.1@a.example".to_owned());
    register.apply(&Change::Person(member));
    register.apply(&Change::Organisation(Organisation {
        id: OrganisationId(1),
        name: "Open Net".to_owned(),
        country: "SN".to_owned(),
        region: Region::Africa,
        kind: OrganisationKind::Als,
        report: None,
        representatives: vec![PersonId(41), PersonId(43)],
        prime: Some(PersonId(41)),
        until: None,
    }));
    register
}

fn said(word: &str) -> Said {
    let first = word.lines().next().unwrap_or_default();
    let (choice, commands) = match first {
        "YES" => (Some(Choice::Yes), vec![]),
        "NO" => (Some(Choice::No), vec![]),
        "ABSTAIN" => (Some(Choice::Abstain), vec![]),
        "CONFIRM" => (None, vec![Command::Confirm]),
        "DECLINE" => (None, vec![Command::Decline]),
        "WITHDRAW" => (None, vec![Command::Withdraw]),
        _ => (None, vec![]),
    };
    let problem = if choice.is_some() { Problem::None } else { Problem::NoAnswer };
    Said { text: word.to_owned(), choice, problem, commands, language: None, sheet: None }
}

pub struct World {
    pub register: Register,
    policies: Policies,
    pub cases: BTreeMap<CaseId, CaseRow>,
    pub transcript: String,
    now: DateTime<Utc>,
    nonce: u64,
    /// Of every mail written so far.
    sent: Vec<(CaseId, String, Party)>,
    /// Whether mail leaves at once.
    delivers: bool,
    held_back: Vec<(NoticeId, String, Party)>,
    /// Every mail.
    pub mails: Vec<advance::OutboxRow>,
    /// What was published about the matter.
    pub records: Vec<Value>,
}

impl World {
    fn new(policies: Policies) -> World {
        World {
            register: register(),
            policies,
            cases: BTreeMap::new(),
            transcript: String::new(),
            now: day_zero(),
            nonce: 0,
            sent: Vec::new(),
            delivers: true,
            held_back: Vec::new(),
            mails: Vec::new(),
            records: Vec::new(),
        }
    }

    pub fn matter(&self) -> &CaseRow {
        &self.cases[&CASE]
    }

    fn advance(&mut self, case: CaseId, before: Before) {
        let at = Surroundings { case, now: self.now, policies: &self.policies, register: &self.register };
        let commit = advance::advance(before, None, &at, "test").unwrap();
        self.tell(&commit);
        let before = self.cases.insert(case, commit.case.clone());
        if let (Some(before), Some(wake)) = (before, commit.case.wake_at) {
            let moved = before.wake_at != Some(wake) || wake > self.now || before.seq == 0;
            assert!(moved, "{} spins", before.phase);
        }
        commit.changes.iter().for_each(|change| self.register.apply(change));
        let about = commit.records.iter().filter(|record| record.path.starts_with("decertifications/"));
        self.records.extend(about.map(|record| record.body.clone()));
        for letter in commit.letters {
            match letter.body {
                LetterBody::Opens(opening) => {
                    let next = CaseId(self.cases.keys().map(|id| id.0).max().unwrap_or(0) + 1);
                    self.advance(next, Before::Opening(opening));
                }
                LetterBody::ToCase(to, input) => self.step(to, input),
            }
        }
        let leaving = commit.outbox.iter().filter(|row| row.report_sent);
        let leaving: Vec<_> = leaving.map(|row| (row.id, row.label.clone(), row.to)).collect();
        self.held_back.extend(leaving);
        if self.delivers {
            self.deliver();
        }
    }

    fn deliver(&mut self) {
        for (notice, label, to) in std::mem::take(&mut self.held_back) {
            self.step(notice.case, Input::Sent { notice, label, to, at: self.now });
        }
    }

    fn step(&mut self, case: CaseId, input: Input) {
        let row = self.cases[&case].clone();
        self.advance(case, Before::Case(row, input));
    }

    /// What came of a step: who gets what, what the register does, what is published, the phase.
    fn tell(&mut self, commit: &Commit) {
        let kind = Kind::from_name(&commit.case.kind).unwrap();
        for task in &commit.tasks {
            let known = kind.tasks().iter().any(|(template, _)| *template == task.template);
            assert!(known, "{} is not among the tasks that can be asked for", task.template);
        }
        let mut mails: Vec<(String, Vec<String>)> = Vec::new();
        for row in &commit.outbox {
            self.sent.push((row.id.case, row.label.clone(), row.to));
            shows(row);
            self.mails.push(row.clone());
            let word = |key: &str| row.data.get(key).and_then(Value::as_str).map(|word| format!(" {word}"));
            let own = row.template.starts_with("decertification/");
            let detail = ["why", "what", "problem", "about"].iter().find_map(|key| word(key));
            let detail = detail.filter(|word| own && word.len() < 24).unwrap_or_default();
            let again = if row.address > 0 { " (next address)" } else { "" };
            let deputy = if row.data.get("_deputy_for").is_some() { " (deputy)" } else { "" };
            let what =
                format!("{}{detail}{again}{deputy}", row.template.trim_start_matches("decertification/"));
            match mails.iter_mut().find(|(known, _)| *known == what) {
                Some((_, everybody)) => everybody.push(name(row.to)),
                None => mails.push((what, vec![name(row.to)])),
            }
        }
        for (what, to) in mails {
            let members: Vec<String> = (1..=15).map(|n| format!("m{n}")).collect();
            let all = members.iter().all(|member| to.contains(member));
            let others = to.into_iter().filter(|one| !all || !members.contains(one));
            let to: Vec<String> = all.then(|| "all".to_owned()).into_iter().chain(others).collect();
            writeln!(self.transcript, "    {what} → {}", to.join(" ")).unwrap();
        }
        if commit.outbox.is_empty()
            && let Some(why) = commit.journal.outcome.strip_prefix("refused: ")
        {
            let (template, data) = why.split_once(' ').unwrap_or((why, "{}"));
            let data: Value = serde_json::from_str(data).unwrap_or_default();
            let why =
                ["why", "what", "problem"].iter().find_map(|key| data[*key].as_str()).unwrap_or_default();
            let template = template.trim_start_matches("decertification/");
            writeln!(self.transcript, "    refused at the keyboard: {template} {why}").unwrap();
        }
        self.tell_effects(commit);
        let before = self.cases.get(&commit.case.id);
        if before.is_none_or(|row| row.phase != commit.case.phase) {
            writeln!(self.transcript, "    [{}]", commit.case.phase).unwrap();
        }
    }

    fn tell_effects(&mut self, commit: &Commit) {
        for letter in &commit.letters {
            match &letter.body {
                LetterBody::Opens(opening) => {
                    let part = |key: &str| opening.body[key]["en"].as_str().unwrap_or_default().to_owned();
                    let secrecy = &opening.body["secrecy"];
                    writeln!(
                        self.transcript,
                        "    opens a {}, {secrecy}: {}",
                        opening.kind,
                        part("question")
                    )
                    .unwrap();
                    writeln!(self.transcript, "      YES: {}", part("yes_means")).unwrap();
                    writeln!(self.transcript, "      NO: {}", part("no_means")).unwrap();
                }
                LetterBody::ToCase(to, Input::Note(note)) if note.body.is_string() => {
                    writeln!(self.transcript, "    {to} is told: {}", note.body).unwrap();
                }
                LetterBody::ToCase(..) => {}
            }
        }
        for change in &commit.changes {
            let what = match change {
                Change::Person(person) => {
                    let ended = person.roles.iter().filter(|held| held.until.is_some()).count();
                    format!("{} {}, {ended} ended", person.id, person.name)
                }
                Change::Organisation(one) => {
                    let until = one.until.map_or("open".to_owned(), |until| until.date_naive().to_string());
                    format!("{} {}, until {until}, {} speak", one.id, one.name, one.representatives.len())
                }
                Change::Language(..) => "a language".to_owned(),
            };
            writeln!(self.transcript, "    in the register: {what}").unwrap();
        }
        for record in commit.records.iter().filter(|record| record.path.starts_with("decertifications/")) {
            writeln!(self.transcript, "    published: {}", record.body["status"]).unwrap();
        }
    }

    /// Lets every clock strike that is due by then, each at its own moment.
    fn strike(&mut self, until: DateTime<Utc>) {
        for _ in 0..200 {
            let due = self.cases.iter().filter_map(|(id, row)| Some((row.wake_at?, *id)));
            let Some((at, case)) = due.min().filter(|(at, _)| *at <= until) else { return };
            self.now = self.now.max(at);
            let clock = self.now - day_zero();
            let (day, hour, minute) = (clock.num_days(), clock.num_hours() % 24, clock.num_minutes() % 60);
            writeln!(self.transcript, "({day} {hour:02}:{minute:02})").unwrap();
            self.step(case, Input::Wake);
        }
        panic!("clocks strike without end");
    }

    fn open(&mut self, who: &str, what: &str) {
        let by = who.strip_prefix("open by ").map(party);
        let (kind, body) = what.split_once(' ').unwrap_or((what, "{}"));
        let opening = Opening {
            kind: kind.into(),
            parent: by.is_none().then_some(CaseId(900)),
            by: by.map(|by| if let Party::Person(by) = by { by } else { panic!("{who} opens nothing") }),
            body: serde_json::from_str(body).unwrap(),
            arrived: self.now,
            nonce: String::new(),
        };
        let next = CaseId(self.cases.keys().map(|id| id.0).max().unwrap_or(0) + 1);
        self.advance(next, Before::Opening(opening));
    }

    fn reply(&mut self, who: &str, word: &str) {
        self.nonce += 1;
        let mut words = who.split_whitespace();
        let from = party(words.next().unwrap());
        let (mut begins, mut to, mut aligned, mut sure) = (String::new(), from, true, false);
        for word in words {
            match word.split_once(':') {
                Some(("to", label)) => begins = label.to_owned(),
                Some(("for", whose)) => to = party(whose),
                _ if word == "sure" => (aligned, sure) = (false, true),
                _ => aligned = false,
            }
        }
        // The newest mail to her under a label that begins so.
        let found =
            self.sent.iter().rev().find(|(_, label, party)| *party == to && label.starts_with(&begins));
        let (case, label) = found.map_or((CASE, begins.clone()), |(case, label, _)| (*case, label.clone()));
        let text = word.trim_matches('"').replace('/', "\n");
        let confirmed = sure || label.starts_with("confirm:");
        let reply = Reply {
            from,
            answers: Some(Answers { notice: NoticeId { case, seq: 0, n: 0 }, label, to }),
            said: said(&text),
            arrived: self.now,
            assurance: Assurance { token: to == from, from_on_file: true, aligned, confirmed },
            nonce: format!("{:032x}", u128::from(self.nonce) << 64),
            desk: Value::Null,
        };
        self.step(case, Input::Reply(reply));
    }

    fn order(&mut self, who: &str, words: &str) {
        let (case, who) = match who.strip_prefix("ballot by ") {
            Some(who) => (self.cases.keys().copied().max().unwrap_or(CASE), who),
            None => (CASE, who),
        };
        let Party::Person(by) = party(who) else { panic!("{who} gives no orders") };
        let (verb, rest) = words.split_once(' ').unwrap_or((words, ""));
        let args = if rest.is_empty() { Value::Null } else { serde_json::from_str(rest).unwrap() };
        let os_user = format!("account of {who}");
        let nonce = "00112233445566778899aabbccddeeff".into();
        self.step(case, Input::Order(Order { by, verb: verb.into(), args, at: self.now, os_user, nonce }));
    }

    /// A mail comes back: "notice r1", "notice r1 1" from the second address.
    fn bounce(&mut self, what: &str) {
        let mut words = what.split_whitespace();
        let (label, to) = (words.next().unwrap(), party(words.next().unwrap()));
        let address = words.next().map_or(0, |n| n.parse().unwrap());
        let found = self.sent.iter().rev().find(|(_, known, party)| *party == to && known.starts_with(label));
        let (case, label, _) = found.expect("such a mail was sent").clone();
        let bounce = Undelivered {
            notice: NoticeId { case, seq: 0, n: 0 },
            label,
            to,
            address,
            permanent: true,
            status: Some("5.1.1".into()),
            at: self.now,
        };
        self.step(case, Input::Undelivered(bounce));
    }

    /// So many members vote YES, NO and ABSTAIN; their receipts go untold.
    fn vote(&mut self, what: &str) {
        let counts: Vec<u32> = what.split_whitespace().map(|n| n.parse().unwrap()).collect();
        let words = ["YES", "NO", "ABSTAIN"];
        let answers = words.iter().zip(&counts).flat_map(|(word, n)| vec![*word; *n as usize]);
        let before = self.transcript.len();
        for (n, word) in (1..).zip(answers) {
            self.reply(&format!("m{n} to:ask"), word);
        }
        let told = self.transcript.split_off(before);
        assert!(told.lines().all(|line| line.contains("ballot/receipt")), "{told}");
    }

    fn seat(&mut self, who: &str, from: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>) {
        let Party::Person(id) = party(who) else { panic!("{who} holds no seat") };
        let mut person = self.register.person(id).unwrap().clone();
        match from {
            Some(from) => person.roles.push(RoleHeld {
                role: Role::AlacMember,
                region: None,
                organisation: None,
                from,
                until: None,
            }),
            None => person.roles[0].until = until,
        }
        self.register.apply(&Change::Person(person));
    }

    fn line(&mut self, line: &str) {
        let mut parts = line.splitn(3, ' ');
        let (day, time) = (parts.next().unwrap(), parts.next().unwrap());
        let (who, what) = parts.next().unwrap().split_once(": ").unwrap();
        let time = NaiveTime::parse_from_str(time, "%H:%M").unwrap();
        let now =
            day_zero() + Duration::days(day.parse().unwrap()) + time.signed_duration_since(NaiveTime::MIN);
        self.strike(now);
        self.now = now;
        writeln!(self.transcript, "{line}").unwrap();
        match who {
            who if who.starts_with("open") => self.open(who, what),
            "clock" => {}
            "post" if what == "stops" => self.delivers = false,
            "post" => {
                self.delivers = true;
                self.deliver();
            }
            "bounce" => self.bounce(what),
            "votes" => self.vote(what),
            "joins" => self.seat(what, Some(now), None),
            "leaves" => self.seat(what, None, Some(now)),
            who if what.starts_with("order ") => self.order(who, what.trim_start_matches("order ")),
            who => self.reply(who, what),
        }
    }

    pub fn play(&mut self, script: &str) {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            self.line(line);
        }
    }
}

/// Every mail of every story can be written, in the language of whoever gets it.
fn shows(row: &advance::OutboxRow) {
    let language = match row.to {
        Party::Person(PersonId(id)) => Language::ALL[id as usize % 7],
        _ => Language::Fr,
    };
    let mail = send(&RENDERER, row, &recipient(language));
    assert!(mail.is_ok(), "{} in {language}: {:?} from {}", row.template, mail.err(), row.data);
}

/// A script from its beginning.
pub fn played(policies: Policies, script: &str) -> World {
    let mut world = World::new(policies);
    world.play(script);
    world
}

/// Plays a script and holds what came of it against the transcript.
pub fn check(script: &str, expected: Expect) {
    expected.assert_eq(&played(Policies::default(), script).transcript);
}

/// The same after a prelude that goes untold.
pub fn check_after(prelude: &str, script: &str, expected: Expect) {
    let mut world = played(Policies::default(), prelude);
    world.transcript.clear();
    world.play(script);
    expected.assert_eq(&world.transcript);
}

//! Stories of applications. A script's lines are `DAY HH:MM who: what`; the transcript says what came of each. Clocks
//! strike on their own between the lines. Ballots that an application opens run beside it and get the votes.
//!
//! `a` is the applicant, a stranger; `m1` to `m15` sit on the committee, m1 is the Chair; `s1`, `s2` are staff; `sec` is
//! the Secretariat of Africa, `sec2` that of Europe; `r1`, `r2` represent structures of Africa, `x1` one of Europe. What
//! is written in quotes are words, `/` breaks a line; FORM is the form filled in; YES NO CONFIRM DECLINE WITHDRAW SUSPEND
//! RESUME are themselves. After a name: `to:LABEL` the mail that is answered, `forged` the right token and an unproven
//! From, `with:NAME` a document of that name attached, `arrived:DAY/HH:MM` read later than it arrived, `for:WHO`
//! somebody else's mail. `order VERB {…}` is an order at the keyboard, `reads` asks for the comments. `leaves` ends
//! somebody's roles, `joins` begins one.

use crate::accreditation_cast::{APPLICANT, CASE, day_zero, document, joining, name, party, register};
use crate::forms::{RENDERER, answers, application};
use crate::render::{recipient, send};
use atlarged::advance::{self, Before, CaseRow, Commit, LetterBody};
use atlarged::kernel::assurance::Assurance;
use atlarged::kernel::choice::Choice;
use atlarged::kernel::confidential::{Comment, Reading, Sealed, day};
use atlarged::kernel::duties::DEPUTY_FOR;
use atlarged::kernel::ids::{AnonymousId, CaseId, NoticeId, Party, PersonId};
use atlarged::kernel::language::Language;
use atlarged::kernel::people::{Region, RoleHeld};
use atlarged::kernel::register::{Change, Register};
use atlarged::kernel::said::{Command, Problem, Said};
use atlarged::kernel::workflow::{Answers, Input, Opening, Order, Record, Reply, Undelivered};
use atlarged::workflows::{Kind, Policies, Surroundings};
use chrono::{DateTime, Duration, NaiveTime, Utc};
use expect_test::Expect;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

fn said(word: &str) -> Said {
    let (choice, commands) = match word {
        "YES" => (Some(Choice::Yes), vec![]),
        "NO" => (Some(Choice::No), vec![]),
        "ABSTAIN" => (Some(Choice::Abstain), vec![]),
        "CONFIRM" => (None, vec![Command::Confirm]),
        "DECLINE" => (None, vec![Command::Decline]),
        "WITHDRAW" => (None, vec![Command::Withdraw]),
        "RESUME" => (None, vec![Command::Resume]),
        word if word.split('\n').any(|line| line == "SUSPEND") => (None, vec![Command::Suspend]),
        _ => (None, vec![]),
    };
    let problem = if choice.is_some() { Problem::None } else { Problem::NoAnswer };
    Said { text: word.to_owned(), choice, problem, commands, language: None, sheet: None }
}

/// The form filled in, with some answers replaced: `id=answer;id=answer`, " + " between people.
fn filled(overrides: &str) -> String {
    let form = application();
    let replaced: BTreeMap<&str, &str> = overrides.split(';').filter_map(|one| one.split_once('=')).collect();
    let line = |(id, answer, _): (&str, String, _)| {
        let (number, _) = form.field(id).expect("a question");
        let answer = replaced.get(id).map_or(answer, |text| text.replace(" + ", "\n"));
        (answer != "-").then(|| format!("{number}. {answer}\n"))
    };
    answers(Language::En).into_iter().filter_map(line).collect()
}

pub struct World {
    pub register: Register,
    pub policies: Policies,
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
    /// What was published about applications.
    pub records: Vec<Value>,
    /// Pages of structures that were published.
    pub pages: Vec<Record>,
}

impl World {
    pub fn new(policies: Policies) -> World {
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
            records: Vec::new(),
            pages: Vec::new(),
            mails: Vec::new(),
        }
    }

    pub fn application(&self) -> &CaseRow {
        &self.cases[&CASE]
    }

    fn advance(&mut self, case: CaseId, before: Before) {
        let at = Surroundings { case, now: self.now, policies: &self.policies, register: &self.register };
        let strikes = matches!(before, Before::Case(_, Input::Wake));
        let commit = advance::advance(before, None, &at, "test").unwrap();
        self.tell(&commit);
        let before = self.cases.insert(case, commit.case.clone());
        // A wake must lead somewhere: asked for again at once, it would never end.
        if let (true, Some(before), Some(wake)) = (strikes, before, commit.case.wake_at) {
            assert!(
                before.wake_at != Some(wake) || wake > self.now || before.seq == 0,
                "{} spins",
                before.phase
            );
        }
        for change in &commit.changes {
            self.register.apply(change);
        }
        let about = commit.records.iter().filter(|record| record.path.starts_with("applications/"));
        self.records.extend(about.map(|record| record.body.clone()));
        let pages = commit.records.iter().filter(|record| record.path.starts_with("structures/"));
        self.pages.extend(pages.cloned());
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
        if self.delivers {
            self.deliver(leaving);
        } else {
            self.held_back.extend(leaving);
        }
    }

    fn deliver(&mut self, leaving: Vec<(NoticeId, String, Party)>) {
        for (notice, label, to) in leaving {
            self.step(notice.case, Input::Sent { notice, label, to, at: self.now });
        }
    }

    fn step(&mut self, case: CaseId, input: Input) {
        let row = self.cases[&case].clone();
        self.advance(case, Before::Case(row, input));
    }

    /// What came of a step: who gets what, what is published, the phase.
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
            let keys = ["why", "what", "problem", "silence", "act", "opens", "route", "choice"];
            let own = row.template.starts_with("accreditation/");
            let detail = keys.iter().find_map(|key| word(key)).filter(|word| own && word.len() < 24);
            let deputy = if row.data.get(DEPUTY_FOR).is_some() { " (deputy)" } else { "" };
            let template = row.template.trim_start_matches("accreditation/");
            let what = format!("{template}{}{deputy}", detail.unwrap_or_default());
            let to = name(row.to);
            match mails.iter_mut().find(|(known, _)| *known == what) {
                Some((_, everybody)) => everybody.push(to),
                None => mails.push((what, vec![to])),
            }
        }
        for (what, to) in mails {
            let members: Vec<String> = (1..=15).map(|n| format!("m{n}")).collect();
            let everybody = members.iter().all(|member| to.contains(member));
            let others: Vec<String> =
                to.into_iter().filter(|one| !everybody || !members.contains(one)).collect();
            let all = everybody.then(|| "all".to_owned());
            let to: Vec<String> = all.into_iter().chain(others).collect();
            writeln!(self.transcript, "    {what} → {}", to.join(" ")).unwrap();
        }
        if commit.outbox.is_empty()
            && let Some(why) = commit.journal.outcome.strip_prefix("refused: ")
        {
            let (template, data) = why.split_once(' ').unwrap_or((why, "{}"));
            let data: Value = serde_json::from_str(data).unwrap_or_default();
            let why = data["why"].as_str().unwrap_or_default();
            writeln!(self.transcript, "    refused at the keyboard: {template} {why}").unwrap();
        }
        self.tell_effects(commit);
        let before = self.cases.get(&commit.case.id);
        if before.is_none_or(|row| row.phase != commit.case.phase) {
            writeln!(self.transcript, "    [{}]", commit.case.phase).unwrap();
        }
    }

    /// What came of a step besides mails.
    fn tell_effects(&mut self, commit: &Commit) {
        for letter in &commit.letters {
            match &letter.body {
                LetterBody::Opens(opening) => {
                    let part = |key: &str| opening.body[key]["en"].as_str().unwrap_or_default().to_owned();
                    writeln!(self.transcript, "    opens a {}: {}", opening.kind, part("question")).unwrap();
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
                Change::Person(person) => format!("{} {}", person.id, person.name),
                Change::Organisation(organisation) => format!("{} {}", organisation.id, organisation.name),
                Change::Language(..) => "a language".to_owned(),
            };
            writeln!(self.transcript, "    in the register: {what}").unwrap();
        }
        for record in commit.records.iter().filter(|record| record.path.starts_with("applications/")) {
            let decision = &record.body["decision"];
            let decision =
                if decision.is_null() { String::new() } else { format!(", {}", decision["route"]) };
            writeln!(self.transcript, "    published: {}{decision}", record.body["status"]).unwrap();
        }
        for page in commit.records.iter().filter(|record| record.path.starts_with("structures/")) {
            writeln!(self.transcript, "    published: {}", page.path).unwrap();
        }
        if commit.shred {
            writeln!(self.transcript, "    comments are destroyed").unwrap();
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

    /// "a", "r1", or "a again" once the first application is there.
    fn open(&mut self, what: &str) {
        let (who, case) = match what.strip_suffix(" again") {
            Some(who) => (who, CaseId(self.cases.keys().map(|id| id.0).max().unwrap_or(0) + 1)),
            None => (what, CASE),
        };
        let from = if who.is_empty() { APPLICANT } else { party(who) };
        let opening = Opening {
            kind: "accreditation".into(),
            parent: None,
            by: None,
            body: json!({ "from": from, "language": "fr" }),
            arrived: self.now,
            nonce: String::new(),
        };
        self.advance(case, Before::Opening(opening));
    }

    /// Somebody asks for the comments.
    fn reads(&mut self, who: &str) {
        let Party::Person(by) = party(who) else { panic!("{who} cannot ask") };
        let reading = Reading { by, sure: true, arrived: self.now, nonce: "00".to_owned(), documents: false };
        self.step(CASE, Input::Reading(reading));
    }

    /// Ends every role somebody holds.
    fn leaves(&mut self, who: &str) {
        let Party::Person(id) = party(who) else { panic!("{who} holds no role") };
        let mut person = self.register.person(id).unwrap().clone();
        let open = |role: &&mut RoleHeld| role.until.is_none();
        person.roles.iter_mut().filter(open).for_each(|role| role.until = Some(self.now));
        self.register.apply(&Change::Person(person));
    }

    fn reply(&mut self, who: &str, word: &str) {
        self.nonce += 1;
        let mut words = who.split_whitespace();
        let from = party(words.next().unwrap());
        let (mut begins, mut to, mut aligned, mut arrived) = (String::new(), from, true, self.now);
        let mut documents = Vec::new();
        for word in words {
            match word.split_once(':') {
                Some(("to", label)) => begins = label.to_owned(),
                Some(("for", whose)) => to = party(whose),
                Some(("with", name)) => documents.push(document(name)),
                Some(("arrived", moment)) => arrived = moment_of(&moment.replace('/', " ")),
                _ => aligned = false,
            }
        }
        // The newest mail to her under a label that begins so.
        let found =
            self.sent.iter().rev().find(|(_, label, party)| *party == to && label.starts_with(&begins));
        let (case, label) = found.map_or((CASE, begins.clone()), |(case, label, _)| (*case, label.clone()));
        let text = match word.strip_prefix("FORM") {
            Some(overrides) => filled(overrides.trim()),
            None => word.trim_matches('"').replace('/', "\n"),
        };
        let confirmed = label.starts_with("confirm:");
        let organisation = matches!(to, Party::Organisation(_));
        let reply = Reply {
            from,
            answers: Some(Answers { notice: NoticeId { case, seq: 0, n: 0 }, label, to }),
            said: said(&text),
            arrived,
            assurance: Assurance {
                token: to == from || organisation,
                from_on_file: true,
                aligned,
                confirmed,
            },
            nonce: format!("{:032x}", u128::from(self.nonce) << 64),
            desk: if documents.is_empty() { Value::Null } else { json!({ "documents": documents }) },
        };
        self.step(case, Input::Reply(reply));
    }

    fn order(&mut self, who: &str, words: &str) {
        // "ballot by s1" gives an order about the vote.
        let (case, who) = match who.strip_prefix("ballot by ") {
            Some(who) => (self.cases.keys().copied().max().unwrap_or(CASE), who),
            None => (CASE, who),
        };
        let Party::Person(by) = party(who) else { panic!("{who} gives no orders") };
        let (verb, rest) = words.split_once(' ').unwrap_or((words, ""));
        let args = if rest.is_empty() { Value::Null } else { serde_json::from_str(rest).unwrap() };
        let order = Order {
            by,
            verb: verb.into(),
            args,
            at: self.now,
            os_user: format!("account of {who}"),
            nonce: "00112233445566778899aabbccddeeff".into(),
        };
        self.step(case, Input::Order(order));
    }

    /// "decision", "window:1 m3", "decision a #1" for the second address.
    fn bounce(&mut self, what: &str) {
        let (what, address) = what.split_once(" #").unwrap_or((what, "0"));
        let (label, to) = what.split_once(' ').unwrap_or((what, "a"));
        let to = party(to);
        let found = self.sent.iter().rev().find(|(_, known, party)| *party == to && known.starts_with(label));
        let (case, label, _) = found.expect("such a mail was sent").clone();
        let bounce = Undelivered {
            notice: NoticeId { case, seq: 0, n: 0 },
            label,
            to,
            address: address.parse().unwrap(),
            permanent: true,
            status: Some("5.1.1".into()),
            at: self.now,
        };
        self.step(case, Input::Undelivered(bounce));
    }

    fn line(&mut self, line: &str) {
        let mut parts = line.splitn(3, ' ');
        let (day, time) = (parts.next().unwrap(), parts.next().unwrap());
        let (who, what) = parts.next().unwrap().split_once(": ").unwrap();
        let now = moment_of(&format!("{day} {time}"));
        // What arrived before a clock is read before it strikes.
        let arrived = who.split_whitespace().find_map(|word| word.strip_prefix("arrived:"));
        self.strike(arrived.map_or(now, |arrived| moment_of(&arrived.replace('/', " "))));
        self.now = now;
        writeln!(self.transcript, "{line}").unwrap();
        match who {
            "open" => self.open(what),
            "clock" => {}
            "post" if what == "stops" => self.delivers = false,
            "post" if what.starts_with("leaves to ") => {
                let to = party(what.trim_start_matches("leaves to "));
                let (leaving, held) =
                    std::mem::take(&mut self.held_back).into_iter().partition(|(_, _, party)| *party == to);
                self.held_back = held;
                self.deliver(leaving);
            }
            "post" => {
                self.delivers = true;
                let leaving = std::mem::take(&mut self.held_back);
                self.deliver(leaving);
            }
            "bounce" => self.bounce(what),
            "comments" => (0..what.parse().unwrap()).for_each(|_| self.comment(Region::Africa)),
            "everybody" => self.vote(15, what),
            "majority" => self.vote(8, what),
            "leaves" => self.leaves(what),
            "joins" => self.register.apply(&joining(&self.register, what, now)),
            who if what == "reads" => self.reads(who),
            who if what.starts_with("order ") => self.order(who, what.trim_start_matches("order ")),
            who => self.reply(who, what),
        }
    }

    /// So many members vote, told in as few lines.
    fn vote(&mut self, members: u32, what: &str) {
        let before = self.transcript.len();
        (1..=members).for_each(|n| self.reply(&format!("m{n} to:ask"), what));
        let told = self.transcript.split_off(before);
        let mut last = "";
        for line in told.lines() {
            let (mail, to) = line.split_once(" → ").unwrap_or((line, ""));
            let begins = if mail == last { " ".to_owned() } else { format!("\n{mail} → ") };
            let begins = if last.is_empty() { begins.trim_start_matches('\n').to_owned() } else { begins };
            write!(self.transcript, "{begins}{to}").unwrap();
            last = mail;
        }
        self.transcript.push('\n');
    }

    /// Somebody comments in confidence: to the case it is two handles, a region and a day.
    fn comment(&mut self, region: Region) {
        self.nonce += 1;
        let number = self.nonce;
        let comment = Comment {
            region,
            words: Sealed::new(u128::from(number).to_be_bytes()),
            source: None,
            author: Party::Anonymous(AnonymousId(number)),
            label: "invitation".to_owned(),
            arrived: day(self.now),
            nonce: String::new(),
            barred: None,
        };
        self.step(CASE, Input::Comment(comment));
    }

    pub fn play(&mut self, script: &str) {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            self.line(line);
        }
    }
}

fn moment_of(text: &str) -> DateTime<Utc> {
    let (day, time) = text.split_once(' ').unwrap();
    let time = NaiveTime::parse_from_str(time, "%H:%M").unwrap();
    day_zero() + Duration::days(day.parse().unwrap()) + time.signed_duration_since(NaiveTime::MIN)
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

/// Steps 1 and 2, done; the region may comment from day 1 until day 22.
pub const EXAMINED: &str = r#"
    0 09:00 open: a
    0 10:00 a to:form: FORM
    1 09:00 s1 to:diligence: "1 MET/2 MET/3 MET/4 MET/5 MET/6 MET/7 UNCLEAR/8 MET/9 MET/FINISHED""#;

/// A script in a world of these policies.
pub fn played(policies: Policies, script: &str) -> World {
    let mut world = World::new(policies);
    world.play(script);
    world
}

/// Plays a script from its beginning and holds what came of it against the transcript.
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

//! A daemon over a record in memory, with a mailbox and a postman that do as they are told.

use crate::render::letterhead;
use atlarged::advance::{LetterBody, NewLetter, OutboxRow};
use atlarged::daemon::{Daemon, Settings, Turned};
use atlarged::kernel::ballot::{Majority, Quorum, Rule};
use atlarged::kernel::ids::{CaseId, NoticeId, PersonId};
use atlarged::kernel::language::Language;
use atlarged::kernel::people::{Person, Role, RoleHeld};
use atlarged::kernel::register::Change;
use atlarged::kernel::workflow::Opening;
use atlarged::ports::Fault;
use atlarged::ports::keys::Keys;
use atlarged::ports::mailbox::{
    Arrival, Batch, Body, Cursor, Done, Fetched, Finished, LARGE_BYTES, Mailbox, Place, Woken,
};
use atlarged::ports::postman::{Delivery, Outgoing, Postman};
use atlarged::ports::store::memory::MemoryStore;
use atlarged::ports::store::{NoticeRow, Store};
use atlarged::render::Renderer;
use atlarged::workflows::Policies;
use atlarged::workflows::ballot::{Polarity, Secrecy, Voters};
use chrono::{DateTime, Duration, TimeZone, Utc};
use serde_json::json;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

const INBOX: &str = "INBOX";
pub const MAILBOX: &str = "main";
pub const CLERK: &str = "clerk@atlarge.example";
/// Whose Authentication-Results count.
pub const BORDER: &str = "mx.atlarge.example";

/// That many minutes into Tuesday, 1 December 2026.
pub fn t(minutes: i64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 12, 1, 0, 0, 0).unwrap() + Duration::minutes(minutes)
}

/// A mailbox of one folder.
pub struct Inbox {
    pub mails: Vec<(DateTime<Utc>, String)>,
    /// Every folder can be read.
    pub whole: bool,
    /// Mails can be flagged.
    pub tidy: bool,
    /// The numbers of mails that were removed for good.
    pub expunged: Vec<u32>,
    /// The connection breaks once after this part of a large mail.
    pub dies_after: Option<usize>,
}

impl Inbox {
    fn empty() -> Inbox {
        Inbox { mails: vec![], whole: true, tidy: true, expunged: vec![], dies_after: None }
    }
}

impl Mailbox for Inbox {
    async fn fetch<F, Fut>(
        &mut self,
        cursors: &BTreeMap<String, Cursor>,
        mut take: F,
    ) -> Result<Fetched, Fault>
    where
        F: FnMut(Batch) -> Fut + Send,
        Fut: Future<Output = Result<(), Fault>> + Send,
    {
        let next = cursors.get(INBOX).map_or(1, |cursor| cursor.next_uid);
        let place = |uid| Place { folder: INBOX.to_owned(), uid_validity: 1, uid };
        let arrivals = self.mails.iter().zip(1..).filter(|(_, uid)| *uid >= next);
        let arrivals = arrivals.map(|((at, raw), uid)| Arrival {
            place: place(uid),
            internal_date: *at,
            size: raw.len() as u64,
            junk: false,
            body: Body::Whole(raw.clone().into_bytes()),
        });
        let at = |next_uid| Cursor { uid_validity: 1, next_uid };
        let mut arrivals: Vec<Arrival> = arrivals.collect();
        for large in arrivals.extract_if(.., |mail| mail.size > LARGE_BYTES) {
            let uid = large.place.uid;
            let parts: Vec<&[u8]> = large.body.bytes().chunks(100_000).collect();
            for (n, part) in parts.iter().enumerate() {
                let last = n + 1 == parts.len();
                let body = Body::Part { bytes: part.to_vec(), last };
                let arrivals = vec![Arrival { body, ..large.clone() }];
                take(Batch { folder: INBOX.to_owned(), arrivals, cursor: at(uid + u32::from(last)) }).await?;
                if self.dies_after == Some(n) {
                    self.dies_after = None;
                    return Err(Fault::new("reading INBOX", "the connection is lost"));
                }
            }
        }
        let cursor = at(self.mails.len() as u32 + 1);
        take(Batch { folder: INBOX.to_owned(), arrivals, cursor }).await?;
        let faults = if self.whole { vec![] } else { vec![Fault::new("reading Junk", "no such folder")] };
        Ok(Fetched { rescanned: vec![], faults })
    }

    async fn finish(&mut self, done: &[(Place, Done)]) -> Result<Finished, Fault> {
        let gone = done.iter().filter(|(_, what)| self.tidy && *what == Done::Expunge);
        self.expunged.extend(gone.map(|(place, _)| place.uid));
        if self.tidy { Ok(Finished::default()) } else { Err(Fault::new("flagging", "read-only")) }
    }

    async fn wait(&mut self, _: std::time::Duration) -> Result<Woken, Fault> {
        Ok(Woken::Timeout)
    }
}

/// How the relay is.
#[derive(Clone, Copy, PartialEq)]
pub enum Relay {
    Well,
    /// Every mail is put off.
    Busy,
    Down,
}

pub struct Out {
    pub relay: Relay,
    /// Mails that left.
    pub sent: Vec<String>,
}

impl Postman for Out {
    async fn send(&mut self, mail: Outgoing<'_>) -> Result<Delivery, Fault> {
        match self.relay {
            Relay::Well => {
                self.sent.push(String::from_utf8_lossy(mail.bytes).into_owned());
                Ok(Delivery::Accepted { answer: "250 ok".to_owned() })
            }
            Relay::Busy => {
                Ok(Delivery::Later { why: "451 busy".to_owned(), status: Some("4.3.2".to_owned()) })
            }
            Relay::Down => Err(Fault::new("sending", "no relay")),
        }
    }
}

/// The same mail with a document of about so many bytes.
pub fn with_document(raw: &str, bytes: usize) -> String {
    let (header, text) = raw.split_once("\r\n\r\n").expect("a mail");
    let document = ("QUJD".repeat(19) + "\r\n").repeat(bytes / 78 + 1);
    format!(
        "{header}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n--b\r\nContent-Type: application/pdf\r\n\
         Content-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n\
         {document}--b--\r\n"
    )
}

/// Ann, p1, and Bob, p2, are members; p3 is staff.
pub struct Rig {
    pub daemon: Daemon<MemoryStore>,
    pub inbox: Inbox,
    pub out: Out,
    pub dir: tempfile::TempDir,
}

fn person(id: u32, address: &str, role: Role) -> Change {
    let held = RoleHeld { role, region: None, organisation: None, from: DateTime::UNIX_EPOCH, until: None };
    Change::Person(Person {
        id: PersonId(id),
        name: format!("N{id}"),
        language: Language::En,
        zone: chrono_tz::UTC,
        addresses: vec![address.to_owned()],
        roles: vec![held],
    })
}

/// Somebody in the register who holds no role.
pub fn nobody(id: u32, address: &str) -> Change {
    match person(id, address, Role::Staff) {
        Change::Person(known) => Change::Person(Person { roles: vec![], ..known }),
        other => other,
    }
}

impl Rig {
    pub async fn new() -> Rig {
        let dir = tempfile::tempdir().expect("a directory");
        let keys = Keys::create(&dir.path().join("keys")).expect("keys");
        let renderer = Renderer::new(letterhead(), keys.minter(1), &BTreeMap::new()).expect("templates");
        let settings = Settings {
            clerk: CLERK.to_owned(),
            authserv_id: Some(BORDER.to_owned()),
            border_host: None,
            forwarders: Vec::new(),
            mailboxes: vec![MAILBOX.to_owned()],
            settle: Duration::minutes(2),
            intake_days: 90,
            public: Some(dir.path().join("public")),
        };
        let daemon = Daemon {
            store: MemoryStore::new(),
            minter: keys.minter(1),
            keys: Arc::new(keys),
            renderer: Arc::new(renderer),
            signer: None,
            policies: Policies::default(),
            settings,
            resolver: None,
        };
        let people = [
            person(1, "ann@a.example", Role::AlacMember),
            person(2, "bob@b.example", Role::AlacMember),
            person(3, "sue@s.example", Role::Staff),
        ];
        daemon.store.change_register(0, &people, "p3", t(0)).await.expect("a register");
        daemon.prepare(t(0)).await.expect("an office");
        Rig { daemon, inbox: Inbox::empty(), out: Out { relay: Relay::Well, sent: vec![] }, dir }
    }

    pub fn store(&self) -> &MemoryStore {
        &self.daemon.store
    }

    /// What opens a ballot of all members.
    pub fn opening(&self) -> Opening {
        let texts = |word: &str| Language::ALL.map(|language| (language, word.to_owned()));
        let texts = |word| BTreeMap::from(texts(word));
        let body = json!({
            "question": texts("Shall we?"), "yes_means": texts("we shall"), "no_means": texts("we shall not"),
            "polarity": Polarity::Straight,
            "rule": Rule { quorum: Quorum::default(), majority: Majority::OfQuorum },
            "secrecy": Secrecy::Open,
            "voters": Voters::Alac,
        });
        Opening {
            kind: "ballot".to_owned(),
            parent: None,
            by: Some(PersonId(3)),
            body,
            arrived: t(1),
            nonce: String::new(),
        }
    }

    /// Opens a ballot; nothing is sent yet.
    pub async fn ballot(&self) -> CaseId {
        self.post("a ballot", LetterBody::Opens(self.opening())).await;
        self.daemon.think(t(1)).await.expect("a step");
        let cases = self.store().cases().await.expect("cases");
        cases.iter().find(|case| case.kind == "ballot").expect("a ballot").id
    }

    pub async fn post(&self, key: &str, body: LetterBody) {
        let key = key.to_owned();
        let letter = NewLetter { key, body, arrived: t(1), mail: None, message_id: None };
        self.store().post(&letter, t(1)).await.expect("posted");
    }

    /// Notices of a template, in the order in which they were written.
    pub async fn notices(&self, template: &str) -> Vec<NoticeRow> {
        let mut all = self.store().notices(None).await.expect("notices");
        all.retain(|notice| notice.row.template == template);
        all
    }

    /// The ballot mail of a person.
    pub async fn asked(&self, person: u32) -> OutboxRow {
        let asks = self.notices("ballot/ballot").await;
        let to = format!("p{person}");
        asks.into_iter().find(|ask| ask.row.to.to_string() == to).expect("was asked").row
    }

    /// The clerk's address for answers to a notice.
    pub fn reply_address(&self, notice: NoticeId) -> String {
        self.daemon.renderer.reply_address_of(notice).expect("an address")
    }

    /// A mail of Ann's, submitted after login, arrives.
    pub fn arrives(&mut self, minutes: i64, number: u32, more: &str, text: &str) {
        let raw = format!(
            "Authentication-Results: {BORDER}; auth=pass smtp.auth=ann@a.example\r\nFrom: ann@a.example\r\n\
             Subject: Re: a question\r\nMessage-ID: <{number}@a.example>\r\n{more}\r\n\r\n{text}\r\n"
        );
        self.inbox.mails.push((t(minutes), raw));
    }

    /// One turn of the crank.
    pub async fn turn(&mut self, minutes: i64) -> Turned {
        let inbox = std::mem::replace(&mut self.inbox, Inbox::empty());
        let mut mailboxes = [(MAILBOX.to_owned(), inbox)];
        let turned = self.daemon.turn(&mut mailboxes, &mut self.out, t(minutes)).await;
        let [(_, inbox)] = mailboxes;
        self.inbox = inbox;
        turned.expect("a turn")
    }

    /// The inputs of a case, as the journal keeps them.
    pub async fn inputs(&self, case: CaseId) -> Vec<serde_json::Value> {
        let journal = self.store().journal(Some(case)).await.expect("a journal");
        journal.into_iter().map(|row| row.entry.input).collect()
    }
}

//! The record's rows in memory.

use super::super::{Mail, NewMail, Sealed};
use crate::advance::{CaseRow, LetterBody, NewLetter, OutboxRow, TaskRow};
use crate::kernel::ids::{CaseId, MailId};
use crate::letters::print::Print;
use chrono::{DateTime, Utc};

pub(super) type Moment = DateTime<Utc>;

pub(super) struct MailRow {
    pub(super) mail: NewMail,
    pub(super) status: &'static str,
    pub(super) why: Option<String>,
    pub(super) not_before: Option<Moment>,
    pub(super) hand: Option<u64>,
    pub(super) attempts: i16,
    pub(super) suspect: bool,
    pub(super) accepted: bool,
    pub(super) stays: u32,
    pub(super) checked: Option<Sealed>,
}

pub(super) struct LetterRow {
    pub(super) letter: NewLetter,
    pub(super) status: &'static str,
    pub(super) why: Option<String>,
    pub(super) moved: Option<CaseId>,
    pub(super) not_before: Option<Moment>,
    pub(super) hand: Option<u64>,
    pub(super) attempts: i16,
    pub(super) suspect: bool,
    pub(super) stays: u32,
}

impl MailRow {
    pub(super) fn new(mail: NewMail) -> MailRow {
        MailRow {
            mail,
            status: "unsorted",
            why: None,
            not_before: None,
            hand: None,
            attempts: 0,
            suspect: false,
            accepted: false,
            stays: 0,
            checked: None,
        }
    }

    pub(super) fn as_mail(&self, id: MailId) -> Mail {
        let mail = &self.mail;
        Mail {
            id,
            arrived: mail.arrived,
            size: mail.size,
            junk: mail.junk,
            header_only: mail.header_only,
            accepted: self.accepted,
            stays: self.stays,
            confidential: mail.confidential,
            raw: mail.raw.clone(),
            upload: mail.upload,
            checked: self.checked.clone(),
        }
    }
}

impl LetterRow {
    pub(super) fn new(letter: NewLetter) -> LetterRow {
        LetterRow {
            letter,
            status: "waiting",
            why: None,
            moved: None,
            not_before: None,
            hand: None,
            attempts: 0,
            suspect: false,
            stays: 0,
        }
    }

    pub(super) fn target(&self) -> Option<CaseId> {
        match &self.letter.body {
            LetterBody::ToCase(case, _) => Some(*case),
            LetterBody::Opens(_) => None,
        }
    }
}

pub(super) struct Case {
    pub(super) row: CaseRow,
    pub(super) hand: Option<u64>,
    pub(super) attempts: i16,
    pub(super) suspect: bool,
    /// Why its clock no longer fires.
    pub(super) stuck: Option<String>,
    /// Its clock was put back until then.
    pub(super) not_before: Option<Moment>,
    pub(super) stays: u32,
}

impl Case {
    pub(super) fn new(row: CaseRow) -> Case {
        Case { row, hand: None, attempts: 0, suspect: false, stuck: None, not_before: None, stays: 0 }
    }
}

pub(super) struct Notice {
    pub(super) row: OutboxRow,
    pub(super) created: Moment,
    pub(super) status: &'static str,
    pub(super) why: Option<String>,
    pub(super) closed: bool,
    pub(super) next_try: Option<Moment>,
    pub(super) tries: u32,
    pub(super) bytes: Option<Sealed>,
    pub(super) print: Option<Print>,
    pub(super) sent_at: Option<Moment>,
    pub(super) hand: Option<u64>,
    pub(super) attempts: i16,
    pub(super) suspect: bool,
}

impl Notice {
    pub(super) fn new(row: OutboxRow, created: Moment) -> Notice {
        Notice {
            row,
            created,
            status: "waiting",
            why: None,
            closed: false,
            next_try: None,
            tries: 0,
            bytes: None,
            print: None,
            sent_at: None,
            hand: None,
            attempts: 0,
            suspect: false,
        }
    }
}

/// What waits for a person; gone once it is done.
pub(super) struct Task {
    pub(super) row: TaskRow,
    pub(super) opened_at: Moment,
    /// In the order in which they were opened.
    pub(super) number: u64,
}

//! What staff, Secretariats, members of regions and of the committee do about applications, by replying to the mails
//! they get: in time, late or never, rightly or not.

use super::incoming::Incoming;
use super::model::{Deed, Meaning};
use super::villager::{Planned, Villager};
use chrono::{DateTime, Duration, Utc};

/// What every comment in confidence begins with; after it comes its number. It must be found nowhere.
pub const MARK: &str = "zqv";

/// What somebody is in the village, as far as applications go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Member,
    Staff,
    Deputy,
    Secretariat,
    /// Chairs a region and deputises for its Secretariat.
    RaloChair,
    Representative,
    Applicant,
}

const NINE: &str = "1 MET\n2 MET\n3 MET: its members pay\n4 MET\n5 MET\n6 MET\n7 UNCLEAR\n8 MET\n9 MET\n";
const NEEDED: &str = "SUSPEND\nThe statutes of the group.\n\nWithout them nobody can tell who decides.";

impl Villager {
    /// What she does about a mail of a kind she knows.
    pub(super) fn knows(
        &mut self,
        kind: &'static str,
        at: DateTime<Utc>,
        mail: &Incoming,
        raw: &[u8],
        envelope: &str,
    ) -> Vec<Planned> {
        if let Some(group) = self.group.take() {
            let own = matches!(kind.split_once('/'), Some(("form" | "accreditation", _)));
            if own && !matches!(kind, "accreditation/invitation" | "accreditation/review-reminder") {
                return self.applies(group, at, mail, raw, envelope, kind);
            }
            self.group = Some(group);
        }
        match kind {
            "accreditation/diligence" => self.examines(at, mail),
            "accreditation/diligence-noted" => self.goes_on(at, mail),
            "accreditation/unreachable" | "accreditation/review-task" => self.attends(at, mail),
            "accreditation/invitation" | "accreditation/review-reminder" => self.comments(at, mail),
            "comment/unsure" | "comment/empty" if self.chance.permille(700) => {
                let when = self.within(at, 5, 900);
                vec![self.comment(when, mail)]
            }
            "accreditation/advice" => self.advises(at, mail),
            "accreditation/advice-not-taken" => self.advises_again(at, mail),
            "accreditation/dossier"
            | "accreditation/window"
            | "accreditation/window-reminder"
            | "accreditation/information-wanted"
            | "accreditation/held"
            | "accreditation/held-task" => self.decides_whether(kind, at, mail),
            _ => Vec::new(),
        }
    }

    fn within(&mut self, at: DateTime<Utc>, low: i64, high: i64) -> DateTime<Utc> {
        at + Duration::minutes(self.chance.between(low, high))
    }

    fn write(&mut self, when: DateTime<Utc>, mail: &Incoming, text: &str) -> Planned {
        self.reply(when, mail, text, Meaning::Nothing)
    }

    /// Due diligence: at once, in parts, after a question to the applicant, late, or left to a colleague.
    fn examines(&mut self, at: DateTime<Utc>, mail: &Incoming) -> Vec<Planned> {
        let likely = if self.part == Part::Staff { 450 } else { 150 };
        if !self.chance.permille(likely) {
            return Vec::new();
        }
        let days = if self.chance.permille(100) { 30 } else { 9 };
        let when = self.within(at, 60, days * 1_440);
        let whole = format!("{NINE}A: two references, both good\nFINISHED");
        match self.chance.below(10) {
            0..6 => vec![self.write(when, mail, &whole)],
            6 => vec![self.write(when, mail, "1 MET\n2 MET\n3 MET\n4 NOT MET: no page yet\nFINISHED")],
            7 => vec![self.write(when, mail, &format!("PUBLISH\n{whole}"))],
            _ => {
                let later = self.within(when, 1_440, 12 * 1_440);
                let asks = self.write(when, mail, "5 MET\n\nASK: In how many towns are you?");
                vec![asks, self.write(later, mail, &whole)]
            }
        }
    }

    /// Something is missing, says the clerk.
    fn goes_on(&mut self, at: DateTime<Utc>, mail: &Incoming) -> Vec<Planned> {
        let asked = mail.in_reply_to.as_ref().is_some_and(|id| self.wrote(id));
        // Who only put a question waits for the answer, and has finished on her own by then.
        if !asked || self.chance.permille(450) {
            return Vec::new();
        }
        let when = self.within(at, 30, 3 * 1_440);
        vec![self.write(when, mail, &format!("{NINE}FINISHED"))]
    }

    /// Reaches an applicant by telephone, hands on a request for a review.
    fn attends(&mut self, at: DateTime<Utc>, mail: &Incoming) -> Vec<Planned> {
        let staff = matches!(self.part, Part::Staff | Part::Deputy);
        if !staff || self.chance.permille(300) {
            return Vec::new();
        }
        let when = self.within(at, 60, 6 * 1_440);
        vec![self.write(when, mail, "Reached by telephone; handed on.")]
    }

    /// A comment in confidence: her own, somebody else's, too late, empty, from a strange address.
    fn comments(&mut self, at: DateTime<Utc>, mail: &Incoming) -> Vec<Planned> {
        if !self.chance.permille(self.talks) {
            return Vec::new();
        }
        let when = self.within(at, 30, 16 * 1_440);
        let mut planned = self.comment(when, mail);
        match self.chance.below(20) {
            0 => {
                let Some(peer) = self.chance.pick(&self.peers).cloned() else { return Vec::new() };
                (planned.draft.from, planned.draft.name, planned.by) = (peer.address, peer.name, peer.id);
            }
            1 => planned = Planned { at: self.within(at, 22 * 1_440, 60 * 1_440), ..planned },
            2 => {
                planned.draft.text = String::new();
                planned.deed = None;
            }
            3 => {
                planned.draft.from = format!("{}@elsewhere.example", self.id);
                planned.proven = false;
            }
            4 => planned.draft.text.insert_str(0, "NAMED\n"),
            5 => {
                let again = self.within(when, 60, 1_440);
                return vec![planned, self.comment(again, mail)];
            }
            _ => {}
        }
        vec![planned]
    }

    fn comment(&mut self, when: DateTime<Utc>, mail: &Incoming) -> Planned {
        let number = (u64::from(self.id.0) << 24) | self.chance.below(1 << 24);
        let text = format!("{MARK}{number:015} says that they meet every month.");
        Planned { deed: Some(Deed::Comment(number)), ..self.write(when, mail, &text) }
    }

    /// The region's advice: in time, corrected, late, never; or information is wanted first.
    fn advises(&mut self, at: DateTime<Utc>, mail: &Incoming) -> Vec<Planned> {
        let likely = if self.part == Part::Secretariat { 800 } else { 150 };
        if !self.chance.permille(likely) {
            return Vec::new();
        }
        let days = if self.chance.permille(150) { 20 } else { 6 };
        let when = self.within(at, 60, days * 1_440);
        if self.chance.permille(80) {
            return vec![self.write(when, mail, NEEDED)];
        }
        let words = ["ACCREDIT", "ACCREDIT", "ACCREDIT", "NOT ACCREDIT", "NO ADVICE"];
        let pick = |this: &mut Villager| this.chance.pick(&words).copied().unwrap_or("ACCREDIT");
        let (first, other) = (pick(self), pick(self));
        let mut all = Vec::new();
        if self.chance.permille(150) {
            let before = self.within(at, 5, 50);
            all.push(self.write(before, mail, "COMMENTS"));
        }
        all.push(self.write(when, mail, &format!("{first}\n\nSo the region sees it.")));
        if self.chance.permille(120) {
            let later = self.within(when, 1_440, 5 * 1_440);
            all.push(self.write(later, mail, other));
        }
        all
    }

    fn advises_again(&mut self, at: DateTime<Utc>, mail: &Incoming) -> Vec<Planned> {
        let when = self.within(at, 30, 2_000);
        let text =
            if self.chance.permille(400) { "NO ADVICE" } else { "ACCREDIT\nCOMMENTS ELSEWHERE: in our call" };
        vec![self.write(when, mail, text)]
    }

    /// A member of the committee: wants a vote, early, late or twice, or information; asks for the comments; hands
    /// the mail to somebody who is none.
    fn decides_whether(&mut self, kind: &str, at: DateTime<Utc>, mail: &Incoming) -> Vec<Planned> {
        if self.part != Part::Member {
            return Vec::new();
        }
        let (votes, needs) = match kind {
            "accreditation/dossier" => (5, 6),
            "accreditation/window" => (20, 4),
            "accreditation/window-reminder" => (10, 0),
            "accreditation/information-wanted" => (0, 120),
            "accreditation/held" => (40, 0),
            _ => (400, 0),
        };
        if self.chance.permille(votes) {
            return self.requests(at, mail);
        }
        if self.chance.permille(needs) {
            let when = self.within(at, 60, 4 * 1_440);
            return vec![self.write(when, mail, NEEDED)];
        }
        if self.chance.permille(15) {
            let when = self.within(at, 60, 12 * 1_440);
            return vec![self.write(when, mail, "COMMENTS")];
        }
        Vec::new()
    }

    fn requests(&mut self, at: DateTime<Utc>, mail: &Incoming) -> Vec<Planned> {
        let when = self.within(at, 60, 6 * 1_440);
        let request = |this: &mut Villager, when| Planned {
            deed: Some(Deed::RequestVote),
            ..this.write(when, mail, "REQUEST VOTE")
        };
        let mut planned = request(self, when);
        match self.chance.below(12) {
            0 => planned.at = self.within(at, 8 * 1_440, 20 * 1_440),
            1 => {
                let again = self.within(when, 10, 1_440);
                let again = request(self, again);
                return vec![planned, again];
            }
            2 => {
                let Some(peer) = self.chance.pick(&self.outsiders).cloned() else { return Vec::new() };
                (planned.draft.from, planned.draft.name, planned.by) = (peer.address, peer.name, peer.id);
            }
            3 => {
                planned.draft.from = format!("{}@elsewhere.example", self.id);
                planned.draft.proof = super::outgoing::Proof::None;
                planned.proven = false;
            }
            _ => {}
        }
        vec![planned]
    }
}

//! The numbers the committee decides about accreditation, and that together they fit the 90 days.

use crate::kernel::workflow::within;
use serde::{Deserialize, Serialize};

/// Numbers an administrator may tune: `[accreditation]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Days after which an applicant is reminded of a form under way.
    pub draft_reminder_days: Vec<u32>,
    /// Days after which a form that was not completed is closed.
    pub draft_days: u32,
    /// Days for due diligence, the region's comments, its advice (ambiguity 7).
    pub diligence_days: u32,
    pub review_days: u32,
    pub advice_days: u32,
    /// N: days in which a member may ask for a vote.
    pub window_days: u32,
    /// Days a vote on an application is open.
    pub ballot_days: u32,
    /// Days before the end of the review and of the window at which people are reminded.
    pub review_reminder_days: u32,
    pub window_reminder_days: u32,
    /// Days between reminders of a task that is overdue.
    pub overdue_reminder_days: u32,
    /// Days between reminders while an application is held (ambiguity 61).
    pub held_reminder_days: u32,
    /// Hours after the end of the window within which a request that arrived in time may be confirmed.
    pub confirm_grace_hours: u32,
    /// Days after which people are reminded of a suspension.
    pub suspension_alert_days: u32,
    /// Members of the committee who must want information before it suspends (ambiguity 13).
    pub suspension_alac_min_members: u32,
    /// Days left of the 90 at which staff and the Chair are warned; 0 is the day itself.
    pub warn_days_left: Vec<u32>,
    /// What silence of the committee does to negative advice (ambiguity 1).
    pub on_negative_advice: OnNegativeAdvice,
    /// Whether a Secretariat may give no advice though there were comments (ambiguity 23).
    pub allow_no_advice_with_comments: bool,
    /// Whether a Secretariat may advise on comments received elsewhere (ambiguity 24).
    pub accept_offline_comments: bool,
    /// The wording of the criteria in force.
    pub criteria_version: u32,
    /// Where a review of a decision is provided for, word for word (ambiguity 31).
    pub review_citation: String,
}

/// What happens when advice not to accredit has met with silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnNegativeAdvice {
    /// Nothing, until a member asks for a vote.
    Hold,
    /// The applicant is accredited: the words of the rule, taken alone.
    AccreditLiteral,
    /// The applicant is refused: silence consents to the advice.
    Refuse,
    /// A vote is held.
    ForceVote,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            draft_reminder_days: vec![7, 30],
            draft_days: 90,
            diligence_days: 21,
            review_days: 21,
            advice_days: 7,
            window_days: 7,
            ballot_days: 5,
            review_reminder_days: 3,
            window_reminder_days: 2,
            overdue_reminder_days: 7,
            held_reminder_days: 7,
            confirm_grace_hours: 24,
            suspension_alert_days: 30,
            suspension_alac_min_members: 2,
            warn_days_left: vec![30, 15, 5, 0],
            on_negative_advice: OnNegativeAdvice::Hold,
            allow_no_advice_with_comments: false,
            accept_offline_comments: true,
            criteria_version: 1,
            review_citation: "Article XII, Section (d)(i-ix)".to_owned(),
        }
    }
}

impl Policy {
    /// Whether an application can run with these numbers, and be decided within the 90 days.
    pub(super) fn check(&self) -> Result<(), String> {
        let periods = [
            ("diligence_days", self.diligence_days),
            ("review_days", self.review_days),
            ("advice_days", self.advice_days),
            ("window_days", self.window_days),
            ("ballot_days", self.ballot_days),
        ];
        for (name, value) in periods {
            within(name, value, 1..=90)?;
        }
        let sum: u32 = periods.iter().map(|(_, value)| value).sum();
        if sum > 90 {
            let names = periods.map(|(name, _)| name).join(", ");
            return Err(format!(
                "{names} are {sum} days together; an application must be decided within 90, write less"
            ));
        }
        within("draft_days", self.draft_days, 1..=731)?;
        for n in &self.draft_reminder_days {
            within("draft_reminder_days", *n, 1..=731)?;
        }
        within("review_reminder_days", self.review_reminder_days, 0..=90)?;
        within("window_reminder_days", self.window_reminder_days, 0..=90)?;
        within("overdue_reminder_days", self.overdue_reminder_days, 1..=366)?;
        within("held_reminder_days", self.held_reminder_days, 1..=366)?;
        within("confirm_grace_hours", self.confirm_grace_hours, 0..=8784)?;
        within("suspension_alert_days", self.suspension_alert_days, 1..=731)?;
        within("suspension_alac_min_members", self.suspension_alac_min_members, 1..=15)?;
        for n in &self.warn_days_left {
            within("warn_days_left", *n, 0..=89)?;
        }
        if self.warn_days_left.len() > 20 || self.draft_reminder_days.len() > 20 {
            return Err("warn_days_left or draft_reminder_days names more than 20; write fewer".to_owned());
        }
        if self.review_citation.trim().is_empty() {
            return Err("review_citation is empty; write where a review is provided for".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut Policy), word: &str) {
        let mut policy = Policy::default();
        change(&mut policy);
        let problem = policy.check().unwrap_err();
        assert!(problem.contains(word), "{problem}");
    }

    #[test]
    fn periods_that_together_pass_ninety_days_are_refused() {
        assert_eq!(Policy::default().check(), Ok(()));
        check(|policy| policy.review_days = 51, "91 days together");
        check(|policy| policy.window_days = 0, "window_days is 0");
        check(|policy| policy.suspension_alac_min_members = 0, "write a number from 1 to 15");
        check(|policy| policy.review_citation = " ".to_owned(), "review_citation");
    }
}

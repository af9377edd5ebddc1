//! The numbers the committee decides about decertification, and the wording of its question.

use super::who::Capacity;
use crate::kernel::language::Language;
use crate::kernel::workflow::within;
use crate::workflows::ballot::Texts;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// Numbers an administrator may tune: `[decertification]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Days after which staff, and then the Chair too, are reminded of an anomaly nobody has taken up.
    pub anomaly_days: u32,
    /// Days for an investigation, and days before its end at which its owner is reminded.
    pub investigation_days: u32,
    pub investigation_reminder_days: Vec<u32>,
    /// Days between reminders of an investigation that is overdue.
    pub overdue_reminder_days: u32,
    /// Days in which those entitled may propose on what was found.
    pub proposal_days: u32,
    /// Days of notice to the structure before a vote can open (ambiguity 7).
    pub notice_days: u32,
    /// Days of these in which it is to be heard.
    pub hearing_days: u32,
    /// Days before their end at which it is reminded of its right to be heard.
    pub hearing_reminder_days: Vec<u32>,
    /// Days a vote is open.
    pub ballot_days: u32,
    /// Dated failures without which a proposal must say why it is made all the same (ambiguity 34).
    pub min_failures: u32,
    /// Whether ABSTAIN is a vote cast, of which two thirds are taken (ambiguity 3).
    pub abstain_counts_as_cast: bool,
    /// Who may propose (ambiguity 33).
    pub proposers: Vec<Capacity>,
    /// Days in which a structure confirms that it wants to leave.
    pub leave_days: u32,
    /// Where a review of a decision is provided for, word for word (ambiguity 31).
    pub review_citation: String,
    /// The question put to the vote; {name} is the structure. The rules leave its wording open.
    pub question: Texts,
}

/// The questions and what their answers do: `texts.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wordings {
    question: Texts,
    pub decertified: Texts,
    pub retained: Texts,
    pub title: Texts,
}

pub(super) static WORDINGS: LazyLock<Wordings> =
    LazyLock::new(|| toml::from_str(include_str!("texts.toml")).expect("a test holds the wordings"));

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            anomaly_days: 7,
            investigation_days: 30,
            investigation_reminder_days: vec![7],
            overdue_reminder_days: 7,
            proposal_days: 30,
            notice_days: 30,
            hearing_days: 21,
            hearing_reminder_days: vec![7, 2],
            ballot_days: 5,
            min_failures: 2,
            abstain_counts_as_cast: true,
            proposers: vec![Capacity::Chair, Capacity::Member, Capacity::Ralo],
            leave_days: 30,
            review_citation: "Article XII, Section (d)(i-ix)".to_owned(),
            question: WORDINGS.question.clone(),
        }
    }
}

impl Policy {
    /// Whether a matter can run with these numbers.
    pub(super) fn check(&self) -> Result<(), String> {
        within("anomaly_days", self.anomaly_days, 1..=366)?;
        within("investigation_days", self.investigation_days, 1..=366)?;
        within("overdue_reminder_days", self.overdue_reminder_days, 1..=366)?;
        within("proposal_days", self.proposal_days, 1..=366)?;
        within("notice_days", self.notice_days, 1..=366)?;
        within("hearing_days", self.hearing_days, 1..=366)?;
        if self.hearing_days > self.notice_days {
            return Err(format!(
                "hearing_days is {} and notice_days is {}; a structure is heard within its notice, write less",
                self.hearing_days, self.notice_days
            ));
        }
        within("ballot_days", self.ballot_days, 1..=90)?;
        // One failure persists in nothing: the rules speak of persistence.
        within("min_failures", self.min_failures, 2..=50)?;
        within("leave_days", self.leave_days, 1..=366)?;
        for (name, days) in [
            ("investigation_reminder_days", &self.investigation_reminder_days),
            ("hearing_reminder_days", &self.hearing_reminder_days),
        ] {
            if days.len() > 20 {
                return Err(format!("{name} names more than 20; write fewer"));
            }
            days.iter().try_for_each(|n| within(name, *n, 0..=366))?;
        }
        if self.proposers.is_empty() {
            return Err("proposers names nobody; write chair, member or ralo".to_owned());
        }
        if self.review_citation.trim().is_empty() {
            return Err("review_citation is empty; write where a review is provided for".to_owned());
        }
        let named = |language: &Language| self.question.get(language).is_some_and(|q| q.contains("{name}"));
        match Language::ALL.iter().find(|language| !named(language)) {
            Some(language) => {
                Err(format!("question.{language} is missing or lacks {{name}}; write all seven languages"))
            }
            None => Ok(()),
        }
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
    fn numbers_with_which_nobody_would_be_heard_are_refused() {
        assert_eq!(Policy::default().check(), Ok(()));
        check(|policy| policy.hearing_days = 31, "heard within its notice");
        check(|policy| policy.notice_days = 0, "notice_days is 0");
        check(|policy| policy.min_failures = 1, "from 2 to 50");
        check(|policy| policy.proposers.clear(), "chair, member or ralo");
        check(|policy| policy.review_citation.clear(), "review_citation");
        check(|policy| policy.hearing_reminder_days = vec![1; 21], "more than 20");
    }

    #[test]
    fn a_question_names_the_structure_in_every_language() {
        check(|policy| drop(policy.question.remove(&Language::Ar)), "question.ar");
        check(|policy| drop(policy.question.insert(Language::Fr, "Oui ?".to_owned())), "question.fr");
    }

    #[test]
    fn every_wording_is_there_in_every_language() {
        let w = &*WORDINGS;
        for texts in [&w.question, &w.decertified, &w.retained, &w.title] {
            for language in Language::ALL {
                assert!(texts[&language].contains("{name}"), "{language}");
            }
        }
    }
}

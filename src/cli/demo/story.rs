//! The first chapter, one vote: asked in seven languages, answered as people answer, counted by the rule.

use super::teller::{PATIENCE, Pace, Teller, next};
use super::village::Village;
use crate::advance::{Ending, LetterBody, NewLetter};
use crate::cli::Trouble;
use crate::kernel::ids::CaseId;
use crate::kernel::people::{Person, Role};
use crate::kernel::tally;
use crate::kernel::workflow::Opening;
use crate::ports::store::Store;
use crate::sandbox::mail_program::{MailProgram, Received, Reply};
use chrono::Duration;
use std::time::Duration as StdDuration;

/// The question of the demo, in the form `atlarged case open ballot` reads.
const BALLOT: &str = include_str!("../../../config/village/ballot.toml");
/// What a member of the village does about her ballot.
enum Part {
    /// Answers; what she gets is a receipt or a refusal, then, where given, a second try.
    Answers {
        text: &'static str,
        then: Option<&'static str>,
    },
    /// Her answering machine answers.
    Away,
    /// Answers from an address nobody knows; confirms when asked.
    Elsewhere {
        text: &'static str,
    },
    Silent,
}

fn parts() -> Vec<Part> {
    let answers = |text| Part::Answers { text, then: None };
    vec![
        answers("oui"),
        answers("Yes.\n\nSamuel\n--\nSent from my phone"),
        answers("نعم"),
        answers("同意"),
        Part::Answers { text: "yes and no, honestly", then: Some("Yes") },
        Part::Away,
        answers("Да"),
        Part::Answers { text: "Quel est le quorum ?", then: Some("NON") },
        answers("Sí"),
        Part::Elsewhere { text: "Sim" },
        answers("ABSTENCIÓN"),
        answers("SIM"),
        Part::Answers { text: "No", then: Some("Yes") },
        Part::Silent,
        answers("I vote yes"),
    ]
}

pub async fn play(village: &Village, teller: &Teller) -> Result<(), Trouble> {
    let now = village.now();
    let members: Vec<&Person> =
        village.register.people().filter(|person| person.has(Role::AlacMember, now)).collect();
    teller.scene("Staff put a question to the vote of the fifteen members of the ALAC.").await;
    let case = open(village).await?;
    let mut programs = Vec::new();
    for member in &members {
        let account = village.account(member).ok_or_else(|| Trouble::new("a member has no mailbox"))?;
        programs.push(MailProgram::open(&village.sandbox, account)?);
    }
    teller.scene("Each member finds the ballot in her mailbox, in her language.").await;
    let mut ballots = Vec::new();
    for program in &mut programs {
        let ballot = program.wait_for(0, "a ballot", PATIENCE, |_| true).await?;
        Teller::tell(&format!("{:<3} {}", program.account.language, ballot.letter.subject));
        ballots.push(ballot);
    }
    teller.scene("They answer by replying, each in her own way.").await;
    let parts = parts();
    let acts = programs.iter_mut().zip(&ballots).zip(&parts);
    match teller.pace {
        Pace::Shown => {
            for ((program, ballot), part) in acts {
                act(program, ballot, part).await?;
                teller.breathe(1).await;
            }
        }
        Pace::Fast => {
            let together = acts.map(|((program, ballot), part)| act(program, ballot, part));
            futures::future::try_join_all(together).await?;
        }
    }
    remind(village, teller, case, &mut programs).await?;
    close(village, teller, case, &mut programs).await
}

/// Opens the ballot as `case open` does: by a letter the daemon finds.
async fn open(village: &Village) -> Result<CaseId, Trouble> {
    let now = village.now();
    let staff = village.register.holders(Role::Staff, None, now);
    let body: toml::Value = toml::from_str(BALLOT).map_err(Trouble::new)?;
    let opening = Opening {
        kind: "ballot".to_owned(),
        parent: None,
        by: staff.first().copied(),
        body: serde_json::to_value(body).map_err(Trouble::new)?,
        arrived: now,
        nonce: String::new(),
    };
    let letter = NewLetter {
        key: "demo:ballot".to_owned(),
        body: LetterBody::Opens(opening),
        arrived: now,
        mail: None,
        message_id: None,
    };
    let (id, _) = village.store.post(&letter, now).await?;
    let opened = async {
        loop {
            if let Some(ended) = village.store.ending(id).await? {
                return Ok::<_, Trouble>(ended);
            }
            village.store.wait(StdDuration::from_millis(100)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, opened).await {
        Ok(Ok((Ending::Acted, Some(case)))) => Ok(case),
        Ok(Ok((ending, _))) => Err(Trouble::new(format!("the ballot was not opened: {ending:?}"))),
        Ok(Err(trouble)) => Err(trouble),
        Err(_) => Err(Trouble::new("the daemon did not open the ballot in time; see its log above")),
    }
}

async fn act(program: &mut MailProgram, ballot: &Received, part: &Part) -> Result<(), Trouble> {
    let name = program.account.name.clone();
    let tell = |said: &str, got: &str| Teller::said(&name, said, got);
    let seen = program.count();
    match part {
        Part::Silent => Teller::tell(&format!("{name} says nothing")),
        Part::Away => {
            let headers = [("Auto-Submitted", "auto-replied")];
            let away = Reply {
                text: "I am away until Monday. YES, I read mail then.",
                headers: &headers,
                ..Reply::default()
            };
            program.reply(ballot, &away).await?;
            Teller::tell(&format!("{name}'s machine says she is away: nothing is answered to a machine"));
        }
        Part::Answers { text, then } => {
            program.reply(ballot, &Reply { text, ..Reply::default() }).await?;
            let got = next(program, seen, "the clerk's answer").await?;
            tell(text, &got.letter.subject);
            if let Some(text) = then {
                let seen = program.count();
                program.reply(&got, &Reply { text, ..Reply::default() }).await?;
                let got = next(program, seen, "a receipt").await?;
                tell(text, &got.letter.subject);
            }
        }
        Part::Elsewhere { text } => {
            let elsewhere =
                Reply { text, from: Some("somebody@elsewhere.example"), anonymous: true, ..Reply::default() };
            program.reply(ballot, &elsewhere).await?;
            let asked = next(program, seen, "a question whether that was her").await?;
            tell(text, &asked.letter.subject);
            let seen = program.count();
            program.reply(&asked, &Reply { text: "CONFIRM", ..Reply::default() }).await?;
            let got = next(program, seen, "a receipt").await?;
            tell("CONFIRM", &got.letter.subject);
        }
    }
    Ok(())
}

/// Two days before the close: only those who owe an answer are reminded.
async fn remind(
    village: &Village,
    teller: &Teller,
    case: CaseId,
    programs: &mut [MailProgram],
) -> Result<(), Trouble> {
    teller
        .scene("Two days before the close, those who have not answered are reminded, and nobody else.")
        .await;
    let row = village.store.case(case).await?.ok_or_else(|| Trouble::new("the ballot is gone"))?;
    let wake = row.wake_at.ok_or_else(|| Trouble::new("the ballot has no clock"))?;
    village.jump_to(wake + Duration::minutes(5));
    for number in [5, 13] {
        let program = &mut programs[number];
        let seen = program.count();
        let reminder = next(program, seen, "a reminder").await?;
        Teller::tell(&format!("{}: {}", program.account.name, reminder.letter.subject));
    }
    let program = &mut programs[5];
    let seen = program.count();
    let reminder = program.look().await?.last().cloned().ok_or_else(|| Trouble::new("no reminder"))?;
    program.reply(&reminder, &Reply { text: "NO", ..Reply::default() }).await?;
    let got = next(program, seen, "a receipt").await?;
    Teller::tell(&format!("{}: “NO”  →  {}", program.account.name, got.letter.subject));
    Ok(())
}

/// The close, the result, and a stranger's recount.
async fn close(
    village: &Village,
    teller: &Teller,
    case: CaseId,
    programs: &mut [MailProgram],
) -> Result<(), Trouble> {
    teller.scene("The vote closes by its rule; everybody gets the result.").await;
    while let Some(wake) = village.store.case(case).await?.and_then(|row| row.wake_at) {
        village.jump_to(wake + Duration::minutes(5));
        village.store.wait(StdDuration::from_millis(200)).await;
    }
    for program in programs.iter_mut() {
        let result = program.wait_for(0, "the result", PATIENCE, is_result).await?;
        Teller::tell(&format!("{:<3} {}", program.account.language, result.letter.subject));
    }
    teller.scene("One answer comes too late, and is told so.").await;
    let program = &mut programs[13];
    let seen = program.count();
    let ballot = program.look().await?.first().cloned().ok_or_else(|| Trouble::new("no ballot"))?;
    program.reply(&ballot, &Reply { text: "YES", ..Reply::default() }).await?;
    let got = next(program, seen, "a refusal").await?;
    Teller::tell(&format!("{}: “YES”  →  {}", program.account.name, got.letter.subject));
    recount(village, teller, case).await
}

/// A result shows the counts; of all the mails of a ballot it alone is public and final.
fn is_result(mail: &Received) -> bool {
    mail.letter.text.contains("ballots/")
}

async fn recount(village: &Village, teller: &Teller, case: CaseId) -> Result<(), Trouble> {
    teller.scene("A stranger downloads the tally and recounts it.").await;
    let path = village.sandbox.dir().join("public/ballots").join(format!("{case}.json"));
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Trouble::new(format!("{}: {error}", path.display())))?;
    let (_, findings) = tally::recount(&text, None).map_err(Trouble::new)?;
    for finding in &findings {
        Teller::tell(&format!("{}  {}", if finding.holds { "holds" } else { "WRONG" }, finding.checked));
    }
    if !findings.iter().all(|finding| finding.holds) {
        return Err(Trouble::new("the tally does not hold"));
    }
    Teller::tell(&format!("the file: {}", path.display()));
    Ok(())
}

//! The second chapter, one application: from a volunteer's first mail to the notice of the decision, with nobody but
//! people writing mails. The periods are those of the policy; the village's clock is moved over them, as in the vote.

use super::teller::{PATIENCE, Teller, next};
use super::village::{NEWCOMERS, Village};
use crate::advance::CaseRow;
use crate::cli::Trouble;
use crate::kernel::people::{Organisation, Person, Region, Role};
use crate::letters::{self, Trust};
use crate::ports::store::Store;
use crate::sandbox::CLERK;
use crate::sandbox::mail_program::{MailProgram, Received, Reply};
use chrono::Duration;
use std::path::Path;
use std::time::Duration as StdDuration;

/// What the volunteer writes first, of her own accord.
const FIRST: &str = "Boa tarde,\n\nsomos uma rede de utilizadores da Internet em Luanda e queremos entrar.\n\n\
     Candidatura\n\nObrigada\nEsperança";
const GROUP: &str = "Rede Kianda de Utilizadores da Internet";
/// The form, in two replies typed on a telephone.
const HALF: &str = "1. Rede Kianda de Utilizadores da Internet\n2. c\n3. Angola\n4. 5 de março de 2019\n\
     5. www.kianda.example\n6. info@kianda.example\n7. Esperança Domingos, esperanca@kianda.example, secretária\n\
     8. Joaquim Sebastião, presidente\n9. Sim\n10. Acesso seguro e barato nos bairros de Luanda\n\
     11. Uma assembleia por ano e uma direção de cinco pessoas\n12. cerca de 180\n\nEnviado do meu telemóvel";
const REST: &str = "13. Moradores, estudantes e pequenos comerciantes\n14. Sim\n\
     15. Por uma lista de mensagens e um encontro por mês\n16. Quotas dos membros\n17. Sim\n\
     18. Nomes de domínio em línguas do país\n20. a\n22. d\n\
     23. Esperança Domingos, esperanca@kianda.example; Joaquim Sebastião, joaquim@kianda.example\n25. Sim\n\n\
     Enviado do meu telemóvel";
/// Two members of the region comment, each in her own language. What they say is told to nobody here.
const COMMENTS: [(&str, &str); 2] = [
    ("cheikh@teranga.example", "Leur atelier mensuel est ouvert à tous ; je les ai vus à l’œuvre."),
    ("youssef@nilenet.example", "نعرف عملهم منذ سنوات وهو جاد."),
];
/// Words of the comments by which they would be found wherever they lay.
const MARKS: [&str; 2] = ["atelier mensuel", "عملهم منذ"];

/// A mail program at its owner's work on the application.
struct Desk<'a> {
    village: &'a Village,
    program: MailProgram,
}

impl<'a> Desk<'a> {
    fn open(village: &'a Village, address: &str) -> Result<Desk<'a>, Trouble> {
        Ok(Desk { village, program: village.program(address)? })
    }

    /// The newest mail of a kind in this mailbox, once there is one.
    async fn mail(&mut self, template: &str) -> Result<Received, Trouble> {
        let found = async {
            loop {
                let notices = self.village.store.notices(None).await?;
                let of_kind = notices.iter().filter(|notice| notice.row.template == template);
                let addresses: Vec<String> = of_kind
                    .filter_map(|notice| self.village.renderer.reply_address_of(notice.row.id))
                    .collect();
                let is_one = |mail: &&Received| {
                    let reply_to = mail.letter.reply_to.as_ref();
                    reply_to
                        .is_some_and(|to| addresses.iter().any(|one| one.eq_ignore_ascii_case(&to.address)))
                };
                if let Some(mail) = self.program.look().await?.iter().rev().find(is_one) {
                    return Ok::<_, Trouble>(mail.clone());
                }
                self.village.store.wait(StdDuration::from_millis(200)).await;
            }
        };
        let late = |_| Trouble::new(format!("no {template} came in time; see the daemon's log above"));
        tokio::time::timeout(PATIENCE, found).await.map_err(late)?
    }

    /// Answers a mail as people do, and tells what came of it: the first mail of that kind.
    async fn answer(&mut self, mail: &Received, text: &str, template: &str) -> Result<Received, Trouble> {
        self.program.reply(mail, &Reply { text, ..Reply::default() }).await?;
        let got = self.mail(template).await?;
        Teller::said(&self.program.account.name, text, &got.letter.subject);
        Ok(got)
    }
}

/// The application of this story.
async fn application(village: &Village) -> Result<CaseRow, Trouble> {
    let cases = village.store.cases().await?;
    let found = cases.into_iter().find(|case| case.kind == "accreditation");
    found.ok_or_else(|| Trouble::new("there is no application"))
}

/// Waits until the application is in a phase; with `jumps` the clock is moved to whatever is to happen next.
async fn reached(village: &Village, phase: &str, jumps: bool) -> Result<CaseRow, Trouble> {
    let reached = async {
        loop {
            let case = application(village).await?;
            if case.phase == phase {
                return Ok::<_, Trouble>(case);
            }
            if let Some(wake) = case.wake_at.filter(|wake| jumps && *wake > village.now()) {
                village.jump_to(wake + Duration::minutes(5));
            }
            village.store.wait(StdDuration::from_millis(200)).await;
        }
    };
    let late = |_| Trouble::new(format!("the application did not come to {phase} in time"));
    tokio::time::timeout(PATIENCE, reached).await.map_err(late)?
}

pub async fn play(village: &Village, teller: &Teller) -> Result<(), Trouble> {
    apply(village, teller).await?;
    examine(village, teller).await?;
    comment(village, teller).await?;
    advise(village, teller).await?;
    decide(village, teller).await?;
    forgotten(village, teller).await
}

/// Step 1: she asks for the form, and fills it in in two goes.
async fn apply(village: &Village, teller: &Teller) -> Result<(), Trouble> {
    teller.scene("A volunteer in Luanda writes, in Portuguese: her group wants to join.").await;
    let mut she = Desk::open(village, NEWCOMERS[0].1)?;
    let first = format!(
        "From: =?utf-8?B?{}?= <{}>\r\nTo: {CLERK}\r\nSubject: Queremos entrar\r\n\
         Message-ID: <queremos@kianda.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}\r\n",
        data_encoding::BASE64.encode(NEWCOMERS[0].0.as_bytes()),
        NEWCOMERS[0].1,
        FIRST.replace('\n', "\r\n"),
    );
    she.program.send(first.as_bytes(), CLERK, &Reply::default()).await?;
    let form = she.mail("form/whole").await?;
    Teller::said(NEWCOMERS[0].0, FIRST, &form.letter.subject);
    teller.scene("She fills it in on her telephone: half of it, and what is asked for again.").await;
    let rest = she.answer(&form, HALF, "form/missing").await?;
    teller.breathe(2).await;
    she.answer(&rest, REST, "accreditation/received").await?;
    Teller::tell("from this mail on, ninety days run until she must know the decision");
    Ok(())
}

/// Step 2: staff reply to the mail that asks them, a line for each criterion; one puts a question.
async fn examine(village: &Village, teller: &Teller) -> Result<(), Trouble> {
    teller.scene("Two of staff check it by replying to the task's mail, each in his language.").await;
    let staff = village.register.holders(Role::Staff, None, village.now());
    let mut desks = Vec::new();
    for person in staff.iter().filter_map(|id| village.register.person(*id)) {
        desks.push(Desk::open(village, person.addresses.first().map_or("", String::as_str))?);
    }
    let [hanna, omar] = desks.as_mut_slice() else {
        return Err(Trouble::new("the village has no two of staff"));
    };
    let task = omar.mail("accreditation/diligence").await?;
    let half = "1 rempli\n2 rempli\n3 rempli : cotisations\n4 rempli\n5 rempli\n\n\
                Demander : Dans combien de quartiers êtes-vous présents ?";
    omar.answer(&task, half, "accreditation/diligence-noted").await?;
    let mut she = Desk::open(village, NEWCOMERS[0].1)?;
    let question = she.mail("accreditation/question").await?;
    she.answer(&question, "Em sete bairros.", "accreditation/progress").await?;
    let task = hanna.mail("accreditation/diligence").await?;
    let whole = "6 met\n7 met\n8 met\n9 met\nA: two references, both good\nRelease\nFinished";
    hanna.program.reply(&task, &Reply { text: whole, ..Reply::default() }).await?;
    reached(village, "regional-review", false).await?;
    Teller::said(&hanna.program.account.name, whole, "the region is asked");
    Ok(())
}

/// The members of the region: the representatives of its structures.
fn members(village: &Village) -> Vec<&Person> {
    let african = |one: &&Organisation| one.region == Region::Africa;
    let ids = village.register.organisations().filter(african).flat_map(|one| one.representatives.iter());
    ids.filter_map(|id| village.register.person(*id)).collect()
}

/// Step 3: the region comments in confidence.
async fn comment(village: &Village, teller: &Teller) -> Result<(), Trouble> {
    teller.scene("The members of its region may comment in confidence; each is asked in her language.").await;
    for member in members(village) {
        let address = member.addresses.first().map_or("", String::as_str);
        let asked = Desk::open(village, address)?.mail("accreditation/invitation").await?;
        Teller::tell(&format!("{:<3} {}", member.language, asked.letter.subject));
    }
    for (address, text) in COMMENTS {
        let mut desk = Desk::open(village, address)?;
        let invitation = desk.mail("accreditation/invitation").await?;
        let seen = desk.program.count();
        desk.program.reply(&invitation, &Reply { text, ..Reply::default() }).await?;
        let receipt = next(&mut desk.program, seen, "a receipt").await?;
        Teller::tell(&format!("somebody comments  →  {}", receipt.letter.subject));
    }
    let case = application(village).await?;
    let count = case.state.pointer("/running/file/comments").and_then(serde_json::Value::as_u64);
    Teller::tell(&format!(
        "{} comments are kept, sealed under a key of their own; who wrote them is forgotten already",
        count.unwrap_or(0)
    ));
    Ok(())
}

/// Step 4: when their time is over, the Secretariat gives the region's advice.
async fn advise(village: &Village, teller: &Teller) -> Result<(), Trouble> {
    teller.scene("Three weeks later the time for comments is over, and the Secretariat advises.").await;
    reached(village, "advice-due", true).await?;
    let secretariat = village.register.holders(Role::RaloSecretariat, Some(Region::Africa), village.now());
    let person = secretariat.first().and_then(|id| village.register.person(*id));
    let address = person.and_then(|person| person.addresses.first()).map_or("", String::as_str);
    let mut desk = Desk::open(village, address)?;
    let task = desk.mail("accreditation/advice").await?;
    let advice = "Accredit\n\nThe members who wrote know this group and its work.";
    desk.answer(&task, advice, "accreditation/advice-taken").await?;
    Ok(())
}

/// Steps 5 and 6: nobody asks for a vote, and that is consent.
async fn decide(village: &Village, teller: &Teller) -> Result<(), Trouble> {
    teller.scene("Each member of the ALAC may now ask for a vote. One would be enough.").await;
    reached(village, "window", false).await?;
    let now = village.now();
    for member in village.register.people().filter(|person| person.has(Role::AlacMember, now)) {
        let address = member.addresses.first().map_or("", String::as_str);
        let told = Desk::open(village, address)?.mail("accreditation/window").await?;
        Teller::tell(&format!("{:<3} {}", member.language, told.letter.subject));
    }
    teller.scene("Seven days pass. Nobody asks: by unanimous consent, the group is accredited.").await;
    let case = reached(village, "notified", true).await?;
    if case.state.pointer("/decided/accredited").and_then(serde_json::Value::as_bool) != Some(true) {
        return Err(Trouble::new("the application was not accredited"));
    }
    let mut she = Desk::open(village, NEWCOMERS[0].1)?;
    for template in ["accreditation/accredited", "accreditation/welcome"] {
        let mail = she.mail(template).await?;
        Teller::tell(&format!("{} gets: {}", NEWCOMERS[0].0, mail.letter.subject));
    }
    let register = village.store.register().await?;
    let joined = register.organisations().find(|organisation| organisation.name == GROUP);
    let joined = joined.ok_or_else(|| Trouble::new("the group is not in the register"))?;
    Teller::tell(&format!(
        "in the register: {}, {}, with {} representatives",
        joined.name,
        joined.region.ralo(),
        joined.representatives.len()
    ));
    published(village, teller, &case).await
}

/// What everybody may read of it, once a person has looked at it.
async fn published(village: &Village, teller: &Teller, case: &CaseRow) -> Result<(), Trouble> {
    teller.scene("Staff look at what everybody will see of it, and release it by reply.").await;
    let staff = village.register.holders(Role::Staff, None, village.now());
    let hanna = staff.first().and_then(|id| village.register.person(*id));
    let mut hanna =
        Desk::open(village, hanna.and_then(|one| one.addresses.first()).map_or("", String::as_str))?;
    let task = hanna.mail("accreditation/release").await?;
    hanna.answer(&task, "publish", "accreditation/released").await?;
    let path = village.sandbox.dir().join("public/applications").join(format!("{}.json", case.id));
    let found = async {
        loop {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let record: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            if record["status"] == "accredited" {
                return;
            }
            village.store.wait(StdDuration::from_millis(200)).await;
        }
    };
    let late = |_| Trouble::new(format!("{} does not say accredited", path.display()));
    tokio::time::timeout(PATIENCE, found).await.map_err(late)?;
    Teller::tell(&format!("published, as far as the form says that everybody sees it: {}", path.display()));
    Ok(())
}

/// What was told in confidence is gone.
async fn forgotten(village: &Village, teller: &Teller) -> Result<(), Trouble> {
    teller
        .scene("What was told in confidence is destroyed; we look for it in every mailbox of the village.")
        .await;
    let mail = village.sandbox.dir().join("mail");
    let trouble = |error: std::io::Error| Trouble::new(format!("{}: {error}", mail.display()));
    // The same look finds what is there: the form she sent lies in the clerk's mailbox.
    let (mut read, mut form) = (0, 0);
    let mut left = 0;
    look_through(&mail, &mut |text| {
        read += 1;
        form += usize::from(text.contains(GROUP));
        left += usize::from(MARKS.iter().any(|mark| text.contains(mark)));
    })
    .map_err(trouble)?;
    Teller::tell(&format!(
        "{read} mails read through, {form} with the name of the group, {left} with a comment"
    ));
    if left > 0 || form == 0 {
        return Err(Trouble::new("what was told in confidence lies in a mailbox, or the look was in vain"));
    }
    Ok(())
}

/// All that stands in each mail below a directory.
fn look_through(place: &Path, tell: &mut impl FnMut(&str)) -> std::io::Result<()> {
    for entry in std::fs::read_dir(place)? {
        let path = entry?.path();
        let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
        if path.is_dir() {
            look_through(&path, tell)?;
        } else if folder == "cur" || folder == "new" {
            let raw = std::fs::read(&path)?;
            let letter = letters::read(&raw, &Trust::default());
            let all = [String::from_utf8_lossy(&raw).as_ref(), &letter.text, &letter.quoted].join("\n");
            tell(&all);
        }
    }
    Ok(())
}

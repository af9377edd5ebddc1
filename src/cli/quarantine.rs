//! Mail and letters that wait for a person.

use super::{ConfigArg, Ended, Outcome, Trouble, assemble, say};
use crate::advance::{LetterBody, NewLetter};
use crate::daemon::Clock;
use crate::kernel::ids::{NoticeId, Party};
use crate::kernel::language::Language;
use crate::kernel::workflow::Opening;
use crate::letters::{self, Trust};
use crate::ports::store::{Quarantined, Release, Store};
use crate::workflows::enquiry::Asked;
use clap::Subcommand;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub enum QuarantineCommand {
    /// Everything that waits, notices that cannot be written or sent among it.
    List {
        #[command(flatten)]
        config: ConfigArg,
        #[arg(long)]
        json: bool,
    },
    /// What one of them says, as `inspect` would tell.
    Show(Item),
    /// Give it another try, after the cause is mended.
    Retry {
        #[command(flatten)]
        item: Item,
        /// You looked: a mail's times, and the matters its carriers name, are taken as they are.
        #[arg(long)]
        accept: bool,
    },
    /// Make an enquiry of a mail: its author is told that it arrived, and staff answer by mail.
    Answer(Item),
    /// End it without an answer; the reason is kept.
    Discard {
        #[command(flatten)]
        item: Item,
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, clap::Args)]
pub struct Item {
    /// A mail (m812), a letter (l901), the clock of a case (c42), or for `retry` a notice that is stuck or
    /// failed (c42.7.0).
    item: String,
    #[command(flatten)]
    config: ConfigArg,
}

pub async fn quarantine(command: QuarantineCommand, clock: &Clock) -> Outcome {
    match command {
        QuarantineCommand::List { config, json } => list(&config, json).await,
        QuarantineCommand::Show(item) => show(&item).await,
        QuarantineCommand::Answer(item) => answer(&item, clock).await,
        QuarantineCommand::Retry { item, accept } => {
            release(&item, if accept { Release::Accept } else { Release::Retry }, clock).await
        }
        QuarantineCommand::Discard { item, reason } => release(&item, Release::Discard(&reason), clock).await,
    }
}

async fn list(config: &ConfigArg, as_json: bool) -> Outcome {
    let (_, store) = assemble::store(config).await?;
    let waiting = store.quarantined().await?;
    if as_json {
        say!("{}", json!(waiting));
        return Ok(Ended::Done);
    }
    for item in &waiting {
        say!("{}\t{}\t{}", item.name(), item.arrived, item.why);
    }
    let notices = store.notices(None).await?;
    let stuck: Vec<_> = notices.iter().filter(|notice| notice.status == "stuck").collect();
    for notice in &stuck {
        say!("{}\t{}\tcannot be written: {}", notice.row.id, notice.created, notice.row.template);
    }
    say!("{} waiting", waiting.len() + stuck.len());
    Ok(Ended::Done)
}

async fn find(item: &Item, store: &impl Store) -> Result<Quarantined, Trouble> {
    let waiting = store.quarantined().await?;
    waiting.into_iter().find(|waits| waits.name() == item.item).ok_or_else(|| {
        Trouble::new(format!("{} is not in quarantine; see: atlarged quarantine list", item.item))
    })
}

async fn show(item: &Item) -> Outcome {
    let installation = assemble::installation(&item.config).await?;
    let store = &installation.daemon.store;
    let found = find(item, store).await?;
    say!("{}\t{}\t{}", found.name(), found.arrived, found.why);
    if let Some(id) = found.mail
        && let Some(mail) = store.quarantined_mail(id).await?
    {
        if mail.confidential.is_some() {
            say!("it was written in confidence; nobody is shown more of it");
            return Ok(Ended::Done);
        }
        let opened = installation.daemon.open_mail(&mail)?.ok_or_else(unreadable)?;
        let settings = &installation.daemon.settings;
        let trust = Trust {
            authserv_id: settings.authserv_id.as_deref(),
            border_host: settings.border_host.as_deref(),
            forwarders: &settings.forwarders,
        };
        let mut letter = letters::read_skeleton(&opened.skeleton, &trust);
        if let Some(checked) = installation.daemon.checked_before(&mail)? {
            letter.weigh(Some(checked), &trust);
        }
        say!("{:#}", letters::inspect_json(&item.item, &letter));
    }
    Ok(Ended::Done)
}

fn unreadable() -> Trouble {
    Trouble::new("its key is gone, as it should be once its time is over, or its bytes were altered")
}

async fn answer(item: &Item, clock: &Clock) -> Outcome {
    let installation = assemble::installation(&item.config).await?;
    let store = &installation.daemon.store;
    let found = find(item, store).await?;
    let mail = match found.mail {
        Some(id) => store.quarantined_mail(id).await?,
        None => None,
    };
    let mail = mail.ok_or_else(|| Trouble::new(format!("{} is no mail; retry or discard it", item.item)))?;
    if mail.confidential.is_some() {
        let why = "was written in confidence and cannot become an enquiry; retry or discard it";
        return Err(Trouble::new(format!("{} {why}", item.item)));
    }
    let opened = installation.daemon.open_mail(&mail)?.ok_or_else(unreadable)?;
    let letter = letters::read_skeleton(&opened.skeleton, &Trust::default());
    let Some(author) = letter.from else {
        return Err(Trouble::new(format!("{} names no author; discard it with a reason", item.item)));
    };
    let now = installation.offset.shift(clock());
    let register = store.register().await?;
    let from = match register.owner(&author.address) {
        Some(person) => Party::Person(person.id),
        None => {
            let language = letter.language.unwrap_or(Language::En);
            Party::Stranger(store.stranger(&author.address, language, now).await?.0)
        }
    };
    let asked = Asked { from, subject: letter.subject, text: letter.text, acknowledge: true };
    let opening = Opening {
        kind: "enquiry".to_owned(),
        parent: None,
        by: None,
        body: json!(asked),
        arrived: mail.arrived,
        nonce: String::new(),
    };
    let opens = NewLetter {
        key: format!("quarantine:{}", mail.id),
        body: LetterBody::Opens(opening),
        arrived: mail.arrived,
        mail: None,
        message_id: letter.message_id,
    };
    store.post(&opens, now).await?;
    store.unquarantine(&found, Release::Discard("answered as an enquiry"), now).await?;
    say!("{} is an enquiry now; staff answer the task they get by mail", item.item);
    Ok(Ended::Done)
}

async fn release(item: &Item, how: Release<'_>, clock: &Clock) -> Outcome {
    let (_, store) = assemble::store(&item.config).await?;
    let discarded = matches!(how, Release::Discard(_));
    if let (Ok(notice), false) = (item.item.parse::<NoticeId>(), discarded) {
        if store.resend(notice, clock()).await? {
            say!("{notice} will be sent once more");
            return Ok(Ended::Done);
        }
        return Err(Trouble::new(format!(
            "{notice} is neither stuck nor failed; see: atlarged quarantine list"
        )));
    }
    let found = find(item, &store).await?;
    store.unquarantine(&found, how, clock()).await?;
    say!("{} {}", item.item, if discarded { "discarded" } else { "will be tried again" });
    Ok(Ended::Done)
}

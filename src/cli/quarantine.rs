//! Mail and letters that wait for a person.

use super::{ConfigArg, Ended, Outcome, Trouble, assemble};
use crate::daemon::Clock;
use crate::kernel::ids::{LetterId, MailId, NoticeId};
use crate::letters::{self, Trust};
use crate::ports::store::{Quarantined, Store};
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
    Retry(Item),
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
    /// A mail (m812), a letter (l901), or for `retry` a notice that is stuck or failed (c42.7.0).
    item: String,
    #[command(flatten)]
    config: ConfigArg,
}

pub async fn quarantine(command: QuarantineCommand, clock: &Clock) -> Outcome {
    match command {
        QuarantineCommand::List { config, json } => list(&config, json).await,
        QuarantineCommand::Show(item) => show(&item).await,
        QuarantineCommand::Retry(item) => release(&item, None, clock).await,
        QuarantineCommand::Discard { item, reason } => release(&item, Some(&reason), clock).await,
    }
}

async fn list(config: &ConfigArg, as_json: bool) -> Outcome {
    let (_, store) = assemble::store(config).await?;
    let waiting = store.quarantined().await?;
    if as_json {
        println!("{}", json!(waiting));
        return Ok(Ended::Done);
    }
    for item in &waiting {
        println!("{}\t{}\t{}", name(item), item.arrived, item.why);
    }
    let notices = store.notices(None).await?;
    let stuck: Vec<_> = notices.iter().filter(|notice| notice.status == "stuck").collect();
    for notice in &stuck {
        println!("{}\t{}\tcannot be written: {}", notice.row.id, notice.created, notice.row.template);
    }
    println!("{} waiting", waiting.len() + stuck.len());
    Ok(Ended::Done)
}

fn name(item: &Quarantined) -> String {
    match (item.letter, item.mail) {
        (Some(letter), _) => letter.to_string(),
        (None, Some(mail)) => mail.to_string(),
        (None, None) => "clock".to_owned(),
    }
}

async fn find(item: &Item, store: &impl Store) -> Result<Quarantined, Trouble> {
    let waiting = store.quarantined().await?;
    let mail: Option<MailId> = item.item.parse().ok().filter(|_| !item.item.starts_with('l'));
    let letter: Option<LetterId> = item.item.parse().ok().filter(|_| !item.item.starts_with('m'));
    waiting
        .into_iter()
        .find(|waits| {
            (letter.is_some() && waits.letter == letter)
                || (waits.letter.is_none() && mail.is_some() && waits.mail == mail)
        })
        .ok_or_else(|| {
            Trouble::new(format!("{} is not in quarantine; see: atlarged quarantine list", item.item))
        })
}

async fn show(item: &Item) -> Outcome {
    let installation = assemble::installation(&item.config).await?;
    let store = &installation.daemon.store;
    let found = find(item, store).await?;
    println!("{}\t{}\t{}", name(&found), found.arrived, found.why);
    if let Some(id) = found.mail
        && let Some(mail) = store.quarantined_mail(id).await?
    {
        let raw = installation.daemon.keys.open(&mail.raw, b"mail")?;
        let trust =
            Trust { authserv_id: installation.config.trust.authserv_id.as_deref(), border_host: None };
        println!("{:#}", letters::inspect_json(&item.item, &letters::read(&raw, &trust)));
    }
    Ok(Ended::Done)
}

async fn release(item: &Item, discard: Option<&str>, clock: &Clock) -> Outcome {
    let (_, store) = assemble::store(&item.config).await?;
    if let (Ok(notice), None) = (item.item.parse::<NoticeId>(), discard) {
        if store.resend(notice, clock()).await? {
            println!("{notice} will be sent once more");
            return Ok(Ended::Done);
        }
        return Err(Trouble::new(format!(
            "{notice} is neither stuck nor failed; see: atlarged quarantine list"
        )));
    }
    let found = find(item, &store).await?;
    store.unquarantine(&found, discard, clock()).await?;
    println!("{} {}", item.item, if discard.is_some() { "discarded" } else { "will be tried again" });
    Ok(Ended::Done)
}

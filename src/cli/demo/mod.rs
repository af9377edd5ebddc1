//! The demo: the village's story on real servers, a vote and an application, then the village left running for whoever
//! wants to take part.

mod application;
mod story;
mod teller;
mod village;

use super::{Ended, Outcome, Trouble};
use crate::daemon::Clock;
use crate::ports::store::Store;
use std::path::PathBuf;
use teller::{Pace, Teller};
use village::Village;

#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Where the servers keep their files; kept short, since socket paths are.
    #[arg(long, default_value = "/tmp/atlarged-demo")]
    dir: PathBuf,
    /// Play the story through and end; succeeds only if the books balance.
    #[arg(long, conflicts_with = "idle")]
    fast: bool,
    /// Start servers, village and daemon, and let people play.
    #[arg(long)]
    idle: bool,
}

pub async fn demo(args: DemoArgs, clock: &Clock) -> Outcome {
    let say = |text: &str| println!("  {text}");
    println!("atlarged demo\n");
    let village = Village::start(&args.dir, clock, say).await?;
    if !args.idle {
        let teller = Teller { pace: if args.fast { Pace::Fast } else { Pace::Shown } };
        story::play(&village, &teller).await?;
        application::play(&village, &teller).await?;
        books(&village, &teller).await?;
    }
    if args.fast {
        let books = village.store.books().await?;
        village.stop().await?;
        return Ok(if books.balance() && books.waiting == 0 { Ended::Done } else { Ended::Wanting });
    }
    invite(&village);
    tokio::signal::ctrl_c().await.map_err(|error| Trouble::new(format!("waiting for Ctrl-C: {error}")))?;
    println!("\n  stopping …");
    village.stop().await?;
    Ok(Ended::Done)
}

/// Every mail, and how it ended.
async fn books(village: &Village, teller: &Teller) -> Result<(), Trouble> {
    teller.scene("The books.").await;
    let books = village.store.books().await?;
    Teller::tell(&format!(
        "{} mails received = {} acted on + {} refused + {} silent + {} quarantined + {} waiting",
        books.received, books.acted, books.refused, books.silent, books.quarantined, books.waiting
    ));
    Ok(())
}

/// How to take part.
fn invite(village: &Village) {
    let (imap, smtp) = (village.sandbox.imap(), village.sandbox.smtp());
    println!("\nThe village stays. Open anybody's mailbox in a mail program and answer:\n");
    println!(
        "  IMAP  {} port {}, TLS     SMTP  {} port {}, STARTTLS",
        imap.host, imap.port, smtp.host, smtp.port
    );
    println!("  the certificate is the demo's own: {}", imap.ca.display());
    for account in village.sandbox.people().iter().take(7) {
        println!("  {:<36} password {}  ({})", account.login, account.password, account.language);
    }
    println!("  everybody, for programs: {}", village.sandbox.dir().join("sandbox.json").display());
    println!("  in a terminal, for example: mutt -f imaps://{}:{}/", imap.host, imap.port);
    println!("\n  staff commands: atlarged status --config {}", village.config.config.display());
    println!("  stop: Ctrl-C");
}

//! Servers that go away and come back while answers come in: the clerk waits, and goes on where it was.
//! `ATLARGED_OUTAGES` and `ATLARGED_ANSWERS` make it longer.

use atlarged::sandbox::{Durability, Sandbox};

use super::super::ports_rig::{Path, State};
use super::super::servers;
use super::kills::{random, setting};
use super::load::{CONNECTIONS, Load, end};

/// Longest time between two outages, and of one, in milliseconds.
const BETWEEN: u64 = 1500;
const LASTING: u64 = 600;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_goes_away_and_comes_back_and_no_answer_is_lost_or_counted_twice() {
    let (outages, answers) = (setting("ATLARGED_OUTAGES", 3), setting("ATLARGED_ANSWERS", 60));
    let mut random = random();
    let sandbox = Sandbox::start_scratch(Durability::None).await.expect("the servers start");
    let mut load = Load::new(&sandbox, answers, &mut random).await;
    sandbox.postgres_stop().await;
    let mut clerk = load.start();
    load.until("a clerk that waits", || load.logged("waiting for the database")).await;
    sandbox.postgres_start().await.expect("Postgres comes up");
    for outage in 1..=outages {
        load.give_up_to(answers * (2 * outage - 1) / (2 * outages));
        load.work(&mut clerk, &mut random, BETWEEN).await;
        sandbox.postgres_stop().await;
        load.give_up_to(answers * outage / outages);
        load.work(&mut clerk, &mut random, LASTING).await;
        sandbox.postgres_start().await.expect("Postgres comes back");
    }
    let twice = load.finish(clerk, outages * CONNECTIONS).await;
    println!("{answers} answers, {outages} outages of Postgres, {twice} mails delivered twice");
}

/// The way to one of the mail servers is cut again and again.
async fn check_cuts(relay: bool) {
    let (outages, answers) = (setting("ATLARGED_OUTAGES", 3), setting("ATLARGED_ANSWERS", 60));
    let (mut random, sandbox) = (random(), servers::sandbox().await);
    let mut load = Load::new(sandbox, answers, &mut random).await;
    let (imap, smtp) = (Path::to(sandbox.imap().port).await, Path::to(sandbox.smtp().port).await);
    load.reroute(imap.port, smtp.port);
    let cut = if relay { &smtp } else { &imap };
    let mut clerk = load.start();
    for outage in 1..=outages {
        load.give_up_to(answers * outage / outages);
        load.work(&mut clerk, &mut random, BETWEEN).await;
        cut.set(State::Cut);
        load.work(&mut clerk, &mut random, LASTING).await;
        cut.set(State::Open);
    }
    load.work(&mut clerk, &mut random, BETWEEN).await;
    end(clerk).await;
    // What the relay did not take is tried again after a minute or more: for this clerk it has passed.
    load.set_ahead();
    let clerk = load.start();
    let twice = load.finish(clerk, if relay { (outages + 1) * CONNECTIONS } else { CONNECTIONS }).await;
    println!("{answers} answers, {outages} outages of a mail server, {twice} mails delivered twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_relay_goes_away_and_comes_back_and_every_receipt_is_sent() {
    check_cuts(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mailbox_goes_away_and_comes_back_and_every_answer_is_read() {
    check_cuts(false).await;
}

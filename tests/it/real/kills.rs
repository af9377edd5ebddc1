//! The clerk killed again and again at random moments while answers come in: nothing is lost, nothing is done
//! twice. `ATLARGED_KILLS` and `ATLARGED_ANSWERS` make it longer, `ATLARGED_SEED` makes it another.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use std::time::Duration;

use super::super::servers;
use super::load::{CONNECTIONS, Load, end};
use super::village::within;
use atlarged::ports::store::Store;

/// An answer with a document of so many megabytes.
pub fn with_document(vote: &str, megabytes: usize) -> String {
    let headers = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nSubject:";
    let parts = "\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nYES\r\n--b\r\nContent-Type: application/pdf\r\n\
                 Content-Transfer-Encoding: base64\r\n\r\n";
    let document = ("QUJD".repeat(19) + "\r\n").repeat(megabytes * 1_000_000 / 78);
    let (header, text) = vote.split_once("\r\n\r\n").expect("a mail");
    let parts = parts.replace("YES", text.trim_end());
    format!("{}{parts}{document}--b--\r\n", header.replacen("Subject:", headers, 1))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_of_a_large_mail_the_clerk_takes_it_once_all_the_same() {
    let mut random = random();
    let mut load = Load::new(servers::sandbox().await, 1, &mut random).await;
    load.answers[0] = with_document(&load.answers[0], 50);
    let (store, pool) = (load.store().await, sqlx::PgPool::connect(&load.url()).await.expect("a database"));
    let parts = async || {
        let count = sqlx::query_scalar::<_, i64>("select count(*) from mail_parts").fetch_one(&pool).await;
        count.expect("a number")
    };
    let clerk = load.start();
    load.give_up_to(1);
    within("the first parts", async {
        while parts().await < 5 {
            store.wait(Duration::from_millis(5)).await;
        }
    })
    .await;
    end(clerk).await;
    let left = parts().await;
    assert!(left < 90 && store.books().await.expect("the books").received == 0, "{left} parts: too late");
    let clerk = load.start();
    load.finish(clerk, CONNECTIONS).await;
    assert!(parts().await > left + 90, "what was left is thrown away in its time, not taken for a mail");
}

/// A number from the environment.
pub fn setting(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

pub fn random() -> ChaCha8Rng {
    let seed = setting("ATLARGED_SEED", 1);
    println!("ATLARGED_SEED={seed}");
    ChaCha8Rng::seed_from_u64(u64::try_from(seed).expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_moments_the_clerk_loses_no_answer_and_counts_none_twice() {
    let (kills, answers) = (setting("ATLARGED_KILLS", 8), setting("ATLARGED_ANSWERS", 150));
    let mut random = random();
    let mut load = Load::new(servers::sandbox().await, answers, &mut random).await;
    for kill in 1..=kills {
        let mut clerk = load.start();
        load.give_up_to(answers * kill / kills);
        load.work(&mut clerk, &mut random, 1500).await;
        end(clerk).await;
    }
    let clerk = load.start();
    let twice = load.finish(clerk, kills * CONNECTIONS).await;
    println!("{answers} answers, {kills} kills, {twice} mails delivered twice");
}

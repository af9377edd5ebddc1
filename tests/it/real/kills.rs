//! The clerk killed again and again at random moments while answers come in: nothing is lost, nothing is done
//! twice. `ATLARGED_KILLS` and `ATLARGED_ANSWERS` make it longer, `ATLARGED_SEED` makes it another.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::super::servers;
use super::load::{CONNECTIONS, Load, end};

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

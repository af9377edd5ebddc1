//! The voice of the demo: what happens, as it happens, at a pace at which it can be read.

use crate::cli::Trouble;
use crate::sandbox::mail_program::{MailProgram, Received};
use std::time::Duration;

/// Real servers on a busy machine answer well within this.
pub const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    Fast,
    /// Slow enough to be read.
    Shown,
}

pub struct Teller {
    pub pace: Pace,
}

impl Teller {
    /// A new scene begins.
    pub async fn scene(&self, title: &str) {
        println!("\n{title}");
        self.breathe(3).await;
    }

    /// One thing that happened.
    pub fn tell(text: &str) {
        println!("  {text}");
    }

    /// What somebody wrote, on one line and not too long, and what it led to.
    pub fn said(name: &str, said: &str, got: &str) {
        const SHOWN: usize = 100;
        let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let end = line.char_indices().nth(SHOWN).map_or(line.len(), |(at, _)| at);
        let more = if end < line.len() { " …" } else { "" };
        Self::tell(&format!("{name}: “{}{more}”  →  {got}", &line[..end]));
    }

    pub async fn breathe(&self, seconds: u64) {
        if self.pace == Pace::Shown {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
        }
    }
}

/// The next mail after those the program has seen.
pub async fn next(program: &mut MailProgram, seen: usize, what: &str) -> Result<Received, Trouble> {
    Ok(program.wait_for(seen, what, PATIENCE, |_| true).await?)
}

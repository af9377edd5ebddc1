//! Recounting a published tally from the file alone.

use super::{Ended, Outcome, Trouble, say};
use crate::kernel::tally::{self, Tally};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct RecountArgs {
    tally: PathBuf,
    /// The fingerprint of the clerk's key, as published apart from the file.
    #[arg(long, value_name = "FINGERPRINT")]
    key: Option<String>,
    #[arg(long)]
    json: bool,
}

/// Larger files are no tallies of ours.
const LARGEST: u64 = 16 << 20;

pub fn recount(args: &RecountArgs) -> Outcome {
    let name = args.tally.display();
    let wrong = |error: String| Trouble::new(format!("{name}: {error}"));
    let size = std::fs::metadata(&args.tally).map_err(|error| wrong(error.to_string()))?.len();
    if size > LARGEST {
        return Err(wrong("too large for a tally".to_owned()));
    }
    let text = std::fs::read_to_string(&args.tally).map_err(|error| wrong(error.to_string()))?;
    let (tally, findings) = match tally::recount(&text, args.key.as_deref()) {
        Ok(recounted) => recounted,
        Err(error) => {
            say!("WRONG    the file has the form of a tally: {error}");
            return Ok(Ended::Wanting);
        }
    };
    let holds = findings.iter().all(|finding| finding.holds);
    if args.json {
        say!("{}", serde_json::json!({ "holds": holds, "findings": findings }));
    } else {
        for finding in &findings {
            say!("{}  {}", if finding.holds { "holds  " } else { "WRONG  " }, finding.checked);
        }
        say!("{}", in_words(&tally));
        if args.key.is_none() {
            say!("not checked: whose key it is; give the published fingerprint with --key");
        }
    }
    Ok(if holds { Ended::Done } else { Ended::Wanting })
}

fn in_words(tally: &Tally) -> String {
    let counts = tally.body.counts;
    match (&tally.body.annulled, tally.body.verdict) {
        (Some(reason), _) => format!("annulled: {reason}"),
        (None, Some(verdict)) => format!(
            "YES {}, NO {}, ABSTAIN {}: {} of {} recorded an answer, the quorum is {}, YES needs {}: {:?}",
            counts.yes,
            counts.no,
            counts.abstain,
            verdict.recorded,
            verdict.sitting,
            verdict.quorum,
            verdict.needed,
            verdict.outcome
        ),
        (None, None) => "left undecided".to_owned(),
    }
}

//! simulate.
use super::{Ended, Outcome};
#[derive(Debug, clap::Args)]
pub struct SimulateArgs {}
pub fn simulate(_: &SimulateArgs) -> Outcome {
    Ok(Ended::Done)
}

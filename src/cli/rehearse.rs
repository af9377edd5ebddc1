//! demo and simulate.
use super::{Ended, Outcome};
use crate::daemon::Clock;
#[derive(Debug, clap::Args)]
pub struct DemoArgs {}
#[derive(Debug, clap::Args)]
pub struct SimulateArgs {}
pub async fn demo(_: DemoArgs, _: &Clock) -> Outcome {
    Ok(Ended::Done)
}
pub fn simulate(_: &SimulateArgs) -> Outcome {
    Ok(Ended::Done)
}

//! The only place that reads the clock.

use std::process::ExitCode;
use std::sync::Arc;

#[expect(clippy::disallowed_methods, reason = "here the clock is read, and handed on as a value")]
fn main() -> ExitCode {
    atlarged::cli::main(Arc::new(chrono::Utc::now))
}

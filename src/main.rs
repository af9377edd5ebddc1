//! The only place that reads the clock.

use std::process::ExitCode;
use std::sync::Arc;

/// Reading and rendering make and drop many small strings: this allocator does it in half the time of the C library's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(clippy::disallowed_methods, reason = "here the clock is read, and handed on as a value")]
fn main() -> ExitCode {
    atlarged::cli::main(Arc::new(chrono::Utc::now))
}

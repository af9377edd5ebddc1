//! What the mail ports share of the network: connections, TLS, log-safe texts. Secrets and back-off have own
//! files.

mod backoff;
mod login;
mod wire;

pub use backoff::{Backoff, Timer};
pub use login::{Login, Proof, Secret, credential_path, read_credential};
pub use wire::{Security, Server, Wire};

use super::Fault;
use std::{future::Future, time::Duration};

/// Text from a server made fit for a log or an error: one line, at most 300 characters, words that hold an
/// e-mail address replaced, control characters gone.
pub fn plain(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_whitespace() {
        let word = if word.contains('@') { "<address>" } else { word };
        let room = 300usize.saturating_sub(out.chars().count() + 1);
        if room == 0 {
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().filter(|c| !c.is_control()).take(room));
    }
    out
}

/// An I/O error in words that carry nothing of what was being read or written.
pub fn io_words(error: &std::io::Error) -> String {
    use std::io::ErrorKind::{InvalidData, Other};
    match error.kind() {
        // These wrap texts of libraries, which may quote what the server sent.
        Other => "the answer could not be understood".into(),
        InvalidData => plain(&error.to_string()),
        kind => kind.to_string(),
    }
}

/// Runs `work` for at most `limit`; running out of time is a fault like any other.
pub async fn within<T>(limit: Duration, what: &str, work: impl Future<Output = T>) -> Result<T, Fault> {
    tokio::time::timeout(limit, work)
        .await
        .map_err(|_| Fault::new(what, format!("no answer within {} s", limit.as_secs())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_texts_lose_addresses_and_line_ends() {
        assert_eq!(plain("550 5.1.1 <bob@example.org>: no\r\nsuch user"), "550 5.1.1 <address> no such user");
        assert!(plain(&"word ".repeat(500)).chars().count() <= 300);
        assert!(plain(&"x".repeat(5000)).chars().count() <= 300);
    }

    #[test]
    fn io_errors_never_quote_what_was_read() {
        let error = std::io::Error::other("during parsing of Dear clerk, I vote yes");
        assert!(!io_words(&error).contains("vote"));
    }
}

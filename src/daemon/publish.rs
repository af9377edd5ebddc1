//! The public record: tallies signed and written where anybody can fetch them.

use super::Daemon;
use crate::kernel::tally::{self, Body, FORMAT, Tally};
use crate::ports::Fault;
use crate::ports::store::{Answer, Publication, Store};
use data_encoding::HEXLOWER;
use std::path::{Component, Path};

/// The fact under which the store keeps the number of the newest file written.
const WRITTEN: &str = "published";

impl<S: Store> Daemon<S> {
    /// Writes every publication not written yet. Doing it again writes the same bytes.
    ///
    /// # Errors
    /// The store or the directory cannot be reached.
    pub async fn publish(&self) -> Answer<usize> {
        let Some(public) = &self.settings.public else { return Ok(0) };
        let written: i64 = self.store.fact(WRITTEN).await?.and_then(|n| n.parse().ok()).unwrap_or(0);
        let waiting = self.store.publications(written).await?;
        for publication in &waiting {
            let text = self.file(publication)?;
            write(public, &publication.record.path, text.as_bytes())?;
            self.store.set_fact(WRITTEN, &publication.number.to_string()).await?;
        }
        if !waiting.is_empty() {
            let head = self.store.journal_head().await?;
            write(public, "journal-head.txt", format!("{head}\n").as_bytes())?;
        }
        Ok(waiting.len())
    }

    /// The file of a publication: a tally is signed, anything else stands as it is.
    fn file(&self, publication: &Publication) -> Answer<String> {
        let body: Result<Body, _> = serde_json::from_value(publication.record.body.clone());
        let text = match body {
            Ok(body) => serde_json::to_string_pretty(&self.sign(body, &publication.journal_head)),
            Err(_) => serde_json::to_string_pretty(&publication.record.body),
        };
        text.map_err(|error| Fault::new("writing a publication", error))
    }

    fn sign(&self, body: Body, journal_head: &str) -> Tally {
        let public_key = HEXLOWER.encode(self.keys.public_key());
        let signature = self.keys.sign(&tally::signed_bytes(&body, journal_head, &public_key));
        Tally {
            format: FORMAT.to_owned(),
            body,
            journal_head: journal_head.to_owned(),
            public_key,
            signature: HEXLOWER.encode(&signature),
        }
    }
}

/// Writes a file whole or not at all; readers never see half of it.
fn write(public: &Path, path: &str, bytes: &[u8]) -> Answer<()> {
    let relative = Path::new(path);
    let fault = |why: String| Fault::new(format!("publishing {path}"), why);
    if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(fault("the path leaves the public directory".to_owned()));
    }
    let target = public.join(relative);
    let parent = target.parent().unwrap_or(public);
    let partial = target.with_extension("partial");
    std::fs::create_dir_all(parent)
        .and_then(|()| std::fs::write(&partial, bytes))
        .and_then(|()| std::fs::rename(&partial, &target))
        .map_err(|error| fault(error.to_string()))
}

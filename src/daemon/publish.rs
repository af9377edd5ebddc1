//! The public record: tallies signed and written where anybody can fetch them.

use super::Daemon;
use crate::kernel::tally::{self, Body, FORMAT, Tally};
use crate::ports::Fault;
use crate::ports::store::{Answer, Publication, Store};
use data_encoding::HEXLOWER;
use serde_json::Value;
use std::fs::File;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

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

    /// The file of a publication: a tally is signed, a text is the file itself, anything else stands as it is.
    fn file(&self, publication: &Publication) -> Answer<String> {
        if let Value::String(text) = &publication.record.body {
            return Ok(text.clone());
        }
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

/// Where a published file stands, for its path as a case or a reader gives it. None for one that would leave
/// the public directory, or whose name begins with a dot as those of half-written files do.
pub fn public_path(public: &Path, path: &str) -> Option<PathBuf> {
    let plain = |part: Component<'_>| match part {
        Component::Normal(name) => !name.as_encoded_bytes().starts_with(b"."),
        _ => false,
    };
    let relative = Path::new(path);
    (!path.is_empty() && relative.components().all(plain)).then(|| public.join(relative))
}

/// Writes a file whole or not at all, and returns once it is on disk under its name; readers never see half
/// of it, and what is recorded as published outlives a power cut.
fn write(public: &Path, path: &str, bytes: &[u8]) -> Answer<()> {
    let fault = |why: String| Fault::new(format!("publishing {path}"), why);
    let target = public_path(public, path)
        .ok_or_else(|| fault("the path leaves the public directory or begins with a dot".to_owned()))?;
    let parent = target.parent().unwrap_or(public);
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let partial = parent.join(format!(".{name}.partial"));
    std::fs::create_dir_all(parent)
        .and_then(|()| File::create(&partial))
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&partial, &target))
        .and_then(|()| sync(public, parent))
        .map_err(|error| fault(error.to_string()))
}

/// Directories from one up to the public one: each may have been made just now.
fn sync(public: &Path, from: &Path) -> std::io::Result<()> {
    let mut within = from.ancestors().take_while(|directory| directory.starts_with(public));
    within.try_for_each(|directory| File::open(directory)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_published_whole_and_leaves_nothing_beside_it() {
        let public = tempfile::tempdir().unwrap();
        for bytes in [&b"first"[..], b"second"] {
            write(public.path(), "ballots/c2.json", bytes).unwrap();
            assert_eq!(std::fs::read(public.path().join("ballots/c2.json")).unwrap(), bytes);
        }
        let names: Vec<_> = std::fs::read_dir(public.path().join("ballots")).unwrap().flatten().collect();
        assert_eq!(names.len(), 1, "{names:?}");
    }

    #[test]
    fn files_that_differ_in_their_ending_do_not_share_a_draft() {
        let public = tempfile::tempdir().unwrap();
        std::fs::create_dir(public.path().join("c2.partial")).unwrap();
        write(public.path(), "c2.json", b"x").unwrap();
        std::fs::create_dir(public.path().join(".c3.txt.partial")).unwrap();
        assert!(write(public.path(), "c3.txt", b"x").is_err(), "its draft cannot be written");
        write(public.path(), "c3.json", b"x").unwrap();
    }

    #[test]
    fn nothing_is_published_outside_or_under_a_hidden_name() {
        let public = tempfile::tempdir().unwrap();
        for path in ["", "../x", "/x", "a/../x", ".x", "a/.x.json.partial", ".a/x"] {
            assert!(write(public.path(), path, b"x").is_err(), "{path}");
            assert_eq!(public_path(public.path(), path), None, "{path}");
        }
        let at = public.path().join("ballots/c2.json");
        assert_eq!(public_path(public.path(), "ballots/c2.json"), Some(at));
    }
}

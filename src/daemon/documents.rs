//! Documents between the mailbox and the case: taken out of the mail part by part, each sealed under a key of its own,
//! and opened only while a mail to somebody who may see it is made.

use super::large::Opened;
use super::{Daemon, OFFICE};
use crate::desk::{Addressed, Outcome, Token};
use crate::kernel::documents::{Document, Handle, harmless, name};
use crate::kernel::ids::CaseId;
use crate::kernel::said::Command;
use crate::kernel::workflow::{Input, Reply};
use crate::letters::Letter;
use crate::letters::sieve::{Limits, Passing, Sieve};
use crate::ports::Fault;
use crate::ports::keys::KEY;
use crate::ports::store::{Answer, Mail, Paper, Store, Upload};
use crate::render::Attached;
use crate::workflows::Kind;
use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Documents of one mail that are kept.
const MOST: usize = 50;
/// Bytes of a part of a document.
const PART: usize = 512 << 10;
/// Characters of a media type.
const MEDIA: usize = 100;

/// What opens a document's parts.
#[derive(Serialize, Deserialize)]
struct Key {
    key: Vec<u8>,
    parts: u32,
}

/// A document on its way into the record.
struct Coming {
    upload: Upload,
    key: Vec<u8>,
    parts: u32,
    name: String,
    media: String,
    begins: Vec<u8>,
    size: u64,
    /// Not yet sealed.
    bytes: Vec<u8>,
}

impl<S: Store> Daemon<S> {
    /// Keeps what came attached to a mail for a matter that keeps documents, and names it in the letter.
    ///
    /// # Errors
    /// The store or the key store cannot be reached; what was kept so far is thrown away in time.
    pub(super) async fn keep_documents(
        &self,
        outcome: &mut Outcome,
        letter: &Letter,
        (mail, opened): (&Mail, &Opened),
        now: DateTime<Utc>,
    ) -> Answer<()> {
        if letter.attachments.is_empty() {
            return Ok(());
        }
        let Outcome::Letters(letters) = outcome else { return Ok(()) };
        for addressed in letters {
            let Addressed::ToCase(case, Input::Reply(reply)) = addressed else { continue };
            if !self.keeps(*case, reply).await? {
                continue;
            }
            let documents = self.take_out(mail, opened, now).await?;
            if !documents.is_empty() {
                if !reply.desk.is_object() {
                    reply.desk = json!({});
                }
                reply.desk["documents"] = json!(documents);
            }
            // They belong to one matter.
            return Ok(());
        }
        Ok(())
    }

    /// Whether a reply goes to a matter that keeps documents, or opens one.
    async fn keeps(&self, case: CaseId, reply: &Reply) -> Answer<bool> {
        if case == OFFICE {
            return Ok(reply.said.has(&Command::Apply));
        }
        self.is_kept_with(case).await
    }

    async fn is_kept_with(&self, case: CaseId) -> Answer<bool> {
        let kind = self.store.case(case).await?.and_then(|row| Kind::from_name(&row.kind));
        Ok(kind.is_some_and(Kind::keeps_documents))
    }

    async fn take_out(&self, mail: &Mail, opened: &Opened, now: DateTime<Utc>) -> Answer<Vec<Document>> {
        let mut sieve = Sieve::showing(Limits::READ);
        let (mut documents, mut coming) = (Vec::new(), None);
        let mut at = (mail, now);
        match (&opened.large, mail.upload) {
            (Some(manifest), Some(upload)) => {
                for n in 0..manifest.parts() {
                    let Some(part) = self.part_of(upload, manifest, n).await? else { break };
                    sieve.push(&part);
                    self.pass(sieve.passed(), &mut coming, &mut documents, &mut at).await?;
                }
            }
            _ => sieve.push(&opened.skeleton.bytes),
        }
        sieve.end();
        self.pass(sieve.passed(), &mut coming, &mut documents, &mut at).await?;
        if let Some(Coming { upload, .. }) = coming {
            self.store.forget_parts(upload).await?;
        }
        Ok(documents)
    }

    /// What went by of files: sealed and stored as it comes.
    async fn pass(
        &self,
        passed: Vec<Passing>,
        coming: &mut Option<Coming>,
        documents: &mut Vec<Document>,
        (mail, now): &mut (&Mail, DateTime<Utc>),
    ) -> Answer<()> {
        for passing in passed {
            match (passing, coming.as_mut()) {
                (Passing::Begins { name: written, media }, _) if documents.len() < MOST => {
                    let upload = Upload(self.sixteen()?);
                    let media: String = media.chars().take(MEDIA).collect();
                    let key = self.keys.random(KEY)?;
                    let (parts, size, name) = (0, 0, name(&written));
                    let (begins, bytes) = (Vec::new(), Vec::new());
                    *coming = Some(Coming { upload, key, parts, name, media, begins, size, bytes });
                }
                (Passing::Bytes(bytes), Some(document)) => {
                    document.take(&bytes);
                    while document.bytes.len() > PART {
                        let rest = document.bytes.split_off(PART);
                        let part = std::mem::replace(&mut document.bytes, rest);
                        self.store_part(document, part, false, *now).await?;
                    }
                }
                (Passing::Ends { hash }, Some(_)) => {
                    if let Some(document) = coming.take() {
                        let n = documents.len();
                        documents.push(self.file_away(document, &hash, (mail, n), *now).await?);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn store_part(
        &self,
        document: &mut Coming,
        part: Vec<u8>,
        last: bool,
        now: DateTime<Utc>,
    ) -> Answer<()> {
        let n = document.parts;
        document.parts += 1;
        let sealed = self.keys.seal_part(&document.key, n, last, part)?;
        self.store.keep_part(document.upload, n, &sealed, now).await
    }

    /// A document that has come whole. Its handle follows from its place in its mail: sorted again, it is the same.
    async fn file_away(
        &self,
        mut document: Coming,
        hash: &[u8],
        (mail, n): (&Mail, usize),
        now: DateTime<Utc>,
    ) -> Answer<Document> {
        let rest = std::mem::take(&mut document.bytes);
        self.store_part(&mut document, rest, true, now).await?;
        let code = self.minter.keyed_hash("document", format!("{}:{n}", mail.id.0).as_bytes());
        let mut handle = Handle([0; 16]);
        handle.0.copy_from_slice(&code[..16]);
        let written = handle.to_string();
        let Coming { upload, key, parts, name, media, begins, size, .. } = document;
        let opens = serde_json::to_vec(&Key { key, parts }).unwrap_or_default();
        let sealed = self.keys.seal(&self.keys.once(now.date_naive())?, &opens, written.as_bytes())?;
        self.store.keep_paper(&Paper { handle: written, mail: mail.id, upload, sealed }).await?;
        let harmless = harmless(&name, &begins);
        Ok(Document { handle, name, media, size, hash: HEXLOWER.encode(hash), harmless })
    }

    fn sixteen(&self) -> Answer<[u8; 16]> {
        let drawn = self.keys.random(16)?.try_into();
        drawn.map_err(|_| Fault::new("drawing random bytes", "the system has too few"))
    }

    /// Whose documents DOCUMENTS asks for: those of the number it names, or of the matter that the mail answers.
    pub(super) async fn papers(&self, known: bool, letter: &Letter, asked: &Token) -> Answer<Vec<CaseId>> {
        let mut wanted = letter.commands.iter().filter_map(|command| match command {
            Command::Documents(number) => Some(*number),
            _ => None,
        });
        let Some(number) = wanted.next().filter(|_| known) else { return Ok(Vec::new()) };
        let answered = match asked {
            Token::Known(asked) if number.is_none() => Some(asked.notice.case),
            _ => None,
        };
        let Some(mut case) = number.map(|number| CaseId(i64::from(number))).or(answered) else {
            return Ok(Vec::new());
        };
        // A ballot's documents are those of the matter it decides.
        if answered.is_some()
            && !self.is_kept_with(case).await?
            && let Some(parent) = self.store.case(case).await?.and_then(|row| row.parent)
        {
            case = parent;
        }
        Ok(if self.is_kept_with(case).await? { vec![case] } else { Vec::new() })
    }

    /// The files that go with a mail. None: one of them is destroyed, and the mail is to be written no more.
    pub(super) async fn attached(&self, data: &Value) -> Answer<Option<Vec<Attached>>> {
        let mut attached = Vec::new();
        for File { paper, name, media } in papers(data) {
            let Some(bytes) = self.document(&paper).await? else { return Ok(None) };
            attached.push(Attached { name, media, bytes });
        }
        Ok(Some(attached))
    }

    /// A document's bytes. None: it is destroyed.
    ///
    /// # Errors
    /// The store or the key store cannot be reached.
    pub async fn document(&self, handle: &Handle) -> Answer<Option<Vec<u8>>> {
        let written = handle.to_string();
        let Some(paper) = self.store.paper(&written).await? else { return Ok(None) };
        let opened = self.keys.try_open(&paper.sealed, written.as_bytes())?;
        let key: Option<Key> = opened.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let Some(Key { key, parts }) = key else { return Ok(None) };
        let mut bytes = Vec::new();
        for n in 0..parts {
            let Some(sealed) = self.store.part(paper.upload, n).await? else { return Ok(None) };
            let Some(part) = self.keys.open_part(&key, n, n + 1 == parts, sealed)? else { return Ok(None) };
            bytes.extend_from_slice(&part);
        }
        Ok(Some(bytes))
    }
}

impl Coming {
    fn take(&mut self, bytes: &[u8]) {
        let room = 8_usize.saturating_sub(self.begins.len());
        self.begins.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.size += bytes.len() as u64;
        self.bytes.extend_from_slice(bytes);
    }
}

/// A file that a notice names.
#[derive(Deserialize)]
pub(super) struct File {
    paper: Handle,
    name: String,
    media: String,
}

/// The files that go with a notice of these data.
pub(super) fn papers(data: &Value) -> Vec<File> {
    let files = data.get("files").map(Vec::<File>::deserialize);
    files.and_then(Result::ok).unwrap_or_default()
}

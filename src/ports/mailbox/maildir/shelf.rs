//! One folder of a Maildir and its index. A Maildir has no UIDs; the index gives each file name a number that
//! never comes again, so that places and cursors work as with IMAP.

use crate::ports::Fault;
use chrono::{DateTime, Utc};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// The index lies in the folder itself. Without it (removed, unreadable) all is numbered and read anew.
const INDEX: &str = "atlarged-uids";
const SUBFOLDERS: [&str; 2] = ["new", "cur"];

/// A mail file.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub uid: u32,
    pub path: PathBuf,
    pub size: u64,
    pub written: DateTime<Utc>,
}

/// All mails of a folder, in UID order.
#[derive(Debug, Default)]
pub struct Scan {
    pub uid_validity: u32,
    pub next_uid: u32,
    pub mails: Vec<Found>,
    /// The unique parts of all names.
    pub names: BTreeSet<String>,
}

#[derive(Debug, Default, PartialEq)]
struct Index {
    validity: u32,
    next: u32,
    uids: BTreeMap<String, u32>,
    /// It ends in the middle of a line: a crash while writing.
    torn: bool,
}

/// The part of a Maildir file name that stays when flags change.
pub fn unique(name: &str) -> &str {
    name.split_once(':').map_or(name, |(unique, _)| unique)
}

/// Lists a folder, numbering files that are new; their numbers are durable before this returns.
///
/// # Errors
/// The folder is missing or cannot be read or written.
pub fn scan(folder: &Path) -> Result<Scan, Fault> {
    let what = |doing: &str| format!("{doing} Maildir folder {}", folder.display());
    let files = list(folder).map_err(|e| Fault::new(what("listing"), e.kind()))?;
    number(folder, files).map_err(|e| Fault::new(what("numbering mails of"), e.kind()))
}

/// The unique names in a folder, without touching its index.
///
/// # Errors
/// The folder is missing or cannot be read.
pub fn names(folder: &Path) -> Result<BTreeSet<String>, Fault> {
    let what = || format!("listing Maildir folder {}", folder.display());
    Ok(list(folder).map_err(|e| Fault::new(what(), e.kind()))?.into_keys().collect())
}

struct File {
    path: PathBuf,
    size: u64,
    written: DateTime<Utc>,
}

fn list(folder: &Path) -> io::Result<BTreeMap<String, File>> {
    let mut files = BTreeMap::new();
    for sub in SUBFOLDERS {
        for entry in fs::read_dir(folder.join(sub))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            // Moved to another place since it was listed: the next scan finds it there.
            let Ok(about) = entry.metadata() else { continue };
            let usable = !name.contains(['\n', ' ']) && !name.starts_with('.');
            if about.is_file() && usable {
                let written = about.modified().map_or(DateTime::UNIX_EPOCH, DateTime::<Utc>::from);
                let file = File { path: entry.path(), size: about.len(), written };
                files.insert(unique(&name).to_string(), file);
            }
        }
    }
    Ok(files)
}

fn number(folder: &Path, files: BTreeMap<String, File>) -> io::Result<Scan> {
    let path = folder.join(INDEX);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) => String::new(),
        Err(e) => return Err(e),
    };
    let mut index = parse(&text).unwrap_or_else(|| Index {
        validity: rand::random_range(1..=u32::MAX),
        next: 1,
        torn: true,
        ..Index::default()
    });
    let mut fresh: Vec<(&String, &File)> =
        files.iter().filter(|(name, _)| !index.uids.contains_key(*name)).collect();
    fresh.sort_by_key(|(name, file)| (file.written, *name));
    let mut lines = String::new();
    for (name, _) in fresh {
        lines.push_str(&format!("{} {name}\n", index.next));
        index.uids.insert(name.clone(), index.next);
        index.next = index.next.checked_add(1).ok_or(io::ErrorKind::StorageFull)?;
    }
    let mostly_gone = index.uids.len() > 2 * files.len() + 1000;
    if index.torn || mostly_gone {
        index.uids.retain(|name, _| files.contains_key(name));
        rewrite(folder, &index)?;
    } else if !lines.is_empty() {
        let mut file = fs::OpenOptions::new().append(true).open(&path)?;
        file.write_all(lines.as_bytes())?;
        file.sync_data()?;
    }
    let mut scan = Scan { uid_validity: index.validity, next_uid: index.next, ..Scan::default() };
    for (name, file) in files {
        let Some(uid) = index.uids.get(&name) else { continue };
        scan.mails.push(Found { uid: *uid, path: file.path, size: file.size, written: file.written });
        scan.names.insert(name);
    }
    scan.mails.sort_by_key(|mail| mail.uid);
    Ok(scan)
}

/// First line: `uid_validity next_uid`; then `uid name`, one per line. `None`: not an index.
fn parse(text: &str) -> Option<Index> {
    let (head, rest) = text.split_once('\n')?;
    let (validity, next) = head.split_once(' ')?;
    let mut index = Index { validity: validity.parse().ok()?, next: next.parse().ok()?, ..Index::default() };
    index.torn = !rest.is_empty() && !rest.ends_with('\n');
    let whole = rest.rfind('\n').map_or("", |end| &rest[..end]);
    for line in whole.lines() {
        let (uid, name) = line.split_once(' ')?;
        let uid: u32 = uid.parse().ok()?;
        index.next = index.next.max(uid.checked_add(1)?);
        index.uids.insert(name.to_string(), uid);
    }
    Some(index)
}

fn rewrite(folder: &Path, index: &Index) -> io::Result<()> {
    let mut text = format!("{} {}\n", index.validity, index.next);
    let mut lines: Vec<_> = index.uids.iter().map(|(name, uid)| (uid, name)).collect();
    lines.sort_unstable();
    text.extend(lines.into_iter().map(|(uid, name)| format!("{uid} {name}\n")));
    let draft = folder.join(format!("{INDEX}.new"));
    let mut file = fs::File::create(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, folder.join(INDEX))?;
    sync(folder)
}

/// Makes renames and removals in a directory durable.
pub fn sync(directory: &Path) -> io::Result<()> {
    fs::File::open(directory)?.sync_all()
}

/// The header of a mail too large to read: at most `most` bytes, up to and with the empty line.
pub fn header(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    fs::File::open(path)?.take(most).read_to_end(&mut start)?;
    let end =
        (0..start.len()).find(|n| start[*n..].starts_with(b"\n\n") || start[*n..].starts_with(b"\n\r\n"));
    if let Some(end) = end {
        let line_end = if start[end..].starts_with(b"\n\n") { 2 } else { 3 };
        start.truncate(end + line_end);
    }
    Ok(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a directory");
        for sub in ["new", "cur", "tmp"] {
            fs::create_dir(dir.path().join(sub)).expect("a subfolder");
        }
        dir
    }

    fn put(dir: &Path, file: &str, text: &str) {
        fs::write(dir.join(file), text).expect("a mail");
    }

    fn uids(scan: &Scan) -> Vec<(u32, String)> {
        let name =
            |m: &Found| m.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        scan.mails.iter().map(|m| (m.uid, name(m))).collect()
    }

    #[test]
    fn a_mail_keeps_its_number_when_its_flags_change() {
        let dir = folder();
        put(dir.path(), "new/1.a.host", "one");
        let first = scan(dir.path()).expect("a scan");
        put(dir.path(), "new/2.b.host", "two");
        fs::rename(dir.path().join("new/1.a.host"), dir.path().join("cur/1.a.host:2,S")).expect("a move");
        let second = scan(dir.path()).expect("a scan");
        assert_eq!(uids(&first), [(1, "1.a.host".into())]);
        assert_eq!(uids(&second), [(1, "1.a.host:2,S".into()), (2, "2.b.host".into())]);
        assert_eq!(first.uid_validity, second.uid_validity);
    }

    #[test]
    fn a_number_never_comes_again() {
        let dir = folder();
        put(dir.path(), "new/1.a.host", "one");
        scan(dir.path()).expect("a scan");
        fs::remove_file(dir.path().join("new/1.a.host")).expect("removed");
        scan(dir.path()).expect("a scan");
        put(dir.path(), "new/2.b.host", "two");
        assert_eq!(uids(&scan(dir.path()).expect("a scan")), [(2, "2.b.host".into())]);
    }

    #[test]
    fn a_torn_index_is_mended_and_a_lost_one_renumbers() {
        let dir = folder();
        put(dir.path(), "new/1.a.host", "one");
        put(dir.path(), "new/2.b.host", "two");
        let before = scan(dir.path()).expect("a scan");
        let index = dir.path().join(INDEX);
        let text = fs::read_to_string(&index).expect("an index");
        fs::write(&index, &text[..text.len() - 3]).expect("torn");
        let mended = scan(dir.path()).expect("a scan");
        assert_eq!(mended.uid_validity, before.uid_validity);
        // The number whose line was torn is not used again.
        assert_eq!(mended.mails.iter().map(|m| m.uid).collect::<Vec<_>>(), [1, 3]);
        fs::remove_file(&index).expect("lost");
        assert_ne!(scan(dir.path()).expect("a scan").uid_validity, before.uid_validity);
    }

    #[test]
    fn the_index_forgets_what_is_long_gone_but_not_the_next_number() {
        let dir = folder();
        let lines: String = (1..=1500).map(|n| format!("{n} {n}.gone.host\n")).collect();
        put(dir.path(), INDEX, &format!("77 1\n{lines}"));
        put(dir.path(), "new/a", "one");
        assert_eq!(uids(&scan(dir.path()).expect("a scan")), [(1501, "a".into())]);
        let text = fs::read_to_string(dir.path().join(INDEX)).expect("an index");
        assert_eq!(text, "77 1502\n1501 a\n");
    }

    #[test]
    fn a_header_ends_at_the_empty_line() {
        let dir = folder();
        put(dir.path(), "new/a", "Subject: hello\r\n\r\nbody");
        put(dir.path(), "new/b", "Subject: hello\n\nbody");
        put(dir.path(), "new/c", "Subject: endless");
        let read = |name: &str| header(&dir.path().join(name), 12).expect("a header").len();
        assert_eq!(header(&dir.path().join("new/a"), 99).expect("a header"), b"Subject: hello\r\n\r\n");
        assert_eq!(header(&dir.path().join("new/b"), 99).expect("a header"), b"Subject: hello\n\n");
        assert_eq!(read("new/c"), 12);
    }
}

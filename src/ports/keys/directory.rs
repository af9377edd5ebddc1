//! Keys as files: a directory of mode 0700, files of mode 0600, each there whole or not at all.

use crate::ports::Fault;
use crate::ports::store::Answer;
use data_encoding::HEXLOWER;
use ring::rand::{SecureRandom, SystemRandom};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// No key or epoch is longer.
const LONGEST: u64 = 4096;

pub(super) struct Directory {
    dir: PathBuf,
}

impl Directory {
    pub(super) fn open(dir: &Path) -> Answer<Directory> {
        let metadata = fs::metadata(dir).map_err(|error| {
            let what = format!("opening the key store {}", dir.display());
            Fault::new(what, format!("{}; `atlarged migrate` makes it", error.kind()))
        })?;
        guarded(dir, &metadata, "700")?;
        if !metadata.is_dir() {
            return Err(Fault::new(format!("opening the key store {}", dir.display()), "it is no directory"));
        }
        Ok(Directory { dir: dir.to_owned() })
    }

    pub(super) fn create(dir: &Path) -> Answer<Directory> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.map_err(|error| Fault::new(format!("making the key store {}", dir.display()), error.kind()))?;
        Directory::open(dir)
    }

    pub(super) fn get(&self, name: &str) -> Answer<Option<Vec<u8>>> {
        let path = self.dir.join(name);
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.map_err(|error| fault("reading", name, &error))?,
        };
        let metadata = file.metadata().map_err(|error| fault("reading", name, &error))?;
        guarded(&path, &metadata, "600")?;
        let mut bytes = Vec::new();
        file.take(LONGEST).read_to_end(&mut bytes).map_err(|error| fault("reading", name, &error))?;
        Ok(Some(bytes))
    }

    /// A link never replaces a file: of two hosts that make the same key, the first one's stands for both.
    pub(super) fn get_or_put(&self, name: &str, new: &[u8]) -> Answer<Vec<u8>> {
        let draft = self.write_draft(name, new)?;
        let linked = fs::hard_link(&draft, self.dir.join(name));
        let removed = fs::remove_file(&draft);
        match linked {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            linked => linked.map_err(|error| fault("making", name, &error))?,
        }
        removed.and_then(|()| self.sync()).map_err(|error| fault("making", name, &error))?;
        let gone = || Fault::new(format!("making the key {name}"), "it was destroyed at the same moment");
        self.get(name)?.ok_or_else(gone)
    }

    pub(super) fn replace(&self, name: &str, bytes: &[u8]) -> Answer<()> {
        let draft = self.write_draft(name, bytes)?;
        let renamed = fs::rename(&draft, self.dir.join(name)).and_then(|()| self.sync());
        renamed.map_err(|error| fault("writing", name, &error))
    }

    pub(super) fn remove(&self, name: &str) -> Answer<bool> {
        match fs::remove_file(self.dir.join(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            removed => {
                let synced = removed.and_then(|()| self.sync());
                synced.map(|()| true).map_err(|error| fault("destroying", name, &error))
            }
        }
    }

    pub(super) fn names(&self) -> Answer<Vec<String>> {
        let listed = fs::read_dir(&self.dir).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        let entries = listed.map_err(|error| fault("listing", "store", &error))?;
        Ok(entries.into_iter().filter_map(|entry| entry.file_name().into_string().ok()).collect())
    }

    /// A file beside the others that nobody takes for a key, on disk before it gets its name.
    fn write_draft(&self, name: &str, bytes: &[u8]) -> Answer<PathBuf> {
        let mut chance = [0; 8];
        let drawn = SystemRandom::new().fill(&mut chance);
        drawn.map_err(|_| Fault::new("drawing random bytes", "the system has none"))?;
        let draft = self.dir.join(format!(".{name}.{}", HEXLOWER.encode(&chance)));
        let written =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).and_then(|mut file| {
                file.write_all(bytes)?;
                file.sync_all()
            });
        written.map(|()| draft).map_err(|error| fault("writing", name, &error))
    }

    fn sync(&self) -> std::io::Result<()> {
        File::open(&self.dir)?.sync_all()
    }
}

/// Refuses what others could read or put in place of ours.
fn guarded(path: &Path, metadata: &fs::Metadata, mode: &str) -> Answer<()> {
    let what = || format!("opening {}", path.display());
    if metadata.mode() & 0o077 != 0 {
        let why = format!("others may look into it; do: chmod {mode} {}", path.display());
        return Err(Fault::new(what(), why));
    }
    // Who we are, without asking the C library: the owner of our own entry in /proc.
    match fs::metadata("/proc/self") {
        Ok(own) if own.uid() != metadata.uid() && own.uid() != 0 => {
            let why = format!("it belongs to user {}; run as that user or chown it", metadata.uid());
            Err(Fault::new(what(), why))
        }
        _ => Ok(()),
    }
}

fn fault(doing: &str, name: &str, error: &std::io::Error) -> Fault {
    Fault::new(format!("{doing} the key {name}"), error.kind())
}

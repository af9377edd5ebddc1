//! The sandbox's directory and the identity its servers run under: ours alone, fresh, and fit for server sockets.

use std::fs::{self, File, TryLockError};
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::keeper::{Signal, signal_process};
use crate::ports::Fault;

/// A server's socket path must stay under 108 bytes (unix(7)); this is left for the directory itself.
const LONGEST_DIRECTORY: usize = 70;

/// The file that says: this directory is a sandbox, and whoever holds its lock uses it.
const LOCK: &str = "sandbox.lock";

/// Who runs the servers. Postgres refuses root, so under root it is an unprivileged user that is already there.
#[derive(Debug, Clone)]
pub struct Identity {
    pub user: String,
    pub group: String,
    /// Numeric ids to change to; none when we are an ordinary user already.
    change_to: Option<(u32, u32)>,
}

impl Identity {
    /// The current user, or for root the first that exists of postgres and nobody.
    ///
    /// # Errors
    /// When id(1) cannot name the user: Postgres needs one with an entry in passwd(5).
    pub fn find() -> Result<Identity, Fault> {
        let (uid, gid) = (id(&["-u"])?, id(&["-g"])?);
        if uid != "0" {
            return Ok(Identity { user: id(&["-un"])?, group: id(&["-gn"])?, change_to: None });
        }
        for user in ["postgres", "nobody"] {
            let ids = id(&["-u", user]).and_then(|u| Ok((u, id(&["-g", user])?)));
            let Ok((Ok(u), Ok(g))) = ids.map(|(u, g)| (u.parse(), g.parse())) else { continue };
            return Ok(Identity { user: user.into(), group: id(&["-gn", user])?, change_to: Some((u, g)) });
        }
        Err(Fault::new(
            "choosing a user for the servers",
            format!("root ({uid}:{gid}) finds neither postgres nor nobody"),
        ))
    }

    /// A command under this identity, from /, with a small fixed environment, that gets `end` when this program dies.
    pub fn command(&self, program: impl AsRef<Path>, end: Signal) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", end.name()]);
        if let Some((uid, gid)) = self.change_to {
            command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}")).arg("--clear-groups");
        }
        command.arg("--").arg(program.as_ref()).current_dir("/").env_clear().envs([
            ("HOME", "/"),
            ("LC_ALL", "C.UTF-8"),
            ("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"),
            ("TZ", "UTC"),
        ]);
        command
    }

    /// Gives the path to this identity.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn own(&self, path: &Path) -> Result<(), Fault> {
        let Some((uid, gid)) = self.change_to else { return Ok(()) };
        std::os::unix::fs::chown(path, Some(uid), Some(gid)).map_err(|e| io("giving away", path, &e))
    }
}

/// Runs a helper program to its end and returns what it printed.
///
/// # Errors
/// When it is missing or fails; `why` is the last line it wrote to standard error.
pub fn run(mut command: Command, what: &str) -> Result<String, Fault> {
    let out = command.stdin(Stdio::null()).output().map_err(|e| Fault::new(what, e))?;
    if out.status.success() {
        return Ok(String::from_utf8_lossy(&out.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&out.stderr);
    let last = said.lines().rfind(|l| !l.trim().is_empty()).unwrap_or("it said nothing");
    Err(Fault::new(what, format!("{}: {last}", out.status)))
}

fn id(args: &[&str]) -> Result<String, Fault> {
    let mut command = Command::new("id");
    command.args(args);
    Ok(run(command, "asking id(1) who we are")?.trim().to_owned())
}

/// A sandbox's directory while it is in use. The lock goes with the process, however that ends.
#[derive(Debug)]
pub struct Place {
    pub dir: PathBuf,
    /// Nobody looks at it afterwards.
    scratch: bool,
    _lock: File,
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.scratch {
            let _next_sandbox_tries_again = clear(&self.dir);
        }
    }
}

impl Place {
    /// Takes the directory, creating it if needed. What a former sandbox left there is stopped and removed.
    ///
    /// # Errors
    /// When the path is unfit, is used by a running sandbox, or holds files that are no sandbox's.
    pub fn take(dir: &Path, identity: &Identity) -> Result<Place, Fault> {
        let dir = std::path::absolute(dir).map_err(|e| io("finding", dir, &e))?;
        check_name(&dir)?;
        fs::create_dir_all(&dir).map_err(|e| io("creating", &dir, &e))?;
        let foreign = !dir.join(LOCK).exists() && fs::read_dir(&dir).is_ok_and(|mut d| d.next().is_some());
        if foreign {
            return Err(Fault::new(
                format!("using {} for a sandbox", dir.display()),
                "it holds other files; name an empty or a new directory",
            ));
        }
        let lock = lock(&dir)?;
        stop_remains(&dir);
        clear(&dir)?;
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).map_err(|e| io("closing", &dir, &e))?;
        identity.own(&dir)?;
        for name in ["log", "mail", "pg", "run", "spool", "state", "users"] {
            let path = dir.join(name);
            fs::DirBuilder::new().mode(0o700).create(&path).map_err(|e| io("creating", &path, &e))?;
            identity.own(&path)?;
        }
        let mut enter = identity.command("test", Signal::Term);
        enter.arg("-w").arg(dir.join("pg"));
        run(enter, "entering the sandbox's directory").map_err(|_| {
            Fault::new(
                format!("using {} for a sandbox", dir.display()),
                format!("user {} cannot enter it; choose one under /tmp", identity.user),
            )
        })?;
        Ok(Place { dir, scratch: false, _lock: lock })
    }

    /// Takes the first free directory `PREFIX-N` among the temporary files: used again by the next, so none pile up.
    ///
    /// # Errors
    /// When a hundred of them are in use or unusable.
    pub fn take_scratch(prefix: &str, identity: &Identity) -> Result<Place, Fault> {
        let base = std::env::temp_dir();
        let mut last = None;
        for n in 0..100 {
            match Place::take(&base.join(format!("{prefix}-{}-{n}", identity.user)), identity) {
                Ok(mut place) => {
                    place.scratch = true;
                    return Ok(place);
                }
                Err(fault) => last = Some(fault),
            }
        }
        Err(last.unwrap_or_else(|| Fault::new("finding a scratch directory", "none is free")))
    }

    /// Writes a file the servers may read, whole or not at all.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write(&self, identity: &Identity, name: &str, content: &str) -> Result<PathBuf, Fault> {
        let path = self.dir.join(name);
        let draft = path.with_added_extension("new");
        fs::write(&draft, content).map_err(|e| io("writing", &draft, &e))?;
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o600))
            .map_err(|e| io("closing", &draft, &e))?;
        identity.own(&draft)?;
        fs::rename(&draft, &path).map_err(|e| io("writing", &path, &e))?;
        Ok(path)
    }
}

/// Ports nobody listens on just now, all different.
///
/// # Errors
/// When the system has none.
pub fn free_ports<const N: usize>() -> Result<[u16; N], Fault> {
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener =
            TcpListener::bind(("127.0.0.1", 0)).map_err(|e| Fault::new("finding free ports", e))?;
        *port = listener.local_addr().map_err(|e| Fault::new("finding free ports", e))?.port();
        held.push(listener);
    }
    Ok(ports)
}

pub fn io(what: &str, path: &Path, why: &std::io::Error) -> Fault {
    Fault::new(format!("{what} {}", path.display()), why)
}

/// The servers' configuration files take the path as it is: no spaces, no signs with a meaning there.
fn check_name(dir: &Path) -> Result<(), Fault> {
    let what = || format!("using {} for a sandbox", dir.display());
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    match dir.to_str() {
        Some(name) if name.len() > LONGEST_DIRECTORY => Err(Fault::new(
            what(),
            format!("its name is longer than {LONGEST_DIRECTORY} bytes; sockets need a short one"),
        )),
        Some(name) if name.chars().all(plain) => Ok(()),
        _ => Err(Fault::new(what(), "its name may have ASCII letters, digits and . _ - only")),
    }
}

/// Another user's directory of that name is never ours to use.
fn lock(dir: &Path) -> Result<File, Fault> {
    let path = dir.join(LOCK);
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|e| io("locking", &path, &e))?;
    let (ours, theirs) = (file.metadata(), fs::metadata("/proc/self"));
    let same = ours.is_ok_and(|o| theirs.is_ok_and(|t| o.uid() == t.uid()));
    if !same {
        return Err(Fault::new(format!("locking {}", path.display()), "it belongs to another user"));
    }
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Fault::new(format!("using {} for a sandbox", dir.display()), "a running sandbox uses it"))
        }
        Err(TryLockError::Error(e)) => Err(io("locking", &path, &e)),
    }
}

/// Servers whose program died without them having noticed yet. Only a process that names this directory is one.
fn stop_remains(dir: &Path) {
    for file in ["pg/data/postmaster.pid", "run/master.pid", "run/exim.pid"] {
        let Ok(text) = fs::read_to_string(dir.join(file)) else { continue };
        let Some(pid) = text.lines().next().and_then(|l| l.trim().parse::<u32>().ok()) else { continue };
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&command).contains(&*dir.to_string_lossy()) {
            signal_process(&pid.to_string(), Signal::Kill);
        }
    }
}

fn clear(dir: &Path) -> Result<(), Fault> {
    for entry in fs::read_dir(dir).map_err(|e| io("reading", dir, &e))? {
        let path = entry.map_err(|e| io("reading", dir, &e))?.path();
        if path.file_name().is_some_and(|n| n == LOCK) {
            continue;
        }
        let removed = if path.is_dir() && !path.is_symlink() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        removed.map_err(|e| io("clearing", &path, &e))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::{Identity, Place};

    /// A directory that the servers' user may enter.
    fn open_directory() -> tempfile::TempDir {
        let dir = tempfile::Builder::new().prefix("al").tempdir_in("/tmp").expect("a directory");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("opened");
        dir
    }

    fn check(dir: &Path, expect: &str) {
        let taken = Place::take(dir, &Identity::find().expect("a user"));
        let said = taken.map_or_else(|fault| fault.to_string(), |_| "taken".to_owned());
        assert!(said.contains(expect), "{said}");
    }

    #[test]
    fn one_sandbox_at_a_time_uses_a_directory_and_the_next_finds_it_empty() {
        let base = open_directory();
        let dir = base.path().join("demo");
        let first = Place::take(&dir, &Identity::find().expect("a user")).expect("taken");
        fs::write(dir.join("mail/letter"), "old").expect("written");
        check(&dir, "a running sandbox uses it");
        drop(first);
        check(&dir, "taken");
        assert!(!dir.join("mail/letter").exists());
    }

    #[test]
    fn a_directory_that_cannot_serve_is_refused_with_a_reason() {
        let base = open_directory();
        fs::write(base.path().join("letter.txt"), "mine").expect("written");
        check(base.path(), "it holds other files");
        assert!(base.path().join("letter.txt").exists());
        check(&base.path().join("with space"), "ASCII letters");
        check(&base.path().join("long".repeat(20)), "longer than 70 bytes");
    }
}

//! A Postgres cluster of the sandbox's own: a Unix socket in a private directory, no network, no password.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::keeper::{Keeper, Signal};
use super::place::{Identity, Place, run};
use crate::ports::Fault;

const NAME: &str = "postgres";

/// The one database user, who owns everything.
const USER: &str = "atlarged";

/// Where Debian keeps the versions side by side.
const VERSIONS: &str = "/usr/lib/postgresql";

/// How much of a crash the databases survive. A crash of Postgres alone loses nothing either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Nothing is forced to disk: for tests and the demo.
    #[default]
    None,
    /// As in production: for measurements.
    Full,
}

/// The cluster.
pub struct Postgres {
    bin: PathBuf,
    dir: PathBuf,
    identity: Identity,
    durability: Durability,
}

impl Postgres {
    /// Makes a cluster in `DIR/pg` and starts it.
    ///
    /// # Errors
    /// When Postgres is not installed, or does not start.
    pub async fn create(
        place: &Place,
        identity: &Identity,
        keeper: &Keeper,
        durability: Durability,
    ) -> Result<Postgres, Fault> {
        let (bin, dir) = (newest(Path::new(VERSIONS))?, place.dir.join("pg"));
        let postgres = Postgres { bin, dir, identity: identity.clone(), durability };
        let mut initdb = postgres.tool("initdb");
        initdb.arg("-D").arg(postgres.dir.join("data"));
        initdb.args(["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]);
        helper(initdb, "creating the sandbox's databases").await?;
        postgres.start(keeper).await?;
        Ok(postgres)
    }

    /// Starts the server and waits until it answers.
    ///
    /// # Errors
    /// When it ends or does not answer within 30 s.
    pub async fn start(&self, keeper: &Keeper) -> Result<(), Fault> {
        let log = self.dir.join("../log/postgres.log");
        let mut command = self.tool("postgres");
        command.arg("-D").arg(self.dir.join("data")).arg("-k").arg(&self.dir);
        command.args(["-c", "listen_addresses=", "-c", "unix_socket_permissions=0700", "-c", "jit=off"]);
        command.args(["-c", "max_connections=400", "-c", "timezone=UTC"]);
        if self.durability == Durability::None {
            command.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
        }
        super::to_log(&mut command, &log)?;
        keeper.start(NAME, command, Signal::Int).await?;
        let ready = async {
            loop {
                if helper(self.client("pg_isready", "postgres"), "asking Postgres").await.is_ok() {
                    return Ok(());
                }
                if !keeper.lives(NAME).await {
                    return Err(Fault::new("starting Postgres", format!("it ended; see {}", log.display())));
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let late = |_| Fault::new("starting Postgres", format!("no answer in 30 s; see {}", log.display()));
        tokio::time::timeout(Duration::from_secs(30), ready).await.map_err(late)?
    }

    /// Ends the server as a crash would: at once, every connection cut, recovery at the next start.
    pub async fn crash(&self, keeper: &Keeper) {
        keeper.stop(NAME, Signal::Quit).await;
    }

    /// Creates a database, as a copy of `template` if one is named, and returns its URL.
    ///
    /// # Errors
    /// When the name is not plain, is taken, or the template is in use.
    pub async fn database(&self, name: &str, template: Option<&str>) -> Result<String, Fault> {
        let what = format!("creating database {name}");
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty() || name.len() > 63 || !name.chars().all(plain) {
            return Err(Fault::new(what, "a name has 1 to 63 of a-z, 0-9 and _"));
        }
        let mut command = self.client("createdb", "postgres");
        if let Some(template) = template {
            command.args(["-T", template]);
        }
        command.arg(name);
        helper(command, &what).await?;
        Ok(self.url(name))
    }

    /// The URL of a database, for sqlx and libpq alike.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@localhost/{database}?host={}", self.dir.display())
    }

    fn tool(&self, name: &str) -> std::process::Command {
        self.identity.command(self.bin.join(name), Signal::Int)
    }

    /// A client program, told where the server is and to whom it speaks.
    fn client(&self, name: &str, maintenance: &str) -> std::process::Command {
        let mut command = self.tool(name);
        command.env("PGHOST", &self.dir).env("PGUSER", USER).env("PGDATABASE", maintenance);
        command
    }
}

/// The newest version with a server in it.
fn newest(versions: &Path) -> Result<PathBuf, Fault> {
    let found = std::fs::read_dir(versions).into_iter().flatten().flatten();
    found
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin")))
        })
        .filter(|(_, bin)| bin.join("postgres").exists())
        .max()
        .map(|(_, bin)| bin)
        .ok_or_else(|| {
            Fault::new(
                "finding Postgres",
                format!("none under {}; `make setup` installs it", versions.display()),
            )
        })
}

/// Runs a short program without holding up the runtime.
async fn helper(command: std::process::Command, what: &str) -> Result<(), Fault> {
    let owned = what.to_owned();
    let ran = tokio::task::spawn_blocking(move || run(command, &owned)).await;
    ran.map_err(|e| Fault::new(what, e))?.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::newest;

    #[test]
    fn the_newest_version_with_a_server_is_taken() {
        let dir = tempfile::tempdir().expect("a directory");
        for (version, program) in [("9", "postgres"), ("15", "postgres"), ("17", "psql"), ("x", "postgres")] {
            let bin = dir.path().join(version).join("bin");
            std::fs::create_dir_all(&bin).expect("created");
            std::fs::write(bin.join(program), "").expect("written");
        }
        assert_eq!(newest(dir.path()).expect("found"), dir.path().join("15/bin"));
    }

    #[test]
    fn a_machine_without_postgres_is_told_what_to_do() {
        let fault = newest(std::path::Path::new("/nowhere")).expect_err("none there");
        assert!(fault.to_string().contains("make setup"), "{fault}");
    }
}

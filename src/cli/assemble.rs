//! From a configuration to a daemon with its ports.

use super::{ConfigArg, Trouble};
use crate::config::Config;
use crate::daemon::{Daemon, Settings};
use crate::kernel::token::Minter;
use crate::ports::Fault;
use crate::ports::keys::Keys;
use crate::ports::mailbox::imap::Imap;
use crate::ports::mailbox::maildir::Maildir;
use crate::ports::mailbox::{Batch, Cursor, Done, Fetched, Finished, Mailbox, Offset, Place, Woken};
use crate::ports::postman::dkim::Signer;
use crate::ports::postman::smtp::Smtp;
use crate::ports::resolver::Resolver;
use crate::ports::store::postgres::PostgresStore;
use crate::render::{Letterhead, Renderer};
use chrono::Duration;
use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;

/// Epoch of an installation that was never restored.
pub const FIRST_EPOCH: u16 = 1;

/// A mailbox of either kind.
pub enum Source {
    Imap(Box<Imap>),
    Maildir(Maildir),
}

impl Mailbox for Source {
    async fn fetch<F, Fut>(&mut self, cursors: &BTreeMap<String, Cursor>, take: F) -> Result<Fetched, Fault>
    where
        F: FnMut(Batch) -> Fut + Send,
        Fut: Future<Output = Result<(), Fault>> + Send,
    {
        match self {
            Source::Imap(imap) => imap.fetch(cursors, take).await,
            Source::Maildir(maildir) => maildir.fetch(cursors, take).await,
        }
    }

    async fn finish(&mut self, done: &[(Place, Done)]) -> Result<Finished, Fault> {
        match self {
            Source::Imap(imap) => imap.finish(done).await,
            Source::Maildir(maildir) => maildir.finish(done).await,
        }
    }

    async fn wait(&mut self, at_most: std::time::Duration) -> Result<Woken, Fault> {
        match self {
            Source::Imap(imap) => imap.wait(at_most).await,
            Source::Maildir(maildir) => maildir.wait(at_most).await,
        }
    }
}

/// Everything a command may need of an installation.
pub struct Installation {
    pub config: Config,
    pub daemon: Daemon<PostgresStore>,
    pub offset: Offset,
}

/// The store alone, for commands that only look or post.
pub async fn store(config: &ConfigArg) -> Result<(Config, PostgresStore), Trouble> {
    let config = Config::load(&config.config)?;
    let store = PostgresStore::connect(&config.database_url()?).await?;
    Ok((config, store))
}

/// Store, keys, templates and policies of a configuration.
pub async fn installation(config: &ConfigArg) -> Result<Installation, Trouble> {
    let (config, store) = store(config).await?;
    let keys = Keys::directory(&config.keys.directory)?;
    let epoch = keys.epoch()?.unwrap_or(FIRST_EPOCH);
    let renderer = renderer(&config, keys.minter(epoch))?;
    let signer = match &config.dkim {
        Some(dkim) => Some(Arc::new(Signer::load(dkim).await?)),
        None => None,
    };
    let offset = Offset::default();
    offset.set(Duration::seconds(config.daemon.offset_seconds));
    let settings = Settings {
        clerk: config.clerk.address.clone(),
        authserv_id: config.trust.authserv_id.clone(),
        border_host: config.trust.border_host.clone(),
        forwarders: config.trust.forwarders.clone(),
        mailboxes: config.mailboxes(),
        settle: Duration::seconds(i64::from(config.daemon.settle_seconds)),
        intake_days: config.keys.intake_days,
        public: config.public.as_ref().map(|public| public.directory.clone()),
    };
    let resolver = match config.trust.check {
        true => Some(Arc::new(Resolver::new(&config.dns)?)),
        false => None,
    };
    let daemon = Daemon {
        store,
        minter: keys.minter(epoch),
        keys: Arc::new(keys),
        renderer: Arc::new(renderer),
        signer,
        policies: config.policies()?,
        settings,
        resolver,
    };
    Ok(Installation { config, daemon, offset })
}

impl Installation {
    pub fn mailboxes(&self) -> Vec<(String, Source)> {
        let imap = self.config.imap.iter().map(|(name, config)| {
            (name.clone(), Source::Imap(Box::new(Imap::new(config.clone(), self.offset.clone()))))
        });
        let maildir = self.config.maildir.iter().map(|(name, config)| {
            (name.clone(), Source::Maildir(Maildir::new(config.clone(), self.offset.clone())))
        });
        imap.chain(maildir).collect()
    }

    pub fn postmen(&self) -> Vec<Smtp> {
        (0..self.config.daemon.smtp_connections).map(|_| Smtp::new(self.config.smtp.clone())).collect()
    }
}

fn renderer(config: &Config, minter: Minter) -> Result<Renderer, Trouble> {
    let clerk = &config.clerk;
    let domain = clerk.address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let letterhead = Letterhead {
        clerk: clerk.address.clone(),
        name: clerk.name.clone(),
        domain: clerk.domain.clone().unwrap_or_else(|| domain.to_owned()),
        help: clerk.help.clone(),
        footer: clerk.footer.clone(),
    };
    let mut overrides = BTreeMap::new();
    if let Some(directory) = &clerk.templates {
        collect(directory, directory, &mut overrides)
            .map_err(|error| Trouble::new(format!("[clerk] templates {}: {error}", directory.display())))?;
    }
    Renderer::new(letterhead, minter, &overrides).map_err(Trouble::new)
}

/// Every file under a directory, by its path from there.
fn collect(root: &Path, at: &Path, into: &mut BTreeMap<String, String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(at)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, into)?;
        } else if let Ok(name) = path.strip_prefix(root) {
            into.insert(name.to_string_lossy().into_owned(), std::fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

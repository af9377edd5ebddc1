//! A clerk that is measured: when it is ready, other mail than answers, when its receipts came.

use super::real::load::Load;
use super::real::village::{drop_into, maildir};
use atlarged::sandbox::Sandbox;
use rand::SeedableRng;
use std::collections::BTreeMap;
use std::time::SystemTime;
use tokio::net::UnixDatagram;

pub struct Measured<'a> {
    pub load: Load<'a>,
    /// Where the clerk tells its service manager that it is ready.
    ready: UnixDatagram,
    /// Kinds of other mails given.
    kinds: usize,
}

impl<'a> Measured<'a> {
    pub async fn new(sandbox: &'a Sandbox, answers: usize) -> Measured<'a> {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let load = Load::new(sandbox, answers, &mut random).await;
        let ready = UnixDatagram::bind(load.directory.path().join("ready")).expect("a socket");
        Measured { load, ready, kinds: 0 }
    }

    /// Waits until the clerk started last is ready.
    pub async fn ready(&self) {
        let said = async {
            let mut said = [0; 4096];
            loop {
                let size = self.ready.recv(&mut said).await.expect("a word");
                if said[..size].windows(7).any(|word| word == b"READY=1") {
                    return;
                }
            }
        };
        tokio::time::timeout(self.load.patience(), said).await.expect("the clerk is ready");
    }

    /// Puts mails made from the answers, which come round again, into the clerk's mailbox.
    pub fn give(&mut self, number: usize, write: impl Fn(&str) -> String) {
        let maildir = maildir(self.load.sandbox, &self.load.clerk.login);
        for n in 0..number {
            let id = format!("Message-ID: <more-{}-{n}-", self.kinds);
            let answer = &self.load.answers[n % self.load.answers.len()];
            let mail = write(&answer.replace("Message-ID: <", &id));
            drop_into(&maildir, &format!("{:06}-{n:06}.more", self.kinds), mail.as_bytes());
        }
        self.kinds += 1;
    }

    /// Has the clerk speak without TLS by these ports from its next start on, so that what passes can be seen.
    pub fn in_plain_text(&self, imap: u16, smtp: u16) {
        self.load.reroute(imap, smtp);
        self.load.reconfigure("security = \"starttls\"\n", "security = \"none\"\n");
        self.load.reconfigure("[imap.main]\n", "[imap.main]\nsecurity = \"none\"\n");
    }

    /// When the receipt for each answer was written into the voters' mailbox.
    pub fn receipts(&self) -> BTreeMap<usize, SystemTime> {
        let new = maildir(self.load.sandbox, &self.load.voters.login).join("new");
        let mut receipts = BTreeMap::new();
        for file in std::fs::read_dir(new).into_iter().flatten().flatten() {
            let text = std::fs::read_to_string(file.path()).expect("a mail");
            let id = text.lines().find_map(|line| line.strip_prefix("In-Reply-To: <"));
            let number: Option<usize> = id.and_then(|id| id.split('@').next()?.parse().ok());
            let written = file.metadata().and_then(|file| file.modified()).expect("a time");
            receipts.extend(number.map(|number| (number, written)));
        }
        receipts
    }
}

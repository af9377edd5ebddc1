//! A proof for those who must know that confidential mail is gone: a mail of our own is put into the inbox,
//! expunged, and looked for in every folder. Some servers keep what is expunged in an archive or a bin.

use super::{
    Imap, finish,
    plan::quoted,
    session::{Session, Trouble},
};
use crate::ports::Fault;
use data_encoding::HEXLOWER;

impl Imap {
    /// Expunges a mail of its own and returns the folders that hold it nevertheless; none: expunged mail is
    /// gone as far as IMAP can show. What the server's backups and logs keep cannot be seen from here.
    ///
    /// # Errors
    /// The mailbox cannot be reached, takes no mail, or hides folders from us.
    pub async fn expunge_probe(&mut self) -> Result<Vec<String>, Fault> {
        let mut session = self.take_session().await?;
        let result = probe(&mut session, &self.config.inbox).await;
        self.settle(session, "probing whether expunged mail is gone", result)
    }
}

async fn probe(session: &mut Session, inbox: &str) -> Result<Vec<String>, Trouble> {
    let id = format!("probe-{}@atlarged.invalid", HEXLOWER.encode(&rand::random::<[u8; 16]>()));
    let mail = format!(
        "From: Probe <probe@atlarged.invalid>\r\nSubject: Probe of expunging; nothing to do\r\n\
         Message-ID: <{id}>\r\nAuto-Submitted: auto-generated\r\n\r\nThis mail is removed at once.\r\n"
    );
    session.append(inbox, mail.as_bytes()).await?;
    let query = format!("UID SEARCH HEADER Message-ID {}", quoted(&id).unwrap_or_default());
    session.enter(inbox, true).await?;
    let put = session.search(&query).await?;
    if put.is_empty() {
        return Err(Trouble::Refused("the mail just put into the inbox is not found there".into()));
    }
    finish::expunge(session, &put).await?;
    let mut left = Vec::new();
    for folder in session.folders().await? {
        session.enter(&folder, false).await?;
        if !session.search(&query).await?.is_empty() {
            left.push(folder);
        }
    }
    Ok(left)
}

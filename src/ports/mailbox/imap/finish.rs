//! After a letter is dealt with: mark it read, move it away, or expunge it. Repeating is harmless.

use super::{
    super::{Done, Finished, Place},
    plan::uid_set,
    session::{Session, Trouble, name},
};
use std::collections::BTreeMap;

/// UIDs per command: keeps command lines short.
const CHUNK: usize = 500;

/// Carries out all of `done`, folder by folder.
pub async fn finish(
    session: &mut Session,
    handled: Option<&str>,
    done: &[(Place, Done)],
) -> Result<Finished, Trouble> {
    let mut finished = Finished::default();
    let mut folders: BTreeMap<&str, Vec<(&Place, Done)>> = BTreeMap::new();
    for (place, what) in done.iter().filter(|(_, what)| *what != Done::Keep) {
        folders.entry(&place.folder).or_default().push((place, *what));
    }
    for (folder, places) in folders {
        let standing = session.enter(folder, true).await?;
        let mut work: BTreeMap<Done, Vec<u32>> = BTreeMap::new();
        for (place, what) in places {
            if place.uid_validity == standing.uid_validity {
                work.entry(what).or_default().push(place.uid);
            } else {
                finished.stale.push(place.clone());
            }
        }
        for (what, uids) in work {
            for uids in uids.chunks(CHUNK) {
                match what {
                    Done::Handled => put_away(session, folder, handled, uids).await?,
                    Done::Expunge => expunge(session, uids).await?,
                    Done::Keep => {}
                }
            }
        }
    }
    Ok(finished)
}

async fn put_away(
    session: &mut Session,
    folder: &str,
    handled: Option<&str>,
    uids: &[u32],
) -> Result<(), Trouble> {
    let set = uid_set(uids);
    session.ask(&format!("UID STORE {set} +FLAGS.SILENT (\\Seen)"), |_| ()).await?;
    let Some(handled) = handled.filter(|handled| *handled != folder) else { return Ok(()) };
    let target = name(handled)?;
    let verb = if session.can.moves { "MOVE" } else { "COPY" };
    let carry = format!("UID {verb} {set} {target}");
    if let Err(Trouble::Refused(_)) = session.ask(&carry, |_| ()).await {
        // Most likely the folder is missing; if it is not, the second attempt says what is wrong.
        let _ = session.ask(&format!("CREATE {target}"), |_| ()).await;
        session.ask(&carry, |_| ()).await?;
    }
    if session.can.moves { Ok(()) } else { expunge(session, uids).await }
}

/// Removes mails and makes sure that they are gone.
pub async fn expunge(session: &mut Session, uids: &[u32]) -> Result<(), Trouble> {
    let set = uid_set(uids);
    session.ask(&format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)"), |_| ()).await?;
    if session.can.uidplus {
        session.ask(&format!("UID EXPUNGE {set}"), |_| ()).await?;
    } else {
        // A plain EXPUNGE takes along whatever others marked: not ours to decide.
        let marked = session.search("UID SEARCH DELETED").await?;
        if !marked.iter().all(|uid| uids.contains(uid)) {
            let why = "the server lacks UIDPLUS and other mails are marked deleted; expunge those first";
            return Err(Trouble::Refused(why.into()));
        }
        session.ask("EXPUNGE", |_| ()).await?;
    }
    match session.still_there(&set).await?.as_slice() {
        [] => Ok(()),
        left => Err(Trouble::Refused(format!("{} mails are still there after EXPUNGE", left.len()))),
    }
}

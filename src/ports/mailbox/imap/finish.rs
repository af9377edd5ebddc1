//! After a letter is dealt with: mark it read, move it away, or expunge it. Repeating is harmless.

use super::{
    super::{Done, Finished, Place},
    plan::uid_set,
    session::{Session, Trouble, name},
};
use async_imap::imap_proto::{Response, ResponseCode};
use std::{collections::BTreeMap, ops::RangeInclusive};

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
                    Done::Handled => {
                        let moved = put_away(session, folder, handled, uids).await?;
                        let from = |uid| place(folder, standing.uid_validity, uid);
                        finished.moved.extend(moved.into_iter().map(|(uid, to)| (from(uid), to)));
                    }
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
) -> Result<Vec<(u32, Place)>, Trouble> {
    let set = uid_set(uids);
    session.ask(&format!("UID STORE {set} +FLAGS.SILENT (\\Seen)"), |_| ()).await?;
    let mut moved = Vec::new();
    let Some(handled) = handled.filter(|handled| *handled != folder) else { return Ok(moved) };
    let target = name(handled)?;
    let verb = if session.can.moves { "MOVE" } else { "COPY" };
    let carry = format!("UID {verb} {set} {target}");
    if let Err(Trouble::Refused(_)) = session.ask(&carry, |said| moved.extend(went(said, handled))).await {
        // Most likely the folder is missing; if it is not, the second attempt says what is wrong.
        let _ = session.ask(&format!("CREATE {target}"), |_| ()).await;
        session.ask(&carry, |said| moved.extend(went(said, handled))).await?;
    }
    if !session.can.moves {
        expunge(session, uids).await?;
    }
    Ok(moved)
}

fn place(folder: &str, uid_validity: u32, uid: u32) -> Place {
    Place { folder: folder.to_owned(), uid_validity, uid }
}

/// Where mails went, as a server tells that moves them (COPYUID, RFC 4315): their numbers before, and their places.
fn went(said: &Response<'_>, folder: &str) -> Vec<(u32, Place)> {
    let Response::Data { outcome, .. } = said else { return Vec::new() };
    let Some(ResponseCode::CopyUid(uid_validity, from, to)) = &outcome.code else { return Vec::new() };
    let places = uids(to).map(|uid| place(folder, *uid_validity, uid));
    uids(from).zip(places).take(CHUNK).collect()
}

/// The numbers of a set, smallest first within a range. The library keeps the type of its members to itself; what it
/// shows of them is "Uid(7)" or "UidRange(4..=8)". A test on a real server holds that.
fn uids(set: &[impl std::fmt::Debug]) -> impl Iterator<Item = u32> {
    set.iter().flat_map(|member| {
        let shown = format!("{member:?}");
        let numbers = shown.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok());
        let numbers: Vec<u32> = numbers.collect();
        match numbers[..] {
            [one] => one..=one,
            [one, other] => one.min(other)..=one.max(other),
            // Nothing is told.
            _ => RangeInclusive::new(1, 0),
        }
    })
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

//! The Maildir mailbox.

use super::ports_rig::{Kept, mail, subject};
use atlarged::ports::mailbox::{Body, Done, Mailbox, Offset, Woken, maildir::Maildir};
use std::{fs, path::Path, time::Duration};

fn maildir() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for folder in ["", ".Junk"] {
        for sub in ["new", "cur", "tmp"] {
            fs::create_dir_all(dir.path().join(folder).join(sub)).expect("a folder");
        }
    }
    dir
}

fn mailbox(path: &Path, more: &str) -> Maildir {
    let text = format!("path = {path:?}\njunk = [\".Junk\"]\n{more}");
    Maildir::new(toml::from_str(&text).expect("a configuration"), Offset::default())
}

fn put(dir: &Path, file: &str, text: &str) {
    fs::write(dir.join(file), text).expect("a mail");
}

fn files(dir: &Path) -> Vec<String> {
    let entry =
        |e: std::io::Result<fs::DirEntry>| e.expect("an entry").file_name().to_string_lossy().into_owned();
    fs::read_dir(dir).expect("a folder").map(entry).collect()
}

#[tokio::test]
async fn each_mail_is_read_once_also_over_a_restart_and_when_a_person_reads_it() {
    let (dir, kept) = (maildir(), Kept::default());
    put(dir.path(), "new/1.a.host", &mail("one"));
    put(dir.path(), ".Junk/new/1.b.host", &mail("junk"));
    assert!(kept.fetch(&mut mailbox(dir.path(), "")).await.expect("a fetch").complete());
    let junk = kept.look(|kept| kept.arrivals.iter().map(|a| a.junk).collect::<Vec<_>>());
    assert_eq!((kept.subjects(), junk), (vec!["one".into(), "junk".into()], vec![false, true]));
    fs::rename(dir.path().join("new/1.a.host"), dir.path().join("cur/1.a.host:2,S"))
        .expect("read by a person");
    put(dir.path(), "new/2.c.host", &mail("two"));
    kept.fetch(&mut mailbox(dir.path(), "")).await.expect("a fetch");
    assert_eq!(kept.subjects(), ["two"]);
}

#[tokio::test]
async fn many_mails_come_in_batches_in_the_order_they_were_written() {
    let (dir, kept) = (maildir(), Kept::default());
    for n in 0..250 {
        put(dir.path(), &format!("new/{n:03}.host"), &mail(&n.to_string()));
    }
    kept.fetch(&mut mailbox(dir.path(), "")).await.expect("a fetch");
    assert_eq!(kept.look(|kept| kept.batches.clone()), [100, 100, 50, 0]);
    assert_eq!(kept.subjects(), (0..250).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn handled_mail_moves_kept_mail_stays_confidential_mail_is_gone() {
    let (dir, kept) = (maildir(), Kept::default());
    for name in ["1.handled", "2.kept", "3.confidential"] {
        put(dir.path(), &format!("new/{name}"), &mail(name));
    }
    fs::rename(dir.path().join("new/1.handled"), dir.path().join("cur/1.handled:2,F")).expect("flagged");
    let mut maildir = mailbox(dir.path(), "handled = \".Handled\"");
    kept.fetch(&mut maildir).await.expect("a fetch");
    let what = |name: &str| match name {
        "1.handled" => Done::Handled,
        "2.kept" => Done::Keep,
        _ => Done::Expunge,
    };
    let done: Vec<_> =
        kept.look(|kept| kept.arrivals.iter().map(|a| (a.place.clone(), what(&subject(&a.body)))).collect());
    for _ in 0..2 {
        assert!(maildir.finish(&done).await.expect("finished").stale.is_empty());
    }
    assert_eq!(files(&dir.path().join("new")), ["2.kept"]);
    assert!(files(&dir.path().join("cur")).is_empty());
    assert_eq!(files(&dir.path().join(".Handled/cur")), ["1.handled:2,FS"]);
}

#[tokio::test]
async fn without_a_folder_for_handled_mail_it_is_marked_read_and_not_read_again() {
    let (dir, kept) = (maildir(), Kept::default());
    put(dir.path(), "new/1.a.host", &mail("one"));
    let mut maildir = mailbox(dir.path(), "");
    kept.fetch(&mut maildir).await.expect("a fetch");
    let place = kept.look(|kept| kept.arrivals[0].place.clone());
    maildir.finish(&[(place, Done::Handled)]).await.expect("finished");
    assert_eq!(files(&dir.path().join("cur")), ["1.a.host:2,S"]);
    kept.subjects();
    kept.fetch(&mut maildir).await.expect("a fetch");
    assert!(kept.subjects().is_empty());
}

#[tokio::test]
async fn an_oversize_mail_comes_as_its_header() {
    let (dir, kept) = (maildir(), Kept::default());
    put(dir.path(), "new/1.a.host", &(mail("big") + &"x".repeat(5000)));
    kept.fetch(&mut mailbox(dir.path(), "max_mail_bytes = 4000")).await.expect("a fetch");
    let header = mail("big").split("I vote").next().expect("a header").as_bytes().to_vec();
    assert!(kept.look(|kept| kept.arrivals[0].body == Body::HeaderOnly(header)));
}

#[tokio::test]
async fn a_large_mail_comes_in_parts() {
    let (dir, kept) = (maildir(), Kept::default());
    let exact = "x".repeat((1 << 21) - mail("exact").len());
    let [large, exact] = [mail("large") + &"line\n".repeat(600_000), mail("exact") + &exact];
    for (name, text) in [("1.a", &large), ("2.a", &exact), ("3.a", &mail("small"))] {
        put(dir.path(), &format!("new/{name}.host"), text);
    }
    kept.fetch(&mut mailbox(dir.path(), "")).await.expect("a fetch");
    let bodies = kept.look(|kept| kept.arrivals.iter().map(|a| a.body.clone()).collect::<Vec<_>>());
    assert!(bodies == [large, exact, mail("small")].map(|text| Body::Whole(text.into_bytes())));
}

#[tokio::test]
async fn a_missing_folder_makes_a_fetch_incomplete_but_the_others_are_read() {
    let (dir, kept) = (maildir(), Kept::default());
    put(dir.path(), "new/1.a.host", &mail("one"));
    fs::remove_dir_all(dir.path().join(".Junk")).expect("removed");
    assert!(!kept.fetch(&mut mailbox(dir.path(), "")).await.expect("a fetch").complete());
    assert_eq!(kept.subjects(), ["one"]);
}

#[tokio::test]
async fn waiting_ends_when_mail_is_there_or_the_time_is_over() {
    let (dir, kept) = (maildir(), Kept::default());
    put(dir.path(), "new/1.a.host", &mail("old"));
    let mut maildir = mailbox(dir.path(), "");
    kept.fetch(&mut maildir).await.expect("a fetch");
    assert_eq!(maildir.wait(Duration::from_millis(50)).await.expect("a wait"), Woken::Timeout);
    put(dir.path(), ".Junk/new/2.b.host", &mail("new"));
    assert_eq!(maildir.wait(Duration::from_secs(30)).await.expect("a wait"), Woken::Mail);
}

//! What to fetch, decided without a network: from which UID, in which batches, as which UID sets.

use super::{BATCH_BYTES, BATCH_MAILS, Cursor, LARGE_BYTES};
use chrono::{DateTime, Utc};

/// A mail as listed, before its body is fetched.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    pub uid: u32,
    /// RFC822.SIZE; `None` if the server did not say: then it is fetched in parts.
    pub size: Option<u64>,
    pub internal_date: DateTime<Utc>,
}

impl Listed {
    pub fn large(&self) -> bool {
        self.size.is_none_or(|size| size > LARGE_BYTES)
    }
}

/// Where a folder stands, as SELECT or EXAMINE told.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Standing {
    pub exists: u32,
    pub uid_validity: u32,
    pub uid_next: Option<u32>,
}

/// The first UID to read, and whether that is a re-scan of what was read before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Start {
    pub from: u32,
    pub rescan: bool,
}

/// A cursor holds while UIDVALIDITY stays and UIDNEXT does not fall behind it; else all is read again.
pub fn start(cursor: Option<Cursor>, now: Standing) -> Start {
    let Some(cursor) = cursor else { return Start { from: 1, rescan: false } };
    let renumbered = cursor.uid_validity != now.uid_validity;
    let fell_back = now.uid_next.is_some_and(|next| next < cursor.next_uid);
    if renumbered || fell_back {
        Start { from: 1, rescan: true }
    } else {
        Start { from: cursor.next_uid.max(1), rescan: false }
    }
}

/// Splits a listing, in UID order, into batches: many small mails together, a large one alone.
pub fn batches(listed: &[Listed]) -> Vec<&[Listed]> {
    let mut out = Vec::new();
    let (mut first, mut bytes) = (0, 0);
    for (n, mail) in listed.iter().enumerate() {
        let size = mail.size.unwrap_or(0);
        let full = n - first == BATCH_MAILS || bytes + size > BATCH_BYTES;
        if n > first && (full || mail.large() || listed[n - 1].large()) {
            out.push(&listed[first..n]);
            (first, bytes) = (n, 0);
        }
        bytes += size;
    }
    if first < listed.len() {
        out.push(&listed[first..]);
    }
    out
}

/// Whether this batch is one large mail.
pub fn large(batch: &[Listed]) -> Option<&Listed> {
    batch.first().filter(|mail| mail.large())
}

/// A UID set (RFC 3501 `sequence-set`), runs joined: `1:3,7`.
pub fn uid_set(uids: &[u32]) -> String {
    let mut sorted = uids.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let runs = sorted.chunk_by(|a, b| a.checked_add(1) == Some(*b));
    let texts = runs.filter_map(|run| match run {
        [] => None,
        [one] => Some(one.to_string()),
        [first, .., last] => Some(format!("{first}:{last}")),
    });
    texts.collect::<Vec<_>>().join(",")
}

/// An IMAP quoted string. Line ends and NUL cannot be quoted: `None`.
pub fn quoted(text: &str) -> Option<String> {
    if text.contains(['\r', '\n', '\0']) {
        return None;
    }
    Some(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// INTERNALDATE (RFC 3501 `date-time`, zone included) in UTC: ` 1-Jul-2026 08:00:00 +0200`.
pub fn internal_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_str(text.trim(), "%d-%b-%Y %H:%M:%S %z").ok().map(|at| at.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(uid: u32, size: u64) -> Listed {
        Listed { uid, size: Some(size), internal_date: DateTime::UNIX_EPOCH }
    }

    fn check_start(
        cursor: Option<(u32, u32)>,
        uid_validity: u32,
        uid_next: Option<u32>,
        from: u32,
        rescan: bool,
    ) {
        let cursor = cursor.map(|(uid_validity, next_uid)| Cursor { uid_validity, next_uid });
        let got = start(cursor, Standing { exists: 3, uid_validity, uid_next });
        assert_eq!(got, Start { from, rescan });
    }

    #[test]
    fn a_folder_never_read_is_read_from_its_start() {
        check_start(None, 7, Some(9), 1, false);
    }

    #[test]
    fn reading_goes_on_where_it_left_off() {
        check_start(Some((7, 5)), 7, Some(9), 5, false);
        check_start(Some((7, 5)), 7, None, 5, false);
        check_start(Some((7, 9)), 7, Some(9), 9, false);
    }

    #[test]
    fn a_renumbered_folder_is_read_again() {
        check_start(Some((6, 5)), 7, Some(9), 1, true);
    }

    #[test]
    fn a_falling_uidnext_means_a_restored_folder() {
        check_start(Some((7, 12)), 7, Some(9), 1, true);
    }

    fn check_batches(sizes: &[u64], expected: &[usize]) {
        let listed: Vec<_> = (1..).zip(sizes).map(|(uid, size)| mail(uid, *size)).collect();
        let lengths: Vec<_> = batches(&listed).iter().map(|b| b.len()).collect();
        assert_eq!(lengths, expected);
    }

    #[test]
    fn batches_hold_at_most_a_hundred_mails() {
        check_batches(&[2_000; 250], &[100, 100, 50]);
        check_batches(&[], &[]);
    }

    #[test]
    fn batches_hold_at_most_eight_mebibytes() {
        check_batches(&[1 << 20; 20], &[8, 8, 4]);
    }

    #[test]
    fn a_large_mail_travels_alone() {
        check_batches(&[10, 50 << 20, 10, 10], &[1, 1, 2]);
        check_batches(&[50 << 20, 50 << 20], &[1, 1]);
    }

    #[test]
    fn a_mail_of_unknown_size_travels_alone() {
        let unknown = Listed { size: None, ..mail(2, 0) };
        let listed = [mail(1, 10), unknown.clone(), mail(3, 10)];
        assert_eq!(batches(&listed).len(), 3);
        assert_eq!(large(std::slice::from_ref(&unknown)), Some(&unknown));
    }

    #[test]
    fn uid_sets_join_runs() {
        assert_eq!(uid_set(&[3, 1, 2, 7, 9, 10]), "1:3,7,9:10");
        assert_eq!(uid_set(&[u32::MAX, u32::MAX - 1]), "4294967294:4294967295");
        assert_eq!(uid_set(&[]), "");
    }

    #[test]
    fn strings_cannot_break_out_of_their_quotes() {
        assert_eq!(quoted(r#"a"b\c"#), Some(r#""a\"b\\c""#.into()));
        assert_eq!(quoted("a\r\nb LOGOUT"), None);
    }

    #[test]
    fn arrival_times_come_in_utc_whatever_their_zone() {
        let at = |text: &str| internal_date(text).map(|at| at.to_rfc3339());
        assert_eq!(at(" 1-Jul-2026 08:00:00 +0200").as_deref(), Some("2026-07-01T06:00:00+00:00"));
        assert_eq!(at("31-Dec-2026 20:30:00 -0330").as_deref(), Some("2027-01-01T00:00:00+00:00"));
        assert_eq!(at("yesterday"), None);
    }
}

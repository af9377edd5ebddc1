//! What goes through a sieve is read as the whole would be, and nothing makes it grow.

use super::*;
use crate::letters::{Letter, Trust, read, read_skeleton};
use proptest::prelude::*;

fn sieve(raw: &[u8], limits: Limits, piece: usize) -> Skeleton {
    let mut sieve = Sieve::new(limits);
    raw.chunks(piece.max(1)).for_each(|piece| sieve.push(piece));
    sieve.finish()
}

/// Next to nothing is kept of files.
const TINY: Limits = Limits { file: 40, files: 100_000, all: 1 << 20 };

/// What went is read as if it were there.
fn check(raw: &[u8], limits: Limits, piece: usize) -> Skeleton {
    let skeleton = sieve(raw, limits, piece);
    let trust = Trust { border_host: Some("mx.example"), ..Trust::default() };
    assert_eq!(shown(read_skeleton(&skeleton, &trust)), shown(read(raw, &trust)), "{skeleton:?}");
    skeleton
}

fn shown(letter: Letter) -> String {
    serde_json::to_string_pretty(&letter).expect("JSON")
}

const FILE: &str = "Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n";

fn mixed(parts: &[&str]) -> String {
    let parts: String = parts.iter().map(|part| format!("--b\r\n{part}\r\n")).collect();
    format!(
        "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\nold program\r\n{parts}--b--\r\n"
    )
}

#[test]
fn a_large_file_goes_and_everything_else_stays() {
    let file = format!("{FILE}{}", "QUJD\r\n".repeat(1000));
    let raw = mixed(&["Content-Type: text/plain\r\n\r\nYES", &file, "Content-Type: text/html\r\n\r\n<p>YES"]);
    let skeleton = check(raw.as_bytes(), TINY, 7);
    assert!(skeleton.bytes.len() < 400 && !skeleton.cut, "{} bytes", skeleton.bytes.len());
    let bytes = "ABC".repeat(1000);
    let hash = ring::digest::digest(&ring::digest::SHA256, bytes.as_bytes());
    let [gone] = &skeleton.gone[..] else { panic!("{:?}", skeleton.gone) };
    assert_eq!((gone.size, gone.hash.as_ref().map(|hash| &hash[..])), (3000, Some(hash.as_ref())));
    assert!(skeleton.bytes[gone.at..].starts_with(b"\r\n--b"));
}

#[test]
fn the_hash_is_of_what_the_file_is_whatever_it_travelled_as() {
    for (encoding, body) in [("7bit", "12\r\n34\t\r\n\r\n"), ("quoted-printable", "1=\r\n2\r\n34=09\r\n")] {
        let file = format!(
            "Content-Type: image/x\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{}",
            body.repeat(20)
        );
        let skeleton = check(mixed(&[&file]).as_bytes(), TINY, 5);
        let kept = sieve(mixed(&[&file]).as_bytes(), Limits::READ, 5);
        assert_eq!(kept.gone, []);
        let tree = mime::parse(&kept.bytes);
        let bytes = tree.root.children[0].bytes(1 << 20);
        let hash = ring::digest::digest(&ring::digest::SHA256, &bytes);
        assert_eq!(skeleton.gone[0].size, bytes.len());
        assert_eq!(skeleton.gone[0].hash.as_ref().map(|hash| &hash[..]), Some(hash.as_ref()));
    }
}

#[test]
fn what_has_no_end_is_bounded_and_said() {
    let endless = format!("From: a@b\r\n{FILE}{}", "Q".repeat(30 << 20));
    let skeleton = check(endless.as_bytes(), Limits::READ, 1 << 20);
    assert!(skeleton.bytes.len() < 1000, "one line of thirty megabytes");
    let header = format!("From: a@b\r\nX: {}\r\nTo: c@d\r\n\r\nYES", "x".repeat(30 << 20));
    let skeleton = sieve(header.as_bytes(), Limits::READ, 1 << 20);
    assert!(skeleton.bytes.len() < 2 << 20, "a header without end");
    assert_eq!(read_skeleton(&skeleton, &Trust::default()).text, "YES");
    let fields = format!("From: a@b\r\n{}\r\nYES", "X: y\r\n".repeat(1 << 20));
    check(fields.as_bytes(), Limits::READ, 1 << 20);
    let text = format!("From: a@b\r\n\r\nYES\r\n{}", "word\r\n".repeat(3 << 20));
    let skeleton = check(text.as_bytes(), Limits::READ, 1 << 20);
    assert!(skeleton.bytes.len() < (1 << 20) + (64 << 10), "a text that is cut");
    let parts = "--b\r\nX: y\r\n\r\nz\r\n".repeat(1 << 20);
    let parts = format!("From: a@b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{parts}");
    let skeleton = sieve(parts.as_bytes(), Limits::READ, 1 << 20);
    assert!(skeleton.cut && skeleton.bytes.len() <= Limits::READ.all, "a million parts");
    let letter = read_skeleton(&skeleton, &Trust::default());
    assert!(letter.problems.iter().any(|problem| problem.contains("too large")), "{:?}", letter.problems);
}

#[test]
fn ten_thousand_nested_parts_are_read_as_far_as_ever() {
    let mut raw = "From: a@b.example\r\n".to_owned();
    for n in 0..10_000 {
        raw += &format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n");
    }
    let skeleton = check(raw.as_bytes(), Limits::READ, 1000);
    assert!(skeleton.bytes.len() < 300_000);
}

#[test]
fn long_texts_are_cut_where_reading_ends() {
    for (encoding, line) in
        [("8bit", "word \u{e9}\r\n"), ("quoted-printable", "w=C3=A9=\r\n"), ("base64", "d29yZAo=\r\n")]
    {
        let text = format!("Content-Transfer-Encoding: {encoding}\r\n\r\n{}", line.repeat(400_000));
        let html = format!("Content-Type: text/html\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{line}");
        check(mixed(&[&text, &html]).as_bytes(), Limits::READ, 100_000);
    }
}

#[test]
fn white_space_that_ends_a_header_is_of_the_body() {
    for media in ["message/rfc822", "image/png", "text/plain"] {
        let part = format!("Content-Type: {media}\n \t\n\u{e9}t\u{e9}{}", "\r\n\u{e9}".repeat(100));
        check(mixed(&[&part]).as_bytes(), TINY, 9);
    }
}

#[test]
fn a_form_in_a_file_is_read_out_of_a_large_mail() {
    let file = format!(
        "Content-Type: text/plain; name=form.txt\r\nContent-Disposition: attachment\r\n\r\n1. Name: Ann\r\n{}",
        "x\r\n".repeat(90_000)
    );
    let other = format!("{FILE}{}", "QUJD\r\n".repeat(2 << 20));
    let raw = mixed(&["Content-Type: text/plain\r\n\r\nattached", &other, &file]);
    let sheet = |limits| crate::letters::form::sheet_of_skeleton(&sieve(raw.as_bytes(), limits, 1 << 19));
    let whole = crate::letters::form::sheet(raw.as_bytes());
    assert_eq!(whole.pages.len(), 2);
    assert_eq!(sheet(Limits::FORMS), whole);
    assert_eq!(sheet(Limits::READ).unread.len(), 2, "what is not there is too large");
}

#[test]
fn documents_go_by_as_they_are_and_nothing_else_does() {
    let picture = "Content-Type: image/png; name=logo.png\r\nContent-ID: <x>\r\n\r\nlogo";
    let seal = "Content-Type: application/pgp-signature; name=s.asc\r\n\r\nseal";
    let file = format!("{FILE}{}", "QUJD\r\n".repeat(50_000));
    let text =
        "Content-Type: text/csv\r\nContent-Disposition: attachment; filename=\"l i.csv\"\r\n\r\na;b\r\nc;d";
    let raw = mixed(&["Content-Type: text/plain\r\n\r\nwith", picture, &file, seal, text]);
    for piece in [100, 1 << 20] {
        let mut sieve = Sieve::showing(Limits::READ);
        let (mut names, mut bytes, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
        for piece in raw.as_bytes().chunks(piece) {
            sieve.push(piece);
            for passing in sieve.passed() {
                match passing {
                    Passing::Begins { name, media } => {
                        names.push(format!("{name} {media}"));
                        bytes.push(Vec::new());
                    }
                    Passing::Bytes(more) => bytes.last_mut().expect("it began").extend(more),
                    Passing::Ends { hash } => hashes.push(hash),
                }
            }
        }
        assert_eq!(names, ["a.pdf application/pdf", "l i.csv text/csv"]);
        assert!(bytes[0] == b"ABC".repeat(50_000) && bytes[1] == b"a;b\r\nc;d");
        let hash = |bytes: &[u8]| ring::digest::digest(&ring::digest::SHA256, bytes).as_ref().to_vec();
        assert_eq!(hashes.iter().map(|h| h.to_vec()).collect::<Vec<_>>(), [hash(&bytes[0]), hash(&bytes[1])]);
    }
}

/// Parts of every kind, as programs and enemies write them.
fn part() -> impl Strategy<Value = String> {
    let media = prop_oneof![
        Just("text/plain"),
        Just("text/plain; name=a.txt"),
        Just("text/html"),
        Just("application/pdf"),
        Just("message/delivery-status"),
        Just("message/rfc822"),
        Just("text/rfc822-headers"),
        Just("multipart/mixed; boundary=b"),
        Just("multipart/mixed; boundary=bb"),
        Just("multipart/digest"),
        Just("nonsense"),
    ];
    let encoding = prop_oneof![Just("7bit"), Just("base64"), Just("quoted-printable"), Just("x-uuencode")];
    let line = prop_oneof![
        Just("YES".to_owned()),
        Just("--b".to_owned()),
        Just("--bb".to_owned()),
        Just("--b--".to_owned()),
        Just("--other".to_owned()),
        Just("From: c@d.example".to_owned()),
        Just("Message-ID: <x@y>".to_owned()),
        Just("Content-Type: image/png; name=\"p.png\"".to_owned()),
        Just("Content-Disposition: attachment; filename=f".to_owned()),
        Just("From somebody".to_owned()),
        Just(" \t".to_owned()),
        Just("\u{e9}t\u{e9}".to_owned()),
        Just(String::new()),
        "[ -~]{0,60}",
        "[A-Za-z0-9+/=]{60}",
    ];
    let end = prop_oneof![Just("\r\n"), Just("\n")];
    (media, encoding, proptest::collection::vec((line, end), 0..30)).prop_map(|(media, encoding, lines)| {
        let body: String = lines.into_iter().map(|(line, end)| line + end).collect();
        format!("Content-Type: {media}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn a_mail_without_its_files_is_read_as_with_them(
        parts in proptest::collection::vec(part(), 0..6),
        piece in 1..200usize,
        cut in 0..3_000usize,
    ) {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let raw = mixed(&parts);
        check(raw.as_bytes(), TINY, piece);
        let end = (0..=cut.min(raw.len())).rev().find(|end| raw.is_char_boundary(*end)).unwrap_or(0);
        check(&raw.as_bytes()[..end], TINY, piece);
    }

    #[test]
    fn any_bytes_go_through(raw in proptest::collection::vec(any::<u8>(), 0..2_000), piece in 1..200usize) {
        check(&raw, TINY, piece);
    }
}

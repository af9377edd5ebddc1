//! Reading never fails: any bytes give a letter, the same one each time, within bounds; and a quote below the
//! author's words never changes what they say.

use atlarged::letters::{self, Class, Letter, Trust};
use proptest::prelude::*;

fn read(raw: &[u8]) -> Letter {
    letters::read(
        raw,
        &Trust {
            authserv_id: Some("mx.clerk.example"),
            border_host: Some("mx.clerk.example"),
            ..Trust::default()
        },
    )
}

const SEEDS: &[&str] = &[
    "From: a@b.example\r\nSubject: Re: x\r\nContent-Type: multipart/alternative; \
    boundary=b\r\n\r\n--b\r\n\r\nYES\r\n\
     --b\r\nContent-Type: text/html\r\n\r\n<div>YES<blockquote>NO</blockquote></div>\r\n--b--\r\n",
    "Return-Path: <>\nFrom: MAILER-DAEMON@x.example\nContent-Type: multipart/report; \
    report-type=delivery-status; \
     boundary=c\n\n--c\n\nfailed\n--c\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n\
     Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1\n--c--\n",
    "From: =?utf-8?B?0JDQvdC90LA=?= <a@b.example>\nTo: clerk+abcdefghijklmnopqrstuvwxyz234567@c.example\n\
     Content-Type: text/plain; charset=koi8-r; format=flowed\nContent-Transfer-Encoding: quoted-printable\n\n\
     =E4=C1 \nok\n\n20.08.2026 10:15, X =D0=C9=DB=C5=D4:\n> =EE=C5=D4\n",
    "From: a@b.example\nContent-Type: text/html; charset=gb2312\n\n<p>\u{540c}\u{610f}<p \
    style='display:none'>no</p>\
     <table><tr><td>x<td>y</table><script>z</script>&amp;&#x4e2d;",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_give_a_letter(raw in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        prop_assert_eq!(read(&raw), read(&raw));
    }

    #[test]
    fn any_text_gives_a_letter(head in "[ -~\n:<>@=?;\"]{0,200}", body in "\\PC{0,400}") {
        let raw = format!("From: a@b.example\n{head}\n\n{body}");
        prop_assert_eq!(read(raw.as_bytes()), read(raw.as_bytes()));
    }

    #[test]
    fn any_damage_gives_a_letter(
        seed in 0..SEEDS.len(),
        at in 0..400usize,
        cut in 0..40usize,
        put in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut raw = SEEDS[seed].as_bytes().to_vec();
        let at = at.min(raw.len());
        let end = (at + cut).min(raw.len());
        raw.splice(at..end, put);
        prop_assert_eq!(read(&raw), read(&raw));
    }

    #[test]
    fn a_quote_below_never_changes_the_choice(
        own in proptest::collection::vec(proptest::sample::select(WORDS), 1..8),
        breaks in proptest::collection::vec(proptest::sample::select(BREAKS), 8),
        quote in 0..QUOTES.len(),
    ) {
        let text: String = own.iter().zip(breaks).flat_map(|(w, b)| [*w, b]).collect();
        let head = "From: Ann <ann@member.example>\nSubject: Re: vote\nContent-Type: text/plain; \
        charset=utf-8\n\n";
        let bare = read(format!("{head}{text}").as_bytes());
        let with = read(format!("{head}{text}\n\n{}", QUOTES[quote]).as_bytes());
        prop_assert_eq!(bare.answer.choice, with.answer.choice, "{:?} {:?}", bare.answer, with.answer);
        prop_assert_eq!(bare.commands, with.commands);
    }
}

const WORDS: &[&str] = &[
    "yes",
    "YES",
    "no",
    "I vote no",
    "abstain",
    "oui",
    "non",
    "s\u{ed}",
    "sim",
    "n\u{e3}o",
    "\u{434}\u{430}",
    "\u{43d}\u{435}\u{442}",
    "\u{662f}",
    "\u{5426}",
    "\u{5f03}\u{6743}",
    "\u{646}\u{639}\u{645}",
    "\u{644}\u{627}",
    "I agree",
    "thanks",
    "if",
    "the motion",
    "Ann",
    "Regards",
    "hello",
    "HELP",
    "-- ",
    "Sent from my iPhone",
    "1",
    "what",
    "never",
];
const BREAKS: &[&str] = &[" ", "\n", "\n\n", ", ", ". ", "? ", "! "];
const QUOTES: &[&str] = &[
    "On Thu, Aug 20, 2026 at 10:15 AM Clerk <clerk@c.example> wrote:\n\n> YES\n> NO\n> ABSTAIN\n> HELP\n",
    "-----Original Message-----\nFrom: Clerk <clerk@c.example>\nSent: Thursday, August 20, 2026\nTo: Ann\n\
     Subject: vote\n\nYES\n\nNO\n\nHELP\n",
    "________________________________\nDe : Clerk <clerk@c.example>\nEnvoy\u{e9} : jeudi 20 ao\u{fb}t 2026 \
    10:15\n\
     \u{c0} : Ann\nObjet : vote\n\nOUI\n\nNON\n",
    "> NO\n> YES\n",
    "\u{5728} 2026\u{5e74}8\u{6708}20\u{65e5}\u{ff0c}\u{4e0a}\u{5348}10:15\u{ff0c}Clerk <clerk@c.example> \
    \u{5199}\u{9053}\u{ff1a}\n\n> \u{662f}\n",
];

#[test]
fn ten_thousand_nested_parts_a_megabyte_of_headers_and_eight_of_body_are_read() {
    let mut nested = Vec::from(&b"From: a@b.example\n"[..]);
    for i in 0..10_000 {
        nested.extend(format!("Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n").bytes());
    }
    let letter = read(&nested);
    assert!(letter.problems.iter().any(|p| p.contains("too deep")), "{:?}", letter.problems);

    let mut wide = Vec::from(&b"From: a@b.example\n"[..]);
    wide.extend(b"X-Long: y\n".repeat(100_000));
    wide.extend(b"\nYES\n");
    let letter = read(&wide);
    assert_eq!(letter.text, "YES");
    assert!(letter.problems.iter().any(|p| p.contains("header")), "{:?}", letter.problems);

    let mut long = Vec::from(&b"From: a@b.example\n\nYES\n\n"[..]);
    long.extend(b"some words of the author, and more of them\n".repeat(200_000));
    let letter = read(&long);
    assert_eq!(letter.class, Class::Reply);
    assert!(letter.text.len() <= 4 << 20);
    assert!(letter.problems.iter().any(|p| p.contains("too long")), "{:?}", letter.problems);
}

#[test]
fn what_is_no_mail_is_unreadable() {
    for raw in [&b""[..], b"\n\n", b"\x89PNG\r\n\x1a\n\0\0\0", b"just some words\n"] {
        let letter = read(raw);
        assert_eq!(letter.class, Class::Unreadable);
        assert!(!letter.problems.is_empty());
        assert_eq!(letter.answer.choice, None);
    }
}

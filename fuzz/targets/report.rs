//! Any bytes as a report of delivery: home-made, by its machine-readable part, and around a returned mail. No
//! report ever votes.
#![no_main]

use atlarged_fuzz::read;

libfuzzer_sys::fuzz_target!(|raw: &[u8]| {
    let head: &[u8] =
        b"Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nTo: clerk@clerk.example\nSubject: Undelivered\n";
    let report: &[u8] =
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b-7f3a91\n\n--b-7f3a91\n\nfailed\n";
    let status: &[u8] =
        b"--b-7f3a91\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n";
    let mail: &[u8] = b"--b-7f3a91\nContent-Type: message/rfc822\n\n";
    for body in [
        [head, b"\n", raw].concat(),
        [head, report, status, raw].concat(),
        [head, report, mail, raw].concat(),
    ] {
        let letter = read(&body);
        assert!(letter.answer.choice.is_none() && letter.commands.is_empty(), "a report votes");
    }
});

//! Any bytes as a page: alone, beside a plain text, and inside a quote container that it may close.
#![no_main]

use atlarged::kernel::choice::Choice;
use atlarged_fuzz::read;

libfuzzer_sys::fuzz_target!(|raw: &[u8]| {
    let head: &[u8] = b"From: Ann Member <ann@member.example>\nSubject: Re: vote\nMIME-Version: 1.0\n";
    let page: &[u8] = b"Content-Type: text/html; charset=utf-8\n\n";
    read(&[head, page, raw].concat());

    let beside: &[u8] =
        b"Content-Type: multipart/alternative; boundary=b-7f3a91\n\n--b-7f3a91\n\nYES\n--b-7f3a91\n";
    let both = read(&[head, beside, page, raw, b"\n--b-7f3a91--\n"].concat());
    if !raw.windows(8).any(|at| at == b"b-7f3a91") {
        let choice = both.answer.choice;
        assert!(choice.is_none_or(|choice| choice == Choice::Yes), "the page outvotes the text: {choice:?}");
    }

    if !raw.contains(&b'<') {
        let inside = [head, page, b"<blockquote>", raw, b"</blockquote>"].concat();
        assert!(read(&inside).answer.choice.is_none(), "an answer out of a quote container");
    }
});

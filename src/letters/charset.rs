//! Bytes to text, whatever the label says.

use encoding_rs::{Encoding, GB18030, UTF_8, WINDOWS_1252};

/// Decodes by the label where it is known and the bytes agree with it. Labels lie: bytes that are valid UTF-8
/// with letters beyond ASCII are taken for UTF-8 whatever a single-byte label says.
pub fn decode(bytes: &[u8], label: Option<&str>) -> String {
    let label = label.unwrap_or("").trim().trim_matches(['"', '\'']);
    let stateful = ["utf-7", "unicode-1-1-utf-7", "hz-gb-2312"].iter().any(|l| label.eq_ignore_ascii_case(l));
    if stateful || label.len() > 40 {
        return mail_parser::decoders::charsets::map::charset_decoder(label.as_bytes())
            .map_or_else(|| guess(bytes), |decode| decode(bytes));
    }
    let encoding = Encoding::for_label(label.as_bytes());
    if encoding.is_none_or(|e| e == UTF_8 || e.is_single_byte())
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return text.strip_prefix('\u{feff}').unwrap_or(text).to_string();
    }
    match encoding {
        Some(e) if e == UTF_8 => guess(bytes),
        Some(e) => e.decode(bytes).0.into_owned(),
        None => match mail_parser::decoders::charsets::map::charset_decoder(label.as_bytes()) {
            Some(decode) if !label.is_empty() => decode(bytes),
            _ => guess(bytes),
        },
    }
}

/// Text of unlabelled bytes: UTF-8 if they are, GB 18030 if they are that without a flaw and hold mostly
/// double bytes, else Windows-1252.
pub fn guess(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_string();
    }
    let high = bytes.iter().filter(|&&b| b >= 0x80).count();
    let invalid = String::from_utf8_lossy(bytes);
    let broken = invalid.matches('\u{fffd}').count();
    if broken * 10 < high {
        return invalid.into_owned();
    }
    let pairs = bytes.windows(2).filter(|w| w[0] >= 0xa1 && w[1] >= 0xa1).count();
    if high >= 4 && pairs * 4 >= high * 3 {
        let (text, _, flawed) = GB18030.decode(bytes);
        if !flawed {
            return text.into_owned();
        }
    }
    WINDOWS_1252.decode(bytes).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_lie_and_labels_nobody_knows() {
        assert_eq!(decode("da \u{2713}".as_bytes(), Some("iso-8859-1")), "da \u{2713}");
        assert_eq!(decode(b"\xc4\xc1", Some("koi8-r")), "\u{434}\u{430}");
        assert_eq!(decode(b"caf\xe9", Some("x-unheard-of")), "caf\u{e9}");
        assert_eq!(decode(b"caf\xe9", None), "caf\u{e9}");
        assert_eq!(decode(b"\xcd\xac\xd2\xe2", None), "\u{540c}\u{610f}");
    }
}

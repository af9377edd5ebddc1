//! Ballots filled in by hand: "[x] YES  [ ] NO  [ ] ABSTAIN".

/// A box and whether it is ticked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tick {
    /// Where it starts and ends in the text.
    start: usize,
    end: usize,
    on: bool,
}

/// Boxes looked at.
const MAX_BOXES: usize = 40;

/// The words beside the one ticked box of a text with two boxes or more. Nothing if there are no boxes; an
/// empty string if none or several are ticked.
pub fn ticked(text: &str) -> Option<String> {
    if text.is_ascii() && memchr::memchr2(b'[', b'(', text.as_bytes()).is_none() {
        return None;
    }
    let boxes = boxes(text);
    if boxes.len() < 2 {
        return None;
    }
    let mut on = boxes.iter().enumerate().filter(|(_, b)| b.on);
    let (Some((n, tick)), None) = (on.next(), on.next()) else { return Some(String::new()) };
    let line_start = |at: usize| text[..at].rfind('\n').map_or(0, |i| i + 1);
    let line_end = |at: usize| text[at..].find('\n').map_or(text.len(), |i| at + i);
    let leads = text[line_start(boxes[0].start)..boxes[0].start].trim().is_empty();
    let words = if leads {
        let until = boxes.get(n + 1).map_or(text.len(), |b| b.start).min(line_end(tick.end));
        &text[tick.end..until]
    } else {
        let from = if n == 0 { 0 } else { boxes[n - 1].end }.max(line_start(tick.start));
        &text[from..tick.start]
    };
    Some(words.trim().to_string())
}

fn boxes(text: &str) -> Vec<Tick> {
    let mut found = Vec::new();
    for (start, open) in text.char_indices() {
        if found.len() >= MAX_BOXES {
            break;
        }
        let close = match open {
            '\u{2610}' | '\u{2611}' | '\u{2612}' => {
                found.push(Tick { start, end: start + open.len_utf8(), on: open != '\u{2610}' });
                continue;
            }
            '[' => ']',
            '(' => ')',
            '\u{ff08}' => '\u{ff09}',
            '\u{3010}' => '\u{3011}',
            _ => continue,
        };
        let from = start + open.len_utf8();
        let Some((length, _)) = text[from..].char_indices().take(8).find(|(_, c)| *c == close) else {
            continue;
        };
        let inside = text[from..from + length].trim();
        let on = ["x", "X", "\u{445}", "\u{425}", "\u{d7}", "\u{2713}", "\u{2714}", "\u{221a}", "*"]
            .contains(&inside);
        if on || inside.chars().all(|c| c == '_') {
            found.push(Tick { start, end: from + length + close.len_utf8(), on });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::ticked;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(ticked(text).as_deref(), expected, "{text}");
    }

    #[test]
    fn the_one_ticked_box_speaks() {
        check("[ ] YES\n[x] NO\n[ ] ABSTAIN", Some("NO"));
        check("YES [ ] NO [ ] ABSTAIN [X]", Some("ABSTAIN"));
        check("\u{2610} oui \u{2611} non", Some("non"));
        check("[x] YES\n[x] NO", Some(""));
        check("[ ] YES\n[ ] NO", Some(""));
        check("Yes (really)", None);
    }
}

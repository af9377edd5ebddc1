//! Blocks of header lines above a quote: From, Sent, To and Subject in many languages, and in those nobody
//! listed by their form alone; Lotus Notes' own kind.

use super::attribution::{Found, bare, has_time, has_when};
use super::fold::{fold, is_invisible};
use super::quote::{Line, mark};
use super::words::{Words, label};

/// A whole block of header lines run together on one line, as some programs flatten it.
pub fn inline_block(text: &str, words: &Words) -> bool {
    let mut kinds: Vec<u8> = Vec::new();
    let head = text.char_indices().nth(1_000).map_or(text, |(n, _)| &text[..n]);
    for (colon, _) in head.match_indices([':', '\u{ff1a}']) {
        let before = &head[..colon];
        let start = before
            .rfind(|c: char| !(c.is_alphabetic() || is_invisible(c)))
            .map_or(0, |n| n + before[n..].chars().next().map_or(1, char::len_utf8));
        if let Some(kind) = words.labels.look_up(&before[start..]) {
            kinds.push(*kind);
        }
    }
    distinct(&kinds) >= 3 && head.contains('@')
}

/// The kinds of header a line could be the label of, and its value.
pub fn header<'a>(text: &'a str, words: &Words) -> Option<(u8, &'a str)> {
    if text.is_ascii() && memchr::memchr2(b':', b'|', &text.as_bytes()[..text.len().min(64)]).is_none() {
        return None;
    }
    let barred = text.trim_start().starts_with('|');
    let text = bare(text);
    let table = |c: char| matches!(c, ':' | '\u{ff1a}') || (c == '|' && barred);
    let colon = text.char_indices().take(40).find(|(_, c)| table(*c))?.0;
    let name = text[..colon].trim_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '_' | '[' | ']'));
    if name.is_empty() {
        return None;
    }
    let kinds = *words.labels.look_up(name)?;
    let value = text[colon..].trim_start_matches([':', '\u{ff1a}', '*', '|']).trim();
    Some((kinds, value))
}

/// A run of header lines: at least two kinds that fit one mail, with a sender or a date among them.
pub fn block(lines: &[Line<'_>], i: usize, words: &Words) -> Option<Found> {
    let Some((first, _)) = header(lines[i].text, words) else {
        return unnamed(lines, i).or_else(|| stacked(lines, i, words));
    };
    if first & (label::FROM | label::DATE | label::SUBJECT | label::TO) == 0 {
        return None;
    }
    let mut seen: Vec<u8> = Vec::new();
    let (mut address, mut date) = (false, false);
    let (mut end, mut n, mut loose) = (i, i, 0);
    while n < lines.len() && n < i + 40 && seen.len() < 12 {
        if lines[n].fixed && lines[n].part != lines[i].part {
            break;
        }
        if lines[n].is_blank() {
            let next = (n + 1 < lines.len()).then(|| header(lines[n + 1].text, words)).flatten();
            if next.is_none() || seen.len() >= 4 {
                break;
            }
        } else if let Some((kinds, value)) = header(lines[n].text, words) {
            let kinds = if seen.contains(&kinds) { 0 } else { kinds };
            if kinds == 0 && seen.len() >= 3 {
                break;
            }
            address |= value.contains('@') && kinds & (label::FROM | label::TO) != 0;
            date |= kinds & label::DATE != 0 && has_when(value);
            seen.push(kinds);
            end = n + 1;
            loose = 0;
        } else {
            loose += 1;
            if loose > 4 || lines[n].text.chars().count() > 400 {
                break;
            }
        }
        n += 1;
    }
    let kinds = distinct(&seen);
    let from = seen.iter().any(|k| k & label::FROM != 0);
    let when = seen.iter().any(|k| k & label::DATE != 0);
    let sure = match kinds {
        0 | 1 => false,
        2 => (from && (address || date)) || (date && when && address),
        _ => (from || when) && (address || date || kinds >= 4),
    };
    if !sure && kinds >= 2 && !from && first & label::TO != 0 {
        let start = notes(lines, i)?;
        return Some(Found { start: letterhead(lines, start).unwrap_or(start), end, forward: false });
    }
    let titled = i > 0 && !lines[i - 1].fixed && {
        let title = fold(lines[i - 1].text.trim());
        has_when(&title) && words.original.words().any(|o| title.starts_with(o))
    };
    if !sure {
        return unnamed(lines, i);
    }
    let start = letterhead(lines, i).unwrap_or(i - usize::from(titled));
    Some(Found { start, end, forward: false })
}

/// What Lotus Notes puts above its block: "Ann Bee ---08/20/2026 10:15:04---Subject", or the name of a firm above
/// "From:  Ann Bee    08/20/2026 10:15 AM".
fn letterhead(lines: &[Line<'_>], i: usize) -> Option<usize> {
    const FORMS: &[&str] =
        &["corp.", "corp", "inc.", "inc", "ltd.", "ltd", "llc", "company", "gmbh", "limited"];
    let told = (i.saturating_sub(3)..i).rev().find(|&n| !lines[n].is_blank());
    let ruled = |text: &str| text.split("---").nth(1).is_some_and(|when| has_time(when) && has_when(when));
    if let Some(n) = told.filter(|&n| !lines[n].fixed && ruled(lines[n].text)) {
        return Some(n);
    }
    let dated = has_time(lines[i].text) && lines[i].text.contains("   ");
    let above = (i.saturating_sub(3)..i).rev().find(|&n| !lines[n].is_blank()).filter(|_| dated)?;
    let text = fold(lines[above].text.trim());
    let firm = text.len() <= 60 && FORMS.iter().any(|f| text.ends_with(f));
    (firm && !lines[above].fixed && (above == 0 || lines[above - 1].is_blank())).then_some(above)
}

/// A block whose labels nobody listed: four lines or more of "Label: value", the first with an address in
/// angle brackets, one of the next with a time of day.
fn unnamed(lines: &[Line<'_>], i: usize) -> Option<Found> {
    let labelled = |line: &Line<'_>| {
        let text = bare(line.text);
        let (name, value) = text.split_once([':', '\u{ff1a}'])?;
        let short = !name.is_empty() && name.len() <= 60 && name.split_whitespace().count() <= 3;
        let plain = !name.contains(|c: char| c.is_numeric() || matches!(c, '@' | '<' | '/' | '.' | ','));
        (short && plain && !value.trim().is_empty()).then(|| value.trim().to_string())
    };
    if !(lines[i].holds(mark::AT) && lines[i].holds(mark::WIDE)) {
        return None;
    }
    let first = labelled(&lines[i]).filter(|v| v.ends_with('>') && v.contains('<'))?;
    let run = lines[i..].iter().take(8).map_while(|l| if l.fixed { None } else { labelled(l) });
    let values: Vec<String> = run.collect();
    let dated = values.iter().skip(1).any(|v| has_time(v) && has_when(v));
    let block = values.len() >= 4 && dated && first.contains('@');
    block.then_some(Found { start: i, end: i + values.len(), forward: false })
}

/// A header that lost its table: "Ann Bee <ann@x>", when, and below them "To", "cc" and "Subject", each alone on
/// its line above its value.
fn stacked(lines: &[Line<'_>], i: usize, words: &Words) -> Option<Found> {
    if !(lines[i].holds(mark::AT) && bare(lines[i].text).ends_with('>')) {
        return None;
    }
    let filled: Vec<usize> = (i + 1..lines.len().min(i + 16)).filter(|&n| !lines[n].is_blank()).collect();
    let when = bare(lines[*filled.first()?].text);
    if !(has_when(when) && has_time(when) && when.len() <= 40) {
        return None;
    }
    let label = |n: &&usize| words.labels.look_up(bare(lines[**n].text)).copied();
    let found: Vec<(usize, u8)> = filled.iter().filter_map(|n| Some((*n, label(&n)?))).collect();
    let kinds: Vec<u8> = found.iter().map(|f| f.1).collect();
    let subject = found.iter().find(|f| f.1 & label::SUBJECT != 0)?.0;
    let end = filled.iter().find(|&&n| n > subject).map_or(subject, |n| *n) + 1;
    (distinct(&kinds) >= 2).then_some(Found { start: i, end, forward: false })
}

/// Lotus Notes writes who and when above To, cc and Subject: "Ann Bee", "08/20/2026 10:15 AM", or both on one
/// line.
fn notes(lines: &[Line<'_>], i: usize) -> Option<usize> {
    let mut start = None;
    for n in (i.saturating_sub(5)..i).rev() {
        let line = &lines[n];
        let text = line.text.trim();
        if line.fixed || text.chars().count() > 90 || text.ends_with(['.', '?', '!']) {
            break;
        }
        if line.is_blank() {
            if start.is_some() {
                break;
            }
            continue;
        }
        let dated = has_when(text) && text.contains(['/', '.']) && text.contains(':');
        let above = start.is_some_and(|s: usize| s - n <= 2 && text.chars().count() <= 50);
        if !(above || (dated && start.is_none())) {
            break;
        }
        start = Some(n);
    }
    start
}

/// How many different kinds of header the labels can stand for at most, one each.
fn distinct(seen: &[u8]) -> usize {
    let mut used = 0u8;
    let mut count = 0;
    for kinds in seen {
        let free = kinds & !used;
        if free != 0 {
            used |= free & free.wrapping_neg();
            count += 1;
        }
    }
    count
}

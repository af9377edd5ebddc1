//! The words of one language that are not sentences of a template: answers, command words, patterns of
//! dates, separators; and what they do to times, numbers, lists and plurals. `templates/_words/<lang>.toml`.

use chrono::{DateTime, Datelike, Locale, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The names of a list shown at most; the rest is counted.
const LIST_MAX: usize = 120;

/// One `_words` file, as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The locale of month and weekday names: "fr_FR".
    locale: String,
    /// strftime patterns: a date, a date with weekday and time of day, a day without its year and a time.
    date: String,
    time: String,
    day_time: String,
    /// Whether names of weekdays and months, capital in the locale's table, are written small.
    #[serde(default)]
    small_names: bool,
    /// What stands for `%-d` on the first of a month, where that differs.
    first_day: Option<String>,
    /// Between the items of a list, and before the last.
    list: String,
    list_last: String,
    /// Around an addition to what stands before it, where that is not " (" and ")".
    brackets: Option<(String, String)>,
    /// "and {n} more", after a list cut short.
    list_more: String,
    /// "{n} characters left out", after a text cut short.
    left_out: String,
    /// Between thousands.
    thousands: String,
    /// Above this line people write.
    reply_above: String,
    /// The words people may answer with, by their English constant in lower case.
    words: BTreeMap<String, String>,
    /// What the seven languages are called, by code.
    languages: BTreeMap<String, String>,
}

/// The words of one language, checked.
#[derive(Debug)]
pub(super) struct Words {
    file: File,
    locale: Locale,
    plural: fn(u64) -> &'static str,
}

impl Words {
    /// Reads a `_words` file. The error says what is wrong with it.
    pub(super) fn parse(code: &str, text: &str) -> Result<Words, String> {
        let file: File = toml::from_str(text).map_err(|e| e.to_string())?;
        let locale = Locale::try_from(file.locale.as_str())
            .map_err(|_| format!("locale {:?} is unknown; write it like \"fr_FR\"", file.locale))?;
        Ok(Words { file, locale, plural: plural_rule(code) })
    }

    /// The word people answer with: `word("yes")` is "OUI".
    pub(super) fn word(&self, constant: &str) -> Option<&str> {
        self.file.words.get(constant).map(String::as_str)
    }

    pub(super) fn language(&self, code: &str) -> Option<&str> {
        self.file.languages.get(code).map(String::as_str)
    }

    pub(super) fn reply_above(&self) -> &str {
        &self.file.reply_above
    }

    pub(super) fn left_out(&self, characters: usize) -> String {
        self.file.left_out.replace("{n}", &self.number(characters as i64))
    }

    /// What an addition stands in: " (UTC)", "（UTC）".
    pub(super) fn bracketed(&self, addition: &str) -> String {
        match &self.file.brackets {
            Some((open, close)) => format!("{open}{addition}{close}"),
            None => format!(" ({addition})"),
        }
    }

    /// "Tuesday 1 December 2026, 13:00 Europe/Paris (12:00 UTC)"; the day is repeated before UTC where it
    /// is another one there.
    pub(super) fn time(&self, at: DateTime<Utc>, zone: Tz) -> String {
        let local = at.with_timezone(&zone);
        let pattern = self.pattern(&self.file.time, local.day());
        let shown = local.format_localized(&pattern, self.locale).to_string();
        let shown = if self.file.small_names { shown.to_lowercase() } else { shown };
        if zone == Tz::UTC {
            return format!("{shown}\u{a0}UTC");
        }
        let same_day = local.date_naive() == at.date_naive();
        let pattern = if same_day { "%H:%M".to_owned() } else { self.pattern(&self.file.day_time, at.day()) };
        let place = zone.name().replace('_', " ");
        let utc = format!("{}\u{a0}UTC", at.format_localized(&pattern, self.locale));
        format!("{shown} {place}{}", self.bracketed(&utc))
    }

    /// "1 December 2026".
    pub(super) fn date(&self, day: NaiveDate) -> String {
        let noon = day.and_hms_opt(12, 0, 0).unwrap_or_default().and_utc();
        noon.format_localized(&self.pattern(&self.file.date, day.day()), self.locale).to_string()
    }

    fn pattern(&self, pattern: &str, day: u32) -> String {
        match &self.file.first_day {
            Some(first) if day == 1 => pattern.replace("%-d", first),
            _ => pattern.to_owned(),
        }
    }

    /// "12 345", grouped as the language does; four digits stay together.
    pub(super) fn number(&self, n: i64) -> String {
        let digits = n.unsigned_abs().to_string();
        let mut out = String::from(if n < 0 { "-" } else { "" });
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && digits.len() > 4 && (digits.len() - i).is_multiple_of(3) {
                out.push_str(&self.file.thousands);
            }
            out.push(digit);
        }
        out
    }

    /// What stands between the items of a list.
    pub(super) fn separator(&self) -> &str {
        &self.file.list
    }

    /// "A, B and C".
    pub(super) fn join(&self, items: &[String]) -> String {
        if items.len() > LIST_MAX {
            let more = self.file.list_more.replace("{n}", &self.number((items.len() - LIST_MAX) as i64));
            return format!("{} {more}", items[..LIST_MAX].join(&self.file.list));
        }
        match items {
            [] => String::new(),
            [one] => one.clone(),
            [most @ .., last] => format!("{}{}{last}", most.join(&self.file.list), self.file.list_last),
        }
    }

    /// The CLDR plural category of a whole number: "one", "few", "many", "other"…
    pub(super) fn plural(&self, n: i64) -> &'static str {
        (self.plural)(n.unsigned_abs())
    }
}

/// The CLDR rules for whole numbers.
fn plural_rule(code: &str) -> fn(u64) -> &'static str {
    match code {
        "fr" | "pt" => |n| if n < 2 { "one" } else { "other" },
        "ru" => |n| match (n % 10, n % 100) {
            (1, tens) if tens != 11 => "one",
            (2..=4, tens) if !(12..=14).contains(&tens) => "few",
            _ => "many",
        },
        "ar" => |n| match (n, n % 100) {
            (0, _) => "zero",
            (1, _) => "one",
            (2, _) => "two",
            (_, 3..=10) => "few",
            (_, 11..) => "many",
            _ => "other",
        },
        "zh" => |_| "other",
        _ => |n| if n == 1 { "one" } else { "other" },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(code: &str) -> Words {
        let text = super::super::embedded(&format!("_words/{code}.toml")).expect("every language has words");
        Words::parse(code, text).unwrap()
    }

    fn check_time(code: &str, at: &str, zone: &str, expected: &str) {
        let shown = words(code).time(at.parse().unwrap(), zone.parse().unwrap());
        assert_eq!(shown.replace('\u{a0}', " "), expected);
    }

    #[test]
    fn a_time_is_local_first_and_utc_in_parentheses() {
        let noon = "2026-12-01T12:00:00Z";
        check_time("en", noon, "Europe/Dublin", "Tuesday 1 December 2026, 12:00 Europe/Dublin (12:00 UTC)");
        check_time("fr", noon, "Africa/Dakar", "mardi 1er décembre 2026 à 12:00 Africa/Dakar (12:00 UTC)");
        check_time("en", noon, "UTC", "Tuesday 1 December 2026, 12:00 UTC");
        check_time(
            "es",
            "2026-12-02T02:30:00Z",
            "America/Bogota",
            "martes, 1 de diciembre de 2026, 21:30 America/Bogota (2 de diciembre, 02:30 UTC)",
        );
        check_time(
            "pt",
            noon,
            "America/Sao_Paulo",
            "terça, 1º de dezembro de 2026, 09:00 America/Sao Paulo (12:00 UTC)",
        );
        check_time(
            "ru",
            noon,
            "Europe/Moscow",
            "вторник, 1 декабря 2026 г., 15:00 Europe/Moscow (12:00 UTC)",
        );
        check_time("zh", noon, "Asia/Shanghai", "2026年12月1日（星期二）20:00 Asia/Shanghai（12:00 UTC）");
        check_time(
            "ar",
            noon,
            "Africa/Cairo",
            "الثلاثاء 1 ديسمبر 2026، الساعة 14:00 Africa/Cairo (12:00 UTC)",
        );
    }

    #[test]
    fn plurals_follow_cldr() {
        let categories = |code: &str, numbers: &[i64]| -> Vec<&str> {
            let words = words(code);
            numbers.iter().map(|n| words.plural(*n)).collect()
        };
        assert_eq!(
            categories("ru", &[1, 2, 5, 11, 12, 21, 24, 111]),
            ["one", "few", "many", "many", "many", "one", "few", "many"]
        );
        assert_eq!(
            categories("ar", &[0, 1, 2, 3, 10, 11, 99, 100, 103]),
            ["zero", "one", "two", "few", "few", "many", "many", "other", "few"]
        );
        assert_eq!(categories("fr", &[0, 1, 2]), ["one", "one", "other"]);
        assert_eq!(categories("en", &[0, 1, 2]), ["other", "one", "other"]);
        assert_eq!(categories("zh", &[1]), ["other"]);
    }

    #[test]
    fn lists_and_numbers_are_written_as_the_language_does() {
        let items: Vec<String> = ["A", "B", "C"].map(str::to_owned).into();
        assert_eq!(words("en").join(&items), "A, B and C");
        assert_eq!(words("zh").join(&items), "A、B和C");
        assert_eq!(words("ar").join(&items[..2]), "A وB");
        assert_eq!(words("fr").join(&items[..1]), "A");
        assert_eq!(words("en").number(1_234_567), "1,234,567");
        assert_eq!(words("es").number(-1234), "-1234");
        let many: Vec<String> = (0..LIST_MAX + 3).map(|i| i.to_string()).collect();
        assert!(words("en").join(&many).ends_with(" and 3 more"));
    }
}

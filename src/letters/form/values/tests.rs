//! Answers of every kind, in seven languages.

use super::*;
use crate::kernel::form::{Amount, Country, Person};
use crate::kernel::language::Language;

fn field(kind: &str, options: &[(&str, &str)]) -> Field {
    let words = |text: &str| {
        let pairs: Vec<String> = Language::ALL.iter().map(|l| format!("{l} = \"{text}\"")).collect();
        format!("{{ {} }}", pairs.join(", "))
    };
    let mut text = format!(
        "id = \"x\"\nkind = {kind}\nrequired = true\nsees = \"public\"\nlabel = {}\nhelp = {}\n",
        words("X"),
        words("Help")
    );
    for (id, label) in options {
        text.push_str(&format!("[[option]]\nid = \"{id}\"\nlabel = {}\n", words(label)));
    }
    toml::from_str(&text).unwrap()
}

fn check(kind: &str, text: &str, expected: Value) {
    assert_eq!(read(&field(kind, &[]), text), Ok(Meant::Value(expected)), "{text}");
}

fn check_trouble(kind: &str, text: &str, expected: Why) {
    let found = read(&field(kind, &[]), text);
    assert_eq!(found.as_ref().map_err(|t| t.why), Err(expected), "{text}");
}

#[test]
fn numbers_are_read_as_they_are_written_in_seven_languages() {
    let exact = [
        ("200", 200),
        ("200 members", 200),
        ("1,200", 1200),
        ("1.200 miembros", 1200),
        ("1 200 membres", 1200),
        ("1\u{202f}200", 1200),
        ("1'200", 1200),
        ("12,345,678", 12_345_678),
        ("٢٠٠", 200),
        ("١٬٢٠٠ عضو", 1200),
        ("۲۰۰", 200),
        ("２００", 200),
        ("两百", 200),
        ("二百人", 200),
        ("一千五百", 1500),
        ("三万二千", 32_000),
        ("3万", 30_000),
        ("1.5万", 15_000),
        ("十二", 12),
        ("1.5 thousand", 1500),
        ("2 тыс.", 2000),
        ("3 mil", 3000),
        ("5 آلاف", 5000),
        ("2k", 2000),
        ("1,5 million", 1_500_000),
        ("0", 0),
    ];
    for (text, n) in exact {
        check("\"number\"", text, Value::Number(Amount::exactly(n)));
    }
}

#[test]
fn about_and_ranges_are_kept_as_such() {
    let about = |n| Value::Number(Amount { low: n, high: n, about: true });
    let texts = [
        "about 200",
        "environ 200",
        "unos 200",
        "cerca de 200",
        "около 200",
        "约200",
        "大约两百人",
        "200人左右",
        "حوالي ٢٠٠",
        "~200",
        "200+",
        "plus de 200 membres",
        "more than 200",
        "до 200",
        "超过200",
    ];
    for text in texts {
        check("\"number\"", text, about(200));
    }
    let range = |low, high, about| Value::Number(Amount { low, high, about });
    let ranges = [
        "150-200",
        "150 – 200",
        "150 to 200",
        "between 150 and 200 members",
        "entre 150 et 200",
        "150 à 200",
        "de 150 a 200",
        "entre 150 y 200",
        "de 150 até 200",
        "от 150 до 200",
        "150至200",
        "150到200人",
        "من ١٥٠ إلى ٢٠٠",
        "بين 150 و 200",
    ];
    for text in ranges {
        check("\"number\"", text, range(150, 200, false));
    }
    check("\"number\"", "about 150 to 200", range(150, 200, true));
    check("\"number\"", "2-3 тыс.", range(2000, 3000, false));
}

#[test]
fn numbers_that_could_be_others_are_asked_back() {
    check_trouble("\"number\"", "200 in 2020, 300 now", Why::ManyNumbers);
    check_trouble("\"number\"", "200-100", Why::ManyNumbers);
    for text in ["many", "50%", "1.5", "一些", "99999999999999999999", "beaucoup", "几百", "des milliers"]
    {
        check_trouble("\"number\"", text, Why::NoNumber);
    }
}

#[test]
fn yes_and_no_are_told_from_nothing() {
    for text in ["Yes", "oui", "Sí", "sim", "да", "是", "نعم", "Yes, the board knows.", "✓"] {
        check("\"yes-no\"", text, Value::YesNo(true));
    }
    for text in ["No", "non", "não", "нет", "否", "لا"] {
        check("\"yes-no\"", text, Value::YesNo(false));
    }
    check_trouble("\"yes-no\"", "perhaps", Why::NeitherYesNorNo);
    check_trouble("\"yes-no\"", "yes or no", Why::NeitherYesNorNo);
    for text in ["-", "—", "none", "Aucun", "ninguno", "nenhum", "нет", "无", "لا يوجد", "n/a"] {
        assert_eq!(read(&field("\"url\"", &[]), text), Ok(Meant::Nothing), "{text}");
    }
}

#[test]
fn addresses_and_links_are_found_among_words() {
    let email = |text: &str| Value::Email(text.to_owned());
    check("\"email\"", "Ann <Ann@Example.ORG>", email("Ann@example.org"));
    check("\"email\"", "ann@example.org <mailto:ann@example.org>", email("ann@example.org"));
    check("\"email\"", "邮箱：ann＠example.org。", email("ann@example.org"));
    check("\"email\"", "почта@пример.рф", email("почта@пример.рф"));
    check_trouble("\"email\"", "a@x.org, b@x.org", Why::ManyAddresses);
    for text in ["ann at example.org", "ann@", "@example.org", "ann@localhost", "a..b@x.org"] {
        check_trouble("\"email\"", text, Why::NoAddress);
    }
    let url = |text: &str| Value::Url(text.to_owned());
    check("\"url\"", "www.example.org", url("https://www.example.org"));
    check("\"url\"", "Our page: HTTP://Example.org/A_b?c=1.", url("http://example.org/A_b?c=1"));
    check("\"url\"", "www.example.org <http://www.example.org/>", url("https://www.example.org"));
    check_trouble("\"url\"", "a.org and b.org", Why::ManyLinks);
    for text in ["javascript:alert(1)", "https://user@evil.example/", "nowhere", "http://x", "ftp://a.org"] {
        check_trouble("\"url\"", text, Why::NoLink);
    }
}

#[test]
fn countries_are_known_by_all_their_names() {
    let country = |code: &str| Value::Country(Country::from_code(code).unwrap());
    for country in Country::all() {
        for language in Language::ALL {
            let name = country.name(language);
            let read = read(&field("\"country\"", &[]), name);
            assert_eq!(read, Ok(Meant::Value(Value::Country(country))), "{name}");
        }
    }
    let names = [
        ("SN", "senegal"),
        ("SN", "Dakar, Sénégal"),
        ("SN", "SEN"),
        ("PG", "Papua New Guinea"),
        ("PG", "We are in Papua New Guinea."),
        ("US", "USA"),
        ("US", "США"),
        ("CI", "cote d'ivoire"),
        ("CI", "Ivory Coast"),
        ("CN", "中国北京"),
        ("GB", "UK"),
        ("DE", "Deutschland (Germany)"),
        ("EG", "القاهرة، مصر"),
        ("RU", "Россия"),
    ];
    for (code, name) in names {
        check("\"country\"", name, country(code));
    }
    check_trouble("\"country\"", "Congo", Why::ManyCountries);
    check_trouble("\"country\"", "France and Spain", Why::ManyCountries);
    check_trouble("\"country\"", "Atlantis", Why::NoCountry);
    check_trouble("\"country\"", "no idea", Why::NoCountry);
}

#[test]
fn days_are_read_in_seven_languages_and_never_guessed() {
    let day = Value::Date("2024-03-05".parse().unwrap());
    let texts = [
        "2024-03-05",
        "2024/3/5",
        "5 March 2024",
        "March 5th, 2024",
        "5 mars 2024",
        "5 de marzo de 2024",
        "5 de março de 2024",
        "5 марта 2024 г.",
        "2024年3月5日",
        "٥ مارس ٢٠٢٤",
        "5 آذار 2024",
        "Tuesday, 5 Mar 2024",
    ];
    for text in texts {
        check("\"date\"", text, day.clone());
    }
    check("\"date\"", "1er décembre 2023", Value::Date("2023-12-01".parse().unwrap()));
    check("\"date\"", "1º de dezembro de 2023", Value::Date("2023-12-01".parse().unwrap()));
    check("\"date\"", "25.12.2023", Value::Date("2023-12-25".parse().unwrap()));
    check("\"date\"", "12/25/2023", Value::Date("2023-12-25".parse().unwrap()));
    check("\"date\"", "05/05/2024", Value::Date("2024-05-05".parse().unwrap()));
    check_trouble("\"date\"", "05/03/2024", Why::DayOrMonth);
    check_trouble("\"date\"", "5.3.2024", Why::DayOrMonth);
    for text in ["2024", "March 2024", "5 March", "05/03/24", "5 March 24", "2024年3月"] {
        check_trouble("\"date\"", text, Why::DateIncomplete);
    }
    for text in ["soon", "31 February 2024", "45/45/2024", "5 March 2024 to 6 April 2025"] {
        check_trouble("\"date\"", text, Why::NoDate);
    }
}

#[test]
fn options_are_chosen_by_letter_number_words_or_tick() {
    let offers = [("direct", "Write to us directly"), ("pass-on", "We pass it on"), ("waived", "Not for us")];
    let one = |text: &str| read(&field("\"choice\"", &offers), text);
    let many = |text: &str| read(&field("\"several\"", &offers), text);
    for text in [
        "b",
        "B)",
        "(b)",
        "2",
        "2.",
        "б",
        "ب",
        "乙",
        "We pass it on",
        "b) We pass it on",
        "we pass it",
        "[ ] a) Write to us directly\n[x] b) We pass it on\n[ ] c) Not for us",
    ] {
        assert_eq!(one(text), Ok(Meant::Value(Value::Choice("pass-on".into()))), "{text}");
    }
    for (text, why) in [
        ("a and b", Why::ManyOptions),
        ("a, b", Why::ManyOptions),
        ("d", Why::NoOption),
        ("hm", Why::NoOption),
    ] {
        assert_eq!(one(text).map_err(|t| t.why), Err(why), "{text}");
    }
    let both = Ok(Meant::Value(Value::Several(vec!["direct".into(), "waived".into()])));
    for text in [
        "a, c",
        "a c",
        "1; 3",
        "a and c",
        "c\na",
        "Write to us directly, not for us",
        "а и в",
        "[x] a) Write to us directly\n[ ] b) We pass it on\n[X] c) Not for us",
    ] {
        assert_eq!(many(text), both, "{text}");
    }
}

#[test]
fn people_are_read_however_they_are_listed() {
    let person = |name: &str, email: &str, role: Option<&str>| Person {
        name: name.into(),
        email: Some(email.into()),
        role: role.map(str::to_owned),
    };
    let two = vec![
        person("Ann Lee", "ann@x.org", Some("president")),
        person("Bo Chen", "bo@x.org", Some("secretary")),
    ];
    let texts = [
        "Ann Lee, ann@x.org, president\nBo Chen, bo@x.org, secretary",
        "1. Ann Lee <ann@x.org> (president)\n2. Bo Chen <bo@x.org> (secretary)",
        "- Ann Lee | president | ann@x.org\n- Bo Chen | secretary | bo@x.org",
        "Name: Ann Lee\nEmail: ann@x.org\nRole: president\n\nName: Bo Chen\nEmail: bo@x.org\nRole: secretary",
        "Ann Lee\nann@x.org\nrole: president\nBo Chen\nbo@x.org\nrole: secretary",
        "Ann Lee — president — ann@x.org；\nBo Chen — secretary — bo@x.org",
        "Nom : Ann Lee, courriel : ann@x.org, fonction : president\n\
         Nom : Bo Chen, courriel : bo@x.org, rôle : secretary",
        "姓名：Ann Lee，邮箱：ann@x.org，职务：president\n姓名：Bo Chen，邮箱：bo@x.org，职务：secretary",
        "الاسم: Ann Lee، البريد: ann@x.org، المنصب: president\nالاسم: Bo Chen، البريد: bo@x.org، المنصب: secretary",
        "ФИО: Ann Lee, почта: ann@x.org, должность: president\nФИО: Bo Chen, почта: bo@x.org, роль: secretary",
    ];
    for text in texts {
        check("{ people = { min = 2, max = 4, email = true } }", text, Value::People(two.clone()));
    }
    let kind = "{ people = { min = 2, max = 4, email = true } }";
    check_trouble(kind, "Ann Lee, ann@x.org", Why::TooFewPeople);
    check_trouble(kind, "Ann Lee, president\nBo Chen, bo@x.org", Why::PersonWithoutAddress);
    let five = "a a@x.org\nb b@x.org\nc c@x.org\nd d@x.org\ne e@x.org";
    check_trouble(kind, five, Why::TooManyPeople);
    check(
        "{ people = { min = 1, max = 4, email = false } }",
        "Ann Lee, president",
        Value::People(vec![Person { name: "Ann Lee".into(), email: None, role: Some("president".into()) }]),
    );
}

#[test]
fn texts_lose_tricks_of_direction_and_nothing_else() {
    let kind = "{ text = { max = 20 } }";
    check(kind, "  a\u{202e}b\u{0}\r\n\n\n c ", Value::Text("ab\n\nc".into()));
    check(kind, "می\u{200c}خواهم", Value::Text("می\u{200c}خواهم".into()));
    check_trouble(kind, "far more than twenty characters", Why::TooLong);
}

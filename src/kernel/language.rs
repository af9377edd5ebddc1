//! The seven languages of the At-Large community (ambiguity 35).

use serde::{Deserialize, Serialize};

/// A language people are written to in. The order is that of the documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    En,
    Fr,
    Es,
    Pt,
    Ru,
    Zh,
    Ar,
}

impl Language {
    pub const ALL: [Language; 7] =
        [Language::En, Language::Fr, Language::Es, Language::Pt, Language::Ru, Language::Zh, Language::Ar];

    /// The ISO 639-1 code: "en".
    pub fn code(self) -> &'static str {
        match self {
            Language::En => "en",
            Language::Fr => "fr",
            Language::Es => "es",
            Language::Pt => "pt",
            Language::Ru => "ru",
            Language::Zh => "zh",
            Language::Ar => "ar",
        }
    }

    /// The language of a code in any letter case, or of a longer BCP 47 tag: "pt-BR" is Portuguese.
    pub fn from_code(code: &str) -> Option<Language> {
        let primary = code.split(['-', '_']).next()?.to_ascii_lowercase();
        Language::ALL.into_iter().find(|l| l.code() == primary)
    }

    /// What its speakers call it.
    pub fn autonym(self) -> &'static str {
        match self {
            Language::En => "English",
            Language::Fr => "français",
            Language::Es => "español",
            Language::Pt => "português",
            Language::Ru => "русский",
            Language::Zh => "中文",
            Language::Ar => "العربية",
        }
    }

    /// Whether its script runs from right to left.
    pub fn is_rtl(self) -> bool {
        self == Language::Ar
    }
}

impl std::fmt::Display for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

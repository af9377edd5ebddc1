//! A header section that goes through a sieve, by the rules of `headers::Headers::split`.

use crate::letters::headers::{is_blank, is_name};

/// The section in hand.
#[derive(Debug, Default)]
pub(super) struct Section {
    /// Where in the skeleton it begins.
    pub(super) at: usize,
    /// What it is of where it says nothing.
    pub(super) default: &'static str,
    fields: usize,
    /// Where the last line begins, if that is of white space alone, under a field.
    loose: Option<usize>,
}

/// What a line is to a section.
pub(super) enum Told {
    /// Of it.
    Goes,
    /// The empty line at its end.
    Over,
    /// The body's first or, where white space stood between, its second; the body begins here in the skeleton.
    Body { at: usize },
}

impl Section {
    pub(super) fn new(at: usize, default: &'static str) -> Section {
        Section { at, default, fields: 0, loose: None }
    }

    /// `at`: where in the skeleton the line would stand. `start`: it is no later piece of a long line.
    pub(super) fn told(&mut self, line: &[u8], start: bool, at: usize) -> Told {
        if !start {
            return Told::Goes;
        }
        let first = line.first().copied().unwrap_or(b'\n');
        if let Some(at) = self.loose.take().filter(|_| !first.is_ascii()) {
            return Told::Body { at };
        }
        if is_blank(line) {
            return Told::Over;
        }
        if matches!(first, b' ' | b'\t') && self.fields > 0 {
            self.loose = line.trim_ascii().is_empty().then_some(at);
            return Told::Goes;
        }
        let separator = line.starts_with(b"From ") || line.starts_with(b">From ");
        let name = line.iter().position(|byte| *byte == b':').map(|colon| line[..colon].trim_ascii_end());
        match name {
            Some(name) if is_name(name) => {
                self.fields += 1;
                Told::Goes
            }
            Some(_) if separator && self.fields < 2 => Told::Goes,
            None if separator && self.fields == 0 => Told::Goes,
            _ => Told::Body { at },
        }
    }
}

//! What a page's styles say of a text: that nobody sees it, or that it is struck through.
//!
//! Enough of CSS to find what mail is hidden with, and no more: declarations, and sheets whose selectors are one
//! class or one id. Nothing is computed; what is not understood is seen.

use std::collections::HashSet;

/// Characters of one element's style that are looked at.
const MAX_STYLE: usize = 2_000;
/// Bytes of a page's sheets that are looked at.
pub const MAX_SHEET: usize = 64 << 10;
/// Pixels beyond which a text has left the page.
const FAR: f32 = 400.0;

/// The declarations of one element, in lower case and without white space.
#[derive(Debug, Default)]
pub struct Style(String);

impl Style {
    pub fn new(style: &str) -> Style {
        let kept = style.chars().take(MAX_STYLE).filter(|c| !c.is_whitespace());
        Style(kept.flat_map(char::to_lowercase).collect())
    }

    /// Whether these letters stand anywhere in it.
    pub fn contains(&self, what: &str) -> bool {
        self.0.contains(what)
    }

    /// The value of a property; the last counts.
    fn value(&self, property: &str) -> Option<&str> {
        let found = self.0.rsplit(';').find_map(|d| d.strip_prefix(property)?.strip_prefix(':'))?;
        Some(found.trim_end_matches("!important"))
    }

    /// The number a value starts with.
    fn number(&self, property: &str) -> Option<f32> {
        let value = self.value(property)?;
        let end = value.find(|c: char| !matches!(c, '0'..='9' | '.' | '-')).unwrap_or(value.len());
        value[..end].parse().ok()
    }

    /// Whether a reader's eye passes over the text.
    pub fn hides(&self) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let is = |property: &str, value: &str| self.value(property) == Some(value);
        let zero = |property: &str| self.number(property) == Some(0.0);
        let tiny = self.number("font-size").is_some_and(|size| {
            size <= 0.0 || (size <= 1.0 && self.value("font-size").is_some_and(|v| v.ends_with(['x', 't'])))
        });
        is("display", "none")
            || is("visibility", "hidden")
            || is("mso-hide", "all")
            || tiny
            || self.number("opacity").is_some_and(|part| part <= 0.05)
            || ((zero("max-height") || zero("height") || zero("max-width") || zero("width"))
                && is("overflow", "hidden"))
            || self.is_away()
            || self.is_unseen()
    }

    /// Moved off the page, or cut to nothing.
    fn is_away(&self) -> bool {
        let far = |property: &str| self.number(property).is_some_and(|n| n <= -FAR);
        let placed = matches!(self.value("position"), Some("absolute" | "fixed"));
        far("text-indent")
            || (placed && ["left", "top", "right", "bottom"].into_iter().any(far))
            || (placed && self.value("clip").is_some_and(|clip| clip.starts_with("rect(0")))
    }

    /// Written in the color of its own ground; white on nothing is white on white.
    fn is_unseen(&self) -> bool {
        let Some(color) = self.value("color").map(color) else { return false };
        match self.value("background-color").or_else(|| self.value("background")) {
            Some(ground) => self::color(ground) == color,
            None => color == "#fff" && !self.contains("background"),
        }
    }

    /// Whether the text is struck through.
    pub fn strikes(&self) -> bool {
        let decoration = self.value("text-decoration-line").or_else(|| self.value("text-decoration"));
        decoration.is_some_and(|value| value.contains("line-through"))
    }
}

/// The spellings of white and black as one.
fn color(value: &str) -> &str {
    match value {
        "white" | "#ffffff" | "rgb(255,255,255)" | "rgba(255,255,255,1)" => "#fff",
        "black" | "#000000" | "rgb(0,0,0)" | "rgba(0,0,0,1)" => "#000",
        other => other,
    }
}

/// Classes and ids that a page's sheets hide: ".name" and "#name".
#[derive(Debug, Default)]
pub struct Sheet(HashSet<String>);

impl Sheet {
    /// Takes in a sheet. What holds for some screens only is left out.
    pub fn add(&mut self, sheet: &str) {
        let mut rest = sheet;
        while let Some(open) = rest.find('{') {
            let selectors = rest[..open].rsplit(['}', ';']).next().unwrap_or_default();
            let selectors = selectors.rsplit("*/").next().unwrap_or_default().trim();
            if selectors.starts_with('@') {
                rest = after_block(&rest[open + 1..]);
                continue;
            }
            let end = rest[open..].find('}').map_or(rest.len(), |n| open + n);
            if Style::new(&rest[open + 1..end]).hides() {
                self.0.extend(selectors.split(',').filter_map(simple));
            }
            rest = &rest[end..];
        }
    }

    /// Whether an element of these classes and this id is hidden.
    pub fn hides(&self, classes: &str, id: &str) -> bool {
        let named = |mark: char, name: &str| self.0.contains(&format!("{mark}{name}"));
        !self.0.is_empty()
            && (classes.split_ascii_whitespace().any(|class| named('.', class))
                || (!id.is_empty() && named('#', id)))
    }
}

/// A selector of one class or id, whatever element it asks for.
fn simple(selector: &str) -> Option<String> {
    let selector = selector.trim();
    let at = selector.find(['.', '#'])?;
    let (element, name) = selector.split_at(at);
    let plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    (plain(element) && plain(&name[1..]) && name.len() > 1).then(|| name.to_owned())
}

/// What follows a block whose inside this starts with.
fn after_block(text: &str) -> &str {
    let mut depth = 1_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[at + 1..];
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(style: &str, hides: bool) {
        assert_eq!(Style::new(style).hides(), hides, "{style}");
    }

    #[test]
    fn text_nobody_sees_is_told_from_text_that_merely_looks_odd() {
        for style in [
            "display: none",
            "color:red; DISPLAY : none !important",
            "visibility:hidden",
            "font-size:0",
            "font-size: 0px; line-height: 0",
            "font-size:1px",
            "opacity:0",
            "opacity: 0.01",
            "mso-hide:all",
            "max-height:0px;overflow:hidden",
            "height:0;overflow:hidden",
            "color:#FFF",
            "color: white; background-color: #ffffff",
            "color:#123456;background:#123456",
            "text-indent:-9999px",
            "position:absolute; left:-5000px",
            "position:absolute;clip:rect(0,0,0,0)",
        ] {
            check(style, true);
        }
        for style in [
            "",
            "display:block",
            "font-size:1em",
            "font-size:100%",
            "font-size:0.9em",
            "font-size:10pt",
            "opacity:1",
            "opacity:.8",
            "color:white;background:#1e1e1e",
            "color:#ffffff; background-color: rgb(30,30,30)",
            "color:black",
            "max-height:0",
            "text-indent:-18.0pt",
            "margin-left:-500px",
            "position:relative;left:-1px",
        ] {
            check(style, false);
        }
        assert!(Style::new("text-decoration: line-through").strikes());
        assert!(!Style::new("text-decoration: underline").strikes());
    }

    #[test]
    fn sheets_hide_by_class_and_id() {
        let mut sheet = Sheet::default();
        sheet.add(
            "<!-- p{margin:0} .a, span.b { display:none } @media screen { .c{display:none} .d{x:y} } #e{opacity:0}
             /* x */ .f .g{display:none} .h{color:red}",
        );
        for (class, id, hides) in [
            ("a", "", true),
            ("x b", "", true),
            ("c", "", false),
            ("d", "", false),
            ("", "e", true),
            ("g", "", false),
            ("h", "", false),
            ("", "", false),
        ] {
            assert_eq!(sheet.hides(class, id), hides, "{class} {id}");
        }
        Sheet::default().add("{{{{ } .x{ @{ display:none");
    }
}

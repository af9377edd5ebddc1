//! Markdown as HTML for mail programs: few elements, styles in place, nothing fetched from anywhere. Raw HTML
//! in the Markdown is shown, never passed on.

use super::clean::{ISOLATE, POP, isolate_runs};
use pulldown_cmark::{Event, HeadingLevel, Tag, TagEnd};

const BUTTON: &str = "display:inline-block;margin:4px 6px 4px 0;padding:12px 22px;border-radius:6px;\
    background:#0b5cad;color:#ffffff;border:1px solid #0b5cad;font-weight:bold;text-decoration:none";

/// Letters of a code that fit on one line of any phone: such a word is never torn.
const WHOLE: usize = 24;

struct Writer {
    out: String,
    rtl: bool,
    /// The line break after a button is left out: buttons stand side by side where there is room.
    after_button: bool,
    buttons: Vec<bool>,
    /// How many block quotes are open: somebody's own text, each line in its own direction.
    quotes: u32,
}

/// The HTML of a piece of Markdown that was read.
pub(super) fn of(events: &[Event<'_>], rtl: bool) -> String {
    let mut writer = Writer { out: String::new(), rtl, after_button: false, buttons: Vec::new(), quotes: 0 };
    for event in events {
        writer.event(event);
    }
    writer.out
}

/// A whole page around the pieces: the line to answer above, the letter, the small print.
pub(super) fn page(title: &str, lang: &str, rtl: bool, top: &str, letter: &str, foot: &str) -> String {
    let dir = if rtl { "rtl" } else { "ltr" };
    let title = escape(title);
    let small = "font-size:13px;opacity:0.75";
    let top = if top.is_empty() { String::new() } else { format!("<div style=\"{small}\">{top}</div>\n") };
    format!(
        "<!DOCTYPE html>\n<html lang=\"{lang}\" dir=\"{dir}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n</head>\n\
         <body dir=\"{dir}\" style=\"margin:0;padding:16px;font-family:-apple-system,'Segoe UI',Roboto,\
         'Noto Sans','Helvetica Neue',Arial,sans-serif;font-size:16px;line-height:1.5\">\n\
         <div lang=\"{lang}\" dir=\"{dir}\" style=\"max-width:600px;margin:0 auto\">\n{top}{letter}\
         <div style=\"margin-top:24px;padding-top:8px;border-top:1px solid #999999;{small}\">\n{foot}</div>\n\
         </div>\n</body>\n</html>\n"
    )
}

impl Writer {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(*tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => {
                let after = std::mem::take(&mut self.after_button);
                let text = if after { text.trim_start() } else { text };
                self.words(text);
            }
            Event::Code(code) => {
                let long = code.split(' ').any(|word| word.len() > WHOLE);
                let breaks = if long { ";word-break:break-all" } else { "" };
                self.out.push_str(&format!("<code dir=\"ltr\" style=\"font-size:14px{breaks}\">"));
                self.out.push_str(&escape(code));
                self.out.push_str("</code>");
            }
            Event::SoftBreak => self.out.push('\n'),
            Event::HardBreak => {
                self.out.push_str(if std::mem::take(&mut self.after_button) { "\n" } else { "<br>\n" });
            }
            Event::Rule => self.out.push_str("<hr>\n"),
            _ => {}
        }
    }

    fn words(&mut self, text: &str) {
        let text = if self.quotes > 0 { text.into() } else { isolate_runs(text, self.rtl) };
        for c in text.chars() {
            match c {
                ISOLATE => self.out.push_str("<bdi>"),
                POP => self.out.push_str("</bdi>"),
                c => push_escaped(&mut self.out, c),
            }
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        let open = match tag {
            Tag::Paragraph if self.quotes > 0 => {
                "<p dir=\"auto\" style=\"margin:6px 0;unicode-bidi:plaintext\">"
            }
            Tag::Paragraph => "<p style=\"margin:0 0 14px\">",
            Tag::Heading { level: HeadingLevel::H1, .. } => {
                "<h1 style=\"font-size:20px;margin:18px 0 10px\">"
            }
            Tag::Heading { .. } => "<h2 style=\"font-size:17px;margin:18px 0 8px\">",
            Tag::BlockQuote(_) => {
                self.quotes += 1;
                "<blockquote style=\"margin:0 0 14px;padding:4px 14px;\
                 border-inline-start:3px solid #999999\">\n"
            }
            Tag::CodeBlock(_) => "<pre dir=\"ltr\" style=\"white-space:pre-wrap;margin:0 0 14px\">",
            Tag::List(None) => "<ul style=\"margin:0 0 14px;padding-inline-start:22px\">\n",
            Tag::List(Some(first)) => {
                let style = "margin:0 0 14px;padding-inline-start:26px";
                self.out.push_str(&format!("<ol start=\"{first}\" style=\"{style}\">\n"));
                return;
            }
            Tag::Item => "<li>",
            Tag::Emphasis => "<em>",
            Tag::Strong => "<strong>",
            Tag::Link { dest_url, title, .. } => {
                let button = title.starts_with("mailto:");
                let style = if button { format!(" style=\"{BUTTON}\"") } else { String::new() };
                self.out.push_str(&format!("<a href=\"{}\"{style}>", escape(dest_url)));
                self.buttons.push(button);
                return;
            }
            _ => return,
        };
        self.out.push_str(open);
    }

    fn end(&mut self, tag: TagEnd) {
        let close = match tag {
            TagEnd::Paragraph => "</p>\n",
            TagEnd::Heading(HeadingLevel::H1) => "</h1>\n",
            TagEnd::Heading(_) => "</h2>\n",
            TagEnd::BlockQuote(_) => {
                self.quotes = self.quotes.saturating_sub(1);
                "</blockquote>\n"
            }
            TagEnd::CodeBlock => "</pre>\n",
            TagEnd::List(ordered) => {
                if ordered {
                    "</ol>\n"
                } else {
                    "</ul>\n"
                }
            }
            TagEnd::Item => "</li>\n",
            TagEnd::Emphasis => "</em>",
            TagEnd::Strong => "</strong>",
            TagEnd::Link => {
                self.after_button = self.buttons.pop().unwrap_or(false);
                "</a>"
            }
            _ => return,
        };
        self.out.push_str(close);
    }
}

/// Text as HTML text or an attribute's value.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    text.chars().for_each(|c| push_escaped(&mut out, c));
    out
}

fn push_escaped(out: &mut String, c: char) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        c => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::read;
    use super::*;

    fn html(markdown: &str, rtl: bool) -> String {
        of(&read(markdown), rtl)
    }

    #[test]
    fn raw_html_is_shown_and_never_passed_on() {
        let shown =
            html("a <script>x</script>\n\n<div onclick=\"y\">z</div>\n\n[l](https://x/\"><b>)", false);
        assert!(!shown.contains("<script") && !shown.contains("<div") && !shown.contains("<b>"), "{shown}");
        assert!(shown.contains("&lt;script&gt;"), "{shown}");
    }

    #[test]
    fn isolates_become_bdi() {
        assert_eq!(html("أجب YES الآن", true), "<p style=\"margin:0 0 14px\">أجب <bdi>YES</bdi> الآن</p>\n");
    }

    #[test]
    fn a_command_is_not_torn_within_a_word_and_a_hash_may_be() {
        assert!(!html("`atlarged quarantine list`", true).contains("break-all"));
        assert!(html(&format!("`{}`", "a1".repeat(32)), true).contains("break-all"));
    }

    #[test]
    fn buttons_stand_side_by_side() {
        let shown = html("[A](mailto:a \"mailto:a\")\\\n[B](mailto:b \"mailto:b\")", false);
        assert!(!shown.contains("<br>"), "{shown}");
        assert_eq!(shown.matches("background:").count(), 2, "{shown}");
    }
}

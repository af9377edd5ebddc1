//! Markdown as plain text, for the text part of a mail: no marks, lists with dashes, quotes with `>`.

use super::clean::{ISOLATE, POP, isolate_runs};
use pulldown_cmark::{Event, Parser, Tag, TagEnd, TextMergeStream};

/// What stands before the lines of the blocks that are open.
#[derive(Default)]
struct Writer {
    out: String,
    /// Put before every line: "> " of quotes, spaces of list items.
    prefixes: Vec<String>,
    /// The numbers of the open lists; none for bullets.
    lists: Vec<Option<u64>>,
    /// A list item's mark, until its first words come.
    mark: Option<String>,
    /// Whether the next block starts after an empty line.
    gap: bool,
    at_line_start: bool,
    links: Vec<Link>,
    quotes: u32,
    rtl: bool,
}

struct Link {
    url: String,
    button: bool,
    starts: usize,
}

/// The plain text of a piece of Markdown, lines ended by `\n`, blocks parted by empty lines.
pub(super) fn text(markdown: &str, rtl: bool) -> String {
    of(&read(markdown), rtl)
}

/// A piece of Markdown, read once for all the ways it is written.
pub(super) fn read(markdown: &str) -> Vec<Event<'_>> {
    TextMergeStream::new(Parser::new(markdown)).collect()
}

/// As `text`, of what was read.
pub(super) fn of(events: &[Event<'_>], rtl: bool) -> String {
    let mut writer = Writer { at_line_start: true, rtl, ..Writer::default() };
    for event in events {
        writer.event(event);
    }
    writer.end_line();
    writer.out
}

impl Writer {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(*tag),
            // A quoted line finds its own direction from its first letter.
            Event::Text(text) if self.quotes > 0 => self.words(text),
            Event::Text(text) => self.words(&isolate_runs(text, self.rtl)),
            Event::Code(code) => self.words(&apart(code, self.rtl)),
            Event::Html(text) | Event::InlineHtml(text) => self.words(text),
            Event::SoftBreak => self.words(" "),
            Event::HardBreak => self.end_line(),
            Event::Rule => {
                self.block();
                self.words("----");
                self.close();
            }
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::Heading { .. } | Tag::CodeBlock(_) | Tag::HtmlBlock => self.block(),
            Tag::BlockQuote(_) => {
                self.block();
                self.quotes += 1;
                self.prefixes.push("> ".to_owned());
            }
            Tag::List(first) => {
                self.end_line();
                self.gap |= self.lists.is_empty() && !self.out.is_empty();
                self.lists.push(*first);
            }
            Tag::Item => self.item(),
            Tag::Link { dest_url, title, .. } => {
                let button = title.starts_with("mailto:");
                let url = if button { title.to_string() } else { dest_url.to_string() };
                self.links.push(Link { url, button, starts: self.out.len() });
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::CodeBlock | TagEnd::HtmlBlock => self.close(),
            TagEnd::BlockQuote(_) => {
                self.quotes = self.quotes.saturating_sub(1);
                self.end_line();
                self.prefixes.pop();
                self.gap = true;
            }
            TagEnd::List(_) => {
                self.end_line();
                self.lists.pop();
                self.gap = self.lists.is_empty();
            }
            TagEnd::Item => {
                self.end_line();
                self.prefixes.pop();
                self.gap = false;
            }
            TagEnd::Link => self.end_link(),
            _ => {}
        }
    }

    fn item(&mut self) {
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{}. ", *number - 1)
            }
            _ => "- ".to_owned(),
        };
        self.end_line();
        self.leave_gap();
        self.prefixes.push(" ".repeat(mark.len()));
        self.mark = Some(mark);
    }

    /// "words <address>"; the address alone where the words are the address.
    fn end_link(&mut self) {
        let Some(link) = self.links.pop() else { return };
        let shown = self.out.get(link.starts..).unwrap_or_default();
        if shown.replace([ISOLATE, POP], "").trim_start_matches(['>', ' ']) == link.url {
            return;
        }
        let parting = if link.button { ": " } else { " " };
        let address = apart(&format!("<{}>", link.url), self.rtl);
        self.words(&format!("{parting}{address}"));
    }

    /// A block begins: on a line of its own, after an empty one if another block came before.
    fn block(&mut self) {
        self.end_line();
        self.leave_gap();
    }

    fn close(&mut self) {
        self.end_line();
        self.gap = true;
    }

    fn leave_gap(&mut self) {
        if std::mem::take(&mut self.gap) && !self.out.is_empty() {
            let prefix = self.prefixes.concat();
            self.out.push_str(prefix.trim_end());
            self.out.push('\n');
        }
    }

    fn end_line(&mut self) {
        if !self.at_line_start {
            let kept = self.out.trim_end_matches(' ').len();
            self.out.truncate(kept);
            self.out.push('\n');
            self.at_line_start = true;
        }
    }

    fn words(&mut self, words: &str) {
        for (i, line) in words.split('\n').enumerate() {
            if i > 0 {
                self.end_line();
            }
            if line.is_empty() {
                continue;
            }
            if self.at_line_start {
                let mark = self.mark.take();
                let last = self.prefixes.len().saturating_sub(usize::from(mark.is_some()));
                self.out.push_str(&self.prefixes[..last].concat());
                self.out.push_str(mark.as_deref().unwrap_or_default());
                self.at_line_start = false;
            }
            self.out.push_str(line);
        }
    }
}

/// Addresses and codes run from left to right wherever they stand.
fn apart(text: &str, rtl: bool) -> String {
    if rtl { format!("{ISOLATE}{text}{POP}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_parted_by_one_empty_line() {
        let markdown = "# Head\n\nOne **two**\nthree.\n\n- a\n- b\n  more\n\n1. x\n2. y\n\n\
                        > q\\\n> r\n>\n> s\n\n---\nend";
        let expected =
            "Head\n\nOne two three.\n\n- a\n- b more\n\n1. x\n2. y\n\n> q\n> r\n>\n> s\n\n----\n\nend\n";
        assert_eq!(text(markdown, false), expected);
    }

    #[test]
    fn links_show_where_they_lead() {
        assert_eq!(text("See [here](https://a.example/x).", false), "See here <https://a.example/x>.\n");
        assert_eq!(text("<https://a.example/x>", false), "https://a.example/x\n");
        assert_eq!(text("[YES](mailto:a?subject=b \"mailto:a\")\\\nx", false), "YES: <mailto:a>\nx\n");
    }

    #[test]
    fn escaped_marks_and_html_come_out_as_written() {
        assert_eq!(text(r"\*a\* \<b\> \[x\]\(y\) 1\. &amp;", false), "*a* <b> [x](y) 1. &\n");
        assert_eq!(text("<b>x</b>\n\n<div>y</div>", false), "<b>x</b>\n\n<div>y</div>\n");
    }
}

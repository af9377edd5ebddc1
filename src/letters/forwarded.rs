//! A mail somebody forwards to ask whether the clerk wrote it, reduced to what can be compared with what was
//! sent: words, links and addresses in order, and strings shaped like our tokens.
//!
//! The mail may be enclosed (`message/rfc822`) or stand below the author's words. How it was wrapped, marked as a
//! quote or set in type says nothing; where a link leads does, whatever the words over it say.

use std::borrow::Cow;
use std::cell::RefCell;

use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};

use super::body;
use super::fold::{fold, is_invisible, is_unspaced};
use super::html;
use super::mime::{self, Part};
use super::token;

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A word, folded; of scripts without spaces one character.
    Word(String),
    Link(String),
    Address(String),
    /// Here a mail program put the mail it forwards.
    Mark,
}

/// A forwarded mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// It came whole, with its header.
    pub enclosed: bool,
    /// Strings shaped like our tokens: of its Message-ID, then of its text.
    pub tokens: Vec<String>,
    /// The forms it came in, plain text and HTML, those that hold any word.
    pub forms: Vec<Vec<Item>>,
}

/// Things taken of one form.
const MAX_ITEMS: usize = 20_000;
/// Bytes of an enclosed mail that are looked at.
const MAX_ENCLOSED: usize = 1 << 20;
/// Characters of a link that are compared.
const MAX_LINK: usize = 2_000;

/// The mail that was forwarded in this one; none where nothing stands below the author's words.
pub fn forwarded(raw: &[u8]) -> Option<Forwarded> {
    let tree = mime::parse(raw);
    let messages = tree.root.walk();
    if let Some(message) = messages.into_iter().find(|part| part.is_message()) {
        return Some(match message.children.first() {
            Some(root) => enclosed(root),
            None => enclosed(&mime::parse(&message.bytes(MAX_ENCLOSED)).root),
        });
    }
    inline(&tree.root)
}

/// The forms of a mail of ours as it was sent.
pub fn sent(raw: &[u8]) -> Vec<Vec<Item>> {
    let (plain, html) = texts(&mime::parse(raw).root);
    forms(&plain, &html)
}

fn enclosed(root: &Part<'_>) -> Forwarded {
    let (plain, html) = texts(root);
    let mut tokens: Vec<String> = Vec::new();
    let ids = root.headers.ids("message-id");
    for text in ids.iter().map(String::as_str).chain([plain.as_str(), html.as_str()]) {
        tokens.extend(token::shaped(text));
    }
    Forwarded { enclosed: true, tokens, forms: forms(&plain, &html) }
}

fn inline(root: &Part<'_>) -> Option<Forwarded> {
    let body = body::read(root, None);
    let (plain, html) = texts(root);
    let quoted = format!("{}\n{}", body.quoted, body.signature);
    // Somebody may have pasted it without any mark.
    let marked = !token::shaped(&quoted).is_empty() || token::shaped(&body.text).is_empty();
    let below = if marked { quoted } else { format!("{}\n{quoted}", body.text) };
    if below.trim().is_empty() {
        return None;
    }
    let plain = if plain.trim().is_empty() { String::new() } else { below };
    let tokens = [plain.as_str(), html.as_str()].into_iter().flat_map(token::shaped).collect();
    let forms = forms(&plain, &html);
    (!forms.is_empty()).then_some(Forwarded { enclosed: false, tokens, forms })
}

/// The plain text and the HTML of a mail, enclosed mails left out.
fn texts(root: &Part<'_>) -> (String, String) {
    let of = |media: &str| {
        let parts = root.walk().filter(|p| p.media == media && !p.attached);
        parts.take(20).map(|p| p.text().0).collect::<Vec<_>>().join("\n")
    };
    (of("text/plain"), of("text/html"))
}

fn forms(plain: &str, html: &str) -> Vec<Vec<Item>> {
    let forms = [in_text(plain), in_html(html)];
    forms.into_iter().filter(|items| items.iter().any(|item| matches!(item, Item::Word(_)))).collect()
}

fn in_text(text: &str) -> Vec<Item> {
    let mut items = Vec::new();
    add_text(text, &mut items);
    items
}

/// Adds what stands in a text. Direction marks and the like are nothing.
fn add_text(text: &str, items: &mut Vec<Item>) {
    let seen = visible(text);
    for piece in seen.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"')) {
        if items.len() >= MAX_ITEMS {
            return;
        }
        // Most words have no colon, and need not be searched three times.
        let schemes = ["https://", "http://", "mailto:"].into_iter().filter(|_| piece.contains(':'));
        let scheme = schemes.filter_map(|scheme| piece.find(scheme)).min();
        let (words, link) = piece.split_at(scheme.unwrap_or(piece.len()));
        if link.is_empty() && is_address(words) {
            items.push(Item::Address(trimmed(words).to_lowercase()));
            continue;
        }
        add_words(words, items);
        if !link.is_empty() {
            items.push(Item::Link(normal(link)));
        }
    }
}

fn visible(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(is_invisible) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|c| !is_invisible(*c)).collect())
}

fn add_words(text: &str, items: &mut Vec<Item>) {
    for run in text.split(|c: char| !is_unspaced(c) && !c.is_alphanumeric()) {
        let mut rest = run;
        while let Some(first) = rest.chars().next() {
            if items.len() >= MAX_ITEMS {
                return;
            }
            let end = match is_unspaced(first) {
                true => first.len_utf8(),
                false => rest.find(is_unspaced).unwrap_or(rest.len()),
            };
            let (word, after) = rest.split_at(end);
            items.push(Item::Word(fold(word).into_owned()));
            rest = after;
        }
    }
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphanumeric())
}

fn is_address(text: &str) -> bool {
    text.contains('@')
        && trimmed(text)
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
}

/// A link in the form two programs' ways of writing it share: without escapes, letter case and what a sentence
/// puts behind it.
fn normal(link: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = link.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    let plain = String::from_utf8_lossy(&bytes).to_lowercase();
    let end = plain.trim_end_matches(['.', ',', ';', ':', ')', ']', '!', '?', '*', '_', '/']);
    end.chars().take(MAX_LINK).collect()
}

/// The items of a page: its text, and where each link, form and picture leads.
fn in_html(html: &str) -> Vec<Item> {
    let mut page = html::tell(html, Reader(RefCell::new(Page::default()))).0.into_inner();
    page.close();
    page.items
}

#[derive(Debug, Default)]
struct Page {
    items: Vec<Item>,
    /// Text since the last tag that ends a word.
    text: String,
    /// Inside this element nothing is read by anybody.
    unread: Option<String>,
}

struct Reader(RefCell<Page>);

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut page = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) if page.unread.is_none() => page.text.push_str(&text),
            Token::TagToken(tag) => page.tag(&tag),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// Elements that stand inside a word as well.
const INSIDE_WORDS: [&str; 12] =
    ["b", "strong", "i", "em", "u", "s", "span", "font", "bdi", "bdo", "wbr", "code"];

impl Page {
    fn close(&mut self) {
        let text = std::mem::take(&mut self.text);
        add_text(&text, &mut self.items);
    }

    fn tag(&mut self, tag: &Tag) {
        let name = tag.name.as_ref();
        if let Some(unread) = &self.unread {
            if tag.kind == TagKind::EndTag && unread == name {
                self.unread = None;
            }
            return;
        }
        if tag.kind == TagKind::StartTag && matches!(name, "style" | "script" | "title") && !tag.self_closing
        {
            self.unread = Some(name.to_owned());
        }
        if INSIDE_WORDS.contains(&name) {
            return;
        }
        self.close();
        if tag.kind == TagKind::EndTag || self.items.len() >= MAX_ITEMS {
            return;
        }
        let marks =
            ["gmail_quote", "moz-forward", "protonmail_quote", "yahoo_quoted", "rplyfwd", "appendonsend"];
        let mut mark = name == "blockquote";
        for attribute in &tag.attrs {
            let value = attribute.value.trim();
            match attribute.name.local.as_ref() {
                "href" | "action" | "formaction" | "src" | "background" if value.contains(':') => {
                    self.items.push(Item::Link(normal(&visible(value))));
                }
                "class" | "id" => {
                    let value = value.to_lowercase();
                    mark |= marks.iter().any(|mark| value.contains(mark));
                }
                _ => {}
            }
        }
        if mark {
            self.items.push(Item::Mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_page_give_the_same_items() {
        let word = |word: &str| Item::Word(word.to_owned());
        let link = |link: &str| Item::Link(link.to_owned());
        let expected = vec![
            word("yes"),
            word("\u{6295}"),
            word("\u{7968}"),
            link("https://a.example/x y"),
            Item::Address("ann@a.example".to_owned()),
        ];
        assert_eq!(
            in_text("> *YES*: \u{6295}\n> \u{7968} <https://A.example/x%20y>. (Ann@a.example)"),
            expected
        );
        let page = in_html(
            "<style>p{}</style><p>Y<b>ES</b>: \u{6295}\u{7968}<a href='https://a.example/x%20y'></a> ann@a.example</p>",
        );
        assert_eq!(page, expected);
    }

    #[test]
    fn a_link_counts_by_where_it_leads() {
        let page = in_html("<a href=\"http://evil.example\">https://a.example</a>");
        assert_eq!(
            page,
            [Item::Link("http://evil.example".to_owned()), Item::Link("https://a.example".to_owned())]
        );
    }

    #[test]
    fn what_is_forwarded_is_found_enclosed_and_below() {
        let token = "abcdefghijklmnopqrstuvwxyz234567";
        let inside = format!("From: c@c.example\nMessage-ID: <{token}@c.example>\n\nDo you agree?\n");
        let whole = format!(
            "From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nVERIFY\n--b\n\
             Content-Type: message/rfc822\n\n{inside}\n--b--\n"
        );
        let found = forwarded(whole.as_bytes()).expect("a mail");
        assert!(found.enclosed && found.tokens == [token] && found.forms.len() == 1, "{found:?}");
        let below = format!(
            "From: a@b.example\n\nVERIFY\n\n---- Forwarded message ----\nFrom: c@c.example\n\nHi {token}\n"
        );
        let found = forwarded(below.as_bytes()).expect("a mail");
        assert!(!found.enclosed && found.tokens == [token], "{found:?}");
        assert_eq!(forwarded(b"From: a@b.example\n\nVERIFY\n"), None);
    }
}

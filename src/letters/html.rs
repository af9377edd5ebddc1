//! HTML to lines, keeping what its structure says: quote containers, signatures, hidden text.
//!
//! A stream of tokens and a stack of open elements, never a tree: memory stays in proportion to the text, and
//! nesting of any depth costs nothing.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer};

use super::quote::Part;

/// A page read into text.
#[derive(Debug, Default)]
pub struct Page {
    pub text: String,
    /// One per line of `text`: what the structure says it is part of; nothing where it is silent.
    pub parts: Vec<Option<Part>>,
    /// Text the reader's eye does not see and no quote holds, with the number of the line it stands at.
    pub hidden: Vec<(usize, String)>,
}

/// Open elements that are remembered; deeper ones only count.
const MAX_DEPTH: usize = 200;
/// Hidden text that is kept.
const MAX_HIDDEN: usize = 8 << 10;

/// Tells a sink every token of a page, and gives it back.
pub(super) fn tell<S: TokenSink>(html: &str, sink: S) -> S {
    let tokenizer = Tokenizer::new(sink, Default::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    tokenizer.sink
}

/// Reads a page. Never fails.
pub fn read(html: &str) -> Page {
    let mut state = tell(html, Reader(RefCell::new(State::default()))).0.into_inner();
    state.end_line();
    let kept = state.page.text.trim_end_matches('\n').len();
    state.page.text.truncate(kept);
    state.page.parts.truncate(state.page.text.split('\n').count());
    state.page
}

#[derive(Debug, Clone, Default)]
struct Element {
    name: String,
    part: Option<Part>,
    hidden: bool,
    pre: bool,
    /// A container whose text is a quote until its first blockquote ends, then the author's inline answers.
    container: bool,
    /// The line above a quote, in a container.
    announces: bool,
}

#[derive(Debug, Default)]
struct State {
    page: Page,
    line: String,
    line_part: Option<Option<Part>>,
    space: bool,
    stack: Vec<Element>,
    too_deep: usize,
    /// Room taken by hidden text.
    hidden: usize,
    /// A divider was passed: everything below it is a quote.
    below: bool,
    forwarded: bool,
}

struct Reader(RefCell<State>);

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => state.text(&text),
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return state.open(&tag),
            Token::TagToken(tag) => state.close(&tag.name),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "br" | "hr" | "img" | "meta" | "link" | "input" | "wbr" | "col" | "base" | "area" | "source"
    )
}

/// Elements that begin a line of their own.
const BLOCKS: [&str; 29] = [
    "p", "div", "ul", "ol", "li", "table", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "section",
    "article", "header", "footer", "center", "dl", "dd", "dt", "form", "body", "html", "address", "fieldset",
    "hr", "title",
];

fn is_block(name: &str) -> bool {
    BLOCKS.contains(&name) || matches!(name, "blockquote" | "includetail")
}

impl State {
    fn top(&self) -> (Option<Part>, bool, bool) {
        self.stack.last().map_or((None, false, false), |e| (e.part, e.hidden, e.pre))
    }

    fn open(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = tag.name.as_ref();
        let block = is_block(name);
        if block {
            if self.stack.last().is_some_and(|e| e.name == "p") {
                self.pop();
            }
            self.end_line();
            if name == "p" {
                self.blank();
            }
        }
        match name {
            "br" => self.break_line(),
            "hr" => self.rule(tag),
            "td" | "th" => self.space = true,
            "img" => {
                let emoji = attribute(tag, "alt").filter(|a| a.chars().count() <= 3 && !a.is_ascii());
                if let Some(alt) = emoji.map(String::from) {
                    self.text(&alt);
                }
            }
            _ => {}
        }
        let raw = match name {
            "style" | "noscript" | "xmp" | "iframe" | "noembed" | "noframes" => Some(RawKind::Rawtext),
            "script" => Some(RawKind::ScriptData),
            "title" | "textarea" => Some(RawKind::Rcdata),
            _ => None,
        };
        if is_void(name) || (tag.self_closing && raw.is_none() && !block) {
            return TokenSinkResult::Continue;
        }
        if self.stack.len() >= MAX_DEPTH {
            self.too_deep += 1;
        } else {
            let element = self.element(tag, raw.is_some());
            self.stack.push(element);
        }
        raw.map_or(TokenSinkResult::Continue, TokenSinkResult::RawData)
    }

    fn element(&mut self, tag: &Tag, raw: bool) -> Element {
        let (part, hidden, pre) = self.top();
        let name = tag.name.to_string();
        let style = attribute(tag, "style").map(squeeze).unwrap_or_default();
        let mut element = Element { part, hidden, pre, ..Element::default() };
        let struck = matches!(name.as_str(), "s" | "del" | "strike");
        element.hidden |=
            raw || struck || name == "head" || attribute(tag, "hidden").is_some() || is_hidden(&style);
        element.pre |= name == "pre" || style.contains("white-space:pre");
        match kind(tag, &name, &style) {
            Kind::Quote => element.part = Some(Part::Quote),
            Kind::Container => {
                element.part = Some(Part::Quote);
                element.container = true;
            }
            Kind::Announce => {
                element.part = Some(Part::Quote);
                element.announces = true;
            }
            Kind::Signature if part.is_none() => element.part = Some(Part::Signature),
            Kind::Below => {
                self.end_line();
                self.below = true;
            }
            _ => {}
        }
        element.name = name;
        element
    }

    fn rule(&mut self, tag: &Tag) {
        let id = attribute(tag, "id").unwrap_or("");
        if id.ends_with("zwchr") || attribute(tag, "data-marker") == Some("__DIVIDER__") {
            self.below = true;
        } else {
            self.text("________________________________");
            self.end_line();
        }
    }

    fn close(&mut self, name: &str) {
        if is_block(name) {
            self.end_line();
            if name == "p" {
                self.blank();
            }
        }
        if is_void(name) {
            return;
        }
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        let known = self.stack.iter().rev().take(40).position(|e| e.name == name);
        for _ in 0..known.map_or(0, |n| n + 1) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        let Some(gone) = self.stack.pop() else { return };
        if gone.name == "blockquote" && !self.forwarded {
            let outer = self.stack.iter().rposition(|e| e.container);
            let nested = outer.is_some_and(|n| self.stack[n..].iter().any(|e| e.name == "blockquote"));
            if let Some(n) = outer.filter(|_| !nested) {
                let before = n.checked_sub(1).and_then(|b| self.stack[b].part);
                for element in &mut self.stack[n..] {
                    element.part = before;
                }
            }
        }
    }

    fn text(&mut self, text: &str) {
        let (part, hidden, pre) = self.top();
        let part = if self.below { Some(Part::Quote) } else { part };
        if hidden {
            let noise = self.stack.iter().any(|e| {
                matches!(e.name.as_str(), "head" | "style" | "script" | "title" | "s" | "del" | "strike")
            });
            if part.is_none() && !noise && self.hidden + text.len() < MAX_HIDDEN && !text.trim().is_empty() {
                self.hidden += text.len() + 32;
                self.page.hidden.push((self.page.parts.len(), text.to_string()));
            }
            return;
        }
        if self.stack.last().is_some_and(|e| e.announces) && text.trim_start().starts_with("---") {
            self.forwarded = true;
        }
        for c in text.chars() {
            if pre && c == '\n' {
                self.break_line();
            } else if c.is_ascii_whitespace() || c == '\u{a0}' {
                self.space = !pre;
                if pre {
                    self.line.push(' ');
                }
            } else {
                self.note_part(part);
                if self.space && !self.line.is_empty() {
                    self.line.push(' ');
                }
                self.space = false;
                self.line.push(c);
            }
        }
    }

    /// A line belongs to whom its first letter belongs to; a change of hands in mid-line starts a new line.
    fn note_part(&mut self, part: Option<Part>) {
        match self.line_part {
            Some(before) if before != part => {
                self.end_line();
                self.line_part = Some(part);
            }
            Some(_) => {}
            None => self.line_part = Some(part),
        }
    }

    fn end_line(&mut self) {
        if self.line_part.is_some() {
            self.break_line();
        }
    }

    fn break_line(&mut self) {
        let (part, _, _) = self.top();
        let part = if self.below { Some(Part::Quote) } else { part };
        self.page.text.push_str(self.line.trim_end());
        self.page.text.push('\n');
        self.page.parts.push(self.line_part.unwrap_or(part));
        self.line.clear();
        self.line_part = None;
        self.space = false;
    }

    /// An empty line, unless there is one already.
    fn blank(&mut self) {
        if !self.page.text.is_empty() && !self.page.text.ends_with("\n\n") {
            self.break_line();
        }
    }
}

fn attribute<'t>(tag: &'t Tag, name: &str) -> Option<&'t str> {
    tag.attrs.iter().find(|a| &*a.name.local == name).map(|a| a.value.as_ref())
}

/// A style without white space, in lower case.
fn squeeze(style: &str) -> String {
    style.chars().take(2_000).filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

fn is_hidden(style: &str) -> bool {
    if style.is_empty() {
        return false;
    }
    let declares = |what: &str| {
        style
            .split(';')
            .any(|d| d.strip_prefix(what).is_some_and(|v| v.is_empty() || v.starts_with(['!', 'p', 'e'])))
    };
    let white = declares("color:#ffffff") || declares("color:#fff") || declares("color:white");
    declares("display:none")
        || declares("visibility:hidden")
        || declares("font-size:0")
        || declares("font-size:1px")
        || declares("opacity:0")
        || declares("mso-hide:all")
        || (declares("max-height:0") && style.contains("overflow:hidden"))
        || (white && !style.contains("background"))
}

enum Kind {
    Plain,
    Quote,
    Container,
    Announce,
    Signature,
    Below,
}

const CONTAINERS: &[&str] = &["gmail_quote", "gmail_quote_container", "yahoo_quoted", "zmail_extra"];
const QUOTES: &[&str] = &[
    "protonmail_quote",
    "outlookmessageheader",
    "mail-editor-reference-message-container",
    "ms-outlook-mobile-reference-message",
    "isreplycontent",
    "isforwardcontent",
    "quoted-text",
    "tutanota_quote",
    "hey_quote",
    "moz-forward-container",
    "mailmate_quote",
    "appleoriginalcontents",
    "ntes-mailmaster-quote",
    "spark_quote",
    "edo-reply",
    "missive_quote",
    "front-blockquote",
    "replyheader",
    "wm_quote",
];
const ANNOUNCERS: &[&str] = &["gmail_attr", "moz-cite-prefix", "reply-intro", "moz-email-headers-table"];
const SIGNATURES: &[&str] = &[
    "gmail_signature",
    "moz-signature",
    "signature",
    "ms-outlook-mobile-signature",
    "protonmail_signature_block",
    "applemailsignature",
    "ymail_android_signature",
    "yahoo_signature",
    "mail-signature",
    "tutanota_signature",
    "composer_signature",
    "mobile-signature",
];

fn kind(tag: &Tag, name: &str, style: &str) -> Kind {
    let class = attribute(tag, "class").unwrap_or("");
    let id = attribute(tag, "id").unwrap_or("");
    let marker = attribute(tag, "data-marker").unwrap_or("");
    let named = |list: &[&str]| {
        class.split_ascii_whitespace().chain([id]).any(|c| {
            let c = c.to_ascii_lowercase();
            let c = c.trim_start_matches("x_").trim_start_matches("m_");
            list.contains(&c)
        })
    };
    if named(CONTAINERS) {
        return if name == "blockquote" { Kind::Quote } else { Kind::Container };
    }
    if named(&["divrplyfwdmsg", "stoplink", "appendonsend"])
        || marker == "__DIVIDER__"
        || name == "includetail"
    {
        return Kind::Below;
    }
    if named(QUOTES)
        || (name == "div" && matches!(attribute(tag, "name"), Some("quote" | "messageReplySection")))
        || marker == "__QUOTED_TEXT__"
    {
        return Kind::Quote;
    }
    if named(ANNOUNCERS) {
        return Kind::Announce;
    }
    if named(SIGNATURES)
        || attribute(tag, "name") == Some("messageSignatureSection")
        || marker == "__SIG_PRE__"
        || marker == "__SIG_POST__"
    {
        return Kind::Signature;
    }
    if name == "blockquote" {
        let indent = style.contains("border:none") && attribute(tag, "type").is_none();
        return if indent { Kind::Plain } else { Kind::Quote };
    }
    let outlook = style.contains("border-top:solid") && style.contains("padding:3.0pt");
    let windows =
        style.contains("border-top-style:solid") && style.contains("border-top-color:rgb(229,229,229)");
    if name == "div" && (outlook || windows) {
        return Kind::Below;
    }
    Kind::Plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, own: &str, quoted: &str) {
        let page = read(html);
        let pick = |want: Option<Part>| {
            let lines = page.text.split('\n').zip(&page.parts).filter(|(l, p)| !l.is_empty() && **p == want);
            lines.map(|(l, _)| l).collect::<Vec<_>>().join("|")
        };
        assert_eq!(pick(None), own, "{html}");
        assert_eq!(pick(Some(Part::Quote)), quoted, "{html}");
    }

    #[test]
    fn structure_tells_quotes_apart() {
        check("<p>Yes</p><blockquote type=cite>No<p>old</blockquote>", "Yes", "No|old");
        check(
            "<div>Oui</div><div class=\"gmail_quote\"><div class=gmail_attr>Le x a \u{e9}crit :</div>\
             <blockquote>un</blockquote><div>dedans</div><blockquote>deux</blockquote></div>",
            "Oui|dedans",
            "Le x a \u{e9}crit :|un|deux",
        );
        check("Sim<br>mesmo<hr id=zwchr>De: x<div>y</div>", "Sim|mesmo", "De: x|y");
        check(
            "<p>Ja<div id=appendonsend></div><hr>Von: x<p>y",
            "Ja",
            "________________________________|Von: x|y",
        );
        check(
            "<p>Ja<div style='border:none;border-top:solid #AAA 1.0pt;padding:3.0pt 0cm 0cm 0cm'>Von: x</div>y",
            "Ja",
            "Von: x|y",
        );
        check("<div name=messageBodySection>Si</div><div name=messageReplySection>no</div>", "Si", "no");
    }

    #[test]
    fn styles_scripts_and_hidden_text_are_not_read() {
        let page = read(
            "<style>p{}</style><script>yes</script>A<span style='display: none'>yes</span>b&amp;&nbsp;c",
        );
        assert_eq!(page.text, "Ab& c");
        assert_eq!(page.hidden, [(0, "yes".to_string())]);
        assert_eq!(read("<s>YES</s> NO <del>ABSTAIN</del>").text, "NO");
    }
}

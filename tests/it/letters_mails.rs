//! Our own notices quoted back by forty mail programs in seven languages: the material of tests and figures.

use atlarged::kernel::choice::Choice;

use crate::letters_speech::{SPEECHES, Speech};

const CLERK: &str = "At-Large Clerk <clerk+abcdefghijklmnopqrstuvwxyz234567@clerk.example>";

/// The two forms a mail may carry; an empty one is left out.
pub struct Forms {
    pub text: String,
    pub html: String,
}

fn text(text: String) -> Forms {
    Forms { text, html: String::new() }
}

fn html(html: String) -> Forms {
    Forms { text: String::new(), html }
}

fn both(text: String, html: String) -> Forms {
    Forms { text, html }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn lines_html(text: &str) -> String {
    escape(text).replace('\n', "<br>\n")
}

fn quoted(text: &str) -> String {
    text.lines().map(|l| if l.is_empty() { ">\n".into() } else { format!("> {l}\n") }).collect()
}

fn wrap(line: &str) -> String {
    let mut out = String::new();
    let mut width = 0;
    for word in line.split(' ') {
        if width > 0 && width + word.chars().count() > 70 {
            out.push('\n');
            width = 0;
        } else if width > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += word.chars().count();
    }
    out
}

fn attribution(pattern: &str) -> String {
    pattern.replace("{}", CLERK)
}

fn block(s: &Speech, bold: bool) -> String {
    let values = [CLERK, s.date, "ann@member.example", s.question];
    let star = if bold { "*" } else { "" };
    s.labels.iter().zip(values).map(|(l, v)| format!("{star}{l}:{star} {v}\n")).collect()
}

fn block_html(s: &Speech) -> String {
    let values = [CLERK, s.date, "ann@member.example", s.question];
    s.labels.iter().zip(values).map(|(l, v)| format!("<b>{l}:</b> {}<br>\n", escape(v))).collect()
}

/// A mail program's name, and what it makes of an answer.
pub type Layout = (&'static str, fn(&Speech, &str) -> Forms);

/// The mail programs.
pub const LAYOUTS: &[Layout] = &[
    ("Gmail on the web", |s, a| {
        let on = attribution(s.gmail);
        both(
            format!("{a}\n\n{}\n\n{}", wrap(&on), quoted(&s.notice())),
            format!(
                "<div dir=\"ltr\">{a}</div><br><div class=\"gmail_quote gmail_quote_container\"><div \
                dir=\"ltr\" \
                 class=\"gmail_attr\">{}<br></div><blockquote class=\"gmail_quote\" style=\"margin:0 0 0 \
                 .8ex\">{}\
                 </blockquote></div>",
                escape(&on),
                lines_html(&s.notice())
            ),
        )
    }),
    ("Gmail on Android", |s, a| text(format!("{a}\n\n{}\n\n{}", attribution(s.gmail), quoted(&s.notice())))),
    ("Gmail with a signature", |s, a| {
        html(format!(
            "<div dir=ltr>{a}<br clear=\"all\"><div><br></div>-- <br><div \
            class=\"gmail_signature\">{}<br>{}</div></div>\
             <br><div class=\"gmail_quote\"><div \
             class=\"gmail_attr\">{}</div><blockquote>{}</blockquote></div>",
            s.name,
            s.no,
            escape(&attribution(s.gmail)),
            lines_html(&s.notice())
        ))
    }),
    ("Gmail, answered inside the quote", |s, a| {
        let notice = s.notice();
        let (before, after) = notice.split_once("\n\n").unwrap_or((&notice, ""));
        both(
            format!("{}\n\n{}\n{a}\n\n{}", attribution(s.gmail), quoted(before), quoted(after)),
            format!(
                "<div class=\"gmail_quote\"><div \
                class=\"gmail_attr\">{}</div><blockquote>{}</blockquote><div>{a}</div>\
                 <blockquote>{}</blockquote></div>",
                escape(&attribution(s.gmail)),
                lines_html(before),
                lines_html(after)
            ),
        )
    }),
    ("Gmail, answered below", |s, a| {
        text(format!("{}\n\n{}\n{a}\n", attribution(s.gmail), quoted(&s.notice())))
    }),
    ("Outlook for Windows", |s, a| {
        html(format!(
            "<html xmlns:o=\"x\"><head><style>p.MsoNormal{{margin:0}}</style></head><body><div \
            class=\"WordSection1\">\
             <p class=\"MsoNormal\">{a}<o:p></o:p></p><p class=\"MsoNormal\"><o:p>&nbsp;</o:p></p><div><div \
             style=\"border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in\"><p \
             class=\"MsoNormal\">{}</p>\
             </div></div><p class=\"MsoNormal\">{}</p></div></body></html>",
            block_html(s),
            lines_html(&s.notice())
        ))
    }),
    ("Outlook for Windows, plain text", |s, a| {
        text(format!("{a}\n\n-----{}-----\n{}\n{}", s.original, block(s, false), s.notice()))
    }),
    ("Outlook for Windows, block alone", |s, a| text(format!("{a}\n\n{}\n{}", block(s, false), s.notice()))),
    ("Outlook on the web", |s, a| {
        html(format!(
            "<div style=\"font-family:Calibri\" class=\"elementToProof\">{a}</div><div \
            id=\"appendonsend\"></div><hr \
             style=\"display:inline-block;width:98%\" tabindex=\"-1\"><div id=\"divRplyFwdMsg\" \
             dir=\"ltr\">{}</div>\
             <div class=\"BodyFragment\">{}</div>",
            block_html(s),
            lines_html(&s.notice())
        ))
    }),
    ("Outlook.com, plain text", |s, a| {
        text(format!("{a}\n________________________________\n{}\n{}", block(s, false), s.notice()))
    }),
    ("Outlook for iOS", |s, a| {
        text(format!(
            "{a}\n\n{}\n________________________________\n{}\n{}",
            s.outlook_app,
            block(s, false),
            s.notice()
        ))
    }),
    ("Outlook for Android", |s, a| {
        html(format!(
            "<div dir=\"auto\">{a}</div><div dir=\"auto\"><br></div><div \
            id=\"ms-outlook-mobile-signature\">{}</div>\
             <hr><div id=\"divRplyFwdMsg\">{}</div><div>{}</div>",
            lines_html(s.outlook_app),
            block_html(s),
            lines_html(&s.notice())
        ))
    }),
    ("Outlook for Mac", |s, a| {
        html(format!(
            "<div><p class=\"MsoNormal\">{a}</p><div style=\"border:none;border-top:solid #B5C4DF 1.0pt;\
             padding:3.0pt 0cm 0cm 0cm\"><p>{}</p></div><div><p>{}</p></div></div>",
            block_html(s),
            lines_html(&s.notice())
        ))
    }),
    ("Outlook with bold labels", |s, a| text(format!("{a}\n\n{}\n{}", block(s, true), s.notice()))),
    ("Apple Mail", |s, a| {
        both(
            format!("{a}\n\n> {}\n> \n{}", attribution(s.apple), quoted(&s.notice())),
            format!(
                "<body>{a}<br><div><br><blockquote \
                type=\"cite\"><div>{}</div><br><div>{}</div></blockquote></div></body>",
                escape(&attribution(s.apple)),
                lines_html(&s.notice())
            ),
        )
    }),
    ("Apple Mail, plain text", |s, a| {
        text(format!("{a}\n\n{}\n\n{}", attribution(s.apple), quoted(&s.notice())))
    }),
    ("iPhone", |s, a| {
        text(format!(
            "{a}\n\n{}\n\n> {}\n> \n{}",
            s.iphone,
            wrap(&attribution(s.apple)).replace('\n', "\n> "),
            quoted(&s.notice())
        ))
    }),
    ("iPhone, HTML", |s, a| {
        html(format!(
            "<html><body dir=\"auto\">{a}<br id=\"lineBreakAtBeginningOfSignature\"><div \
            dir=\"ltr\">{}</div><div \
             dir=\"ltr\"><br><blockquote type=\"cite\">{}<br><br></blockquote></div><blockquote \
             type=\"cite\"><div>{}</div>\
             </blockquote></body></html>",
            s.iphone,
            escape(&attribution(s.apple)),
            lines_html(&s.notice())
        ))
    }),
    ("iPhone, nothing quoted", |s, a| text(format!("{a}\n\n{}\n", s.iphone))),
    ("one tap on our link", |_, a| text(a.to_string())),
    ("Thunderbird", |s, a| text(format!("{a}\n\n{}\n{}", attribution(s.thunderbird), quoted(&s.notice())))),
    ("Thunderbird, answered below with a signature", |s, a| {
        text(format!(
            "{}\n{}\n{a}\n\n-- \n{}\n{}\n",
            attribution(s.thunderbird),
            quoted(&s.notice()),
            s.name,
            s.abstain
        ))
    }),
    ("Thunderbird, HTML", |s, a| {
        html(format!(
            "<p>{a}</p><div class=\"moz-signature\">-- <br>{}</div><div \
            class=\"moz-cite-prefix\">{}<br></div>\
             <blockquote type=\"cite\" cite=\"mid:x\"><pre>{}</pre></blockquote>",
            s.name,
            escape(&attribution(s.thunderbird)),
            escape(&s.notice())
        ))
    }),
    ("Yahoo on the web", |s, a| {
        both(
            format!(" {a}\n\n    {}\n\n {}", attribution(s.yahoo), s.notice().replace('\n', "\n ")),
            format!(
                "<div class=\"yahoo-style-wrap\"><div>{a}</div></div><div id=\"ydp1\" \
                class=\"yahoo_quoted\"><div>{}</div>\
                 <div>{}</div></div>",
                escape(&attribution(s.yahoo)),
                lines_html(&s.notice())
            ),
        )
    }),
    ("Yahoo on Android", |s, a| {
        text(format!("{a}\n\nSent from Yahoo Mail on Android\n\n  {}\n{}", attribution(s.yahoo), s.notice()))
    }),
    ("Samsung", |s, a| {
        text(format!("{a}\n\n\n-------- {} --------\n{}\n{}", s.original, block(s, false), s.notice()))
    }),
    ("Samsung, HTML", |s, a| {
        html(format!(
            "<div dir=\"auto\">{a}</div><div><br></div><div id=\"composer_signature\"><div>Samsung \
            Galaxy</div></div>\
             <div><br></div><div style=\"font-size:100%\"><div>-------- {} \
             --------</div><div>{}</div></div><div>{}</div>",
            s.original,
            block_html(s),
            lines_html(&s.notice())
        ))
    }),
    ("K-9 Mail", |s, a| text(format!("{a}\n\n{}\n{}", attribution(s.gmail), quoted(&s.notice())))),
    ("BlackBerry", |s, a| {
        text(format!(
            "{a}\nSent from my BlackBerry\u{ae} wireless device\n\n-----{}-----\n{}\n{}",
            s.original,
            block(s, false),
            s.notice()
        ))
    }),
    ("Roundcube, answered below", |s, a| {
        text(format!("{}\n{}\n{a}\n\n-- \n{}\n", attribution(s.thunderbird), quoted(&s.notice()), s.name))
    }),
    ("Roundcube, HTML", |s, a| {
        html(format!(
            "<p>{a}</p><div>&nbsp;</div><p id=\"reply-intro\">{}</p><blockquote \
            type=\"cite\"><div>{}</div></blockquote>",
            escape(&attribution(s.thunderbird)),
            lines_html(&s.notice())
        ))
    }),
    ("Zimbra", |s, a| {
        html(format!(
            "<div style=\"font-family: arial\"><div>{a}</div><div><br></div><hr id=\"zwchr\" \
             data-marker=\"__DIVIDER__\"><div data-marker=\"__HEADERS__\">{}</div><div>{}</div></div>",
            block_html(s),
            lines_html(&s.notice())
        ))
    }),
    ("Zimbra, plain text", |s, a| {
        text(format!("{a}\n\n----- {} -----\n{}\n{}", s.original, block(s, false), quoted(&s.notice())))
    }),
    ("Notes", |s, a| {
        let labels: String = block(s, false).lines().map(|l| l.replacen(": ", ":\t", 1) + "\n").collect();
        text(format!("{a}\n\n\n\n{labels}\n\n\n{}", s.notice()))
    }),
    ("mutt", |s, a| {
        text(format!(
            "On Thu, Aug 20, 2026 at 10:15:00AM +0200, {CLERK} wrote:\n{}\n{a}\n",
            quoted(&s.notice())
        ))
    }),
    ("Alpine", |s, a| {
        text(format!("{a}\n\nOn Thu, 20 Aug 2026, At-Large Clerk wrote:\n\n{}", quoted(&s.notice())))
    }),
    ("mail.ru", |s, a| {
        let on = format!("Четверг, 20 августа 2026, 10:15 +03:00 от {CLERK}:");
        both(
            format!("\n{a}\n\n\n  \n>{on}\n> \n{}", quoted(&s.notice())),
            format!(
                "<div>{a}</div><div>&nbsp;</div><blockquote style=\"border-left:1px solid \
                #0857A6;margin:10px\">{}<br>{}\
                 </blockquote>",
                escape(&on),
                lines_html(&s.notice())
            ),
        )
    }),
    ("Yandex", |s, a| {
        let on = "20.08.2026, 10:15, \"At-Large Clerk\" <clerk@clerk.example>:";
        both(
            format!("{a}\n \n{on}\n{}", quoted(&s.notice())),
            format!(
                "<div>{a}</div><div>&nbsp;</div><div>{}</div><blockquote>{}</blockquote>",
                escape(on),
                lines_html(&s.notice())
            ),
        )
    }),
    ("QQ", |s, a| {
        let head = "发件人: \"At-Large Clerk\" <clerk@clerk.example>;\n发送时间: 2026年8月20日(星期四) 上午10:15\n\
                    收件人: \"ann\"<ann@member.example>;\n主题: vote";
        text(format!(
            "{a}\n\n\n------------------&nbsp;原始邮件&nbsp;------------------\n{head}\n\n{}",
            s.notice()
        ))
    }),
    ("NetEase 163", |s, a| {
        text(format!(
            "\n{a}\n\n\n\n\n\nAt 2026-08-20 10:15:00, \"At-Large Clerk\" <clerk@clerk.example> wrote:\n{}",
            s.notice().lines().map(|l| format!(">{l}\n")).collect::<String>()
        ))
    }),
    ("Proton Mail", |s, a| {
        both(
            format!("{a}\n\n{}\n\n{}", attribution(s.gmail), quoted(&s.notice())),
            format!(
                "<div style=\"font-family:Arial\">{a}</div><div \
                class=\"protonmail_signature_block\"><br></div>\
                 <div class=\"protonmail_quote\">{}<br><blockquote class=\"protonmail_quote\" \
                 type=\"cite\">{}</blockquote>\
                 </div>",
                escape(&attribution(s.gmail)),
                lines_html(&s.notice())
            ),
        )
    }),
    ("GMX", |s, a| {
        html(format!(
            "<div>{a}</div><div><div name=\"quote\" style=\"margin:10px \
            5px\"><div>{}</div><div>{}</div></div></div>",
            block_html(s),
            lines_html(&s.notice())
        ))
    }),
    ("Evolution", |s, a| {
        text(format!(
            "{a}\n\nOn Thu, 2026-08-20 at 10:15 +0200, At-Large Clerk wrote:\n{}",
            quoted(&s.notice())
        ))
    }),
    ("AOL", |s, a| {
        text(format!("{a}\n\n\n-----{}-----\n{}\n\n\n{}", s.original, block(s, false), s.notice()))
    }),
    ("forwarded with an answer above", |s, a| {
        text(format!("{a}\n\n---------- {} ---------\n{}\n\n{}", s.forwarded, block(s, false), s.notice()))
    }),
    ("Fastmail, flowed", |s, a| text(format!("{}\n{}\n{a}\n", attribution(s.apple), quoted(&s.notice())))),
];

/// Ways to write an answer that leave no doubt.
pub const WAYS: &[fn(&Speech, &str) -> String] = &[
    |_, w| w.to_string(),
    |_, w| format!("{}.", w.to_lowercase()),
    |s, w| format!("{}\n\n{w}\n\n{}\n{}", s.hello, s.sign_off, s.name),
    |s, w| format!("{w}\n\n{}", s.thanks),
];

/// The mail as it is sent: line ends, encodings and the forms change with `n`.
pub fn mail(forms: &Forms, n: usize) -> Vec<u8> {
    let head = "Return-Path: <ann@member.example>\r\nReceived: from x by mx.clerk.example; Fri, 21 Aug 2026 \
    10:15:00 +0000\r\n\
                From: Ann Member <ann@member.example>\r\nTo: clerk@clerk.example\r\nSubject: Re: vote\r\n\
                Date: Fri, 21 Aug 2026 10:15:00 +0000\r\nMessage-ID: <1@member.example>\r\nMIME-Version: \
                1.0\r\n";
    let part = |kind: &str, body: &str| match n % 3 {
        0 => format!(
            "Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}",
            body.replace('\n', "\r\n")
        ),
        1 => format!(
            "Content-Type: {kind}; charset=\"UTF-8\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            data_encoding::BASE64_MIME.encode(body.as_bytes())
        ),
        _ => format!(
            "Content-Type: {kind}; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}",
            quoted_printable(body)
        ),
    };
    let body = match (forms.text.is_empty(), forms.html.is_empty()) {
        (_, true) => part("text/plain", &forms.text),
        (true, false) => part("text/html", &forms.html),
        (false, false) => format!(
            "Content-Type: multipart/alternative; boundary=b1\r\n\r\n--b1\r\n{}\r\n--b1\r\n{}\r\n--b1--\r\n",
            part("text/plain", &forms.text),
            part("text/html", &forms.html)
        ),
    };
    format!("{head}{body}").into_bytes()
}

fn quoted_printable(text: &str) -> String {
    let mut out = String::new();
    let mut width = 0;
    for b in text.bytes() {
        if b == b'\n' {
            out.push_str("\r\n");
            width = 0;
            continue;
        }
        if width > 70 {
            out.push_str("=\r\n");
            width = 0;
        }
        let piece =
            if (33..127).contains(&b) && b != b'=' { char::from(b).to_string() } else { format!("={b:02X}") };
        width += piece.len();
        out.push_str(&piece);
    }
    out
}

/// One mail of each layout in each language: those of plain text, and those with HTML.
pub fn mails() -> [Vec<Vec<u8>>; 2] {
    let mut both = [Vec::new(), Vec::new()];
    for (n, (_, layout)) in LAYOUTS.iter().enumerate() {
        for (speech, choice) in SPEECHES.iter().zip(Choice::ALL.into_iter().cycle()) {
            let own = WAYS[n % WAYS.len()](speech, speech.word(choice));
            let forms = layout(speech, &own);
            both[usize::from(!forms.html.is_empty())].push(mail(&forms, n));
        }
    }
    both
}

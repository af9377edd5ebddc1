//! What kind of letter it is: one table, the counterpart of the gate's own. No report, machine or list ever
//! votes.

use atlarged::letters::{self, Class, Letter, Reason, Trust};

fn read(raw: &str) -> Letter {
    letters::read(raw.as_bytes(), &Trust::default())
}

/// A mail from its header (lines) and body.
fn mail(head: &str, body: &str) -> String {
    format!("From: Ann <ann@member.example>\nTo: clerk@clerk.example\n{head}\n\n{body}\n")
}

const ABSENT: &[(&str, &str)] = &[
    ("Automatic reply: vote", "I am out of the office until Monday."),
    ("Out of Office: Re: vote", "yes"),
    ("Réponse automatique : vote", "Je suis absente jusqu'à lundi."),
    ("Absence du bureau", "oui"),
    ("Respuesta automática: vote", "Estoy fuera de la oficina."),
    ("Fuera de la oficina", "sí"),
    ("Resposta automática: vote", "Estou de férias."),
    ("Автоматический ответ: vote", "Я в отпуске до понедельника."),
    ("自动回复: vote", "您好，邮件已收到。"),
    ("رد تلقائي: vote", "أنا خارج المكتب"),
    ("Abwesenheitsnotiz: vote", "Ich bin derzeit nicht im Büro."),
    ("AUTO: Ann is out of the office (returning 24 August)", "yes"),
    ("Re: vote", "I am out of the office this week and will answer when I return."),
];

#[test]
fn answering_machines_are_known_by_subject_and_words_in_seven_languages() {
    for (subject, body) in ABSENT {
        let letter =
            read(&mail(&format!("Subject: {subject}\nContent-Type: text/plain; charset=utf-8"), body));
        assert_eq!(letter.class, Class::AutoReply, "{subject}");
        assert_eq!(letter.answer.choice, None, "{subject}");
    }
}

#[test]
fn answering_machines_are_known_by_their_headers() {
    for head in [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated; owner=x",
        "X-Autoreply: yes\nPrecedence: bulk",
        "X-Autorespond: vote",
        "Precedence: auto_reply",
        "X-MS-Exchange-Inbox-Rules-Loop: ann@member.example",
        "X-Auto-Reply-From: ann@member.example",
        "Return-Path: <>",
    ] {
        let letter = read(&mail(&format!("{head}\nSubject: Re: vote"), "YES"));
        assert_eq!(letter.class, Class::AutoReply, "{head}");
        assert_eq!(letter.answer.choice, None, "{head}");
    }
}

#[test]
fn a_person_stays_a_person() {
    for (head, body) in [
        ("Subject: Re: vote\nAuto-Submitted: no", "YES"),
        ("Subject: YES", "YES"),
        ("Subject: Re: vote", "I am out of the office this week, but here it is:\n\nYES"),
        ("Subject: Re: Automatic reply: vote", "YES"),
        ("Subject: Re: Undelivered Mail Returned to Sender", "YES\n\n> could not be delivered"),
        ("Subject: Re: vote\nX-Auto-Response-Suppress: All", "YES"),
        ("Subject: Re: vote\nList-Unsubscribe: <mailto:x@y.example>", "YES"),
    ] {
        let letter = read(&mail(head, body));
        assert_eq!(letter.class, Class::Reply, "{head}");
        assert!(letter.answer.choice.is_some(), "{head}: {:?}", letter.answer);
    }
}

#[test]
fn list_copies_take_no_part() {
    for (head, body) in [
        ("Subject: Re: vote\nList-Id: ALAC <alac.lists.example>", "YES"),
        ("Subject: Re: vote\nPrecedence: list", "YES"),
        ("Subject: Re: vote\nX-Mailman-Version: 2.1", "YES"),
        ("Subject: vote", "[[--Translated text (es -> en)--]]\n\nSubject: vote\nfrom: x@y.example\n\nYES\n"),
    ] {
        let letter = read(&mail(head, body));
        assert_eq!((letter.class, letter.list), (Class::ListCopy, true), "{head}");
        assert_eq!(letter.answer.choice, None, "{head}");
        assert!(letter.commands.is_empty());
    }
    let munged =
        read("From: Ann via ALAC <alac@lists.example>\nTo: clerk@clerk.example\nSubject: Re: vote\n\nYES\n");
    assert!(munged.list);
}

/// One recipient as `address status permanent reason`.
fn told(letter: &Letter) -> Vec<String> {
    let one = |b: &letters::Bounce| {
        format!("{} {} {} {:?}", b.address, b.status.as_deref().unwrap_or("-"), b.permanent, b.reason)
    };
    letter.bounces.iter().map(one).collect()
}

fn report(status: &str) -> String {
    format!(
        "Return-Path: <>\nFrom: Mail Delivery System <MAILER-DAEMON@mx.example>\nTo: clerk+x@clerk.example\n\
         Subject: Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nYour mail. \
         YES.\n--b\n\
         Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n{status}\n--b\n\
         Content-Type: message/rfc822\n\nMessage-ID: <abcdefghijklmnopqrstuvwxyz234567@clerk.example>\n\
         From: clerk@clerk.example\nTo: ann@member.example\nSubject: vote\n\nYES NO\n--b--\n"
    )
}

#[test]
fn reports_are_read_recipient_by_recipient() {
    for (status, expected) in [
        (
            "Final-Recipient: rfc822; ann@member.example\nAction: failed\nStatus: 5.1.1\n\
             Diagnostic-Code: smtp; 550 5.1.1 <ann@member.example>: user unknown",
            "ann@member.example 5.1.1 true UserUnknown",
        ),
        (
            "Action: failed\nFinal-Recipient: rfc822;ann@member.example\nStatus: 5.0.0\n\
             Remote-MTA: dns; mx.member.example\nDiagnostic-Code: smtp; 550 5.1.1 no such user",
            "ann@member.example 5.1.1 true UserUnknown",
        ),
        (
            "Final-Recipient: rfc822; alias@far.example\nOriginal-Recipient: \
            rfc822;ann@member.example\nAction: failed\n\
             Status: 5.2.2\nDiagnostic-Code: smtp; 552 5.2.2 over quota",
            "ann@member.example 5.2.2 true MailboxFull",
        ),
        (
            "Final-Recipient: utf-8; \u{430}\u{43d}\u{43d}\u{430}@member.example\nAction: failed\nStatus: \
            5.7.1\n\
             Diagnostic-Code: smtp; 554 5.7.1 blocked using a blocklist",
            "\u{430}\u{43d}\u{43d}\u{430}@member.example 5.7.1 true Spam",
        ),
        (
            "Final-Recipient: rfc822; ann@member.example\nAction: failed\nStatus: 4.4.7\n\
             Diagnostic-Code: smtp; 421 timed out",
            "ann@member.example 4.4.7 false NoConnection",
        ),
    ] {
        let letter = read(&report(status));
        assert_eq!(letter.class, Class::Bounce, "{status}");
        assert_eq!(told(&letter), [expected], "{status}");
        assert_eq!(letter.original_id.as_deref(), Some("abcdefghijklmnopqrstuvwxyz234567@clerk.example"));
        assert!(letter.tokens.iter().any(|t| t.token == "abcdefghijklmnopqrstuvwxyz234567"));
        assert_eq!(letter.answer.choice, None);
    }
}

#[test]
fn a_delay_is_no_failure_and_a_delivery_is_none_either() {
    let delayed =
        read(&report("Final-Recipient: rfc822; ann@member.example\nAction: delayed\nStatus: 4.4.1"));
    assert_ne!(delayed.class, Class::Bounce);
    assert_eq!(told(&delayed), ["ann@member.example 4.4.1 false Delayed"]);
    let delivered =
        read(&report("Final-Recipient: rfc822; ann@member.example\nAction: delivered\nStatus: 2.0.0"));
    assert_eq!(told(&delivered), [""; 0]);
}

#[test]
fn notices_of_home_made_form_are_read() {
    for (head, body, expected) in [
        (
            "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nSubject: failure notice",
            "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your \
            message.\n\n\
             <ann@member.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n\
             --- Below this line is a copy of the message.\n\nReturn-Path: <clerk@clerk.example>\nTo: \
             bob@x.example\n",
            "ann@member.example 5.1.1 true UserUnknown",
        ),
        (
            "From: Mail Delivery System <Mailer-Daemon@mx.example>\nX-Failed-Recipients: ann@member.example\n\
             Subject: Mail delivery failed: returning message to sender",
            "A message that you sent could not be delivered.\n\n  ann@member.example\n    550 unknown user\n",
            "ann@member.example 5.1.1 true UserUnknown",
        ),
        (
            "From: postmaster@member.example\nSubject: Undeliverable: vote",
            "Your message did not reach the following recipient(s):\n\nann@member.example on Thu, 20 Aug \
            2026\n    \
             The recipient name is not recognized\n",
            "ann@member.example - true Unknown",
        ),
        (
            "From: Mail Delivery Subsystem <mailer-daemon@mx.example>\nSubject: Почта не доставлена\n\
             Content-Type: text/plain; charset=utf-8",
            "Ваше письмо не может быть доставлено:\n\n  ann@member.example\n    550 user not found\n",
            "ann@member.example 5.1.1 true UserUnknown",
        ),
    ] {
        let letter = read(&format!("{head}\nTo: clerk@clerk.example\n\n{body}"));
        assert_eq!(letter.class, Class::Bounce, "{head}");
        assert_eq!(told(&letter), [expected], "{head}");
    }
}

#[test]
fn receipts_challenges_and_complaints_are_no_answers() {
    let receipt = "From: ann@member.example\nSubject: Read: vote\nContent-Type: multipart/report; \
    boundary=b; \
                   report-type=disposition-notification\n\n--b\n\nYES\n--b\n\
                   Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; \
                   ann@member.example\n\
                   Disposition: manual-action/MDN-sent-manually; displayed\n--b--\n";
    assert_eq!(read(receipt).class, Class::AutoReply);
    let complaint = "From: <abuse@isp.example>\nSubject: FW: vote\nContent-Type: multipart/report; \
    boundary=b; \
                     report-type=feedback-report\n\n--b\n\nYES\n--b\nContent-Type: \
                     message/feedback-report\n\n\
                     Feedback-Type: abuse\nUser-Agent: x\nVersion: 1\n--b--\n";
    assert_eq!(read(complaint).class, Class::Feedback);
    let challenge = "Return-Path: <>\nFrom: ann@member.example\nSubject: Re: vote\n\nTo release your \
    message, please \
                     prove that you are human: https://x.example/1\nYES\n";
    assert_eq!(read(challenge).class, Class::AutoReply);
    for raw in [receipt, complaint, challenge] {
        assert_eq!(read(raw).answer.choice, None);
    }
}

#[test]
fn reasons_have_names() {
    assert_eq!(serde_json::to_value(Reason::UserUnknown).ok(), Some("user-unknown".into()));
}

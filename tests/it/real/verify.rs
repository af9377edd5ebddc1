//! VERIFY over real servers: a member forwards what she got from her mail program, and the mail that comes back
//! says whether the clerk wrote it.

use std::collections::BTreeMap;

use atlarged::kernel::ids::CaseId;
use atlarged::sandbox::mail_program::{Received, Reply};
use mail_parser::MessageParser;

use super::village::{Since, Village};

/// A village, its ballot, and the ballot mails of p1 and p3.
struct Scene {
    village: Village,
    case: CaseId,
    hers: String,
    his: String,
}

async fn scene() -> Scene {
    let mut village = Village::new().await;
    let case = village.open_ballot().await;
    let raw = |mail: Received| String::from_utf8(mail.raw).expect("ours is UTF-8");
    let hers = raw(village.mail(1, 1).await);
    let his = raw(village.mail(3, 1).await);
    Scene { village, case, hers, his }
}

/// The text of a mail, or its page.
fn form(mail: &str, page: bool) -> String {
    let parsed = MessageParser::default().parse(mail).expect("a mail");
    let body = if page { parsed.body_html(0) } else { parsed.body_text(0) };
    body.expect("a body").replace("\r\n", "\n")
}

/// Forwarded as text, as Gmail does.
fn as_text(text: &str) -> String {
    format!(
        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nVERIFY\n\n\
         ---------- Forwarded message ---------\nFrom: At-Large Clerk <clerk@atlarge.example>\n\
         Date: Mon, Nov 23, 2026 at 10:15 AM\nSubject: your vote\nTo: <ana@village.example>\n\n\n{text}"
    )
}

/// Forwarded as a page, as Outlook does.
fn as_page(page: &str) -> String {
    format!(
        "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n<p>VERIFY</p><hr>\
         <div><b>From:</b> At-Large Clerk &lt;clerk@atlarge.example&gt;<br><b>Sent:</b> Monday, November 23, \
         2026 10:15 AM<br><b>To:</b> ana@village.example<br><b>Subject:</b> your vote</div>{page}"
    )
}

/// Forwarded as an attachment, byte for byte.
fn enclosed(mail: &str) -> String {
    format!(
        "Content-Type: multipart/mixed; boundary=fwd\n\n--fwd\n\nVERIFY\n--fwd\nContent-Type: message/rfc822\n\
         Content-Disposition: attachment; filename=\"your vote.eml\"\n\n{mail}\n--fwd--\n"
    )
}

impl Scene {
    /// p1 sends this to the clerk; the one mail that comes back says so.
    async fn check(&mut self, number: u32, forwarded: &str, says: &str) {
        let mark = self.village.mark().await;
        let (ana, clerk) =
            (self.village.people[0].account.address.clone(), self.village.clerk.address.clone());
        let mail = format!(
            "From: Ana <{ana}>\nTo: {clerk}\nSubject: Fwd: your vote\nDate: Mon, 23 Nov 2026 10:20:00 +0000\n\
             Message-ID: <fwd-{number}@village.example>\nMIME-Version: 1.0\n{forwarded}"
        );
        let bytes = mail.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes();
        let known = self.village.people[0].look().await.expect("her mailbox").len();
        self.village.people[0].send(&bytes, &clerk, &Reply::default()).await.expect("sent");
        self.village.take(1).await;
        let told = vec!["p1 office/transcript".to_owned()];
        assert_eq!(
            self.village.since(&mark).await,
            Since { ended: BTreeMap::from([("acted", 1)]), told },
            "{says}"
        );
        let answer = self.village.mail(1, known + 1).await;
        let text = form(&String::from_utf8_lossy(&answer.raw), false).replace('\n', " ");
        assert!(text.contains(says), "{says:?} is not in {text}");
        assert_eq!(
            self.village.votes(self.case).await,
            BTreeMap::new(),
            "what is forwarded votes for nobody"
        );
    }
}

const OURS: &str = "we sent you this mail";
const ALTERED: &str = "is not as we sent it";
const NOT_OURS: &str = "we did not write this mail";

#[tokio::test]
async fn a_ballot_of_ours_is_known_however_it_is_forwarded() {
    let mut scene = scene().await;
    let hers = scene.hers.clone();
    scene.check(1, &as_text(&form(&hers, false)), OURS).await;
    scene.check(2, &as_page(&form(&hers, true)), OURS).await;
    scene.check(3, &enclosed(&hers), OURS).await;
    scene.village.well().await;
}

#[tokio::test]
async fn a_ballot_whose_choices_or_links_were_changed_is_told_apart() {
    let mut scene = scene().await;
    let (text, page) = (form(&scene.hers, false), form(&scene.hers, true));
    assert!(text.contains("we meet by video") && text.contains("all stays as it is"), "{text}");
    let swapped = text
        .replace("we meet by video", "\u{1}")
        .replace("all stays as it is", "we meet by video")
        .replace('\u{1}', "all stays as it is");
    scene.check(1, &as_text(&swapped), ALTERED).await;
    let thief = page.replacen("href=\"mailto:", "href=\"mailto:thief.", 1);
    assert_ne!(thief, page);
    scene.check(2, &as_page(&thief), "at least one leads elsewhere").await;
    let more = format!("{text}\nPlease log in first: https://atlarge.example.evil.example/vote\n");
    scene.check(3, &as_text(&more), "at least one leads elsewhere").await;
    scene.village.well().await;
}

#[tokio::test]
async fn a_forgery_is_denied_and_mail_to_somebody_else_is_not_read_out() {
    let mut scene = scene().await;
    let text = form(&scene.hers, false);
    let token: &str = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .find(|word| word.len() == 32)
        .expect("the number of a mail of ours");
    let forged = text.replace(token, "abcdefghijklmnopqrstuvwxyz234567");
    scene.check(1, &as_text(&forged), NOT_OURS).await;
    let page = "From: At-Large Clerk <clerk@atlarge.example>\nTo: ana@village.example\nSubject: your vote\n\n\
                Dear Ana, please confirm your password at https://evil.example\n";
    scene.check(2, &enclosed(page), NOT_OURS).await;
    let his = form(&scene.his, false);
    scene.check(3, &as_text(&his), "we tell nobody but the person to whom we sent it").await;
    scene.village.well().await;
}

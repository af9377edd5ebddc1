//! Notices leave at least once, the same bytes each time, and their case learns how it went.

use super::record::*;
use atlarged::advance::{Commit, LetterBody, OutboxRow};
use atlarged::kernel::ids::{LetterId, NoticeId, Party, PersonId};
use atlarged::kernel::workflow::{Asks, Input, Undelivered};
use atlarged::letters::print::{Form, Print};
use atlarged::ports::store::{Posted, Sealed, Store};

super::promises! {
    notices_leave_oldest_first
    a_retry_is_the_same_mail
    what_was_accepted_is_reported_once
    what_was_refused_for_good_is_reported
    what_is_too_late_never_leaves
    a_question_that_could_not_leave_in_time_is_reported
    refusals_and_acknowledgements_are_counted_and_nothing_else
    what_was_cancelled_never_leaves
    a_stuck_notice_can_be_sent_again
    an_answer_is_threaded
}

/// Opens the case with these notices.
async fn fill(store: &impl Store, rows: Vec<OutboxRow>) {
    store.commit(&Commit { outbox: rows, ..step(CASE, 0, 0) }).await.unwrap();
}

async fn next(store: &impl Store, minutes: i64) -> Option<NoticeId> {
    store.claim_outgoing(t(minutes)).await.unwrap().map(|outgoing| outgoing.row.id)
}

async fn status(store: &impl Store, id: NoticeId) -> String {
    store.notice(id).await.unwrap().unwrap().status
}

async fn notices_leave_oldest_first(record: impl Record) {
    let (store, other) = (record.instance().await, record.instance().await);
    fill(&store, vec![notice(CASE, 0, 1), notice(CASE, 0, 0)]).await;
    store.commit(&Commit { outbox: vec![notice(CASE, 1, 0)], ..step(CASE, 1, 1) }).await.unwrap();
    let mut left = Vec::new();
    for store in [&store, &other, &store] {
        left.push(next(store, 5).await.unwrap().to_string());
    }
    assert_eq!(left, ["c7.0.0", "c7.0.1", "c7.1.0"]);
    assert_eq!(next(&other, 5).await, None);
}

async fn a_retry_is_the_same_mail(record: impl Record) {
    let store = record.instance().await;
    let id = notice(CASE, 0, 0).id;
    fill(&store, vec![notice(CASE, 0, 0)]).await;
    let first = store.claim_outgoing(t(1)).await.unwrap().unwrap();
    assert_eq!((first.row, first.created, first.attempts), (notice(CASE, 0, 0), t(0), 0));
    assert_eq!((first.bytes, first.in_reply_to), (None, None));
    let bytes = Sealed { key: "intake-2026-03-01".into(), bytes: vec![1, 2, 3] };
    let form = Form { runs: vec!["ab".into()], links: vec!["cd".into()], addresses: vec![] };
    let print = Print { forms: vec![form] };
    assert_eq!(store.print(id).await.unwrap(), None);
    store.keep_bytes(id, &bytes, &print).await.unwrap();
    assert_eq!(store.print(id).await.unwrap(), Some(print.clone()));
    store.posted(id, &Posted::Later { at: t(9), why: "busy".into() }, t(2)).await.unwrap();
    assert_eq!(next(&store, 8).await, None);
    assert_eq!(store.next_event().await.unwrap(), Some(t(9)));
    let second = store.claim_outgoing(t(9)).await.unwrap().unwrap();
    assert_eq!((second.attempts, second.bytes.as_ref()), (1, Some(&bytes)));
    record.crash(store).await;
    let store = record.instance().await;
    assert_eq!(next(&store, 9).await, None, "it rests");
    let third = store.claim_outgoing(t(10)).await.unwrap().unwrap();
    assert_eq!(third.bytes, Some(bytes));
    store.posted(id, &Posted::Accepted, t(11)).await.unwrap();
    let sent = store.notice(id).await.unwrap().unwrap();
    assert_eq!((sent.status.as_str(), sent.sent_at), ("sent", Some(t(11))));
    assert_eq!(store.print(id).await.unwrap(), Some(print), "it stays");
    assert_eq!(next(&store, 100).await, None);
    assert_eq!(claim(&store, 100).await, None, "nobody asked to be told");
}

async fn what_was_accepted_is_reported_once(record: impl Record) {
    let store = record.instance().await;
    let row = OutboxRow { report_sent: true, ..notice(CASE, 0, 0) };
    fill(&store, vec![row.clone()]).await;
    next(&store, 1).await.unwrap();
    store.posted(row.id, &Posted::Accepted, t(2)).await.unwrap();
    store.posted(row.id, &Posted::Accepted, t(3)).await.unwrap();
    let claimed = store.claim_letter(t(3)).await.unwrap().unwrap();
    let input = Input::Sent { notice: row.id, label: row.label, to: row.to, at: t(2) };
    assert_eq!((claimed.letter.body, claimed.letter.arrived), (LetterBody::ToCase(CASE, input), t(2)));
    assert_eq!(claimed.letter.key, "sent:c7.0.0");
    store.commit(&answering(step(CASE, 1, 3), claimed.id)).await.unwrap();
    assert_eq!(claim(&store, 4).await, None);
}

async fn what_was_refused_for_good_is_reported(record: impl Record) {
    let store = record.instance().await;
    fill(&store, (0..2).map(|n| notice(CASE, 0, n)).collect()).await;
    for (n, code, permanent) in [(0, "5.1.1", true), (1, "4.2.2", false)] {
        let id = next(&store, 1).await.unwrap();
        let never = Posted::Never { status: Some(code.into()), why: "no such user".into() };
        store.posted(id, &never, t(2)).await.unwrap();
        assert_eq!(status(&store, id).await, "failed");
        let claimed = store.claim_letter(t(3)).await.unwrap().unwrap();
        let input = Input::Undelivered(Undelivered {
            notice: id,
            label: format!("ballot:{n}"),
            to: Party::Person(PersonId(5)),
            address: 0,
            permanent,
            status: Some(code.into()),
            at: t(2),
        });
        assert_eq!(claimed.letter.body, LetterBody::ToCase(CASE, input));
        assert_eq!(claimed.letter.key, format!("undelivered:{id}:0"));
        store.commit(&answering(step(CASE, n + 1, 3), claimed.id)).await.unwrap();
    }
}

async fn what_is_too_late_never_leaves(record: impl Record) {
    let store = record.instance().await;
    let until = |n, minutes| OutboxRow { not_after: Some(t(minutes)), ..notice(CASE, 0, n) };
    fill(&store, vec![until(0, 10), until(1, 11)]).await;
    assert_eq!(next(&store, 11).await, Some(until(1, 11).id));
    store.posted(until(1, 11).id, &Posted::Lapsed, t(12)).await.unwrap();
    assert_eq!(status(&store, until(1, 11).id).await, "lapsed");
    assert_eq!(next(&store, 12).await, None);
    assert_eq!(status(&store, until(0, 10).id).await, "lapsed");
}

async fn a_question_that_could_not_leave_in_time_is_reported(record: impl Record) {
    let store = record.instance().await;
    let until = |n, asks| OutboxRow { not_after: Some(t(10)), asks, ..notice(CASE, 0, n) };
    let cancelled = OutboxRow { label: "over".into(), ..until(2, Asks::Vote) };
    fill(&store, vec![until(0, Asks::Nothing), until(1, Asks::Vote), cancelled]).await;
    let cancel = Commit { cancelled: vec!["over".into()], ..step(CASE, 1, 2) };
    store.commit(&cancel).await.unwrap();
    assert_eq!(next(&store, 11).await, None);
    let claimed = store.claim_letter(t(11)).await.unwrap().unwrap();
    let LetterBody::ToCase(CASE, Input::Undelivered(told)) = claimed.letter.body else { panic!() };
    assert_eq!((told.notice, told.permanent, told.at), (until(1, Asks::Vote).id, true, t(11)));
    store.commit(&answering(step(CASE, 2, 11), claimed.id)).await.unwrap();
    assert_eq!(claim(&store, 12).await, None, "what asks nothing, or was cancelled, is missed by nobody");
}

async fn refusals_and_acknowledgements_are_counted_and_nothing_else(record: impl Record) {
    let store = record.instance().await;
    open_case(&store, CASE, 1000).await;
    let answers = Some(LetterId(1));
    let row = |n, template: &str, refusal, answers| {
        let template = template.to_owned();
        OutboxRow { template, refusal, answers, ..notice(CASE, 1, n) }
    };
    let rows = vec![
        row(0, "ballot/receipt", false, answers),
        row(1, "ballot/unclear", true, answers),
        row(2, "office/transcript", false, answers),
        row(3, "enquiry/received", false, None),
    ];
    store.commit(&Commit { outbox: rows, ..step(CASE, 1, 1) }).await.unwrap();
    while let Some(id) = next(&store, 2).await {
        store.posted(id, &Posted::Accepted, t(2)).await.unwrap();
    }
    let to = notice(CASE, 1, 0).to;
    assert_eq!(store.answered(to, t(2)).await.unwrap(), 2);
    assert_eq!(store.answered(to, t(3)).await.unwrap(), 0);
}

async fn what_was_cancelled_never_leaves(record: impl Record) {
    let store = record.instance().await;
    fill(&store, (0..3).map(|n| notice(CASE, 0, n)).collect()).await;
    let sending = next(&store, 1).await.unwrap();
    let mut cancel = step(CASE, 1, 2);
    cancel.cancelled = vec!["ballot:0".into(), "ballot:1".into()];
    store.commit(&cancel).await.unwrap();
    assert_eq!(status(&store, notice(CASE, 0, 1).id).await, "lapsed");
    assert_eq!(status(&store, sending).await, "waiting", "it may be leaving right now");
    store.posted(sending, &Posted::Later { at: t(3), why: "busy".into() }, t(3)).await.unwrap();
    assert_eq!(next(&store, 9).await, Some(notice(CASE, 0, 2).id));
    assert_eq!(next(&store, 9).await, None);
    assert_eq!(status(&store, sending).await, "lapsed");
}

async fn a_stuck_notice_can_be_sent_again(record: impl Record) {
    let store = record.instance().await;
    let id = notice(CASE, 0, 0).id;
    fill(&store, vec![notice(CASE, 0, 0)]).await;
    assert!(!store.resend(id, t(1)).await.unwrap());
    next(&store, 1).await.unwrap();
    store.posted(id, &Posted::Stuck { why: "no template".into() }, t(1)).await.unwrap();
    assert_eq!((status(&store, id).await.as_str(), next(&store, 2).await), ("stuck", None));
    assert!(store.resend(id, t(3)).await.unwrap());
    assert_eq!(next(&store, 3).await, Some(id));
}

async fn an_answer_is_threaded(record: impl Record) {
    let store = record.instance().await;
    open_case(&store, CASE, 1000).await;
    let mut question = letter("mail:1:0", CASE, 1);
    question.message_id = Some("<q@x.example>".into());
    store.post(&question, t(1)).await.unwrap();
    let (id, _) = claim(&store, 1).await.unwrap();
    let mut commit = answering(step(CASE, 1, 1), id);
    commit.outbox = vec![OutboxRow { answers: Some(id), ..notice(CASE, 1, 0) }];
    store.commit(&commit).await.unwrap();
    let outgoing = store.claim_outgoing(t(2)).await.unwrap().unwrap();
    assert_eq!(outgoing.in_reply_to.as_deref(), Some("<q@x.example>"));
}

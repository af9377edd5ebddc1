-- The record: everything atlarged knows, in the order in which it comes to know it.
--
-- Three rules hold for every table.
--   1. No table reads a clock: whoever writes a row says when.
--   2. JSON holds a value whole; columns beside it are copies of what SQL has to search by.
--   3. "hand" is the number of the running instance that works on the row. An instance holds a session
--      advisory lock under its number for as long as it lives, so a hand without a lock is a dead one.

-- 1. Who people are ------------------------------------------------------------------------------------

-- The register is never edited: it is the fold of these changes, in order.
create table register_changes (
    version bigint primary key check (version > 0),
    at      timestamptz not null,
    by      text not null,                  -- "p17", "c42"
    change  jsonb not null
);

-- People outside the register who wrote to us. They are answered at most once a day.
create table strangers (
    id            bigint generated always as identity primary key,
    address       text not null unique check (length(address) <= 320),
    language      text not null,
    last_answered timestamptz not null
);

-- 2. What arrives --------------------------------------------------------------------------------------

-- The beginning of the last complete fetch of every folder: what arrived before it is known.
create table mailboxes (
    mailbox       text primary key,
    fetched_began timestamptz not null
);

create table cursors (
    mailbox      text not null,
    folder       text not null,
    uid_validity bigint not null,
    next_uid     bigint not null,
    primary key (mailbox, folder)
);

-- One row for each mail, however often and wherever it is found.
create table mails (
    id          bigint generated always as identity primary key,
    dedup       bytea not null unique check (length(dedup) = 32),
    arrived     timestamptz not null,       -- fixed at first sight
    stored_at   timestamptz not null,
    sorted_at   timestamptz,
    size        bigint not null,
    junk        boolean not null,
    header_only boolean not null,
    case_hint   bigint,                     -- the case its token names
    key         text not null,              -- which key opens `raw`
    raw         bytea not null,             -- sealed before it came here
    checked_key text,                       -- which key opens `checked`
    checked     bytea,                      -- what DNS said of its sender, sealed: asked once, kept for ever
    -- "unsorted" until the desk has seen it; then what its letters add up to.
    status      text not null default 'unsorted'
                check (status in ('unsorted', 'waiting', 'acted', 'refused', 'silent', 'quarantined')),
    why         text,
    not_before  timestamptz,                -- put back until then: the world was unwell
    hand        bigint,
    attempts    smallint not null default 0, -- instances that died with nothing but this in hand
    suspect     boolean not null default false, -- one died with this and more in hand: next time it goes alone
    accepted    boolean not null default false, -- a person looked: its times and carriers are fine
    stays       integer not null default 0  -- times it left quarantine: staff are told of each stay
);
create index mails_unsorted on mails (arrived, id) where status = 'unsorted';
create index mails_quarantined on mails (arrived, id) where status = 'quarantined';
create index mails_in_hand on mails (hand) where hand is not null;
create index mails_by_status on mails (status);

-- Mails that would become tasks without anybody vouching for their writers: so many a day are let in.
create table knocks (
    mail     bigint primary key references mails,
    at       timestamptz not null,
    domain   text not null check (length(domain) <= 320),
    admitted boolean not null
);
create index knocks_by_time on knocks (at);

create table places (
    mailbox      text not null,
    folder       text not null,
    uid_validity bigint not null,
    uid          bigint not null,
    mail         bigint not null references mails,
    primary key (mailbox, folder, uid_validity, uid)
);

-- One input for one case, or the opening of one. Read from a mail, or posted by staff, a case, the sender.
create table letters (
    id         bigint generated always as identity primary key,
    key        text not null unique,        -- the same letter twice is one letter
    target     bigint,                      -- the case it is for; none opens one
    body       jsonb not null,
    arrived    timestamptz not null,
    mail       bigint references mails,
    message_id text,
    status     text not null default 'waiting'
               check (status in ('waiting', 'acted', 'refused', 'silent', 'quarantined')),
    why        text,                        -- the refusal's template, or the reason
    moved      bigint,                      -- the case it opened or moved
    ended_at   timestamptz,
    not_before timestamptz,
    hand       bigint,
    attempts   smallint not null default 0,
    suspect    boolean not null default false,
    stays      integer not null default 0
);
create index letters_waiting on letters (arrived, id) where status = 'waiting';
create index letters_unfinished on letters (target, arrived, id) where status in ('waiting', 'quarantined');
create index letters_in_hand on letters (hand) where hand is not null;
create index letters_put_back on letters (not_before) where status = 'waiting' and not_before is not null;
create index letters_of_mail on letters (mail) where mail is not null;
create index letters_by_message_id on letters (message_id) where message_id is not null;

-- 3. What is under way ---------------------------------------------------------------------------------

create sequence case_numbers;

create table cases (
    id        bigint primary key,
    kind      text not null,
    phase     text not null,
    title     text not null,
    seq       bigint not null,              -- steps taken; a step is applied only to the seq it was made for
    wake_at   timestamptz,                  -- the whole scheduler
    parent    bigint,
    opened_at timestamptz not null,
    state     jsonb not null,
    duties    jsonb not null,               -- the tasks it waits for: who was asked, when deputies step in
    hand      bigint,                       -- whoever works on a letter or the clock of this case
    attempts  smallint not null default 0,  -- instances that died with nothing but this clock in hand
    suspect   boolean not null default false,
    stuck     text,                         -- why the clock no longer fires
    not_before timestamptz,                 -- the clock was put back until then: the world was unwell
    stays     integer not null default 0
);
create index cases_due on cases (wake_at, id) where wake_at is not null and stuck is null;
create index cases_stuck on cases (id) where stuck is not null;
create index cases_in_hand on cases (hand) where hand is not null;

-- What waits for a person; closed when the case cancels the label.
create table tasks (
    id         bigint generated always as identity primary key,
    case_id    bigint not null references cases,
    label      text not null,
    template   text not null,
    recipients text[] not null,
    due        timestamptz,
    opened_at  timestamptz not null,
    closed_at  timestamptz
);
create index tasks_open on tasks (case_id, label) where closed_at is null;

-- 4. What happened -------------------------------------------------------------------------------------

-- Every step of every case. `entry` is kept to the letter (json, not jsonb): `hash` is SHA-256 over the
-- hash before it and the entry, so that nobody can change a row, or leave one out, without it showing.
create table journal (
    number  bigint primary key check (number > 0),
    case_id bigint not null,
    seq     bigint not null,
    entry   json not null,
    hash    bytea not null check (length(hash) = 32),
    unique (case_id, seq)
);

-- The one row where all steps meet: whoever applies one holds it until done.
create table head (
    one              boolean primary key default true check (one),
    number           bigint not null,
    hash             bytea not null check (length(hash) = 32),
    register_version bigint not null
);
insert into head (number, hash, register_version) values (0, decode(repeat('00', 32), 'hex'), 0);

create table policies (
    digest text primary key,
    body   text not null
);

-- 5. What we say ---------------------------------------------------------------------------------------

-- One notice to one recipient.
create table outbox (
    case_id    bigint not null,
    seq        bigint not null,
    n          integer not null,
    label      text not null,
    recipient  text not null,               -- "p17", "o3", "s9"
    asks       boolean not null,
    not_after  timestamptz,
    notice     jsonb not null,
    created    timestamptz not null,
    status     text not null default 'waiting'
               check (status in ('waiting', 'sent', 'lapsed', 'failed', 'stuck')),
    why        text,
    closed     boolean not null default false, -- its label was cancelled: no longer asked, never sent later
    next_try   timestamptz,
    tries      integer not null default 0,
    key        text,
    bytes      bytea,                       -- the mail as first sent, sealed; gone once the outcome is final
    sent_at    timestamptz,
    hand       bigint,
    attempts   smallint not null default 0,
    suspect    boolean not null default false,
    primary key (case_id, seq, n)
);
create index outbox_waiting on outbox (created, case_id, seq, n) where status = 'waiting';
create index outbox_retry on outbox (next_try) where status = 'waiting' and next_try is not null;
create index outbox_lapsing on outbox (not_after) where status = 'waiting' and not_after is not null;
create index outbox_answered on outbox (recipient, sent_at);
create index outbox_asked on outbox (recipient) where asks and not closed;
create index outbox_in_hand on outbox (hand) where hand is not null;

-- Files to be published, whole each time, as they were committed. `body` is kept to the letter.
create table publications (
    number       bigint generated always as identity primary key,
    path         text not null,
    body         json not null,
    at           timestamptz not null,
    journal_head bytea not null
);

-- Cases whose keys must be destroyed and have not been yet.
create table shreds (
    case_id bigint primary key,
    at      timestamptz not null
);

-- 6. Who works here ------------------------------------------------------------------------------------

-- `booted` is when the server itself started: where it has restarted since, a missing lock says nothing
-- about the instance, which then is not taken for dead in the middle of its work.
create table instances (
    hand   bigint primary key,
    booted timestamptz not null
);

-- What each instance has in hand. A letter and its case count once.
create view held as
    select hand, suspect from mails where hand is not null
    union all select hand, suspect from letters where hand is not null
    union all select hand, suspect from outbox where hand is not null
    union all select hand, suspect from cases c where hand is not null
        and not exists (select from letters l where l.hand = c.hand and l.target = c.id);

-- Small facts of the installation: "epoch", "heartbeat".
create table facts (
    name  text primary key,
    value text not null
);

-- What people tell in confidence: nothing of it lies here but handles and what only the key store can open.

-- What a case holds in confidence, by handle: whose members were asked, how many comments there were, whether it is
-- over (src/kernel/confidential.rs).
alter table cases add column confidences jsonb not null default '{}';

-- The substance and the source of comments, sealed under the key of their case; and whom a receipt goes to, sealed
-- under a key of its own, until the relay has accepted it.
create table sealed (
    handle  text primary key,               -- "sealed:…", "a7"
    case_id bigint not null,
    key     text not null,
    bytes   bytea not null
);
create index sealed_of_case on sealed (case_id);

-- A mail that answers a confidential notice of this case, or is a bounce of one. It is sealed under a key of its own.
-- Once it is sorted, `raw`, `checked` and its times are gone; of one that waits for a person they go with the case's.
alter table mails add column confidential bigint;
create index mails_confidential on mails (confidential) where confidential is not null;

-- Mails to be removed from their mailbox for good: asked for with the mail itself, tried until the server confirms.
create table expunges (
    mailbox      text not null,
    folder       text not null,
    uid_validity bigint not null,
    uid          bigint not null,
    primary key (mailbox, folder, uid_validity, uid)
);

-- Keys that seal nothing any more, until the key store has destroyed them.
create table spent (
    key text primary key
);

-- What comes attached to an application is kept as documents: each sealed under a key of its own, so that one can be
-- destroyed, in every copy of this database, without the others. A case holds handles (src/kernel/documents.rs); what
-- no case holds any more is deleted here, and its key is spent.
create table documents (
    handle text primary key,                -- "paper:…"
    mail   bigint not null references mails, -- the mail it came in: where a document must go, that goes too
    key    text not null,
    bytes  bytea not null,                  -- where its parts are and what opens them, sealed
    upload bytea not null unique check (length(upload) = 16)
);
create index documents_of_mail on documents (mail);

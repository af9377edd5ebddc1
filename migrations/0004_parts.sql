-- A mail over 1 MiB never stands whole in memory: it comes in parts, each sealed by itself, and lies here in parts.

-- Parts are there before their mail is: nobody sees them until `mails.upload` names them, in the same transaction that
-- makes the mail one. Whatever a crash leaves is named by nobody, and is thrown away after two days. The key of an
-- upload lies in `mails.raw`, sealed as that is, beside what is read of the mail: what destroys one destroys both.
create table mail_parts (
    upload bytea not null check (length(upload) = 16), -- drawn when the mail's first part came
    n      integer not null check (n >= 0),
    at     timestamptz not null,
    bytes  bytea not null,
    primary key (upload, n)
);
-- What is sealed cannot be compressed.
alter table mail_parts alter column bytes set storage external;
create index mail_parts_first on mail_parts (at) where n = 0;

alter table mails add column upload bytea check (length(upload) = 16);
create unique index mails_upload on mails (upload) where upload is not null;

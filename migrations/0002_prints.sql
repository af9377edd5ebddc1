-- What can be said about a mail after it has left, when somebody forwards a copy and asks VERIFY: keyed codes of runs
-- of its words, of its links and addresses (src/letters/print.rs). Nothing can be read out of it, and it stays.
alter table outbox add column print jsonb;

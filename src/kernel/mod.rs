//! The vocabulary everything else is written in: pure, without clock, socket or disk.

pub mod assurance;
pub mod ballot;
pub mod canonical;
pub mod choice;
pub mod confidential;
pub mod documents;
pub mod duties;
pub mod form;
pub mod ids;
pub mod ladder;
pub mod language;
pub mod people;
pub mod regions;
pub mod register;
pub mod said;
pub mod strict;
pub mod tally;
pub mod token;
pub mod wheel;
pub mod workflow;

//! The vocabulary everything else is written in: pure, without clock, socket or disk.

pub mod choice;
pub mod language;

//! atlarged: the clerk of ICANN's At-Large community, by mail.
//!
//! The modules form a ladder; each imports only from those below it (`tests/it/tidy.rs` holds this):
//!
//! `cli ► sandbox, sim, web ► daemon ► ports ► render ► advance ► desk ► workflows ► letters ► kernel`

pub mod advance;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod desk;
pub mod kernel;
pub mod letters;
pub mod ports;
pub mod render;
pub mod replay;
pub mod sandbox;
pub mod sim;
pub mod web;
pub mod workflows;

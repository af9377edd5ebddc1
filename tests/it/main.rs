//! Integration tests: one binary, real servers.

mod letters_layouts;
mod letters_speech;
mod ports_dkim;
mod ports_fake;
mod ports_imap;
mod ports_maildir;
mod ports_rig;
mod ports_smtp;
mod render;
mod render_hostile;
mod render_replies;
mod render_templates;
mod sandbox;
mod servers;
mod simulate;
mod store_contract;
mod village;

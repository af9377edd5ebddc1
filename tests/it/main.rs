//! Integration tests: one binary, real servers.

mod ballot_stories;
mod desk;
mod golden_states;
mod letters_answers;
mod letters_gate;
mod letters_layouts;
mod letters_speech;
mod letters_total;
mod ports_dkim;
mod ports_fake;
mod ports_imap;
mod ports_imap_odd;
mod ports_maildir;
mod ports_rig;
mod ports_smtp;
mod render;
mod render_hostile;
mod render_replies;
mod render_templates;
mod sandbox;
mod servers;
mod store_contract;
mod story;
mod tally;
mod tidy;
mod village;

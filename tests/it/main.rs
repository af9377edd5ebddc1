//! Integration tests.

mod sandbox;

mod render;
mod render_hostile;
mod render_replies;
mod render_templates;

//! Integration tests.
mod letters_answers;
mod letters_layouts;
mod letters_speech;
mod letters_total;

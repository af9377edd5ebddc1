//! Integration tests.

mod sandbox;
mod village;

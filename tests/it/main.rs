//! Integration tests.

mod sandbox;

mod render;

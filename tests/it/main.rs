//! Integration tests.

mod sandbox;
mod servers;
mod village;

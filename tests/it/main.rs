//! Integration tests.

mod sandbox;
mod servers;
mod store_contract;
mod village;

mod render;

//! What starts a clerk and gives it answers, shared with the tests.

#[path = "../../tests/it/real/load.rs"]
pub mod load;
#[path = "../../tests/it/real/village.rs"]
pub mod village;

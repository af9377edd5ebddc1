//! Where mail comes from.

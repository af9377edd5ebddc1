//! Reading what arrives: bytes in, a `Letter` out. Pure, and it never fails.

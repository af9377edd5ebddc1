//! Canonical JSON and its hash: what is signed, chained and compared.

use ring::digest;
use serde::Serialize;
use serde_json::Value;

/// Keys sorted, no white space, UTF-8: serde_json's own form, since its maps are sorted.
/// Only for values whose map keys are text; numbers are integers throughout.
pub fn canonical(value: &impl Serialize) -> String {
    let sorted: Value = serde_json::to_value(value).expect("our values have text keys");
    sorted.to_string()
}

/// SHA-256 of the canonical JSON, in lower-case hex.
pub fn hash(value: &impl Serialize) -> String {
    sha256(canonical(value).as_bytes())
}

/// As `hash`, of what is JSON already: nothing is copied.
pub fn hash_json(value: &Value) -> String {
    sha256(value.to_string().as_bytes())
}

/// SHA-256 in lower-case hex.
pub fn sha256(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_of_keys_does_not_matter() {
        assert_eq!(canonical(&json!({"b": 1, "a": [true, "é"]})), r#"{"a":[true,"é"],"b":1}"#);
        assert_eq!(hash(&json!({"b": 1, "a": 2})), hash(&json!({"a": 2, "b": 1})));
        assert_eq!(hash(&json!({"b": {"d": 1, "c": null}})), hash_json(&json!({"b": {"c": null, "d": 1}})));
    }
}

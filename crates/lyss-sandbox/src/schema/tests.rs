use serde_json::json;

use super::*;

#[test]
fn every_kind_gets_a_value_that_fits() {
    let schema = json!({"type": "object", "$defs": {"P": {"type": "object", "properties": {"n": {"type": "integer", "minimum": 50}}}},
        "properties": {"name": {"type": "string", "minLength": 8}, "kind": {"enum": ["b", "a"]}, "one": {"const": 1},
        "points": {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/P"}}, "maybe": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
        "day": {"type": ["string", "null"], "format": "date"}}});
    assert_eq!(
        fitting(&schema),
        json!({"name": "samplexx", "kind": "b", "one": 1, "points": [{"n": 50}, {"n": 50}], "maybe": true, "day": "2025-06-15"})
    );
}

#[test]
fn capitals_and_circles_are_survived() {
    assert_eq!(
        fitting(&json!({"type": "ARRAY", "items": {"type": "STRING", "maxLength": 3}})),
        json!(["sam"])
    );
    let circle = json!({"type": "object", "properties": {"next": {"$ref": "#"}}});
    assert!(fitting(&circle)["next"]["next"].is_object());
    assert_eq!(fitting(&json!(true)), json!({}));
}

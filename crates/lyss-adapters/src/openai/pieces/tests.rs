use serde_json::json;

use super::*;

#[test]
fn content_is_text_or_parts_or_nothing() {
    let read = |value: serde_json::Value| serde_json::from_str::<Content>(&value.to_string()).unwrap();
    assert_eq!(read(json!("a")).text, "a");
    let parts = json!([{"type": "text", "text": "a"}, {"type": "thinking", "thinking": "r"}, {"type": "odd"}, {"type": "text", "text": "b"}]);
    assert_eq!(read(parts), Content { reasoning: "r".into(), text: "ab".into() });
    for nothing in [json!(null), json!(7), json!(-7), json!(1.5), json!(true), json!({"a": [1]}), json!([])] {
        assert_eq!(read(nothing), Content::default());
    }
}

#[test]
fn odd_pieces_say_nothing() {
    let raw = |json: &str| serde_json::value::RawValue::from_string(json.to_owned()).unwrap();
    for odd in ["7", "\"x\"", "{}", "[7, null, {}]", "null"] {
        assert!(annotations(&raw(odd)).is_empty(), "{odd}");
        assert!(images(&raw(odd)).is_empty(), "{odd}");
        assert!(search_results(&raw(odd)).is_empty(), "{odd}");
        assert!(logprobs(&raw(odd)).is_empty(), "{odd}");
        assert!(ratings(&raw(odd)).is_empty(), "{odd}");
    }
}

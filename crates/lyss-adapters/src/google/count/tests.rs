use serde_json::{Value, json};

use super::*;
use crate::conversation::{Part, Role, Turn};

#[test]
fn the_whole_request_is_counted() {
    let call = ChatCall {
        turns: vec![
            Turn::new(Role::System, vec![Part::Text("Be kind.".into())], 0),
            Turn::new(Role::User, vec![Part::Text("Hello.".into())], 1),
        ],
        ..ChatCall::default()
    };
    let encoded = encode(&call, &Encoding::plain("gemini-2.5-pro")).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&encoded.body).unwrap(),
        json!({"generateContentRequest": {
            "model": "models/gemini-2.5-pro",
            "contents": [{"role": "user", "parts": [{"text": "Hello."}]}],
            "systemInstruction": {"parts": [{"text": "Be kind."}]},
        }})
    );
}

#[test]
fn a_count_is_read_and_written() {
    assert_eq!(decode(br#"{"totalTokens": 31, "promptTokensDetails": []}"#).unwrap(), 31);
    assert_eq!(decode(b"{}").unwrap(), 0);
    assert!(decode(b"<html>").is_err());
    assert_eq!(render(31), r#"{"totalTokens":31}"#);
}

use serde_json::{Value, json};

use super::*;

#[test]
fn texts_become_a_batch() {
    let body = json!({"model": "m", "input": ["one", "two"], "dimensions": 256, "encoding_format": "base64", "user": "u"});
    let encoded = encode(body.to_string().as_bytes(), "gemini-embedding-001").unwrap();
    let one = |text: &str| {
        json!({
            "model": "models/gemini-embedding-001",
            "content": {"parts": [{"text": text}]},
            "outputDimensionality": 256,
        })
    };
    let written: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!(written, json!({"requests": [one("one"), one("two")]}));
    assert_eq!((encoded.format, encoded.losses), (EmbeddingFormat::Base64, vec!["user".to_owned()]));
    assert_eq!(encoded.estimated_tokens, 2);
    assert!(encode(br#"{"input":"one"}"#, "m").is_ok());
}

#[test]
fn what_cannot_be_embedded_is_told_with_its_path() {
    let table = [
        (r#"{"input":[1,2]}"#, "input"),
        (r#"{"input":[[1]]}"#, "input"),
        (r#"{"input":[]}"#, "input"),
        (r#"{"input":""}"#, "input"),
        (r#"{"input":["a",""]}"#, "input[1]"),
        (r#"{"input":["a",1]}"#, "input[1]"),
        (r#"{}"#, "input"),
        (r#"{"input":"a","encoding_format":"hex"}"#, "encoding_format"),
        (r#"{"input":"a","dimensions":-1}"#, "dimensions"),
    ];
    for (body, path) in table {
        assert_eq!(encode(body.as_bytes(), "m").unwrap_err().param.as_deref(), Some(path), "{body}");
    }
}

#[test]
fn vectors_come_back_as_numbers_or_base64() {
    let answer = decode(br#"{"embeddings":[{"values":[0.5,-1]},{"values":[2]}]}"#).unwrap();
    assert_eq!(answer, Embeddings { vectors: vec![vec![0.5, -1.0], vec![2.0]], tokens: None });
    let shown = |format| serde_json::from_slice::<Value>(&render(&answer, format, "m", 7)).unwrap();
    let floats = shown(EmbeddingFormat::Floats);
    assert_eq!(floats["data"][0], json!({"object": "embedding", "index": 0, "embedding": [0.5, -1.0]}));
    assert_eq!(floats["usage"], json!({"prompt_tokens": 7, "total_tokens": 7}));
    // 0.5 and -1 as 32-bit floats: 00 00 00 3f, 00 00 80 bf.
    assert_eq!(shown(EmbeddingFormat::Base64)["data"][0]["embedding"], "AAAAPwAAgL8=");
    assert_eq!(decode(br#"{"embedding":{"values":[1]}}"#).unwrap().vectors.len(), 1);
    assert!(decode(b"{}").is_err());
}

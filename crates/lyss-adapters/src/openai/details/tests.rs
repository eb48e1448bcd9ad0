use serde_json::{Value, json};

use super::*;

fn read(details: Value) -> Vec<Stretch> {
    stretches(serde_json::from_value::<Vec<Detail>>(details).unwrap())
}

fn written(text: &str, seal: Option<&Seal>, call_id: Option<&str>) -> Value {
    let mut list = Vec::new();
    push(&mut list, 3, text, seal, call_id);
    serde_json::to_value(list).unwrap()
}

#[test]
fn what_is_written_is_read_again() {
    let id = |kind| (kind == SealKind::OpenAi).then(|| "rs_1".to_owned());
    for kind in [SealKind::AnthropicSignature, SealKind::OpenAi] {
        let seal = Seal { kind, data: "ZGF0YQ==".into(), id: id(kind) };
        let read = read(written("r", Some(&seal), None));
        assert_eq!(read.len(), 1, "{kind:?}");
        assert_eq!(read[0].reasoning, Reasoning { text: "r".into(), seal: Some(seal) });
    }
    // These two seal nothing that can be read.
    for kind in [SealKind::AnthropicRedacted, SealKind::Google] {
        let seal = Seal::new(kind, "ZGF0YQ==");
        let read = read(written("r", Some(&seal), Some("c")));
        assert_eq!(read[0].reasoning, Reasoning { text: "r".into(), seal: None });
        assert_eq!(read[1].reasoning, Reasoning { text: String::new(), seal: Some(seal) });
        assert_eq!(read[1].call_id.as_deref(), (kind == SealKind::Google).then_some("c"));
    }
    let plain = read(written("r", None, None));
    assert_eq!(plain[0].reasoning, Reasoning { text: "r".into(), seal: None });
    assert_eq!(written("", None, None), json!([]));
}

#[test]
fn pieces_of_one_index_are_one_stretch() {
    let text = |text: &str, index: u64| json!({"type": "reasoning.text", "text": text, "index": index});
    let read =
        read(json!([text("a", 0), text("b", 0), {"signature": "s", "index": 0}, text("c", 1), text("d", 2)]));
    let told: Vec<_> = read.iter().map(|s| (s.reasoning.text.as_str(), s.reasoning.seal.is_some())).collect();
    assert_eq!(told, [("ab", true), ("c", false), ("d", false)]);
}

#[test]
fn whose_a_seal_is_follows_from_its_format_or_its_id() {
    let kind = |detail: Value| read(json!([detail]))[0].reasoning.seal.as_ref().map(|seal| seal.kind);
    let encrypted = |format: Value, id: Value| json!({"type": "reasoning.encrypted", "data": "d", "format": format, "id": id});
    assert_eq!(kind(encrypted(json!("openai-responses-v1"), Value::Null)), Some(SealKind::OpenAi));
    assert_eq!(kind(encrypted(json!("azure-openai-responses-v1"), Value::Null)), Some(SealKind::OpenAi));
    assert_eq!(kind(encrypted(Value::Null, json!("rs_1"))), Some(SealKind::OpenAi));
    assert_eq!(kind(encrypted(json!("google-gemini-v1"), json!("c"))), Some(SealKind::Google));
    assert_eq!(kind(encrypted(Value::Null, Value::Null)), Some(SealKind::AnthropicRedacted));
    let token = Seal::new(SealKind::Google, "d").to_token();
    assert_eq!(kind(json!({"type": "reasoning.text", "signature": token})), Some(SealKind::Google));
}

#[test]
fn a_flood_of_details_is_bounded() {
    let many: Vec<_> =
        (0..5_000).map(|index| json!({"type": "reasoning.text", "text": "x", "index": index})).collect();
    assert_eq!(read(json!(many)).len(), MAX_DETAILS);
}

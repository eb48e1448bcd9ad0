use lyss_domain::{FaultKind, TokenUsage};
use serde_json::{Value, json};

use super::decode;
use crate::conversation::{
    Choice, CitedPlace, FinishReason, MediaKind, Part, Reasoning, SafetyLevel, Seal, SealKind, Source,
};

fn choice(message: Value, finish: &str) -> Choice {
    let body = json!({"id": "x", "choices": [{"message": message, "finish_reason": finish}]});
    decode(body.to_string().as_bytes()).unwrap().choices.remove(0)
}

fn parts(message: Value) -> Vec<Part> {
    choice(message, "stop").parts
}

fn usage(usage: Value) -> TokenUsage {
    let body = json!({"choices": [], "usage": usage});
    decode(body.to_string().as_bytes()).unwrap().usage.unwrap()
}

#[test]
fn reasoning_of_every_vendor() {
    let thought = |text: &str| Part::Reasoning(Reasoning { text: text.into(), seal: None });
    for message in [
        json!({"content": "t", "reasoning_content": "r"}),
        json!({"content": "t", "reasoning": "r"}),
        json!({"content": "t", "reasoning": "r", "reasoning_content": "r"}),
        json!({"content": "t", "reasoning": "r", "reasoning_details": [{"type": "reasoning.text", "text": "r"}]}),
        json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "r"}]}, {"type": "text", "text": "t"}]}),
    ] {
        assert_eq!(parts(message.clone()), [thought("r"), Part::Text("t".into())], "{message}");
    }
    assert_eq!(parts(json!({"content": "<think>r</think>t"})), [Part::Text("<think>r</think>t".into())]);
    let summary = json!({"reasoning_details": [
        {"type": "reasoning.summary", "summary": "s", "format": "openai-responses-v1", "index": 0},
        {"type": "reasoning.encrypted", "data": "e", "id": "rs_1", "format": "openai-responses-v1", "index": 0},
    ]});
    let seal = Seal { kind: SealKind::OpenAi, data: "e".into(), id: Some("rs_1".into()) };
    assert_eq!(parts(summary), [Part::Reasoning(Reasoning { text: "s".into(), seal: Some(seal) })]);
}

#[test]
fn calls_of_every_form() {
    let made = |call: Value| parts(json!({"tool_calls": [call]}));
    let call = |id: &str, arguments: &str, custom: bool| Part::ToolCall {
        id: id.into(),
        name: "f".into(),
        arguments: arguments.into(),
        custom,
    };
    let function = json!({"name": "f", "arguments": "{}"});
    assert_eq!(made(json!({"id": "c", "function": function})), [call("c", "{}", false)]);
    assert_eq!(
        made(json!({"id": "c", "function": {"name": "f", "arguments": {"a": 1}}})),
        [call("c", r#"{"a":1}"#, false)]
    );
    assert_eq!(
        made(json!({"id": "c", "type": "custom", "custom": {"name": "f", "input": "x"}})),
        [call("c", "x", true)]
    );
    let signed = made(
        json!({"id": "c", "function": function, "extra_content": {"google": {"thought_signature": "s"}}}),
    );
    let seal = Some(Seal::new(SealKind::Google, "s"));
    assert_eq!(signed, [Part::Reasoning(Reasoning { text: String::new(), seal }), call("c", "{}", false)]);
    let unnamed = parts(json!({"tool_calls": [{"function": function}, {"id": "", "function": function}]}));
    let ids: Vec<_> = unnamed
        .iter()
        .map(|part| match part {
            Part::ToolCall { id, .. } => id,
            _ => panic!(),
        })
        .collect();
    assert!(!ids[0].is_empty() && ids[0] != ids[1] && ids[0].len() <= 40, "{ids:?}");
    assert_eq!(parts(json!({"function_call": function})).len(), 1);
}

#[test]
fn what_an_answer_rests_on_and_shows() {
    let cited = parts(json!({"content": "t", "annotations": [
        {"type": "url_citation", "url_citation": {"url": "https://a.example/", "title": "A", "start_index": 0, "end_index": 1}},
        {"type": "file_citation", "file_citation": {"file_id": "f", "filename": "n", "index": 3}},
        {"type": "odd"}, 7,
    ]}));
    let places: Vec<_> = cited
        .iter()
        .filter_map(|part| match part {
            Part::Citation(c) => Some((&c.place, c.span)),
            _ => None,
        })
        .collect();
    let file = CitedPlace::File { id: "f".into(), name: Some("n".into()), index: Some(3) };
    assert_eq!(places, [(&CitedPlace::Url("https://a.example/".into()), Some((0, 1))), (&file, None)]);
    let shown = parts(
        json!({"content": "", "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]}),
    );
    assert!(
        matches!(&shown[0], Part::Media(m) if m.kind == MediaKind::Image && m.source == Source::Data("AA==".into()))
    );
    let spoken = parts(json!({"content": null, "audio": {"id": "a", "data": "AA==", "transcript": "t"}}));
    assert!(
        matches!(spoken.as_slice(), [Part::Text(t), Part::Media(m)] if t == "t" && m.kind == MediaKind::Audio)
    );
}

#[test]
fn every_reason_to_finish() {
    let text = || json!({"content": "t"});
    for (word, reason) in [
        ("stop", FinishReason::Stop),
        ("eos", FinishReason::Stop),
        ("something_new", FinishReason::Stop),
        ("length", FinishReason::Length),
        ("model_length", FinishReason::Length),
        ("insufficient_system_resource", FinishReason::Length),
        ("tool_calls", FinishReason::ToolCalls),
        ("function_call", FinishReason::ToolCalls),
        ("content_filter", FinishReason::ContentFilter),
    ] {
        assert_eq!(choice(text(), word).finish, reason, "{word}");
    }
    assert_eq!(choice(json!({"refusal": "no"}), "stop").finish, FinishReason::Refusal);
    let called = json!({"tool_calls": [{"id": "c", "function": {"name": "f"}}]});
    assert_eq!(choice(called, "stop").finish, FinishReason::ToolCalls);
    let broken = json!({"choices": [{"message": {"content": "t"}, "finish_reason": "error"}]});
    assert_eq!(decode(broken.to_string().as_bytes()).unwrap_err().kind, FaultKind::VendorError);
}

#[test]
fn filters_and_probabilities() {
    let body = json!({"choices": [{
        "message": {"refusal": "no"}, "finish_reason": "stop",
        "logprobs": {"content": null, "refusal": [{"token": "no", "logprob": -0.5, "bytes": null, "top_logprobs": []}]},
        "content_filter_results": {"hate": {"filtered": true, "severity": "high"}, "jailbreak": {"detected": false, "filtered": false}, "odd": 7},
    }]});
    let choice = decode(body.to_string().as_bytes()).unwrap().choices.remove(0);
    assert_eq!((choice.logprobs[0].token.as_str(), choice.logprobs[0].bytes.as_ref()), ("no", None));
    let ratings: Vec<_> = choice.safety.iter().map(|r| (r.category.as_str(), r.level, r.blocked)).collect();
    assert_eq!(ratings, [("hate", SafetyLevel::High, true), ("jailbreak", SafetyLevel::Negligible, false)]);
}

#[test]
fn usage_of_every_vendor() {
    let base = || TokenUsage { input: 60, cache_read: 40, output: 10, ..TokenUsage::default() };
    for details in [
        json!({"prompt_tokens_details": {"cached_tokens": 40}}),
        json!({"prompt_cache_hit_tokens": 40, "prompt_cache_miss_tokens": 60}),
        json!({"cached_tokens": 40}),
    ] {
        let mut wire = json!({"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110});
        wire.as_object_mut().unwrap().extend(details.as_object().unwrap().clone());
        assert_eq!(usage(wire), base());
    }
    let written = json!({"prompt_tokens": 100, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 50}});
    assert_eq!(usage(written), TokenUsage { input: 10, cache_write: 50, ..base() });
    // xAI counts reasoning beside the completion.
    let beside = json!({"prompt_tokens": 5, "completion_tokens": 10, "total_tokens": 215, "completion_tokens_details": {"reasoning_tokens": 200}});
    assert_eq!(usage(beside), TokenUsage { input: 5, output: 210, reasoning: 200, ..TokenUsage::default() });
    let inside = json!({"prompt_tokens": 5, "completion_tokens": 210, "total_tokens": 215, "completion_tokens_details": {"reasoning_tokens": 200}});
    assert_eq!(usage(inside), TokenUsage { input: 5, output: 210, reasoning: 200, ..TokenUsage::default() });
    // More cached than sent cannot be.
    assert_eq!(usage(json!({"prompt_tokens": 5, "cached_tokens": 9})).prompt(), 5);
}

#[test]
fn the_head_is_kept_and_oddities_in_it_cost_nothing() {
    let body = json!({
        "id": "x", "model": "m", "created": 1_763_970_000.5, "service_tier": "flex", "system_fingerprint": null,
        "choices": [],
    });
    let head = decode(body.to_string().as_bytes()).unwrap().head;
    assert_eq!(
        (head.created, head.service_tier.as_deref(), head.system_fingerprint),
        (Some(1_763_970_000), Some("flex"), None)
    );
    let odd = json!({"id": 7, "model": {}, "created": "now", "service_tier": [], "choices": []});
    assert_eq!(decode(odd.to_string().as_bytes()).unwrap().head, crate::conversation::ReplyHead::default());
}

#[test]
fn an_error_instead_of_an_answer() {
    for (body, kind) in [
        (json!({"error": {"message": "m", "code": 429}}), FaultKind::VendorRateLimited),
        (json!({"error": {"message": "m", "type": "engine_overloaded_error"}}), FaultKind::Overloaded),
        (json!({"object": "error", "message": "m", "code": 400}), FaultKind::BadRequest),
        (json!({"detail": "m"}), FaultKind::VendorError),
        (json!({"choices": 7}), FaultKind::Protocol),
        (json!({}), FaultKind::Protocol),
    ] {
        assert_eq!(decode(body.to_string().as_bytes()).unwrap_err().kind, kind, "{body}");
    }
    assert_eq!(decode(b"<html>").unwrap_err().kind, FaultKind::Protocol);
}

#[test]
fn a_moment_told_in_milliseconds_is_read_in_seconds() {
    for (told, read) in [("1753879075170", 1_753_879_075), ("1753879075", 1_753_879_075)] {
        let body = format!(
            r#"{{"created":{told},"choices":[{{"message":{{"content":"a"}},"finish_reason":"stop"}}]}}"#
        );
        assert_eq!(decode(body.as_bytes()).unwrap().head.created, Some(read));
    }
}

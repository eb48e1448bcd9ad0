use lyss_domain::FaultKind;
use lyss_wire::SseFrame;
use serde_json::{Value, json};

use super::ChatDecoder;
use crate::Fault;
use crate::conversation::ChatEvent;
use crate::dialect::Decoder;

fn decode(chunks: &[Value]) -> (Vec<ChatEvent>, Result<(), Fault>) {
    let mut decoder = ChatDecoder::default();
    let mut events = Vec::new();
    for chunk in chunks {
        let data = chunk.as_str().map_or_else(|| chunk.to_string(), ToOwned::to_owned).into_bytes();
        if let Err(fault) = decoder.feed(&SseFrame { event: None, data }, &mut events) {
            return (events, Err(fault));
        }
    }
    (events, Ok(()))
}

fn call(delta: &Value) -> Value {
    json!({"id": "c", "choices": [{"index": 0, "delta": {"tool_calls": [delta]}}]})
}

#[test]
fn a_call_never_begun_is_a_protocol_fault() {
    let (_, result) = decode(&[call(&json!({"index": 0, "function": {"arguments": "{}"}}))]);
    assert_eq!(result.unwrap_err().kind, FaultKind::Protocol);
}

#[test]
fn calls_without_an_index_go_on_with_the_latest() {
    let (events, result) = decode(&[
        call(&json!({"id": "a", "function": {"name": "f", "arguments": "{"}})),
        call(&json!({"function": {"arguments": "}"}})),
        call(&json!({"id": "b", "function": {"name": "g"}})),
        call(&json!({"id": "b", "function": {"arguments": "{}"}})),
    ]);
    result.unwrap();
    let calls: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            ChatEvent::ToolCallStart { call, id, .. } => Some((*call, id.as_str())),
            ChatEvent::ToolCallArguments { call, text, .. } => Some((*call, text.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(calls, [(0, "a"), (0, "{"), (0, "}"), (1, "b"), (1, "{}")]);
}

#[test]
fn floods_are_refused() {
    let calls: Vec<_> = (0..1_000)
        .map(|at| call(&json!({"index": at, "id": at.to_string(), "function": {"name": "f"}})))
        .collect();
    assert_eq!(decode(&calls).1.unwrap_err().kind, FaultKind::Protocol);
    let choice = json!({"choices": [{"index": 4_000_000_000_u32, "delta": {"content": "x"}}]});
    assert_eq!(decode(&[choice]).1.unwrap_err().kind, FaultKind::Protocol);
}

#[test]
fn nothing_is_read_behind_the_end() {
    let late = json!({"choices": [{"delta": {"content": "late"}}]});
    let (events, result) = decode(&[json!("[DONE]"), late, json!("{broken")]);
    result.unwrap();
    assert!(matches!(events.as_slice(), [ChatEvent::End]));
}

#[test]
fn unreadable_usage_costs_no_content() {
    let odd = json!({"choices": [{"delta": {"content": "x"}}], "usage": {"prompt_tokens": -1}});
    let (events, result) = decode(&[odd]);
    result.unwrap();
    assert!(events.iter().any(ChatEvent::is_content));
    assert!(!events.iter().any(|event| matches!(event, ChatEvent::Usage(_))));
}

fn delta(delta: Value) -> Value {
    json!({"id": "x", "choices": [{"index": 0, "delta": delta}]})
}

fn finish(word: &str) -> Value {
    json!({"choices": [{"index": 0, "delta": {}, "finish_reason": word}]})
}

/// What was said, by a word for each event.
fn told(chunks: &[Value]) -> Vec<String> {
    let (events, result) = decode(chunks);
    result.unwrap();
    let word = |event: &ChatEvent| match event {
        ChatEvent::Start(_) => None,
        ChatEvent::Text { text, .. } => Some(format!("text {text}")),
        ChatEvent::Reasoning { text, .. } => Some(format!("reasoning {text}")),
        ChatEvent::ReasoningSeal { seal, .. } => Some(format!("seal {:?} {}", seal.kind, seal.data)),
        ChatEvent::Refusal { text, .. } => Some(format!("refusal {text}")),
        ChatEvent::Citation { citation, .. } => Some(format!("cites {:?}", citation.span)),
        ChatEvent::Media { media, .. } => Some(format!("shows {}", media.mime_or_usual())),
        ChatEvent::ToolCallStart { call, id, name, custom, .. } => {
            Some(format!("call {call} {id} {name} {custom}"))
        }
        ChatEvent::ToolCallArguments { call, text, .. } => Some(format!("arguments {call} {text}")),
        ChatEvent::Logprobs { tokens, .. } => Some(format!("logprobs {}", tokens.len())),
        ChatEvent::Safety { ratings, .. } => Some(format!("rated {}", ratings.len())),
        ChatEvent::Finish { choice, reason } => Some(format!("finish {choice} {reason:?}")),
        ChatEvent::Usage(usage) => Some(format!("usage {} {}", usage.prompt(), usage.completion())),
        ChatEvent::End => Some("end".into()),
        ChatEvent::Fault(fault) => Some(format!("fault {:?}", fault.kind)),
    };
    events.iter().filter_map(word).collect()
}

#[test]
fn reasoning_is_told_once_whatever_it_is_called() {
    for chunk in [
        json!({"reasoning_content": "r"}),
        json!({"reasoning": "r"}),
        json!({"reasoning": "r", "reasoning_content": "r"}),
        json!({"reasoning": "r", "reasoning_details": [{"type": "reasoning.text", "text": "r"}]}),
        json!({"reasoning": null, "reasoning_details": [{"type": "reasoning.summary", "summary": "r"}]}),
        json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "r"}]}]}),
    ] {
        assert_eq!(told(&[delta(chunk.clone())]), ["reasoning r"], "{chunk}");
    }
    let sealed = json!({"reasoning_details": [
        {"type": "reasoning.text", "signature": "s", "format": "anthropic-claude-v1"},
        {"type": "reasoning.encrypted", "data": "d", "format": "anthropic-claude-v1"},
    ]});
    assert_eq!(told(&[delta(sealed)]), ["seal AnthropicSignature s", "seal AnthropicRedacted d"]);
}

#[test]
fn calls_of_other_kinds_are_followed() {
    let custom = [
        call(&json!({"index": 0, "id": "a", "type": "custom", "custom": {"name": "f", "input": "1"}})),
        call(&json!({"index": 0, "custom": {"input": "+1"}})),
        finish("stop"),
    ];
    assert_eq!(told(&custom), ["call 0 a f true", "arguments 0 1", "arguments 0 +1", "finish 0 ToolCalls"]);
    let signed = call(&json!({
        "index": 0, "id": "a", "function": {"name": "f", "arguments": {"a": 1}},
        "extra_content": {"google": {"thought_signature": "s"}},
    }));
    assert_eq!(told(&[signed]), ["seal Google s", "call 0 a f false", r#"arguments 0 {"a":1}"#]);
    let legacy = [
        delta(json!({"function_call": {"name": "f", "arguments": "{"}})),
        delta(json!({"function_call": {"arguments": "}"}})),
        finish("function_call"),
    ];
    let told = told(&legacy);
    assert!(told[0].starts_with("call 0 call_") && told[0].ends_with(" f false"), "{told:?}");
    assert_eq!(told[1..], ["arguments 0 {", "arguments 0 }", "finish 0 ToolCalls"]);
}

#[test]
fn usage_wherever_it_stands() {
    let usage = json!({"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7});
    for chunk in [
        json!({"choices": [], "usage": usage}),
        json!({"choices": [], "x_groq": {"id": "r", "usage": usage}}),
        json!({"choices": [{"index": 0, "delta": {}, "usage": usage}]}),
    ] {
        assert_eq!(told(std::slice::from_ref(&chunk)), ["usage 5 2"], "{chunk}");
    }
    assert_eq!(
        told(&[json!({"choices": [], "x_groq": {"id": "r"}}), json!({"choices": [], "x_groq": 7})]).len(),
        0
    );
}

#[test]
fn harmless_ratings_are_told_once_and_others_always() {
    let rated = |severity: &str| json!({"choices": [{"index": 0, "content_filter_results": {"hate": {"filtered": false, "severity": severity}}}]});
    assert_eq!(told(&[rated("safe"), rated("safe"), rated("low"), rated("safe")]), ["rated 1", "rated 1"]);
}

#[test]
fn pieces_beside_the_text() {
    let probabilities = json!({"choices": [{"index": 0, "delta": {"content": "a"}, "logprobs": {"content": [{"token": "a", "logprob": -1.0}]}}]});
    assert_eq!(told(&[probabilities]), ["text a", "logprobs 1"]);
    let cited = delta(
        json!({"annotations": [{"type": "url_citation", "url_citation": {"url": "https://a.example", "start_index": 1, "end_index": 4}}]}),
    );
    assert_eq!(told(&[cited]), ["cites Some((1, 4))"]);
    let image = delta(
        json!({"images": [{"type": "image_url", "image_url": {"url": "data:image/webp;base64,AA=="}}]}),
    );
    assert_eq!(told(&[image]), ["shows image/webp"]);
    let spoken = delta(json!({"audio": {"transcript": "t", "data": "AA=="}}));
    assert_eq!(told(&[spoken]), ["text t", "shows audio/pcm"]);
    let found = json!({"search_results": [{"url": "https://a.example", "title": "A"}], "choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}]});
    assert_eq!(told(&[found]), ["text x", "cites None", "finish 0 Stop"]);
    assert_eq!(told(&[delta(json!({"refusal": "no"})), finish("stop")]), ["refusal no", "finish 0 Refusal"]);
}

#[test]
fn errors_inside_a_stream() {
    for (chunk, kind) in [
        (json!({"error": {"message": "m", "code": 429}}), "VendorRateLimited"),
        (json!({"error": "m"}), "VendorError"),
        (json!({"object": "error", "message": "m", "type": "BadRequestError", "code": 400}), "BadRequest"),
        (
            json!({"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]}),
            "VendorError",
        ),
    ] {
        let told = told(&[chunk.clone(), delta(json!({"content": "late"})), json!("[DONE]")]);
        assert_eq!(told, [format!("fault {kind}")], "{chunk}");
    }
    assert_eq!(decode(&[json!("<html>")]).1.unwrap_err().kind, FaultKind::Protocol);
}

#[test]
fn the_head_comes_from_the_first_chunk_with_choices() {
    let azure = json!({"id": "", "model": "", "created": 0, "choices": [], "prompt_filter_results": []});
    let first = json!({
        "id": "x", "model": "m", "created": 5, "service_tier": "flex", "system_fingerprint": "fp",
        "choices": [{"index": 0, "delta": {"role": "assistant"}}],
    });
    let (events, _) = decode(&[azure, first, delta(json!({"content": "a"}))]);
    let ChatEvent::Start(head) = &events[0] else { panic!("{events:?}") };
    assert_eq!((head.id.as_str(), head.model.as_str(), head.created), ("x", "m", Some(5)));
    assert_eq!(
        (head.service_tier.as_deref(), head.system_fingerprint.as_deref()),
        (Some("flex"), Some("fp"))
    );
    assert_eq!(events.iter().filter(|event| matches!(event, ChatEvent::Start(_))).count(), 1);
}

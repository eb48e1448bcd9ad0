use lyss_domain::{Timestamp, TokenUsage};
use serde_json::{Value, json};

use super::render;
use crate::conversation::{ChatReply, Choice, FinishReason, Part, ReplyHead};
use crate::dialect::Rendering;

fn rendered(choices: Vec<Choice>, usage: Option<TokenUsage>) -> Value {
    let reply = ChatReply {
        head: ReplyHead { id: "chatcmpl-9".into(), model: "m".into(), ..ReplyHead::default() },
        choices,
        usage,
    };
    let rendering = Rendering::at(Timestamp::from_millis(1_999));
    serde_json::from_slice(&render(&reply, &rendering)).unwrap()
}

#[test]
fn every_token_class_is_counted_once() {
    let usage = TokenUsage {
        input: 1,
        cache_read: 10,
        cache_write: 100,
        cache_write_long: 1_000,
        audio_input: 10_000,
        output: 3,
        reasoning: 2,
        audio_output: 40,
    };
    let expected = json!({
        "prompt_tokens": 11_111, "completion_tokens": 43, "total_tokens": 11_154,
        "prompt_tokens_details": {"cached_tokens": 10, "audio_tokens": 10_000, "cache_write_tokens": 1_100},
        "completion_tokens_details": {"reasoning_tokens": 2, "audio_tokens": 40},
    });
    assert_eq!(rendered(vec![], Some(usage))["usage"], expected);
    assert!(rendered(vec![], None).get("usage").is_none());
}

#[test]
fn content_is_null_beside_calls_and_refusals_and_else_text() {
    let choice = |part: Option<Part>| {
        let choice = Choice::new(part.into_iter().collect(), FinishReason::Pause);
        rendered(vec![choice], None)["choices"][0].clone()
    };
    let call =
        Part::ToolCall { id: "c".into(), name: "f".into(), arguments: "{ broken".into(), custom: false };
    let with_call = choice(Some(call));
    assert_eq!(with_call["message"]["content"], Value::Null);
    assert_eq!(with_call["message"]["tool_calls"][0]["function"]["arguments"], "{ broken");
    let refused = choice(Some(Part::Refusal("no".into())));
    assert_eq!(
        (&refused["message"]["content"], &refused["message"]["refusal"]),
        (&Value::Null, &json!("no"))
    );
    let empty = choice(None);
    assert_eq!(empty["message"]["content"], "");
    assert_eq!((&empty["finish_reason"], &empty["logprobs"]), (&json!("stop"), &Value::Null));
    assert!(
        empty["message"].get("tool_calls").is_none() && empty["message"].get("reasoning_content").is_none()
    );
}

#[test]
fn choices_are_numbered_in_order() {
    let choice = |text: &str| Choice::new(vec![Part::Text(text.into())], FinishReason::Length);
    let body = rendered(vec![choice("a"), choice("b")], None);
    assert_eq!(
        (&body["choices"][1]["index"], &body["choices"][1]["message"]["content"]),
        (&json!(1), &json!("b"))
    );
    assert_eq!(
        (&body["id"], &body["created"], &body["object"]),
        (&json!("chatcmpl-9"), &json!(1), &json!("chat.completion"))
    );
}

use lyss_domain::{Timestamp, TokenUsage};
use serde_json::{Value, json};

use super::*;
use crate::FinishReason;
use crate::conversation::{Choice, Reasoning, ReplyHead, Seal, SealKind, TokenLogprob};

fn rendered(parts: Vec<Part>, finish: FinishReason) -> Value {
    let token = TokenLogprob { token: "Hi".into(), logprob: -0.5, ..TokenLogprob::default() };
    let logprobs = vec![token];
    let reply = ChatReply {
        head: ReplyHead { id: "msg_1".into(), model: "claude".into(), ..ReplyHead::default() },
        choices: vec![Choice { logprobs, ..Choice::new(parts, finish) }],
        usage: Some(TokenUsage { input: 1, cache_read: 2, output: 4, reasoning: 3, ..TokenUsage::default() }),
    };
    let rendering = Rendering::at(Timestamp::from_millis(9_999));
    serde_json::from_slice(&render(&reply, &rendering)).unwrap()
}

#[test]
fn parts_become_items() {
    let own = Seal { kind: SealKind::OpenAi, data: "gAAA".into(), id: Some("rs_7".into()) };
    let call =
        Part::ToolCall { id: "toolu_1".into(), name: "f".into(), arguments: "{\"a\":".into(), custom: false };
    let response = rendered(
        vec![
            Part::Reasoning(Reasoning { text: "Hm.".into(), seal: Some(own) }),
            Part::Text("Hi".into()),
            call,
            Part::Text("Hi".into()),
        ],
        FinishReason::ToolCalls,
    );
    assert_eq!(response["object"], "response");
    assert_eq!(response["status"], "completed");
    assert_eq!(response["created_at"], 9);
    assert_eq!(
        response["output"][0],
        json!({"type": "reasoning", "id": "rs_7", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "gAAA"})
    );
    assert_eq!(response["output"][1]["content"][0]["text"], "Hi");
    // Broken arguments are the model's own and stay as they are.
    assert_eq!(
        response["output"][2],
        json!({"type": "function_call", "id": "fc_msg_1_2", "status": "completed", "call_id": "toolu_1", "name": "f", "arguments": "{\"a\":"})
    );
    assert_eq!(response["output"][1]["content"][0]["logprobs"][0]["token"], "Hi");
    assert_eq!(
        response["usage"],
        json!({"input_tokens": 3, "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 0}, "output_tokens": 4,
            "output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 7})
    );
    assert_eq!(response["tools"], json!([]));
}

#[test]
fn an_answer_cut_short_is_incomplete() {
    let response = rendered(vec![Part::Text("Hi".into())], FinishReason::Length);
    assert_eq!(response["status"], "incomplete");
    assert_eq!(response["incomplete_details"], json!({"reason": "max_output_tokens"}));
    assert_eq!(response["output"][0]["status"], "incomplete");
    let empty = rendered(Vec::new(), FinishReason::Stop);
    assert_eq!((&empty["output"], &empty["status"]), (&json!([]), &json!("completed")));
}

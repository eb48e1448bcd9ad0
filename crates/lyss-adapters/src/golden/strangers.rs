//! What strangers may send: events in any order, JSON near what is read, recordings with one value replaced.

use lyss_domain::TokenUsage;
use proptest::prelude::*;
use serde_json::Value;

use crate::conversation::ReplyHead;
use crate::{ChatEvent, Fault, FinishReason};

pub(crate) fn any_event() -> impl Strategy<Value = ChatEvent> {
    let text = "[a-z\"\\\\\u{0}é]{0,4}";
    prop_oneof![
        (text, text).prop_map(|(id, model)| ChatEvent::Start(ReplyHead {
            id,
            model,
            ..ReplyHead::default()
        })),
        (0..3_u32, text).prop_map(|(choice, text)| ChatEvent::Text { choice, text }),
        (0..3_u32, text).prop_map(|(choice, text)| ChatEvent::Reasoning { choice, text }),
        (0..3_u32, text).prop_map(|(choice, text)| ChatEvent::Refusal { choice, text }),
        (0..3_u32, 0..3_u32, text).prop_map(|(choice, call, name)| ChatEvent::ToolCallStart {
            choice,
            call,
            id: "id".into(),
            name,
            custom: false,
        }),
        (0..3_u32, 0..3_u32, text).prop_map(|(choice, call, text)| ChatEvent::ToolCallArguments {
            choice,
            call,
            text
        }),
        (0..3_u32).prop_map(|choice| ChatEvent::Finish { choice, reason: FinishReason::Stop }),
        Just(()).prop_map(|()| ChatEvent::Usage(TokenUsage::default())),
        Just(()).prop_map(|()| ChatEvent::End),
        Just(()).prop_map(|()| ChatEvent::Fault(Fault::bad_request("no", None))),
    ]
}

/// JSON with the words of the formats in it, so that it comes near what is read.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "type",
        "role",
        "content",
        "text",
        "index",
        "delta",
        "choices",
        "messages",
        "message",
        "tools",
        "function",
        "tool_calls",
        "id",
        "name",
        "arguments",
        "usage",
        "error",
        "user",
        "assistant",
        "tool",
        "message_start",
        "content_block",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "text_delta",
        "input_json_delta",
        "tool_use",
        "input",
        "model",
        "stop",
        "tool_choice",
        "finish_reason",
        "stop_reason",
        "parameters",
        "stream_options",
        "code",
        "innererror",
        "tool_call_id",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..7).prop_map(|fields| fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    })
}

/// Every value inside a JSON value, by its pointer.
fn pointers(value: &Value, at: String, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Array(items) => items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect(),
        Value::Object(fields) => fields.iter().map(|(name, item)| (name.clone(), item)).collect(),
        _ => Vec::new(),
    };
    for (name, child) in children {
        pointers(child, format!("{at}/{name}"), found);
    }
    found.push(at);
}

pub(crate) fn replace_one(value: &mut Value, which: prop::sample::Index, by: &Value) {
    let mut found = Vec::new();
    pointers(value, String::new(), &mut found);
    if let Some(target) = value.pointer_mut(which.get::<String>(&found)) {
        *target = by.clone();
    }
}

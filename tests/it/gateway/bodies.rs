//! Requests, and recorded answers as the vendors' references show them.

/// A chat request with one user message.
pub(crate) fn chat(model: &str, stream: bool) -> String {
    format!(r#"{{"model":"{model}","stream":{stream},"messages":[{{"role":"user","content":"Say it."}}]}}"#)
}

/// The same, with further fields (`,"n":2`).
pub(crate) fn chat_with(model: &str, stream: bool, fields: &str) -> String {
    let plain = chat(model, stream);
    format!("{}{fields}}}", plain.strip_suffix('}').unwrap())
}

/// A streamed OpenAI answer: role, two pieces of text, finish, usage, end.
pub(crate) const OPENAI_STREAM: &str = concat!(
    r#"data: {"id":"chatcmpl-9","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
    "\n\n",
    r#"data: {"id":"chatcmpl-9","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":"Zoë says"},"finish_reason":null}]}"#,
    "\n\n",
    r#"data: {"id":"chatcmpl-9","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":" \"yes\""},"finish_reason":null}]}"#,
    "\n\n",
    r#"data: {"id":"chatcmpl-9","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
    "\n\n",
    r#"data: {"id":"chatcmpl-9","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":11,"completion_tokens":4,"total_tokens":15}}"#,
    "\n\n",
    "data: [DONE]\n\n",
);

/// A streamed Anthropic answer that says the same.
pub(crate) const ANTHROPIC_STREAM: &str = concat!(
    "event: message_start\n",
    r#"data: {"type":"message_start","message":{"id":"msg_9","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":11,"output_tokens":1}}}"#,
    "\n\nevent: content_block_start\n",
    r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
    "\n\nevent: ping\n",
    r#"data: {"type":"ping"}"#,
    "\n\nevent: content_block_delta\n",
    r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Zoë says"}}"#,
    "\n\nevent: content_block_delta\n",
    r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" \"yes\""}}"#,
    "\n\nevent: content_block_stop\n",
    r#"data: {"type":"content_block_stop","index":0}"#,
    "\n\nevent: message_delta\n",
    r#"data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":4}}"#,
    "\n\nevent: message_stop\n",
    r#"data: {"type":"message_stop"}"#,
    "\n\n",
);

/// What both of them say.
pub(crate) const STREAMED_TEXT: &str = "Zoë says \"yes\"";

/// A whole OpenAI answer with usage.
pub(crate) const OPENAI_WHOLE: &str = r#"{"id":"chatcmpl-9","object":"chat.completion","created":1700000000,"model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":"Zoë says \"yes\"","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":4,"total_tokens":15}}"#;

/// The events of a streamed answer, each without its blank line.
pub(crate) fn events(body: &str) -> Vec<&str> {
    body.split("\n\n").filter(|event| !event.is_empty()).collect()
}

/// The text a reader of an OpenAI stream puts together. Panics on an event that is neither JSON nor the end marker.
pub(crate) fn text_of(body: &str) -> String {
    let mut text = String::new();
    for data in events(body).into_iter().filter_map(|event| event.strip_prefix("data: ")) {
        if data != "[DONE]" {
            let chunk: serde_json::Value =
                serde_json::from_str(data).unwrap_or_else(|_| panic!("no JSON: {data}"));
            text.push_str(chunk["choices"][0]["delta"]["content"].as_str().unwrap_or_default());
        }
    }
    text
}

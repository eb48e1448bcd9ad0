//! What the official SDKs send when an application hands back what it was given: messages dumped whole, with every
//! field of the SDK's types that was null, empty or the vendor's own bookkeeping. None of it is refused, and none of it is
//! a loss. The types: `ChatCompletionMessage` and `ResponseOutputItem` of openai-python, `Message` of
//! anthropic-sdk-python, `Content` of python-genai.

use serde_json::{Value, json};

use super::crossing;
use crate::{ChatCall, Dialect};

#[track_caller]
fn read(dialect: Dialect, body: &Value) -> ChatCall {
    let call = crossing::read(dialect, body.to_string().as_bytes(), false)
        .unwrap_or_else(|fault| panic!("{}: {}", dialect.as_str(), fault.message));
    assert_eq!(call.unmapped, Vec::<String>::new(), "{}", dialect.as_str());
    call
}

#[test]
fn openais_messages_come_back_as_they_were_dumped() {
    let call = read(
        Dialect::OpenAiChat,
        &json!({
            "model": "gpt-4o",
            "messages": [
                {"role": "user", "content": "Hi", "name": null},
                {"role": "assistant", "content": null, "refusal": null, "annotations": [], "audio": null,
                 "function_call": null, "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}", "parsed_arguments": null}},
                ]},
                {"role": "tool", "tool_call_id": "call_1", "content": "ok"},
                {"role": "assistant", "content": "Done.", "refusal": null, "annotations": null, "audio": null,
                 "function_call": null, "tool_calls": null, "parsed": null, "reasoning_content": null},
                {"role": "assistant", "content": "", "tool_calls": []},
                {"role": "user", "content": [{"type": "text", "text": "And?"}, {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "auto"}}]},
            ],
            "tools": [{"type": "function", "function": {"name": "f", "description": null, "parameters": null, "strict": null}}],
            "tool_choice": null, "parallel_tool_calls": null, "temperature": null, "top_p": null, "n": null,
            "stop": null, "stream": null, "stream_options": null, "max_tokens": null, "max_completion_tokens": null,
            "logit_bias": {}, "logprobs": false, "top_logprobs": null, "response_format": null, "seed": null,
            "user": null, "metadata": null, "store": null, "functions": null, "function_call": null,
            "modalities": null, "audio": null, "prediction": null, "reasoning_effort": null, "service_tier": null,
            "verbosity": null, "web_search_options": null,
        }),
    );
    assert_eq!(call.turns.len(), 6);
}

#[test]
fn an_empty_list_says_nothing() {
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}], "tools": [], "stop": [], "metadata": {}});
    let call = read(Dialect::OpenAiChat, &body);
    assert!(call.tools.is_empty() && call.stop.is_empty());
    let body = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], "tools": [], "stop_sequences": [], "system": [], "metadata": {}});
    read(Dialect::AnthropicMessages, &body);
    let body = json!({"model": "m", "input": "Hi", "tools": [], "include": [], "metadata": {}});
    read(Dialect::OpenAiResponses, &body);
    let body = json!({"contents": [{"parts": [{"text": "Hi"}]}], "tools": [], "safetySettings": [], "generationConfig": {}});
    read(Dialect::GoogleGenerate, &body);
}

#[test]
fn a_responses_output_comes_back_as_input() {
    let call = read(
        Dialect::OpenAiResponses,
        &json!({
            "model": "gpt-5",
            "input": [
                {"role": "user", "content": "Weather?"},
                {"id": "rs_1", "type": "reasoning", "summary": [], "content": null, "encrypted_content": "gAAAA", "status": null},
                {"id": "rs_2", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": null, "status": "completed"},
                {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}", "status": "completed",
                 "parsed_arguments": null, "namespace": null},
                {"type": "function_call_output", "id": null, "call_id": "call_1", "output": "ok", "status": null},
                {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "phase": null,
                 "content": [{"type": "output_text", "text": "Fine.", "annotations": [], "logprobs": [], "parsed": null}]},
                {"id": "msg_2", "type": "message", "role": "assistant", "status": "incomplete",
                 "content": [{"type": "output_text", "text": "Or not.", "annotations": [], "logprobs": null}]},
                {"role": "user", "content": [{"type": "input_text", "text": "And?"}], "type": "message"},
            ],
            "instructions": null, "tools": [{"type": "function", "name": "f", "description": null, "parameters": null, "strict": null}],
            "tool_choice": "auto", "text": {"format": {"type": "text"}, "verbosity": null}, "truncation": "disabled",
            "previous_response_id": null, "reasoning": {"effort": null, "summary": null}, "store": null,
            "background": false, "conversation": null, "max_output_tokens": null, "max_tool_calls": null, "prompt": null,
            "temperature": null, "top_p": null, "top_logprobs": null, "user": null, "safety_identifier": null,
            "parallel_tool_calls": true, "metadata": null, "service_tier": null, "stream": null, "stream_options": null,
        }),
    );
    assert!(call.turns.len() >= 3);
}

#[test]
fn anthropics_content_comes_back_as_it_was_dumped() {
    let call = read(
        Dialect::AnthropicMessages,
        &json!({
            "model": "claude-sonnet-4-5", "max_tokens": 100,
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": null, "citations": null}]},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
                    {"type": "text", "text": "Wait.", "citations": null},
                    {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}, "caller": {"type": "direct"}, "cache_control": null},
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": null, "is_error": false, "cache_control": null},
                    {"type": "tool_result", "tool_use_id": "toolu_1"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0="}, "cache_control": null},
                    {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}, "title": null, "context": null, "citations": null},
                ]},
            ],
            "tools": [{"type": "custom", "name": "f", "description": "d", "input_schema": {"type": "object"}, "cache_control": null, "strict": null},
                      {"type": null, "name": "g", "input_schema": {"type": "object"}}],
            "tool_choice": null, "system": null, "temperature": null, "top_k": null, "top_p": null, "stop_sequences": null,
            "metadata": null, "thinking": null, "service_tier": null, "stream": false, "container": null,
        }),
    );
    assert_eq!(call.tools.len(), 2);
}

#[test]
fn googles_contents_come_back_as_they_were_dumped() {
    let call = read(
        Dialect::GoogleGenerate,
        &json!({
            "contents": [
                {"role": null, "parts": [{"text": "Hi", "thought": null, "inlineData": null, "functionCall": null}]},
                {"role": "model", "parts": [
                    {"text": "Hm.", "thought": true, "thoughtSignature": null},
                    {"functionCall": {"id": null, "name": "f", "args": null}, "thoughtSignature": "CiQBVKhc7q0f", "text": null},
                    {"text": ""},
                ]},
                {"role": "user", "parts": [{"functionResponse": {"id": null, "name": "f", "response": {"result": "ok"}, "parts": null, "scheduling": null, "willContinue": null}}]},
                // The SDK's URL-safe base64.
                {"role": "model", "parts": [{"text": "Ok.", "thought_signature": "CiQBVKhc7q0-_w=="}]},
                {"role": "model", "parts": null},
                {"role": "user", "parts": [{"text": "And?"}, {"fileData": {"fileUri": "gs://b/a.png", "mimeType": "image/png", "displayName": null}}]},
            ],
            "systemInstruction": {"role": "user", "parts": [{"text": "Be brief."}]},
            "tools": [{"functionDeclarations": [{"name": "f", "description": null, "parameters": null, "response": null, "behavior": null}], "googleSearch": null, "codeExecution": null}],
            "toolConfig": {"functionCallingConfig": null, "retrievalConfig": null},
            "safetySettings": null, "cachedContent": null, "labels": null,
            "generationConfig": {"temperature": null, "topK": 40.0, "candidateCount": 1, "responseModalities": null,
                "thinkingConfig": {"includeThoughts": null, "thinkingBudget": null}, "responseMimeType": "text/plain",
                "stopSequences": [], "seed": null, "speechConfig": null, "mediaResolution": null},
        }),
    );
    assert_eq!(call.tools.len(), 1);
}

//! Thinking, blocks and checks of Anthropic's.

use super::*;

const MODEL: &str = "claude-sonnet-4-5";

async fn ask(sandbox: &Sandbox, model: &str, extra: Value) -> Answer {
    chat(sandbox, Vendor::Anthropic, model, extra).await
}

fn kinds(answer: &Value) -> Vec<&str> {
    answer["content"].as_array().unwrap().iter().map(|block| block["type"].as_str().unwrap()).collect()
}

fn thinking() -> Value {
    json!({"max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 2000},
        "tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}}}]})
}

/// The blocks a stream built.
fn rebuilt(chunks: &[Value]) -> Vec<Value> {
    let mut blocks = Vec::new();
    let mut json = String::new();
    for chunk in chunks {
        let delta = &chunk["delta"];
        match chunk["type"].as_str().unwrap() {
            "content_block_start" => {
                assert_eq!(chunk["index"], blocks.len());
                blocks.push(chunk["content_block"].clone());
                json.clear();
            }
            "content_block_delta" => {
                assert_eq!(chunk["index"], blocks.len() - 1);
                let block = blocks.last_mut().unwrap();
                match delta["type"].as_str().unwrap() {
                    "input_json_delta" => json.push_str(delta["partial_json"].as_str().unwrap()),
                    "citations_delta" => {
                        block["citations"].as_array_mut().unwrap().push(delta["citation"].clone())
                    }
                    kind => {
                        let field = kind.strip_suffix("_delta").unwrap();
                        block[field] = (block[field].as_str().unwrap().to_owned()
                            + delta[field].as_str().unwrap())
                        .into();
                    }
                }
            }
            "content_block_stop" if !json.is_empty() => {
                blocks.last_mut().unwrap()["input"] = serde_json::from_str(&json).unwrap();
            }
            _ => {}
        }
    }
    blocks
}

#[tokio::test]
async fn streams_build_the_blocks_of_the_whole_answer() {
    let sandbox = sandbox().await;
    let cited = json!({"messages": [{"role": "user", "content": [
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "It rains a lot here."}, "title": "Rain", "citations": {"enabled": true}},
        {"type": "text", "text": "Well?"}]}]});
    for (model, extra, expected) in [
        (MODEL, thinking(), vec!["thinking", "text", "tool_use"]),
        ("claude-sonnet-4-5+redacted", json!({}), vec!["redacted_thinking", "text"]),
        (
            MODEL,
            json!({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}),
            vec!["server_tool_use", "web_search_tool_result", "text"],
        ),
        (MODEL, cited, vec!["text"]),
    ] {
        let whole = ask(&sandbox, model, extra.clone()).await.json();
        assert_eq!(kinds(&whole), expected, "{whole}");
        let mut streaming = extra;
        streaming["stream"] = true.into();
        let chunks = ask(&sandbox, model, streaming).await.chunks();
        let mut blocks = json!(rebuilt(&chunks));
        let mut said = whole["content"].clone();
        // Ids count up.
        for block in blocks.as_array_mut().unwrap().iter_mut().chain(said.as_array_mut().unwrap()) {
            block.as_object_mut().unwrap().retain(|name, _| name != "id" && name != "tool_use_id");
        }
        assert_eq!(blocks, said);
        let end = &chunks[chunks.len() - 2];
        assert_eq!(
            (&end["delta"]["stop_reason"], &end["usage"]["output_tokens"]),
            (&whole["stop_reason"], &whole["usage"]["output_tokens"])
        );
    }
}

#[tokio::test]
async fn thinking_comes_back_as_it_was() {
    let sandbox = sandbox().await;
    let answer = ask(&sandbox, MODEL, thinking()).await.json();
    let content = answer["content"].as_array().unwrap();
    let history = |content: &[Value]| {
        let mut body = thinking();
        let id = &content.last().unwrap()["id"];
        body["messages"] = json!([{"role": "user", "content": "Well?"}, {"role": "assistant", "content": content},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "mild"}]}]);
        body
    };
    assert_eq!(ask(&sandbox, MODEL, history(content)).await.status, 200);
    let without = ask(&sandbox, MODEL, history(&content[1..])).await;
    assert!(without.status == 400 && without.body.contains("Expected `thinking`"), "{}", without.body);
    let mut adaptive = history(&content[1..]);
    adaptive["thinking"] = json!({"type": "adaptive"});
    assert_eq!(ask(&sandbox, "claude-opus-4-6", adaptive.clone()).await.status, 200);
    assert_eq!(ask(&sandbox, MODEL, adaptive).await.status, 400);
    for (field, value) in [("signature", "Zm9yZWlnbg=="), ("thinking", "Something else.")] {
        let mut changed = content.clone();
        changed[0][field] = value.into();
        let refused = ask(&sandbox, MODEL, history(&changed)).await;
        assert!(refused.status == 400 && refused.body.contains("Invalid `signature`"), "{}", refused.body);
    }
    for extra in [
        json!({"thinking": {"type": "enabled", "budget_tokens": 100}}),
        json!({"thinking": {"type": "enabled", "budget_tokens": 4000}}),
        json!({"temperature": 0.5}),
        json!({"top_k": 5}),
        json!({"tool_choice": {"type": "any"}}),
    ] {
        let mut body = thinking();
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        assert_eq!(ask(&sandbox, MODEL, body).await.status, 400, "{extra}");
    }
}

#[tokio::test]
async fn turns_and_blocks_are_checked() {
    let sandbox = sandbox().await;
    let tool_use =
        json!({"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]});
    let result = |id: &str| json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "x"}]});
    let user = |content: Value| json!({"role": "user", "content": content});
    for messages in [
        json!([{"role": "assistant", "content": "x"}]),
        json!([user(json!(""))]),
        json!([user(json!("  "))]),
        json!([user(json!([{"type": "text", "text": ""}]))]),
        json!([user(json!("x")), tool_use]),
        json!([user(json!("x")), tool_use, user(json!("y"))]),
        json!([user(json!("x")), tool_use, result("u")]),
        json!([user(json!("x")), result("t")]),
        json!([user(json!("x")), {"role": "assistant", "content": "y "}]),
        json!([user(
            json!([{"type": "image", "source": {"type": "base64", "media_type": "image/bmp", "data": "AAAA"}}])
        )]),
        json!([user(
            json!([{"type": "image", "source": {"type": "url", "url": "http://example.com/a.png"}}])
        )]),
        json!([user(json!([{"type": "input_text", "text": "x"}]))]),
    ] {
        assert_eq!(ask(&sandbox, MODEL, json!({"messages": messages})).await.status, 400, "{messages}");
    }
    for extra in [
        json!({"n": 2}),
        json!({"temperature": 1.5}),
        json!({"temperature": 0.5, "top_p": 0.5}),
        json!({"metadata": {"team": "x"}}),
        json!({"tools": [{"name": "a b", "input_schema": {"type": "object"}}]}),
        json!({"tools": [{"name": "a", "input_schema": {}}]}),
    ] {
        assert_eq!(ask(&sandbox, MODEL, extra.clone()).await.status, 400, "{extra}");
    }
    let same = json!({"messages": [user(json!("x")), user(json!("y"))], "metadata": {"user_id": "u"}});
    assert_eq!(ask(&sandbox, MODEL, same).await.status, 200);
}

#[tokio::test]
async fn usage_structure_stops_and_counts() {
    let sandbox = sandbox().await;
    let text = "x".repeat(400);
    let first = json!([{"role": "user", "content": [
        {"type": "text", "text": text, "cache_control": {"type": "ephemeral", "ttl": "1h"}}, {"type": "text", "text": "Well?"}]}]);
    let usage = ask(&sandbox, MODEL, json!({"messages": first})).await.json()["usage"].clone();
    assert_eq!((&usage["input_tokens"], &usage["cache_creation_input_tokens"]), (&json!(1), &json!(104)));
    assert_eq!(usage["cache_creation"]["ephemeral_1h_input_tokens"], 104);
    let mut second = first.as_array().unwrap().clone();
    second
        .extend([json!({"role": "assistant", "content": "So."}), json!({"role": "user", "content": "And?"})]);
    let usage = ask(&sandbox, MODEL, json!({"messages": second})).await.json()["usage"].clone();
    assert_eq!(
        (&usage["cache_read_input_tokens"], &usage["cache_creation_input_tokens"]),
        (&json!(104), &json!(0))
    );

    let counted = post(
        &sandbox,
        Vendor::Anthropic,
        "/v1/messages/count_tokens",
        &json!({"model": MODEL, "messages": first}),
    )
    .await;
    assert_eq!(counted.json(), json!({"input_tokens": 105}));

    let schema =
        json!({"type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": false});
    let format = json!({"output_config": {"format": {"type": "json_schema", "schema": schema}}});
    assert_eq!(ask(&sandbox, MODEL, format).await.json()["content"][0]["text"], r#"{"n":42}"#);
    for (knob, reason) in [("refusal", "refusal"), ("pause", "pause_turn"), ("length", "max_tokens")] {
        let answer = ask(&sandbox, &format!("{MODEL}+finish={knob}"), json!({})).await.json();
        assert_eq!(answer["stop_reason"], reason);
    }
    let plain = ask(&sandbox, MODEL, json!({})).await.json();
    let stop = plain["content"][0]["text"].as_str().unwrap().split(' ').nth(3).unwrap().to_owned();
    let stopped = ask(&sandbox, MODEL, json!({"stop_sequences": [stop]})).await.json();
    assert_eq!((&stopped["stop_reason"], &stopped["stop_sequence"]), (&json!("stop_sequence"), &json!(stop)));
    assert!(!stopped["content"][0]["text"].as_str().unwrap().contains(&stop));
}

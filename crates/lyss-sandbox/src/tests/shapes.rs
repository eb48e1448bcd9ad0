//! The newer knobs and chat's newer features, seen from outside.

use super::*;

fn with(vendor: Vendor, knobs: &str) -> String {
    format!("{}+{knobs}", some_model(vendor))
}

#[tokio::test]
async fn other_frames_say_the_same() {
    let sandbox = sandbox().await;
    for vendor in Vendor::ALL {
        let plain = chat(&sandbox, vendor, some_model(vendor), json!({"stream": true})).await;
        let ends = |body: &str| body.replace("\r\n", "\n").replace('\r', "\n");
        for framing in ["crlf", "cr"] {
            let framed =
                chat(&sandbox, vendor, &with(vendor, &format!("sse={framing}")), json!({"stream": true}))
                    .await;
            let lines = ends(&framed.body).lines().count();
            assert_eq!(lines, ends(&plain.body).lines().count(), "{vendor:?}");
            assert!(framed.body.contains('\r') && framed.whole);
        }
        let waiting =
            chat(&sandbox, vendor, &with(vendor, "keepalive+first_ms=6"), json!({"stream": true})).await;
        assert!(waiting.body.starts_with(": keep-alive\n\n: keep-alive\n\n"));
        let pieces = chat(&sandbox, vendor, &with(vendor, "split=7"), json!({"stream": true})).await;
        assert!(pieces.whole && pieces.events().len() == plain.events().len());
        for encoding in ["gzip", "deflate", "br"] {
            for extra in [json!({}), json!({"stream": true})] {
                let packed =
                    chat(&sandbox, vendor, &with(vendor, &format!("encoding={encoding}")), extra).await;
                assert!(
                    (packed.status, packed.header("content-encoding"), packed.whole)
                        == (200, Some(encoding), true)
                );
            }
        }
    }
}

#[tokio::test]
async fn finishes_thoughts_and_calls_are_set() {
    let sandbox = sandbox().await;
    let finish = async |knobs: &str, extra: Value| {
        chat(&sandbox, Vendor::OpenAi, &format!("gpt-4o+{knobs}"), extra).await.json()["choices"][0].clone()
    };
    assert_eq!(finish("finish=length", json!({})).await["finish_reason"], "length");
    assert_eq!(finish("finish=content_filter", json!({})).await["finish_reason"], "content_filter");
    let refused = finish("finish=refusal", json!({})).await;
    assert!(refused["message"]["refusal"].is_string() && refused["message"]["content"].is_null());
    let chunks =
        chat(&sandbox, Vendor::OpenAi, "gpt-4o+finish=refusal", json!({"stream": true})).await.chunks();
    assert!(chunks.iter().any(|chunk| chunk["choices"][0]["delta"]["refusal"].is_string()));

    let tool = json!([{"type": "function", "function": {"name": "f"}}]);
    assert_eq!(
        finish("tools=5", json!({"tools": tool})).await["message"]["tool_calls"].as_array().unwrap().len(),
        5
    );
    let custom = json!({"tools": [{"type": "custom", "custom": {"name": "say"}}]});
    let call = finish("words=1", custom.clone()).await["message"]["tool_calls"][0].clone();
    assert_eq!((&call["type"], &call["custom"]["name"]), (&json!("custom"), &json!("say")));
    for vendor in Vendor::ALL {
        for knobs in ["thoughts=30", "think"] {
            let answer = chat(&sandbox, vendor, &with(vendor, knobs), json!({})).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
        let answer = chat(&sandbox, vendor, &with(vendor, "thoughts=30+words=5"), json!({})).await.json();
        let said = ["/usage/completion_tokens", "/usage/output_tokens", "/usageMetadata/totalTokenCount"];
        let said = said.iter().find_map(|path| answer.pointer(path)?.as_u64()).unwrap();
        assert_eq!(said, if vendor == Vendor::Google { 8 + 35 } else { 35 }, "{vendor:?}");
    }
}

#[tokio::test]
async fn chat_reads_media_formats_and_settings() {
    let sandbox = sandbox().await;
    let content = json!([{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}, {"type": "file", "file": {"file_id": "f"}}]);
    let body = json!({"messages": [{"role": "user", "content": content}]});
    let usage = chat(&sandbox, Vendor::OpenAi, "gpt-4o", body.clone()).await.json()["usage"].clone();
    assert_eq!(
        (&usage["prompt_tokens"], &usage["prompt_tokens_details"]["audio_tokens"]),
        (&json!(5 + 85 + 20 + 100), &json!(20))
    );
    assert_eq!(chat(&sandbox, Vendor::DeepSeek, "deepseek-chat", body).await.status, 400);

    let schema = json!({"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object", "properties": {"n": {"type": "integer"}}}}});
    let answer =
        chat(&sandbox, Vendor::OpenAi, "gpt-4o", json!({"response_format": schema, "logprobs": true}))
            .await
            .json();
    let choice = &answer["choices"][0];
    assert_eq!(choice["message"]["content"], r#"{"n":42}"#);
    let tokens: String = choice["logprobs"]["content"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["token"].as_str().unwrap())
        .collect();
    assert_eq!(tokens, r#"{"n":42}"#);
    assert_eq!(
        chat(&sandbox, Vendor::OpenAi, "gpt-4o", json!({"response_format": {"type": "json_object"}}))
            .await
            .status,
        400
    );
    assert_eq!(
        chat(&sandbox, Vendor::DeepSeek, "deepseek-chat", json!({"response_format": schema})).await.status,
        400
    );

    let reasoning =
        chat(&sandbox, Vendor::OpenAi, "gpt-5", json!({"max_completion_tokens": 500})).await.json();
    assert!(reasoning["usage"]["completion_tokens_details"]["reasoning_tokens"].as_u64() > Some(0));
    for extra in [
        json!({"max_tokens": 5}),
        json!({"temperature": 0.2}),
        json!({"stop": "x"}),
        json!({"logprobs": true}),
    ] {
        let refused = chat(&sandbox, Vendor::OpenAi, "o4-mini", extra.clone()).await;
        assert_eq!(refused.status, 400, "{extra}");
        assert!(refused.json()["error"]["code"].as_str().unwrap().starts_with("unsupported_"));
    }
    assert_eq!(
        chat(&sandbox, Vendor::OpenAi, "gpt-4o", json!({"reasoning_effort": "low"})).await.status,
        400
    );
    let searched =
        chat(&sandbox, Vendor::OpenAi, "gpt-4o", json!({"web_search_options": {}, "service_tier": "flex"}))
            .await
            .json();
    assert_eq!(searched["choices"][0]["message"]["annotations"][0]["type"], "url_citation");
    assert_eq!(searched["service_tier"], "flex");
}

#[tokio::test]
async fn calls_and_reasoning_must_come_back() {
    let sandbox = sandbox().await;
    let call = json!([{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]);
    let history = |assistant: Value, id: &str| json!({"messages": [{"role": "user", "content": "x"}, assistant, {"role": "tool", "tool_call_id": id, "content": "y"}]});
    let plain = json!({"role": "assistant", "content": null, "tool_calls": call});
    let mut thought = plain.clone();
    thought["reasoning_content"] = "First look.".into();
    let status = async |model: &str, assistant: &Value, id: &str| {
        chat(&sandbox, Vendor::DeepSeek, model, history(assistant.clone(), id)).await.status
    };
    assert_eq!(status("deepseek-chat", &plain, "c").await, 200);
    assert_eq!(status("deepseek-reasoner", &thought, "c").await, 200);
    assert_eq!(status("deepseek-reasoner", &plain, "c").await, 400);
    assert_eq!(status("deepseek-chat", &plain, "d").await, 400);
    let mut alone = history(plain, "c");
    alone["messages"].as_array_mut().unwrap().pop();
    assert_eq!(chat(&sandbox, Vendor::OpenAi, "gpt-4o", alone).await.status, 400);
    let developer =
        json!({"messages": [{"role": "developer", "content": "x"}, {"role": "user", "content": "y"}]});
    assert_eq!(chat(&sandbox, Vendor::OpenAi, "gpt-4o", developer.clone()).await.status, 200);
    assert_eq!(chat(&sandbox, Vendor::DeepSeek, "deepseek-chat", developer).await.status, 400);
}

#[tokio::test]
async fn a_blocked_prompt_is_said_in_the_vendors_way() {
    let sandbox = sandbox().await;
    for vendor in Vendor::ALL {
        for extra in [json!({}), json!({"stream": true})] {
            let answer = chat(&sandbox, vendor, &with(vendor, "blocked"), extra.clone()).await;
            if vendor != Vendor::Google {
                assert_eq!(answer.status, 400);
                let inner = &answer.json()["error"]["innererror"]["code"];
                assert_eq!(inner == "ResponsibleAIPolicyViolation", vendor == Vendor::AzureOpenAi);
                continue;
            }
            let said = if extra["stream"] == true { answer.chunks().remove(0) } else { answer.json() };
            assert_eq!(said["promptFeedback"]["blockReason"], "PROHIBITED_CONTENT");
            assert_eq!(
                (said.get("candidates"), &said["usageMetadata"]["promptTokenCount"]),
                (None, &json!(8))
            );
        }
    }
}

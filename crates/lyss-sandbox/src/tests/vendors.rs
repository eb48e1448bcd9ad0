//! What each vendor says when all is well, and when the call is wrong.

use super::*;

const KINDS_OF_OPENAI: [Vendor; 3] = [Vendor::OpenAi, Vendor::AzureOpenAi, Vendor::DeepSeek];

fn tool_declarations(vendor: Vendor) -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"},
        "unit": {"type": "string", "enum": ["celsius", "kelvin"]}}});
    let tools = ["get_weather", "get_tide"].map(|name| match vendor {
        Vendor::Anthropic => json!({"name": name, "input_schema": schema}),
        _ => json!({"type": "function", "function": {"name": name, "parameters": schema}}),
    });
    json!(tools)
}

fn sample_arguments() -> Value {
    json!({"city": "sample", "days": 42, "unit": "celsius"})
}

fn joined(chunks: &[Value], choice: u64, field: &str) -> String {
    let deltas = chunks.iter().flat_map(|chunk| chunk["choices"].as_array().unwrap());
    deltas.filter(|c| c["index"] == choice).filter_map(|c| c["delta"][field].as_str()).collect()
}

#[tokio::test]
async fn streamed_and_whole_answers_say_the_same() {
    let sandbox = sandbox().await;
    for vendor in KINDS_OF_OPENAI {
        let whole = chat(&sandbox, vendor, some_model(vendor), json!({})).await;
        assert_eq!((whole.status, whole.header("content-type")), (200, Some("application/json")));
        let whole = whole.json();
        assert_eq!(whole["object"], "chat.completion");
        assert_eq!(whole["model"], some_model(vendor));
        let text = whole["choices"][0]["message"]["content"].as_str().unwrap();
        let words = text.split(' ').count() as u64;
        assert!((20..=40).contains(&words), "{text}");
        // "Tell me about rain." is 19 bytes in one message.
        assert_eq!(whole["usage"]["prompt_tokens"], 19 / 4 + 4);
        assert_eq!(whole["usage"]["completion_tokens"], words);
        assert_eq!(whole["usage"]["total_tokens"], 8 + words);
        assert_eq!(whole["choices"][0]["finish_reason"], "stop");

        let extra = json!({"stream": true, "stream_options": {"include_usage": true}});
        let streamed = chat(&sandbox, vendor, some_model(vendor), extra).await;
        assert!(streamed.whole);
        assert_eq!(streamed.header("content-type"), Some("text/event-stream; charset=utf-8"));
        assert!(streamed.body.ends_with("data: [DONE]\n\n"));
        let mut chunks = streamed.chunks();
        if vendor == Vendor::AzureOpenAi {
            let prelude = chunks.remove(0);
            assert_eq!(prelude["choices"], json!([]));
            assert!(prelude["prompt_filter_results"][0]["content_filter_results"]["hate"].is_object());
        }
        let last = chunks.pop().unwrap();
        assert_eq!((&last["choices"], &last["usage"]), (&json!([]), &whole["usage"]));
        assert!(chunks.iter().all(|chunk| chunk.get("usage") == Some(&Value::Null)), "{vendor:?}");
        assert_eq!(joined(&chunks, 0, "content"), text);
        assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
        assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "stop");
    }
    sandbox.stop().await;
}

#[tokio::test]
async fn usage_is_streamed_only_when_asked_for() {
    let sandbox = sandbox().await;
    for vendor in KINDS_OF_OPENAI {
        for options in
            [json!({"stream": true}), json!({"stream": true, "stream_options": {"include_usage": false}})]
        {
            let answer = chat(&sandbox, vendor, some_model(vendor), options).await;
            assert!(answer.chunks().iter().all(|chunk| chunk.get("usage").is_none()), "{vendor:?}");
        }
    }
}

#[tokio::test]
async fn openai_tools_arrive_in_pieces() {
    let sandbox = sandbox().await;
    for vendor in KINDS_OF_OPENAI {
        for (parallel, names) in [(true, vec!["get_weather", "get_tide"]), (false, vec!["get_weather"])] {
            let extra = json!({"tools": tool_declarations(vendor), "parallel_tool_calls": parallel});
            let whole = chat(&sandbox, vendor, some_model(vendor), extra.clone()).await.json();
            let choice = &whole["choices"][0];
            assert_eq!(
                (&choice["finish_reason"], &choice["message"]["content"]),
                (&json!("tool_calls"), &Value::Null)
            );
            let calls = choice["message"]["tool_calls"].as_array().unwrap();
            assert_eq!(
                calls.iter().map(|c| c["function"]["name"].as_str().unwrap()).collect::<Vec<_>>(),
                names
            );

            let mut streaming = extra;
            streaming["stream"] = true.into();
            let chunks = chat(&sandbox, vendor, some_model(vendor), streaming).await.chunks();
            let deltas: Vec<_> =
                chunks.iter().filter_map(|c| c["choices"][0]["delta"]["tool_calls"].get(0)).collect();
            for (index, name) in names.iter().enumerate() {
                let of_call: Vec<_> = deltas.iter().filter(|delta| delta["index"] == index).collect();
                assert_eq!(of_call[0]["function"]["name"], *name);
                assert!(of_call[0]["id"].as_str().unwrap().starts_with("call_"));
                assert!(of_call.len() > 3);
                let arguments: String =
                    of_call.iter().map(|delta| delta["function"]["arguments"].as_str().unwrap()).collect();
                assert_eq!(serde_json::from_str::<Value>(&arguments).unwrap(), sample_arguments());
                assert_eq!(calls[index]["function"]["arguments"], arguments);
            }
            let roles = chunks.iter().filter(|chunk| chunk["choices"][0]["delta"]["role"] == "assistant");
            assert_eq!(roles.count(), 1);
            assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "tool_calls");
        }
    }
}

#[tokio::test]
async fn tools_are_left_alone_when_the_caller_says_so() {
    let sandbox = sandbox().await;
    let tools = tool_declarations(Vendor::OpenAi);
    let text = |extra: Value| async {
        let answer = chat(&sandbox, Vendor::OpenAi, "gpt-4o", extra).await.json();
        answer["choices"][0]["message"].clone()
    };
    assert!(text(json!({"tools": tools, "tool_choice": "none"})).await["content"].is_string());
    let named = json!({"type": "function", "function": {"name": "get_tide"}});
    let message = text(json!({"tools": tools, "tool_choice": named})).await;
    assert_eq!(message["tool_calls"].as_array().unwrap().len(), 1);
    assert_eq!(message["tool_calls"][0]["function"]["name"], "get_tide");
    let messages = json!([{"role": "user", "content": "How warm?"}, {"role": "assistant", "content": null,
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c", "content": "twelve \"degrees\""}]);
    let message = text(json!({"tools": tools, "messages": messages})).await;
    assert!(message["content"].as_str().unwrap().contains("twelve \"degrees\""), "{message}");
}

#[tokio::test]
async fn choices_and_limits_are_honoured() {
    let sandbox = sandbox().await;
    let extra = json!({"n": 3, "max_completion_tokens": 4, "stream": true, "stream_options": {"include_usage": true}});
    let chunks = chat(&sandbox, Vendor::OpenAi, "gpt-4o", extra).await.chunks();
    let (usage, chunks) = chunks.split_last().unwrap();
    assert_eq!(usage["usage"]["completion_tokens"], 12);
    let texts: std::collections::BTreeSet<_> =
        (0..3).map(|choice| joined(chunks, choice, "content")).collect();
    assert_eq!(texts.len(), 3);
    assert!(texts.iter().all(|text| text.split(' ').count() == 4), "{texts:?}");
    let finished = chunks.iter().filter(|chunk| chunk["choices"][0]["finish_reason"] == "length");
    assert_eq!(finished.count(), 3);
    assert_eq!(chat(&sandbox, Vendor::OpenAi, "gpt-4o", json!({"n": 5})).await.status, 400);
}

#[tokio::test]
async fn deepseek_reasons_before_it_answers() {
    let sandbox = sandbox().await;
    let long = "x".repeat(300);
    let messages = json!([{"role": "user", "content": long}]);
    let whole =
        chat(&sandbox, Vendor::DeepSeek, "deepseek-reasoner", json!({"messages": messages})).await.json();
    let thoughts = whole["choices"][0]["message"]["reasoning_content"].as_str().unwrap();
    let usage = &whole["usage"];
    assert_eq!(usage["completion_tokens_details"]["reasoning_tokens"], thoughts.split(' ').count());
    assert_eq!(
        (&usage["prompt_cache_hit_tokens"], &usage["prompt_cache_miss_tokens"]),
        (&json!(64), &json!(15))
    );

    let extra = json!({"messages": messages, "stream": true});
    let chunks = chat(&sandbox, Vendor::DeepSeek, "deepseek-reasoner", extra).await.chunks();
    assert_eq!(joined(&chunks, 0, "reasoning_content"), thoughts);
    let first_word = chunks.iter().position(|c| c["choices"][0]["delta"]["content"].is_string()).unwrap();
    let last_thought =
        chunks.iter().rposition(|c| c["choices"][0]["delta"]["reasoning_content"].is_string()).unwrap();
    assert!(last_thought < first_word);
}

#[tokio::test]
async fn anthropic_streams_by_its_grammar() {
    let sandbox = sandbox().await;
    let model = "claude-haiku-4-5";
    let system = json!([{"type": "text", "text": "Be brief."}]);
    let whole = chat(&sandbox, Vendor::Anthropic, model, json!({"system": system})).await.json();
    let text = whole["content"][0]["text"].as_str().unwrap();
    let words = text.split(' ').count();
    assert_eq!(whole["stop_reason"], "end_turn");
    // 28 bytes of text, and the system prompt is a message too.
    assert_eq!(whole["usage"]["input_tokens"], 28 / 4 + 8);
    assert_eq!(whole["usage"]["output_tokens"], words);

    let streamed = chat(&sandbox, Vendor::Anthropic, model, json!({"system": system, "stream": true})).await;
    assert!(streamed.whole);
    let events = streamed.events();
    let chunks = streamed.chunks();
    assert!(events.iter().zip(&chunks).all(|((name, _), chunk)| chunk["type"] == **name));
    let names: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[..3], ["message_start", "content_block_start", "ping"]);
    assert_eq!(names[names.len() - 3..], ["content_block_stop", "message_delta", "message_stop"]);
    assert_eq!(chunks[0]["message"]["usage"]["input_tokens"], 15);
    let said: String = chunks.iter().filter_map(|chunk| chunk["delta"]["text"].as_str()).collect();
    assert_eq!(said, text);
    let end = &chunks[chunks.len() - 2];
    assert_eq!(
        (&end["delta"]["stop_reason"], &end["usage"]["output_tokens"]),
        (&json!("end_turn"), &json!(words))
    );

    let short = chat(&sandbox, Vendor::Anthropic, model, json!({"max_tokens": 3})).await.json();
    assert_eq!((&short["stop_reason"], &short["usage"]["output_tokens"]), (&json!("max_tokens"), &json!(3)));
}

#[tokio::test]
async fn anthropic_tools_are_blocks_of_their_own() {
    let sandbox = sandbox().await;
    let tools = tool_declarations(Vendor::Anthropic);
    let model = "claude-sonnet-4-5";
    let whole = chat(&sandbox, Vendor::Anthropic, model, json!({"tools": tools})).await.json();
    let kinds: Vec<_> =
        whole["content"].as_array().unwrap().iter().map(|b| b["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["text", "tool_use", "tool_use"]);
    assert_eq!(
        (&whole["stop_reason"], &whole["content"][1]["input"]),
        (&json!("tool_use"), &sample_arguments())
    );

    let chunks =
        chat(&sandbox, Vendor::Anthropic, model, json!({"tools": tools, "stream": true})).await.chunks();
    for index in 0..3 {
        let of_block: Vec<_> = chunks.iter().filter(|chunk| chunk["index"] == index).collect();
        assert_eq!(of_block[0]["type"], "content_block_start");
        assert_eq!(of_block.last().unwrap()["type"], "content_block_stop");
        if index > 0 {
            let input: String =
                of_block.iter().filter_map(|chunk| chunk["delta"]["partial_json"].as_str()).collect();
            assert_eq!(serde_json::from_str::<Value>(&input).unwrap(), sample_arguments());
            assert!(of_block.len() > 5);
        }
    }

    for choice in [
        json!({"type": "any", "disable_parallel_tool_use": true}),
        json!({"type": "tool", "name": "get_tide"}),
    ] {
        let one = chat(&sandbox, Vendor::Anthropic, model, json!({"tools": tools, "tool_choice": choice}))
            .await
            .json();
        assert_eq!(one["content"].as_array().unwrap().len(), 2);
    }
    let result = json!([{"role": "user", "content": "How warm?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "get_weather", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "twelve degrees"}]}]);
    let told =
        chat(&sandbox, Vendor::Anthropic, model, json!({"tools": tools, "messages": result})).await.json();
    assert!(told["content"][0]["text"].as_str().unwrap().contains("twelve degrees"), "{told}");
}

#[tokio::test]
async fn a_wrong_key_gets_the_vendors_own_refusal() {
    let sandbox = sandbox().await;
    for vendor in Vendor::ALL {
        let (path, _, body) = chat_parts(vendor, some_model(vendor), json!({}));
        let wrong = [
            ("authorization", "Bearer sk-wrong"),
            ("api-key", "sk-wrong"),
            ("x-api-key", "sk-wrong"),
            ("x-goog-api-key", "sk-wrong"),
        ];
        for headers in [&wrong[..], &[]] {
            let mut connection = Connection::open(sandbox.addr(vendor).unwrap()).await;
            connection.send("POST", &path, headers, &body).await;
            let answer = connection.read().await;
            let refused = match (vendor, headers.is_empty()) {
                (Vendor::Google, true) => 403,
                (Vendor::Google, false) => 400,
                _ => 401,
            };
            assert_eq!(answer.status, refused, "{vendor:?}");
            assert!(!answer.body.contains("sk-wrong"));
            let error = &answer.json()["error"];
            match vendor {
                Vendor::OpenAi => assert_eq!(error["code"], "invalid_api_key"),
                Vendor::AzureOpenAi => assert_eq!(error["code"], "401"),
                Vendor::Google if headers.is_empty() => assert_eq!(error["status"], "PERMISSION_DENIED"),
                Vendor::Google => assert_eq!(error["details"][0]["reason"], "API_KEY_INVALID"),
                Vendor::DeepSeek | Vendor::Anthropic => assert_eq!(error["type"], "authentication_error"),
            }
        }
    }
}

#[tokio::test]
async fn wrong_calls_are_refused_as_the_vendor_does() {
    let sandbox = sandbox().await;
    for vendor in Vendor::ALL {
        let no_messages = chat(&sandbox, vendor, some_model(vendor), json!({"messages": null})).await;
        assert_eq!(no_messages.status, 400, "{vendor:?}");
        let wrong_type = chat(&sandbox, vendor, some_model(vendor), json!({"stream": "yes"})).await;
        assert_eq!(wrong_type.status, 400, "{vendor:?}");
        let strange_role = json!({"messages": [{"role": "wizard", "content": "x"}]});
        assert_eq!(chat(&sandbox, vendor, some_model(vendor), strange_role).await.status, 400, "{vendor:?}");
        assert_eq!(
            chat(&sandbox, vendor, &format!("{}+wrods=3", some_model(vendor)), json!({})).await.status,
            400
        );

        let (path, headers, _) = chat_parts(vendor, some_model(vendor), json!({}));
        let mut connection = Connection::open(sandbox.addr(vendor).unwrap()).await;
        connection.send("POST", &path, &headers, b"{\"model\":").await;
        assert_eq!(connection.read().await.status, 400);
        // The connection lives on after a refusal.
        connection.send("POST", "/nowhere?api-version=1", &headers, b"").await;
        assert_eq!(connection.read().await.status, 404);

        let unknown = chat(&sandbox, vendor, "gpt-none", json!({})).await;
        let expected = match vendor {
            Vendor::AzureOpenAi => 200,
            Vendor::DeepSeek => 400,
            Vendor::OpenAi | Vendor::Anthropic | Vendor::Google => 404,
        };
        assert_eq!(unknown.status, expected, "{vendor:?}");
    }
    let no_limit = chat(&sandbox, Vendor::Anthropic, "claude-haiku-4-5", json!({"max_tokens": null})).await;
    assert_eq!((no_limit.status, &no_limit.json()["error"]["type"]), (400, &json!("invalid_request_error")));
    let system_role = json!({"messages": [{"role": "system", "content": "x"}]});
    assert_eq!(chat(&sandbox, Vendor::Anthropic, "claude-haiku-4-5", system_role).await.status, 400);
}

#[tokio::test]
async fn what_a_vendor_insists_on_is_missed() {
    let sandbox = sandbox().await;
    let (path, headers, body) = chat_parts(Vendor::AzureOpenAi, "mine", json!({}));
    let mut azure = Connection::open(sandbox.addr(Vendor::AzureOpenAi).unwrap()).await;
    azure.send("POST", path.split('?').next().unwrap(), &headers, &body).await;
    let answer = azure.read().await;
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (404, &json!("404")));

    let (path, _, body) = chat_parts(Vendor::Anthropic, "claude-haiku-4-5", json!({}));
    let mut anthropic = Connection::open(sandbox.addr(Vendor::Anthropic).unwrap()).await;
    anthropic.send("POST", &path, &[("x-api-key", "sk-sandbox-t")], &body).await;
    let answer = anthropic.read().await;
    assert_eq!((answer.status, &answer.json()["error"]["type"]), (400, &json!("invalid_request_error")));
}

#[tokio::test]
async fn models_are_listed() {
    let sandbox = sandbox().await;
    for (vendor, path) in [
        (Vendor::OpenAi, "/v1/models"),
        (Vendor::AzureOpenAi, "/openai/models?api-version=2024-10-21"),
        (Vendor::DeepSeek, "/models"),
        (Vendor::Anthropic, "/v1/models"),
    ] {
        let (_, headers, _) = chat_parts(vendor, some_model(vendor), json!({}));
        let mut connection = Connection::open(sandbox.addr(vendor).unwrap()).await;
        connection.send("GET", path, &headers, b"").await;
        let answer = connection.read().await;
        assert_eq!(answer.status, 200, "{vendor:?}");
        let ids: Vec<_> = answer.json()["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(ids, vendor.models());

        let one = path.replace("/models", &format!("/models/{}", some_model(vendor)));
        connection.send("GET", &one, &headers, b"").await;
        assert_eq!(connection.read().await.json()["id"], some_model(vendor));
    }
}

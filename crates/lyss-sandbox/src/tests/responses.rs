//! OpenAI's responses.

use super::*;

const PATH: &str = "/v1/responses";

async fn respond(sandbox: &Sandbox, body: Value) -> Answer {
    post(sandbox, Vendor::OpenAi, PATH, &body).await
}

fn tools() -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    json!([{"type": "function", "name": "get_weather", "parameters": schema}, {"type": "custom", "name": "say"}])
}

fn kinds(response: &Value) -> Vec<&str> {
    response["output"].as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn streams_end_in_the_response_they_told() {
    let sandbox = sandbox().await;
    for (body, expected) in [
        (json!({"model": "gpt-4o", "input": "Hello"}), vec!["message"]),
        (
            json!({"model": "gpt-4o", "input": "Hello", "tools": tools()}),
            vec!["function_call", "custom_tool_call"],
        ),
        (
            json!({"model": "gpt-5", "input": "Hello", "reasoning": {"summary": "auto"}}),
            vec!["reasoning", "message"],
        ),
        (
            json!({"model": "gpt-4o", "input": "Hello", "tools": [{"type": "web_search"}]}),
            vec!["web_search_call", "message"],
        ),
        (json!({"model": "gpt-4o+finish=refusal", "input": "Hello"}), vec!["message"]),
    ] {
        let whole = respond(&sandbox, body.clone()).await.json();
        assert_eq!((kinds(&whole), &whole["status"]), (expected, &json!("completed")), "{whole}");
        let mut streaming = body;
        streaming["stream"] = true.into();
        let answer = respond(&sandbox, streaming).await;
        assert!(answer.whole && !answer.body.contains("[DONE]"));
        let chunks = answer.chunks();
        for (number, ((name, _), chunk)) in answer.events().iter().zip(&chunks).enumerate() {
            assert_eq!((&chunk["type"], &chunk["sequence_number"]), (&json!(name), &json!(number)));
        }
        let names: Vec<_> = chunks.iter().map(|chunk| chunk["type"].as_str().unwrap()).collect();
        assert_eq!(names[..3], ["response.created", "response.in_progress", "response.output_item.added"]);
        let last = chunks.last().unwrap();
        assert_eq!(last["type"], "response.completed");
        assert_eq!(last["response"]["usage"], whole["usage"]);
        // What the deltas said is what stands in the end.
        let done: Vec<_> = chunks
            .iter()
            .filter(|it| it["type"] == "response.output_item.done")
            .map(|it| it["item"].clone())
            .collect();
        assert_eq!(last["response"]["output"], json!(done));
        for (index, item) in done.iter().enumerate() {
            let deltas = chunks.iter().filter(|it| it["output_index"] == index && it["delta"].is_string());
            let told: String = deltas.map(|it| it["delta"].as_str().unwrap()).collect();
            let paths = ["/content/0/text", "/content/0/refusal", "/arguments", "/input", "/summary/0/text"];
            let said = paths.iter().find_map(|path| item.pointer(path)?.as_str()).unwrap_or_default();
            assert_eq!(told, said);
        }
    }
}

#[tokio::test]
async fn reasoning_comes_back_or_is_refused() {
    let sandbox = sandbox().await;
    let body = json!({"model": "o4-mini", "input": "Warm?", "tools": tools(), "store": false,
        "include": ["reasoning.encrypted_content"]});
    let answer = respond(&sandbox, body).await.json();
    assert_eq!(kinds(&answer), ["reasoning", "function_call", "custom_tool_call"]);
    assert!(answer["usage"]["output_tokens_details"]["reasoning_tokens"].as_u64() > Some(0));
    let output = answer["output"].as_array().unwrap();
    let history = |reasoning: Option<Value>| {
        let mut input = vec![json!({"role": "user", "content": "Warm?"})];
        input.extend(reasoning);
        input.extend(output[1..].iter().cloned());
        input
            .push(json!({"type": "function_call_output", "call_id": output[1]["call_id"], "output": "mild"}));
        input.push(
            json!({"type": "custom_tool_call_output", "call_id": output[2]["call_id"], "output": "twelve"}),
        );
        json!({"model": "o4-mini", "input": input})
    };
    let told = respond(&sandbox, history(Some(output[0].clone()))).await.json();
    assert!(told["output"][1]["content"][0]["text"].as_str().unwrap().contains("twelve"), "{told}");
    assert_eq!(respond(&sandbox, history(None)).await.status, 200);

    let foreign =
        json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "Zm9yZWlnbg=="});
    let refused = respond(&sandbox, history(Some(foreign))).await;
    assert_eq!(
        (refused.status, &refused.json()["error"]["code"]),
        (400, &json!("invalid_encrypted_content"))
    );
    let unknown = json!({"type": "reasoning", "id": "rs_1", "summary": []});
    assert_eq!(respond(&sandbox, history(Some(unknown))).await.status, 404);
    let mut lonely = history(None);
    lonely["input"].as_array_mut().unwrap().pop();
    assert_eq!(respond(&sandbox, lonely).await.status, 400);
}

#[tokio::test]
async fn what_is_of_another_dialect_is_refused() {
    let sandbox = sandbox().await;
    for body in [
        json!({"model": "gpt-4o"}),
        json!({"model": "gpt-4o", "input": []}),
        json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "x"}], "input": "x"}),
        json!({"model": "gpt-4o", "input": "x", "max_tokens": 20}),
        json!({"model": "gpt-4o", "input": "x", "max_output_tokens": 2}),
        json!({"model": "gpt-4o", "input": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}),
        json!({"model": "gpt-4o", "input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]}),
        json!({"model": "gpt-4o", "input": [{"role": "tool", "content": "x"}]}),
        json!({"model": "gpt-4o", "input": [{"type": "function_call_output", "call_id": "c", "output": "x"}]}),
        json!({"model": "gpt-4o", "input": "x", "tools": [{"type": "function", "function": {"name": "f"}}]}),
        json!({"model": "gpt-4o", "input": "x", "reasoning": {"effort": "low"}}),
        json!({"model": "o4-mini", "input": "x", "temperature": 0.5}),
        json!({"model": "gpt-4o", "input": "x", "previous_response_id": "resp_1"}),
    ] {
        let answer = respond(&sandbox, body.clone()).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["type"]),
            (400, &json!("invalid_request_error")),
            "{body}"
        );
    }
}

#[tokio::test]
async fn structure_limits_and_azure() {
    let sandbox = sandbox().await;
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": false});
    let format = json!({"format": {"type": "json_schema", "name": "x", "strict": true, "schema": schema}});
    let body = json!({"model": "gpt-4o", "input": "x", "text": format});
    let answer = respond(&sandbox, body.clone()).await.json();
    assert_eq!(answer["output"][0]["content"][0]["text"], r#"{"n":42}"#);
    assert_eq!(answer["text"], format);
    let mut loose = body;
    loose["text"]["format"]["schema"].as_object_mut().unwrap().remove("required");
    assert_eq!(respond(&sandbox, loose).await.status, 400);

    let cut = json!({"model": "gpt-4o+words=40", "input": "x", "max_output_tokens": 16, "stream": true});
    let chunks = respond(&sandbox, cut).await.chunks();
    let last = chunks.last().unwrap();
    assert_eq!(
        (&last["type"], &last["response"]["incomplete_details"]["reason"]),
        (&json!("response.incomplete"), &json!("max_output_tokens"))
    );
    let failed =
        respond(&sandbox, json!({"model": "gpt-4o+error_event=4", "input": "x", "stream": true})).await;
    assert_eq!(failed.events()[4].0, "error");

    let only = respond(&sandbox, json!({"model": "o1-pro", "input": "x"})).await;
    assert_eq!(only.status, 200);
    let chat = chat(&sandbox, Vendor::OpenAi, "o1-pro", json!({})).await;
    assert!((chat.status, chat.body.contains("v1/responses")) == (404, true), "{}", chat.body);

    for path in ["/openai/v1/responses", "/openai/responses?api-version=2025-04-01-preview"] {
        let answer = post(&sandbox, Vendor::AzureOpenAi, path, &json!({"model": "mine", "input": "x"})).await;
        assert_eq!((answer.status, &answer.json()["object"]), (200, &json!("response")));
    }
    assert_eq!(post(&sandbox, Vendor::AzureOpenAi, "/openai/responses", &json!({})).await.status, 404);
}

//! What Google says, and what it refuses.

use super::*;

const PRO: &str = "gemini-2.5-pro";
const THREE: &str = "gemini-3-pro-preview";

async fn ask(sandbox: &Sandbox, model: &str, extra: Value) -> Answer {
    chat(sandbox, Vendor::Google, model, extra).await
}

fn weather_tools() -> Value {
    json!([{"functionDeclarations": [
        {"name": "get_weather", "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}}},
        {"name": "get_tide", "parametersJsonSchema": {"type": "object", "properties": {"days": {"type": "integer"}}}}]}])
}

fn parts(answer: &Value) -> &Vec<Value> {
    answer["candidates"][0]["content"]["parts"].as_array().unwrap()
}

fn user(text: &str) -> Value {
    json!({"role": "user", "parts": [{"text": text}]})
}

#[tokio::test]
async fn streamed_and_whole_answers_say_the_same() {
    let sandbox = sandbox().await;
    let whole = ask(&sandbox, PRO, json!({})).await.json();
    let candidate = &whole["candidates"][0];
    assert_eq!(
        (&candidate["finishReason"], &candidate["content"]["role"]),
        (&json!("STOP"), &json!("model"))
    );
    assert!(candidate["safetyRatings"][0]["category"].is_string());
    let text = parts(&whole)[0]["text"].as_str().unwrap();
    let usage = &whole["usageMetadata"];
    let (said, thought) =
        (usage["candidatesTokenCount"].as_u64().unwrap(), usage["thoughtsTokenCount"].as_u64().unwrap());
    assert_eq!((usage["promptTokenCount"].as_u64(), said), (Some(8), text.split(' ').count() as u64));
    assert!(thought > 0);
    assert_eq!(usage["totalTokenCount"], 8 + said + thought);

    let streamed = ask(&sandbox, PRO, json!({"stream": true})).await;
    assert!(streamed.body.ends_with("}\r\n\r\n") && streamed.whole);
    let chunks = streamed.chunks();
    let told: String = chunks.iter().flat_map(parts).filter_map(|part| part["text"].as_str()).collect();
    assert_eq!(told, text);
    assert_eq!(chunks.last().unwrap()["usageMetadata"], *usage);
    let finishes = chunks.iter().filter(|chunk| chunk["candidates"][0].get("finishReason").is_some());
    assert_eq!(finishes.count(), 1);

    // Without `alt=sse` the same comes as one array.
    let path = format!("/v1beta/models/{PRO}:streamGenerateContent");
    let array =
        post(&sandbox, Vendor::Google, &path, &json!({"contents": [user("Tell me about rain.")]})).await;
    let elements = array.json();
    let elements = elements.as_array().unwrap();
    assert_eq!(elements.len(), chunks.len());
    assert_eq!(elements[0]["candidates"], chunks[0]["candidates"]);
    let refused = post(&sandbox, Vendor::Google, &path, &json!({"contents": []})).await;
    assert_eq!((refused.status, &refused.json()[0]["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
}

#[tokio::test]
async fn a_failing_stream_ends_in_its_own_form() {
    let sandbox = sandbox().await;
    let path = format!("/v1beta/models/{PRO}%2Berror_event%3D3:streamGenerateContent");
    for (suffix, count) in [("", 4), ("?alt=sse", 4)] {
        let answer =
            post(&sandbox, Vendor::Google, &format!("{path}{suffix}"), &json!({"contents": [user("x")]}))
                .await;
        let items =
            if suffix.is_empty() { answer.json().as_array().unwrap().clone() } else { answer.chunks() };
        assert_eq!((items.len(), &items[3]["error"]["status"]), (count, &json!("UNAVAILABLE")));
    }
}

#[tokio::test]
async fn thoughts_are_shown_and_signed_as_documented() {
    let sandbox = sandbox().await;
    let shown =
        json!({"generationConfig": {"thinkingConfig": {"includeThoughts": true, "thinkingBudget": 512}}});
    let whole = ask(&sandbox, PRO, shown).await.json();
    assert_eq!(parts(&whole)[0]["thought"], true);
    assert_eq!(parts(&whole)[1].get("thoughtSignature"), None);

    let off = json!({"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}});
    let flash = ask(&sandbox, "gemini-2.5-flash", off.clone()).await.json();
    assert_eq!(flash["usageMetadata"].get("thoughtsTokenCount"), None);
    assert_eq!(ask(&sandbox, PRO, off).await.status, 400);
    let level = json!({"generationConfig": {"thinkingConfig": {"thinkingLevel": "low"}}});
    assert_eq!(ask(&sandbox, PRO, level.clone()).await.status, 400);
    assert_eq!(ask(&sandbox, THREE, level).await.status, 200);

    // The third generation signs text too: beside it, or in a last empty part of a stream.
    assert!(parts(&ask(&sandbox, THREE, json!({})).await.json())[0]["thoughtSignature"].is_string());
    let chunks = ask(&sandbox, THREE, json!({"stream": true})).await.chunks();
    let last = &parts(chunks.last().unwrap())[0];
    assert_eq!(last["text"], "");
    assert!(last["thoughtSignature"].is_string());
}

#[tokio::test]
async fn calls_must_come_back_with_their_signature() {
    let sandbox = sandbox().await;
    for (model, needed) in [(PRO, false), (THREE, true)] {
        let called = ask(&sandbox, model, json!({"tools": weather_tools()})).await.json();
        let calls = parts(&called);
        assert_eq!(calls.len(), 2);
        assert_eq!(calls[0]["functionCall"], json!({"name": "get_weather", "args": {"city": "sample"}}));
        assert_eq!(calls[1]["functionCall"]["args"], json!({"days": 42}));
        assert!(calls[0]["thoughtSignature"].is_string() && calls[1].get("thoughtSignature").is_none());

        let results = json!({"role": "user", "parts": [
            {"functionResponse": {"name": "get_weather", "response": {"result": "twelve degrees"}}},
            {"functionResponse": {"name": "get_tide", "response": {"result": "low"}}}]});
        let history = |calls: &Value| json!({"tools": weather_tools(), "contents": [user("Warm?"), {"role": "model", "parts": calls}, results]});
        let told = ask(&sandbox, model, history(&json!(calls))).await.json();
        assert!(parts(&told)[0]["text"].as_str().unwrap().contains("low"), "{told}");

        let signed = |signature: Option<&str>| {
            let mut calls = calls.clone();
            match signature {
                Some(signature) => calls[0]["thoughtSignature"] = signature.into(),
                None => drop(calls[0].as_object_mut().unwrap().remove("thoughtSignature")),
            }
            history(&json!(calls))
        };
        let status = async |signature| ask(&sandbox, model, signed(signature)).await.status;
        assert_eq!(status(None).await, if needed { 400 } else { 200 }, "{model}");
        assert_eq!(status(Some("Zm9yZWlnbg==")).await, 400);
        assert_eq!(status(Some("skip_thought_signature_validator")).await, 200);
        assert_eq!(status(Some("c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=")).await, 200);

        // In an earlier turn nothing is missed.
        let mut later = signed(None);
        let contents = later["contents"].as_array_mut().unwrap();
        contents.extend([json!({"role": "model", "parts": [{"text": "Cold."}]}), user("And now?")]);
        assert_eq!(ask(&sandbox, model, later).await.status, 200);
    }
}

#[tokio::test]
async fn turns_and_names_are_checked() {
    let sandbox = sandbox().await;
    let call = json!({"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]});
    let response = |count: usize| {
        let part = json!({"functionResponse": {"name": "f", "response": {"a": 1}}});
        json!({"role": "user", "parts": vec![part; count]})
    };
    for contents in [
        json!([]),
        json!([{"role": "user", "parts": []}]),
        json!([{"role": "assistant", "parts": [{"text": "x"}]}]),
        json!([user("x"), call]),
        json!([user("x"), call, response(2)]),
        json!([user("x"), call, user("y"), response(1)]),
        json!([user("x"), response(1)]),
        json!([call, response(1)]),
        json!([{"role": "user", "parts": [{"text": "x", "inlineData": {"mimeType": "image/png", "data": ""}}]}]),
        json!([{"role": "user", "parts": [{"kind": "text"}]}]),
        json!([user("x"), call, {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": "text"}}]}]),
    ] {
        let answer = ask(&sandbox, PRO, json!({"contents": contents})).await;
        assert_eq!(answer.status, 400, "{contents}");
    }
    let tools = |parameters: Value| json!({"tools": [{"functionDeclarations": [{"name": "f", "parameters": parameters}]}]});
    for extra in [
        json!({"max_tokens": 5}),
        json!({"generationConfig": {"maxTokens": 5}}),
        json!({"generationConfig": {"responseSchema": {"type": "OBJECT"}}}),
        tools(json!({"type": "object", "additionalProperties": false})),
        tools(json!({"type": "object", "properties": {"a": {"type": ["string", "null"]}}})),
        json!({"tools": [{"functionDeclarations": [{"name": "a b"}]}]}),
    ] {
        let answer = ask(&sandbox, PRO, extra.clone()).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["status"]),
            (400, &json!("INVALID_ARGUMENT")),
            "{extra}"
        );
    }
    let snake = json!({"generation_config": {"max_output_tokens": 15, "candidate_count": 2},
        "system_instruction": {"parts": [{"text": "Be brief."}]}});
    let answer = ask(&sandbox, PRO, snake).await.json();
    assert_eq!(answer["candidates"].as_array().unwrap().len(), 2);
    assert_eq!(answer["candidates"][1]["finishReason"], "MAX_TOKENS");
}

#[tokio::test]
async fn structure_media_search_and_cache_are_reflected() {
    let sandbox = sandbox().await;
    let schema = json!({"type": "OBJECT", "properties": {"city": {"type": "STRING"}, "days": {"type": "ARRAY", "items": {"type": "INTEGER"}}}});
    let config =
        json!({"generationConfig": {"responseMimeType": "application/json", "responseSchema": schema}});
    let answer = ask(&sandbox, PRO, config).await.json();
    let said: Value = serde_json::from_str(parts(&answer)[0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(said, json!({"city": "sample", "days": [42]}));

    let contents = json!([{"role": "user", "parts": [{"text": "What is it?"},
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}, {"fileData": {"mimeType": "application/pdf", "fileUri": "x"}}]}]);
    let usage =
        ask(&sandbox, PRO, json!({"contents": contents, "cachedContent": "cachedContents/x"})).await.json();
    let usage = &usage["usageMetadata"];
    assert_eq!(usage["cachedContentTokenCount"], 2048);
    assert_eq!(usage["promptTokenCount"], 11 / 4 + 4 + 258 + 258 + 2048);
    let kinds: Vec<_> = usage["promptTokensDetails"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["modality"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["TEXT", "IMAGE", "DOCUMENT"]);
    let path = format!("/v1beta/models/{PRO}:countTokens");
    let counted = post(&sandbox, Vendor::Google, &path, &json!({"contents": contents})).await.json();
    assert_eq!(counted["totalTokens"], 522);

    let found = ask(&sandbox, PRO, json!({"tools": [{"googleSearch": {}}]})).await.json();
    assert!(found["candidates"][0]["groundingMetadata"]["groundingChunks"][0]["web"]["uri"].is_string());
    let blocked = ask(&sandbox, "gemini-2.5-pro+finish=content_filter", json!({})).await.json();
    assert_eq!(blocked["candidates"][0]["finishReason"], "SAFETY");
    let malformed =
        ask(&sandbox, "gemini-2.5-pro+finish=malformed", json!({"tools": weather_tools()})).await.json();
    assert_eq!(malformed["candidates"][0]["finishReason"], "MALFORMED_FUNCTION_CALL");
    assert!(malformed["candidates"][0]["finishMessage"].is_string());
    let many = ask(&sandbox, "gemini-2.5-pro+tools=3", json!({"tools": weather_tools()})).await.json();
    assert_eq!(parts(&many).len(), 3);
}

#[tokio::test]
async fn keys_models_and_vectors() {
    let sandbox = sandbox().await;
    let mut connection = Connection::open(sandbox.addr(Vendor::Google).unwrap()).await;
    connection.send("GET", "/v1beta/models?pageSize=2&key=sk-sandbox-t", &[], b"").await;
    let page = connection.read().await.json();
    assert_eq!((page["models"].as_array().unwrap().len(), &page["nextPageToken"]), (2, &json!("2")));
    connection.send("GET", "/v1/models/gemini-2.5-pro", &[("x-goog-api-key", "sk-sandbox-t")], b"").await;
    assert_eq!(connection.read().await.json()["name"], "models/gemini-2.5-pro");

    let request = json!({"model": "models/text-embedding-004", "content": {"parts": [{"text": "rain"}]}, "outputDimensionality": 8});
    let one = post(&sandbox, Vendor::Google, "/v1beta/models/text-embedding-004:embedContent", &request)
        .await
        .json();
    assert_eq!(one["embedding"]["values"].as_array().unwrap().len(), 8);
    let path = "/v1beta/models/text-embedding-004:batchEmbedContents";
    let two = post(&sandbox, Vendor::Google, path, &json!({"requests": [request, request]})).await.json();
    assert_eq!(two["embeddings"][1], one["embedding"]);
    assert_eq!(ask(&sandbox, "text-embedding-004", json!({})).await.status, 404);
}

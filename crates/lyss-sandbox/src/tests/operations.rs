//! The operations beside chat.

use super::*;

async fn call(sandbox: &Sandbox, path: &str, body: Value) -> Answer {
    post(sandbox, Vendor::OpenAi, path, &body).await
}

#[tokio::test]
async fn vectors_come_as_numbers_or_bytes() {
    let sandbox = sandbox().await;
    let body = json!({"model": "text-embedding-3-small", "input": ["rain", "snow"], "dimensions": 4});
    let floats = call(&sandbox, "/v1/embeddings", body.clone()).await.json();
    assert_eq!((floats["data"].as_array().unwrap().len(), &floats["usage"]["total_tokens"]), (2, &json!(2)));
    let mut packed = body.clone();
    packed["encoding_format"] = "base64".into();
    let packed = call(&sandbox, "/v1/embeddings", packed).await.json();
    use base64::Engine;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(packed["data"][1]["embedding"].as_str().unwrap())
        .unwrap();
    let values: Vec<f32> = bytes.chunks(4).map(|it| f32::from_le_bytes(it.try_into().unwrap())).collect();
    let same: Vec<f32> = serde_json::from_value(floats["data"][1]["embedding"].clone()).unwrap();
    assert_eq!(values, same);
    let azure = "/openai/deployments/mine/embeddings?api-version=2024-10-21";
    assert_eq!(post(&sandbox, Vendor::AzureOpenAi, azure, &json!({"input": "x"})).await.status, 200);
    assert_eq!(post(&sandbox, Vendor::DeepSeek, "/v1/embeddings", &body).await.status, 404);
    for wrong in
        [json!({"input": ""}), json!({"input": []}), json!({"dimensions": 9999, "input": "x"}), json!({})]
    {
        let mut body = wrong.clone();
        body["model"] = "text-embedding-3-small".into();
        assert_eq!(call(&sandbox, "/v1/embeddings", body).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn completions_stream_what_they_say() {
    let sandbox = sandbox().await;
    let body = json!({"model": "gpt-3.5-turbo-instruct", "prompt": "Once", "max_tokens": 5});
    let whole = call(&sandbox, "/v1/completions", body.clone()).await.json();
    assert_eq!(
        (&whole["choices"][0]["finish_reason"], &whole["usage"]["completion_tokens"]),
        (&json!("length"), &json!(5))
    );
    let mut streaming = body;
    streaming["stream"] = true.into();
    streaming["stream_options"] = json!({"include_usage": true});
    let answer = call(&sandbox, "/v1/completions", streaming).await;
    let chunks = answer.chunks();
    let text: String = chunks.iter().filter_map(|it| it["choices"][0]["text"].as_str()).collect();
    assert_eq!(
        (&json!(text), &chunks.last().unwrap()["usage"]),
        (&whole["choices"][0]["text"], &whole["usage"])
    );
    assert!(answer.body.ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn pictures_sound_and_judgements() {
    let sandbox = sandbox().await;
    let image =
        call(&sandbox, "/v1/images/generations", json!({"model": "gpt-image-1", "prompt": "rain", "n": 2}))
            .await
            .json();
    assert!(image["data"][1]["b64_json"].as_str().unwrap().starts_with("iVBOR"));
    assert_eq!(image["usage"]["output_tokens"], 544);
    let speech = json!({"model": "gpt-4o-mini-tts", "input": "rain and snow", "voice": "alloy"});
    let sound = call(&sandbox, "/v1/audio/speech", speech).await;
    assert_eq!((sound.status, sound.header("content-type"), sound.whole), (200, Some("audio/mpeg"), true));
    assert!(sound.header("content-length").is_none());
    let judged = call(
        &sandbox,
        "/v1/moderations",
        json!({"model": "omni-moderation-latest", "input": ["peace", "violence"]}),
    )
    .await
    .json();
    assert_eq!(
        (&judged["results"][0]["flagged"], &judged["results"][1]["flagged"]),
        (&json!(false), &json!(true))
    );
    let ranked = json!({"model": "rerank-sandbox", "query": "rain", "documents": ["a", "b", "c"], "top_n": 2, "return_documents": true});
    let ranked = call(&sandbox, "/v1/rerank", ranked).await.json();
    assert_eq!(ranked["results"].as_array().unwrap().len(), 2);
    assert!(
        ranked["results"][0]["relevance_score"].as_f64() >= ranked["results"][1]["relevance_score"].as_f64()
    );
    let broken = call(
        &sandbox,
        "/v1/rerank",
        json!({"model": "rerank-sandbox+status=503", "query": "x", "documents": ["y"]}),
    )
    .await;
    assert_eq!(broken.status, 503);
}

#[tokio::test]
async fn files_arrive_in_forms() {
    let sandbox = sandbox().await;
    let mut connection = Connection::open(sandbox.addr(Vendor::OpenAi).unwrap()).await;
    let headers =
        [("authorization", "Bearer sk-sandbox-t"), ("content-type", "multipart/form-data; boundary=b")];
    let field = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let file = |name: &str| {
        format!(
            "--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.bin\"\r\n\r\n0123456789\r\n"
        )
    };
    let body = field("model", "whisper-1") + &file("file") + "--b--\r\n";
    connection.send("POST", "/v1/audio/transcriptions", &headers, body.as_bytes()).await;
    let answer = connection.read().await.json();
    assert_eq!(
        (&answer["text"], &answer["usage"]["type"]),
        (&json!("A recording of 10 bytes, named a.bin."), &json!("duration"))
    );
    let body = field("model", "gpt-4o-transcribe") + &field("stream", "true") + &file("file") + "--b--\r\n";
    connection.send("POST", "/v1/audio/transcriptions", &headers, body.as_bytes()).await;
    let chunks = connection.read().await.chunks();
    assert_eq!(chunks.last().unwrap()["text"], answer["text"]);
    let body = field("model", "gpt-image-1") + &field("prompt", "rain") + &file("image") + "--b--\r\n";
    connection.send("POST", "/v1/images/edits", &headers, body.as_bytes()).await;
    assert_eq!(connection.read().await.json()["usage"]["input_tokens_details"]["image_tokens"], 194);
    connection.send("POST", "/v1/images/edits", &headers, b"--b--").await;
    assert_eq!(connection.read().await.status, 400);
}

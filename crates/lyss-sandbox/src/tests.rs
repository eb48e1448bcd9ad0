//! Over real sockets, with a client that knows nothing but HTTP/1.1.

use serde_json::{Value, json};

use crate::{Sandbox, SandboxConfig, Vendor, start};
use client::{Answer, Connection};

mod anthropic;
mod client;
mod faults;
mod google;
mod lifecycle;
mod operations;
mod responses;
mod shapes;
mod vendors;
mod waits;

async fn sandbox() -> Sandbox {
    start(SandboxConfig::default()).await.unwrap()
}

/// Path, headers and body of a chat call as the vendor wants it; `extra` is merged into the body.
fn chat_parts(
    vendor: Vendor,
    model: &str,
    extra: Value,
) -> (String, Vec<(&'static str, &'static str)>, Vec<u8>) {
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": "Tell me about rain."}]});
    let (path, headers) = match vendor {
        Vendor::OpenAi => ("/v1/chat/completions".to_owned(), vec![("authorization", "Bearer sk-sandbox-t")]),
        Vendor::DeepSeek => ("/chat/completions".to_owned(), vec![("authorization", "Bearer sk-sandbox-t")]),
        Vendor::AzureOpenAi => {
            let deployment = model.replace('+', "%2B").replace('=', "%3D");
            let path = format!("/openai/deployments/{deployment}/chat/completions?api-version=2024-10-21");
            (path, vec![("api-key", "sk-sandbox-t")])
        }
        Vendor::Google => {
            let messages = body["messages"].take();
            body = json!({"contents": [{"role": "user", "parts": [{"text": messages[0]["content"]}]}]});
            (google_path(model, &extra), vec![("x-goog-api-key", "sk-sandbox-t")])
        }
        Vendor::Anthropic => {
            body["max_tokens"] = 1000.into();
            (
                "/v1/messages".to_owned(),
                vec![("x-api-key", "sk-sandbox-t"), ("anthropic-version", "2023-06-01")],
            )
        }
    };
    for (name, value) in extra.as_object().unwrap() {
        // Google's stream stands in the path, and its messages have another name.
        match name.as_str() {
            "stream" if vendor == Vendor::Google && value.is_boolean() => {}
            "max_tokens" if vendor == Vendor::Google && value.as_u64() > Some(5) => {
                body["generationConfig"] = json!({"maxOutputTokens": value});
            }
            "messages" if vendor == Vendor::Google => body["contents"] = value.clone(),
            name => body[name] = value.clone(),
        }
    }
    (path, headers, body.to_string().into_bytes())
}

fn google_path(model: &str, extra: &Value) -> String {
    let model = model.replace('+', "%2B").replace('=', "%3D");
    match extra["stream"] == true {
        true => format!("/v1beta/models/{model}:streamGenerateContent?alt=sse"),
        false => format!("/v1beta/models/{model}:generateContent"),
    }
}

/// Any call to any path.
async fn post(sandbox: &Sandbox, vendor: Vendor, path: &str, body: &Value) -> Answer {
    let (_, headers, _) = chat_parts(vendor, some_model(vendor), json!({}));
    let mut connection = Connection::open(sandbox.addr(vendor).unwrap()).await;
    connection.send("POST", path, &headers, body.to_string().as_bytes()).await;
    connection.read().await
}

async fn open_chat(sandbox: &Sandbox, vendor: Vendor, model: &str, extra: Value) -> Connection {
    let (path, headers, body) = chat_parts(vendor, model, extra);
    let mut connection = Connection::open(sandbox.addr(vendor).unwrap()).await;
    connection.send("POST", &path, &headers, &body).await;
    connection
}

async fn chat(sandbox: &Sandbox, vendor: Vendor, model: &str, extra: Value) -> Answer {
    open_chat(sandbox, vendor, model, extra).await.read().await
}

fn some_model(vendor: Vendor) -> &'static str {
    vendor.models()[0]
}

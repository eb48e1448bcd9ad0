//! The service over its own port, at the edges of what a caller may send.

use std::time::Duration;

use lyss_domain::{KeyDigest, KeyLimits, PreviousDigest, Terminal, VirtualKey};
use lyss_management::KeyDraft;
use lyss_sandbox::Vendor;
use serde_json::Value;

use crate::gateway::process::Served;
use crate::gateway::wire::{self, Reply};
use crate::gateway::{VENDOR_KEY, bodies};

const CHAT: &str = "/v1/chat/completions";

/// Every answer of the proxy: its id, and where it is an error, OpenAI's object whole.
fn assert_shape(reply: &Reply, status: u16, code: Option<&str>, place: &str) {
    assert_eq!(reply.status, status, "{place}: {}", reply.text());
    let id = reply.header("x-request-id").unwrap_or_else(|| panic!("{place}: no x-request-id"));
    assert!(uuid::Uuid::parse_str(id).is_ok(), "{place}: {id}");
    if status == 200 {
        return;
    }
    assert_eq!(reply.header("content-type"), Some("application/json"), "{place}");
    let body = reply.json();
    let error = body["error"].as_object().unwrap_or_else(|| panic!("{place}: {body}"));
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{place}: {body}");
    assert!(error["type"].is_string(), "{place}: {body}");
    assert!(error.contains_key("param"), "{place}: {body}");
    assert_eq!(error["code"].as_str(), code, "{place}: {body}");
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{place}: {body}");
}

async fn post(served: &Served, path: &str, headers: &[&str], body: &str) -> Reply {
    let mut reply = wire::send(served.process.address, "POST", path, headers, body.as_bytes()).await;
    reply.finish().await;
    reply
}

/// The answer once the service has heard of a new key.
async fn known(served: &Served, headers: &[&str], body: &str) -> Reply {
    told(served, headers, body, |status| status != 401).await
}

async fn told(served: &Served, headers: &[&str], body: &str, is: impl Fn(u16) -> bool) -> Reply {
    for _ in 0..1_000 {
        let reply = post(served, CHAT, headers, body).await;
        if is(reply.status) {
            return reply;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the service does not hear of a change");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_cannot_be_read_are_refused_in_words() {
    let served = Served::open(&[("PROVIDER_SERVICE_SERVER__PROXY_BODY_BYTES", "4096")]).await;
    let key = format!("authorization: Bearer {}", served.key);
    let long = bodies::chat_with("gpt-4o-mini", false, &format!(r#","user":"{}""#, "x".repeat(5_000)));
    let refused: [(&str, u16); 9] = [
        (&long, 413),
        ("", 400),
        ("not json", 400),
        (r#"{"model":"gpt-4o-mini","messages":[}"#, 400),
        (r#"{"model":"gpt-4o-mini","model":"gpt-4o","messages":[]}"#, 400),
        (r#"{"messages":[]}"#, 400),
        (r#"{"model":7,"messages":[]}"#, 400),
        (r#"{"model":"gpt-4o-mini","stream":"yes"}"#, 400),
        ("[1]", 400),
    ];
    for (body, status) in refused {
        let reply = post(&served, CHAT, &[&key], body).await;
        assert_shape(&reply, status, None, body.get(..40).unwrap_or(body));
    }
    let reply = post(&served, CHAT, &[&key], r#"{"messages":[]}"#).await;
    assert_eq!(reply.json()["error"]["param"], "model");

    // Chunked, so that nothing announces its length.
    let mut head = format!("POST {CHAT} HTTP/1.1\r\nhost: x\r\n{key}\r\ntransfer-encoding: chunked\r\n\r\n");
    for _ in 0..3 {
        head.push_str(&format!("800\r\n{}\r\n", "x".repeat(0x800)));
    }
    head.push_str("0\r\n\r\n");
    let mut reply = wire::raw(served.process.address, head.as_bytes()).await;
    reply.finish().await;
    assert_shape(&reply, 413, None, "chunked");

    // A body of just the cap is read.
    let room = 4_096 - bodies::chat_with("gpt-4o-mini", false, r#","user":"""#).len();
    let full = bodies::chat_with("gpt-4o-mini", false, &format!(r#","user":"{}""#, "x".repeat(room)));
    assert_eq!(full.len(), 4_096);
    assert_shape(&post(&served, CHAT, &[&key], &full).await, 200, None, "just the cap");
    assert_eq!(served.sandbox.stats(Vendor::OpenAi).requests, 1, "what was refused went nowhere");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_found_in_any_sdks_header_and_never_repeated() {
    let served = Served::open(&[]).await;
    let key = &served.key;
    let body = bodies::chat("gpt-4o-mini", false);
    for header in
        ["authorization: Bearer", "Authorization: bearer", "x-api-key:", "api-key:", "x-goog-api-key:"]
    {
        let reply = post(&served, CHAT, &[&format!("{header} {key}")], &body).await;
        assert_shape(&reply, 200, None, header);
        assert!(!reply.text().contains(key.as_str()));
    }
    let mut mistyped = key.clone();
    mistyped.pop();
    mistyped.push(if key.ends_with('a') { 'b' } else { 'a' });
    let (stored, other) = served.office.key("short-lived").await;
    let header = format!("authorization: Bearer {other}");
    assert_shape(&known(&served, &[&header], &body).await, 200, None, "a key just made");
    served.office.edit_key(&stored, |key| key.revoked_at = Some(key.created_at)).await;
    told(&served, &[&header], &body, |status| status == 401).await;
    let wrong = [mistyped.as_str(), "sk-wrong", VENDOR_KEY, &other];
    for wrong in wrong {
        let reply = post(&served, CHAT, &[&format!("authorization: Bearer {wrong}")], &body).await;
        assert_shape(&reply, 401, Some("invalid_api_key"), wrong);
        assert!(!reply.text().contains(wrong), "{}", reply.text());
    }
    for headers in [&[][..], &["authorization: Basic dTpw"], &["authorization: Bearer "], &["x-api-key:"]] {
        assert_shape(&post(&served, CHAT, headers, &body).await, 401, Some("invalid_api_key"), "no key");
    }
    // A key in the address is none.
    assert_shape(
        &post(&served, &format!("{CHAT}?key={key}"), &[], &body).await,
        401,
        Some("invalid_api_key"),
        "query",
    );
    assert!(!served.process.log().contains(key.as_str()), "no key stands in the log");
    assert!(!served.process.log().contains(VENDOR_KEY));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotated_keys_old_text_opens_until_its_moment() {
    let served = Served::open(&[]).await;
    let body = bodies::chat("gpt-4o-mini", false);
    let (stored, old) = served.office.key("rotated").await;
    let header = format!("authorization: Bearer {old}");
    assert_shape(&known(&served, &[&header], &body).await, 200, None, "a key just made");
    let rotate = |valid_until| {
        move |key: &mut VirtualKey| {
            key.digest = KeyDigest([7; 32]);
            key.previous = Some(PreviousDigest { digest: stored.digest, valid_until });
        }
    };
    let an_hour = stored.updated_at.after(Duration::from_secs(3_600));
    let rotated = served.office.edit_key(&stored, rotate(an_hour)).await;
    // Whether this replica has heard of it already or not.
    for _ in 0..20 {
        assert_shape(&post(&served, CHAT, &[&header], &body).await, 200, None, "the old text");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    served.office.edit_key(&rotated, rotate(stored.updated_at)).await;
    let reply = told(&served, &[&header], &body, |status| status == 401).await;
    assert_shape(&reply, 401, Some("invalid_api_key"), "the old text after its moment");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proxy_stands_under_both_addresses_and_nothing_else_does() {
    let served = Served::open(&[]).await;
    let key = format!("authorization: Bearer {}", served.key);
    let body = bodies::chat("gpt-4o-mini", false);
    let mut texts = Vec::new();
    for path in [CHAT, "/api/v1/proxy/chat/completions", "/api/v1/proxy/v1/chat/completions"] {
        let reply = post(&served, path, &[&key], &body).await;
        assert_shape(&reply, 200, None, path);
        assert!(reply.header("x-lyss-channel").is_some() && reply.header("x-lyss-attempts") == Some("1"));
        texts.push(reply.json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned());
    }
    assert!(texts.iter().all(|text| *text == texts[0]));
    for (method, path) in
        [("GET", "/"), ("POST", "/v1/chat"), ("GET", CHAT), ("POST", "/v1/models"), ("GET", "/v2/models")]
    {
        let mut reply = wire::send(served.process.address, method, path, &[&key], b"").await;
        reply.finish().await;
        assert!(matches!(reply.status, 404 | 405), "{method} {path}: {}", reply.status);
        let error = &reply.json()["error"];
        assert!(
            error["message"].is_string() && error["type"].is_string() && error["code"].is_string(),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn models_are_listed_as_this_key_may_call_them() {
    let served = Served::open(&[]).await;
    // Families cannot be listed, so the channel names its models.
    let channel = served.office.management.all_channels(&served.office.scope).await.unwrap();
    let openai = channel.iter().find(|channel| channel.name == "openai").unwrap();
    let names = ["gpt-4o", "gpt-4o-mini", "gpt-4.1"].map(str::to_owned);
    served.office.edit_channel(openai.id, |channel| channel.supported_models = names.to_vec()).await;
    let get = async |path: &str, key: &str| {
        wire::get(served.process.address, path, &[&format!("authorization: Bearer {key}")]).await
    };
    let ids = |reply: &Reply| -> Vec<String> {
        let list = reply.json();
        assert_eq!(list["object"], "list");
        list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|model| model["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let listed = async |key: &str| ids(&get("/v1/models", key).await);
    // The service hears of the edit; until then the channel lists nothing.
    for _ in 0..1_000 {
        if listed(&served.key).await.len() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(listed(&served.key).await, ["gpt-4.1", "gpt-4o", "gpt-4o-mini"]);
    for path in ["/v1/models/gpt-4o", "/api/v1/proxy/models/gpt-4o"] {
        let model = get(path, &served.key).await.json();
        assert_eq!((&model["id"], &model["object"]), (&Value::from("gpt-4o"), &Value::from("model")));
        assert_eq!(model["owned_by"], "openai");
        assert!(model["created"].as_i64().is_some_and(|created| created > 1_700_000_000), "{model}");
    }
    assert_shape(&get("/v1/models/none", &served.key).await, 404, Some("model_not_found"), "no such model");
    assert_shape(&get("/v1/models", "sk-wrong").await, 401, Some("invalid_api_key"), "wrong key");
    let reply = served.chat(&bodies::chat("gpt-17", false)).await;
    let mut reply = reply;
    reply.finish().await;
    assert_shape(&reply, 404, Some("model_not_found"), "unknown model");
    assert_eq!(reply.json()["error"]["param"], "model");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limited_key_is_told_its_windows_in_headers() {
    let served = Served::open(&[]).await;
    let limits = KeyLimits { requests_per_minute: Some(2), tokens_per_minute: Some(100_000) };
    let (_, key) = served.office.issue(KeyDraft { limits, ..KeyDraft::new("limited") }).await;
    let headers = [format!("authorization: Bearer {key}")];
    let headers: Vec<_> = headers.iter().map(String::as_str).collect();
    let body = bodies::chat("gpt-4o-mini", false);
    let reply = known(&served, &headers, &body).await;
    assert_shape(&reply, 200, None, "first");
    assert_eq!(reply.header("x-ratelimit-limit-requests"), Some("2"));
    assert_eq!(reply.header("x-ratelimit-remaining-requests"), Some("1"));
    assert_eq!(reply.header("x-ratelimit-limit-tokens"), Some("100000"));
    assert!(reply.header("x-ratelimit-reset-requests").is_some_and(|wait| wait.ends_with("ms")));
    post(&served, CHAT, &headers, &body).await;
    let reply = post(&served, CHAT, &headers, &body).await;
    assert_shape(&reply, 429, Some("rate_limit_exceeded"), "third");
    let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    assert!(reply.header("retry-after-ms").is_some());
    assert_eq!(reply.header("x-ratelimit-limit-requests"), Some("2"), "a refusal tells the window too");
    assert_eq!(reply.header("x-ratelimit-remaining-requests"), Some("0"));

    // This key may not steer, and headers that cannot be read are told so.
    let channel = served.office.management.all_channels(&served.office.scope).await.unwrap().remove(0);
    let steer = format!("x-lyss-channel: {}", channel.id);
    let caller = format!("authorization: Bearer {}", served.key);
    let reply = post(&served, CHAT, &[&caller, "x-lyss-channel: nowhere"], &body).await;
    assert_shape(&reply, 400, None, "unreadable channel");
    assert_eq!(reply.json()["error"]["param"], "x-lyss-channel");
    let (_, other) = served.office.issue(KeyDraft::new("plain")).await;
    let other = format!("authorization: Bearer {other}");
    let reply = known(&served, &[&other, &steer], &body).await;
    assert_shape(&reply, 403, Some("forbidden"), "steering");
}

/// All four vendors, streamed and whole, through the real port.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_vendor_answers_over_the_port() {
    let served = Served::open(&[]).await;
    let models = ["gpt-4o-mini", "azure-1", "deepseek-chat", "claude-haiku-4-5"];
    let mut expected = 0;
    for model in models {
        let mut whole = served.chat(&bodies::chat(model, false)).await;
        whole.finish().await;
        assert_shape(&whole, 200, None, model);
        let text = whole.json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
        assert!(!text.is_empty());
        let mut stream = served.chat(&bodies::chat(model, true)).await;
        stream.finish().await;
        assert_shape(&stream, 200, None, model);
        assert_eq!(stream.header("content-type"), Some("text/event-stream; charset=utf-8"));
        assert_eq!(stream.header("x-accel-buffering"), Some("no"));
        assert_eq!(bodies::text_of(&stream.text()), text, "{model}: streamed and whole say the same");
        assert!(stream.text().ends_with("data: [DONE]\n\n"));
        assert!(!stream.text().contains("prompt_tokens"), "{model}: usage nobody asked for");
        expected += 2;
    }
    let records = served.records(expected).await;
    assert_eq!(records.len(), expected);
    assert!(records.iter().all(|record| record.terminal == Terminal::Complete && record.usage.total() > 0));
    // What is charged is what the vendors counted.
    let told: u64 = records.iter().map(|record| record.usage.completion()).sum();
    let said: u64 = Vendor::ALL.iter().map(|vendor| served.sandbox.stats(*vendor).completion_tokens).sum();
    assert_eq!(told, said);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_and_metrics_answer_without_a_key() {
    let served = Served::open(&[]).await;
    let mut reply = served.chat(&bodies::chat("gpt-4o-mini", false)).await;
    reply.finish().await;
    served.records(1).await;
    for path in ["/health", "/health/live", "/health/ready"] {
        let reply = wire::get(served.process.address, path, &[]).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        assert!(reply.json()["status"].is_string());
    }
    let health = wire::get(served.process.address, "/health", &[]).await.json();
    assert!(health["dependencies"].as_array().is_some_and(|all| all.len() >= 2), "{health}");
    let reply = wire::get(served.process.address, "/metrics", &[]).await;
    assert_eq!(reply.status, 200);
    let text = reply.text();
    assert!(text.contains(r#"lyss_attempts_total{terminal="complete",fault="none"} 1"#), "{text}");
    assert!(text.ends_with("# EOF\n"));
    for secret in [served.key.as_str(), VENDOR_KEY] {
        assert!(!text.contains(secret));
    }
}

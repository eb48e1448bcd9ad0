//! Every dialect towards every vendor over the service's own port, and what stands beside conversations.

use lyss_domain::{Operation, Terminal, UsageSource};
use lyss_sandbox::Vendor;
use serde_json::{Value, json};

use crate::gateway::process::Served;
use crate::gateway::wire::{self, Reply};

/// A model of each vendor; the last lives behind the responses API alone.
const MODELS: [&str; 6] =
    ["gpt-4o-mini", "azure", "deepseek-chat", "claude-sonnet-4-5", "gemini-2.5-flash", "o1-pro"];

#[derive(Clone, Copy, Debug)]
enum Caller {
    Chat,
    Responses,
    Messages,
    Google,
    GoogleArray,
    AzurePath,
}

const CALLERS: [Caller; 6] = [
    Caller::Chat,
    Caller::Responses,
    Caller::Messages,
    Caller::Google,
    Caller::GoogleArray,
    Caller::AzurePath,
];

impl Caller {
    fn path(self, model: &str, stream: bool) -> String {
        match self {
            Self::Chat => "/v1/chat/completions".to_owned(),
            Self::Responses => "/v1/responses".to_owned(),
            Self::Messages => "/v1/messages".to_owned(),
            Self::Google if stream => format!("/v1beta/models/{model}:streamGenerateContent?alt=sse"),
            Self::GoogleArray if stream => format!("/v1/models/{model}:streamGenerateContent"),
            Self::Google | Self::GoogleArray => format!("/v1beta/models/{model}:generateContent"),
            Self::AzurePath => format!("/openai/deployments/{model}/chat/completions?api-version=2024-10-21"),
        }
    }

    fn body(self, model: &str, stream: bool) -> Value {
        match self {
            Self::Chat => {
                json!({"model": model, "stream": stream, "messages": [{"role": "user", "content": "Say it."}]})
            }
            Self::AzurePath => {
                json!({"stream": stream, "messages": [{"role": "user", "content": "Say it."}]})
            }
            Self::Responses => json!({"model": model, "stream": stream, "input": "Say it."}),
            Self::Messages => json!({
                "model": model, "stream": stream, "max_tokens": 300,
                "messages": [{"role": "user", "content": "Say it."}],
            }),
            Self::Google | Self::GoogleArray => {
                json!({"contents": [{"role": "user", "parts": [{"text": "Say it."}]}]})
            }
        }
    }

    /// The text of a whole answer.
    fn text(self, answer: &Value) -> String {
        match self {
            Self::Chat | Self::AzurePath => {
                answer["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned()
            }
            Self::Responses => joined(&answer["output"], |item| {
                joined(&item["content"], |part| part["text"].as_str().unwrap_or_default().to_owned())
            }),
            Self::Messages => {
                joined(&answer["content"], |block| block["text"].as_str().unwrap_or_default().to_owned())
            }
            Self::Google | Self::GoogleArray => {
                joined(&answer["candidates"][0]["content"]["parts"], |part| match part["thought"] {
                    Value::Bool(true) => String::new(),
                    _ => part["text"].as_str().unwrap_or_default().to_owned(),
                })
            }
        }
    }

    /// The text of a streamed one, and whether its end stands where it must.
    fn streamed(self, body: &str) -> (String, bool) {
        let events: Vec<Value> = match self {
            Self::GoogleArray => serde_json::from_str(body).unwrap(),
            _ => body
                .lines()
                .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
                .collect(),
        };
        let text = events.iter().map(|event| match self {
            Self::Chat | Self::AzurePath => {
                event["choices"][0]["delta"]["content"].as_str().unwrap_or_default().to_owned()
            }
            Self::Responses if event["type"] == "response.output_text.delta" => {
                event["delta"].as_str().unwrap_or_default().to_owned()
            }
            Self::Responses => String::new(),
            Self::Messages => event["delta"]["text"].as_str().unwrap_or_default().to_owned(),
            Self::Google | Self::GoogleArray => self.text(event),
        });
        let last = events.last().cloned().unwrap_or_default();
        let is_whole = match self {
            Self::Chat | Self::AzurePath => body.ends_with("data: [DONE]\n\n"),
            Self::Responses => last["type"] == "response.completed",
            Self::Messages => last["type"] == "message_stop",
            Self::Google | Self::GoogleArray => last["candidates"][0]["finishReason"] == "STOP",
        };
        (text.collect(), is_whole)
    }
}

fn joined(list: &Value, text: impl Fn(&Value) -> String) -> String {
    list.as_array().into_iter().flatten().map(text).collect()
}

async fn ask(served: &Served, path: &str, headers: &[&str], body: &[u8]) -> Reply {
    let key = format!("authorization: Bearer {}", served.key);
    let headers: Vec<_> = [key.as_str()].into_iter().chain(headers.iter().copied()).collect();
    let mut reply = wire::send(served.process.address, "POST", path, &headers, body).await;
    reply.finish_somehow().await;
    reply
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_caller_is_served_by_every_vendor() {
    let served = Served::open(&[]).await;
    let mut expected = 0;
    for caller in CALLERS {
        for model in MODELS {
            let place = format!("{caller:?} → {model}");
            let body = caller.body(model, false).to_string();
            let whole = ask(&served, &caller.path(model, false), &[], body.as_bytes()).await;
            assert_eq!(whole.status, 200, "{place}: {}", whole.text());
            let text = caller.text(&whole.json());
            assert!(!text.is_empty(), "{place}: {}", whole.text());
            expected += 1;
            if model == "o1-pro" {
                // The vendor streams nothing of it.
                continue;
            }
            let body = caller.body(model, true).to_string();
            let stream = ask(&served, &caller.path(model, true), &[], body.as_bytes()).await;
            assert_eq!(stream.status, 200, "{place}: {}", stream.text());
            let (streamed, is_whole) = caller.streamed(&stream.text());
            assert_eq!(streamed, text, "{place}: {}", stream.text());
            assert!(is_whole, "{place} ends otherwise: {}", stream.text());
            expected += 1;
        }
    }
    let records = served.records(expected).await;
    assert_eq!(records.len(), expected);
    let is_settled = |terminal, source| terminal == Terminal::Complete && source == UsageSource::Provider;
    for record in &records {
        assert!(is_settled(record.terminal, record.usage_source), "{record:?}");
    }
    let told: u64 = records.iter().map(|record| record.usage.completion()).sum();
    let said: u64 = Vendor::ALL.iter().map(|vendor| served.sandbox.stats(*vendor).completion_tokens).sum();
    assert_eq!(told, said, "what is charged is what the vendors counted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_are_told_in_the_callers_words() {
    let served = Served::open(&[]).await;
    for caller in CALLERS {
        for model in ["gpt-4o-mini+status=429+retry_after=7", "claude-sonnet-4-5+status=500", "no-such-model"]
        {
            let path = caller.path(&model.replace('+', "%2B").replace('=', "%3D"), false);
            let reply = ask(&served, &path, &[], caller.body(model, false).to_string().as_bytes()).await;
            let place = format!("{caller:?} → {model}: {}", reply.text());
            let status = if model.contains("429") { 429 } else { reply.status };
            assert!(reply.status >= 400 && reply.status == status, "{place}");
            let error = &reply.json()["error"];
            assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{place}");
            match caller {
                Caller::Messages => {
                    assert_eq!(reply.json()["type"], "error", "{place}");
                    assert_eq!(reply.header("request-id"), reply.header("x-request-id"), "{place}");
                }
                Caller::Google | Caller::GoogleArray => assert_eq!(error["code"], reply.status, "{place}"),
                Caller::Chat | Caller::AzurePath | Caller::Responses => {
                    assert!(error["type"].is_string() && error.get("param").is_some(), "{place}");
                }
            }
            if model.contains("retry_after") {
                assert_eq!(reply.header("retry-after"), Some("7"), "{place}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_lost_is_said_and_strictly_refused() {
    let served = Served::open(&[]).await;
    let body = json!({
        "model": "claude-sonnet-4-5", "seed": 7, "messages": [{"role": "user", "content": "Say it."}],
    });
    let body = body.to_string();
    let lost = ask(&served, "/v1/chat/completions", &[], body.as_bytes()).await;
    assert_eq!((lost.status, lost.header("x-lyss-conversion-loss")), (200, Some("seed")));
    assert_eq!(served.records(1).await[0].losses, ["seed"]);
    let strict = ask(&served, "/v1/chat/completions", &["x-lyss-strict: true"], body.as_bytes()).await;
    assert_eq!((strict.status, &strict.json()["error"]["param"]), (400, &json!("seed")), "{}", strict.text());
    let odd = ask(&served, "/v1/chat/completions", &["x-lyss-strict: perhaps"], body.as_bytes()).await;
    assert_eq!(odd.status, 400);
    assert_eq!(served.sandbox.stats(Vendor::Anthropic).requests, 1, "what was refused went nowhere");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_counted_by_those_who_count_and_estimated_for_the_others() {
    let served = Served::open(&[]).await;
    let messages = |model: &str| json!({"model": model, "messages": [{"role": "user", "content": "Say it, and say it slowly."}]});
    for (model, who) in
        [("claude-sonnet-4-5", "provider"), ("gemini-2.5-flash", "provider"), ("gpt-4o-mini", "estimated")]
    {
        let body = messages(model).to_string();
        let counted = ask(&served, "/v1/messages/count_tokens", &[], body.as_bytes()).await;
        let place = format!("{model}: {}", counted.text());
        assert_eq!((counted.status, counted.header("x-lyss-token-count")), (200, Some(who)), "{place}");
        assert!(counted.json()["input_tokens"].as_u64().is_some_and(|tokens| tokens > 3), "{place}");
        let body = json!({"contents": [{"parts": [{"text": "Say it, and say it slowly."}]}]}).to_string();
        let path = format!("/v1beta/models/{model}:countTokens");
        let counted = ask(&served, &path, &[], body.as_bytes()).await;
        let place = format!("{model}: {}", counted.text());
        assert_eq!((counted.status, counted.header("x-lyss-token-count")), (200, Some(who)), "{place}");
        assert!(counted.json()["totalTokens"].as_u64().is_some_and(|tokens| tokens > 3), "{place}");
    }
    let records = served.records(4).await;
    for record in records {
        assert_eq!((record.operation, record.usage.total()), (Operation::CountTokens, 0), "{record:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn embeddings_come_from_openai_and_google_alike() {
    let served = Served::open(&[]).await;
    for model in ["text-embedding-3-small", "gemini-embedding-001"] {
        let body = json!({"model": model, "input": ["one", "two"]}).to_string();
        let reply = ask(&served, "/v1/embeddings", &[], body.as_bytes()).await;
        assert_eq!(reply.status, 200, "{model}: {}", reply.text());
        let data = reply.json()["data"].clone();
        assert_eq!(data.as_array().map(Vec::len), Some(2), "{model}");
        assert!(data[1]["embedding"][0].is_number() && data[1]["index"] == 1, "{model}");
    }
    let records = served.records(2).await;
    assert!(records.iter().all(|record| record.operation == Operation::Embeddings));
    assert!(records.iter().all(|record| record.usage.input > 0 && record.usage.output == 0));
    let body = json!({"model": "claude-sonnet-4-5", "input": "one"}).to_string();
    let reply = ask(&served, "/v1/embeddings", &[], body.as_bytes()).await;
    assert_eq!((reply.status, &reply.json()["error"]["param"]), (404, &json!("model")), "{}", reply.text());
}

/// A form whose file stands before the model, as Node's SDK sends it, and is larger than what is held in memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_pass_whatever_stands_first_in_them() {
    let served = Served::open(&[]).await;
    let file = "x".repeat(3 << 20);
    let part = |head: &str, value: &str| {
        format!("--XX\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n")
    };
    let file = part("name=\"file\"; filename=\"a.wav\"", &file);
    let model = part("name=\"model\"", "whisper-1");
    let key = format!("authorization: Bearer {}", served.key);
    for body in [format!("{file}{model}--XX--\r\n"), format!("{model}{file}--XX--\r\n")] {
        let head = format!(
            "POST /v1/audio/transcriptions HTTP/1.1\r\nhost: x\r\n{key}\r\nconnection: close\r\n\
             content-type: multipart/form-data; boundary=XX\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut reply = wire::raw(served.process.address, format!("{head}{body}").as_bytes()).await;
        reply.finish().await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(reply.text().contains(&(3 << 20).to_string()), "the whole file arrived: {}", reply.text());
    }
    let nameless = format!("{file}--XX--\r\n");
    let head = format!(
        "POST /v1/audio/transcriptions HTTP/1.1\r\nhost: x\r\n{key}\r\nconnection: close\r\n\
         content-type: multipart/form-data; boundary=XX\r\ncontent-length: {}\r\n\r\n",
        nameless.len()
    );
    let mut reply = wire::raw(served.process.address, format!("{head}{nameless}").as_bytes()).await;
    reply.finish().await;
    assert_eq!((reply.status, &reply.json()["error"]["param"]), (400, &json!("model")), "{}", reply.text());
    let records = served.records(2).await;
    assert!(records.iter().all(|record| record.operation == Operation::Transcriptions));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn speech_pictures_and_verdicts_pass_unread() {
    let served = Served::open(&[]).await;
    let calls = [
        ("/v1/audio/speech", json!({"model": "gpt-4o-mini-tts", "input": "Say it.", "voice": "alloy"})),
        ("/v1/images/generations", json!({"model": "gpt-image-1", "prompt": "a cat"})),
        ("/v1/moderations", json!({"input": "Say it."})),
    ];
    for (path, body) in calls {
        let reply = ask(&served, path, &[], body.to_string().as_bytes()).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        assert!(!reply.body.is_empty(), "{path}");
        let is_speech = path.ends_with("speech");
        let form = reply.header("content-type").unwrap_or_default().to_owned();
        assert_eq!(form.starts_with("audio/"), is_speech, "{path}: {form}");
    }
    assert!(served.records(3).await.iter().all(|record| record.terminal == Terminal::Complete));
}

/// What servers and middleboxes do to a stream: the caller reads the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_framings_and_codings_are_read() {
    let served = Served::open(&[]).await;
    let knobs = [
        "sse=crlf",
        "sse=cr",
        "sse=bom",
        "sse=comments",
        "sse=nofinal",
        "encoding=gzip",
        "encoding=br",
        "encoding=deflate",
        "split=1",
        "split=7",
    ];
    for (caller, model) in [
        (Caller::Messages, "gpt-4o-mini"),
        (Caller::Chat, "claude-sonnet-4-5"),
        (Caller::Responses, "gemini-2.5-flash"),
        (Caller::Chat, "gpt-4o-mini"),
    ] {
        let body = caller.body(model, true).to_string();
        let plain = ask(&served, &caller.path(model, true), &[], body.as_bytes()).await;
        let (text, _) = caller.streamed(&plain.text());
        for knob in knobs {
            // Passed bytes keep their framing, which the reader of this test does not know.
            if matches!((caller, knob), (Caller::Chat, knob) if model == "gpt-4o-mini" && knob.starts_with("sse="))
            {
                continue;
            }
            let body = caller.body(&format!("{model}+{knob}"), true).to_string();
            let odd = ask(&served, &caller.path(model, true), &[], body.as_bytes()).await;
            let (read, is_whole) = caller.streamed(&odd.text());
            assert_eq!(read, text, "{caller:?} → {model}+{knob}: {}", odd.text());
            assert!(is_whole, "{caller:?} → {model}+{knob}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn models_are_listed_in_the_askers_form() {
    let served = Served::open(&[]).await;
    let key = format!("authorization: Bearer {}", served.key);
    let list = |path: &'static str, headers: Vec<&'static str>| {
        let headers: Vec<&str> = [key.as_str()]
            .into_iter()
            .chain(headers)
            .map(|header| {
                // Headers of one request live as long as the test.
                Box::leak(header.to_owned().into_boxed_str()) as &str
            })
            .collect();
        let address = served.process.address;
        async move { wire::get(address, path, &headers).await.json() }
    };
    // The channels of this test name families, which cannot be listed.
    assert_eq!(list("/v1/models", vec![]).await["object"], "list");
    assert_eq!(list("/v1/models", vec!["anthropic-version: 2023-06-01"]).await["has_more"], false);
    assert!(list("/v1beta/models", vec![]).await["models"].is_array());
    let headers = [format!("x-goog-api-key: {}", served.key)];
    let answer = wire::get(served.process.address, "/v1/models", &[&headers[0]]).await;
    assert!(answer.json()["models"].is_array(), "{}", answer.text());
}

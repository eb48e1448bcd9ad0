//! Starting, stopping, counting and remembering.

use std::time::Duration;

use tokio::net::TcpStream;

use super::client::CEILING;
use super::*;
use crate::VendorStats;

/// Waits until a vendor's figures are as wanted.
pub(super) async fn settled(
    sandbox: &Sandbox,
    vendor: Vendor,
    wanted: impl Fn(&VendorStats) -> bool,
) -> VendorStats {
    let wait = async {
        loop {
            let stats = sandbox.stats(vendor);
            if wanted(&stats) {
                return stats;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    match tokio::time::timeout(CEILING, wait).await {
        Ok(stats) => stats,
        Err(_) => panic!("never came: {:?}", sandbox.stats(vendor)),
    }
}

#[tokio::test]
async fn addresses_are_what_the_vendors_sdk_takes() {
    let config =
        SandboxConfig { vendors: vec![Vendor::OpenAi, Vendor::DeepSeek], ..SandboxConfig::default() };
    let sandbox = start(config).await.unwrap();
    let port = |vendor: Vendor| sandbox.addr(vendor).unwrap().port();
    let base = |vendor: Vendor| sandbox.api_base(vendor).unwrap();
    assert_eq!(base(Vendor::OpenAi), format!("http://127.0.0.1:{}/v1", port(Vendor::OpenAi)));
    assert_eq!(base(Vendor::DeepSeek), format!("http://127.0.0.1:{}", port(Vendor::DeepSeek)));
    assert_eq!(sandbox.api_base(Vendor::Anthropic), None);
    assert_eq!(sandbox.stats(Vendor::Anthropic), VendorStats::default());
}

#[tokio::test]
async fn figures_add_up() {
    let sandbox = sandbox().await;
    for vendor in Vendor::ALL {
        chat(&sandbox, vendor, &format!("{}+words=5", some_model(vendor)), json!({"stream": true})).await;
        chat(&sandbox, vendor, &format!("{}+words=6", some_model(vendor)), json!({})).await;
        chat(&sandbox, vendor, &format!("{}+status=500", some_model(vendor)), json!({})).await;
        let stats = settled(&sandbox, vendor, |stats| stats.ok == 2).await;
        let expected = VendorStats {
            requests: 3,
            ok: 2,
            errors: 1,
            prompt_tokens: 16,
            // Google's model thinks twelve words before each answer.
            completion_tokens: if vendor == Vendor::Google { 11 + 2 * 12 } else { 11 },
            streams_completed: 1,
            streams_aborted: 0,
            open_streams: 0,
        };
        assert_eq!(stats, expected, "{vendor:?}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_is_counted() {
    let sandbox = sandbox().await;
    for vendor in Vendor::ALL {
        let model = format!("{}+gap_ms=5+words=100000", some_model(vendor));
        let mut connection =
            open_chat(&sandbox, vendor, &model, json!({"stream": true, "max_tokens": 100_000})).await;
        connection.read_until(|answer| answer.body.replace('\r', "").matches("\n\n").count() > 6).await;
        assert_eq!(sandbox.stats(vendor).streams_aborted, 0);
        drop(connection);
        let stats = settled(&sandbox, vendor, |stats| stats.streams_aborted == 1).await;
        assert_eq!((stats.streams_completed, stats.open_streams, stats.ok, stats.errors), (0, 0, 0, 0));
        assert!((1..100_000).contains(&stats.completion_tokens), "{vendor:?} {stats:?}");

        // One that leaves while it waits for the head.
        let waiting =
            open_chat(&sandbox, vendor, &format!("{}+first_ms=3600000", some_model(vendor)), json!({})).await;
        settled(&sandbox, vendor, |stats| stats.requests == 2).await;
        drop(waiting);
        settled(&sandbox, vendor, |stats| stats.streams_aborted == 2).await;
    }
}

#[tokio::test]
async fn one_vendor_stops_alone_and_can_return() {
    let mut sandbox = sandbox().await;
    let model = |vendor: Vendor| format!("{}+stall_events=2", some_model(vendor));
    let mut stalled =
        open_chat(&sandbox, Vendor::OpenAi, &model(Vendor::OpenAi), json!({"stream": true})).await;
    stalled.read_until(|answer| answer.body.matches("\n\n").count() == 2).await;
    let mut idle = Connection::open(sandbox.addr(Vendor::OpenAi).unwrap()).await;

    sandbox.stop_vendor(Vendor::OpenAi).await;
    assert!(!stalled.read().await.whole);
    assert_eq!(idle.read().await.status, 0);
    let addr = sandbox.addr(Vendor::OpenAi).unwrap();
    assert!(TcpStream::connect(addr).await.is_err());
    let stats = sandbox.stats(Vendor::OpenAi);
    assert_eq!((stats.errors, stats.streams_aborted, stats.open_streams), (1, 0, 0));
    assert_eq!(chat(&sandbox, Vendor::Anthropic, "claude-haiku-4-5", json!({})).await.status, 200);

    sandbox.start_vendor(Vendor::OpenAi).await.unwrap();
    assert_eq!(sandbox.addr(Vendor::OpenAi), Some(addr));
    assert_eq!(chat(&sandbox, Vendor::OpenAi, "gpt-4o", json!({})).await.status, 200);
    assert_eq!(sandbox.stats(Vendor::OpenAi).requests, 2);
    sandbox.stop().await;
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn dropping_the_sandbox_stops_it() {
    let sandbox = sandbox().await;
    let mut idle = Connection::open(sandbox.addr(Vendor::DeepSeek).unwrap()).await;
    drop(sandbox);
    assert_eq!(idle.read().await.status, 0);
}

#[tokio::test]
async fn a_taken_port_is_an_error() {
    let first = sandbox().await;
    let ports = [(Vendor::OpenAi, first.addr(Vendor::OpenAi).unwrap().port())].into();
    assert!(start(SandboxConfig { ports, ..SandboxConfig::default() }).await.is_err());
}

#[tokio::test]
async fn requests_are_remembered_only_when_asked_for() {
    for record in [false, true] {
        let sandbox = start(SandboxConfig { record, ..SandboxConfig::default() }).await.unwrap();
        chat(&sandbox, Vendor::AzureOpenAi, "mine+words=1", json!({"user": "me"})).await;
        let seen = sandbox.requests(Vendor::AzureOpenAi);
        assert_eq!(seen.len(), usize::from(record));
        for request in seen {
            assert_eq!(request.method, "POST");
            let path = "/openai/deployments/mine%2Bwords%3D1/chat/completions?api-version=2024-10-21";
            assert_eq!(request.path, path);
            assert_eq!(request.header("api-key"), Some("sk-sandbox-t"));
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            assert_eq!(body["user"], "me");
        }
    }
}

#[tokio::test]
async fn a_configured_pace_holds_unless_the_model_says_otherwise() {
    let config = SandboxConfig { gap_ms: 3_600_000, ..SandboxConfig::default() };
    let sandbox = start(config).await.unwrap();
    let mut slow = open_chat(&sandbox, Vendor::OpenAi, "gpt-4o", json!({"stream": true})).await;
    let answer = slow.read_until(|answer| answer.body.ends_with("\n\n")).await;
    assert_eq!(answer.events().len(), 1);
    assert!(chat(&sandbox, Vendor::OpenAi, "gpt-4o+gap_ms=0", json!({"stream": true})).await.whole);
}

#[tokio::test]
async fn answers_repeat_but_ids_do_not() {
    let sandbox = sandbox().await;
    for vendor in Vendor::ALL {
        let first = chat(&sandbox, vendor, some_model(vendor), json!({})).await;
        let second = chat(&sandbox, vendor, some_model(vendor), json!({})).await;
        let name = if vendor == Vendor::Google { "responseId" } else { "id" };
        let id = |answer: &Answer| answer.json()[name].as_str().unwrap().to_owned();
        assert_ne!(id(&first), id(&second));
        assert_eq!(first.body.replace(&id(&first), ""), second.body.replace(&id(&second), ""));
        let header = match vendor {
            Vendor::OpenAi | Vendor::AzureOpenAi => "x-request-id",
            Vendor::DeepSeek => "x-ds-trace-id",
            Vendor::Anthropic => "request-id",
            Vendor::Google => "x-goog-request-id",
        };
        assert_ne!(first.header(header).unwrap(), second.header(header).unwrap());
    }
}

//! Requests whose body takes its time: what was revoked while they were on their way does nothing any more.

use std::net::SocketAddr;

use lyss_domain::Role;
use lyss_sandbox::{SandboxConfig, Vendor};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Api, Estate, JWT_SECRET, text};
use crate::gateway::bodies;
use crate::gateway::process::Start;

/// A request with all but its last byte sent.
struct Late {
    stream: TcpStream,
    last: u8,
}

impl Late {
    async fn begin(to: SocketAddr, path: &str, key: &str, body: &str) -> Self {
        let mut stream = TcpStream::connect(to).await.unwrap();
        let (last, rest) = body.as_bytes().split_last().unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(rest).await.unwrap();
        Self { stream, last: *last }
    }

    /// Sends the last byte; the whole answer.
    async fn end(mut self) -> String {
        self.stream.write_all(&[self.last]).await.unwrap();
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_revoked_while_its_request_arrives_does_nothing() {
    let data = tempfile::tempdir().unwrap();
    let sandbox = lyss_sandbox::start(SandboxConfig::default()).await.unwrap();
    let process = Start::on(data.path())
        .with("PROVIDER_SERVICE_JWT_SECRET", JWT_SECRET)
        .with("PROVIDER_SERVICE_EGRESS_ALLOW", "127.0.0.1")
        .serve()
        .await;
    let to = process.address;
    Estate::found(to, "acme", &sandbox.api_base(Vendor::OpenAi).unwrap()).await;
    let admin = Api::role(to, Role::TenantAdmin, "acme");
    let scopes = json!({"name": "late", "scopes": ["proxy", "management:write"]});
    let made = admin.make("/keys", scopes).await;
    let key = text(&made["key"]);

    let chat = bodies::chat("gpt-4o-mini", false);
    let calls = [
        ("/v1/chat/completions", chat.as_str(), "HTTP/1.1 401"),
        ("/api/v1/keys", r#"{"name":"successor"}"#, "HTTP/1.1 403"),
        (
            "/api/v1/channels",
            r#"{"name":"c","provider_id":"openai","credentials":{"api_key":"k"}}"#,
            "HTTP/1.1 403",
        ),
    ];
    let mut late = Vec::new();
    for (path, body, _) in calls {
        late.push(Late::begin(to, path, &key, body).await);
    }
    // The service has met the heads before it hears of the revocation.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let revoke = format!("/keys/{}/revoke", text(&made["id"]));
    admin.done("POST", &revoke, None).await;
    for (request, (path, _, expected)) in late.into_iter().zip(calls) {
        let answer = request.end().await;
        assert!(answer.starts_with(expected), "{path}: {answer}");
    }
    let keys = admin.done("GET", "/keys?search=successor", None).await;
    assert_eq!(keys["total"], 0);
}

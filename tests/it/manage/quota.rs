//! A quota that is made while the service runs counts what was used before it.

use lyss_domain::Role;
use lyss_sandbox::{SandboxConfig, Vendor};
use serde_json::json;

use super::{Api, Estate, JWT_SECRET, text};
use crate::gateway::bodies;
use crate::gateway::process::Start;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quota_made_later_starts_from_what_was_used() {
    let data = tempfile::tempdir().unwrap();
    let sandbox = lyss_sandbox::start(SandboxConfig::default()).await.unwrap();
    let process = Start::on(data.path())
        .with("PROVIDER_SERVICE_JWT_SECRET", JWT_SECRET)
        .with("PROVIDER_SERVICE_EGRESS_ALLOW", "127.0.0.1")
        .serve()
        .await;
    let estate = Estate::found(process.address, "acme", &sandbox.api_base(Vendor::OpenAi).unwrap()).await;
    let admin = Api::role(process.address, Role::TenantAdmin, "acme");
    let chat = bodies::chat("gpt-4o-mini", false);
    let answered = async || {
        let mut reply = process.chat(&estate.key_text, &chat).await;
        reply.finish().await;
        reply.status
    };
    for _ in 0..3 {
        assert_eq!(answered().await, 200);
    }
    // Three are used, so of five two are left.
    let quota = json!({"scope": "key", "scope_id": estate.key, "window": "month", "limit_requests": 5});
    let made = admin.make("/quotas", quota).await;
    for expected in [200, 200, 429] {
        assert_eq!(answered().await, expected);
    }
    // The same in another window, which began later than the use: today's.
    let path = format!("/quotas/{}", text(&made["id"]));
    admin.done("PATCH", &path, Some(&json!({"window": "day", "limit_requests": 6}))).await;
    for expected in [200, 429] {
        assert_eq!(answered().await, expected);
    }
}

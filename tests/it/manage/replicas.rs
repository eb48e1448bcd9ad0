//! Two replicas on one PostgreSQL: what is done through one is so on the other; a rotation fails no request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use lyss_sandbox::{Sandbox, SandboxConfig, Vendor};
use lyss_testkit::{TestDatabase, database};
use lyss_vault::generate_master_key;
use serde_json::json;
use tempfile::TempDir;

use super::{Api, Estate, JWT_SECRET, text};
use crate::gateway::bodies;
use crate::gateway::process::{Process, Start};

/// Far above the second that is promised; the figure is printed.
const CEILING: Duration = Duration::from_secs(20);

struct Pair {
    database: TestDatabase,
    sandbox: Sandbox,
    homes: [TempDir; 2],
}

impl Pair {
    async fn new() -> Self {
        Self {
            database: database::postgres().await,
            sandbox: lyss_sandbox::start(SandboxConfig::default()).await.unwrap(),
            homes: [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()],
        }
    }

    fn start(&self, which: usize, master_keys: &str) -> Start {
        Start::on(self.homes[which].path())
            .with("DATABASE_URL", &self.database.settings().url)
            .with("PROVIDER_SERVICE_ENCRYPTION_KEY", master_keys)
            .with("PROVIDER_SERVICE_JWT_SECRET", JWT_SECRET)
            .with("PROVIDER_SERVICE_EGRESS_ALLOW", "127.0.0.1")
    }

    fn vendor(&self) -> String {
        self.sandbox.api_base(Vendor::OpenAi).unwrap()
    }
}

/// Calls through a replica until it answers with this status; how long that took.
async fn until(process: &Process, key: &str, model: &str, status: u16) -> Duration {
    #[expect(clippy::disallowed_methods, reason = "how long it took is printed")]
    let start = Instant::now();
    loop {
        let mut reply = process.chat(key, &bodies::chat(model, false)).await;
        reply.finish().await;
        if reply.status == status {
            return start.elapsed();
        }
        assert!(start.elapsed() < CEILING, "still {} {}", reply.status, reply.text());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_through_one_is_so_on_the_other() {
    let pair = Pair::new().await;
    let master_key = generate_master_key().unwrap();
    let one = pair.start(0, &master_key).serve().await;
    let other = pair.start(1, &master_key).serve().await;
    let estate = Estate::found(one.address, "acme", &pair.vendor()).await;
    let admin = Api::role(one.address, lyss_domain::Role::TenantAdmin, "acme");
    let model = "gpt-4o-mini";
    let mut slowest = Duration::ZERO;
    let mut saw = |what: &str, took: Duration| {
        println!("{what}: {} ms", took.as_millis());
        slowest = slowest.max(took);
    };

    saw("a channel and a key made", until(&other, &estate.key_text, model, 200).await);
    // And on the one that was asked, at once.
    let mut reply = one.chat(&estate.key_text, &bodies::chat(model, false)).await;
    reply.finish().await;
    assert_eq!(reply.status, 200, "{}", reply.text());

    let channel = format!("/channels/{}", estate.channel);
    admin.done("PATCH", &channel, Some(&json!({"supported_models": ["another"]}))).await;
    saw("a channel changed", until(&other, &estate.key_text, model, 404).await);
    admin.done("PATCH", &channel, Some(&json!({"supported_models": ["gpt-4o-mini*"]}))).await;
    saw("and changed back", until(&other, &estate.key_text, model, 200).await);
    admin.done("POST", &format!("{channel}/disable"), None).await;
    saw("a channel disabled", until(&other, &estate.key_text, model, 404).await);
    admin.done("POST", &format!("{channel}/enable"), None).await;
    saw("a channel enabled", until(&other, &estate.key_text, model, 200).await);

    let rotate = format!("/keys/{}/rotate", estate.key);
    let rotated = admin.done("POST", &rotate, Some(&json!({"overlap_seconds": 3_600}))).await;
    let second = text(&rotated["key"]);
    saw("a key rotated, the new one", until(&other, &second, model, 200).await);
    until(&other, &estate.key_text, model, 200).await;
    let rotated = admin.done("POST", &rotate, Some(&json!({"overlap_seconds": 0}))).await;
    let fresh = text(&rotated["key"]);
    saw("a key rotated without overlap, the old one", until(&other, &second, model, 401).await);
    until(&other, &fresh, model, 200).await;
    admin.done("DELETE", &format!("/keys/{}", estate.key), None).await;
    saw("a key removed", until(&other, &fresh, model, 401).await);
    println!("slowest of all: {} ms", slowest.as_millis());
    pair.database.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_under_load_fails_no_request() {
    let pair = Pair::new().await;
    let [old, new] = [(); 2].map(|()| generate_master_key().unwrap());
    let before = format!("first:{old}");
    let both = format!("second:{new},first:{old}");
    let only_new = format!("second:{new}");
    let founder = pair.start(0, &before).serve().await;
    let estate = Estate::found(founder.address, "acme", &pair.vendor()).await;
    drop(founder);
    // The old one is still in use: without it nothing starts.
    let refused = pair.start(0, &only_new).run(&["serve", "--port", "0"]).await;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("master key"), "{said}");

    let replicas = [pair.start(0, &both).serve().await, pair.start(1, &both).serve().await];
    let replicas = Arc::new(replicas);
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let load: Vec<_> = (0..4)
        .map(|worker| {
            let (replicas, stop, sent) = (Arc::clone(&replicas), Arc::clone(&stop), Arc::clone(&sent));
            let key = estate.key_text.clone();
            tokio::spawn(async move {
                while !stop.load(Ordering::Acquire) {
                    let mut reply =
                        replicas[worker % 2].chat(&key, &bodies::chat("gpt-4o-mini", false)).await;
                    reply.finish().await;
                    assert_eq!(reply.status, 200, "during the rotation: {}", reply.text());
                    sent.fetch_add(1, Ordering::AcqRel);
                }
            })
        })
        .collect();
    let enough = |count: u32| {
        let sent = Arc::clone(&sent);
        async move {
            while sent.load(Ordering::Acquire) < count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    enough(50).await;
    let rotated = pair.start(0, &both).run(&["keys", "rotate"]).await;
    let said = String::from_utf8_lossy(&rotated.stdout).into_owned();
    assert!(
        rotated.status.success() && said.contains("wrapped anew") && said.contains("may be removed"),
        "{said}"
    );
    enough(sent.load(Ordering::Acquire) + 50).await;
    stop.store(true, Ordering::Release);
    for worker in load {
        worker.await.unwrap();
    }
    println!("{} requests, none failed", sent.load(Ordering::Acquire));
    drop(replicas);

    // The old one may go; keys and chain are as they were.
    let after = pair.start(0, &only_new).serve().await;
    until(&after, &estate.key_text, "gpt-4o-mini", 200).await;
    let verdict = pair.start(0, &only_new).run(&["audit", "verify"]).await;
    let said = String::from_utf8_lossy(&verdict.stdout).into_owned();
    assert!(verdict.status.success() && said.contains("whole"), "{said}");
    pair.database.close().await;
}

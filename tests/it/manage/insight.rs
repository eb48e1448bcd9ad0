//! What is read of channels, calls and routing through the built service, on real calls.

use std::time::Duration;

use lyss_domain::Role;
use lyss_sandbox::{Sandbox, SandboxConfig, Vendor};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Api, Estate, JWT_SECRET, read_call, text};
use crate::gateway::process::{Process, Start};
use crate::gateway::{CEILING, bodies, wire};

/// A service with one tenant whose model two channels serve: `main` first, `spare` after it.
struct Stage {
    process: Process,
    estate: Estate,
    spare: String,
    admin: Api,
    start: Start,
    _sandbox: Sandbox,
    _data: TempDir,
}

impl Stage {
    async fn open() -> Self {
        let data = tempfile::tempdir().unwrap();
        let sandbox = lyss_sandbox::start(SandboxConfig::default()).await.unwrap();
        let vendor = sandbox.api_base(Vendor::OpenAi).unwrap();
        let start = Start::on(data.path())
            .with("PROVIDER_SERVICE_JWT_SECRET", JWT_SECRET)
            .with("PROVIDER_SERVICE_EGRESS_ALLOW", "127.0.0.1");
        let process = start.serve().await;
        let estate = Estate::found(process.address, "acme", &vendor).await;
        let admin = Api::role(process.address, Role::TenantAdmin, "acme");
        let spare = json!({
            "name": "spare", "provider_id": "openai", "api_base": vendor, "priority": 1, "tags": ["eu"],
            "credentials": {"api_key": "sk-sandbox-spare"}, "supported_models": ["gpt-4o-mini*", "spare-model"],
        });
        let spare = text(&admin.make("/channels", spare).await["id"]);
        Self { process, estate, spare, admin, start, _sandbox: sandbox, _data: data }
    }

    /// The id and the channel of a call that is answered.
    async fn call(&self, model: &str) -> (String, String) {
        let mut reply = self.process.chat(&self.estate.key_text, &bodies::chat(model, false)).await;
        reply.finish().await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let header = |name| reply.header(name).unwrap().to_owned();
        (header("x-request-id"), header("x-lyss-channel"))
    }

    async fn explain(&self, body: Value) -> Value {
        self.admin.done("POST", "/routing/explain", Some(&body)).await
    }

    async fn report(&self, path: &str, accept: &str) -> wire::Reply {
        let token = super::token("reader", Role::Viewer, Some("acme"));
        let headers = [format!("authorization: Bearer {token}"), format!("accept: {accept}")];
        let headers: Vec<_> = headers.iter().map(String::as_str).collect();
        wire::get(self.process.address, &format!("/api/v1{path}"), &headers).await
    }
}

/// Why a channel is out, by an explanation.
fn excluded(explained: &Value, channel: &str) -> Value {
    let channels = explained["channels"].as_array().unwrap();
    channels.iter().find(|one| one["channel_id"] == channel).unwrap()["excluded"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_shows_its_attempts_and_its_decisions_replay() {
    let stage = Stage::open().await;
    // The first channel has another vendor's key, so it is refused and the second one answers.
    let wrong = json!({"credentials": {"api_key": "sk-refused-main"}});
    stage.admin.done("PATCH", &format!("/channels/{}", stage.estate.channel), Some(&wrong)).await;
    let (id, served) = stage.call("gpt-4o-mini").await;
    assert_eq!(served, stage.spare);
    let call = read_call(&stage.admin, &id).await;
    assert_eq!(
        (&call["id"], &call["terminal"], &call["fault"]),
        (&json!(id), &json!("complete"), &json!(null))
    );
    assert_eq!((&call["channel_id"], &call["key_id"]), (&json!(stage.spare), &json!(stage.estate.key)));
    assert!(call["usage"]["prompt_tokens"].as_u64().unwrap() > 0 && call["total_ms"].is_u64(), "{call}");
    let attempts = call["attempts"].as_array().unwrap();
    let told: Vec<_> = attempts
        .iter()
        .map(|one| (one["ordinal"].clone(), one["channel_name"].clone(), one["fault"].clone()))
        .collect();
    let expected =
        [(json!(0), json!("main"), json!("credential_refused")), (json!(1), json!("spare"), json!(null))];
    assert_eq!(told, expected);
    for attempt in attempts {
        let decision = &attempt["decision"];
        assert_eq!(
            (&attempt["decision_state"], &decision["replayed_same"]),
            (&json!("kept"), &json!(true)),
            "{attempt}"
        );
        assert_eq!(decision["chosen_channel_id"], attempt["channel_id"]);
        assert_eq!(decision["candidates"].as_array().unwrap().len(), 2);
    }
    assert_eq!(attempts[1]["decision"]["candidates"][0]["excluded"], "tried", "{call}");
    let rival = Api::role(stage.process.address, Role::TenantAdmin, "acme");
    for missing in ["00000000-0000-7000-8000-000000000000", "nonsense"] {
        let said = rival.call("GET", &format!("/requests/{missing}"), None).await;
        assert_eq!((said.status, said.code()), (404, "REQUEST_NOT_FOUND"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_explanation_says_what_a_call_then_does() {
    let stage = Stage::open().await;
    let main = stage.estate.channel.clone();
    let ask = json!({"model": "gpt-4o-mini", "key_id": stage.estate.key, "prompt_tokens": 20});
    let explained = stage.explain(ask.clone()).await;
    assert_eq!((&explained["outcome"], &explained["chosen"]["channel_id"]), (&json!("chosen"), &json!(main)));
    assert_eq!(
        (excluded(&explained, &main), excluded(&explained, &stage.spare)),
        (json!(null), json!("worse_priority"))
    );
    assert_eq!(stage.call("gpt-4o-mini").await.1, main);

    // A channel that nobody may use is out before there is a choice.
    stage.admin.done("POST", &format!("/channels/{main}/disable"), Some(&json!({}))).await;
    let explained = stage.explain(ask.clone()).await;
    assert_eq!(
        (&explained["chosen"]["name"], excluded(&explained, &main)),
        (&json!("spare"), json!("disabled"))
    );
    assert_eq!(stage.call("gpt-4o-mini").await.1, stage.spare);
    stage.admin.done("POST", &format!("/channels/{main}/enable"), Some(&json!({}))).await;

    for (more, reason) in [
        (json!({"tags": ["eu"]}), "tag_missing"),
        (json!({"channel": stage.spare}), "other_channel"),
        (json!({"model": "spare-model"}), "model_not_served"),
    ] {
        let mut ask = json!({"model": "gpt-4o-mini"});
        ask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let explained = stage.explain(ask).await;
        assert_eq!(
            (&explained["chosen"]["name"], excluded(&explained, &main)),
            (&json!("spare"), json!(reason))
        );
    }

    // One name, and two models behind it: the smaller one holds a short call only, and none that shows pictures.
    for (channel, upstream) in [(&main, "gpt-3.5-turbo"), (&stage.spare, "gpt-4o-mini")] {
        let mapped = json!({"model_mapping": {"house": upstream}, "priority": 0});
        stage.admin.done("PATCH", &format!("/channels/{channel}"), Some(&mapped)).await;
    }
    let explained = stage.explain(json!({"model": "house", "prompt_tokens": 100})).await;
    assert_eq!((excluded(&explained, &main), excluded(&explained, &stage.spare)), (json!(null), json!(null)));
    for (more, reason) in [
        (json!({"prompt_tokens": 50_000}), "context_too_long"),
        (json!({"needs": ["image_input"]}), "capability_missing"),
    ] {
        let mut ask = json!({"model": "house"});
        ask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let explained = stage.explain(ask).await;
        assert_eq!(
            (&explained["chosen"]["name"], excluded(&explained, &main)),
            (&json!("spare"), json!(reason))
        );
        assert_eq!(explained["chosen"]["upstream_model"], "gpt-4o-mini");
    }

    // A key's own bounds, and what it may not ask for.
    let narrow = json!({"name": "narrow", "tags": ["eu"], "models": ["gpt-4o-mini"]});
    let narrow = stage.admin.make("/keys", narrow).await;
    let explained = stage.explain(json!({"model": "gpt-4o-mini", "key_id": narrow["id"]})).await;
    assert_eq!(
        (&explained["chosen"]["name"], excluded(&explained, &main)),
        (&json!("spare"), json!("key_tags"))
    );
    let explained = stage.explain(json!({"model": "spare-model", "key_id": narrow["id"]})).await;
    assert_eq!(
        (&explained["outcome"], excluded(&explained, &stage.spare)),
        (&json!("refused"), json!("key_models"))
    );
    assert_eq!(explained["refusal"]["class"], "model_not_found");
    let steered = json!({"model": "gpt-4o-mini", "key_id": narrow["id"], "strategy": "round_robin"});
    assert_eq!(stage.explain(steered).await["refusal"]["class"], "forbidden");
    let path = format!("/keys/{}/revoke", text(&narrow["id"]));
    stage.admin.done("POST", &path, Some(&json!({}))).await;
    let explained = stage.explain(json!({"model": "gpt-4o-mini", "key_id": narrow["id"]})).await;
    assert_eq!(explained["refusal"]["message"], "This key is revoked.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_explained_is_refused_by_field() {
    let stage = Stage::open().await;
    let nobody = "00000000-0000-7000-8000-000000000000";
    for (body, field) in [
        (json!({}), "model"),
        (json!({"model": ""}), "model"),
        (json!({"model": "x".repeat(300)}), "model"),
        (json!({"model": "m", "key_id": "x"}), "key_id"),
        (json!({"model": "m", "key_id": nobody}), "key_id"),
        (json!({"model": "m", "channel": nobody}), "channel"),
        (json!({"model": "m", "strategy": "best"}), "strategy"),
        (json!({"model": "m", "dialect": "latin"}), "dialect"),
        (json!({"model": "m", "tags": ["ok", ""]}), "tags[1]"),
        (json!({"model": "m", "prompt_tokens": -1}), "prompt_tokens"),
        (json!({"model": "m", "output_tokens": 4_000_000_000_u64}), "output_tokens"),
        (json!({"model": "m", "session": ""}), "session"),
        (json!({"model": "m", "url": "http://x"}), "url"),
    ] {
        let said = stage.admin.call("POST", "/routing/explain", Some(&body)).await;
        assert_eq!((said.status, said.code()), (422, "VALIDATION_FAILED"), "{body}: {}", said.body);
        let fields = said.body["error"]["fields"].as_object().unwrap();
        assert_eq!(fields.keys().collect::<Vec<_>>(), [field], "{body}");
    }
    let foreign = json!({"model": "m", "tenant_id": "rival"});
    let said = stage.admin.call("POST", "/routing/explain", Some(&foreign)).await;
    assert_eq!((said.status, said.code()), (403, "TENANT_MISMATCH"));
    // A model that nobody serves is no mistake of the question.
    let explained = stage.explain(json!({"model": "nothing-like-it"})).await;
    assert_eq!((&explained["outcome"], &explained["chosen"]), (&json!("refused"), &json!(null)));
    assert_eq!(excluded(&explained, &stage.spare), "model_not_served");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_breaker_shows_in_health_overview_and_explanation() {
    let stage = Stage::open().await;
    let main = stage.estate.channel.clone();
    for _ in 0..2 {
        let (id, _) = stage.call("gpt-4o-mini").await;
        read_call(&stage.admin, &id).await;
    }
    let health = stage.admin.done("GET", &format!("/channels/{main}/health"), None).await;
    assert_eq!(
        (&health["breaker"]["state"], &health["state"]),
        (&json!("closed"), &json!("enabled")),
        "{health}"
    );
    assert_eq!((&health["samples"], &health["models"][0]["model"]), (&json!(2), &json!("gpt-4o-mini")));
    assert!(health["total_ms"]["p95"].is_f64() && health["success_rate"].as_f64().unwrap() > 0.5, "{health}");
    let metrics = stage.admin.done("GET", &format!("/channels/{main}/metrics?window=1h"), None).await;
    assert_eq!((&metrics["total"]["requests"], &metrics["models"][0]["succeeded"]), (&json!(2), &json!(2)));
    assert!(
        metrics["total"]["qps"].as_f64().unwrap() > 0.0 && metrics["series"].as_array().unwrap().len() >= 60
    );

    // A refused credential ejects the channel at once.
    let wrong = json!({"credentials": {"api_key": "sk-refused-main"}});
    stage.admin.done("PATCH", &format!("/channels/{main}"), Some(&wrong)).await;
    assert_eq!(stage.call("gpt-4o-mini").await.1, stage.spare);
    let health = stage.admin.done("GET", &format!("/channels/{main}/health"), None).await;
    let breaker = &health["breaker"];
    assert_eq!(
        (&breaker["state"], &breaker["reason"]),
        (&json!("open"), &json!("credential_refused")),
        "{health}"
    );
    assert!(breaker["since"].is_string() && breaker["until"].is_string(), "{breaker}");
    assert_eq!(
        (&health["state"], &health["last_error"]["class"]),
        (&json!("enabled"), &json!("credential_refused"))
    );
    let overview = stage.admin.done("GET", "/channels/status/overview", None).await;
    let told = overview["items"].as_array().unwrap().iter().find(|one| one["id"] == *main).unwrap();
    assert_eq!((&told["breaker"]["state"], &told["cooling_until"]), (&json!("open"), &json!(null)));
    let explained = stage.explain(json!({"model": "gpt-4o-mini"})).await;
    assert_eq!(
        (&explained["chosen"]["name"], excluded(&explained, &main)),
        (&json!("spare"), json!("ejected"))
    );

    for (query, field) in [
        ("health?kind=x", "kind"),
        ("health?page_size=0", "page_size"),
        ("health?since=yesterday", "since"),
        ("health?tenant=x", "tenant"),
        ("metrics?window=2h", "window"),
        ("metrics?window=30d&interval=1m", "interval"),
    ] {
        let said = stage.admin.call("GET", &format!("/channels/{main}/{query}"), None).await;
        assert_eq!(said.status, 422, "{query}");
        assert!(said.body["error"]["fields"][field].is_string(), "{query}: {}", said.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_are_read_in_three_forms_and_by_the_command() {
    let stage = Stage::open().await;
    let name = json!({"name": "<script>alert(1)</script>", "priority": 0});
    stage.admin.done("PATCH", &format!("/channels/{}", stage.spare), Some(&name)).await;
    let simulate = ["simulate", "--tenant", "acme"];
    let empty = stage.start.run(&simulate).await;
    let told = String::from_utf8_lossy(&empty.stderr).into_owned();
    assert!(!empty.status.success() && told.contains("No conversation was recorded"), "{told}");

    let mut last = String::new();
    for _ in 0..12 {
        last = stage.call("gpt-4o-mini").await.0;
    }
    read_call(&stage.admin, &last).await;
    for path in ["/reports/health", "/reports/balancing?period=week"] {
        let data = stage.admin.done("GET", path, None).await;
        assert!(
            data["tenant"] == "acme" && data["channels"].is_array() | data["models"].is_array(),
            "{data}"
        );
        for (accept, media) in [
            ("application/json", "application/json"),
            ("text/markdown", "text/markdown; charset=utf-8"),
            ("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
        ] {
            let reply = stage.report(path, accept).await;
            assert_eq!((reply.status, reply.header("content-type")), (200, Some(media)), "{path}");
            if media.starts_with("text/") {
                assert!(!reply.text().contains("<script"), "{}", reply.text());
                assert!(
                    reply.text().contains("&lt;script&gt;")
                        && reply.header("content-security-policy").is_some()
                );
                assert!(
                    reply.header("x-request-id").is_some()
                        && reply.header("cache-control") == Some("no-store")
                );
            }
        }
        let refused = stage.report(path, "image/png").await;
        assert_eq!(refused.status, 406, "{}", refused.text());
        assert!(refused.text().contains("NOT_ACCEPTABLE"));
        assert_eq!(
            stage.report(&format!("{}?period=year", path.split('?').next().unwrap()), "*/*").await.status,
            422
        );
    }
    let data = stage.admin.done("GET", "/reports/balancing?period=week", None).await;
    let model = &data["models"][0];
    assert_eq!((&model["model"], &model["calls"]), (&json!("gpt-4o-mini"), &json!(12)), "{data}");
    assert_eq!(
        (model["algorithms"].as_array().unwrap().len(), model["channels"].as_array().unwrap().len()),
        (5, 2)
    );
    assert!(model["best"].is_string() && model["actual"]["attempts"].as_u64().unwrap() >= 12, "{model}");

    let page = stage._data.path().join("balancing.html");
    let all = [&simulate[..], &["--html", page.to_str().unwrap()]].concat();
    let ran = tokio::time::timeout(CEILING + Duration::from_secs(40), stage.start.run(&all)).await.unwrap();
    let told = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success() && told.contains("best_performance") && told.contains("oracle"), "{told}");
    assert!(std::fs::read_to_string(page).unwrap().contains("least_connections"));
}

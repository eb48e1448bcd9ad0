//! Every noun from its making to its end, in the words of the contract.

use actix_web::http::Method;
use lyss_domain::Role;
use lyss_testkit::transport::Answer as Played;
use serde_json::{Value, json};

use super::office::{Answer, Office};

async fn patch(office: &Office, path: &str, expected: Option<&str>, body: Value) -> Answer {
    let request = office.by(Role::TenantAdmin, Method::PATCH, path, Some(body));
    let request = match expected {
        Some(tag) => request.insert_header(("if-match", tag)),
        None => request,
    };
    office.send(request).await
}

#[actix_web::test]
async fn a_channel_lives() {
    let office = Office::open().await;
    let body = json!({
        "name": "OpenAI主渠道", "provider_id": "openai", "tenant_id": "acme",
        "credentials": { "api_key": "sk-canary-0123456789-WXYZ" }, "supported_models": ["gpt-3.5-turbo"],
        "model_mapping": { "fast": "gpt-4o-mini" }, "weight": 10, "limits": { "rpm": 600 },
        "timeouts_ms": { "connect": 2_000 }, "tags": ["eu"], "group": "main",
    });
    let made = office.ask(Method::POST, "/api/v1/channels", Some(body)).await;
    let data = made.data(201);
    let path = format!("/api/v1/channels/{}", data["id"].as_str().unwrap());
    assert_eq!(made.header("location"), Some(path.as_str()));
    assert_eq!(made.header("etag"), Some("\"1\""));
    assert!(data.get("credentials").is_none() && data.get("encrypted_credentials").is_none());
    assert!(data["credential_hint"].as_str().unwrap().ends_with("WXYZ"));
    assert!(!data.to_string().contains("canary"));
    assert_eq!(data["created_at"], "2026-11-23T06:18:00Z");
    assert_eq!(
        (&data["enabled"], &data["state"], &data["limits"]["tpm"]),
        (&json!(true), &json!("enabled"), &json!(null))
    );

    // A merge patch: absent stays, null goes.
    let changed =
        patch(&office, &path, Some("\"1\""), json!({ "group": null, "limits": { "tpm": 9 } })).await;
    let data = changed.data(200);
    assert_eq!(changed.header("etag"), Some("\"2\""));
    assert_eq!((&data["group"], &data["tags"]), (&json!(null), &json!(["eu"])));
    assert_eq!((&data["limits"]["rpm"], &data["limits"]["tpm"]), (&json!(600), &json!(9)));
    assert_eq!((&data["probe"], &data["limits"]["adaptive_concurrency"]), (&json!("free"), &json!(false)));
    patch(&office, &path, Some("\"1\""), json!({ "weight": 1 })).await.error(412, "STALE");
    patch(&office, &path, Some("1"), json!({ "weight": 1 })).await.error(400, "MALFORMED_HEADER");
    patch(&office, &path, Some("*"), json!({ "weight": null })).await.data(200);
    let looked_after = json!({ "probe": "paid", "limits": { "adaptive_concurrency": true } });
    let data = patch(&office, &path, None, looked_after).await.data(200);
    assert_eq!((&data["probe"], &data["limits"]["adaptive_concurrency"]), (&json!("paid"), &json!(true)));
    assert_eq!(data["limits"]["tpm"], 9);
    let reset = json!({ "probe": null, "limits": { "adaptive_concurrency": null } });
    let data = patch(&office, &path, None, reset).await.data(200);
    assert_eq!((&data["probe"], &data["limits"]["adaptive_concurrency"]), (&json!("free"), &json!(false)));
    assert_eq!(patch(&office, &path, None, json!({ "probe": "often" })).await.refused(), ["probe"]);
    assert_eq!(patch(&office, &path, None, json!({ "name": null })).await.refused(), ["name"]);

    for (action, state) in [("drain", "draining"), ("disable", "disabled"), ("enable", "enabled")] {
        let answer =
            office.send(office.by(Role::Operator, Method::POST, &format!("{path}/{action}"), None)).await;
        assert_eq!(answer.data(200)["state"], state);
    }
    office.send(office.by(Role::Operator, Method::DELETE, &path, None)).await.error(403, "FORBIDDEN");
    assert_eq!(office.ask(Method::DELETE, &path, None).await.data(200), json!(null));
    office.ask(Method::GET, &path, None).await.error(404, "CHANNEL_NOT_FOUND");
    office.close().await;
}

#[actix_web::test]
async fn a_foreign_id_answers_exactly_as_one_that_never_was() {
    let office = Office::open().await;
    let made = office.ask(Method::POST, "/api/v1/keys", Some(json!({ "name": "theirs" }))).await.data(201);
    let theirs = format!("/api/v1/keys/{}", made["id"].as_str().unwrap());
    let token = office.token(Role::TenantAdmin, Some("globex"));
    let mut told = Vec::new();
    for path in
        [theirs.as_str(), "/api/v1/keys/00000000-0000-7000-8000-000000000000", "/api/v1/keys/nonsense"]
    {
        for method in [Method::GET, Method::DELETE] {
            let request = office.by(Role::TenantAdmin, method, path, None);
            let request = request.insert_header(("authorization", token.clone()));
            told.push(office.send(request).await.error(404, "KEY_NOT_FOUND"));
        }
    }
    told.dedup();
    assert_eq!(told.len(), 1);
    office.close().await;
}

#[actix_web::test]
async fn a_providers_words_are_the_seeds() {
    let office = Office::open().await;
    let body = json!({
        "provider_id": "openai", "name": "OpenAI", "api_base": "https://api.openai.com/v1",
        "supported_models": ["gpt-3.5-turbo", "gpt-4"],
    });
    let made = office.ask(Method::POST, "/api/v1/providers", Some(body)).await;
    let data = made.data(201);
    assert_eq!(
        (&data["id"], &data["kind"], &data["built_in"]),
        (&json!("openai"), &json!("openai"), &json!(false))
    );
    assert_eq!(made.header("location"), Some("/api/v1/providers/openai"));
    let all = office.ask(Method::GET, "/api/v1/providers", None).await.data(200);
    // This tenant's own stands in the place of the preset.
    assert_eq!(all["total"], lyss_adapters::presets().len(), "{all}");
    office.ask(Method::DELETE, "/api/v1/providers/anthropic", None).await.error(409, "READ_ONLY");
    let statistics = office
        .ask(Method::POST, "/api/v1/providers", Some(json!({ "provider_id": "statistics", "name": "S" })))
        .await;
    assert!(statistics.refused().contains(&"provider_id".to_owned()));

    let own = json!({ "provider_id": "mine", "name": "Mine", "api_base": "https://models.example/v1", "auth": { "header": "X-Key" } });
    let data = office.ask(Method::POST, "/api/v1/providers", Some(own)).await.data(201);
    assert_eq!((&data["kind"], &data["auth"]), (&json!("openai_compatible"), &json!({ "header": "x-key" })));
    let channel = json!({ "name": "c", "provider_id": "mine", "credentials": { "api_key": "k" } });
    office.ask(Method::POST, "/api/v1/channels", Some(channel)).await.data(201);
    office.ask(Method::DELETE, "/api/v1/providers/mine", None).await.error(409, "IN_USE");
    let changed = patch(
        &office,
        "/api/v1/providers/mine",
        None,
        json!({ "headers": { "x-team": "a" }, "auth": "bearer" }),
    )
    .await;
    assert_eq!(changed.data(200)["headers"], json!({ "x-team": "a" }));
    office.close().await;
}

#[actix_web::test]
async fn a_connection_is_tested_in_words_from_a_closed_list() {
    let office = Office::open().await;
    office.vendors.push(Played::json(200, r#"{"data":[{"id":"gpt-4o"}]}"#));
    let body = || Some(json!({ "credentials": { "api_key": "sk-..." } }));
    let path = "/api/v1/providers/openai/test";
    let data = office.ask(Method::POST, path, body()).await.data(200);
    assert_eq!((&data["ok"], &data["models"]), (&json!(true), &json!(["gpt-4o"])));
    office.vendors.push(Played::json(401, r#"{"error":{"message":"no such key sk-canary"}}"#));
    let answer = office.ask(Method::POST, path, body()).await;
    assert_eq!(
        (&answer.data(200)["ok"], &answer.data(200)["error"]["class"]),
        (&json!(false), &json!("auth"))
    );
    assert!(!String::from_utf8_lossy(&answer.bytes).contains("canary"));
    office.send(office.by(Role::Operator, Method::POST, path, body())).await.error(403, "FORBIDDEN");
    for _ in 0..3 {
        office.vendors.push(Played::json(200, r#"{"data":[]}"#));
        office.ask(Method::POST, path, body()).await.data(200);
    }
    let limited = office.ask(Method::POST, path, body()).await;
    limited.error(429, "RATE_LIMITED");
    assert!(limited.header("retry-after").is_some());
    office.close().await;
}

#[actix_web::test]
async fn a_keys_text_is_in_the_answers_of_create_and_rotate_alone() {
    let office = Office::open().await;
    let made = office.ask(Method::POST, "/api/v1/keys", Some(json!({ "name": "billing" }))).await.data(201);
    let text = made["key"].as_str().unwrap().to_owned();
    assert!(text.starts_with("sk-lyss-"));
    assert_eq!(made["scopes"], json!(["proxy"]));
    let path = format!("/api/v1/keys/{}", made["id"].as_str().unwrap());
    let read = office.ask(Method::GET, &path, None).await;
    assert!(read.data(200).get("key").is_none());
    let rotated =
        office.ask(Method::POST, &format!("{path}/rotate"), Some(json!({ "overlap_seconds": 60 }))).await;
    let data = rotated.data(200);
    assert_ne!(data["key"].as_str().unwrap(), text);
    assert_eq!(data["previous_valid_until"], "2026-11-23T06:19:00Z");
    office.ask(Method::POST, &format!("{path}/rotate"), None).await.data(200);
    let refused = office
        .ask(Method::POST, &format!("{path}/rotate"), Some(json!({ "overlap_seconds": 999_999_999 })))
        .await;
    assert_eq!(refused.refused(), ["overlap_seconds"]);
    let changed = patch(
        &office,
        &path,
        None,
        json!({ "models": ["gpt-*"], "limits": { "rpm": 5 }, "expires_at": "2026-12-01T00:00:00+01:00" }),
    )
    .await;
    assert_eq!(changed.data(200)["expires_at"], "2026-11-30T23:00:00Z");
    let changed = patch(&office, &path, None, json!({ "expires_at": null })).await.data(200);
    assert_eq!((&changed["expires_at"], &changed["limits"]["rpm"]), (&json!(null), &json!(5)));
    let revoked = office.ask(Method::POST, &format!("{path}/revoke"), None).await.data(200);
    assert!(revoked["revoked_at"].is_string());
    office.ask(Method::POST, &format!("{path}/rotate"), None).await.error(409, "CONFLICT");
    office.ask(Method::DELETE, &path, None).await.data(200);
    office.close().await;
}

#[actix_web::test]
async fn quotas_prices_and_tenants_live() {
    let office = Office::open().await;
    let body = json!({ "scope": "model", "scope_id": "gpt-4*", "window": "month", "limit_cost_micros": 5_000_000, "mode": "shadow" });
    let made = office.ask(Method::POST, "/api/v1/quotas", Some(body.clone())).await.data(201);
    assert_eq!((&made["limit_cost_micros"], &made["limit_tokens"]), (&json!(5_000_000), &json!(null)));
    office.ask(Method::POST, "/api/v1/quotas", Some(body)).await.error(409, "CONFLICT");
    let path = format!("/api/v1/quotas/{}", made["id"].as_str().unwrap());
    let changed = patch(
        &office,
        &path,
        None,
        json!({ "limit_tokens": 7, "limit_cost_micros": null, "mode": "enforce" }),
    )
    .await;
    assert_eq!(
        (&changed.data(200)["limit_tokens"], &changed.data(200)["limit_cost_micros"]),
        (&json!(7), &json!(null))
    );
    let found =
        office.ask(Method::GET, "/api/v1/quotas?scope=model&scope_id=gpt-4*&mode=enforce", None).await;
    assert_eq!(found.data(200)["total"], 1);
    office.ask(Method::DELETE, &path, None).await.data(200);

    let price = json!({ "model": "my-model", "input_micros": 150_000, "output_micros": 600_000, "effective_from": "2026-01-01T00:00:00Z" });
    let made = office.ask(Method::POST, "/api/v1/prices", Some(price)).await;
    assert_eq!(
        (made.data(201)["effective_from"].as_str(), made.header("location")),
        (Some("2026-01-01T00:00:00Z"), None)
    );
    let found = office.ask(Method::GET, "/api/v1/prices?model=my-model", None).await.data(200);
    assert_eq!((&found["total"], &found["items"][0]["built_in"]), (&json!(1), &json!(false)));

    let admin = |method, path: &str, body| office.by(Role::PlatformAdmin, method, path, body);
    let tenant = json!({ "slug": "initech", "name": "Initech", "settings": { "time_zone": "Asia/Shanghai", "routing": { "default": "adaptive", "models": { "gpt-*": { "strategy": "round_robin" } } } } });
    let made = office.send(admin(Method::POST, "/api/v1/tenants", Some(tenant))).await.data(201);
    assert_eq!(made["settings"]["routing"]["models"]["gpt-*"]["strategy"], "round_robin");
    let path = format!("/api/v1/tenants/{}", made["id"].as_str().unwrap());
    assert_eq!(made["settings"]["share"], 1);
    // A patch goes on into a pattern's own fields.
    let change = json!({ "settings": { "share": 5, "routing": { "affinity": "prefix", "models": { "gpt-*": { "hedge": true, "objective": "cost" } } } } });
    let changed = office.send(admin(Method::PATCH, &path, Some(change))).await.data(200);
    let rule = json!({ "strategy": "round_robin", "hedge": true, "objective": "cost" });
    assert_eq!(
        (&changed["settings"]["share"], &changed["settings"]["routing"]["models"]["gpt-*"]),
        (&json!(5), &rule)
    );
    for (bad, field) in [
        (json!({ "share": 0 }), "settings.share"),
        (json!({ "routing": { "models": { "o3": {} } } }), "settings.routing.models"),
        (json!({ "routing": { "objective": "speed" } }), "settings.routing.objective"),
        (
            json!({ "routing": { "models": { "o3": { "affinity": "all" } } } }),
            "settings.routing.models.o3.affinity",
        ),
    ] {
        let refused = office.send(admin(Method::PATCH, &path, Some(json!({ "settings": bad })))).await;
        assert!(refused.error(422, "VALIDATION_FAILED")["fields"][field].is_string(), "{field}");
    }
    let change = json!({ "settings": { "retention_days": 30, "share": null, "routing": { "models": { "gpt-*": null } } } });
    let changed = office.send(admin(Method::PATCH, &path, Some(change))).await.data(200);
    let routing = json!({ "default": "adaptive", "hedge": null, "objective": null, "affinity": "prefix", "models": {} });
    let settings =
        json!({ "time_zone": "Asia/Shanghai", "retention_days": 30, "share": 1, "routing": routing });
    assert_eq!(changed["settings"], settings);
    let reset = office.send(admin(Method::PATCH, &path, Some(json!({ "settings": null })))).await.data(200);
    assert_eq!(reset["settings"]["time_zone"], "UTC");
    office.send(admin(Method::DELETE, &path, None)).await.data(200);
    office.send(admin(Method::GET, &path, None)).await.error(404, "TENANT_NOT_FOUND");
    office.close().await;
}

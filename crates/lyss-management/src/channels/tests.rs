use std::collections::BTreeMap;
use std::time::Duration;

use lyss_domain::{AuthScheme, ChannelLimits, ChannelTimeouts, Secret};
use lyss_testkit::samples::channel_id;

use super::*;
use crate::office::{CANARY, Office, channel, conflict, is_missing, is_stale, key, refused};
use crate::{ProviderDraft, system};

const ORIGIN: &str = "https://api.openai.com:443";

/// The stored key in plain, as far as the binding lets it open.
#[expect(clippy::disallowed_methods, reason = "a test compares what came out with what went in")]
async fn stored_key(office: &Office, id: ChannelId) -> Option<String> {
    let mut work = office.management.store.read().await.unwrap();
    let kept = stored(&mut *work, &office.scope, id, None).await.unwrap();
    let sealed = kept.credential?;
    let opened = office.management.open_stored(&mut *work, &office.scope, &kept.channel, &sealed).await;
    Some(String::from_utf8(opened.unwrap().expose().to_vec()).unwrap())
}

fn to(base: &str) -> ChannelChange {
    ChannelChange { api_base: Some(Some(base.to_owned())), ..ChannelChange::default() }
}

fn renamed(name: &str) -> ChannelChange {
    ChannelChange { name: Some(name.to_owned()), ..ChannelChange::default() }
}

async fn keyless_provider(office: &Office) {
    let draft = ProviderDraft {
        slug: "local".to_owned(),
        name: "Local".to_owned(),
        kind: None,
        api_base: Some("http://10.0.0.1:8080/v1".to_owned()),
        supported_models: Vec::new(),
        headers: Vec::new(),
        auth: Some(AuthScheme::None),
    };
    office.management.create_provider(&office.acting(), draft).await.unwrap();
}

#[tokio::test]
async fn a_channel_is_made_served_shown_with_a_hint_and_audited_masked() {
    let office = Office::open().await;
    let made = office.management.create_channel(&office.acting(), channel("one")).await.unwrap();
    assert_eq!(made.credential_hint.as_deref(), Some("…WXYZ"));
    assert_eq!((made.channel.weight, made.channel.version), (1, 1));
    let id = made.channel.id;
    // Served already: the picture in force has it.
    let catalog = office.management.catalog.load();
    assert!(catalog.tenant(office.scope.tenant()).unwrap().channels.iter().any(|c| c.channel.id == id));
    assert_eq!(office.management.channel(&office.scope, id).await.unwrap(), made);
    assert_eq!(stored_key(&office, id).await.as_deref(), Some(CANARY));
    let (entry, detail) = office.last_entry().await;
    assert_eq!((entry.action.as_str(), entry.target), ("channel.create", format!("channel:{id}")));
    assert_eq!(detail["after"]["credential"], serde_json::json!({ "hint": "…WXYZ", "version": 1 }));
    assert!(!format!("{made:?}").contains("canary"));
    let again = office.management.create_channel(&office.acting(), channel("one")).await;
    assert_eq!(conflict(again), Some("name"));
    office.close().await;
}

#[tokio::test]
async fn every_bad_field_is_told() {
    let office = Office::open().await;
    let long = "m".repeat(257);
    let bad = ChannelDraft {
        name: String::new(),
        credentials: key("a\nb"),
        supported_models: vec!["*a".to_owned()],
        model_mapping: BTreeMap::from([(long.clone(), "m".to_owned())]),
        weight: 1_000_001,
        limits: ChannelLimits {
            requests_per_minute: Some(0),
            tokens_per_minute: Some(0),
            concurrency: Some(0),
            adaptive_concurrency: true,
        },
        timeouts: ChannelTimeouts {
            connect: Some(Duration::ZERO),
            total: Some(Duration::from_secs(24 * 3600 + 1)),
            ..ChannelTimeouts::default()
        },
        max_retries: Some(11),
        tags: vec!["t".repeat(65)],
        group: Some(String::new()),
        api_version: Some("a b".to_owned()),
        deployment_map: BTreeMap::from([("m".to_owned(), long)]),
        ..channel("x")
    };
    assert_eq!(
        refused(office.management.create_channel(&office.acting(), bad).await),
        [
            "credentials.api_key",
            "credentials.api_version",
            "credentials.deployment_map",
            "group",
            "limits.concurrency",
            "limits.rpm",
            "limits.tpm",
            "max_retries",
            "model_mapping",
            "name",
            "supported_models",
            "tags",
            "timeouts_ms.connect",
            "timeouts_ms.total",
            "weight",
        ]
    );
    let cases = [
        (ChannelDraft { credentials: None, ..channel("x") }, "credentials"),
        (ChannelDraft { credentials: key(""), ..channel("x") }, "credentials.api_key"),
        (ChannelDraft { provider: "nobody".to_owned(), ..channel("x") }, "provider_id"),
        (ChannelDraft { provider: "No Slug".to_owned(), ..channel("x") }, "provider_id"),
        (ChannelDraft { provider: "azure_openai".to_owned(), ..channel("x") }, "api_base"),
        (ChannelDraft { api_base: Some("ftp://x".to_owned()), ..channel("x") }, "api_base"),
    ];
    for (draft, field) in cases {
        assert_eq!(refused(office.management.create_channel(&office.acting(), draft).await), [field]);
    }
    assert_eq!(office.audit().await.len(), 1, "nothing happened");
    office.close().await;
}

#[tokio::test]
async fn a_change_is_a_merge_at_a_version() {
    let office = Office::open().await;
    let (acting, management) = (office.acting(), &office.management);
    let mut draft = channel("one");
    draft.model_mapping =
        BTreeMap::from([("a".to_owned(), "b".to_owned()), ("c".to_owned(), "d".to_owned())]);
    draft.limits.requests_per_minute = Some(5);
    draft.group = Some("eu".to_owned());
    let id = management.create_channel(&acting, draft).await.unwrap().channel.id;
    let patch = || ChannelChange {
        model_mapping: Some(Some(BTreeMap::from([("a".to_owned(), None)]))),
        limits: Some(Some(ChannelLimitsChange {
            concurrency: Some(Some(3)),
            ..ChannelLimitsChange::default()
        })),
        timeouts: Some(Some(ChannelTimeoutsChange {
            idle: Some(Some(Duration::from_secs(9))),
            ..ChannelTimeoutsChange::default()
        })),
        weight: Some(None),
        group: Some(None),
        state: Some(ChannelState::Disabled),
        ..ChannelChange::default()
    };
    let changed = management.change_channel(&acting, id, Some(1), patch()).await.unwrap().channel;
    assert_eq!(changed.model_mapping, BTreeMap::from([("c".to_owned(), "d".to_owned())]));
    assert_eq!((changed.limits.requests_per_minute, changed.limits.concurrency), (Some(5), Some(3)));
    assert_eq!((changed.group, changed.version), (None, 2));
    assert_eq!(stored_key(&office, id).await.as_deref(), Some(CANARY));
    let (entry, detail) = office.last_entry().await;
    assert_eq!(entry.action, "channel.update");
    assert_eq!(
        (&detail["before"]["group"], &detail["after"]["timeouts_ms"]["idle"]),
        (&"eu".into(), &9_000.into())
    );
    assert!(is_stale(&management.change_channel(&acting, id, Some(1), patch()).await));
    // The same again changes nothing.
    assert_eq!(management.change_channel(&acting, id, Some(2), patch()).await.unwrap().channel.version, 2);
    management.create_channel(&acting, channel("two")).await.unwrap();
    assert_eq!(conflict(management.change_channel(&acting, id, None, renamed("two")).await), Some("name"));
    let heavy = ChannelChange { weight: Some(Some(1_000_001)), ..ChannelChange::default() };
    assert_eq!(refused(management.change_channel(&acting, id, None, heavy).await), ["weight"]);
    office.close().await;
}

#[tokio::test]
async fn a_moved_channel_needs_its_key_again() {
    let office = Office::open().await;
    let (acting, management) = (office.acting(), &office.management);
    let id = management.create_channel(&acting, channel("one")).await.unwrap().channel.id;
    for base in ["https://evil.example/v1", "https://api.openai.com:8443/v1", "http://api.openai.com/v1"] {
        let moved = management.change_channel(&acting, id, None, to(base)).await;
        assert_eq!(refused(moved), ["credentials"], "{base}");
    }
    let other_vendor = ChannelChange { provider: Some("deepseek".to_owned()), ..ChannelChange::default() };
    assert_eq!(refused(management.change_channel(&acting, id, None, other_vendor).await), ["credentials"]);
    assert_eq!(stored_key(&office, id).await.as_deref(), Some(CANARY));
    // The same origin under another path or name keeps it, sealed anew where a bound name changed.
    management.change_channel(&acting, id, None, to("https://api.openai.com/v2")).await.unwrap();
    let same_origin =
        ChannelChange { provider: Some("openai_compatible".to_owned()), ..to("https://api.openai.com/v1") };
    management.change_channel(&acting, id, None, same_origin).await.unwrap();
    assert_eq!(stored_key(&office, id).await.as_deref(), Some(CANARY));
    let with_key =
        ChannelChange { credentials: key("sk-other-canary-ABCD"), ..to("https://evil.example/v1") };
    let moved = management.change_channel(&acting, id, None, with_key).await.unwrap();
    assert_eq!(moved.credential_hint.as_deref(), Some("…ABCD"));
    assert_eq!(office.last_entry().await.1["after"]["credential"]["version"], 3);
    assert_eq!(stored_key(&office, id).await.as_deref(), Some("sk-other-canary-ABCD"));
    office.close().await;
}

#[tokio::test]
async fn a_provider_without_keys_needs_none_and_keeps_none() {
    let office = Office::open().await;
    keyless_provider(&office).await;
    let (acting, management) = (office.acting(), &office.management);
    let free = management.create_channel(&acting, ChannelDraft::new("free", "local")).await.unwrap();
    assert_eq!(free.credential_hint, None);
    let to_vendor = ChannelChange { provider: Some("openai".to_owned()), ..ChannelChange::default() };
    let moved = management.change_channel(&acting, free.channel.id, None, to_vendor).await;
    assert_eq!(refused(moved), ["credentials"]);
    let id = management.create_channel(&acting, channel("one")).await.unwrap().channel.id;
    let to_local = ChannelChange { provider: Some("local".to_owned()), ..ChannelChange::default() };
    let moved = management.change_channel(&acting, id, None, to_local).await.unwrap();
    assert_eq!((moved.credential_hint, stored_key(&office, id).await), (None, None));
    office.close().await;
}

#[tokio::test]
async fn a_sealed_key_opens_for_its_tenant_and_its_address_alone() {
    let office = Office::open().await;
    let management = &office.management;
    let secret = || Secret::from(CANARY.to_owned());
    let sealed = |tenant: &str, origin: &str| {
        let text = management.vault.seal_for_import(tenant, origin, &secret()).unwrap();
        Some(CredentialsDraft::Sealed(text))
    };
    let id = office.scope.tenant().to_string();
    for (name, tenant) in [("by-slug", "acme"), ("by-id", id.as_str())] {
        let draft = ChannelDraft { credentials: sealed(tenant, ORIGIN), ..channel(name) };
        let made = management.create_channel(&office.acting(), draft).await.unwrap();
        assert_eq!(made.credential_hint.as_deref(), Some("…WXYZ"));
        assert_eq!(stored_key(&office, made.channel.id).await.as_deref(), Some(CANARY));
    }
    let ours = Some(CredentialsDraft::Sealed("not ours".to_owned()));
    let cases = [
        (ours, "import pgcrypto"),
        (sealed("globex", ORIGIN), "another tenant"),
        (sealed("acme", "https://evil.example:443"), "another tenant or another address"),
    ];
    for (credentials, words) in cases {
        let draft = ChannelDraft { credentials, ..channel("x") };
        let Err(ManagementError::Invalid(fields)) = management.create_channel(&office.acting(), draft).await
        else {
            panic!("{words}");
        };
        let reason = fields.reason("encrypted_credentials").unwrap();
        assert!(reason.contains(words) && !reason.contains("canary"), "{reason}");
    }
    office.close().await;
}

#[tokio::test]
async fn states_are_set_apart_from_everything_else() {
    let office = Office::open().await;
    let (acting, management) = (office.acting(), &office.management);
    let id = management.create_channel(&acting, channel("one")).await.unwrap().channel.id;
    let steps = [
        (ChannelState::Draining, "channel.drain"),
        (ChannelState::Disabled, "channel.disable"),
        (ChannelState::Enabled, "channel.enable"),
    ];
    for (state, action) in steps {
        let set = management.set_channel_state(&acting, id, state).await.unwrap();
        assert_eq!((set.channel.state, set.credential_hint.as_deref()), (state, Some("…WXYZ")));
        let (entry, detail) = office.last_entry().await;
        assert_eq!((entry.action.as_str(), &detail["after"]["state"]), (action, &state.as_str().into()));
        let entries = office.audit().await.len();
        assert_eq!(management.set_channel_state(&acting, id, state).await.unwrap(), set);
        assert_eq!(office.audit().await.len(), entries);
    }
    office.close().await;
}

#[tokio::test]
async fn a_foreign_channel_is_as_missing_as_one_that_never_was() {
    let office = Office::open().await;
    let management = &office.management;
    let theirs = management.create_channel(&office.acting_abroad(), channel("one")).await.unwrap().channel.id;
    let acting = office.acting();
    let mut answers = Vec::new();
    for id in [theirs, channel_id(9)] {
        let read = management.channel(&office.scope, id).await;
        let changed = management.change_channel(&acting, id, Some(1), renamed("x")).await;
        let set = management.set_channel_state(&acting, id, ChannelState::Disabled).await;
        let deleted = management.delete_channel(&acting, id, Some(7)).await;
        assert!(is_missing(&read, Noun::Channel));
        answers.push(format!("{read:?} {changed:?} {set:?} {deleted:?}"));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(management.list_channels(&office.scope, &Listing::default()).await.unwrap().total, 0);
    office.close().await;
}

#[tokio::test]
async fn lists_show_hints_and_removal_takes_the_credential_along() {
    let office = Office::open().await;
    let (acting, management) = (office.acting(), &office.management);
    for name in ["b", "a"] {
        management.create_channel(&acting, channel(name)).await.unwrap();
    }
    let page = management.list_channels(&office.scope, &Listing::default()).await.unwrap();
    let names: Vec<_> = page.items.iter().map(|view| view.channel.name.as_str()).collect();
    assert_eq!((names, page.total), (vec!["a", "b"], 2));
    assert!(page.items.iter().all(|view| view.credential_hint.as_deref() == Some("…WXYZ")));
    let id = page.items[0].channel.id;
    assert!(is_stale(&management.delete_channel(&acting, id, Some(2)).await));
    management.delete_channel(&acting, id, Some(1)).await.unwrap();
    assert_eq!(office.last_entry().await.0.action, "channel.delete");
    assert!(is_missing(&management.delete_channel(&acting, id, None).await, Noun::Channel));
    office.close().await;
}

#[tokio::test]
async fn putting_twice_gives_one_channel_the_newest_shape() {
    let office = Office::open().await;
    let (acting, management) = (office.acting(), &office.management);
    let mut first = channel("one");
    first.priority = 7;
    let made = management.put_channel(&acting, first).await.unwrap().channel;
    management.set_channel_state(&acting, made.id, ChannelState::Disabled).await.unwrap();
    let again = management.put_channel(&acting, channel("one")).await.unwrap().channel;
    assert_eq!((again.id, again.priority, again.state), (made.id, 0, ChannelState::Enabled));
    office.close().await;
}

#[tokio::test]
async fn without_its_entry_nothing_is_changed() {
    let office = Office::open().await;
    let (acting, management) = (office.acting(), &office.management);
    let id = management.create_channel(&acting, channel("one")).await.unwrap().channel.id;
    office.break_audit().await;
    let changed = management.change_channel(&acting, id, None, renamed("two")).await;
    assert!(matches!(changed, Err(ManagementError::Store(_))));
    assert!(management.create_channel(&acting, channel("three")).await.is_err());
    assert!(management.delete_channel(&acting, id, None).await.is_err());
    let names: Vec<_> = management.all_channels(&office.scope).await.unwrap();
    assert_eq!(names.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["one"]);
    assert!(system::scope_of(office.scope.tenant()) == office.scope);
    office.close().await;
}

use std::collections::BTreeMap;

use lyss_adapters::presets;
use lyss_repositories::{Page, Sort};

use super::*;
use crate::ChannelChange;
use crate::office::{CANARY, Office, channel, conflict, is_missing, is_stale, key, refused};

fn draft(slug: &str) -> ProviderDraft {
    ProviderDraft {
        slug: slug.to_owned(),
        name: "Mine".to_owned(),
        kind: None,
        api_base: Some("https://models.example/v1".to_owned()),
        supported_models: Vec::new(),
        headers: Vec::new(),
        auth: None,
    }
}

async fn slugs(office: &Office, listing: Listing<ProviderFilter, ProviderSort>) -> Vec<String> {
    let page = office.management.list_providers(&office.scope, &listing).await.unwrap();
    page.items.iter().map(|row| row.slug.to_string()).collect()
}

#[tokio::test]
async fn the_briefs_body_overrides_a_preset() {
    let office = Office::open().await;
    let body = ProviderDraft {
        name: "OpenAI".to_owned(),
        api_base: Some("https://api.openai.com/v1".to_owned()),
        supported_models: vec!["gpt-3.5-turbo".to_owned(), "gpt-4".to_owned()],
        ..draft("openai")
    };
    let made = office.management.create_provider(&office.acting(), body.clone()).await.unwrap();
    assert_eq!((made.kind, made.auth.clone()), (ProviderKind::OpenAi, AuthScheme::Bearer));
    assert_eq!(office.management.provider(&office.scope, "openai").await.unwrap(), made);
    // The other tenant still sees the preset.
    let preset = office.management.provider(&office.foreign, "openai").await.unwrap();
    assert!(preset.own.is_none() && preset.supported_models.contains(&"gpt-*".to_owned()));
    let again = office.management.create_provider(&office.acting(), body).await;
    assert_eq!(conflict(again), Some("provider_id"));
    let (entry, detail) = office.last_entry().await;
    assert_eq!((entry.action.as_str(), entry.target.as_str()), ("provider.create", "provider:openai"));
    assert_eq!(detail["after"]["kind"], "openai");
    office.close().await;
}

#[tokio::test]
async fn presets_and_own_ones_are_one_list() {
    let office = Office::open().await;
    let acting = office.acting();
    for slug in ["zeta", "openai"] {
        office.management.create_provider(&acting, draft(slug)).await.unwrap();
    }
    office.management.create_provider(&office.acting_abroad(), draft("theirs")).await.unwrap();
    // The overridden one stands once.
    let mut all: Vec<_> = presets().iter().map(|preset| preset.slug).chain(["zeta"]).collect();
    all.sort_unstable();
    assert_eq!(slugs(&office, Listing::default()).await, all);
    let listing = Listing::of(Page { number: 2, size: 3 });
    assert_eq!(slugs(&office, listing.clone()).await, &all[3..6]);
    let total = office.management.list_providers(&office.scope, &listing).await.unwrap().total;
    assert_eq!(total, all.len() as u64);
    let kind = ProviderKind::OpenAiCompatible;
    let compatible = ProviderFilter { kind: Some(kind), search: Some("ze".to_owned()) };
    let listing = Listing { filter: compatible, ..Listing::default() };
    assert_eq!(slugs(&office, listing).await, ["zeta"]);
    let listing = Listing { filter: ProviderFilter { kind: Some(kind), search: None }, ..Listing::default() };
    let of_kind = slugs(&office, listing).await;
    assert!(of_kind.contains(&"mistral".to_owned()) && !of_kind.contains(&"openai".to_owned()));
    let searched = ProviderFilter { kind: None, search: Some("MINE".to_owned()) };
    let sort = Sort { by: ProviderSort::Slug, descending: true };
    let listing = Listing { filter: searched, sort, page: Page::FIRST };
    assert_eq!(slugs(&office, listing).await, ["zeta", "openai"]);
    let sort = Sort { by: ProviderSort::CreatedAt, descending: true };
    let listing = Listing { sort, page: Page { number: 1, size: 2 }, ..Listing::default() };
    assert_eq!(slugs(&office, listing).await, ["zeta", "openai"]);
    office.close().await;
}

#[tokio::test]
async fn every_bad_field_is_told() {
    let office = Office::open().await;
    let bad = ProviderDraft {
        name: " ".to_owned(),
        api_base: Some("https://user:pass@models.example/v1".to_owned()),
        supported_models: vec![String::new()],
        headers: vec![
            ("Authorization".to_owned(), CANARY.to_owned()),
            ("X-Api-Key".to_owned(), CANARY.to_owned()),
            ("Host".to_owned(), "elsewhere".to_owned()),
            ("Transfer-Encoding".to_owned(), "chunked".to_owned()),
            ("bad name".to_owned(), "x".to_owned()),
            ("x-fine".to_owned(), "a\r\nb".to_owned()),
            ("x-key".to_owned(), "x".to_owned()),
        ],
        auth: Some(AuthScheme::Header("X-Key".to_owned())),
        ..draft("statistics")
    };
    let error = office.management.create_provider(&office.acting(), bad).await;
    assert!(!format!("{error:?}").contains("canary"));
    assert_eq!(
        refused(error),
        [
            "api_base",
            "headers.authorization",
            "headers.bad name",
            "headers.host",
            "headers.transfer-encoding",
            "headers.x-api-key",
            "headers.x-fine",
            "headers.x-key",
            "name",
            "provider_id",
            "supported_models",
        ]
    );
    let nowhere = ProviderDraft { api_base: None, ..draft("mine") };
    assert_eq!(refused(office.management.create_provider(&office.acting(), nowhere).await), ["api_base"]);
    let auth = Some(AuthScheme::Header("host".to_owned()));
    let odd = ProviderDraft { auth, ..draft("mine") };
    assert_eq!(refused(office.management.create_provider(&office.acting(), odd).await), ["auth"]);
    office.close().await;
}

#[tokio::test]
async fn a_change_is_a_merge_at_a_version_and_presets_are_read_only() {
    let office = Office::open().await;
    let acting = office.acting();
    let made = ProviderDraft {
        headers: vec![("x-one".to_owned(), "1".to_owned()), ("x-two".to_owned(), "2".to_owned())],
        ..draft("mine")
    };
    office.management.create_provider(&acting, made).await.unwrap();
    let headers = BTreeMap::from([("x-one".to_owned(), None), ("x-three".to_owned(), Some("3".to_owned()))]);
    let patch = ProviderChange {
        headers: Some(Some(headers)),
        auth: Some(Some(AuthScheme::None)),
        ..ProviderChange::default()
    };
    let management = &office.management;
    let changed = management.change_provider(&acting, "mine", Some(1), patch.clone()).await.unwrap();
    let names: Vec<_> = changed.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((names, changed.auth), (vec!["x-three", "x-two"], AuthScheme::None));
    let (_, detail) = office.last_entry().await;
    assert_eq!(detail["after"]["headers"], serde_json::json!(["x-three", "x-two"]));
    assert!(is_stale(&management.change_provider(&acting, "mine", Some(1), patch.clone()).await));
    assert!(is_stale(&management.delete_provider(&acting, "mine", Some(1)).await));
    for slug in ["theirs", "No Slug"] {
        let missing = management.change_provider(&acting, slug, None, patch.clone()).await;
        assert!(is_missing(&missing, Noun::Provider));
        assert!(is_missing(&management.provider(&office.scope, slug).await, Noun::Provider));
    }
    // A foreign one is as missing as any.
    let abroad = management.delete_provider(&office.acting_abroad(), "mine", None).await;
    assert!(is_missing(&abroad, Noun::Provider));
    let preset = management.change_provider(&acting, "anthropic", None, patch).await;
    assert!(matches!(preset, Err(ManagementError::ReadOnly(Noun::Provider))));
    let preset = management.delete_provider(&acting, "anthropic", None).await;
    assert!(matches!(preset, Err(ManagementError::ReadOnly(Noun::Provider))));
    management.delete_provider(&acting, "mine", Some(2)).await.unwrap();
    assert_eq!(office.last_entry().await.0.action, "provider.delete");
    office.close().await;
}

#[tokio::test]
async fn no_channel_loses_its_provider_or_its_credentials_address() {
    let office = Office::open().await;
    let (acting, management) = (office.acting(), &office.management);
    management.create_provider(&acting, draft("mine")).await.unwrap();
    let on_mine = crate::ChannelDraft { credentials: key(CANARY), ..crate::ChannelDraft::new("one", "mine") };
    let id = management.create_channel(&acting, on_mine).await.unwrap().channel.id;
    assert_eq!(conflict(management.delete_provider(&acting, "mine", None).await), Some("provider_id"));
    let moved =
        |base: &str| ProviderChange { api_base: Some(Some(base.to_owned())), ..ProviderChange::default() };
    let elsewhere = moved("https://elsewhere.example/v1");
    let refused = management.change_provider(&acting, "mine", None, elsewhere.clone()).await;
    assert_eq!(conflict(refused), Some("api_base"));
    // Another path of the same origin is no other address.
    let other_path = moved("https://models.example/v2");
    management.change_provider(&acting, "mine", None, other_path).await.unwrap();
    let base = ChannelChange {
        api_base: Some(Some("https://models.example/v1".to_owned())),
        ..ChannelChange::default()
    };
    management.change_channel(&acting, id, None, base).await.unwrap();
    management.change_provider(&acting, "mine", None, elsewhere).await.unwrap();

    // Overriding a preset moves those that took its address, and so does giving up the override.
    management.create_channel(&acting, channel("two")).await.unwrap();
    let overriding = management.create_provider(&acting, draft("openai")).await;
    assert_eq!(conflict(overriding), Some("api_base"));
    let same = ProviderDraft { api_base: Some("https://api.openai.com".to_owned()), ..draft("openai") };
    management.create_provider(&acting, same).await.unwrap();
    management.delete_provider(&acting, "openai", None).await.unwrap();
    office.close().await;
}

use lyss_domain::Role;
use lyss_testkit::samples::channel_id;
use lyss_testkit::transport::{Answer, ScriptedTransport};
use lyss_wire::TransportClass;

use super::*;
use crate::office::{CANARY, Office, channel, conflict, is_missing, refused};
use crate::{ChannelChange, ChannelDraft, ProviderDraft};

const MODELS: &str = r#"{"data":[{"id":"gpt-4o"},{"id":"o3"}]}"#;

fn draft() -> TestDraft {
    TestDraft { api_key: Some(CANARY.to_owned().into()), api_version: None, api_base: None, model: None }
}

fn class(tested: &Tested) -> Option<(&'static str, Option<u16>)> {
    tested.error.as_ref().map(|error| (error.class.as_str(), error.status))
}

/// One test of a provider against one scripted answer, in a minute of its own.
async fn tested(
    office: &Office,
    slug: &str,
    answer: Answer,
    draft: TestDraft,
) -> (Tested, ScriptedTransport) {
    office.clock.advance(Duration::from_secs(60));
    let transport = ScriptedTransport::new([answer]);
    let tested = office.management.test_provider(&office.acting(), &transport, slug, draft).await.unwrap();
    (tested, transport)
}

#[tokio::test]
async fn the_briefs_body_asks_the_vendor_for_its_models() {
    let office = Office::open().await;
    let (tested, transport) = tested(&office, "openai", Answer::json(200, MODELS), draft()).await;
    assert!(tested.ok && tested.error.is_none());
    assert_eq!(tested.models, ["gpt-4o", "o3"]);
    let sent = transport.sent();
    assert_eq!(sent[0].uri.to_string(), "https://api.openai.com/v1/models");
    assert_eq!(sent[0].header("authorization"), Some(format!("Bearer {CANARY}").as_str()));
    let (entry, detail) = office.last_entry().await;
    assert_eq!((entry.action.as_str(), entry.target.as_str()), ("provider.test", "provider:openai"));
    assert_eq!(detail["origin"], "https://api.openai.com:443");
    office.close().await;
}

#[tokio::test]
async fn google_says_in_words_that_a_key_is_wrong() {
    let office = Office::open().await;
    let list = r#"{"models":[{"name":"models/gemini-2.5-pro"}]}"#;
    let (ok, transport) = tested(&office, "google", Answer::json(200, list), draft()).await;
    assert_eq!(ok.models, ["gemini-2.5-pro"]);
    assert_eq!(transport.sent()[0].header("x-goog-api-key"), Some(CANARY));
    assert_eq!(transport.sent()[0].uri.path(), "/v1beta/models");
    let wrong = r#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key."}}"#;
    let (failed, _) = tested(&office, "google", Answer::json(400, wrong), draft()).await;
    assert_eq!(class(&failed), Some(("auth", Some(400))));
    office.close().await;
}

#[tokio::test]
async fn every_failure_has_a_class_and_words_of_our_own() {
    let office = Office::open().await;
    let quoting = format!(r#"{{"error":{{"code":"invalid_api_key","message":"Incorrect key {CANARY}"}}}}"#);
    let quota = r#"{"error":{"code":"insufficient_quota"}}"#;
    let cases = [
        (Answer::json(401, quoting), ("auth", Some(401))),
        (Answer::json(429, quota), ("quota", Some(429))),
        (Answer::json(404, "no"), ("not_found", Some(404))),
        (Answer::json(429, "{}"), ("rate_limited", Some(429))),
        (Answer::json(500, "<html>"), ("server", Some(500))),
        (Answer::json(200, "<html>"), ("protocol", Some(200))),
        (Answer::json(302, ""), ("protocol", Some(302))),
        (Answer::failing(TransportClass::Connect), ("network", None)),
        (Answer::failing(TransportClass::Dns), ("network", None)),
        (Answer::failing(TransportClass::EgressDenied), ("network", None)),
        (Answer::failing(TransportClass::Tls), ("tls", None)),
        (Answer::failing(TransportClass::FirstByteTimeout), ("timeout", None)),
        (Answer::head(200, &[]).chunk("{").cut(), ("network", Some(200))),
    ];
    for (answer, expected) in cases {
        let (tested, _) = tested(&office, "openai", answer, draft()).await;
        assert_eq!(class(&tested), Some(expected));
        assert!(!tested.ok && tested.models.is_empty());
        let error = tested.error.unwrap();
        assert_eq!(error.message, error.class.message());
        assert!(!format!("{error:?}").contains("canary"));
    }
    let endless = Answer::head(200, &[]).chunk(vec![b' '; MAX_BODY_LEN]).chunk(" ").end();
    assert_eq!(class(&tested(&office, "openai", endless, draft()).await.0), Some(("protocol", Some(200))));
    office.close().await;
}

#[tokio::test]
async fn a_model_that_is_not_listed_is_a_hint_and_no_failure() {
    let office = Office::open().await;
    let with = |model: &str| TestDraft { model: Some(model.to_owned()), ..draft() };
    let (listed, _) = tested(&office, "openai", Answer::json(200, MODELS), with("o3")).await;
    assert!(listed.ok && listed.error.is_none());
    let (unlisted, _) = tested(&office, "openai", Answer::json(200, MODELS), with("gpt-9")).await;
    assert!(unlisted.ok && !unlisted.models.is_empty());
    assert_eq!(class(&unlisted), Some(("not_found", None)));
    let azure = TestDraft { api_base: Some("https://r.openai.azure.com".to_owned()), ..with("deployment") };
    let (deployed, transport) = tested(&office, "azure_openai", Answer::json(200, MODELS), azure).await;
    assert!(deployed.ok && deployed.error.is_none());
    assert_eq!(transport.sent()[0].header("api-key"), Some(CANARY));
    office.close().await;
}

#[tokio::test]
async fn an_address_comes_only_with_a_key_from_the_same_body_and_nothing_stored_goes_there() {
    let office = Office::open().await;
    let provider = ProviderDraft {
        slug: "local".to_owned(),
        name: "Local".to_owned(),
        kind: None,
        api_base: Some("https://models.example/v1".to_owned()),
        supported_models: Vec::new(),
        headers: vec![("x-account".to_owned(), "ours".to_owned())],
        auth: Some(AuthScheme::None),
    };
    office.management.create_provider(&office.acting(), provider).await.unwrap();
    let keyless = TestDraft { api_key: None, ..draft() };
    let (ok, transport) = tested(&office, "local", Answer::json(200, MODELS), keyless).await;
    assert!(ok.ok && transport.sent()[0].header("x-account") == Some("ours"));
    let elsewhere =
        |api_key| TestDraft { api_key, api_base: Some("https://elsewhere.example/v1".to_owned()), ..draft() };
    let nobody = ScriptedTransport::new([]);
    let acting = office.acting();
    office.clock.advance(Duration::from_secs(60));
    for slug in ["local", "openai"] {
        let test = office.management.test_provider(&acting, &nobody, slug, elsewhere(None)).await;
        assert_eq!(refused(test), ["credentials.api_key"]);
    }
    let odd = TestDraft {
        api_base: Some("nowhere".to_owned()),
        api_key: Some("a\nb".to_owned().into()),
        ..draft()
    };
    let test = office.management.test_provider(&acting, &nobody, "openai", odd).await;
    assert_eq!(refused(test), ["api_base", "credentials.api_key"]);
    let unknown = office.management.test_provider(&acting, &nobody, "nobody", draft()).await;
    assert!(is_missing(&unknown, Noun::Provider));
    assert!(nobody.sent().is_empty());
    let (_, transport) =
        tested(&office, "local", Answer::json(200, MODELS), elsewhere(Some(CANARY.to_owned().into()))).await;
    assert_eq!(transport.sent()[0].uri.host(), Some("elsewhere.example"));
    assert_eq!(transport.sent()[0].header("x-account"), None);
    office.close().await;
}

#[tokio::test]
async fn a_channels_key_is_tested_where_it_belongs() {
    let office = Office::open().await;
    let (acting, management) = (office.acting(), &office.management);
    let id = management.create_channel(&acting, channel("one")).await.unwrap().channel.id;
    let transport = ScriptedTransport::new([Answer::json(200, MODELS)]);
    let tested = management.test_channel(&acting, &transport, id).await.unwrap();
    assert!(tested.ok);
    let sent = transport.sent();
    assert_eq!(sent[0].header("authorization"), Some(format!("Bearer {CANARY}").as_str()));
    assert_eq!(sent[0].uri.host(), Some("api.openai.com"));
    let (entry, _) = office.last_entry().await;
    assert_eq!((entry.action.as_str(), entry.target), ("channel.test", format!("channel:{id}")));
    let missing = management.test_channel(&acting, &transport, channel_id(9)).await;
    let foreign = management.test_channel(&office.acting_abroad(), &transport, id).await;
    assert_eq!(format!("{missing:?}"), format!("{foreign:?}"));
    assert!(is_missing(&foreign, Noun::Channel));

    // A row whose address was changed beside the service: its key goes nowhere.
    let mut work = management.store.begin().await.unwrap();
    let mut row = work.channels().get(&office.scope, id).await.unwrap().unwrap();
    row.api_base = Some("https://evil.example/v1".to_owned());
    work.channels().update(&office.scope, &row, row.version).await.unwrap();
    work.commit(None).await.unwrap();
    let moved = management.test_channel(&acting, &transport, id).await;
    assert_eq!(conflict(moved), Some("credentials"));
    assert_eq!(transport.sent().len(), 1);
    // And a change that is no move leaves it as it is.
    let renamed = ChannelChange { name: Some("two".to_owned()), ..ChannelChange::default() };
    management.change_channel(&acting, id, None, renamed).await.unwrap();
    let compatible = ChannelDraft { api_base: Some("https://m.example/v1".to_owned()), ..channel("three") };
    management
        .create_channel(&acting, ChannelDraft { provider: "openai_compatible".to_owned(), ..compatible })
        .await
        .unwrap();
    office.close().await;
}

#[tokio::test]
async fn five_a_minute_per_tenant() {
    let office = Office::open().await;
    let developer = office.principal(Role::TenantAdmin);
    let acting = Acting::new(office.scope, &developer, Some("192.0.2.1"));
    let transport = ScriptedTransport::new(vec![Answer::json(200, MODELS); 6]);
    let mut refused = 0;
    for _ in 0..100 {
        match office.management.test_provider(&acting, &transport, "openai", draft()).await {
            Ok(tested) => assert!(tested.ok),
            Err(ManagementError::TooMany { retry_after }) => {
                assert!(retry_after > Duration::ZERO && retry_after <= Duration::from_secs(60));
                refused += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((refused, transport.left()), (95, 1));
    // Another tenant is not kept waiting by it.
    let abroad = office.acting_abroad();
    office.management.test_provider(&abroad, &transport, "openai", draft()).await.unwrap();
    office.close().await;
}

#[tokio::test]
async fn no_test_without_its_entry() {
    let office = Office::open().await;
    office.break_audit().await;
    let transport = ScriptedTransport::new([]);
    let test = office.management.test_provider(&office.acting(), &transport, "openai", draft()).await;
    assert!(matches!(test, Err(ManagementError::Store(_))) && transport.sent().is_empty());
    office.close().await;
}

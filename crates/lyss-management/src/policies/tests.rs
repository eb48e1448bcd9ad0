use lyss_testkit::samples::{channel_id, key_id};

use super::*;
use crate::KeyDraft;
use crate::office::{Office, channel, conflict, is_missing, is_stale, refused};

fn draft(scope: PolicyScope) -> PolicyDraft {
    PolicyDraft {
        scope,
        window: Window::Day,
        limit_requests: Some(100),
        limit_tokens: None,
        limit_cost: None,
        mode: PolicyMode::Enforce,
    }
}

#[tokio::test]
async fn a_policy_is_made_for_what_is_there_and_once_a_window() {
    let office = Office::open().await;
    let (acting, management) = (office.acting(), &office.management);
    let key = management.create_key(&acting, KeyDraft::new("app")).await.unwrap().key.id;
    let route = management.create_channel(&acting, channel("one")).await.unwrap().channel.id;
    let scopes = [
        PolicyScope::Tenant,
        PolicyScope::Key(key),
        PolicyScope::Channel(route),
        PolicyScope::Model("gpt-*".to_owned()),
    ];
    for scope in scopes {
        let made = management.create_policy(&acting, draft(scope.clone())).await.unwrap();
        assert_eq!(management.policy(&office.scope, made.id).await.unwrap(), made);
        let again = management.create_policy(&acting, draft(scope.clone())).await;
        assert_eq!(conflict(again), Some("window"));
        assert_eq!(management.ensure_policy(&acting, draft(scope.clone())).await.unwrap(), made);
        let monthly = PolicyDraft { window: Window::Month, ..draft(scope) };
        management.create_policy(&acting, monthly).await.unwrap();
    }
    let (entry, detail) = office.last_entry().await;
    assert_eq!(entry.action, "quota.create");
    assert_eq!((&detail["after"]["scope"], &detail["after"]["scope_id"]), (&"model".into(), &"gpt-*".into()));
    let listing = Listing {
        filter: PolicyFilter { window: Some(Window::Month), ..PolicyFilter::default() },
        ..Listing::default()
    };
    assert_eq!(management.list_policies(&office.scope, &listing).await.unwrap().total, 4);
    assert_eq!(management.list_policies(&office.foreign, &listing).await.unwrap().total, 0);
    office.close().await;
}

#[tokio::test]
async fn every_bad_field_is_told_and_foreign_things_are_not_there() {
    let office = Office::open().await;
    let management = &office.management;
    let theirs = management.create_key(&office.acting_abroad(), KeyDraft::new("app")).await.unwrap().key.id;
    let none = PolicyDraft { limit_requests: None, ..draft(PolicyScope::Key(theirs)) };
    let foreign = management.create_policy(&office.acting(), none.clone()).await;
    let nobodys = PolicyDraft { scope: PolicyScope::Key(key_id(9)), ..none };
    let missing = management.create_policy(&office.acting(), nobodys).await;
    assert_eq!(format!("{foreign:?}"), format!("{missing:?}"));
    assert_eq!(refused(foreign), ["limit_requests", "scope_id"]);
    let negative = PolicyDraft {
        limit_requests: Some(u64::MAX),
        limit_cost: Some(Micros(-1)),
        ..draft(PolicyScope::Channel(channel_id(9)))
    };
    let bad = refused(management.create_policy(&office.acting(), negative).await);
    assert_eq!(bad, ["limit_cost_micros", "limit_requests", "scope_id"]);
    let odd = draft(PolicyScope::Model("a*b".to_owned()));
    assert_eq!(refused(management.create_policy(&office.acting(), odd).await), ["scope_id"]);
    let blocking = PolicyDraft { limit_requests: Some(0), ..draft(PolicyScope::Tenant) };
    management.create_policy(&office.acting(), blocking).await.unwrap();
    office.close().await;
}

#[tokio::test]
async fn a_change_is_a_merge_at_a_version() {
    let office = Office::open().await;
    let (acting, management) = (office.acting(), &office.management);
    let made = management.create_policy(&acting, draft(PolicyScope::Tenant)).await.unwrap();
    let monthly = PolicyDraft { window: Window::Month, ..draft(PolicyScope::Tenant) };
    management.create_policy(&acting, monthly).await.unwrap();
    let patch = PolicyChange {
        limit_requests: Some(None),
        limit_tokens: Some(Some(5)),
        mode: Some(PolicyMode::Shadow),
        ..PolicyChange::default()
    };
    let changed = management.change_policy(&acting, made.id, Some(1), patch).await.unwrap();
    assert_eq!((changed.limit_requests, changed.limit_tokens, changed.version), (None, Some(5), 2));
    assert!(is_stale(&management.change_policy(&acting, made.id, Some(1), patch).await));
    let clash = PolicyChange { window: Some(Window::Month), ..PolicyChange::default() };
    assert_eq!(conflict(management.change_policy(&acting, made.id, None, clash).await), Some("window"));
    let empty = PolicyChange { limit_tokens: Some(None), ..PolicyChange::default() };
    assert_eq!(refused(management.change_policy(&acting, made.id, None, empty).await), ["limit_requests"]);
    let abroad = office.acting_abroad();
    assert!(is_missing(&management.change_policy(&abroad, made.id, None, patch).await, Noun::Quota));
    assert!(is_missing(&management.delete_policy(&abroad, made.id, None).await, Noun::Quota));
    assert!(is_missing(&management.policy(&office.foreign, made.id).await, Noun::Quota));
    assert!(is_stale(&management.delete_policy(&acting, made.id, Some(1)).await));
    management.delete_policy(&acting, made.id, Some(2)).await.unwrap();
    assert_eq!(office.last_entry().await.0.action, "quota.delete");
    office.close().await;
}

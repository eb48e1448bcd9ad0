use std::collections::BTreeMap;

use lyss_domain::{Role, RoutingRule, RoutingSettings};

use super::*;
use crate::office::{Office, beyond, channel, conflict, is_missing, is_stale, refused};

fn draft(slug: &str) -> TenantDraft {
    TenantDraft { slug: slug.to_owned(), name: "Name".to_owned(), settings: TenantSettings::default() }
}

const SYSTEM: &str = "system:test";

#[tokio::test]
async fn a_tenant_is_made_with_its_data_key_and_its_own_chain_and_found_by_id_or_slug() {
    let office = Office::open().await;
    let admin = office.principal(Role::PlatformAdmin);
    let actor = Actor::of(&admin, Some("192.0.2.1"));
    let made = office.management.create_tenant(&actor, draft("initech")).await.unwrap();
    assert_eq!(office.management.tenant(made.id).await.unwrap(), made);
    for name in [made.id.to_string(), "initech".to_owned()] {
        assert_eq!(office.management.tenant_named(&name).await.unwrap(), made);
    }
    for name in ["nobody", "a\0b", "00000000-0000-0000-0000-000000000009"] {
        assert!(is_missing(&office.management.tenant_named(name).await, Noun::Tenant), "{name}");
    }
    let scope = system::scope_of(made.id);
    let keys = office.management.store.read().await.unwrap().tenant_keys().list(&scope).await.unwrap();
    assert_eq!(keys.len(), 1);
    let chain = office.management.list_audit(&scope, &Listing::default()).await.unwrap().items;
    assert_eq!(chain.len(), 1);
    let entry = &chain[0];
    assert_eq!((entry.action.as_str(), entry.sequence), ("tenant.create", 1));
    assert_eq!((entry.actor.as_str(), entry.address.as_deref()), ("platform_admin", Some("192.0.2.1")));
    assert!(entry.detail.starts_with(r#"{"after":{"enabled":true,"name":"Name""#), "{}", entry.detail);
    let listing = Listing {
        filter: TenantFilter { search: Some("INIT".to_owned()), enabled: None },
        ..Listing::default()
    };
    assert_eq!(office.management.list_tenants(&listing).await.unwrap().items, [made]);
    office.close().await;
}

#[tokio::test]
async fn every_bad_field_is_told() {
    let office = Office::open().await;
    let actor = Actor::system(SYSTEM);
    let mut bad = draft("Not A Slug");
    bad.name = String::new();
    bad.settings.time_zone = "Mars/Olympus".to_owned();
    bad.settings.retention_days = Some(0);
    bad.settings.share = 0;
    bad.settings.routing = RoutingSettings {
        default: RoutingRule::default(),
        models: BTreeMap::from([("a*b".to_owned(), RoutingRule::strategy(Strategy::RoundRobin))]),
    };
    assert_eq!(
        refused(office.management.create_tenant(&actor, bad).await),
        [
            "name",
            "settings.retention_days",
            "settings.routing.models",
            "settings.share",
            "settings.time_zone",
            "slug"
        ]
    );
    let like_an_id = "0123456789abcdef0123456789abcdef";
    assert_eq!(refused(office.management.create_tenant(&actor, draft(like_an_id)).await), ["slug"]);
    assert_eq!(conflict(office.management.create_tenant(&actor, draft("acme")).await), Some("slug"));
    office.close().await;
}

#[tokio::test]
async fn a_change_is_a_merge_at_a_version() {
    let office = Office::open().await;
    let actor = Actor::system(SYSTEM);
    let id = office.scope.tenant();
    let models = BTreeMap::from([
        ("gpt-*".to_owned(), Some(RuleChange::whole(RoutingRule::strategy(Strategy::Adaptive)))),
        ("o3".to_owned(), Some(RuleChange::whole(RoutingRule::strategy(Strategy::RoundRobin)))),
    ]);
    let patch = TenantChange {
        time_zone: Some(Some("Europe/Zurich".to_owned())),
        routing_models: Some(Some(models)),
        share: Some(Some(4)),
        retention_days: Some(Some(30)),
        ..TenantChange::default()
    };
    let changed = office.management.change_tenant(&actor, id, Some(1), patch.clone()).await.unwrap();
    assert_eq!((changed.version, changed.settings.routing.models.len()), (2, 2));
    let again = office.management.change_tenant(&actor, id, Some(1), patch.clone()).await;
    assert!(is_stale(&again));
    // Nothing to change: no new version, no entry.
    let entries = office.audit().await.len();
    assert_eq!(office.management.change_tenant(&actor, id, None, patch).await.unwrap(), changed);
    assert_eq!(office.audit().await.len(), entries);
    let hedged = RuleChange { hedge: Some(Some(true)), ..RuleChange::default() };
    let patch = TenantChange {
        time_zone: Some(None),
        routing_models: Some(Some(BTreeMap::from([
            ("o3".to_owned(), None),
            ("gpt-*".to_owned(), Some(hedged)),
        ]))),
        share: Some(None),
        retention_days: Some(None),
        ..TenantChange::default()
    };
    let changed = office.management.change_tenant(&actor, id, None, patch).await.unwrap();
    assert_eq!(changed.settings.time_zone, "UTC");
    assert_eq!(changed.settings.retention_days, None);
    let expected = RoutingRule { hedge: Some(true), ..RoutingRule::strategy(Strategy::Adaptive) };
    assert_eq!(changed.settings.routing.models, BTreeMap::from([("gpt-*".to_owned(), expected)]));
    assert_eq!(changed.settings.share, 1);
    let (entry, detail) = office.last_entry().await;
    assert_eq!(entry.action, "tenant.update");
    assert_eq!(detail["before"]["settings"]["routing"]["models"]["o3"]["strategy"], "round_robin");
    assert_eq!(detail["after"]["settings"]["time_zone"], "UTC");
    office.close().await;
}

#[tokio::test]
async fn a_tenant_goes_with_its_configuration_and_leaves_its_chain() {
    let office = Office::open().await;
    let actor = Actor::system(SYSTEM);
    let id = office.scope.tenant();
    office.management.create_channel(&office.acting(), channel("one")).await.unwrap();
    assert!(is_stale(&office.management.delete_tenant(&actor, id, Some(9)).await));
    office.management.delete_tenant(&actor, id, Some(1)).await.unwrap();
    assert!(is_missing(&office.management.delete_tenant(&actor, id, None).await, Noun::Tenant));
    assert!(office.management.all_channels(&office.scope).await.unwrap().is_empty());
    let (entry, detail) = office.last_entry().await;
    assert_eq!((entry.action.as_str(), entry.sequence), ("tenant.delete", 3));
    assert_eq!(detail["before"]["slug"], "acme");
    office.close().await;
}

#[tokio::test]
async fn only_who_stands_above_tenants_changes_them() {
    let office = Office::open().await;
    for role in [Role::TenantAdmin, Role::Operator, Role::Developer, Role::Viewer] {
        let somebody = office.principal(role);
        let actor = Actor::of(&somebody, None);
        let id = office.scope.tenant();
        let management = &office.management;
        let wanted = ["tenants:write"];
        assert_eq!(beyond(management.create_tenant(&actor, draft("x")).await), wanted);
        assert_eq!(beyond(management.change_tenant(&actor, id, None, TenantChange::default()).await), wanted);
        assert_eq!(beyond(management.delete_tenant(&actor, id, None).await), wanted);
    }
    office.close().await;
}

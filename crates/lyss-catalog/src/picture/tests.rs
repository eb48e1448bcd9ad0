use super::*;
use lyss_domain::{ChannelId, ChannelLimits, ChannelState, ChannelTimeouts, ProbeMode};
use lyss_domain::{KeyId, KeyLimits, PreviousDigest, PriceId, Rates, TenantSettings};

pub(crate) fn tenant(n: u128) -> Tenant {
    Tenant {
        id: TenantId(uuid::Uuid::from_u128(n)),
        slug: format!("t{n}"),
        name: format!("Tenant {n}"),
        enabled: true,
        settings: TenantSettings::default(),
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
        version: 1,
    }
}

fn channel(tenant: u128, n: u128, priority: i32) -> Channel {
    Channel {
        id: ChannelId(uuid::Uuid::from_u128(n)),
        tenant: TenantId(uuid::Uuid::from_u128(tenant)),
        name: format!("c{n}"),
        provider: "openai".parse().unwrap(),
        api_base: None,
        supported_models: vec![],
        model_mapping: [].into(),
        weight: 1,
        priority,
        limits: ChannelLimits::default(),
        timeouts: ChannelTimeouts::default(),
        max_retries: None,
        state: ChannelState::Enabled,
        tags: vec![],
        group: None,
        api_version: None,
        deployment_map: [].into(),
        responses_models: None,
        probe: ProbeMode::default(),
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
        version: 1,
    }
}

#[test]
fn every_row_finds_its_tenant_and_strays_are_left_out() {
    let rows = CatalogRows {
        generation: 7,
        tenants: vec![tenant(1), tenant(2)],
        channels: vec![channel(1, 12, 5), channel(1, 11, 0), channel(2, 21, 0), channel(9, 91, 0)],
        ..CatalogRows::default()
    };
    let catalog = Catalog::build(rows).unwrap();
    assert_eq!(catalog.generation(), 7);
    let names = |n: u128| -> Vec<String> {
        let entry = catalog.tenant(tenant(n).id).unwrap();
        entry.channels.iter().map(|c| c.channel.name.clone()).collect()
    };
    assert_eq!(names(1), ["c11", "c12"], "best priority first");
    assert_eq!(names(2), ["c21"]);
}

#[test]
fn a_tenants_own_price_comes_before_the_built_in_one() {
    let at = |s: &str| Timestamp::parse_rfc3339(s).unwrap();
    let price = |model: &str, from: &str, output: i64| Price {
        id: PriceId(uuid::Uuid::from_u128(u128::try_from(output).unwrap())),
        tenant: Some(tenant(1).id),
        model: model.to_owned(),
        effective_from: at(from),
        rates: Rates { output, ..Rates::default() },
        created_at: at(from),
    };
    let rows = CatalogRows {
        tenants: vec![tenant(1)],
        prices: vec![
            price("gpt-4o-mini", "2026-01-01T00:00:00Z", 1),
            price("gpt-4o-mini", "2026-06-01T00:00:00Z", 2),
        ],
        ..CatalogRows::default()
    };
    let catalog = Catalog::build(rows).unwrap();
    let entry = catalog.tenant(tenant(1).id).unwrap();
    let output = |when: &str| entry.price("gpt-4o-mini", at(when)).map(|p| p.rates.output);
    assert_eq!(output("2025-12-31T00:00:00Z"), Some(600_000));
    assert_eq!(output("2026-05-31T23:59:59Z"), Some(1));
    assert_eq!(output("2026-06-01T00:00:00Z"), Some(2));
}

#[test]
fn an_unknown_zone_makes_no_picture() {
    let mut bad = tenant(1);
    bad.settings.time_zone = "Nowhere/Else".to_owned();
    let rows = CatalogRows { tenants: vec![bad], ..CatalogRows::default() };
    assert_eq!(Catalog::build(rows).unwrap_err(), CatalogError::UnknownZone(tenant(1).id));
}

#[test]
fn a_rotated_key_is_found_by_either_digest_and_said_by_which() {
    let until = Timestamp::from_millis(5);
    let key = VirtualKey {
        id: KeyId(uuid::Uuid::from_u128(31)),
        tenant: tenant(1).id,
        name: "k".to_owned(),
        digest: KeyDigest([1; 32]),
        previous: Some(PreviousDigest { digest: KeyDigest([2; 32]), valid_until: until }),
        hint: String::new(),
        scopes: vec![],
        models: vec![],
        channels: vec![],
        tags: vec![],
        allowed_ips: vec![],
        limits: KeyLimits::default(),
        strategy: None,
        may_steer: false,
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
        version: 1,
    };
    let rows = CatalogRows { tenants: vec![tenant(1)], keys: vec![key.clone()], ..CatalogRows::default() };
    let catalog = Catalog::build(rows).unwrap();
    let found = |byte: u8| catalog.key(&KeyDigest([byte; 32])).map(|(key, by)| (key.id, by));
    assert_eq!(found(1), Some((key.id, DigestMatch::Current)));
    assert_eq!(found(2), Some((key.id, DigestMatch::Previous { valid_until: until })));
    assert_eq!(found(3), None);
}

#[test]
fn a_tenant_is_found_by_its_id_or_its_slug() {
    let rows = CatalogRows { tenants: vec![tenant(1)], ..CatalogRows::default() };
    let catalog = Catalog::build(rows).unwrap();
    let expected = tenant(1);
    for name in [expected.slug.clone(), expected.id.to_string()] {
        assert_eq!(catalog.tenant_named(&name).unwrap().tenant, expected, "{name}");
    }
    assert!(catalog.tenant_named("nobody").is_none());
}

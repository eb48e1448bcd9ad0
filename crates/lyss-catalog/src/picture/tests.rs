use super::*;
use lyss_domain::{ChannelId, ChannelLimits, ChannelState, ChannelTimeouts};
use lyss_domain::{PriceId, Rates, TenantSettings};

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

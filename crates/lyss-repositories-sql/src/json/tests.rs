use super::*;

fn read(stored: &str) -> Result<TenantSettings, StoreError> {
    TenantSettings::try_from(serde_json::from_str::<Settings>(stored).unwrap())
}

#[test]
fn settings_stored_before_there_was_more_than_a_strategy_are_still_read() {
    let old = r#"{"time_zone":"UTC","default_strategy":"adaptive","model_strategies":{"gpt-*":"round_robin"},
        "retention_days":7}"#;
    let settings = read(old).unwrap();
    assert_eq!(settings.share, 1);
    assert_eq!(settings.routing.default, RoutingRule::strategy(Strategy::Adaptive));
    assert_eq!(settings.routing.models["gpt-*"], RoutingRule::strategy(Strategy::RoundRobin));
    assert_eq!(read(r#"{"time_zone":"UTC"}"#).unwrap(), TenantSettings::default());
}

#[test]
fn a_release_before_finds_its_fields_where_they_were() {
    let rule = RoutingRule {
        hedge: Some(true),
        affinity: Some(Affinity::Prefix),
        ..RoutingRule::strategy(Strategy::Adaptive)
    };
    let only_hedged = RoutingRule { strategy: None, ..rule };
    let models = BTreeMap::from([("a".to_owned(), rule), ("b".to_owned(), only_hedged)]);
    let routing = RoutingSettings { default: only_hedged, models };
    let settings = TenantSettings { routing, share: 9, ..TenantSettings::default() };
    let stored = serde_json::to_value(Settings::from(&settings)).unwrap();
    assert_eq!(stored["model_strategies"], serde_json::json!({ "a": "adaptive" }));
    assert_eq!(stored["default_strategy"], serde_json::Value::Null);
    assert_eq!(read(&stored.to_string()).unwrap(), settings);
}

#[test]
fn a_word_nobody_knows_is_told_as_corrupt() {
    for stored in [
        r#"{"time_zone":"UTC","default_strategy":"best"}"#,
        r#"{"time_zone":"UTC","default_rule":{"objective":"speed"}}"#,
        r#"{"time_zone":"UTC","model_rules":{"a":{"affinity":"all"}}}"#,
    ] {
        assert!(matches!(read(stored), Err(StoreError::Corrupt(_))), "{stored}");
    }
}

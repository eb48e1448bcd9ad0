#![expect(clippy::result_large_err, reason = "figment's Jail asks for its own large error")]

use std::collections::BTreeMap;

use figment::Jail;
use figment::value::{Dict, Value};

use super::*;

const EXAMPLE: &str = include_str!("../../../../.env.example");

fn flatten(prefix: &str, dict: &Dict, out: &mut BTreeMap<String, String>) {
    for (name, value) in dict {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Value::Dict(_, inner) => flatten(&key, inner, out),
            Value::Empty(..) => drop(out.insert(key, String::new())),
            Value::Array(_, list) if list.is_empty() => drop(out.insert(key, "[]".to_owned())),
            Value::String(_, text) => drop(out.insert(key, text.clone())),
            other => {
                drop(out.insert(key, other.to_u128().map_or_else(|| format!("{other:?}"), |n| n.to_string())))
            }
        }
    }
}

fn variable(key: &str) -> String {
    let alias = ALIASES.iter().rfind(|(_, target)| *target == key);
    alias.map_or_else(
        || format!("{PREFIX}{}", key.replace('.', "__").to_ascii_uppercase()),
        |(name, _)| (*name).to_owned(),
    )
}

#[test]
fn the_example_lists_every_setting_with_its_default() {
    let defaults = Figment::from(Serialized::defaults(Config::default())).extract::<Dict>().unwrap();
    let mut settings = BTreeMap::new();
    flatten("", &defaults, &mut settings);
    let expected: BTreeMap<_, _> =
        settings.iter().map(|(key, value)| (variable(key), value.clone())).collect();
    let listed: BTreeMap<_, _> = EXAMPLE
        .lines()
        .filter_map(|line| line.strip_prefix("# ").unwrap_or(line).split_once('='))
        .filter(|(name, _)| name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert_eq!(listed, expected);
}

#[test]
fn file_then_environment_and_ours_wins_over_the_general_name() {
    Jail::expect_with(|jail| {
        jail.create_file("lyss.toml", "[server]\nport = 1\nhost = \"0.0.0.0\"\n[proxy]\nmax_retries = 7\n")?;
        jail.set_env("PROVIDER_SERVICE_SERVER__PORT", "2");
        jail.set_env("DATABASE_URL", "sqlite://a");
        jail.set_env("PROVIDER_SERVICE_DATABASE_URL", "sqlite://b");
        jail.set_env("REDIS_URL", "redis://r");
        jail.set_env("PROVIDER_SERVICE_EGRESS_ALLOW", "10.0.0.0/8:1-2,127.0.0.1/32");
        let config = Config::load(Some(Path::new("lyss.toml"))).unwrap();
        assert_eq!((config.server.port, config.server.host.as_str()), (2, "0.0.0.0"));
        assert_eq!(config.proxy.max_retries, 7);
        assert_eq!(config.database.url.as_deref(), Some("sqlite://b"));
        assert_eq!(config.redis.url.as_deref(), Some("redis://r"));
        assert_eq!(config.egress.policy().unwrap().allow.len(), 2);
        Ok(())
    });
}

#[test]
fn what_cannot_be_meant_is_refused_by_name() {
    let table = [
        ("PROVIDER_SERVICE_SERVER__PROT", "1", "prot"),
        ("PROVIDER_SERVICE_JWT_SECRET", "your-secret-key", "JWT_SECRET"),
        ("PROVIDER_SERVICE_JWT_SECRET", "Zq9-too-few", "JWT_SECRET"),
        ("PROVIDER_SERVICE_EGRESS_ALLOW", "everything", "EGRESS_ALLOW"),
        ("PROVIDER_SERVICE_PROXY__STRATEGY", "best", "strategy"),
        ("PROVIDER_SERVICE_SERVER__PORT", "lots", "port"),
    ];
    for (name, value, named) in table {
        Jail::expect_with(|jail| {
            jail.set_env(name, value);
            let Err(error) = Config::load(None) else { panic!("{name}={value} was taken") };
            let text = format!("{error:#}");
            assert!(text.to_lowercase().contains(&named.to_lowercase()), "{name}: {text}");
            assert!(name != "PROVIDER_SERVICE_JWT_SECRET" || !text.contains(value), "{text}");
            Ok(())
        });
    }
}

#[test]
fn an_empty_variable_is_as_good_as_none() {
    Jail::expect_with(|jail| {
        jail.set_env("PROVIDER_SERVICE_DATABASE_URL", "");
        jail.set_env("PROVIDER_SERVICE_ENCRYPTION_KEY", " ");
        jail.set_env("PROVIDER_SERVICE_JWT_SECRET", "");
        let config = Config::load(None).unwrap();
        assert!(config.database.url.is_none());
        assert!(config.security.encryption_key.is_none() && config.security.jwt_secret.is_none());
        Ok(())
    });
}

#[test]
fn a_missing_file_is_said() {
    let Err(error) = Config::load(Some(Path::new("/nowhere/lyss.toml"))) else { panic!("it was taken") };
    assert!(error.to_string().contains("no configuration file"));
}

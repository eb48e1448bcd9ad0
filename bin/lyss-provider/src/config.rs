//! Settings: defaults, then a TOML file, then the environment. The only home of `std::env`.
//!
//! `PROVIDER_SERVICE_SECTION__FIELD` and `[section] field` mean the same. `.env.example` lists every one; a test holds
//! it equal to what is read here.

pub(crate) mod auth;
pub(crate) mod data;
pub(crate) mod database;
pub(crate) mod egress;
pub(crate) mod health;
pub(crate) mod log;
pub(crate) mod proxy;
pub(crate) mod redis;
pub(crate) mod security;
pub(crate) mod server;
pub(crate) mod vendors;

use std::path::Path;

use anyhow::{Context, Result};
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};

/// Everything that can be set.
#[derive(Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) server: server::ServerSection,
    pub(crate) data: data::DataSection,
    pub(crate) database: database::DatabaseSection,
    pub(crate) redis: redis::RedisSection,
    pub(crate) security: security::SecuritySection,
    pub(crate) auth: auth::AuthSection,
    pub(crate) egress: egress::EgressSection,
    pub(crate) proxy: proxy::ProxySection,
    pub(crate) health: health::HealthSection,
    pub(crate) log: log::LogSettings,
}

const PREFIX: &str = "PROVIDER_SERVICE_";

/// Names people know, and the setting each one means. Those without our prefix come first, so ours win.
const ALIASES: &[(&str, &str)] = &[
    ("DATABASE_URL", "database.url"),
    ("REDIS_URL", "redis.url"),
    ("PROVIDER_SERVICE_DATABASE_URL", "database.url"),
    ("PROVIDER_SERVICE_REDIS_URL", "redis.url"),
    ("PROVIDER_SERVICE_JWT_SECRET", "security.jwt_secret"),
    ("PROVIDER_SERVICE_ENCRYPTION_KEY", "security.encryption_key"),
    ("PROVIDER_SERVICE_EGRESS_ALLOW", "egress.allow"),
];

impl Config {
    /// Reads the file, if one is named, and the environment.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(path) = file {
            anyhow::ensure!(path.is_file(), "there is no configuration file at {}", path.display());
            figment = figment.merge(Toml::file_exact(path));
        }
        let mut config: Self =
            from_environment(figment).extract().map_err(|error| anyhow::anyhow!("{error}"))?;
        config.forget_empty();
        config.validate().context("the settings do not fit together")?;
        Ok(config)
    }

    /// An empty variable is as good as none.
    fn forget_empty(&mut self) {
        for url in [&mut self.database.url, &mut self.database.migrate_url, &mut self.redis.url] {
            url.take_if(|text| text.trim().is_empty());
        }
        for name in [&mut self.auth.issuer, &mut self.auth.audience] {
            name.take_if(|text| text.trim().is_empty());
        }
        for secret in [&mut self.security.encryption_key, &mut self.security.jwt_secret] {
            secret.take_if(|text| text.as_str().trim().is_empty());
        }
    }

    fn validate(&self) -> Result<()> {
        self.egress.policy()?;
        self.server.origins()?;
        self.proxy.settings()?;
        self.health.probes()?;
        self.security.validate()
    }
}

fn from_environment(mut figment: Figment) -> Figment {
    for (name, key) in ALIASES {
        // `raw` and `only` take one variable by its whole name.
        figment = figment.merge(Env::raw().only(&[name]).map(move |_| (*key).into()).split("."));
    }
    let plain = Env::prefixed(PREFIX).filter(|name| {
        let whole = format!("{PREFIX}{}", name.as_str().to_ascii_uppercase());
        !ALIASES.iter().any(|(alias, _)| *alias == whole)
    });
    figment.merge(plain.split("__"))
}

#[cfg(test)]
mod tests;

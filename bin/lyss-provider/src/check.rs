//! `lyss-provider check`: do the settings hold, and does what they point to answer?

use std::process::ExitCode;

use anyhow::Result;
use lyss_migrations::SchemaState;
use lyss_repositories_sql::connect;

use crate::assemble::{background, database_settings, is_embedded, keys_open, open_vault, signs_in};
use crate::config::Config;
use crate::data::DataFolder;

pub(crate) fn run(config: &Config) -> Result<ExitCode> {
    background()?.block_on(check(config))
}

async fn check(config: &Config) -> Result<ExitCode> {
    let mut lines = Lines::default();
    let data = DataFolder::open(&config.data.folder)?;
    lines.good("data folder", &config.data.folder.display().to_string());
    let embedded = is_embedded(config);
    let is_new = embedded && !data.has_database();
    let vault = match open_vault(config, &data) {
        Ok(vault) => {
            lines.good("master keys", &vault.master_keys().ids().collect::<Vec<_>>().join(", "));
            Some(vault)
        }
        Err(_) if is_new && config.security.encryption_key.is_none() => {
            lines.good("master keys", "the first start will make one");
            None
        }
        Err(error) => {
            lines.bad("master keys", &format!("{error:#}"));
            None
        }
    };
    if is_new {
        lines.good("database", "embedded SQLite: the first start will make it");
        lines.settings(config, &data)?;
        return Ok(lines.verdict());
    }
    let kind = if embedded { "embedded SQLite" } else { "as configured" };
    match connect(&database_settings(config, &data)).await {
        Err(error) => lines.bad("database", &format!("{kind}: {error}")),
        Ok(store) => match lyss_migrations::state(store.connection()).await? {
            SchemaState::Current => {
                lines.good("database", &format!("{kind}: schema is current"));
                if let Some(vault) = &vault
                    && !keys_open(&store, vault).await?
                {
                    lines.bad("stored keys", "sealed under a master key that is not among these");
                }
            }
            SchemaState::Ahead { unknown } => {
                lines.bad("database", &format!("{kind}: a newer release made it ({})", unknown.join(", ")));
            }
            SchemaState::Empty | SchemaState::Behind { .. } if embedded => {
                lines.good("database", &format!("{kind}: `serve` will bring its schema up"));
            }
            SchemaState::Empty | SchemaState::Behind { .. } => {
                lines.bad("database", &format!("{kind}: run `lyss-provider migrate up`"));
            }
        },
    }
    lines.settings(config, &data)?;
    Ok(lines.verdict())
}

#[derive(Default)]
struct Lines {
    failed: bool,
}

impl Lines {
    /// What needs no database.
    fn settings(&mut self, config: &Config, data: &DataFolder) -> Result<()> {
        match signs_in(config, data) {
            Ok(issuers) => self.good("tokens", &format!("{issuers} issuers are believed")),
            Err(error) => self.bad("tokens", &format!("{error:#}")),
        }
        self.good("egress", &format!("{} networks beside public https", config.egress.policy()?.allow.len()));
        match config.redis.url.as_deref().map(lyss_redis::Redis::new) {
            None => {}
            Some(Ok(_)) => self.good("redis", "the URL can be read (not tried)"),
            Some(Err(error)) => self.bad("redis", &error.to_string()),
        }
        self.good("listen", &format!("{}:{} (not tried)", config.server.host, config.server.port));
        Ok(())
    }

    fn verdict(&self) -> ExitCode {
        if self.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }

    fn good(&self, what: &str, detail: &str) {
        println!("ok    {what}: {detail}");
    }

    fn bad(&mut self, what: &str, detail: &str) {
        println!("FAIL  {what}: {detail}");
        self.failed = true;
    }
}

//! `lyss-provider keys …`

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use lyss_domain::Clock;
use lyss_repositories::{PurposeKey, Store, WrappedKey};
use lyss_repositories_sql::SqlStore;
use lyss_vault::{Purpose, Vault, Wrapped, generate_master_key};

use crate::assemble::{background, database_settings, existing_data, open_store, open_vault};
use crate::clock::SystemClock;
use crate::config::Config;

#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// Prints a new master key. Example: export PROVIDER_SERVICE_ENCRYPTION_KEY="$(lyss-provider keys generate)"
    Generate,
    /// Wraps every data key and purpose key anew under the active master key, while the service runs.
    ///
    /// First set the new key in front of the old one on every instance, the old one under the id it is stored by, which
    /// `check` prints: ENCRYPTION_KEY="NEWID:NEWKEY,OLDID:OLDKEY". When this command has ended, the old one may go; the
    /// new one keeps its id for ever. Example: lyss-provider keys rotate
    Rotate,
}

/// Data keys wrapped in one unit of work.
const BATCH: u32 = 100;

pub(crate) fn run(config: &Config, command: &KeysCommand) -> Result<ExitCode> {
    match command {
        KeysCommand::Generate => println!("{}", generate_master_key()?),
        KeysCommand::Rotate => background()?.block_on(rotate(config))?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn rotate(config: &Config) -> Result<()> {
    let data = existing_data(config)?;
    let store = open_store(&database_settings(config, &data), false).await?;
    let vault = open_vault(config, &data)?;
    let active = vault.master_keys().active_id().to_owned();
    let purposes = rotate_purposes(&store, &vault, &active).await?;
    println!("purpose keys: {purposes} wrapped anew");
    let mut done = 0;
    loop {
        let batch = rotate_data_keys(&store, &vault, &active).await?;
        done += batch;
        if batch == 0 {
            break;
        }
        println!("data keys: {done} wrapped anew");
    }
    let left = still_under_others(&store, &active).await?;
    if left > 0 {
        bail!("{left} data keys are still under another master key: keep it, and run this again");
    }
    println!(
        "every key is under master key '{active}'; others may be removed, after a day, when no answer kept for an \
         Idempotency-Key is sealed under them any more"
    );
    Ok(())
}

async fn rotate_purposes(store: &SqlStore, vault: &Vault, active: &str) -> Result<usize> {
    let mut work = store.begin().await?;
    let mut done = 0;
    for stored in work.purpose_keys().list().await? {
        if stored.master_key_id == active {
            continue;
        }
        let purpose =
            Purpose::parse(&stored.purpose).context("a purpose key of an unknown purpose is stored")?;
        let old = Wrapped { master_key_id: stored.master_key_id, bytes: stored.wrapped };
        let new = vault.rewrap_purpose_key(purpose, &old)?;
        let key = PurposeKey {
            purpose: stored.purpose,
            master_key_id: new.master_key_id,
            wrapped: new.bytes,
            created_at: stored.created_at,
        };
        work.purpose_keys().rewrap(&key).await?;
        done += 1;
    }
    work.commit(None).await?;
    Ok(done)
}

async fn rotate_data_keys(store: &SqlStore, vault: &Vault, active: &str) -> Result<usize> {
    let mut work = store.begin().await?;
    let batch = work.tenant_keys().not_under(active, BATCH).await?;
    for stored in &batch {
        let old = Wrapped { master_key_id: stored.master_key_id.clone(), bytes: stored.wrapped.clone() };
        let new = vault.rewrap_data_key(stored.tenant, stored.version, &old)?;
        let key = WrappedKey { master_key_id: new.master_key_id, wrapped: new.bytes, ..stored.clone() };
        work.tenant_keys().rewrap(&key).await?;
    }
    // Instances must see the new wrapping before the old master key may go.
    let changed_at = (!batch.is_empty()).then(|| SystemClock::new().now());
    work.commit(changed_at).await?;
    Ok(batch.len())
}

async fn still_under_others(store: &SqlStore, active: &str) -> Result<u64> {
    let counts = store.read().await?.tenant_keys().count_by_master_key().await?;
    Ok(counts.iter().filter(|(id, _)| id != active).map(|(_, count)| count).sum())
}

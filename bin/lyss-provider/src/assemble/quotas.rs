//! Quotas of this process: where they start from, and what keeps them tidy.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;
use lyss_catalog::{Catalog, Loader, PolicyEntry, Prepare, TenantEntry};
use lyss_domain::Clock;
use lyss_domain::tenant::pattern_matches;
use lyss_domain::{PolicyId, PolicyScope, QuotaPolicy, Timestamp, Window};
use lyss_ledger::Ledger;
use lyss_quota::{Account, MemoryLeaseStore, Quotas, Unit};
use lyss_repositories::{AttemptStore, StoreError, UsageTotal};
use tokio::sync::Mutex;
use tracing::warn;

/// Quotas that start from what the ledger says was used in the windows that are open, and a loader that sees to it that
/// later ones do too.
pub(crate) async fn open(
    loader: Loader,
    attempts: &Arc<dyn AttemptStore>,
    ledger: &Ledger,
    clock: &Arc<dyn Clock>,
) -> Result<(Arc<Quotas>, Loader)> {
    let leases = Arc::new(MemoryLeaseStore::new());
    let first = loader.handle().load();
    let seeding = Seeding {
        leases: Arc::clone(&leases),
        attempts: Arc::clone(attempts),
        ledger: ledger.clone(),
        clock: Arc::clone(clock),
        seeded: Mutex::default(),
    };
    seeding.catch_up(&first).await?;
    Ok((Arc::new(Quotas::new(leases)), loader.preparing(Arc::new(seeding))))
}

/// What was used of a policy's accounts in the window that `now` falls into.
async fn use_so_far(
    attempts: &dyn AttemptStore,
    entry: &TenantEntry,
    known: &PolicyEntry,
    now: Timestamp,
) -> Result<[(Account, i64); 3], StoreError> {
    let span = entry.span(known, now);
    let totals = attempts.totals(&entry.system_scope(), span.start.0).await?;
    Ok(used(&known.policy, &totals)
        .map(|(unit, posted)| (Account { policy: known.policy.id, start: span.start, unit }, posted)))
}

/// Lets every policy count from its window's beginning, and not from zero: those that are there at the start, and those
/// that are made, or given another window, while the service runs.
struct Seeding {
    leases: Arc<MemoryLeaseStore>,
    attempts: Arc<dyn AttemptStore>,
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    seeded: Mutex<HashSet<(PolicyId, Window)>>,
}

/// How long records on their way to the store are waited for, so that they count.
const RECORDS_PATIENCE: Duration = Duration::from_secs(2);

fn names(catalog: &Catalog) -> HashSet<(PolicyId, Window)> {
    catalog.tenants().flat_map(|entry| &entry.policies).map(name_of).collect()
}

fn name_of(known: &PolicyEntry) -> (PolicyId, Window) {
    (known.policy.id, known.policy.window)
}

impl Seeding {
    /// Seeds what was not seeded yet. What cannot be is logged, and the last error returned.
    async fn catch_up(&self, catalog: &Catalog) -> Result<(), StoreError> {
        let mut seeded = self.seeded.lock().await;
        let names = names(catalog);
        seeded.retain(|name| names.contains(name));
        if seeded.len() == names.len() {
            return Ok(());
        }
        // Away, the store cannot be asked either, which is said then.
        drop(tokio::time::timeout(RECORDS_PATIENCE, self.ledger.drain()).await);
        let mut outcome = Ok(());
        for entry in catalog.tenants() {
            for known in &entry.policies {
                let name = name_of(known);
                if seeded.contains(&name) {
                    continue;
                }
                match use_so_far(&*self.attempts, entry, known, self.clock.now()).await {
                    Ok(used) => {
                        used.into_iter().for_each(|(account, posted)| self.leases.seed(account, posted));
                        seeded.insert(name);
                    }
                    Err(error) => {
                        warn!(policy = %name.0, %error, "what a new quota has to start from is not known yet");
                        outcome = Err(error);
                    }
                }
            }
        }
        outcome
    }
}

#[async_trait]
impl Prepare for Seeding {
    async fn prepare(&self, next: &Catalog) {
        // What could not be seeded was said, and is tried again with the next picture.
        drop(self.catch_up(next).await);
    }
}

fn used(policy: &QuotaPolicy, totals: &[UsageTotal]) -> [(Unit, i64); 3] {
    let counted = totals.iter().filter(|total| match &policy.scope {
        PolicyScope::Tenant => true,
        PolicyScope::Key(key) => total.key == *key,
        PolicyScope::Channel(channel) => total.channel == *channel,
        PolicyScope::Model(pattern) => pattern_matches(pattern, &total.model_asked),
    });
    let (mut requests, mut tokens, mut cost) = (0_i64, 0_i64, 0_i64);
    for total in counted {
        requests = requests.saturating_add(i64::try_from(total.requests).unwrap_or(i64::MAX));
        tokens = tokens.saturating_add(i64::try_from(total.tokens).unwrap_or(i64::MAX));
        cost = cost.saturating_add(total.cost_micros);
    }
    [(Unit::Requests, requests), (Unit::Tokens, tokens), (Unit::CostMicros, cost)]
}

/// Posts what was settled to the store of leases, and forgets windows that are over.
pub(crate) async fn keep(quotas: Arc<Quotas>, clock: Arc<dyn Clock>) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = clock.now();
        if let Err(error) = quotas.flush(now).await {
            tracing::warn!(%error, "settled use cannot be posted yet");
        }
        quotas.sweep(now);
    }
}

//! Quotas of this process: where they start from, and what keeps them tidy.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use lyss_catalog::Catalog;
use lyss_domain::Clock;
use lyss_domain::tenant::pattern_matches;
use lyss_domain::{PolicyScope, QuotaPolicy, Timestamp};
use lyss_quota::{Account, MemoryLeaseStore, Quotas, Unit};
use lyss_repositories::{AttemptStore, UsageTotal};

/// Seeds every policy's accounts for the windows that `now` falls into.
pub(crate) async fn seed(
    leases: &MemoryLeaseStore,
    attempts: &dyn AttemptStore,
    catalog: &Catalog,
    now: Timestamp,
) -> Result<()> {
    for entry in catalog.tenants() {
        for known in &entry.policies {
            let policy = &known.policy;
            let span = entry.span(known, now);
            let totals = attempts.totals(&entry.system_scope(), span.start.0).await?;
            let used = used(policy, &totals);
            for (unit, posted) in used {
                leases.seed(Account { policy: policy.id, start: span.start, unit }, posted);
            }
        }
    }
    Ok(())
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

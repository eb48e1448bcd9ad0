//! What `/health` tells, kept fresh in the background so that asking costs nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lyss_http::{Dependency, DependencyReport};
use lyss_ledger::Ledger;
use lyss_repositories::Store;

/// How often the database is asked whether it is there.
const EVERY: Duration = Duration::from_secs(2);

/// The database. Calls go on without it for a while, so it is not required.
pub(crate) struct DatabaseHealth {
    kind: &'static str,
    healthy: AtomicBool,
}

/// The usage ledger.
pub(crate) struct LedgerHealth(pub(crate) Ledger);

impl DatabaseHealth {
    /// Starts as healthy: the service was just built on it.
    pub(crate) fn watch(store: Arc<dyn Store>, kind: &'static str) -> Arc<Self> {
        let health = Arc::new(Self { kind, healthy: AtomicBool::new(true) });
        let watched = Arc::downgrade(&health);
        tokio::spawn(async move {
            while let Some(health) = watched.upgrade() {
                let answered = tokio::time::timeout(EVERY, store.ping()).await;
                health.healthy.store(matches!(answered, Ok(Ok(()))), Ordering::Release);
                drop(health);
                tokio::time::sleep(EVERY).await;
            }
        });
        health
    }
}

impl Dependency for DatabaseHealth {
    fn report(&self) -> DependencyReport {
        let healthy = self.healthy.load(Ordering::Acquire);
        let state = if healthy { "answers" } else { "does not answer; serving from what is known" };
        DependencyReport {
            name: "database",
            healthy,
            required: false,
            detail: format!("{} {state}", self.kind),
        }
    }
}

impl Dependency for LedgerHealth {
    fn report(&self) -> DependencyReport {
        let figures = self.0.figures();
        DependencyReport {
            name: "ledger",
            healthy: true,
            required: false,
            detail: format!("{} records waiting for the database", figures.pending),
        }
    }
}

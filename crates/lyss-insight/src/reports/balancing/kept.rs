//! Reports that were made a moment ago: making one takes seconds of a processor.

use std::collections::HashMap;
use std::time::Duration;

use lyss_domain::{TenantId, Timestamp};

use super::{BalancingReport, Whose};
use crate::reports::Period;

/// How long a report is told again.
const FRESH: Duration = Duration::from_secs(300);

/// The oldest makes room.
const MOST: usize = 256;

/// One at a time is made; whoever asks meanwhile waits for it.
pub type KeptReports = tokio::sync::Mutex<Kept>;

#[derive(Debug, Default)]
pub struct Kept(HashMap<Whose, BalancingReport>);

impl Kept {
    pub(super) fn fresh(&self, tenant: TenantId, period: Period, now: Timestamp) -> Option<BalancingReport> {
        self.0.get(&(tenant, period)).filter(|report| now.since(report.until) < FRESH).cloned()
    }

    pub(super) fn keep(&mut self, tenant: TenantId, report: BalancingReport) {
        if self.0.len() >= MOST {
            let oldest = self.0.iter().min_by_key(|(_, report)| report.until).map(|(whose, _)| *whose);
            oldest.and_then(|whose| self.0.remove(&whose));
        }
        self.0.insert((tenant, report.period), report);
    }
}

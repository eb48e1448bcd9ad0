//! Every read of state and figures: what a tenant's providers, channels and calls did, how its channels stand, and the
//! reports made of that.
//!
//! Must never know: HTTP, SQL, a wire format, how a call is served. Figures come from usage records through
//! `lyss_repositories::AttemptStore`, history from `HealthStore`, configuration from the catalog's picture, and what only
//! the running pipeline knows through the port [`Live`].
//!
//! Start reading at [`statistics`], then [`overview`] and [`calls`]. To add a reading: a function in the file of its noun,
//! over the same four sources; nothing here changes anything.

pub mod calls;
pub mod condition;
pub mod decision;
#[cfg(test)]
mod desk;
pub mod metrics;
pub mod overview;
pub mod reports;
pub mod statistics;
mod system;
pub mod window;

use std::sync::Arc;

use lyss_balancing::ChannelHealth;
use lyss_catalog::CatalogHandle;
use lyss_domain::{ChannelId, Clock, TenantId};
use lyss_repositories::{AttemptStore, HealthStore};

pub use calls::{ToldAttempt, ToldCall};
pub use condition::{BreakerCondition, ChannelCondition, LiveCondition, ModelCondition};
pub use decision::{Decided, DecidedCandidate, Outcome, ToldDecision};
pub use lyss_balancing::{Decision, Histogram, Phase, Regime, Times};
pub use lyss_lab::{Figures as LabFigures, Spread as LabSpread};
pub use lyss_repositories::{HealthEventFilter, LatencyHistogram, StoreError};
pub use metrics::{ChannelMetrics, MetricsAsk, MetricsPoint, ModelMetrics, SeriesInterval, Tally};
pub use overview::{ChannelStanding, LastFault};
pub use reports::Period;
pub use reports::balancing::{BalancingReport, KeptReports, Serving};
pub use reports::document::Document;
pub use reports::health::HealthReport;
pub use statistics::{ProviderStatistics, Sums};
pub use window::StatisticsWindow;

/// What only the running pipeline knows. Implemented where the pipeline is put together.
pub trait Live: Send + Sync {
    /// What was learned of a channel in this process; `None`: it was never looked at.
    fn health(&self, channel: ChannelId) -> Option<Arc<ChannelHealth>>;

    /// Which channels of a tenant serve a model now, and under which name each vendor knows it.
    fn serving(&self, tenant: TenantId, model: &str) -> Serving;

    /// Attempts under way on a channel in this process.
    fn in_flight(&self, channel: ChannelId) -> u32 {
        self.health(channel).map_or(0, |health| health.in_flight())
    }
}

/// Where the readings come from.
pub struct Insight {
    pub attempts: Arc<dyn AttemptStore>,
    pub health: Arc<dyn HealthStore>,
    pub catalog: Arc<CatalogHandle>,
    pub live: Arc<dyn Live>,
    pub clock: Arc<dyn Clock>,
    pub kept: KeptReports,
}

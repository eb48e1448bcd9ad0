//! Every read of state and figures: what a tenant's providers and channels did, and how its channels stand.
//!
//! Must never know: HTTP, SQL, a wire format, how a channel is chosen. Figures come from usage records through
//! `lyss_repositories::AttemptStore`, configuration from the catalog's picture, and what only the running pipeline knows
//! through the port [`Live`].
//!
//! Start reading at [`statistics`], then [`overview`]. To add a reading: a function in the file of its noun, over the same
//! three sources; nothing here changes anything.

pub mod overview;
pub mod statistics;
pub mod window;

use std::sync::Arc;

use lyss_catalog::CatalogHandle;
use lyss_domain::{ChannelId, Clock};
use lyss_repositories::AttemptStore;

pub use lyss_repositories::LatencyHistogram;
pub use overview::{ChannelStanding, LastFault};
pub use statistics::{ProviderStatistics, Sums};
pub use window::StatisticsWindow;

/// What only the running pipeline knows. Implemented where the pipeline is put together.
pub trait Live: Send + Sync {
    /// Attempts under way on a channel in this process.
    fn in_flight(&self, channel: ChannelId) -> u32;
}

/// Where the readings come from.
pub struct Insight {
    pub attempts: Arc<dyn AttemptStore>,
    pub catalog: Arc<CatalogHandle>,
    pub live: Arc<dyn Live>,
    pub clock: Arc<dyn Clock>,
}

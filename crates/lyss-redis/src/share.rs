//! The loop that tells the others and listens to them.

use std::sync::Arc;
use std::time::Duration;

use lyss_balancing::{Health, HintError, HintStore};
use lyss_domain::Clock;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

/// A round each quarter of a second: fresh enough to steer by, and nothing that Redis would feel.
pub const EVERY: Duration = Duration::from_millis(250);

/// What a round needs.
pub struct Sharing {
    pub health: Arc<Health>,
    pub store: Arc<dyn HintStore>,
    pub clock: Arc<dyn Clock>,
    /// The same random number that the store was made with.
    pub replica: u64,
}

impl Sharing {
    /// Shares until it is dropped. While the store is away everything goes on by own figures alone; that is said once.
    pub async fn run(self, every: Duration) {
        let mut rounds = interval(every);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_away = false;
        loop {
            rounds.tick().await;
            let round = self.round().await;
            match &round {
                Ok(()) if is_away => info!("hints of channel health are shared between replicas again"),
                Err(reason) if !is_away => {
                    warn!(%reason, "hints of channel health are not shared between replicas now");
                }
                _ => {}
            }
            is_away = round.is_err();
        }
    }

    /// Tells and listens once.
    pub async fn round(&self) -> Result<(), HintError> {
        let own = self.health.hints(self.replica, self.clock.tick());
        let others = self.store.exchange(&own).await?;
        self.health.take_hints(&others, self.clock.tick());
        Ok(())
    }
}

#[cfg(test)]
mod tests;

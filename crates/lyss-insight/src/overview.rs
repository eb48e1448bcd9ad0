//! How a tenant's channels stand now.

use std::collections::HashMap;

use lyss_domain::{Channel, ChannelId, FaultKind, TenantScope, Timestamp};
use lyss_repositories::{ChannelFigures, StoreError};

use crate::{Insight, LiveCondition, StatisticsWindow, Sums};

/// One channel: what its administrator wants of it, what it does at this moment, and what it did lately.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelStanding {
    pub channel: Channel,
    pub has_credential: bool,
    /// In the process that was asked.
    pub live: LiveCondition,
    pub sums: Sums,
    pub last_attempt_at: Option<Timestamp>,
    pub last_fault: Option<LastFault>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastFault {
    pub kind: FaultKind,
    pub at: Timestamp,
}

impl Insight {
    /// Every channel of the tenant, by name.
    pub async fn channel_overview(
        &self,
        scope: &TenantScope,
        window: StatisticsWindow,
    ) -> Result<Vec<ChannelStanding>, StoreError> {
        let figures = self.attempts.figures(scope, window.since(self.clock.now())).await?;
        let catalog = self.catalog.load();
        let Some(entry) = catalog.tenant(scope.tenant()) else { return Ok(Vec::new()) };
        // A channel that changed its provider has figures for both.
        let mut by_channel: HashMap<ChannelId, Vec<&ChannelFigures>> = HashMap::new();
        for figures in &figures {
            by_channel.entry(figures.channel).or_default().push(figures);
        }
        let mut standings: Vec<_> = entry
            .channels
            .iter()
            .map(|stored| {
                let own = by_channel.remove(&stored.channel.id).unwrap_or_default();
                self.standing(&stored.channel, stored.credential.is_some(), &own)
            })
            .collect();
        standings.sort_by(|a, b| a.channel.name.cmp(&b.channel.name));
        Ok(standings)
    }

    fn standing(&self, channel: &Channel, has_credential: bool, own: &[&ChannelFigures]) -> ChannelStanding {
        let mut sums = Sums::default();
        own.iter().for_each(|figures| sums.add(figures));
        let live = self.live_condition(channel.id);
        let recorded = own.iter().filter_map(|figures| figures.last_fault);
        let recorded = recorded.map(|(kind, at)| LastFault { kind, at });
        ChannelStanding {
            channel: channel.clone(),
            has_credential,
            last_fault: recorded.chain(live.last_fault).max_by_key(|fault| fault.at),
            live,
            sums,
            last_attempt_at: own.iter().map(|figures| figures.last_attempt_at).max(),
        }
    }
}

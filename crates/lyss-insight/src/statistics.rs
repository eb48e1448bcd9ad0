//! Sums over usage records, per provider.

use std::collections::BTreeMap;

use lyss_domain::{ProviderSlug, TenantScope};
use lyss_repositories::{ChannelFigures, LatencyHistogram, SeriesPoint, StoreError};

use crate::{Insight, StatisticsWindow};

/// What one provider did for a tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderStatistics {
    pub provider: ProviderSlug,
    /// The tenant's channels to it, whatever their state.
    pub channels: u64,
    pub sums: Sums,
}

/// Figures of one channel, or of several together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sums {
    /// Requests sent upstream, failed ones and retries included.
    pub attempts: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub client_gone: u64,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    pub cost_micros: i64,
    pub latency: LatencyHistogram,
    pub ttft: LatencyHistogram,
}

impl Sums {
    /// The part that was complete, of what ended by the vendor's doing; `None`: nothing did.
    pub fn success_rate(&self) -> Option<f64> {
        let judged = self.succeeded.saturating_add(self.failed);
        (judged > 0).then(|| ratio(self.succeeded, judged))
    }

    pub(crate) fn add(&mut self, figures: &ChannelFigures) {
        self.attempts = self.attempts.saturating_add(figures.attempts);
        self.succeeded = self.succeeded.saturating_add(figures.succeeded);
        self.failed = self.failed.saturating_add(figures.failed);
        self.client_gone = self.client_gone.saturating_add(figures.client_gone);
        self.prompt_tokens = self.prompt_tokens.saturating_add(figures.prompt_tokens);
        self.completion_tokens = self.completion_tokens.saturating_add(figures.completion_tokens);
        self.cost_micros = self.cost_micros.saturating_add(figures.cost_micros);
        self.latency.merge(&figures.latency);
        self.ttft.merge(&figures.ttft);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.attempts = self.attempts.saturating_add(other.attempts);
        self.succeeded = self.succeeded.saturating_add(other.succeeded);
        self.failed = self.failed.saturating_add(other.failed);
        self.client_gone = self.client_gone.saturating_add(other.client_gone);
        self.prompt_tokens = self.prompt_tokens.saturating_add(other.prompt_tokens);
        self.completion_tokens = self.completion_tokens.saturating_add(other.completion_tokens);
        self.cost_micros = self.cost_micros.saturating_add(other.cost_micros);
        self.latency.merge(&other.latency);
        self.ttft.merge(&other.ttft);
    }

    pub(crate) fn add_point(&mut self, point: &SeriesPoint) {
        self.attempts = self.attempts.saturating_add(point.attempts);
        self.succeeded = self.succeeded.saturating_add(point.succeeded);
        self.failed = self.failed.saturating_add(point.failed);
        self.client_gone = self.client_gone.saturating_add(point.client_gone);
        self.prompt_tokens = self.prompt_tokens.saturating_add(point.prompt_tokens);
        self.completion_tokens = self.completion_tokens.saturating_add(point.completion_tokens);
        self.cost_micros = self.cost_micros.saturating_add(point.cost_micros);
        self.latency.merge(&point.latency);
        self.ttft.merge(&point.ttft);
    }
}

impl Insight {
    /// One entry for each provider that the tenant has a channel to, or used in this time; by name.
    pub async fn provider_statistics(
        &self,
        scope: &TenantScope,
        window: StatisticsWindow,
    ) -> Result<Vec<ProviderStatistics>, StoreError> {
        let figures = self.attempts.figures(scope, window.since(self.clock.now())).await?;
        let mut found: BTreeMap<ProviderSlug, (u64, Sums)> = BTreeMap::new();
        if let Some(entry) = self.catalog.load().tenant(scope.tenant()) {
            for stored in &entry.channels {
                found.entry(stored.channel.provider.clone()).or_default().0 += 1;
            }
        }
        for figures in &figures {
            found.entry(figures.provider.clone()).or_default().1.add(figures);
        }
        let statistics = found.into_iter().map(|(provider, (channels, sums))| ProviderStatistics {
            provider,
            channels,
            sums,
        });
        Ok(statistics.collect())
    }
}

#[expect(clippy::cast_precision_loss, reason = "a ratio of counts, for people")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests;

//! `[health]`

use std::time::Duration;

use anyhow::{Result, ensure};
use lyss_domain::Micros;
use lyss_proxy::ProbeSettings;
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HealthSection {
    /// Between two probes of a channel that has no traffic, or is ejected; 0: none.
    pub(crate) probe_interval_s: u64,
    /// What paid probes of one tenant may cost on one day of UTC, in millionths of a US dollar. Only channels that say
    /// `paid` are asked so.
    pub(crate) paid_probe_daily_micros: u64,
}

impl Default for HealthSection {
    fn default() -> Self {
        let defaults = ProbeSettings::default();
        Self {
            probe_interval_s: defaults.interval.as_secs(),
            paid_probe_daily_micros: u64::try_from(defaults.paid_daily.0).unwrap_or(0),
        }
    }
}

impl HealthSection {
    pub(crate) fn probes(&self) -> Result<ProbeSettings> {
        ensure!(self.probe_interval_s <= 24 * 60 * 60, "health.probe_interval_s is more than a day");
        let paid_daily = i64::try_from(self.paid_probe_daily_micros);
        ensure!(paid_daily.is_ok(), "health.paid_probe_daily_micros is too large");
        Ok(ProbeSettings {
            interval: Duration::from_secs(self.probe_interval_s),
            paid_daily: Micros(paid_daily.unwrap_or(0)),
            ..ProbeSettings::default()
        })
    }
}

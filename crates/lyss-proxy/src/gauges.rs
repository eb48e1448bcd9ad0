//! Figures that are read when somebody asks: how channels stand, who waits, which regimes `adaptive` sees.

use std::fmt;
use std::sync::Arc;

use lyss_balancing::{Phase, Regime};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::Proxy;

/// The pipeline's state as gauges of `/metrics`. Labels are closed lists: no channel is named.
pub struct Gauges(pub Arc<Proxy>);

impl fmt::Debug for Gauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gauges")
    }
}

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let proxy = &self.0;
        let now = proxy.clock().tick();
        let phases: Vec<_> = proxy.health().all().iter().map(|channel| channel.standing(now).worst).collect();
        let of_phase = |phase| phases.iter().filter(|one| **one == phase).count();
        family(
            &mut encoder,
            ("lyss_channels", "Channels by the worst state of any of their models", "state"),
            Phase::ALL.map(|phase| (phase.as_str(), of_phase(phase))),
        )?;
        let regimes = proxy.balancers().regimes();
        let of_regime = |regime| regimes.iter().filter(|(_, one)| *one == regime).count();
        family(
            &mut encoder,
            ("lyss_regimes", "Model groups that adaptive serves, by the regime it sees them in", "regime"),
            Regime::ALL.map(|regime| (regime.as_str(), of_regime(regime))),
        )?;
        let waiting = [("service", proxy.ways().gate.waiting()), ("channel", proxy.ways().lines.waiting())];
        family(&mut encoder, ("lyss_waiting", "Calls that wait for a place", "for"), waiting)
    }
}

/// One gauge with one label.
fn family<const N: usize>(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help, label): (&str, &str, &'static str),
    values: [(&'static str, usize); N],
) -> Result<(), fmt::Error> {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (value, count) in values {
        let gauge = ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX));
        gauge.encode(metric.encode_family(&[(label, value)])?)?;
    }
    Ok(())
}

//! Figures for `/metrics`. Labels come from closed lists only, so that no caller can grow them.

use lyss_domain::{AttemptRecord, FaultKind, Operation, Terminal};
use prometheus_client::encoding::{EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Up to two closed-list labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Labels<const N: usize>([(&'static str, &'static str); N]);

impl<const N: usize> EncodeLabelSet for Labels<N> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.0.as_slice().encode(encoder)
    }
}

/// Cheap to clone: every metric is shared.
#[derive(Clone)]
pub struct Meters {
    attempts: Family<Labels<2>, Counter>,
    /// The two classes looked up once.
    prompt_tokens: Counter,
    completion_tokens: Counter,
    /// How nearly every attempt ends.
    complete: Counter,
    cost_micros: Counter,
    refusals: Family<Labels<1>, Counter>,
    in_flight: Gauge,
    ttft_seconds: Histogram,
    total_seconds: Histogram,
}

impl Meters {
    pub fn register(registry: &mut Registry) -> Self {
        let seconds =
            || Histogram::new([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0]);
        let attempts = Family::<Labels<2>, Counter>::default();
        let tokens = Family::<Labels<1>, Counter>::default();
        let complete = attempts.get_or_create(&complete_labels()).clone();
        let tokens_of = |class| tokens.get_or_create(&Labels([("class", class)])).clone();
        let meters = Self {
            complete,
            attempts,
            prompt_tokens: tokens_of("prompt"),
            completion_tokens: tokens_of("completion"),
            cost_micros: Counter::default(),
            refusals: Family::default(),
            in_flight: Gauge::default(),
            ttft_seconds: seconds(),
            total_seconds: seconds(),
        };
        registry.register(
            "lyss_attempts",
            "Requests sent upstream, by how they ended",
            meters.attempts.clone(),
        );
        registry.register("lyss_tokens", "Tokens settled, by class", tokens.clone());
        registry.register(
            "lyss_cost_micros",
            "Cost settled, in millionths of a US dollar",
            meters.cost_micros.clone(),
        );
        registry.register(
            "lyss_refusals",
            "Calls answered with a fault, by its kind",
            meters.refusals.clone(),
        );
        registry.register("lyss_in_flight", "Attempts under way", meters.in_flight.clone());
        registry.register(
            "lyss_time_to_first_token_seconds",
            "From sending to the first content",
            meters.ttft_seconds.clone(),
        );
        registry.register(
            "lyss_attempt_seconds",
            "From sending to the terminal state",
            meters.total_seconds.clone(),
        );
        meters
    }

    pub(crate) fn began(&self) {
        self.in_flight.inc();
    }

    pub(crate) fn ended(&self) {
        self.in_flight.dec();
    }

    /// Counts an attempt that has ended. Called by the ledger's journal, one record after the other: workers would only
    /// wait for each other here. The service's own probes are no traffic.
    pub fn recorded(&self, record: &AttemptRecord) {
        if record.operation == Operation::Health {
            return;
        }
        match (record.terminal, record.fault) {
            (Terminal::Complete, None) => self.complete.inc(),
            (terminal, fault) => {
                let fault = fault.map_or("none", FaultKind::as_str);
                let labels = Labels([("terminal", terminal.as_str()), ("fault", fault)]);
                self.attempts.get_or_create(&labels).inc()
            }
        };
        self.prompt_tokens.inc_by(record.usage.prompt());
        self.completion_tokens.inc_by(record.usage.completion());
        self.cost_micros.inc_by(u64::try_from(record.cost.0).unwrap_or(0));
        if let Some(ttft_us) = record.ttft_us {
            self.ttft_seconds.observe(seconds(ttft_us));
        }
        self.total_seconds.observe(seconds(record.total_us));
    }

    pub(crate) fn refused(&self, kind: FaultKind) {
        self.refusals.get_or_create(&Labels([("kind", kind.as_str())])).inc();
    }
}

fn seconds(micros: i64) -> f64 {
    std::time::Duration::from_micros(u64::try_from(micros).unwrap_or(0)).as_secs_f64()
}

fn complete_labels() -> Labels<2> {
    Labels([("terminal", Terminal::Complete.as_str()), ("fault", "none")])
}

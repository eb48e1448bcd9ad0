//! Words of what is read of health, calls and reports.

use lyss_adapters::Dialect;
use lyss_domain::{Capability, HealthEventKind, HealthSource, Operation, Terminal, UsageSource};
use lyss_insight::{Period, Phase, Regime, SeriesInterval};

use super::Word;

impl Word for Capability {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for Dialect {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for HealthEventKind {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for HealthSource {
    const ALL: &'static [Self] = &[Self::Traffic, Self::Probe];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for Operation {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for Terminal {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for UsageSource {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for Period {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for SeriesInterval {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

/// A breaker's; that a vendor asked to be left alone is told apart.
impl Word for Phase {
    const ALL: &'static [Self] = &[Self::Closed, Self::Open, Self::HalfOpen];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for Regime {
    const ALL: &'static [Self] = &[Self::Idle, Self::Steady, Self::Burst, Self::Degraded];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

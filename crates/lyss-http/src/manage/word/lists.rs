//! The closed lists there are: words of the domain, which are not `Serialize` themselves, and what lists are sorted by.

use lyss_domain::{
    Affinity, AuditOutcome, ChannelState, KeyScope, Objective, PolicyMode, ProbeMode, ProviderKind,
    ScopeKind, Strategy, Window,
};
use lyss_insight::StatisticsWindow;
use lyss_management::{AuditSort, ChannelSort, KeySort, PolicySort, PriceSort, ProviderSort, TenantSort};

use super::Word;

impl Word for AuditOutcome {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for ProbeMode {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for StatisticsWindow {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for KeyScope {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for ProviderKind {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for ScopeKind {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for Objective {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for Affinity {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for Strategy {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for Window {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for AuditSort {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for ChannelSort {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for KeySort {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for PolicySort {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for PriceSort {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for ProviderSort {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for TenantSort {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for ChannelState {
    const ALL: &'static [Self] = &[Self::Enabled, Self::Disabled, Self::Draining];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for PolicyMode {
    const ALL: &'static [Self] = &[Self::Enforce, Self::Shadow];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

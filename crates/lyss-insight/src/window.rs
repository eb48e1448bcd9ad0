//! How far back a statistic looks.

use std::time::Duration;

use lyss_domain::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum StatisticsWindow {
    Hour,
    #[default]
    Day,
    Week,
    Month,
}

impl StatisticsWindow {
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|window| window.as_str() == text)
    }

    pub const fn length(self) -> Duration {
        match self {
            Self::Hour => Duration::from_hours(1),
            Self::Day => Duration::from_hours(24),
            Self::Week => Duration::from_hours(24 * 7),
            Self::Month => Duration::from_hours(24 * 30),
        }
    }

    /// When a window that ends now began.
    pub fn since(self, now: Timestamp) -> Timestamp {
        let micros = i64::try_from(self.length().as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(now.as_micros().saturating_sub(micros))
    }
}

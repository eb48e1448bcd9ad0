//! Quota windows. The window's start is part of a counter's name, so no job ever resets anything.

use std::fmt;

use jiff::tz::TimeZone;
use jiff::{ToSpan, Unit, Zoned};

use crate::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
    Minute,
    Hour,
    /// A calendar day in the tenant's zone: 23 or 25 hours where clocks change.
    Day,
    /// A calendar month in the tenant's zone.
    Month,
}

/// The instant a window began: the second half of a counter's name, the policy's id being the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowStart(pub Timestamp);

/// One window on the time line: `start` is inside, `end` is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowSpan {
    pub start: WindowStart,
    pub end: Timestamp,
}

/// The zone's name is not in the IANA database.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown time zone")]
pub struct UnknownZone;

/// A tenant's calendar: an IANA zone, looked up once.
#[derive(Clone, Debug)]
pub struct Calendar(TimeZone);

impl Window {
    pub const ALL: [Self; 4] = [Self::Minute, Self::Hour, Self::Day, Self::Month];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|w| w.as_str() == text)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Calendar {
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    pub fn named(zone: &str) -> Result<Self, UnknownZone> {
        TimeZone::get(zone).map(Self).map_err(|_| UnknownZone)
    }

    /// The window of this kind that `at` falls into.
    pub fn span(&self, window: Window, at: Timestamp) -> WindowSpan {
        match window {
            Window::Minute => fixed(at, 60_000_000),
            // Not every zone's offset is whole hours; an hour here is the wall clock's.
            Window::Hour => self.hour(at),
            Window::Day => self.calendar(at, Unit::Day),
            Window::Month => self.calendar(at, Unit::Month),
        }
    }

    fn hour(&self, at: Timestamp) -> WindowSpan {
        let hour_us = 3_600_000_000;
        let shift_us = i64::from(self.0.to_offset(at.to_jiff()).seconds()).saturating_mul(1_000_000);
        let local = fixed(Timestamp::from_micros(at.as_micros().saturating_add(shift_us)), hour_us);
        let start = local.start.0.as_micros().saturating_sub(shift_us);
        WindowSpan {
            start: WindowStart(Timestamp::from_micros(start)),
            end: Timestamp::from_micros(start.saturating_add(hour_us)),
        }
    }

    fn calendar(&self, at: Timestamp, unit: Unit) -> WindowSpan {
        let zoned = at.to_jiff().to_zoned(self.0.clone());
        let (start, step) = match unit {
            Unit::Month => (zoned.first_of_month().and_then(|day| day.start_of_day()), 1.month()),
            _ => (zoned.start_of_day(), 1.day()),
        };
        let end =
            start.as_ref().ok().and_then(|s| s.checked_add(step).ok()).and_then(|e| e.start_of_day().ok());
        match (start, end) {
            (Ok(start), Some(end)) => WindowSpan { start: WindowStart(instant(&start)), end: instant(&end) },
            // Only at the very ends of jiff's calendar.
            _ => fixed(at, 86_400_000_000),
        }
    }
}

fn instant(zoned: &Zoned) -> Timestamp {
    Timestamp::from_micros(zoned.timestamp().as_microsecond())
}

fn fixed(at: Timestamp, length_us: i64) -> WindowSpan {
    let start = at.as_micros().div_euclid(length_us).saturating_mul(length_us);
    WindowSpan {
        start: WindowStart(Timestamp::from_micros(start)),
        end: Timestamp::from_micros(start.saturating_add(length_us)),
    }
}

#[cfg(test)]
mod tests;

//! Reports: what a person reads once a day, as figures, as Markdown and as a page. A report is figures first; its
//! [`Document`] is made from them, and both forms for people from that.

pub mod balancing;
pub mod document;
pub mod health;

pub use document::Document;

use std::time::Duration;

use lyss_domain::Timestamp;

/// How far back a report looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Period {
    #[default]
    Day,
    Week,
}

impl Period {
    pub const ALL: [Self; 2] = [Self::Day, Self::Week];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    pub const fn length(self) -> Duration {
        match self {
            Self::Day => Duration::from_hours(24),
            Self::Week => Duration::from_hours(24 * 7),
        }
    }
}

/// A share of 0 to 1, as people read it.
fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Hundredths, where there is a figure.
fn percent_or_dash(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), percent)
}

/// Microseconds as milliseconds or seconds.
fn latency(micros: Option<u64>) -> String {
    match micros {
        None => "–".to_owned(),
        Some(micros) if micros < 10_000_000 => format!("{} ms", micros.div_ceil(1_000)),
        Some(micros) => format!("{:.1} s", Duration::from_micros(micros).as_secs_f64()),
    }
}

/// As long as a person needs to hear it.
fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 if time.is_zero() => "–".to_owned(),
        0..=119 => format!("{} s", time.as_millis().div_ceil(1_000)),
        120..=7_199 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// Millionths of a dollar.
fn money(micros: i64) -> String {
    let dollars = micros as f64 / 1e6;
    if micros != 0 && dollars.abs() < 0.1 { format!("${dollars:.5}") } else { format!("${dollars:.2}") }
}

/// To the second.
fn moment(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_secs().saturating_mul(1_000))
}

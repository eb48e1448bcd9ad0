//! What a vendor says of its rate windows beside any answer, good or bad.
//!
//! Names are read by their words, since vendors agree on these and on little else: `x-ratelimit-remaining-tokens` (OpenAI,
//! Azure, Groq, xAI), `x-ratelimit-remaining-requests-day` (Cerebras), `anthropic-ratelimit-input-tokens-remaining`,
//! `x-ratelimitbysize-remaining-minute` (Mistral), `x-tokenlimit-remaining` (Together), `ratelimit-remaining` and
//! `ratelimit` (drafts of the IETF). What counts neither requests nor tokens is passed over.

use std::time::Duration;

use http::HeaderMap;
use lyss_domain::{RateHeadroom, Timestamp, WindowLeft};

use crate::vendor_error::{answered_at, reset_in};

/// More windows than any vendor speaks of.
const MOST_WINDOWS: usize = 16;

/// Words of a name that say nothing of what is counted, or say that it is requests or tokens.
const PLAIN: [&str; 23] = [
    "x",
    "anthropic",
    "ratelimit",
    "ratelimitbysize",
    "tokenlimit",
    "rate",
    "limit",
    "requests",
    "request",
    "req",
    "tokens",
    "token",
    "tokens_usage_based",
    "input",
    "output",
    "prompt",
    "generated",
    "project",
    "dynamic",
    "second",
    "minute",
    "hour",
    "day",
];

/// The scarcest window of requests and that of tokens, as the answer's headers have it. `now` stands in where the answer
/// has no date.
pub fn read(headers: &HeaderMap, now: Timestamp) -> RateHeadroom {
    let mut windows: Vec<Said<'_>> = Vec::new();
    for (name, value) in headers {
        let name = name.as_str();
        if !name.contains("limit") {
            continue;
        }
        let Some(value) = value.to_str().ok().map(str::trim) else { continue };
        if name == "ratelimit" || name == "x-ratelimit" {
            windows.extend(in_one(name, value));
        } else if let Some((measure, place)) = measure_of(name) {
            let position = windows.iter().position(|said| said.is_of(name, place));
            let position = position.unwrap_or_else(|| {
                windows.push(Said { name, place, ..Said::default() });
                windows.len() - 1
            });
            if let Some(said) = windows.get_mut(position) {
                said.take(measure, value);
            }
        }
        if windows.len() > MOST_WINDOWS {
            break;
        }
    }
    if windows.is_empty() {
        return RateHeadroom::default();
    }
    let now = answered_at(headers).unwrap_or(now);
    let mut headroom = RateHeadroom::default();
    for said in &windows {
        let Some(left) = said.window(now) else { continue };
        let scarcest = if said.is_of_tokens() { &mut headroom.tokens } else { &mut headroom.requests };
        if scarcest.is_none_or(|known| share(left) < share(known)) {
            *scarcest = Some(left);
        }
    }
    headroom
}

/// What a header says of its window.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Measure {
    Limit,
    Remaining,
    Reset,
    Period,
}

/// The headers of one window.
#[derive(Default)]
struct Said<'a> {
    /// Of one of them, and which of its words is the measure.
    name: &'a str,
    place: usize,
    limit: Option<u64>,
    remaining: Option<u64>,
    reset: Option<&'a str>,
    period: Option<u64>,
}

impl<'a> Said<'a> {
    /// Two headers tell of the same window when their names differ in the measure alone.
    fn is_of(&self, name: &str, place: usize) -> bool {
        other_words(self.name, self.place).eq(other_words(name, place))
    }

    fn take(&mut self, measure: Measure, value: &'a str) {
        match measure {
            Measure::Limit => self.limit = leading_number(value),
            Measure::Remaining => self.remaining = leading_number(value),
            Measure::Reset => self.reset = Some(value),
            Measure::Period => self.period = leading_number(value),
        }
    }

    fn is_of_tokens(&self) -> bool {
        self.name.contains("token") || self.name.contains("bysize")
    }

    fn window(&self, now: Timestamp) -> Option<WindowLeft> {
        let said = self.reset.and_then(|value| reset_in(value, now)).filter(|reset| !reset.is_zero());
        let period = self.period.map(Duration::from_secs).or_else(|| self.period_in_name());
        // Azure writes a reset of zero beside a window that is not whole.
        let resets_in = said.or(period).or_else(|| self.reset.and_then(|value| reset_in(value, now)));
        Some(WindowLeft { limit: self.limit.unwrap_or(0), remaining: self.remaining?, resets_in })
    }

    fn period_in_name(&self) -> Option<Duration> {
        let secs = other_words(self.name, self.place).find_map(|word| match word {
            "second" => Some(1),
            "minute" => Some(60),
            "hour" => Some(3_600),
            "day" => Some(86_400),
            _ => None,
        });
        secs.map(Duration::from_secs)
    }
}

/// Which word of the name is the measure. `None`: it has none, or counts something else.
fn measure_of(name: &str) -> Option<(Measure, usize)> {
    let mut found: Option<(Measure, usize)> = None;
    for (place, word) in name.split('-').enumerate() {
        let measure = match word {
            // `x-rate-limit-remaining` has the word twice; the finer one counts.
            "limit" => Measure::Limit,
            "remaining" => Measure::Remaining,
            "reset" => Measure::Reset,
            "renewalperiod" => Measure::Period,
            _ if PLAIN.contains(&word) => continue,
            _ => return None,
        };
        let is_finer = measure != Measure::Limit || found.is_none_or(|(known, _)| known == Measure::Limit);
        if is_finer {
            found = Some((measure, place));
        }
    }
    found
}

fn other_words(name: &str, place: usize) -> impl Iterator<Item = &str> {
    name.split('-').enumerate().filter(move |(at, _)| *at != place).map(|(_, word)| word)
}

/// `"default";r=50;t=30` and `limit=100, remaining=50, reset=5`: drafts 8 and 7 of the IETF's field; of several windows the
/// first.
fn in_one<'a>(name: &'a str, value: &'a str) -> Option<Said<'a>> {
    let mut said = Said { name, place: usize::MAX, ..Said::default() };
    for part in value.split([',', ';']) {
        let Some((key, figure)) = part.trim().split_once('=') else { continue };
        match key.trim() {
            "r" | "remaining" if said.remaining.is_some() => break,
            "r" | "remaining" => said.take(Measure::Remaining, figure.trim()),
            "q" | "limit" => said.take(Measure::Limit, figure.trim()),
            "t" | "reset" if said.reset.is_none() => said.take(Measure::Reset, figure.trim()),
            _ => {}
        }
    }
    said.remaining.map(|_| said)
}

/// The number that a value begins with; some vendors add the window behind it.
fn leading_number(value: &str) -> Option<u64> {
    let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    value.get(..digits)?.parse().ok()
}

/// How much is left of the whole; where the whole is not known, nothing left is the only thing that says something.
fn share(window: WindowLeft) -> f64 {
    match (window.limit, window.remaining) {
        (_, 0) => 0.0,
        (0, _) => 1.0,
        (limit, remaining) => remaining as f64 / limit as f64,
    }
}

#[cfg(test)]
mod tests;

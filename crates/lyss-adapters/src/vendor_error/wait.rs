//! How long a vendor asks to wait, in all the forms that vendors write. There is no clock here: a moment is measured
//! against the `date` of the same answer, and passed over where that is missing.

use std::time::Duration;

use http::header::DATE;
use http::{HeaderMap, HeaderName, HeaderValue};
use lyss_domain::Timestamp;
use serde_json::Value;

/// More than this is asked by mistake.
const MAX_WAIT: Duration = Duration::from_secs(24 * 3600);

/// The wait in `retry-after-ms` (OpenAI, Azure) or `retry-after` (RFC 9110: seconds or a date, and what others put there)
/// or the names that proxies give it; else the reset of a rate window that the same headers call empty.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    const NAMES: [&str; 3] = ["retry-after", "x-retry-after", "x-ratelimit-retry-after"];
    const IN_MILLIS: [&str; 2] = ["retry-after-ms", "x-ms-retry-after-ms"];
    let millis = || {
        let millis = IN_MILLIS.iter().find_map(|name| number(text(headers, name)?))?;
        seconds(millis / 1_000.0)
    };
    let asked = || {
        NAMES.iter().find_map(|name| {
            let value = text(headers, name)?;
            http_date(value).map_or_else(|| reset_of(headers, value), |moment| until(headers, moment))
        })
    };
    millis().or_else(asked).or_else(|| empty_window(headers)).map(bounded)
}

/// When the answer says that it was written.
pub(crate) fn answered_at(headers: &HeaderMap) -> Option<Timestamp> {
    http_moment(text(headers, "date")?)
}

/// `x-ratelimit-reset…` beside an `x-ratelimit-remaining…` of nothing, the longest where several windows are empty. Read:
/// `6m0s`, `1s`, `200ms` (OpenAI, Groq), seconds (Together, Cerebras), seconds or milliseconds since 1970 (OpenRouter and
/// others) and RFC 3339 (Anthropic's `anthropic-ratelimit-…-reset`).
fn empty_window(headers: &HeaderMap) -> Option<Duration> {
    let waits = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str();
        let is_limit = name.contains("ratelimit") || name.contains("rate-limit");
        if !is_limit || !name.contains("remaining") {
            return None;
        }
        let is_empty = value.to_str().ok().and_then(number)? <= 0.0;
        let reset = match name.strip_suffix("-remaining") {
            // Anthropic writes the two words last.
            Some(window) => format!("{window}-reset"),
            None => name.replacen("-remaining-", "-reset-", 1),
        };
        is_empty.then(|| reset_of(headers, text(headers, &reset)?))?
    });
    waits.max()
}

fn reset_of(headers: &HeaderMap, value: &str) -> Option<Duration> {
    match moment_or_wait(value)? {
        Reset::At(moment) => until(headers, moment),
        Reset::In(wait) => Some(wait),
    }
}

/// How long until a reset in any of the forms that vendors write, from `now`.
pub(crate) fn reset_in(value: &str, now: Timestamp) -> Option<Duration> {
    match moment_or_wait(value)? {
        Reset::At(moment) => seconds((moment - now.since(Timestamp::default()).as_secs_f64()).max(0.0)),
        Reset::In(wait) => Some(wait),
    }
}

enum Reset {
    /// Seconds since 1970.
    At(f64),
    In(Duration),
}

fn moment_or_wait(value: &str) -> Option<Reset> {
    /// Later than any wait in seconds: the year 2001 as seconds since 1970, and 1970 still as milliseconds.
    const FIRST_MOMENT: f64 = 1e9;
    const FIRST_MILLIS: f64 = 1e11;
    match number(value) {
        Some(moment) if moment >= FIRST_MILLIS => Some(Reset::At(moment / 1_000.0)),
        Some(moment) if moment >= FIRST_MOMENT => Some(Reset::At(moment)),
        Some(wait) => seconds(wait).map(Reset::In),
        None => duration(value).map(Reset::In).or_else(|| {
            let at = Timestamp::parse_rfc3339(value)?;
            Some(Reset::At(at.since(Timestamp::default()).as_secs_f64()))
        }),
    }
}

/// From the answer's own date to a moment in seconds since 1970.
fn until(headers: &HeaderMap, moment: f64) -> Option<Duration> {
    let now = http_date(headers.get(DATE)?.to_str().ok()?)?;
    seconds((moment - now).max(0.0))
}

/// A wait inside an error object: Google's `details[].retryDelay`, a member that is named for it, the headers that
/// OpenRouter repeats, else what the message says in words.
pub(super) fn in_body(error: &Value, message: &str) -> Option<Duration> {
    let details = error.get("details").and_then(Value::as_array);
    let delay = |detail: &Value| duration(detail.get("retryDelay")?.as_str()?);
    details
        .and_then(|list| list.iter().find_map(delay))
        .or_else(|| in_member(error))
        .or_else(|| in_member(error.get("metadata")?))
        .or_else(|| retry_after(&repeated(error.get("metadata")?.get("headers")?.as_object()?)))
        .or_else(|| in_words(message))
        .map(bounded)
}

/// `retry_after` and its like: a number, or a text of one or with a unit.
pub(super) fn in_member(object: &Value) -> Option<Duration> {
    const MEMBERS: [(&str, f64); 7] = [
        ("retry_after_ms", 1e-3),
        ("retryAfterMs", 1e-3),
        ("retry_after", 1.0),
        ("retryAfter", 1.0),
        ("retry_after_seconds", 1.0),
        ("retry_after_secs", 1.0),
        ("estimated_time", 1.0),
    ];
    MEMBERS.iter().find_map(|(member, factor)| match object.get(member)? {
        Value::Number(figure) => seconds(figure.as_f64()? * factor),
        Value::String(text) => {
            number(text).and_then(|figure| seconds(figure * factor)).or_else(|| duration(text))
        }
        _ => None,
    })
}

/// Headers that stand in a body; of many the first.
fn repeated(object: &serde_json::Map<String, Value>) -> HeaderMap {
    let pairs = object.iter().take(32).filter_map(|(name, value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(&text).ok()?))
    });
    pairs.collect()
}

/// "Please try again in 1.2s" (OpenAI, Groq), "Please retry in 37.1s" (Google), "retry after 6 seconds" (Azure).
fn in_words(message: &str) -> Option<Duration> {
    const BEFORE: [&str; 8] = [
        "try again in ",
        "retry in ",
        "retry after ",
        "try again after ",
        "please wait ",
        "reset after ",
        "resets in ",
        "reset in ",
    ];
    let message = message.to_lowercase();
    let (at, before) = BEFORE.iter().find_map(|before| Some((message.find(before)?, before)))?;
    let rest = message.get(at + before.len()..)?;
    let mut words = rest.split_whitespace().map(|word| word.trim_end_matches(['.', ',', ';', ')']));
    let first = words.next()?;
    if let Some(wait) = duration(first) {
        return Some(wait);
    }
    let unit = match words.next()? {
        "ms" | "millisecond" | "milliseconds" => 0.001,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3_600.0,
        _ => return None,
    };
    seconds(number(first)? * unit)
}

/// A length of time as Go and Protocol Buffers write it: `37s`, `1.5s`, `200ms`, `6m0s`, `1h2m3s`. Never a bare number.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, f64); 8] = [
        ("ms", 1e-3),
        ("us", 1e-6),
        ("µs", 1e-6),
        ("ns", 1e-9),
        ("d", 86_400.0),
        ("h", 3_600.0),
        ("m", 60.0),
        ("s", 1.0),
    ];
    let mut rest = text.trim();
    if rest.is_empty() || rest.len() > 64 {
        return None;
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (figure, tail) = rest.split_at_checked(digits)?;
        let (unit, factor) = UNITS.iter().find(|(unit, _)| tail.starts_with(unit))?;
        total += number(figure)? * factor;
        rest = tail.get(unit.len()..)?;
    }
    seconds(total)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// A plain number: neither signs in words nor `NaN`.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

fn seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().map(bounded)
}

fn bounded(wait: Duration) -> Duration {
    wait.min(MAX_WAIT)
}

/// Seconds since 1970 of an HTTP date (RFC 9110, section 5.6.7) in the one form that may be sent today:
/// `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<f64> {
    Some(http_moment(text)?.since(Timestamp::default()).as_secs_f64())
}

fn http_moment(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, rest) = text.trim().split_once(", ")?;
    let mut words = rest.split(' ');
    let day: u32 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let year: u32 = words.next()?.parse().ok()?;
    let time = words.next()?;
    let is_gmt = words.next() == Some("GMT") && words.next().is_none();
    let moment = format!("{year:04}-{month:02}-{day:02}T{time}Z");
    Timestamp::parse_rfc3339(&moment).filter(|_| is_gmt && year >= 1970)
}

#[cfg(test)]
mod tests;

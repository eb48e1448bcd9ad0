//! The forms in which vendors ask to be left alone for a while.
//!
//! `Retry-After` in seconds and as a date: RFC 9110, section 10.2.3. `retry-after-ms`: Azure OpenAI and OpenAI's SDKs.
//! Reset headers: OpenAI's "Rate limits" guide (`1s`, `6m0s`), Anthropic's (RFC 3339). In words: OpenAI's messages.
//! `RetryInfo`: `google.rpc`.

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::knobs::{Knobs, WaitForm};
use crate::refusal::Refusal;
use crate::vendor::Vendor;

/// The moment that dates and resets are measured from, so that no clock is read.
const NOW: &str = "Sun, 15 Jun 2025 00:00:00 GMT";
/// Moments are written within that day.
const LAST_SECOND: u64 = 86_399;

/// What the error object says of the wait.
pub(super) fn say_in_body(refusal: &mut Refusal, knobs: &Knobs, vendor: Vendor) {
    let Some(seconds) = knobs.retry_after_s else { return };
    match (knobs.wait, vendor) {
        // Google has no header for it.
        (WaitForm::Own | WaitForm::Body, Vendor::Google) => refusal.retry_after_s = Some(seconds),
        (WaitForm::Body, _) => refusal.ask_to_wait(seconds as f64),
        _ => {}
    }
}

pub(super) fn say_in_headers(headers: &mut HeaderMap, knobs: &Knobs, vendor: Vendor) {
    let Some(seconds) = knobs.retry_after_s else { return };
    match (knobs.wait, vendor) {
        (WaitForm::Body, _) | (WaitForm::Own, Vendor::Google) => {}
        (WaitForm::Own, _) => {
            headers.insert(RETRY_AFTER, seconds.into());
            if vendor == Vendor::AzureOpenAi {
                headers.insert("retry-after-ms", seconds.saturating_mul(1000).into());
            }
        }
        (WaitForm::Date, _) => {
            let [hours, minutes, seconds] = of_day(seconds);
            headers.insert(DATE, HeaderValue::from_static(NOW));
            let moment = format!("Sun, 15 Jun 2025 {hours:02}:{minutes:02}:{seconds:02} GMT");
            insert(headers, RETRY_AFTER, &moment);
        }
        (WaitForm::Millis, _) => {
            headers.insert("retry-after-ms", seconds.saturating_mul(1000).into());
        }
        (WaitForm::Reset, _) => {
            let window = Told { what: "requests", limit: 1_000, left: 0, reset_ms: seconds * 1000 };
            say_window(headers, vendor, &window);
        }
    }
}

/// A rate window as headers tell it.
pub(super) struct Told {
    /// `requests` or `tokens`.
    pub(super) what: &'static str,
    pub(super) limit: u64,
    pub(super) left: u64,
    pub(super) reset_ms: u64,
}

pub(super) fn say_window(headers: &mut HeaderMap, vendor: Vendor, window: &Told) {
    let Told { what, limit, left, reset_ms } = *window;
    let name = |text: String| HeaderName::try_from(text).ok();
    let (limit_name, left_name, reset_name, reset) = if vendor == Vendor::Anthropic {
        let [hours, minutes, seconds] = of_day(reset_ms.div_ceil(1000));
        headers.insert(DATE, HeaderValue::from_static(NOW));
        let at = |word: &str| name(format!("anthropic-ratelimit-{what}-{word}"));
        let reset = format!("2025-06-15T{hours:02}:{minutes:02}:{seconds:02}Z");
        (at("limit"), at("remaining"), at("reset"), reset)
    } else {
        let at = |word: &str| name(format!("x-ratelimit-{word}-{what}"));
        let reset = if reset_ms.is_multiple_of(1000) {
            format!("{}s", reset_ms / 1000)
        } else {
            format!("{reset_ms}ms")
        };
        (at("limit"), at("remaining"), at("reset"), reset)
    };
    for (name, value) in [(limit_name, limit.to_string()), (left_name, left.to_string()), (reset_name, reset)]
    {
        if let Some(name) = name {
            insert(headers, name, &value);
        }
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Hours, minutes and seconds.
fn of_day(seconds: u64) -> [u64; 3] {
    let seconds = seconds.min(LAST_SECOND);
    [seconds / 3600, seconds / 60 % 60, seconds % 60]
}

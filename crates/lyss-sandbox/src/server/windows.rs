//! Rate windows that fill up, one for each key and model that a knob gives one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use http::request::Parts;
use tokio::time::Instant;

use super::waits::{Told, say_window};
use crate::knobs::{Knobs, Tell, Window};
use crate::refusal::{Kind, Refusal};
use crate::vendor::Vendor;

/// As many windows as a vendor keeps; beyond that, those that are over are forgotten.
const KEPT: usize = 1_024;

#[derive(Debug, Default)]
pub(super) struct Windows(Mutex<HashMap<Whose, Used>>);

/// The caller's key, and the model with its knobs.
type Whose = (String, String);

#[derive(Debug, Clone, Copy)]
struct Used {
    ends: Instant,
    requests: u64,
    tokens: u64,
}

/// A window right after a call was counted in it, or found not to fit.
#[derive(Debug)]
pub(super) struct Meter {
    window: Window,
    used: Used,
    left: Duration,
    over: bool,
}

impl Windows {
    /// Counts a call that will be answered; `None` where it has no window.
    pub(super) fn take(&self, parts: &Parts, knobs: &Knobs, tokens: u64) -> Option<Meter> {
        let window = knobs.window.clone()?;
        let now = Instant::now();
        let ends = now + Duration::from_millis(window.length_ms);
        let fresh = Used { ends, requests: 0, tokens: 0 };
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= KEPT {
            windows.retain(|_, used| used.ends > now);
        }
        let whose = (key(&parts.headers), window.of.clone());
        if windows.len() >= KEPT && !windows.contains_key(&whose) {
            return None;
        }
        let used = windows.entry(whose).or_insert(fresh);
        if used.ends <= now {
            *used = fresh;
        }
        let fits = |limit: Option<u64>, used: u64, more: u64| limit.is_none_or(|limit| used + more <= limit);
        let over = !(fits(window.requests, used.requests, 1) && fits(window.tokens, used.tokens, tokens));
        if !over {
            used.requests += 1;
            used.tokens += tokens;
        }
        Some(Meter { used: *used, left: used.ends.saturating_duration_since(now), over, window })
    }
}

impl Meter {
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    pub(super) fn refusal(&self) -> Refusal {
        let mut refusal = Refusal::wished(Kind::RateLimited);
        if self.window.tell != Tell::Nowhere {
            refusal.retry_after_s = Some(self.left.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX));
        }
        if self.window.tell == Tell::Body {
            refusal.ask_to_wait(self.left.as_millis() as f64 / 1000.0);
        }
        refusal
    }

    pub(super) fn say_in_headers(&self, headers: &mut HeaderMap, vendor: Vendor) {
        if self.window.tell != Tell::Header {
            // What the vendor says of its windows otherwise would be another window's.
            let told: Vec<_> =
                headers.keys().filter(|name| name.as_str().contains("ratelimit")).cloned().collect();
            told.iter().for_each(|name| drop(headers.remove(name)));
            return;
        }
        let reset_ms = u64::try_from(self.left.as_millis()).unwrap_or(u64::MAX);
        let both = [
            ("requests", self.window.requests, self.used.requests),
            ("tokens", self.window.tokens, self.used.tokens),
        ];
        // Neither says anything in headers.
        let silent = matches!(vendor, Vendor::Google | Vendor::DeepSeek);
        for (what, limit, used) in both {
            if let Some(limit) = limit.filter(|_| !silent) {
                say_window(
                    headers,
                    vendor,
                    &Told { what, limit, left: limit.saturating_sub(used), reset_ms },
                );
            }
        }
        if self.over && vendor != Vendor::Google {
            headers.insert(RETRY_AFTER, reset_ms.div_ceil(1000).into());
        }
    }
}

/// In whichever header the vendor takes it.
fn key(headers: &HeaderMap) -> String {
    let names = ["authorization", "x-api-key", "api-key", "x-goog-api-key"];
    let found = names.iter().find_map(|name| headers.get(*name)?.to_str().ok());
    found.unwrap_or_default().to_owned()
}

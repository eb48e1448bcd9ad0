//! What is left of a vendor's rate windows: by what it says beside its answers, less what was sent since, and by what was
//! learned of windows that it says nothing of.

use std::time::Duration;

use lyss_domain::{RateHeadroom, Tick, WindowLeft};

mod flow;
mod hidden;

pub(crate) use flow::Flow;
pub(crate) use hidden::HiddenLimit;

/// Where no reset is said: vendors count by the minute.
const A_MINUTE: Duration = Duration::from_secs(60);

/// The two windows that vendors speak of.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SaidHeadroom {
    requests: Option<Window>,
    tokens: Option<Window>,
}

/// One window as it was last said, and what was sent since.
#[derive(Clone, Copy, Debug)]
struct Window {
    limit: f32,
    remaining: f32,
    at: Tick,
    resets_in: Duration,
    sent: f32,
}

impl SaidHeadroom {
    pub(crate) fn learn(&mut self, said: &RateHeadroom, now: Tick) {
        learn(&mut self.requests, said.requests, now);
        learn(&mut self.tokens, said.tokens, now);
    }

    pub(crate) fn sent(&mut self, tokens: u64) {
        if let Some(window) = &mut self.requests {
            window.sent += 1.0;
        }
        if let Some(window) = &mut self.tokens {
            window.sent += tokens as f32;
        }
    }

    /// 0 to 1, of the scarcer window; 1 where nothing is known.
    pub(crate) fn left(&self, now: Tick) -> f32 {
        let left = |window: &Option<Window>| window.as_ref().map_or(1.0, |window| window.left(now));
        left(&self.requests).min(left(&self.tokens))
    }

    /// Requests and tokens a second that what is left bears until the windows are whole again; `None`: nothing is known.
    pub(crate) fn bears(&self, now: Tick) -> (Option<f32>, Option<f32>) {
        let bears = |window: &Option<Window>| {
            window
                .filter(|window| now.since(window.at) < window.resets_in.max(A_MINUTE))
                .map(|w| w.bears(now))
        };
        (bears(&self.requests), bears(&self.tokens))
    }

    /// Until a whole window has passed since it was last spoken of, and it says nothing any more.
    pub(crate) fn limits(&self, now: Tick) -> (Option<f32>, Option<f32>) {
        let limit = |window: &Option<Window>| {
            window.filter(|window| now.since(window.at) < window.resets_in.max(A_MINUTE)).map(|w| w.limit)
        };
        (limit(&self.requests), limit(&self.tokens))
    }
}

fn learn(window: &mut Option<Window>, said: Option<WindowLeft>, now: Tick) {
    let Some(said) = said else { return };
    let remaining = said.remaining as f32;
    // Where no limit is said, the most that was ever left stands for it.
    let known = window.map_or(0.0, |window| window.limit);
    let limit = if said.limit > 0 { said.limit as f32 } else { known.max(remaining) };
    if limit > 0.0 {
        let resets_in = said.resets_in.unwrap_or(A_MINUTE);
        *window = Some(Window { limit, remaining: remaining.min(limit), at: now, resets_in, sent: 0.0 });
    }
}

impl Window {
    /// Windows fill as they are described by OpenAI and Anthropic: steadily, and whole at the time of the reset. What was
    /// sent drains from the same bucket and comes back at the same pace.
    fn left(&self, now: Tick) -> f32 {
        let passed = now.since(self.at).as_secs_f32();
        let resets_in = self.resets_in.as_secs_f32();
        let missing = self.limit - self.remaining;
        let filled = if passed >= resets_in { missing } else { missing * passed / resets_in };
        let pace = self.limit / A_MINUTE.as_secs_f32();
        let owed = (self.sent - (passed - resets_in).max(0.0) * pace).max(0.0);
        ((self.remaining + filled - owed) / self.limit).clamp(0.0, 1.0)
    }
}

impl Window {
    /// A second, spent evenly until the reset. Where a bucket fills steadily the reset is near when it is nearly full, so
    /// twice the limit's own pace is the most; half full, both come to the pace at which it fills.
    fn bears(&self, now: Tick) -> f32 {
        let most = 2.0 * self.limit / A_MINUTE.as_secs_f32();
        let resets_in = self.resets_in.saturating_sub(now.since(self.at));
        if resets_in.is_zero() {
            return self.limit / A_MINUTE.as_secs_f32();
        }
        let left = (self.remaining - self.sent).max(0.0);
        (left / resets_in.as_secs_f32().max(1.0)).min(most)
    }
}

#[cfg(test)]
mod tests;

//! Leaving a vendor alone that asked for it: a rate limit is no failure, and ends by itself at a known time.

use std::time::Duration;

use lyss_domain::Tick;

use crate::breaker::jittered;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CooldownSettings {
    /// A vendor's own word is followed up to here.
    pub longest_asked: Duration,
    /// Without a word: the first wait, doubled with each refusal that follows, and the longest.
    pub wait: Duration,
    pub longest_wait: Duration,
    /// Waits of our own are spread by so much of their length to both sides, 0 to 1.
    pub jitter: f32,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cooldown {
    until: Option<Tick>,
    /// The same by what was said to this process, and not to another one.
    own_until: Option<Tick>,
    /// Refusals without a word and without a success between them.
    refusals: u32,
}

impl Default for CooldownSettings {
    fn default() -> Self {
        Self {
            longest_asked: Duration::from_secs(300),
            wait: Duration::from_secs(2),
            longest_wait: Duration::from_secs(60),
            jitter: 0.2,
        }
    }
}

impl Cooldown {
    /// How long yet.
    pub(crate) fn left(&self, now: Tick) -> Option<Duration> {
        self.until.filter(|until| *until > now).map(|until| until.since(now))
    }

    /// How long yet by what was said to this process; only that is told on, else two replicas would keep each other
    /// waiting.
    pub(crate) fn own_left(&self, now: Tick) -> Option<Duration> {
        self.own_until.filter(|until| *until > now).map(|until| until.since(now))
    }

    /// Cools, and tells for how long where it was not cooling before. Of several words the longest holds; a vendor's
    /// own is never shortened by our spreading.
    pub(crate) fn refuse(
        &mut self,
        asked: Option<Duration>,
        settings: &CooldownSettings,
        draw: u64,
        now: Tick,
    ) -> Option<Duration> {
        let was_cooling = self.left(now);
        let wait = match asked.filter(|asked| !asked.is_zero()) {
            Some(asked) => asked.min(settings.longest_asked),
            // A burst that was under way is one refusal, not many.
            None if was_cooling.is_some() => return None,
            None => {
                let doubled = settings.wait.saturating_mul(1 << self.refusals.min(16));
                self.refusals = self.refusals.saturating_add(1);
                jittered(doubled.min(settings.longest_wait), settings.jitter, draw)
            }
        };
        self.extend(now.after(wait));
        self.own_until = self.own_until.max(Some(now.after(wait)));
        was_cooling.is_none().then_some(wait)
    }

    /// At least until then, as others say.
    pub(crate) fn extend(&mut self, until: Tick) {
        self.until = self.until.max(Some(until));
    }

    pub(crate) fn succeed(&mut self, now: Tick) {
        // What was under way when it was refused is no sign of the window's end.
        if self.left(now).is_none() {
            self.refusals = 0;
            (self.until, self.own_until) = (None, None);
        }
    }
}

#[cfg(test)]
mod tests;

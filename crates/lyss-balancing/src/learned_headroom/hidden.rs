//! A limit that the vendor tells nobody: guessed from how much had been sent within a minute when it refused, raised
//! again while nothing is refused (additive increase, multiplicative decrease).

use std::time::Duration;

use lyss_domain::Tick;

use crate::slices::Slices;

/// At a refusal the limit is taken to be a little less than what had been sent.
const CUT: f32 = 0.95;
/// Each quiet minute raises it by so much.
const RISE: f32 = 0.05;
/// After so long without a refusal it is no longer believed in.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(900);
/// What is below is no limit by the minute but a burst that was too quick.
const LEAST_REQUESTS: f32 = 2.0;

#[derive(Clone, Debug, Default)]
pub(crate) struct HiddenLimit {
    /// Requests and tokens sent in the last minute, by slices of five seconds.
    slices: Slices<(f32, f32), 12, 5_000_000_000>,
    guess: Option<Guess>,
}

#[derive(Clone, Copy, Debug)]
struct Guess {
    requests: f32,
    tokens: f32,
    refused_at: Tick,
    raised_at: Tick,
}

impl HiddenLimit {
    pub(crate) fn sent(&mut self, tokens: u64, now: Tick) {
        self.slices.turn(now);
        if let Some((requests, sum)) = self.slices.newest() {
            *requests += 1.0;
            *sum += tokens as f32;
        }
    }

    /// Refused, without a word of any window.
    pub(crate) fn refused(&mut self, now: Tick) {
        self.slices.turn(now);
        let (requests, tokens) = self.used();
        if requests < LEAST_REQUESTS {
            return;
        }
        let guess = match self.guess {
            // The same burst, refused again.
            Some(guess) if now.since(guess.refused_at) < Duration::from_secs(5) => {
                Guess { refused_at: now, raised_at: now, ..guess }
            }
            _ => Guess { requests: requests * CUT, tokens: tokens * CUT, refused_at: now, raised_at: now },
        };
        self.guess = Some(guess);
    }

    /// Not refused: what was sent within this minute is possible, and perhaps a little more.
    pub(crate) fn granted(&mut self, now: Tick) {
        self.slices.turn(now);
        let (requests, tokens) = self.used();
        let Some(guess) = &mut self.guess else { return };
        if now.since(guess.refused_at) >= FORGOTTEN_AFTER {
            self.guess = None;
            return;
        }
        // What went out before the refusal may still come back well.
        if now.since(guess.refused_at) < Duration::from_secs(60) {
            return;
        }
        guess.requests = guess.requests.max(requests);
        guess.tokens = guess.tokens.max(tokens);
        if now.since(guess.raised_at) >= Duration::from_secs(60) {
            guess.requests += (guess.requests * RISE).max(1.0);
            guess.tokens += (guess.tokens * RISE).max(1.0);
            guess.raised_at = now;
        }
    }

    /// 0 to 1, of the scarcer of the two guesses; 1 where nothing was ever refused.
    pub(crate) fn left(&self, now: Tick) -> f32 {
        let Some(guess) = self.guess.filter(|guess| now.since(guess.refused_at) < FORGOTTEN_AFTER) else {
            return 1.0;
        };
        let (requests, tokens) = self.used_at(now);
        let left = |limit: f32, used: f32| if limit > 0.0 { 1.0 - used / limit } else { 1.0 };
        left(guess.requests, requests).min(left(guess.tokens, tokens)).clamp(0.0, 1.0)
    }

    /// Requests and tokens by the minute, as guessed.
    pub(crate) fn guess(&self, now: Tick) -> Option<(f32, f32)> {
        let guess = self.guess.filter(|guess| now.since(guess.refused_at) < FORGOTTEN_AFTER)?;
        Some((guess.requests, guess.tokens))
    }

    pub(crate) fn restore(&mut self, requests: f32, tokens: f32, now: Tick) {
        let is_sound = |figure: f32| figure.is_finite() && figure >= 0.0;
        if self.guess.is_none() && is_sound(requests) && is_sound(tokens) && requests >= LEAST_REQUESTS {
            self.guess = Some(Guess { requests, tokens, refused_at: now, raised_at: now });
        }
    }

    fn used(&self) -> (f32, f32) {
        self.slices.all().fold((0.0, 0.0), |sum, slice| (sum.0 + slice.0, sum.1 + slice.1))
    }

    /// As `used`, without turning the slices: those that have run out are left out.
    fn used_at(&self, now: Tick) -> (f32, f32) {
        let Some(run_out) = self.slices.run_out(now) else { return (0.0, 0.0) };
        let (mut requests, mut tokens) = self.used();
        for (old_requests, old_tokens) in run_out {
            requests -= old_requests;
            tokens -= old_tokens;
        }
        (requests.max(0.0), tokens.max(0.0))
    }
}

//! How fast a model is being asked: requests and tokens a second, by an exponential mean of the last seconds.

use lyss_domain::Tick;

/// How long what was sent is remembered.
const OVER_SECS: f32 = 10.0;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flow {
    requests: f32,
    tokens: f32,
    at: Tick,
}

impl Flow {
    pub(crate) fn sent(&mut self, tokens: u64, now: Tick) {
        let (requests, sum) = self.rates(now);
        self.requests = requests + 1.0 / OVER_SECS;
        self.tokens = sum + tokens as f32 / OVER_SECS;
        self.at = self.at.max(now);
    }

    /// In times of what is borne, of the scarcer of the two; 0 where nothing is known to be scarce.
    pub(crate) fn pace(&self, bears: (Option<f32>, Option<f32>), now: Tick) -> f32 {
        let (requests, tokens) = self.rates(now);
        // What is borne at a trickle still bears a single request now and then.
        let of =
            |rate: f32, bears: Option<f32>, least: f32| bears.map_or(0.0, |bears| rate / bears.max(least));
        of(requests, bears.0, 1e-3).max(of(tokens, bears.1, 1.0)).min(1e3)
    }

    fn rates(&self, now: Tick) -> (f32, f32) {
        let left = (-now.since(self.at).as_secs_f32() / OVER_SECS).exp();
        (self.requests * left, self.tokens * left)
    }
}

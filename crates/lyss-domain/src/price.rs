//! Dated prices by model.

use crate::{Micros, PriceId, TenantId, Timestamp, TokenUsage};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    pub id: PriceId,
    /// `None`: the built-in table's.
    pub tenant: Option<TenantId>,
    /// A model name as the vendor knows it, or a prefix ending in `*`.
    pub model: String,
    pub effective_from: Timestamp,
    pub rates: Rates,
    pub created_at: Timestamp,
}

/// Micros per million tokens of each class, which is the same number as dollars per million times 10^6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Rates {
    pub input: i64,
    pub cache_read: i64,
    pub cache_write: i64,
    pub cache_write_long: i64,
    pub audio_input: i64,
    pub output: i64,
    pub audio_output: i64,
    /// Micros per request, whatever its tokens.
    pub request: i64,
}

impl Rates {
    /// The cost of one attempt, rounded up once. `None` when it does not fit 63 bits or a rate is negative.
    pub fn cost(&self, usage: &TokenUsage) -> Option<Micros> {
        let parts = [
            (self.input, usage.input),
            (self.cache_read, usage.cache_read),
            (self.cache_write, usage.cache_write),
            (self.cache_write_long, usage.cache_write_long),
            (self.audio_input, usage.audio_input),
            (self.output, usage.output),
            (self.audio_output, usage.audio_output),
        ];
        let mut millionths: u128 = 0;
        for (rate, tokens) in parts {
            let part = u128::from(u64::try_from(rate).ok()?).checked_mul(u128::from(tokens))?;
            millionths = millionths.checked_add(part)?;
        }
        let tokens_cost = i64::try_from(millionths.div_ceil(1_000_000)).ok()?;
        if self.request < 0 {
            return None;
        }
        tokens_cost.checked_add(self.request).map(Micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: Rates = Rates {
        input: 150_000,
        cache_read: 75_000,
        cache_write: 0,
        cache_write_long: 0,
        audio_input: 0,
        output: 600_000,
        audio_output: 0,
        request: 0,
    };

    #[test]
    fn a_cost_rounds_up_once() {
        let usage = TokenUsage { input: 1, cache_read: 1, output: 1, ..TokenUsage::default() };
        // 0.15 + 0.075 + 0.6 micros
        assert_eq!(RATES.cost(&usage), Some(Micros(1)));
        let usage = TokenUsage { input: 10, output: 10, ..TokenUsage::default() };
        assert_eq!(RATES.cost(&usage), Some(Micros(8)));
        assert_eq!(RATES.cost(&TokenUsage::default()), Some(Micros(0)));
    }

    #[test]
    fn an_overflow_or_a_negative_rate_is_no_credit() {
        let usage = TokenUsage { output: u64::MAX, ..TokenUsage::default() };
        assert_eq!(Rates { output: i64::MAX, ..RATES }.cost(&usage), None);
        assert_eq!(Rates { output: -1, ..RATES }.cost(&usage), None);
        assert_eq!(Rates { request: -1, ..RATES }.cost(&TokenUsage::default()), None);
    }
}

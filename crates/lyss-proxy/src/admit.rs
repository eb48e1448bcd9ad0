//! May this call go on: rate windows first, then the quotas of tenant, key and model; those of a channel when one is
//! picked. Everything taken here is an owned value that gives itself back.

use std::sync::Arc;
use std::time::Duration;

use lyss_adapters::{Ask, Fault};
use lyss_catalog::{PolicyEntry, TenantEntry};
use lyss_domain::tenant::pattern_matches;
use lyss_domain::{
    ChannelId, ChannelLimits, FaultKind, PolicyScope, QuotaPolicy, Rates, Tick, Timestamp, TokenUsage,
    VirtualKey,
};
use lyss_quota::{
    Account, Demand, QuotaRefusal, Quotas, RateAsk, RateState, RateStore, RateSubject, RateUnit, RateVerdict,
    Reservation, Unit,
};
use smallvec::SmallVec;

/// The most a call may use, by which it is admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    pub tokens: i64,
    pub cost_micros: i64,
}

/// What was taken from rate windows; the token part is corrected once the real use is known, and given back when the
/// ticket is dropped before.
pub struct Ticket {
    /// `None`: nothing was asked.
    rates: Option<Arc<dyn RateStore>>,
    /// Emptied by the correction.
    tokens: SmallVec<[RateAsk; 2]>,
    taken_at: Tick,
    /// The windows as they stand, tightest last.
    pub states: SmallVec<[RateState; 4]>,
}

/// A window that had no room, as it stands.
pub struct Full {
    pub fault: Fault,
    /// `None`: nobody knows.
    pub window: Option<(RateUnit, RateState)>,
}

/// Whose policies are asked.
#[derive(Clone, Copy)]
pub enum Whose<'a> {
    /// The tenant's, the key's and the model's.
    Call {
        key: &'a VirtualKey,
        model: &'a str,
    },
    Channel(ChannelId),
}

impl Bound {
    /// `output_limit` is per candidate.
    pub fn new(prompt: u64, output_limit: u64, candidates: u32, rates: Option<&Rates>) -> Self {
        let output = output_limit.saturating_mul(u64::from(candidates));
        let usage = TokenUsage { input: prompt, output, ..TokenUsage::default() }.capped();
        let cost = rates.and_then(|rates| dearest_input(rates).cost(&usage));
        Self {
            tokens: i64::try_from(usage.total()).unwrap_or(i64::MAX),
            cost_micros: cost.map_or(0, |micros| micros.0),
        }
    }

    fn of(self, unit: Unit) -> i64 {
        match unit {
            Unit::Requests => 1,
            Unit::Tokens => self.tokens,
            Unit::CostMicros => self.cost_micros,
        }
    }
}

/// A prompt may turn out to be written to a cache or to be audio, whichever costs most.
fn dearest_input(rates: &Rates) -> Rates {
    let dearest =
        [rates.input, rates.cache_read, rates.cache_write, rates.cache_write_long, rates.audio_input];
    Rates {
        input: dearest.into_iter().max().unwrap_or(rates.input),
        output: rates.output.max(rates.audio_output),
        ..*rates
    }
}

/// The key's rate windows.
pub fn key_windows(key: &VirtualKey, tokens: u64) -> SmallVec<[RateAsk; 4]> {
    let subject = RateSubject::Key(key.id);
    windows(subject, key.limits.requests_per_minute, key.limits.tokens_per_minute, tokens)
}

/// A channel's rate windows.
pub fn channel_windows(channel: ChannelId, limits: &ChannelLimits, tokens: u64) -> SmallVec<[RateAsk; 4]> {
    windows(RateSubject::Channel(channel), limits.requests_per_minute, limits.tokens_per_minute, tokens)
}

fn windows(
    subject: RateSubject,
    requests: Option<u32>,
    tokens_limit: Option<u32>,
    tokens: u64,
) -> SmallVec<[RateAsk; 4]> {
    let ask = |unit, limit_per_minute, cost| RateAsk { subject, unit, limit_per_minute, cost };
    let tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
    let requests = requests.map(|limit| ask(RateUnit::Requests, limit, 1));
    let tokens = tokens_limit.map(|limit| ask(RateUnit::Tokens, limit, tokens));
    requests.into_iter().chain(tokens).collect()
}

/// Takes from every window or from none.
pub async fn take(rates: &Arc<dyn RateStore>, asks: &[RateAsk], now: Tick) -> Result<Ticket, Full> {
    let mut ticket = Ticket { rates: None, tokens: SmallVec::new(), taken_at: now, states: SmallVec::new() };
    if asks.is_empty() {
        return Ok(ticket);
    }
    ticket.rates = Some(Arc::clone(rates));
    match rates.take(asks, now).await {
        Ok(RateVerdict::Granted { states }) => {
            ticket.tokens = asks.iter().filter(|ask| ask.unit == RateUnit::Tokens).copied().collect();
            ticket.states = states;
            Ok(ticket)
        }
        Ok(RateVerdict::Refused { index, state, retry_after }) => {
            let ask = asks.get(index);
            Err(Full { fault: rate_limited(ask, retry_after), window: ask.map(|ask| (ask.unit, state)) })
        }
        Err(_) => {
            let fault = Fault::new(FaultKind::Unavailable, "Rate limits cannot be checked now.")
                .with_retry_after(Some(Duration::from_secs(1)));
            Err(Full { fault, window: None })
        }
    }
}

fn rate_limited(ask: Option<&RateAsk>, retry_after: Duration) -> Fault {
    let (limit, unit) = ask.map_or((0, "requests"), |ask| {
        (ask.limit_per_minute, if ask.unit == RateUnit::Tokens { "tokens" } else { "requests" })
    });
    Fault::new(FaultKind::RateLimited, format!("The limit of {limit} {unit} per minute is reached."))
        .with_retry_after(Some(retry_after))
}

/// True when some enforced policy of this tenant counts what the output limit bounds.
pub fn bounds_output(entry: &TenantEntry) -> bool {
    entry.policies.iter().any(|PolicyEntry { policy, .. }| {
        policy.mode == lyss_domain::PolicyMode::Enforce
            && (policy.limit_tokens.is_some() || policy.limit_cost.is_some())
    })
}

/// Reserves the bound on every policy that applies, or on none.
pub async fn reserve(
    quotas: &Arc<Quotas>,
    entry: &TenantEntry,
    whose: Whose<'_>,
    bound: Bound,
    now: Timestamp,
) -> Result<Reservation, Fault> {
    let mut demands: SmallVec<[Demand; 8]> = SmallVec::new();
    for known in entry.policies.iter().filter(|known| applies(&known.policy, whose)) {
        let policy = &known.policy;
        let span = entry.span(known, now);
        let limits = [
            (Unit::Requests, policy.limit_requests.map(|n| i64::try_from(n).unwrap_or(i64::MAX))),
            (Unit::Tokens, policy.limit_tokens.map(|n| i64::try_from(n).unwrap_or(i64::MAX))),
            (Unit::CostMicros, policy.limit_cost.map(|micros| micros.0)),
        ];
        for (unit, limit) in limits {
            let Some(limit) = limit else { continue };
            demands.push(Demand {
                account: Account { policy: policy.id, start: span.start, unit },
                limit,
                ends_at: span.end,
                amount: bound.of(unit),
                mode: policy.mode,
            });
        }
    }
    quotas.reserve(demands, now).await.map_err(|refusal| refused(refusal, now))
}

fn applies(policy: &QuotaPolicy, whose: Whose<'_>) -> bool {
    match (&policy.scope, whose) {
        (PolicyScope::Tenant, Whose::Call { .. }) => true,
        (PolicyScope::Key(id), Whose::Call { key, .. }) => *id == key.id,
        (PolicyScope::Model(pattern), Whose::Call { model, .. }) => pattern_matches(pattern, model),
        (PolicyScope::Channel(id), Whose::Channel(channel)) => *id == channel,
        _ => false,
    }
}

fn refused(refusal: QuotaRefusal, now: Timestamp) -> Fault {
    match refusal {
        QuotaRefusal::Exceeded { account, limit, remaining, resets_at } => {
            let unit = match account.unit {
                Unit::Requests => "requests",
                Unit::Tokens => "tokens",
                Unit::CostMicros => "micros of US dollars",
            };
            let message = match account.unit {
                Unit::Requests => {
                    format!("The quota of {limit} requests is used up; it resets at {resets_at}.")
                }
                Unit::Tokens | Unit::CostMicros => format!(
                    "The quota of {limit} {unit} has {remaining} left, less than this call may use at the most; a smaller \
                     output limit (max_completion_tokens) helps, or waiting until {resets_at}."
                ),
            };
            Fault::new(FaultKind::QuotaExceeded, message).with_retry_after(Some(resets_at.since(now)))
        }
        QuotaRefusal::Unavailable => Fault::new(FaultKind::Unavailable, "Quotas cannot be checked now.")
            .with_retry_after(Some(Duration::from_secs(1))),
    }
}

impl Ticket {
    /// Replaces the estimate taken by what was used.
    pub fn correct(&mut self, used_tokens: u64, now: Tick) {
        let Some(rates) = &self.rates else { return };
        for ask in std::mem::take(&mut self.tokens) {
            let used = i64::try_from(used_tokens).unwrap_or(i64::MAX);
            let delta = used.saturating_sub(i64::from(ask.cost));
            rates.correct(ask.subject, ask.unit, ask.limit_per_minute, delta, now);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.correct(0, self.taken_at);
    }
}

/// What is guessed for a rate window before the answer is known.
pub fn window_tokens(ask: &Ask, prompt_guess: u64) -> u64 {
    let output = ask.output_limit.unwrap_or(0).saturating_mul(u64::from(ask.candidates));
    prompt_guess.saturating_add(output)
}

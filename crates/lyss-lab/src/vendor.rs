//! How an upstream behaves: it serves so many at once and queues the rest, slows down as it fills, and fails, cuts,
//! hangs or refuses as its scenario says.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use lyss_domain::{FaultKind, RateHeadroom, Tick, WindowLeft};

use crate::draws::{belonging_to, exp, log_normal, power, unit};
use crate::scenario::{Faults, RateWindows, ToldBy, Upstream};
use crate::traffic::{Call, seconds};

/// Purposes of draws.
const REFUSES: u64 = 1;
const HANGS: u64 = 2;
const CUTS: u64 = 3;
const TTFT: u64 = 4;
const TPOT: u64 = 5;

/// How long it takes to say no.
const REFUSAL_TAKES: Duration = Duration::from_millis(40);

/// The state of one upstream in one run.
#[derive(Debug)]
pub struct Vendor<'s> {
    pub spec: &'s Upstream,
    pub faults: Faults,
    /// Everything takes so many times as long as in the beginning.
    pub slower: f64,
    seed: u64,
    place: u64,
    /// By attempt: when it ends.
    serving: BTreeMap<usize, Tick>,
    waiting: VecDeque<usize>,
    used: WindowUse,
    /// By session: when its prompt was last read.
    read: BTreeMap<u64, Tick>,
}

#[derive(Clone, Copy, Debug, Default)]
struct WindowUse {
    began: Tick,
    requests: u64,
    tokens: u64,
}

/// What becomes of an attempt as it arrives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reception {
    Refused {
        kind: FaultKind,
        after: Duration,
        wait: Option<Duration>,
    },
    /// Silence.
    Hangs,
    /// All slots are taken.
    Waits,
    Serves(Service),
}

/// An attempt being served, counted from the moment its service begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Service {
    pub first_token: Duration,
    pub end: Duration,
    /// It ends half-way, without the mark of an end.
    pub cut: bool,
    pub output_tokens: u32,
    /// Prompt tokens that are charged.
    pub charged_prompt: f64,
}

/// What the oracle is told.
#[derive(Clone, Copy, Debug)]
pub struct Prospect {
    /// Until the first token, with the wait for a slot.
    pub first_token: Duration,
    pub total: Duration,
    /// Chance to be refused, and how long that takes.
    pub refusal: (f64, Duration),
    pub hang_chance: f64,
    pub cut_chance: f64,
    /// By how much others are slowed down, about.
    pub burden: Duration,
}

impl<'s> Vendor<'s> {
    pub fn new(spec: &'s Upstream, seed: u64, place: u64) -> Self {
        Self {
            spec,
            faults: spec.faults,
            slower: 1.0,
            seed,
            place,
            serving: BTreeMap::new(),
            waiting: VecDeque::new(),
            used: WindowUse::default(),
            read: BTreeMap::new(),
        }
    }

    /// Fewer attempts are here, served or waiting, than its channel's limit allows.
    pub fn has_room(&self) -> bool {
        let here = self.serving.len() + self.waiting.len();
        self.spec.concurrency.is_none_or(|limit| here < usize::try_from(limit).unwrap_or(usize::MAX))
    }

    pub fn receive(&mut self, attempt: usize, call: &Call, number: u64, now: Tick) -> Reception {
        if let Some(refused) = self.refuses(call, number, now) {
            return refused;
        }
        if self.luck(number, HANGS) < self.faults.hang_chance {
            return Reception::Hangs;
        }
        if self.is_full() {
            self.waiting.push_back(attempt);
            return Reception::Waits;
        }
        Reception::Serves(self.serve(attempt, call, number, now))
    }

    /// The next in the queue, when there is a slot: its caller must serve it.
    pub fn next_waiting(&mut self) -> Option<usize> {
        if self.is_full() { None } else { self.waiting.pop_front() }
    }

    pub fn serve(&mut self, attempt: usize, call: &Call, number: u64, now: Tick) -> Service {
        let crowd = (self.serving.len() + 1) as f64 / f64::from(self.spec.slots.max(1));
        let pace = self.pace(now, crowd);
        let fresh = self.fresh_tokens(call, now);
        let noise = self.spec.noise;
        let ttft = self.typical_ttft(fresh) * pace * log_normal(self.luck(number, TTFT), noise);
        let tpot = self.spec.tpot.as_secs_f64() * pace * log_normal(self.luck(number, TPOT), noise);
        let cut_draw = self.luck(number, CUTS);
        let cut = cut_draw < self.faults.cut_chance;
        // A cut comes anywhere in the answer; the draw below the chance is itself even.
        let part = if cut { cut_draw / self.faults.cut_chance } else { 1.0 };
        let output = (f64::from(call.output_tokens) * part).max(1.0);
        let service = Service {
            first_token: seconds(ttft),
            end: seconds(ttft + tpot * (output - 1.0)),
            cut,
            output_tokens: crate::draws::tokens(output, u32::MAX),
            charged_prompt: fresh,
        };
        self.serving.insert(attempt, now.after(service.end));
        if let Some(turn) = call.turn {
            self.read.insert(turn.session, now);
        }
        service
    }

    /// The attempt ended, or its caller gave up on it.
    pub fn release(&mut self, attempt: usize) {
        if self.serving.remove(&attempt).is_none() {
            self.waiting.retain(|waiting| *waiting != attempt);
        }
    }

    /// What this vendor says of its windows beside an answer.
    pub fn headroom(&mut self, now: Tick) -> Option<RateHeadroom> {
        let rate = self.spec.rate.filter(|rate| rate.told_by == ToldBy::Headers)?;
        self.turn_window(&rate, now);
        let resets_in = Some(self.used.began.after(rate.window).since(now));
        let left =
            |limit: u64, used: u64| WindowLeft { limit, remaining: limit.saturating_sub(used), resets_in };
        Some(RateHeadroom {
            requests: rate.requests.map(|limit| left(limit, self.used.requests)),
            tokens: rate.tokens.map(|limit| left(limit, self.used.tokens)),
        })
    }

    /// In the mean, and with this call's true length.
    /// `paced`: a window counts as full when it is used up sooner than it passes.
    pub fn prospect(&self, call: &Call, paced: bool, now: Tick) -> Prospect {
        let crowd = (self.serving.len() + 1) as f64 / f64::from(self.spec.slots.max(1));
        // The mean of a log-normal lies above its median.
        let pace = self.pace(now, crowd.min(1.0)) * exp(self.spec.noise * self.spec.noise / 2.0);
        let fresh = self.fresh_tokens(call, now);
        let ttft = self.typical_ttft(fresh) * pace;
        let total =
            ttft + self.spec.tpot.as_secs_f64() * pace * f64::from(call.output_tokens.saturating_sub(1));
        let wait = self.wait(total, now);
        let refusal = match self.faults.refusal {
            _ if self.window_is_full(call, if paced { 0.05 } else { 1.0 }, now) => (1.0, REFUSAL_TAKES),
            Some(refusal) => (refusal.chance, refusal.after),
            None => (0.0, Duration::ZERO),
        };
        Prospect {
            first_token: seconds(wait + ttft),
            total: seconds(wait + total),
            refusal,
            hang_chance: self.faults.hang_chance,
            cut_chance: self.faults.cut_chance,
            // Those that begin while this one runs find one more here; those that queue wait for it as well.
            burden: seconds(
                wait + total * self.spec.crowding * crowd.min(1.0)
                    / (1.0 + self.spec.crowding * crowd.min(1.0)),
            ),
        }
    }

    fn refuses(&mut self, call: &Call, number: u64, now: Tick) -> Option<Reception> {
        if let Some(refusal) = self.faults.refusal
            && self.luck(number, REFUSES) < refusal.chance
        {
            return Some(Reception::Refused { kind: refusal.kind, after: refusal.after, wait: None });
        }
        let rate = self.spec.rate?;
        self.turn_window(&rate, now);
        if self.window_is_full(call, 1.0, now) {
            let wait = self.used.began.after(rate.window).since(now);
            let wait = (rate.told_by != ToldBy::Nothing).then_some(wait);
            return Some(Reception::Refused {
                kind: FaultKind::VendorRateLimited,
                after: REFUSAL_TAKES,
                wait,
            });
        }
        self.used.requests += 1;
        self.used.tokens += tokens_of(call);
        None
    }

    /// Whether this call does not fit any more. `ahead`: the part of a window that may be used before it passes; 1: all.
    fn window_is_full(&self, call: &Call, ahead: f64, now: Tick) -> bool {
        let Some(rate) = self.spec.rate else { return false };
        let into = now.since(self.used.began);
        let used = if into < rate.window { self.used } else { WindowUse::default() };
        let passed = now.0 as f64 / rate.window.as_nanos().max(1) as f64;
        let part = (passed.fract() + ahead).min(1.0);
        let over =
            |limit: Option<u64>, used: u64| limit.is_some_and(|limit| used as f64 > limit as f64 * part);
        over(rate.requests, used.requests + 1) || over(rate.tokens, used.tokens + tokens_of(call))
    }

    fn turn_window(&mut self, rate: &RateWindows, now: Tick) {
        let length = u64::try_from(rate.window.as_nanos()).unwrap_or(u64::MAX).max(1);
        let began = Tick(now.0 - now.0 % length);
        if began != self.used.began {
            self.used = WindowUse { began, ..WindowUse::default() };
        }
    }

    fn is_full(&self) -> bool {
        self.serving.len() >= usize::try_from(self.spec.slots.max(1)).unwrap_or(usize::MAX)
    }

    /// How many times the typical time anything takes now.
    fn pace(&self, now: Tick, crowd: f64) -> f64 {
        let drift = self.spec.drift.map_or(1.0, |drift| {
            let (from, until) = (drift.from.as_secs_f64(), drift.until.as_secs_f64());
            let at = now.since(Tick::default()).as_secs_f64();
            let part = ((at - from) / (until - from).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
            1.0 + (drift.factor - 1.0) * part
        });
        self.slower * drift * (1.0 + self.spec.crowding * crowd)
    }

    fn typical_ttft(&self, fresh_tokens: f64) -> f64 {
        self.spec.ttft.as_secs_f64() * power((fresh_tokens / 1_000.0).max(0.02), self.spec.prompt_exponent)
    }

    /// Prompt tokens that must be read, as if those of a known prefix were so much fewer.
    fn fresh_tokens(&self, call: &Call, now: Tick) -> f64 {
        let prompt = f64::from(call.prompt_tokens);
        let (Some(cache), Some(turn)) = (self.spec.cache, call.turn) else { return prompt };
        let known = self.read.get(&turn.session).is_some_and(|at| now.since(*at) < cache.keeps_for);
        if known { prompt - f64::from(turn.known_tokens) * (1.0 - cache.remaining) } else { prompt }
    }

    /// Seconds until a slot is free for one more, when each in the queue takes as long as this call would.
    fn wait(&self, service: f64, now: Tick) -> f64 {
        if !self.is_full() {
            return 0.0;
        }
        let mut ends: Vec<Tick> = self.serving.values().copied().collect();
        ends.sort_unstable();
        let (before, slots) = (self.waiting.len(), ends.len().max(1));
        let rounds = (before / slots) as f64 * service;
        let end = ends.get(before % slots).copied().unwrap_or(now);
        rounds + end.since(now).as_secs_f64()
    }

    fn luck(&self, number: u64, purpose: u64) -> f64 {
        unit(belonging_to(self.seed, number, self.place, purpose))
    }
}

fn tokens_of(call: &Call) -> u64 {
    u64::from(call.prompt_tokens) + u64::from(call.output_tokens)
}

#[cfg(test)]
mod tests;

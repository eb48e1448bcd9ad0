//! What stands behind the lock of one model: every learned figure, and what an attempt's end does to them.

use std::time::Duration;

use lyss_domain::{ChannelId, FaultKind, FaultOwner, RateHeadroom, Tick};

use super::worse;
use crate::breaker::{Breaker, Change, Role};
use crate::channel_state::{Verdict, report_of};
use crate::concurrency_limit::ConcurrencyLimit;
use crate::cooldown::Cooldown;
use crate::histogram::RecentTimes;
use crate::learned_headroom::{Flow, HiddenLimit, SaidHeadroom};
use crate::losses::{Losses, lost_part};
use crate::snapshot::prompt_factor;
use crate::speed::{Shown, Speed};
use crate::success::{Success, mean_success};
use crate::{Ending, HealthSettings, ModelReport, Observation, Phase, Refusal, Size, Snapshot, Standing};

/// A refusal with more than this left in every window that the vendor speaks of is another limit's.
const EXPLAINS_A_REFUSAL: f32 = 0.1;

mod memory;

#[derive(Debug, Default)]
pub(super) struct State {
    breaker: Breaker,
    cooldown: Cooldown,
    speed: Speed,
    success: Success,
    losses: Losses,
    /// Judged attempts since the slow start began.
    samples: u32,
    /// The channel's closings when that was counted.
    closings: u32,
    said: SaidHeadroom,
    hidden: HiddenLimit,
    flow: Flow,
    limit: ConcurrencyLimit,
    last_fault: Option<(FaultKind, Tick)>,
    last_good: Option<Tick>,
    /// Under way in other replicas, and until when that is believed.
    elsewhere: (u32, Tick),
    /// Made with the first answer, since many models are never asked.
    times: Option<Box<RecentTimes>>,
}

/// What is known of an attempt besides how it went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    pub(super) role: Role,
    pub(super) size: Size,
    /// On its model, with it.
    pub(super) in_flight: u32,
    pub(super) adaptive: bool,
    pub(super) closings: u32,
}

/// What follows from an attempt's end outside of its model's state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    pub(super) change: Option<Change>,
}

impl State {
    pub(super) fn new(closings: u32) -> Self {
        Self { closings, ..Self::default() }
    }

    /// All that needs this state alone.
    pub(super) fn snapshot(&self, closings: u32, now: Tick) -> Snapshot {
        let is_anew = closings != self.closings;
        let (good, bad) = if is_anew { (0.0, 0.0) } else { self.success.counts(now) };
        let (judged, lost) = self.losses.counts(now);
        Snapshot {
            in_flight_elsewhere: self.elsewhere(now),
            samples: if is_anew { self.samples.min(1) } else { self.samples },
            ttft_us: self.speed.ttft.value(now),
            ttft_mean_us: self.speed.ttft.mean(),
            tpot_us: self.speed.tpot.value(now),
            tpot_mean_us: self.speed.tpot.mean(),
            spread: self.speed.ttft.spread(),
            good,
            bad,
            judged,
            lost,
            headroom: self.said.left(now).min(self.hidden.left(now)),
            pace: self.pace(now),
            ..Snapshot::UNKNOWN
        }
    }

    /// How fast the windows are being used, in times of what they bear.
    fn pace(&self, now: Tick) -> f32 {
        let guess = self.hidden.guess(now);
        let by_guess = (guess.map(|(requests, _)| requests / 60.0), guess.map(|(_, tokens)| tokens / 60.0));
        self.flow.pace(self.said.bears(now), now).max(self.flow.pace(by_guess, now))
    }

    pub(super) fn standing(&self, of_channel: Standing, settings: &HealthSettings, now: Tick) -> Standing {
        let cooling = self.cooldown.left(now).map_or(Standing::Open, Standing::Cooling);
        worse(worse(of_channel, self.breaker.standing(&settings.breaker, now)), cooling)
    }

    pub(super) fn learned_limit(&self) -> u32 {
        self.limit.get()
    }

    pub(super) fn times(&self) -> Option<&RecentTimes> {
        self.times.as_deref()
    }

    pub(super) fn pass(
        &mut self,
        settings: &HealthSettings,
        panics: bool,
        now: Tick,
    ) -> Result<(Role, Option<Change>), Refusal> {
        self.breaker.enter(&settings.breaker, panics, now).ok_or(Refusal::TrialTaken)
    }

    pub(super) fn sent(&mut self, size: Size, now: Tick) {
        let tokens = u64::from(size.prompt_tokens) + u64::from(size.output_tokens);
        self.said.sent(tokens);
        self.hidden.sent(tokens, now);
        self.flow.sent(tokens, now);
    }

    pub(super) fn release(&mut self, role: Role) {
        self.breaker.release(role);
    }

    pub(super) fn learn_headroom(&mut self, headroom: &RateHeadroom, now: Tick) {
        self.said.learn(headroom, now);
    }

    pub(super) fn forget_limits(&mut self) {
        self.cooldown = Cooldown::default();
        self.said = SaidHeadroom::default();
        self.hidden = HiddenLimit::default();
    }

    pub(super) fn judge(
        &mut self,
        attempt: &Attempt,
        observation: &Observation,
        settings: &HealthSettings,
        draw: u64,
        now: Tick,
    ) -> Judged {
        self.begin_anew(attempt.closings, now);
        match observation.ending {
            Ending::Complete => self.completed(attempt, observation, settings, now),
            Ending::Cancelled => {
                self.cancelled(attempt, observation, now);
                Judged { verdict: Verdict::Nothing, change: None }
            }
            Ending::Failed(fault, wait) => {
                if matches!(fault.owner(), FaultOwner::Caller | FaultOwner::Ours) {
                    return Judged { verdict: Verdict::Nothing, change: None };
                }
                self.record(false, now);
                self.losses.record(lost_part(observation), now);
                self.last_fault = Some((fault, now));
                if fault == FaultKind::FirstByteTimeout {
                    self.speed.waited(observation.prompt_tokens, observation.total, now);
                }
                self.failed(attempt, fault, wait, settings, draw, now)
            }
        }
    }

    pub(super) fn probed(
        &mut self,
        result: Result<(), FaultKind>,
        settings: &HealthSettings,
        draw: u64,
        now: Tick,
    ) -> Option<Change> {
        let fault = match result {
            Ok(()) => return self.breaker.probed(None, &settings.breaker, draw, now),
            Err(fault) => fault,
        };
        match fault.owner() {
            FaultOwner::Model | FaultOwner::Vendor => {
                self.last_fault = Some((fault, now));
                self.breaker.probed(Some(fault), &settings.breaker, draw, now)
            }
            FaultOwner::VendorQuota if fault == FaultKind::VendorRateLimited => {
                self.cool(fault, None, settings, draw, now)
            }
            _ => None,
        }
    }

    pub(super) fn report(
        &self,
        channel: ChannelId,
        model: &str,
        snapshot: &Snapshot,
        now: Tick,
    ) -> ModelReport {
        let (said_requests, said_tokens) = self.said.limits(now);
        ModelReport {
            channel,
            model: model.into(),
            breaker: report_of(&self.breaker, now),
            cooling: self.cooldown.left(now),
            last_fault: self.last_fault,
            last_sent: None,
            samples: snapshot.samples,
            in_flight: snapshot.in_flight,
            in_flight_elsewhere: snapshot.in_flight_elsewhere,
            outstanding_tokens: snapshot.outstanding_tokens,
            good: snapshot.good,
            bad: snapshot.bad,
            success: mean_success(snapshot.good, snapshot.bad),
            ttft_us: snapshot.ttft_us,
            tpot_us: snapshot.tpot_us,
            spread: snapshot.spread,
            headroom: snapshot.headroom,
            said_requests,
            said_tokens,
            learned_limit: self.hidden.guess(now),
            learned_concurrency: None,
        }
    }

    /// The channel came back: what was held against this model for its sake no longer counts, and it starts slowly.
    fn begin_anew(&mut self, closings: u32, now: Tick) {
        if closings != self.closings {
            self.closings = closings;
            self.samples = self.samples.min(1);
            self.success.forgive(now);
        }
    }

    fn record(&mut self, is_good: bool, now: Tick) {
        self.success.record(is_good, now);
        self.samples = self.samples.saturating_add(1);
    }

    fn completed(
        &mut self,
        attempt: &Attempt,
        observation: &Observation,
        settings: &HealthSettings,
        now: Tick,
    ) -> Judged {
        let change = self.breaker.succeed(attempt.role, &settings.breaker, now);
        if change.is_some() {
            self.samples = 0;
            self.success.forgive(now);
        }
        self.record(true, now);
        self.losses.record(0.0, now);
        self.last_good = Some(now);
        self.cooldown.succeed(now);
        self.hidden.granted(now);
        self.learn_times(attempt, observation, now);
        Judged { verdict: Verdict::Well, change }
    }

    fn learn_times(&mut self, attempt: &Attempt, observation: &Observation, now: Tick) {
        if attempt.adaptive
            && let Some(ttft) = observation.ttft
        {
            let normal = ttft.as_secs_f32() * 1e6 / prompt_factor(observation.prompt_tokens);
            self.limit.answered(normal, attempt.in_flight);
        }
        self.speed.record(&shown(observation), now);
        let times = self.times.get_or_insert_default().record(now);
        times.total.record(observation.total);
        if let Some(ttft) = observation.ttft {
            times.ttft.record(ttft);
            let further = observation.output_tokens.saturating_sub(1);
            if let Some(each) = observation.total.saturating_sub(ttft).checked_div(further) {
                times.tpot.record(each);
            }
        }
    }

    /// Nobody is judged, but what was seen was seen: a first token that came, or a silence longer than usual.
    fn cancelled(&mut self, attempt: &Attempt, observation: &Observation, now: Tick) {
        if let Some(ttft) = observation.ttft {
            self.speed.record(&shown(observation), now);
            self.times.get_or_insert_default().record(now).ttft.record(ttft);
            return;
        }
        // It may have been a whole answer that was being written; that part is no silence.
        let writing = self.speed.tpot.value(now) * attempt.size.output_tokens as f32 / 1e6;
        let writing = Duration::try_from_secs_f32(writing).unwrap_or(Duration::MAX);
        let silence = observation.total.saturating_sub(writing);
        self.speed.waited(attempt.size.prompt_tokens, silence, now);
    }

    fn failed(
        &mut self,
        attempt: &Attempt,
        fault: FaultKind,
        wait: Option<Duration>,
        settings: &HealthSettings,
        draw: u64,
        now: Tick,
    ) -> Judged {
        let nothing = |verdict| Judged { verdict, change: None };
        match fault.owner() {
            FaultOwner::VendorQuota if fault == FaultKind::VendorRateLimited => {
                if self.said.left(now) > EXPLAINS_A_REFUSAL {
                    self.hidden.refused(now);
                }
                if attempt.adaptive {
                    self.limit.refused();
                }
                let change = self.cool(fault, wait, settings, draw, now);
                Judged { verdict: Verdict::Reached, change }
            }
            FaultOwner::Credential | FaultOwner::VendorQuota | FaultOwner::Network => {
                nothing(Verdict::Failed(fault))
            }
            FaultOwner::Model | FaultOwner::Vendor => {
                if attempt.adaptive && fault == FaultKind::Overloaded {
                    self.limit.refused();
                }
                let change = self.breaker.fail(attempt.role, fault, &settings.breaker, draw, now);
                // A vendor that says when to come back is taken at its word.
                let cooled = wait.and_then(|wait| self.cool(fault, Some(wait), settings, draw, now));
                let is_silent = fault == FaultKind::FirstByteTimeout;
                let verdict = if is_silent { Verdict::Nothing } else { Verdict::Reached };
                Judged { verdict, change: change.or(cooled) }
            }
            FaultOwner::Caller | FaultOwner::Ours => nothing(Verdict::Nothing),
        }
    }

    fn cool(
        &mut self,
        fault: FaultKind,
        wait: Option<Duration>,
        settings: &HealthSettings,
        draw: u64,
        now: Tick,
    ) -> Option<Change> {
        let from = self.breaker.phase(now);
        let wait = self.cooldown.refuse(wait, &settings.cooldown, draw, now)?;
        Some(Change { from, to: Phase::Cooling, fault: Some(fault), wait: Some(wait) })
    }
}

fn shown(observation: &Observation) -> Shown {
    Shown {
        prompt_tokens: observation.prompt_tokens,
        output_tokens: observation.output_tokens,
        ttft: observation.ttft,
        total: observation.total,
    }
}

//! Channel after channel until one answers, the fault says that no other would do better, or the retries are used up:
//! the one loop in which a call is tried again, under the call's one deadline.

mod hedge;

use std::time::Duration;

use lyss_adapters::{Ask, Errand, Fault};
use lyss_balancing::{Candidate, Choice, Objective, Pool, Size, Terms, Why};
use lyss_domain::{Advice, ChannelId, FaultKind, FaultOwner, Tick, Timestamp, TokenUsage, UsageSource};
use lyss_quota::Spend;
use smallvec::SmallVec;

use crate::attempt::{self, Outcome, Trying, count_side};
use crate::call::{self, AnswerBody, AnswerHead, Walk};
use crate::charge::Charge;
use crate::gate::Shed;
use crate::gate::lines::Line;
use crate::plan::Planned;
use crate::routes::{Route, Seat, TenantRoutes};
use crate::upload::Upload;

/// What the tries of one call have come to.
struct Failover<'a> {
    planned: &'a Planned,
    candidates: SmallVec<[Candidate; 4]>,
    tried: SmallVec<[usize; 8]>,
    /// What the caller is told if nobody answers.
    worst: Option<Fault>,
    waits: SmallestWait,
    /// Attempts that failed.
    counted: u32,
    /// Of the next attempt; each is used once.
    ordinal: u16,
    /// Times that another call was quicker.
    beaten: u32,
    looked: bool,
    /// Where the call waits for a channel that has room again.
    line: Option<Line>,
    /// What the last choice depended on.
    decision: Option<Box<[u8]>>,
}

/// What one try led to.
enum Step {
    Answered(AnswerBody),
    Next(Charge),
    /// Nobody else is asked; the charge where it is not settled yet.
    Over(Option<Charge>),
}

/// One try with its end.
struct Tried<'a> {
    seat: &'a Seat,
    outcome: Outcome,
}

/// After so many a channel counts as tried: who is always too late should ask elsewhere.
const MOST_BEATEN: u32 = 8;

/// Finds the answer, or the fault the caller is told.
pub(crate) async fn answer(
    walk: &mut Walk<'_>,
    planned: &Planned,
    mut charge: Charge,
    head: &mut AnswerHead,
) -> Result<AnswerBody, Fault> {
    let mut failover = Failover {
        planned,
        candidates: SmallVec::new(),
        tried: SmallVec::new(),
        worst: None,
        waits: SmallestWait::default(),
        counted: 0,
        ordinal: 0,
        beaten: 0,
        looked: false,
        line: None,
        decision: None,
    };
    walk.ways.retries.deposit();
    let left = loop {
        let (index, why) = match failover.choose(walk) {
            Choice::Chosen { index, why } => (index, why),
            Choice::Cooling(wait) => {
                failover.cooling(walk, wait);
                break Some(charge);
            }
            Choice::Full => match failover.wait(walk).await {
                Ok(()) => continue,
                Err(shed) => {
                    failover.full(shed);
                    break Some(charge);
                }
            },
            Choice::Nobody => break Some(charge),
        };
        match failover.attempt(walk, index, why, charge, head).await {
            Step::Answered(body) => return Ok(body),
            Step::Next(returned) => charge = returned,
            Step::Over(left) => break left,
        }
    };
    if let Some(charge) = left {
        charge.release(walk.parts.clock.tick());
    }
    Err(failover.told())
}

impl<'a> Failover<'a> {
    /// The balancer's choice, over what is known at this moment.
    fn choose(&mut self, walk: &Walk<'_>) -> Choice {
        let now = walk.parts.clock.tick();
        self.candidates.clear();
        let at = (walk.started_at, now);
        self.candidates.extend(candidates(walk.tenant, self.planned, walk.ask, size(walk), at));
        self.leave_to_others(walk);
        let pool = Pool {
            group: self.planned.pool.group,
            size: size(walk),
            objective: self.planned.objective,
            candidates: &self.candidates,
        };
        let last = self.counted >= walk.parts.settings.max_retries || walk.upload.is_some();
        let terms = Terms {
            tried: &self.tried,
            affinity: self.planned.affinity,
            last,
            again: std::mem::replace(&mut self.looked, true),
            draw: walk.parts.draws.next(),
            now,
        };
        let (choice, decision) = walk.parts.balancers.choose_recorded(self.planned.strategy, &pool, &terms);
        self.decision = decision.encode().map(Vec::into_boxed_slice);
        choice
    }

    /// A place that was freed for somebody who waits is no place for others.
    fn leave_to_others(&mut self, walk: &Walk<'_>) {
        let lines = &walk.ways.lines;
        if lines.waiting() == 0 {
            return;
        }
        leave_to_others(&mut self.candidates, |channel| match &self.line {
            Some(line) => line.is_taken(channel),
            None => lines.is_taken(channel),
        });
    }

    /// Every channel is full: waits for whichever is free first, as one call among those of its tenant's keys.
    async fn wait(&mut self, walk: &Walk<'_>) -> Result<(), Shed> {
        if let Some(line) = &mut self.line {
            return line.turn().await;
        }
        let full = |(index, one): &(usize, &Candidate)| {
            let seen = &one.snapshot;
            let is_full = seen.in_flight >= seen.limit && seen.standing.may_serve();
            is_full && one.weight > 0 && !self.tried.contains(index)
        };
        let channels: SmallVec<[_; 8]> =
            self.candidates.iter().enumerate().filter(full).map(|(_, one)| one.channel).collect();
        // Looked at once more before the first wait: something may have been freed just now.
        self.line = Some(walk.ways.lines.join(&channels, walk.key.id, walk.deadline)?);
        Ok(())
    }

    /// Asks one channel and judges what became of it.
    async fn attempt(
        &mut self,
        walk: &mut Walk<'_>,
        index: usize,
        why: Why,
        charge: Charge,
        head: &mut AnswerHead,
    ) -> Step {
        let ordinal = self.ordinal;
        let Some(trying) = self.trying(walk, index, why) else {
            return Step::Over(Some(charge));
        };
        head.panicked |= why == Why::Panic;
        let hedge_after = self.hedge_after(walk, trying.seat, why);
        let Tried { seat, outcome } = match hedge_after {
            // Rare and large.
            Some(delay) => Box::pin(self.raced(walk, trying, charge, delay, head)).await,
            None => {
                let seat = trying.seat;
                Tried { seat, outcome: attempt::attempt(walk, trying, charge).await }
            }
        };
        let route = &seat.route;
        head.channel = Some(route.channel.id);
        let (returned, fault) = match outcome {
            Outcome::Answered(body) => {
                head.attempts += 1;
                head.counted = (walk.ask.errand == Errand::CountTokens).then_some(UsageSource::Provider);
                return Step::Answered(body);
            }
            Outcome::Counted(charge, tokens) => {
                charge.settle(Spend { requests: 1, ..Spend::default() }, 0, walk.parts.clock.tick());
                head.counted = Some(UsageSource::Estimated);
                return match count_side(walk.ask.dialect) {
                    Ok(side) => Step::Answered(AnswerBody::Whole(side.render(tokens))),
                    Err(fault) => {
                        self.worst = Some(fault);
                        Step::Over(None)
                    }
                };
            }
            Outcome::Crowded(returned, line) => {
                self.unsent(ordinal, hedge_after);
                self.line = line;
                self.beaten += 1;
                if self.beaten < MOST_BEATEN {
                    self.tried.pop();
                    // Whoever was quicker may be another call of this very thread.
                    tokio::task::yield_now().await;
                }
                return Step::Next(returned);
            }
            Outcome::Skipped(returned, fault) => {
                self.unsent(ordinal, hedge_after);
                self.passed_by(fault);
                return Step::Next(returned);
            }
            Outcome::Failed(charge, fault) => (charge, fault),
        };
        let give_up = fault.advice() == Advice::GiveUp;
        self.failed(head, route, fault);
        let allowed = route.channel.max_retries.unwrap_or(walk.parts.settings.max_retries);
        let used_up = self.counted > allowed || why == Why::Panic;
        let is_spent = walk.upload.as_ref().is_some_and(Upload::is_spent);
        let over = give_up || used_up || is_spent;
        match returned {
            // A trial is one of few as it is.
            Some(charge) if !over && (why == Why::Trial || self.may_retry(walk)) => Step::Next(charge),
            returned => Step::Over(returned),
        }
    }

    /// A channel was not even asked: what a vendor said outweighs it.
    fn passed_by(&mut self, fault: Fault) {
        self.waits.see(fault.retry_after);
        self.worst.get_or_insert(fault);
    }

    /// A channel was asked and failed.
    fn failed(&mut self, head: &mut AnswerHead, route: &Route, fault: Fault) {
        head.attempts += 1;
        self.counted += 1;
        self.waits.see(fault.retry_after);
        tell_failure(head, route, &fault);
        self.worst = Some(fault);
    }

    /// Takes one further attempt from what all calls share; a channel that is left must be there to use it.
    fn may_retry(&self, walk: &Walk<'_>) -> bool {
        self.tried.len() < self.planned.pool.seats.len()
            && walk.ways.retries.withdraw(self.is_degraded(), walk.parts.clock.tick())
    }

    /// True when half of those that could serve do not.
    fn is_degraded(&self) -> bool {
        let serving = self.candidates.iter().filter(|one| one.snapshot.standing.may_serve()).count();
        serving * 2 <= self.candidates.len() && self.candidates.len() > 1
    }

    /// Nothing was sent, so the number is free again; not where a hedge may have used the next.
    fn unsent(&mut self, ordinal: u16, hedge_after: Option<Duration>) {
        if hedge_after.is_none() {
            self.ordinal = ordinal;
        }
    }

    /// Makes a call ready for one channel.
    fn trying(&mut self, walk: &mut Walk<'_>, index: usize, why: Why) -> Option<Trying<'a>> {
        let ordinal = self.ordinal;
        self.ordinal = self.ordinal.saturating_add(1);
        self.tried.push(index);
        let planned = self.planned;
        let seat = planned.pool.seats.get(index)?;
        walk.rates = call::price(walk.tenant, &seat.route, walk.ask, walk.started_at);
        let patience = self.patience(walk, seat, why);
        let panics = why == Why::Panic;
        Some(Trying {
            seat,
            ordinal,
            panics,
            patience,
            line: self.line.take(),
            decision: self.decision.take(),
        })
    }

    /// How long a channel on trial may keep its call waiting, where another could take over.
    fn patience(&self, walk: &Walk<'_>, seat: &Seat, why: Why) -> Option<Duration> {
        let others = self.planned.pool.seats.len() > self.tried.len();
        (why == Why::Trial && others).then(|| seat.trial_patience(walk.parts.clock.tick()))
    }

    /// Everybody asked to be left alone for a while. The caller hears why: a rate limit, or a vendor that is overloaded.
    fn cooling(&mut self, walk: &Walk<'_>, wait: Duration) {
        self.waits.see(Some(wait));
        let now = walk.parts.clock.tick();
        let is_limited = |seat: &Seat| {
            let fault = seat.vitals.standing(now).last_fault;
            fault.is_none_or(|(kind, _)| kind.owner() == FaultOwner::VendorQuota)
        };
        let (kind, reason) = match self.planned.pool.seats.iter().any(is_limited) {
            true => (FaultKind::VendorRateLimited, "waits for its vendor's rate limit"),
            false => (FaultKind::Overloaded, "was asked by its vendor to wait"),
        };
        self.worst.get_or_insert_with(|| {
            Fault::new(kind, format!("Every channel for this model {reason}.")).with_retry_after(Some(wait))
        });
    }

    fn full(&mut self, shed: Shed) {
        self.waits.see(Some(shed.retry_after));
        self.worst.get_or_insert_with(|| {
            Fault::new(FaultKind::Unavailable, "Every channel for this model is at its concurrency limit.")
                .with_retry_after(Some(shed.retry_after))
        });
    }

    /// The fault that the caller is told.
    fn told(self) -> Fault {
        let fault = self.worst.unwrap_or_else(|| {
            Fault::new(FaultKind::Unavailable, "No channel can serve this model now.")
                .with_retry_after(Some(Duration::from_secs(1)))
        });
        self.waits.apply(fault)
    }
}

/// Channels whose next place is somebody's who waits are full to everybody else.
pub(crate) fn leave_to_others(candidates: &mut [Candidate], is_taken: impl Fn(ChannelId) -> bool) {
    for Candidate { channel, snapshot, .. } in candidates {
        if is_taken(*channel) {
            snapshot.limit = snapshot.limit.min(snapshot.in_flight);
        }
    }
}

/// The channels as the balancer sees them: `at`, the call's prices, and now, all else.
pub(crate) fn candidates(
    tenant: &TenantRoutes,
    planned: &Planned,
    ask: &Ask,
    size: Size,
    (at, now): (Timestamp, Tick),
) -> impl Iterator<Item = Candidate> {
    let asks_prices = planned.objective != Objective::Latency;
    planned.pool.seats.iter().map(move |seat| {
        let price_micros = if asks_prices { expected_cost(tenant, &seat.route, ask, size, at) } else { 0 };
        Candidate { price_micros, ..seat.candidate(now) }
    })
}

/// What a call of this size would cost there, by the price at this moment; 0: no price is known.
fn expected_cost(tenant: &TenantRoutes, route: &Route, ask: &Ask, size: Size, at: Timestamp) -> u32 {
    let usage = TokenUsage {
        input: size.prompt_tokens.into(),
        output: size.output_tokens.into(),
        ..TokenUsage::default()
    };
    let rates = call::price(tenant, route, ask, at);
    let cost = rates.and_then(|(_, rates)| rates.cost(&usage));
    cost.map_or(0, |micros| u32::try_from(micros.0).unwrap_or(u32::MAX))
}

/// How much work the call is expected to be.
pub(crate) fn size(walk: &Walk<'_>) -> Size {
    let small = |tokens: u64| u32::try_from(tokens).unwrap_or(u32::MAX);
    let limit = walk.ask.output_limit.or(walk.written_output_limit);
    Size { prompt_tokens: small(walk.prompt_guess), output_tokens: usual_output(limit) }
}

/// How long an answer is expected to be, under this limit.
pub(crate) fn usual_output(limit: Option<u64>) -> u32 {
    u32::try_from(limit.unwrap_or(USUAL_OUTPUT).min(USUAL_OUTPUT)).unwrap_or(u32::MAX)
}

/// Tokens of a usual answer, where the caller's limit says no less.
pub(crate) const USUAL_OUTPUT: u64 = 300;

/// A line in the log; what a caller brought about itself is nobody else's business.
fn tell_failure(head: &AnswerHead, route: &Route, fault: &Fault) {
    let (call, channel, kind) = (head.call, route.channel.id, fault.kind);
    if kind.owner() == FaultOwner::Caller {
        tracing::debug!(%call, %channel, fault = %kind, "an attempt failed");
    } else {
        tracing::info!(%call, %channel, fault = %kind, "an attempt failed");
    }
}

/// When every channel asks to wait, the caller is told the shortest of the waits.
#[derive(Default)]
struct SmallestWait(Option<Duration>);

impl SmallestWait {
    fn see(&mut self, wait: Option<Duration>) {
        self.0 = match (self.0, wait) {
            (Some(known), Some(new)) => Some(known.min(new)),
            (known, new) => known.or(new),
        };
    }

    fn apply(self, fault: Fault) -> Fault {
        let waiting_helps = matches!(fault.status, 429 | 503) || fault.retry_after.is_some();
        if waiting_helps { fault.with_retry_after(self.0) } else { fault }
    }
}

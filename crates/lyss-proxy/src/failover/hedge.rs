//! A second attempt beside a slow first one: whoever answers first serves the caller, the other is cancelled.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use lyss_balancing::{Candidate, Choice, HedgeTerms, Standing, Why};

use super::{Failover, Tried};
use crate::attempt::{self, Outcome, Trying};
use crate::call::{AnswerHead, Walk};
use crate::charge::{Charge, Race, Runner};
use crate::routes::Seat;

impl<'a> Failover<'a> {
    /// After how long without an answer a second channel is asked as well; `None`: never.
    pub(super) fn hedge_after(&self, walk: &Walk<'_>, seat: &Seat, why: Why) -> Option<Duration> {
        if !self.planned.hedge || walk.upload.is_some() || matches!(why, Why::Trial | Why::Panic) {
            return None;
        }
        let now = walk.parts.clock.tick();
        walk.ways.hedging.deposit();
        let open = |(index, one): (usize, &Candidate)| {
            !self.tried.contains(&index) && one.weight > 0 && one.snapshot.standing == Standing::Open
        };
        walk.ways.hedging.delay(&HedgeTerms {
            wanted: true,
            p95_ttft: seat.vitals.ttft_quantile(0.95, now),
            other_open: self.candidates.iter().enumerate().any(open),
            degraded: self.is_degraded(),
            time_left: walk.deadline.since(now),
        })
    }

    /// Asks one channel, and a second one where the first has said nothing for `delay`.
    pub(super) async fn raced(
        &mut self,
        walk: &mut Walk<'_>,
        trying: Trying<'a>,
        charge: Charge,
        delay: Duration,
        head: &mut AnswerHead,
    ) -> Tried<'a> {
        let seat = trying.seat;
        let (race, half, other_half) = match charge.race() {
            Ok(halves) => halves,
            Err(charge) => return Tried { seat, outcome: attempt::attempt(walk, trying, charge).await },
        };
        let mut fork = walk.fork();
        let (runner, tried) = {
            let mut first = pin!(attempt::attempt(walk, trying, half));
            if let Ok(outcome) = tokio::time::timeout(delay, first.as_mut()).await {
                return Tried { seat, outcome: whole(outcome, &race) };
            }
            let Some(second) = self.second(&mut fork) else {
                return Tried { seat, outcome: whole(first.await, &race) };
            };
            let second_seat = second.seat;
            let mut hedge = pin!(attempt::attempt(&mut fork, second, other_half));
            let (runner, outcome) = poll_fn(|cx| {
                if let Poll::Ready(outcome) = first.as_mut().poll(cx) {
                    return Poll::Ready((Runner::First, outcome));
                }
                hedge.as_mut().poll(cx).map(|outcome| (Runner::Hedge, outcome))
            })
            .await;
            let (ended, left) = match runner {
                Runner::First => (seat, second_seat),
                Runner::Hedge => (second_seat, seat),
            };
            match self.settled(ended, outcome, head) {
                Some(answered) => {
                    // The other was sent too, and is dropped at the end of this block.
                    head.attempts += 1;
                    race.won_by(runner);
                    (runner, Tried { seat: ended, outcome: answered })
                }
                None => {
                    let (runner, outcome) = match runner {
                        Runner::First => (Runner::Hedge, hedge.await),
                        Runner::Hedge => (Runner::First, first.await),
                    };
                    (runner, Tried { seat: left, outcome: whole(outcome, &race) })
                }
            }
        };
        if runner == Runner::Hedge {
            walk.losses = fork.losses;
            walk.rates = fork.rates;
        }
        tried
    }

    /// The channel that is asked beside the first.
    fn second(&mut self, fork: &mut Walk<'_>) -> Option<Trying<'a>> {
        if !fork.ways.hedging.withdraw(fork.parts.clock.tick()) {
            return None;
        }
        match self.choose(fork) {
            Choice::Chosen { index, why: why @ (Why::Algorithm | Why::Affinity) } => {
                self.trying(fork, index, why)
            }
            _ => None,
        }
    }

    /// An answer wins the race; anything else leaves the other running, and is noted.
    fn settled(&mut self, seat: &'a Seat, outcome: Outcome, head: &mut AnswerHead) -> Option<Outcome> {
        match outcome {
            Outcome::Answered(_) | Outcome::Counted(..) => Some(outcome),
            Outcome::Crowded(..) => None,
            Outcome::Skipped(_, fault) => {
                self.passed_by(fault);
                None
            }
            Outcome::Failed(_, fault) => {
                self.failed(head, &seat.route, fault);
                None
            }
        }
    }
}

/// The outcome with the whole charge in place of its half.
fn whole(outcome: Outcome, race: &Race) -> Outcome {
    match outcome {
        Outcome::Answered(body) => Outcome::Answered(body),
        Outcome::Failed(_, fault) => Outcome::Failed(race.rejoin(), fault),
        Outcome::Counted(half, tokens) => Outcome::Counted(race.rejoin().unwrap_or(half), tokens),
        Outcome::Crowded(half, line) => Outcome::Crowded(race.rejoin().unwrap_or(half), line),
        Outcome::Skipped(half, fault) => Outcome::Skipped(race.rejoin().unwrap_or(half), fault),
    }
}

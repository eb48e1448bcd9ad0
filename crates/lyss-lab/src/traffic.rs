//! Calls as they come: when, how large, and of which conversation. Open loop: nobody waits for an earlier answer.

use std::time::Duration;

use lyss_domain::Tick;

use crate::draws::{self, Draws};
use crate::scenario::{Arrivals, Scenario, Sessions, Sizes};

/// One call of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    pub at: Tick,
    /// Which process takes it.
    pub replica: usize,
    pub prompt_tokens: u32,
    pub output_tokens: u32,
    pub turn: Option<Turn>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    pub session: u64,
    /// Of the prompt: what earlier turns said already.
    pub known_tokens: u32,
}

/// Recorded traffic may be as long as it likes; a run takes no more than this.
pub const MOST_CALLS: usize = 200_000;

/// All calls of one run, in order of time.
pub fn calls(scenario: &Scenario, seed: u64) -> Vec<Call> {
    let traffic = &scenario.traffic;
    let mut draws = Draws::new(seed ^ 0x7ea1);
    let mut conversations = traffic.sessions.map(Conversations::new);
    let arrivals = arrivals(&traffic.arrivals, scenario.span, &mut draws);
    let in_order = matches!(traffic.arrivals, Arrivals::At(_));
    let mut calls = Vec::with_capacity(arrivals.len());
    for (index, at) in arrivals.into_iter().enumerate() {
        let recorded = in_order.then_some(index);
        let prompt = traffic.prompt_tokens.draw(&mut draws, recorded);
        let output_tokens = traffic.output_tokens.draw(&mut draws, recorded);
        let replica = draws.below(scenario.replicas.max(1));
        let (prompt_tokens, turn) = match &mut conversations {
            Some(conversations) => conversations.next(prompt, output_tokens, &mut draws),
            None => (prompt, None),
        };
        calls.push(Call { at: Tick::default().after(at), replica, prompt_tokens, output_tokens, turn });
    }
    calls
}

fn arrivals(arrivals: &Arrivals, span: Duration, draws: &mut Draws) -> Vec<Duration> {
    let (per_second, times, every, lasting) = match arrivals {
        Arrivals::At(moments) => {
            return moments.iter().copied().take_while(|at| *at < span).take(MOST_CALLS).collect();
        }
        Arrivals::Poisson { per_second } => (*per_second, 1.0, span, Duration::ZERO),
        Arrivals::Bursts { per_second, times, every, lasting } => (*per_second, *times, *every, *lasting),
    };
    let most = per_second * times.max(1.0);
    if !(most.is_finite() && most > 0.0) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut at = 0.0;
    // Thinning: candidates come at the highest rate, and each is kept with the chance its moment asks for.
    while found.len() < MOST_CALLS {
        at += draws::exponential(draws.unit(), most);
        let (kept, moment) = (draws.unit(), seconds(at));
        if moment >= span {
            break;
        }
        let into = at % every.as_secs_f64().max(f64::MIN_POSITIVE);
        // A burst comes at the end of each period, so that every run begins quietly.
        let bursting = every.as_secs_f64() - into <= lasting.as_secs_f64();
        if kept * most <= if bursting { per_second * times } else { per_second } {
            found.push(moment);
        }
    }
    found
}

/// Zero for what is no duration.
pub fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

impl Sizes {
    /// `recorded`: the call's place, where sizes were recorded call by call.
    fn draw(&self, draws: &mut Draws, recorded: Option<usize>) -> u32 {
        match self {
            Self::Fixed(tokens) => *tokens,
            Self::LogNormal { median, sigma, most } => {
                draws::tokens(median * draws::log_normal(draws.unit(), *sigma), *most)
            }
            Self::Pareto { least, alpha, most } => {
                draws::tokens(least * draws::power(draws.unit(), -1.0 / alpha), *most)
            }
            Self::Recorded(tokens) => {
                let place = match recorded {
                    Some(index) => index.checked_rem(tokens.len()).unwrap_or(0),
                    None => draws.below(tokens.len()),
                };
                tokens.get(place).copied().unwrap_or(1).max(1)
            }
        }
    }
}

/// Those that go on at the same time.
struct Conversations {
    plan: Sessions,
    open: Vec<Conversation>,
    begun: u64,
}

#[derive(Clone, Copy)]
struct Conversation {
    session: u64,
    said_tokens: u32,
}

/// A conversation longer than this starts anew; models have a limit as well.
const LONGEST_CONVERSATION: u32 = 60_000;

impl Conversations {
    fn new(plan: Sessions) -> Self {
        let mut all = Self { plan, open: Vec::new(), begun: 0 };
        all.open = (0..plan.at_once.max(1)).map(|_| all.begin()).collect();
        all
    }

    fn begin(&mut self) -> Conversation {
        self.begun += 1;
        Conversation { session: draws::belonging_to(0, self.begun, 0, 0), said_tokens: 0 }
    }

    fn next(&mut self, new_tokens: u32, output_tokens: u32, draws: &mut Draws) -> (u32, Option<Turn>) {
        let place = draws.below(self.open.len());
        let ends = draws.unit() < self.plan.end_chance;
        let fresh = self.begin();
        let Some(conversation) = self.open.get_mut(place) else { return (new_tokens, None) };
        let turn = Turn { session: conversation.session, known_tokens: conversation.said_tokens };
        let prompt = conversation.said_tokens.saturating_add(new_tokens);
        conversation.said_tokens = prompt.saturating_add(output_tokens);
        if ends || conversation.said_tokens > LONGEST_CONVERSATION {
            *conversation = fresh;
        }
        (prompt, Some(turn))
    }
}

#[cfg(test)]
mod tests;

//! What is simulated: upstreams, traffic, and what changes while it runs.

use std::time::Duration;

use lyss_domain::FaultKind;

#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    pub name: String,
    /// One line for people.
    pub about: String,
    /// Calls arrive from the start until then; what is under way then is served to its end.
    pub span: Duration,
    /// Processes of the service, each with its own view of the channels.
    pub replicas: usize,
    /// How old the hints are that replicas give each other, at most; `None`: they give none.
    pub hints_every: Option<Duration>,
    pub traffic: Traffic,
    pub upstreams: Vec<Upstream>,
    /// In the order of time.
    pub changes: Vec<Planned>,
    pub timers: Timers,
    /// A call whose first token is late is sent to a second channel as well, within the service's budget.
    pub hedged: bool,
    /// One run each; figures are their means.
    pub seeds: Vec<u64>,
    /// Of the policies' own draws, which neither calls nor vendors see.
    pub luck: u64,
}

/// How long a call waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// From sending an attempt to its first token.
    pub first_byte: Duration,
    /// From a call's arrival: after it no attempt begins, and it is what a failed call is said to have cost.
    pub call: Duration,
    /// Further attempts after the first one failed.
    pub max_retries: u32,
}

/// When calls come, and how large they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Traffic {
    pub arrivals: Arrivals,
    pub prompt_tokens: Sizes,
    pub output_tokens: Sizes,
    /// Conversations that come back; `None`: each call is its own.
    pub sessions: Option<Sessions>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// Independent of each other, and of how the earlier ones fare.
    Poisson { per_second: f64 },
    /// The same, with `times` as many for `lasting` in every `every`.
    Bursts { per_second: f64, times: f64, every: Duration, lasting: Duration },
    /// At these moments after the start, in order.
    At(Vec<Duration>),
}

/// Of prompts or answers, in tokens.
#[derive(Clone, Debug, PartialEq)]
pub enum Sizes {
    Fixed(u32),
    /// The logarithm is normal with this spread.
    LogNormal {
        median: f64,
        sigma: f64,
        most: u32,
    },
    /// Heavy tail: the chance to exceed x falls like x to the power of -alpha.
    Pareto {
        least: f64,
        alpha: f64,
        most: u32,
    },
    /// As recorded: call by call where arrivals are recorded too, from the start again when they run out.
    Recorded(Vec<u32>),
}

/// Every call is the next turn of one of `at_once` conversations; each turn's prompt carries all that came before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sessions {
    pub at_once: usize,
    /// A conversation ends with this chance after each turn, and a new one takes its place.
    pub end_chance: f64,
}

/// One channel and the vendor behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Upstream {
    pub name: String,
    /// 0: not there yet, or drained.
    pub weight: u32,
    pub priority: i32,
    /// As configured at the channel; `None`: any number of attempts at once.
    pub concurrency: Option<u32>,
    /// The service may learn a lower limit than the configured one.
    pub learns_limit: bool,
    /// Median time to the first token of a prompt of 1,000 tokens, when nothing else runs.
    pub ttft: Duration,
    /// Prompts of other sizes take `(tokens / 1000)` to this power times as long.
    pub prompt_exponent: f64,
    /// Median time for each token of output, when nothing else runs.
    pub tpot: Duration,
    /// Spread of the logarithm of both.
    pub noise: f64,
    /// What the vendor serves at once; what comes beyond waits in its queue.
    pub slots: u32,
    /// With all slots taken everything takes `1 + crowding` times as long.
    pub crowding: f64,
    pub faults: Faults,
    pub rate: Option<RateWindows>,
    pub cache: Option<PrefixCache>,
    pub drift: Option<Drift>,
    pub price: Price,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    pub refusal: Option<Refusal>,
    /// Chance that a stream stops half-way.
    pub cut_chance: f64,
    /// Chance that nothing ever comes back.
    pub hang_chance: f64,
}

/// An answer that is none, before any token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Refusal {
    pub chance: f64,
    pub kind: FaultKind,
    pub after: Duration,
}

/// Fixed windows that the service is not told of beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateWindows {
    pub window: Duration,
    pub requests: Option<u64>,
    /// Prompt and output together, counted when a request is accepted.
    pub tokens: Option<u64>,
    pub told_by: ToldBy,
}

/// What a vendor says of its windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToldBy {
    /// What is left with every answer, and how long to wait with a 429.
    Headers,
    /// How long to wait, in the body of a 429.
    Body,
    /// A 429 and nothing else.
    Nothing,
}

/// A conversation's earlier turns are not read again where they were read lately.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrefixCache {
    pub keeps_for: Duration,
    /// Part of a known prompt's price and time that is still to be paid.
    pub remaining: f64,
}

/// Everything takes `factor` times as long by the end, evenly more between the two moments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    pub from: Duration,
    pub until: Duration,
    pub factor: f64,
}

/// Micros per million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Price {
    pub prompt: u64,
    pub output: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Planned {
    pub at: Duration,
    /// Index of the upstream.
    pub upstream: usize,
    pub change: Change,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    Weight(u32),
    Faults(Faults),
    /// Everything takes so many times as long from now on.
    Slower(f64),
}

impl Default for Timers {
    /// A failed call costs one minute; a silent vendor is given half of it.
    fn default() -> Self {
        Self { first_byte: Duration::from_secs(30), call: Duration::from_secs(60), max_retries: 2 }
    }
}

impl Upstream {
    /// A vendor as they mostly are: 0.4 s to the first token, 15 ms for each further one, little noise, no fault.
    pub fn usual(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            weight: 100,
            priority: 0,
            concurrency: None,
            learns_limit: false,
            ttft: Duration::from_millis(400),
            prompt_exponent: 0.4,
            tpot: Duration::from_millis(15),
            noise: 0.25,
            slots: 24,
            crowding: 0.5,
            faults: Faults::default(),
            rate: None,
            cache: None,
            drift: None,
            price: Price { prompt: 500_000, output: 2_000_000 },
        }
    }

    /// The same, with everything so many times as slow.
    pub fn slower(mut self, times: f64) -> Self {
        self.ttft = self.ttft.mul_f64(times);
        self.tpot = self.tpot.mul_f64(times);
        self
    }
}

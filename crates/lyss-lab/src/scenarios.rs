//! The committed scenarios. Each is one function; seeds are constants, so that everybody sees the same figures.

use std::time::Duration;

use lyss_domain::FaultKind;

use crate::scenario::{
    Arrivals, Change, Drift, Faults, Planned, PrefixCache, Price, RateWindows, Refusal, Scenario, Sessions,
    Sizes, Timers, ToldBy, Traffic, Upstream,
};

/// Runs of each scenario.
pub const SEEDS: [u64; 5] = [11, 23, 42, 71, 97];

/// All of them, in the order of the table.
pub fn all() -> Vec<Scenario> {
    vec![
        even_pool(),
        one_slow(),
        slow_drift(),
        black_hole(),
        flaky(),
        stream_cut(),
        rate_windows(ToldBy::Headers),
        rate_windows(ToldBy::Body),
        rate_windows(ToldBy::Nothing),
        heavy_tail(),
        burst(),
        recovery(),
        cold_start(),
        herd(),
        weight_edits(),
        sticky_sessions(),
        stalls(false),
        stalls(true),
    ]
}

pub fn even_pool() -> Scenario {
    usual("even_pool", "Four equal channels at half their capacity", 14.0, usual_pool(4))
}

pub fn one_slow() -> Scenario {
    let mut upstreams = usual_pool(12);
    edit(&mut upstreams, 2, |slow| *slow = Upstream { slots: 120, ..slow.clone().slower(10.0) });
    usual("one_slow", "Twelve channels, one of them ten times as slow as the others", 24.0, upstreams)
}

pub fn slow_drift() -> Scenario {
    let mut upstreams = usual_pool(4);
    edit(&mut upstreams, 1, |drifting| {
        drifting.drift = Some(Drift { from: DRIFT_FROM, until: DRIFT_UNTIL, factor: DRIFT_FACTOR });
    });
    usual(
        "slow_drift",
        "Four channels; one slows down over two minutes, until all takes six times as long",
        12.0,
        upstreams,
    )
}

pub const DRIFT_FROM: Duration = Duration::from_secs(60);
pub const DRIFT_UNTIL: Duration = Duration::from_secs(180);
pub const DRIFT_FACTOR: f64 = 6.0;
pub const DRIFTING: usize = 1;

pub fn black_hole() -> Scenario {
    let mut upstreams = usual_pool(4);
    edit(&mut upstreams, BLACK_HOLE, |hole| {
        hole.faults.refusal = Some(refusal(1.0, FaultKind::VendorError, 20))
    });
    usual("black_hole", "Four channels; one fails every request, and fast", 12.0, upstreams)
}

pub const BLACK_HOLE: usize = 3;

/// Too seldom for a breaker, and late enough to hurt.
pub fn flaky() -> Scenario {
    let mut upstreams = usual_pool(4);
    edit(&mut upstreams, 1, |flaky| flaky.faults.refusal = Some(refusal(0.2, FaultKind::Overloaded, 6_000)));
    usual(
        "flaky",
        "Four channels; one fails a fifth of its requests, and takes six seconds to say so",
        12.0,
        upstreams,
    )
}

pub fn stream_cut() -> Scenario {
    let mut upstreams = usual_pool(4);
    edit(&mut upstreams, 0, |cutting| cutting.faults.cut_chance = 0.3);
    usual(
        "stream_cut",
        "Four channels; one stops three streams of ten somewhere on their way",
        12.0,
        upstreams,
    )
}

/// Two fast channels that allow less than they are asked for, two slower ones that allow everything.
pub fn rate_windows(told_by: ToldBy) -> Scenario {
    let window = Duration::from_secs(60);
    let mut upstreams = usual_pool(4);
    edit(&mut upstreams, 0, |fast| {
        *fast = fast.clone().slower(0.5);
        fast.rate = Some(RateWindows { window, requests: Some(120), tokens: None, told_by });
    });
    edit(&mut upstreams, 1, |fast| {
        *fast = fast.clone().slower(0.6);
        fast.rate = Some(RateWindows { window, requests: None, tokens: Some(160_000), told_by });
    });
    let (name, about) = match told_by {
        ToldBy::Headers => {
            ("rate_header", "Two fast channels with windows a minute long, told of in headers")
        }
        ToldBy::Body => ("rate_body", "The same, where only the body of a 429 says how long to wait"),
        ToldBy::Nothing => ("rate_none", "The same, where a 429 says nothing at all"),
    };
    usual(name, about, 10.0, upstreams)
}

pub fn heavy_tail() -> Scenario {
    let mut scenario = usual(
        "heavy_tail",
        "Four channels; few answers are most of the work (Pareto, alpha 1.3)",
        8.0,
        usual_pool(4),
    );
    scenario.traffic.output_tokens = Sizes::Pareto { least: 60.0, alpha: 1.3, most: 8_000 };
    scenario
}

pub fn burst() -> Scenario {
    let mut upstreams = usual_pool(6);
    for (index, slots) in [(0, 48), (1, 48), (2, 24), (3, 24), (4, 12), (5, 12)] {
        edit(&mut upstreams, index, |upstream| upstream.slots = slots);
    }
    let mut scenario = usual(
        "burst",
        "Six channels of three sizes; ten times the calls for ten seconds of each minute",
        5.0,
        upstreams,
    );
    let (every, lasting) = (Duration::from_secs(60), Duration::from_secs(10));
    scenario.traffic.arrivals = Arrivals::Bursts { per_second: 5.0, times: 10.0, every, lasting };
    scenario
}

pub fn recovery() -> Scenario {
    let mut scenario =
        usual("recovery", "Four channels; one is away for a minute and comes back", 12.0, usual_pool(4));
    let away = Faults { refusal: Some(refusal(1.0, FaultKind::Network, 30)), ..Faults::default() };
    scenario.changes = vec![
        planned(60, RECOVERING, Change::Faults(away)),
        Planned { at: RECOVERED_AT, upstream: RECOVERING, change: Change::Faults(Faults::default()) },
    ];
    scenario
}

pub const RECOVERING: usize = 2;
pub const RECOVERED_AT: Duration = Duration::from_secs(120);

pub fn cold_start() -> Scenario {
    let mut upstreams = usual_pool(4);
    edit(&mut upstreams, 3, |new| *new = Upstream { weight: 0, ..new.clone().slower(0.5) });
    let mut scenario =
        usual("cold_start", "Three channels; after a minute comes a fourth, twice as fast", 12.0, upstreams);
    scenario.changes = vec![planned(60, 3, Change::Weight(100))];
    scenario
}

pub fn herd() -> Scenario {
    let mut upstreams = usual_pool(6);
    edit(&mut upstreams, 0, |fast| *fast = Upstream { slots: 16, ..fast.clone().slower(0.6) });
    edit(&mut upstreams, 5, |slow| *slow = slow.clone().slower(1.6));
    let mut scenario = usual(
        "herd",
        "Six unequal channels behind four replicas whose hints are 250 ms old",
        20.0,
        upstreams,
    );
    scenario.replicas = 4;
    scenario.hints_every = Some(Duration::from_millis(250));
    scenario
}

pub fn weight_edits() -> Scenario {
    let mut upstreams = usual_pool(4);
    edit(&mut upstreams, 2, |slow| *slow = slow.clone().slower(1.5));
    let mut scenario = usual(
        "weight_edits",
        "Four channels whose weights are edited every half minute, to nothing and back",
        10.0,
        upstreams,
    );
    let edits = [
        (30, 0, 0),
        (60, 0, 100),
        (90, 2, 150),
        (120, 1, 0),
        (150, 1, 50),
        (180, 2, 10),
        (210, 3, 0),
        (240, 3, 100),
    ];
    scenario.changes =
        edits.map(|(at, upstream, weight)| planned(at, upstream, Change::Weight(weight))).to_vec();
    scenario
}

pub fn sticky_sessions() -> Scenario {
    let mut upstreams = usual_pool(4);
    for upstream in &mut upstreams {
        upstream.cache = Some(PrefixCache { keeps_for: Duration::from_secs(300), remaining: 0.1 });
        upstream.ttft = Duration::from_millis(600);
        // Reading is most of the work before the first token.
        upstream.prompt_exponent = 0.8;
    }
    let mut scenario = usual(
        "sticky_sessions",
        "Four channels that remember prompts; conversations that grow",
        10.0,
        upstreams,
    );
    scenario.traffic.sessions = Some(Sessions { at_once: 60, end_chance: 0.05 });
    scenario.traffic.prompt_tokens = Sizes::LogNormal { median: 400.0, sigma: 0.8, most: 8_000 };
    scenario
}

/// Every vendor forgets one request in fifty.
pub fn stalls(hedged: bool) -> Scenario {
    let mut upstreams = usual_pool(4);
    for upstream in &mut upstreams {
        upstream.faults.hang_chance = 0.02;
    }
    let (name, about) = if hedged {
        ("stalls_hedged", "The same, with a second request after the 95th percentile of the first token")
    } else {
        ("stalls", "Four channels, each of which never answers one request in fifty")
    };
    Scenario { hedged, ..usual(name, about, 12.0, upstreams) }
}

fn usual(name: &str, about: &str, per_second: f64, upstreams: Vec<Upstream>) -> Scenario {
    Scenario {
        name: name.to_owned(),
        about: about.to_owned(),
        span: Duration::from_secs(300),
        replicas: 1,
        hints_every: None,
        traffic: Traffic {
            arrivals: Arrivals::Poisson { per_second },
            prompt_tokens: Sizes::LogNormal { median: 800.0, sigma: 0.8, most: 30_000 },
            output_tokens: Sizes::LogNormal { median: 150.0, sigma: 0.7, most: 4_000 },
            sessions: None,
        },
        upstreams,
        changes: Vec::new(),
        timers: Timers::default(),
        hedged: false,
        seeds: SEEDS.to_vec(),
        luck: 0,
    }
}

/// Channels `a`, `b`, and so on, of slightly different prices.
fn usual_pool(channels: u64) -> Vec<Upstream> {
    let named = |(place, letter): (u64, char)| Upstream {
        price: Price { prompt: 500_000 + 50_000 * place, output: 2_000_000 + 200_000 * place },
        ..Upstream::usual(&letter.to_string())
    };
    (0..channels).zip('a'..='z').map(named).collect()
}

fn edit(upstreams: &mut [Upstream], place: usize, change: impl FnOnce(&mut Upstream)) {
    if let Some(upstream) = upstreams.get_mut(place) {
        change(upstream);
    }
}

fn refusal(chance: f64, kind: FaultKind, after_ms: u64) -> Refusal {
    Refusal { chance, kind, after: Duration::from_millis(after_ms) }
}

fn planned(at_s: u64, upstream: usize, change: Change) -> Planned {
    Planned { at: Duration::from_secs(at_s), upstream, change }
}

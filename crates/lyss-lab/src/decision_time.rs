//! What a decision takes on this machine. Printed and never asserted: the only place here that looks at a real clock.

use std::time::{Duration, Instant};

use lyss_balancing::{Balancers, Candidate, Choice, Pool, Size, Snapshot, Terms};
use lyss_domain::{Strategy, Tick};

use crate::draws::Draws;
use crate::world::channel_id;

const CANDIDATES: u64 = 16;
const DECISIONS: u64 = 100_000;

/// Nanoseconds per decision for each algorithm, at 16 candidates that all may serve.
#[expect(clippy::disallowed_methods, reason = "a duration of real work is what is measured")]
pub fn measure() -> Vec<(Strategy, f64)> {
    let mut draws = Draws::new(1);
    let candidates: Vec<Candidate> = (1..=CANDIDATES).map(|place| candidate(place, &mut draws)).collect();
    let size = Size { prompt_tokens: 900, output_tokens: 200 };
    let pool = Pool { size, ..Pool::new(1, &candidates) };
    let mut measured = Vec::new();
    for strategy in Strategy::ALL {
        let balancers = Balancers::new(1);
        let mut chosen = 0u64;
        let started = Instant::now();
        for step in 0..DECISIONS {
            // A thousand calls a second.
            let now = Tick(step * 1_000_000);
            let terms = Terms { draw: draws.draw(), now, ..Terms::default() };
            if let Choice::Chosen { index, .. } = balancers.choose(strategy, &pool, &terms) {
                chosen = chosen.wrapping_add(index as u64);
            }
        }
        let taken = started.elapsed();
        std::hint::black_box(chosen);
        measured.push((strategy, taken.as_secs_f64() * 1e9 / DECISIONS as f64));
    }
    measured
}

fn candidate(place: u64, draws: &mut Draws) -> Candidate {
    let mut within = |least: f32, most: f32| {
        #[expect(clippy::cast_possible_truncation, reason = "a figure between 0 and 1")]
        let part = draws.unit() as f32;
        least + (most - least) * part
    };
    let snapshot = Snapshot {
        in_flight: u32::try_from(place % 7).unwrap_or(0),
        outstanding_tokens: 2_000,
        samples: 500,
        ttft_us: within(300_000.0, 900_000.0),
        tpot_us: within(10_000.0, 30_000.0),
        spread: 0.3,
        good: within(50.0, 200.0),
        bad: within(0.0, 3.0),
        idle: Duration::from_millis(200),
        ..Snapshot::UNKNOWN
    };
    Candidate { price_micros: 1_000, snapshot, ..Candidate::new(channel_id(place), 100, 0) }
}

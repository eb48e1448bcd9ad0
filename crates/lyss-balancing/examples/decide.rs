//! What a decision takes, and that it allocates nothing: `cargo run --release -p lyss-balancing --example decide`.
//!
//! A decision is [`Balancers::choose`] with its filter, over candidates that all may serve and of which all is known.

use std::hint::black_box;
use std::time::{Duration, Instant};

use lyss_balancing::{Balancers, Candidate, Pool, Size, Snapshot, Terms, replay};
use lyss_domain::{ChannelId, Strategy, Tick};
use uuid::Uuid;

const DECISIONS: u64 = 200_000;

fn main() {
    println!("ns per decision, best of five runs of {DECISIONS}; allocations per decision");
    println!("{:<20} {:>16} {:>16} {:>16} {:>16}", "candidates", 1, 4, 16, 64);
    for strategy in Strategy::ALL {
        row(strategy.as_str(), |candidates| decisions(strategy, candidates, None));
    }
    row("adaptive, sticky", |candidates| decisions(Strategy::Adaptive, candidates, Some(7)));
    println!("\nrecording and keeping it");
    row("recorded", recorded);
    row("encoded", encoded);
    row("replayed", replayed);
}

fn row(name: &str, run: impl Fn(&[Candidate])) {
    print!("{name:<20}");
    for count in [1, 4, 16, 64] {
        let candidates = pool_of(count);
        run(&candidates);
        let mut best = Duration::MAX;
        let allocations = allocation_counter::measure(|| run(&candidates)).count_total;
        for _ in 0..5 {
            #[expect(clippy::disallowed_methods, reason = "a duration of real work is what is measured")]
            let started = Instant::now();
            run(&candidates);
            best = best.min(started.elapsed());
        }
        let each = best.as_secs_f64() * 1e9 / DECISIONS as f64;
        print!(" {each:>9.0} {:>6.2}", allocations as f64 / DECISIONS as f64);
    }
    println!();
}

fn decisions(strategy: Strategy, candidates: &[Candidate], affinity: Option<u64>) {
    let balancers = Balancers::new(1);
    each(candidates, |pool, terms| {
        let terms = Terms { affinity: affinity.map(|salt| terms.draw ^ salt), ..*terms };
        black_box(balancers.choose(strategy, pool, &terms));
    });
}

fn recorded(candidates: &[Candidate]) {
    let balancers = Balancers::new(1);
    each(candidates, |pool, terms| {
        black_box(balancers.choose_recorded(Strategy::Adaptive, pool, terms));
    });
}

fn encoded(candidates: &[Candidate]) {
    let pool = pool(candidates);
    let (_, decision) = Balancers::new(1).choose_recorded(Strategy::Adaptive, &pool, &Terms::default());
    each(candidates, |_, _| {
        black_box(decision.encode());
    });
}

fn replayed(candidates: &[Candidate]) {
    let pool = pool(candidates);
    let (_, decision) = Balancers::new(1).choose_recorded(Strategy::Adaptive, &pool, &Terms::default());
    each(candidates, |_, _| {
        black_box(replay(&decision));
    });
}

fn each(candidates: &[Candidate], mut decide: impl FnMut(&Pool<'_>, &Terms<'_>)) {
    let pool = pool(candidates);
    for call in 0..DECISIONS {
        // A thousand calls a second.
        let draw = call.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (call << 32);
        decide(&pool, &Terms { draw, now: Tick(call * 1_000_000), ..Terms::default() });
    }
}

fn pool(candidates: &[Candidate]) -> Pool<'_> {
    let size = Size { prompt_tokens: 900, output_tokens: 200 };
    Pool { size, ..Pool::new(1, candidates) }
}

fn pool_of(count: u8) -> Vec<Candidate> {
    (0..count)
        .map(|place| {
            let part = f32::from(place * 37 % 64) / 64.0;
            let snapshot = Snapshot {
                in_flight: u32::from(place % 7),
                samples: 500,
                ttft_us: 400_000.0 + 500_000.0 * part,
                ttft_mean_us: 300_000.0 + 500_000.0 * part,
                tpot_us: 12_000.0 + 20_000.0 * part,
                tpot_mean_us: 10_000.0 + 20_000.0 * part,
                spread: 0.3,
                good: 30.0,
                bad: 2.0 * part,
                judged: 80.0,
                lost: part,
                pace: part,
                idle: Duration::from_millis(200),
                ..Snapshot::UNKNOWN
            };
            let channel = ChannelId(Uuid::from_u128(u128::from(place)));
            Candidate { price_micros: 1_000, snapshot, ..Candidate::new(channel, 100, 0) }
        })
        .collect()
}

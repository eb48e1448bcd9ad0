//! What reading the state of sixteen candidates costs, as every decision does: `cargo run --release -p lyss-balancing
//! --example snapshot_cost`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lyss_balancing::{Ending, Health, Observation, Size, Vitals};
use lyss_domain::{ChannelId, FaultKind, Tick};
use uuid::Uuid;

const CANDIDATES: u128 = 16;
const ROUNDS: u32 = 200_000;

fn main() {
    let health = Health::default();
    let vitals: Vec<_> =
        (0..CANDIDATES).map(|id| health.channel(ChannelId(Uuid::from_u128(id))).model("m")).collect();
    for round in 0..100u64 {
        vitals.iter().for_each(|vitals| attempt(vitals, Ending::Complete, round));
    }
    println!("all well: {}", measure(&vitals));
    for vitals in vitals.iter().step_by(4) {
        (0..3).for_each(|_| attempt(vitals, Ending::Failed(FaultKind::Network, None), 100));
    }
    println!("every fourth ejected: {}", measure(&vitals));
    let mut round = 0u64;
    let whole = timed(|| {
        round += 1;
        if let Some(well) = vitals.last() {
            attempt(well, Ending::Complete, 200 + round);
        }
    });
    println!("enter and observe: {} ns", whole.as_nanos() / u128::from(ROUNDS));
}

fn attempt(vitals: &Arc<Vitals>, ending: Ending, millis: u64) {
    let now = Tick(millis * 1_000_000);
    let size = Size { prompt_tokens: 900, output_tokens: 120 };
    let observation = Observation {
        ending,
        prompt_tokens: 900,
        output_tokens: 120,
        ttft: Some(Duration::from_millis(300 + millis % 50)),
        total: Duration::from_millis(2_400),
    };
    if let Ok(attempt) = vitals.enter(size, None, now) {
        attempt.observe(&observation, millis.wrapping_mul(0x9e37_79b9_7f4a_7c15), now);
    }
}

fn measure(vitals: &[Arc<Vitals>]) -> String {
    let mut now = 150_000_000;
    let whole = timed(|| {
        now += 1_000;
        for vitals in vitals {
            black_box(vitals.snapshot(Tick(now)));
        }
    });
    format!("{} ns for {} candidates", whole.as_nanos() / u128::from(ROUNDS), vitals.len())
}

#[expect(clippy::disallowed_methods, reason = "this measures real time")]
fn timed(mut step: impl FnMut()) -> Duration {
    let begin = Instant::now();
    (0..ROUNDS).for_each(|_| step());
    begin.elapsed()
}

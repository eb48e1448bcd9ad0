//! Which of three channels serves twelve calls, by each algorithm: `cargo run -p lyss-balancing --example pick`.

use lyss_balancing::{Balancers, Candidate, Pool, Remaining};
use lyss_domain::{ChannelId, Strategy, Tick};
use uuid::Uuid;

fn main() {
    let candidates = [(1, 5, 0), (2, 2, 0), (3, 1, 1)]
        .map(|(id, weight, priority)| Candidate::new(ChannelId(Uuid::from_u128(id)), weight, priority));
    let pool = Pool::new(1, &candidates);
    let balancers = Balancers::new(42);
    for strategy in Strategy::ALL {
        let balancer = balancers.get(strategy);
        let picks = (0..12u64)
            .filter_map(|call| {
                let draw = call.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                balancer.pick(&pool, &Remaining::untried(&pool, &[]), draw, Tick(call))
            })
            .map(|index| index.to_string())
            .collect::<Vec<_>>();
        let fallback = balancer.pick(&pool, &Remaining::untried(&pool, &[0, 1]), 0, Tick(12));
        println!("{strategy}: {}; with 0 and 1 tried: {fallback:?}", picks.join(" "));
    }
}

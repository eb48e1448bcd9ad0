use lyss_domain::{ChannelId, Strategy, Tick};

use crate::{Balancers, Candidate, Pool, Terms};

fn candidates() -> Vec<Candidate> {
    (1..=3_u128)
        .zip([5, 3, 2])
        .map(|(id, weight)| {
            Candidate::new(ChannelId::from_parts(u64::try_from(id).unwrap(), &[0; 10]), weight, 0)
        })
        .collect()
}

/// However often it is asked, and whatever the algorithm remembers, the next call is given what was foreseen.
#[test]
fn what_is_foreseen_comes_true_and_asking_changes_nothing() {
    let candidates = candidates();
    let pool = Pool::new(7, &candidates);
    for strategy in Strategy::ALL {
        let (asked, silent) = (Balancers::new(11), Balancers::new(11));
        for step in 0..50_u64 {
            let draw = step.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let terms = Terms { draw, now: Tick(step * 10_000_000), ..Terms::default() };
            let foreseen = asked.foresee(strategy, &pool, &terms);
            assert_eq!(asked.foresee(strategy, &pool, &terms), foreseen, "{strategy}");
            let (choice, recorded) = asked.choose_recorded(strategy, &pool, &terms);
            assert_eq!(foreseen.choice, choice, "{strategy} at {step}");
            assert_eq!(foreseen.candidates, recorded.candidates);
            assert_eq!(
                silent.choose(strategy, &pool, &terms),
                choice,
                "{strategy} at {step}: asking moved it"
            );
        }
    }
}

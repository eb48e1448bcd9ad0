use std::time::Duration;

use lyss_domain::Tick;
use proptest::prelude::*;

use super::{Shown, Speed};
use crate::prompt_factor;

fn at(secs: u64) -> Tick {
    Tick(secs * 1_000_000_000)
}

fn stream(ttft_ms: u64, tpot_ms: u64, output_tokens: u32) -> Shown {
    let writing = tpot_ms * u64::from(output_tokens - 1);
    Shown {
        prompt_tokens: 1_000,
        output_tokens,
        ttft: Some(Duration::from_millis(ttft_ms)),
        total: Duration::from_millis(ttft_ms + writing),
    }
}

fn whole(shown: Shown) -> Shown {
    Shown { ttft: None, ..shown }
}

fn is_near(value: f32, millis: f32) -> bool {
    (value / 1_000.0 - millis).abs() < millis * 0.02
}

#[test]
fn first_token_and_further_ones_are_learned_apart() {
    let mut speed = Speed::default();
    (0..20).for_each(|i| speed.record(&stream(400, 20, 50 + i), at(u64::from(i))));
    assert!(is_near(speed.ttft.value(at(20)), 400.0), "{speed:?}");
    assert!(is_near(speed.tpot.value(at(20)), 20.0), "{speed:?}");
}

#[test]
fn a_peak_counts_at_once_and_fades_by_time_to_the_mean() {
    let mut speed = Speed::default();
    (0..50).for_each(|i| speed.record(&stream(400, 20, 50), at(i)));
    speed.record(&stream(4_000, 20, 50), at(50));
    assert!(is_near(speed.ttft.value(at(50)), 4_000.0), "{}", speed.ttft.value(at(50)));
    let later = speed.ttft.value(at(80));
    assert!(later < 700_000.0, "{later}");
    assert!(speed.ttft.value(at(10_000)) >= speed.ttft.mean() * 0.99);
}

#[test]
fn a_slow_first_answer_is_not_held_against_a_channel_for_long() {
    let mut speed = Speed::default();
    speed.record(&stream(6_000, 20, 50), at(0));
    (1..4).for_each(|i| speed.record(&stream(400, 20, 50), at(i)));
    assert!(speed.ttft.value(at(4)) < 1_200_000.0, "{}", speed.ttft.value(at(4)));
}

#[test]
fn long_prompts_do_not_blame_the_channel() {
    let (mut short, mut long) = (Speed::default(), Speed::default());
    for i in 0..20 {
        let of = |tokens: u32| Shown {
            prompt_tokens: tokens,
            output_tokens: 50,
            ttft: Some(Duration::from_secs_f32(0.4 * prompt_factor(tokens))),
            total: Duration::from_secs(3),
        };
        short.record(&of(200), at(i));
        long.record(&of(100_000), at(i));
    }
    assert!((short.ttft.value(at(20)) / long.ttft.value(at(20)) - 1.0).abs() < 0.02);
}

#[test]
fn a_whole_answer_is_the_first_token_plus_the_known_time_for_the_rest() {
    let mut speed = Speed::default();
    (0..10).for_each(|i| speed.record(&stream(400, 20, 100), at(i)));
    (10..40).for_each(|i| speed.record(&whole(stream(900, 20, 100)), at(i)));
    assert!(is_near(speed.ttft.value(at(40)), 900.0), "{}", speed.ttft.value(at(40)));
    assert!(is_near(speed.tpot.value(at(40)), 20.0));
}

#[test]
fn whole_answers_alone_predict_the_whole_time() {
    let mut speed = Speed::default();
    (0..40).for_each(|i| speed.record(&whole(stream(500, 20, 100)), at(i)));
    let predicted = speed.ttft.value(at(40)) + 99.0 * speed.tpot.value(at(40));
    assert!((predicted / 2_480_000.0 - 1.0).abs() < 0.02, "{predicted}");
}

/// What a few slow streams said of each token is corrected by whole answers that took less than their tokens alone should.
#[test]
fn whole_answers_quicker_than_the_known_tokens_correct_both_figures() {
    let mut speed = Speed::default();
    (0..3).for_each(|i| speed.record(&stream(20, 23, 30), at(i)));
    (3..60).for_each(|i| speed.record(&whole(stream(1, 0, 30)), at(i)));
    let predicted = speed.ttft.value(at(60)) + 29.0 * speed.tpot.value(at(60));
    assert!(predicted < 20_000.0, "still {predicted} us for an answer of a millisecond");
}

#[test]
fn a_silence_only_ever_raises() {
    let mut speed = Speed::default();
    (0..20).for_each(|i| speed.record(&stream(400, 20, 50), at(i)));
    let before = speed.ttft.value(at(20));
    speed.waited(1_000, Duration::from_millis(1), at(20));
    assert!((speed.ttft.value(at(20)) - before).abs() < 1.0, "a quick failure is no quick answer");
    speed.waited(1_000, Duration::from_secs(30), at(20));
    assert!(is_near(speed.ttft.value(at(20)), 30_000.0));
    assert!(is_near(speed.ttft.mean(), 400.0));
}

proptest! {
    #[test]
    fn figures_stay_sound_whatever_is_shown(
        shown in proptest::collection::vec(
            (any::<u32>(), any::<u32>(), any::<Option<u64>>(), any::<u64>(), any::<bool>()), 1..40)
    ) {
        let mut speed = Speed::default();
        for (i, (prompt_tokens, output_tokens, ttft, total, fails)) in shown.into_iter().enumerate() {
            let now = at(i as u64 * 3);
            let total = Duration::from_micros(total);
            if fails {
                speed.waited(prompt_tokens, total, now);
            } else {
                let ttft = ttft.map(Duration::from_micros);
                speed.record(&Shown { prompt_tokens, output_tokens, ttft, total }, now);
            }
            for figure in [speed.ttft.value(now), speed.tpot.value(now), speed.ttft.spread()] {
                prop_assert!(figure.is_finite() && figure >= 0.0, "{speed:?}");
            }
        }
    }
}

use std::time::Duration;

use lyss_domain::{FaultKind, Tick, Timestamp};
use proptest::prelude::*;

use super::Moment;
use crate::pool::tests::channel;
use crate::vitals::tests::went;
use crate::{Ending, Health, Kept, Size, Standing};

const HALF: u64 = 1 << 63;
/// Some day.
const DAY_MS: i64 = 1_800_000_000_000;

fn at(secs: u64) -> Tick {
    Tick(secs * 1_000_000_000)
}

fn live(health: &Health, model: &str, ending: Ending, now: Tick) {
    let attempt = health.channel(channel(1)).model(model).enter(Size::default(), None, now).unwrap();
    attempt.observe(&went(ending), HALF, now);
}

/// Through the written form, as it comes back from a database.
fn written(kept: &[Kept]) -> Vec<Kept> {
    serde_json::from_str(&serde_json::to_string(kept).unwrap()).unwrap()
}

#[test]
fn a_restart_forgets_neither_figures_nor_breakers_nor_cool_downs() {
    let before = Health::default();
    before.channel(channel(1)).renewed(4, at(100));
    for _ in 0..40 {
        live(&before, "good", Ending::Complete, at(100));
    }
    live(&before, "gone", Ending::Failed(FaultKind::ModelNotFound, None), at(100));
    let refused = Ending::Failed(FaultKind::VendorRateLimited, Some(Duration::from_secs(60)));
    live(&before, "limited", refused, at(100));
    let kept = written(&before.export(at(110), Timestamp::from_millis(DAY_MS)));

    // The next process began to count ticks five seconds ago, ten seconds after the last one wrote.
    let after = Health::default();
    let now = at(5);
    after.restore(kept, now, Timestamp::from_millis(DAY_MS + 10_000));
    let seen = |model: &str| after.channel(channel(1)).model(model).snapshot(now);
    let (good, old) = (seen("good"), before.channel(channel(1)).model("good").snapshot(at(110)));
    assert_eq!(good.samples, 40);
    assert!(
        (good.ttft_us / old.ttft_us - 1.0).abs() < 0.01 && (good.tpot_us / old.tpot_us - 1.0).abs() < 0.01
    );
    assert!(good.good < old.good && good.good > old.good * 0.7, "it has aged: {} of {}", good.good, old.good);
    assert_eq!(seen("gone").standing, Standing::Ejected(Duration::from_secs(10)));
    assert_eq!(seen("limited").standing, Standing::Cooling(Duration::from_secs(40)));
    let gone = after.channel(channel(1)).model("gone").standing(now);
    assert_eq!(gone.last_fault.map(|(fault, _)| fault), Some(FaultKind::ModelNotFound));
}

#[test]
fn a_credential_that_was_changed_meanwhile_is_not_judged_by_the_old_one() {
    let before = Health::default();
    before.channel(channel(1)).renewed(4, at(0));
    live(&before, "m", Ending::Failed(FaultKind::CredentialRefused, None), at(0));
    let kept = before.export(at(1), Timestamp::from_millis(DAY_MS));
    for (version, is_out) in [(4, true), (5, false)] {
        let after = Health::default();
        after.restore(kept.clone(), at(1), Timestamp::from_millis(DAY_MS));
        after.channel(channel(1)).renewed(version, at(1));
        let standing = after.channel(channel(1)).model("m").snapshot(at(1)).standing;
        assert_eq!(matches!(standing, Standing::Ejected(_)), is_out, "{version}: {standing:?}");
    }
}

#[test]
fn what_is_a_day_old_or_from_the_future_is_passed_over() {
    let before = Health::default();
    live(&before, "m", Ending::Failed(FaultKind::CredentialRefused, None), at(0));
    let kept = before.export(at(0), Timestamp::from_millis(DAY_MS));
    for later_ms in [24 * 3_600_000, -3_600_000] {
        let after = Health::default();
        after.restore(kept.clone(), at(1), Timestamp::from_millis(DAY_MS + later_ms));
        assert!(after.all().is_empty(), "{later_ms}");
    }
}

#[test]
fn a_written_state_of_another_version_is_refused_or_filled_up_and_never_panics() {
    let least = r#"{"channel":"00000000-0000-0000-0000-000000000001","model":null,"at_ms":0,"more":1}"#;
    assert!(serde_json::from_str::<Kept>(least).is_ok());
    let wrong = least.replace("\"at_ms\":0", "\"at_ms\":0,\"last_fault\":{\"fault\":\"odd\",\"at_ms\":0}");
    assert!(serde_json::from_str::<Kept>(&wrong).is_err());
}

proptest! {
    #[test]
    fn both_clocks_tell_the_same_time(now in 0u64..1 << 50, tick in 0u64..1 << 50) {
        let moment = Moment { now: Tick(now), at: Timestamp::from_millis(DAY_MS) };
        let back = moment.tick_of(moment.millis_of(Tick(tick))).0;
        prop_assert!(back.abs_diff(tick) <= 1_000_000, "{back} {tick}");
    }

    /// Whatever stands in the database.
    #[test]
    fn any_kept_state_comes_back_to_life(
        (figures, times) in (any::<(u32, f32, f32, f32, f32, f32)>(), any::<(i64, i64, u32)>()),
        model in any::<bool>(), number in 0usize..25,
    ) {
        let (samples, good, bad, ttft_us, tpot_us, spread) = figures;
        let opening = crate::KeptOpening {
            fault: FaultKind::ALL[number], openings: times.2, since_ms: times.0, until_ms: times.1,
        };
        let kept = Kept {
            channel: channel(1),
            model: model.then(|| "m".into()),
            version: None,
            at_ms: DAY_MS,
            opening: Some(opening),
            cooling_until_ms: Some(times.1),
            last_fault: None,
            figures: crate::Figures { samples, good, bad, ttft_us, tpot_us, spread },
            learned_limit: Some((good, bad)),
        };
        let health = Health::default();
        health.restore(vec![kept], at(10), Timestamp::from_millis(DAY_MS));
        let vitals = health.channel(channel(1)).model("m");
        let snapshot = vitals.snapshot(at(10));
        prop_assert!(snapshot.ttft_us.is_finite() && snapshot.good.is_finite() && snapshot.headroom.is_finite());
        let later = at(10 + 361);
        vitals.enter(Size::default(), None, later).unwrap().observe(&went(Ending::Complete), HALF, later);
        prop_assert_eq!(vitals.snapshot(later).standing, Standing::Open);
    }
}

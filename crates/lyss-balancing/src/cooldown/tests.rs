use std::time::Duration;

use lyss_domain::Tick;

use super::{Cooldown, CooldownSettings};

const HALF: u64 = 1 << 63;

fn at(secs: u64) -> Tick {
    Tick(secs * 1_000_000_000)
}

fn refuse(cooldown: &mut Cooldown, asked: Option<u64>, now: Tick) -> Option<Duration> {
    cooldown.refuse(asked.map(Duration::from_secs), &CooldownSettings::default(), HALF, now);
    cooldown.left(now)
}

#[test]
fn a_vendors_word_is_followed_up_to_five_minutes_and_the_longest_holds() {
    let mut cooldown = Cooldown::default();
    assert_eq!(refuse(&mut cooldown, Some(7), at(0)), Some(Duration::from_secs(7)));
    assert_eq!(refuse(&mut cooldown, Some(2), at(1)), Some(Duration::from_secs(6)));
    assert_eq!(refuse(&mut cooldown, Some(86_400), at(2)), Some(Duration::from_secs(300)));
    assert_eq!(cooldown.left(at(302)), None);
}

#[test]
fn without_a_word_waits_double_to_a_minute_and_a_burst_counts_once() {
    let mut cooldown = Cooldown::default();
    let mut now = at(0);
    let mut waits = Vec::new();
    for _ in 0..7 {
        let wait = refuse(&mut cooldown, None, now).unwrap();
        assert_eq!(refuse(&mut cooldown, None, now), Some(wait), "the same burst");
        waits.push(wait.as_secs());
        now = now.after(wait);
    }
    assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60]);
    cooldown.succeed(now);
    assert_eq!(refuse(&mut cooldown, None, now), Some(Duration::from_secs(2)));
}

#[test]
fn a_late_success_does_not_end_it() {
    let mut cooldown = Cooldown::default();
    refuse(&mut cooldown, Some(10), at(0));
    cooldown.succeed(at(1));
    assert_eq!(cooldown.left(at(1)), Some(Duration::from_secs(9)));
}

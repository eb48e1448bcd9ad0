use lyss_domain::ChannelId;
use uuid::Uuid;

use super::*;

fn hint(replica: u64) -> Hint {
    Hint {
        replica,
        channel: ChannelId(Uuid::from_u128(1)),
        model: Some("m".into()),
        version: None,
        in_flight: 2,
        figures: Default::default(),
        cooling_ms: None,
        ejected: None,
    }
}

fn field(replica: u64, beat: u64) -> (String, Vec<u8>) {
    let hints = [hint(replica)];
    (replica.to_string(), serde_json::to_vec(&Told { beat, hints: &hints }).unwrap())
}

fn heard(round: &mut Round, fields: &[(String, Vec<u8>)], now: Instant) -> Vec<u64> {
    let fields = fields.iter().cloned().collect();
    let mut from: Vec<_> =
        round.hear(fields, 1, &HintSettings::default(), now).iter().map(|hint| hint.replica).collect();
    from.sort_unstable();
    from
}

#[test]
fn only_those_are_heard_who_speak_and_the_dead_are_removed() {
    let (mut round, start) = (Round::default(), Instant::now());
    let at = |secs: u64| start + Duration::from_secs(secs);
    assert!(heard(&mut round, &[field(1, 1), field(2, 7)], at(0)).is_empty(), "it may be long dead");
    assert_eq!(heard(&mut round, &[field(1, 2), field(2, 8)], at(1)), [2]);
    assert_eq!(heard(&mut round, &[field(1, 3), field(2, 8)], at(2)), [2]);
    assert!(heard(&mut round, &[field(1, 4), field(2, 8)], at(3)).is_empty());
    assert!(round.gone.is_empty());
    assert!(heard(&mut round, &[field(1, 5), field(2, 8)], at(62)).is_empty());
    assert_eq!(round.gone, ["2"]);
    assert!(round.others.is_empty());
}

#[test]
fn what_is_not_ours_is_removed_and_harms_nothing() {
    let mut round = Round::default();
    let odd = [
        ("not a number".to_owned(), b"{}".to_vec()),
        ("3".to_owned(), b"[".to_vec()),
        ("4".to_owned(), vec![b'x'; LARGEST_FIELD + 1]),
    ];
    assert!(heard(&mut round, &odd, Instant::now()).is_empty());
    assert_eq!(round.gone.len(), 3);
}

use http::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;

/// 2026-11-24T16:00:00Z.
const NOW: i64 = 1_795_536_000;

fn headroom(headers: &[(&'static str, &str)]) -> RateHeadroom {
    let pairs = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
    read(&pairs.collect(), Timestamp::from_millis(NOW * 1_000))
}

fn left(limit: u64, remaining: u64, millis: Option<u64>) -> Option<WindowLeft> {
    Some(WindowLeft { limit, remaining, resets_in: millis.map(Duration::from_millis) })
}

#[test]
fn nothing_is_said_by_most() {
    let headers =
        [("content-type", "application/json"), ("x-request-id", "1"), ("x-content-limit-kind", "a")];
    assert!(headroom(&headers).is_unknown());
}

#[test]
fn openai_writes_lengths_of_time() {
    let said = headroom(&[
        ("x-ratelimit-limit-requests", "5000"),
        ("x-ratelimit-limit-tokens", "160000"),
        ("x-ratelimit-limit-tokens_usage_based", "160000"),
        ("x-ratelimit-remaining-requests", "4999"),
        ("x-ratelimit-remaining-tokens", "159976"),
        ("x-ratelimit-remaining-tokens_usage_based", "40000"),
        ("x-ratelimit-reset-requests", "12ms"),
        ("x-ratelimit-reset-tokens", "9ms"),
        ("x-ratelimit-reset-tokens_usage_based", "1m30s"),
    ]);
    assert_eq!(said.requests, left(5_000, 4_999, Some(12)));
    assert_eq!(said.tokens, left(160_000, 40_000, Some(90_000)), "the scarcer of the two");
}

#[test]
fn anthropic_writes_moments_and_tells_input_from_output() {
    let said = headroom(&[
        ("date", "Tue, 24 Nov 2026 16:00:30 GMT"),
        ("anthropic-ratelimit-requests-limit", "50"),
        ("anthropic-ratelimit-requests-remaining", "49"),
        ("anthropic-ratelimit-requests-reset", "2026-11-24T16:00:31Z"),
        ("anthropic-ratelimit-input-tokens-limit", "50000"),
        ("anthropic-ratelimit-input-tokens-remaining", "49000"),
        ("anthropic-ratelimit-input-tokens-reset", "2026-11-24T16:00:31Z"),
        ("anthropic-ratelimit-output-tokens-limit", "10000"),
        ("anthropic-ratelimit-output-tokens-remaining", "1000"),
        ("anthropic-ratelimit-output-tokens-reset", "2026-11-24T16:01:24Z"),
    ]);
    assert_eq!(said.requests, left(50, 49, Some(1_000)), "by the vendor's own clock");
    assert_eq!(said.tokens, left(10_000, 1_000, Some(54_000)));
}

#[test]
fn azure_writes_a_period_and_a_reset_of_zero() {
    let said = headroom(&[
        ("x-ratelimit-limit-requests", "5"),
        ("x-ratelimit-limit-tokens", "5000"),
        ("x-ratelimit-remaining-requests", "4"),
        ("x-ratelimit-remaining-tokens", "0"),
        ("x-ratelimit-renewalperiod-requests", "60"),
        ("x-ratelimit-renewalperiod-tokens", "60"),
        ("x-ratelimit-reset-requests", "12"),
        ("x-ratelimit-reset-tokens", "0"),
    ]);
    assert_eq!((said.requests, said.tokens), (left(5, 4, Some(12_000)), left(5_000, 0, Some(60_000))));
    let older =
        headroom(&[("x-ratelimit-remaining-requests", "19"), ("x-ratelimit-remaining-tokens", "19913")]);
    assert_eq!((older.requests, older.tokens), (left(0, 19, None), left(0, 19_913, None)));
}

#[test]
fn others_name_the_window_or_put_it_in_one_header() {
    let cerebras = headroom(&[
        ("x-ratelimit-limit-requests-day", "14400"),
        ("x-ratelimit-remaining-requests-day", "144"),
        ("x-ratelimit-reset-requests-day", "33011.382867"),
        ("x-ratelimit-limit-tokens-minute", "60000"),
        ("x-ratelimit-remaining-tokens-minute", "30000"),
    ]);
    assert_eq!(cerebras.requests.map(|window| window.remaining), Some(144));
    assert_eq!(cerebras.tokens, left(60_000, 30_000, Some(60_000)));

    let mistral = headroom(&[
        ("x-ratelimitbysize-limit-minute", "500000"),
        ("x-ratelimitbysize-remaining-minute", "467993"),
        ("ratelimitbysize-limit", "500000"),
        ("ratelimitbysize-query-cost", "32007"),
        ("ratelimitbysize-reset", "40"),
    ]);
    assert_eq!((mistral.requests, mistral.tokens), (None, left(500_000, 467_993, Some(60_000))));

    let together = headroom(&[
        ("x-ratelimit-limit", "60"),
        ("x-ratelimit-remaining", "57"),
        ("x-ratelimit-reset", "1"),
        ("x-tokenlimit-limit", "100000"),
        ("x-tokenlimit-remaining", "98500"),
    ]);
    assert_eq!(
        (together.requests, together.tokens),
        (left(60, 57, Some(1_000)), left(100_000, 98_500, None))
    );

    let openrouter = headroom(&[
        ("x-ratelimit-limit", "20"),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "1795536045000"),
    ]);
    assert_eq!(openrouter.requests, left(20, 0, Some(45_000)));

    let spelt = headroom(&[("x-rate-limit-limit", "100, 100;w=60"), ("x-rate-limit-remaining", "7")]);
    assert_eq!(spelt.requests, left(100, 7, None));
    let draft_8 = headroom(&[("ratelimit", "\"burst\";r=5;t=30, \"day\";r=900;t=8000")]);
    assert_eq!(draft_8.requests, left(0, 5, Some(30_000)));
    let draft_7 = headroom(&[("ratelimit", "limit=100, remaining=50, reset=5")]);
    assert_eq!(draft_7.requests, left(100, 50, Some(5_000)));
}

#[test]
fn what_counts_something_else_is_no_window_of_ours() {
    let said = headroom(&[
        ("x-ratelimit-remaining-audio-seconds", "0"),
        ("x-ratelimit-remaining-images", "0"),
        ("anthropic-ratelimit-unified-5h-remaining", "0"),
        ("x-ratelimit-abusepenalty-active", "False"),
        ("x-ratelimit-limit-requests", "100"),
    ]);
    assert!(said.is_unknown(), "{said:?}");
}

proptest! {
    #[test]
    fn any_value_is_read_or_passed_over(value in "[ -~]{0,40}", other in "[0-9smh.:TZ-]{0,24}") {
        for name in ["x-ratelimit-remaining-tokens", "x-ratelimit-limit-tokens", "ratelimit"] {
            headroom(&[(name, value.trim()), ("x-ratelimit-reset-tokens", other.trim())]);
        }
    }
}

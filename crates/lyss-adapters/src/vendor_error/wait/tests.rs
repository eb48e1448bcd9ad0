use http::HeaderValue;
use serde_json::json;

use super::*;

fn wait(headers: &[(&'static str, &str)]) -> Option<Duration> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    retry_after(&map)
}

const fn secs(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

const fn millis(millis: u64) -> Option<Duration> {
    Some(Duration::from_millis(millis))
}

const NOW: (&str, &str) = ("date", "Tue, 24 Nov 2026 16:00:00 GMT");

#[test]
fn seconds_and_milliseconds_are_read_and_bounded() {
    assert_eq!(wait(&[("retry-after", "7")]), secs(7));
    assert_eq!(wait(&[("retry-after", " 0.25 ")]), millis(250));
    assert_eq!(wait(&[("retry-after", "0")]), secs(0));
    assert_eq!(wait(&[("retry-after", "7"), ("retry-after-ms", "1500")]), millis(1_500));
    assert_eq!(wait(&[("retry-after", "7"), ("retry-after-ms", "soon")]), secs(7));
    assert_eq!(wait(&[("retry-after", "999999999")]), Some(MAX_WAIT));
    for odd in ["", "-1", "NaN", "inf", "soon", "1e300", "7 s"] {
        assert_eq!(wait(&[("retry-after", odd)]), None, "{odd}");
    }
}

#[test]
fn a_date_is_measured_against_the_answers_own() {
    let later = ("retry-after", "Tue, 24 Nov 2026 16:01:30 GMT");
    assert_eq!(wait(&[NOW, later]), secs(90));
    assert_eq!(wait(&[later]), None, "there is no clock to measure it by");
    assert_eq!(wait(&[NOW, ("retry-after", "Tue, 24 Nov 2026 15:59:00 GMT")]), secs(0));
    assert_eq!(wait(&[NOW, ("retry-after", "Fri, 01 Jan 2027 00:00:00 GMT")]), Some(MAX_WAIT));
    for odd in [
        "Tue, 24 Nov 2026 16:01:30 CET",
        "Tue, 99 Nov 2026 16:01:30 GMT",
        "Tue, 24 Brumaire 2026 16:01:30 GMT",
        "Tue, 24 Nov 2026 16:01:30 GMT again",
        "Tue, 24 Nov 99999999999 16:01:30 GMT",
        "Tue, ",
    ] {
        assert_eq!(wait(&[NOW, ("retry-after", odd)]), None, "{odd}");
    }
    assert_eq!(wait(&[("date", "long ago"), later]), None);
}

#[test]
fn an_empty_window_says_when_it_is_full_again() {
    let empty = ("x-ratelimit-remaining-requests", "0");
    for (reset, expected) in [
        ("6m0s", secs(360)),
        ("1s", secs(1)),
        ("200ms", millis(200)),
        ("1h2m3.5s", millis(3_723_500)),
        ("33011.38", millis(33_011_380)),
        ("1795536030", secs(30)),
        ("1795536030000", secs(30)),
        ("2026-11-24T16:00:45Z", secs(45)),
        ("soon", None),
    ] {
        assert_eq!(wait(&[NOW, empty, ("x-ratelimit-reset-requests", reset)]), expected, "{reset}");
    }
    let full = ("x-ratelimit-remaining-requests", "17");
    assert_eq!(wait(&[NOW, full, ("x-ratelimit-reset-requests", "6m0s")]), None);
    assert_eq!(wait(&[empty]), None);
    let anthropic = ("anthropic-ratelimit-tokens-remaining", "0");
    let until = ("anthropic-ratelimit-tokens-reset", "2026-11-24T16:00:09Z");
    assert_eq!(wait(&[NOW, anthropic, until]), secs(9));
    assert_eq!(wait(&[anthropic, until]), None);
    let both = [NOW, empty, ("x-ratelimit-reset-requests", "2s"), anthropic, until];
    assert_eq!(wait(&both), secs(9), "all of them must be full again");
    assert_eq!(wait(&[empty, ("x-ratelimit-reset-requests", "9s"), ("retry-after", "1")]), secs(1));
    assert_eq!(wait(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "4")]), secs(4));
}

#[test]
fn lengths_of_time_have_units() {
    assert_eq!(duration("37s"), secs(37));
    assert_eq!(duration("1.5s"), millis(1_500));
    assert_eq!(duration("0.000000001s"), Some(Duration::from_nanos(1)));
    assert_eq!(duration("2d"), Some(MAX_WAIT));
    for odd in ["", "37", "s", "-1s", "1.2.3s", "1x", "m1", "1s ", "é1s", &"1s".repeat(40)] {
        let read = duration(odd);
        assert_eq!(read, if odd == "1s " { secs(1) } else { None }, "{odd}");
    }
}

#[test]
fn bodies_and_sentences_say_it_too() {
    let google = json!({"code": 429, "details": [
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure"},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37s"}]});
    assert_eq!(in_body(&google, "Please retry in 36.9s."), secs(37));
    let nothing = json!({"details": "none"});
    for (message, expected) in [
        ("Rate limit reached for gpt-4o. Limit 3, Used 3. Please try again in 1.2s. Visit …", millis(1_200)),
        ("Please try again in 6m0s.", secs(360)),
        ("Please try again in 823ms, or later.", millis(823)),
        ("Please retry in 36.9s.", millis(36_900)),
        ("Requests have exceeded the limit. Please retry after 6 seconds.", secs(6)),
        ("try again in 5 minutes", secs(300)),
        ("Please wait 1 second", secs(1)),
        ("Please try again in a moment", None),
        ("Please try again in 6", None),
        ("try again in -4s", None),
        ("Please try again in 6 parsecs", None),
        ("", None),
    ] {
        assert_eq!(in_body(&nothing, message), expected, "{message}");
    }
}

#[test]
fn vendors_put_more_into_a_retry_after_than_they_should() {
    assert_eq!(wait(&[("retry-after", "7.66")]), millis(7_660));
    assert_eq!(wait(&[("retry-after", "30s")]), secs(30));
    assert_eq!(wait(&[NOW, ("retry-after", "1795536030")]), secs(30));
    assert_eq!(wait(&[NOW, ("retry-after", "2026-11-24T16:00:45Z")]), secs(45));
    assert_eq!(wait(&[("x-ratelimit-retry-after", "3")]), secs(3));
    assert_eq!(wait(&[("x-ms-retry-after-ms", "250")]), millis(250));
    assert_eq!(wait(&[("x-rate-limit-remaining", "0"), ("x-rate-limit-reset", "4")]), secs(4));
}

#[test]
fn members_of_a_body_say_it_as_well() {
    for (error, expected) in [
        (json!({"retry_after": 5}), secs(5)),
        (json!({"retry_after_ms": 250}), millis(250)),
        (json!({"retryAfter": "12"}), secs(12)),
        (json!({"retry_after": "1m5s"}), secs(65)),
        (json!({"estimated_time": 20.5}), millis(20_500)),
        (json!({"metadata": {"retry_after_seconds": 9}}), secs(9)),
        (json!({"metadata": {"headers": {"Retry-After": "8"}}}), secs(8)),
        (
            json!({"metadata": {"headers": {
                "Date": "Tue, 24 Nov 2026 16:00:00 GMT",
                "X-RateLimit-Limit": "20", "X-RateLimit-Remaining": 0, "X-RateLimit-Reset": "1795536030000"}}}),
            secs(30),
        ),
        (json!({"retry_after": -5}), None),
        (json!({"retry_after": {"in": 5}}), None),
        (json!({"metadata": {"headers": {"bad name": "8", "retry-after": "soon"}}}), None),
    ] {
        assert_eq!(in_body(&error, ""), expected, "{error}");
    }
    assert_eq!(
        in_body(&json!({}), "You have exhausted your capacity. Your quota will reset after 9s."),
        secs(9)
    );
}

#[test]
fn a_wait_beside_the_error_is_read_too() {
    let beside = json!({"error": {"message": "Slow down."}, "retry_after": 5}).to_string();
    assert_eq!(crate::vendor_error::VendorError::read(beside.as_bytes()).wait, secs(5));
}

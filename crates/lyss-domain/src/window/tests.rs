use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn span(zone: &str, window: Window, when: &str) -> (String, String) {
    let span = Calendar::named(zone).unwrap().span(window, at(when));
    (span.start.0.to_string(), span.end.to_string())
}

fn pair(start: &str, end: &str) -> (String, String) {
    (start.to_owned(), end.to_owned())
}

#[test]
fn a_day_follows_the_tenants_calendar() {
    assert_eq!(
        span("Asia/Shanghai", Window::Day, "2026-11-23T15:59:59Z"),
        pair("2026-11-22T16:00:00Z", "2026-11-23T16:00:00Z")
    );
}

#[test]
fn a_day_has_25_or_23_hours_where_clocks_change() {
    assert_eq!(
        span("America/New_York", Window::Day, "2026-11-01T12:00:00Z"),
        pair("2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z")
    );
    assert_eq!(
        span("America/New_York", Window::Day, "2026-03-08T12:00:00Z"),
        pair("2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z")
    );
}

#[test]
fn a_month_ends_with_its_last_day() {
    assert_eq!(
        span("UTC", Window::Month, "2028-02-29T23:59:59Z"),
        pair("2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z")
    );
}

#[test]
fn an_hour_follows_a_half_hour_offset() {
    assert_eq!(
        span("Asia/Kolkata", Window::Hour, "2026-01-01T00:10:00Z"),
        pair("2025-12-31T23:30:00Z", "2026-01-01T00:30:00Z")
    );
}

#[test]
fn an_unknown_zone_is_refused() {
    assert!(Calendar::named("Mars/Olympus").is_err());
}

proptest! {
    #[test]
    fn every_instant_lies_in_exactly_one_window(
        us in 0_i64..4_000_000_000_000_000,
        zone in prop::sample::select(vec!["UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
        window in prop::sample::select(Window::ALL.to_vec()),
    ) {
        let calendar = Calendar::named(zone).unwrap();
        let span = calendar.span(window, Timestamp::from_micros(us));
        prop_assert!(span.start.0.as_micros() <= us && us < span.end.as_micros());
        prop_assert_eq!(calendar.span(window, span.start.0), span);
        if matches!(window, Window::Day | Window::Month) {
            prop_assert_eq!(calendar.span(window, span.end).start.0, span.end);
        }
    }
}

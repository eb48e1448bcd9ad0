use super::*;

#[test]
fn every_request_ends_in_one_column() {
    let counters = Arc::new(Counters::new(false));
    let mut whole = counters.open();
    whole.streams();
    whole.said(7);
    whole.completed();
    whole.failed();
    drop(whole);

    counters.open().failed();

    let mut abandoned = counters.open();
    abandoned.streams();
    abandoned.said(3);
    assert_eq!(counters.stats().open_streams, 1);
    drop(abandoned);

    counters.set_stopping(true);
    drop(counters.open());

    let expected = VendorStats {
        requests: 4,
        ok: 1,
        errors: 2,
        completion_tokens: 10,
        streams_completed: 1,
        streams_aborted: 1,
        ..VendorStats::default()
    };
    assert_eq!(counters.stats(), expected);
}

#[test]
fn memory_is_bounded_and_tells_no_secret() {
    let counters = Counters::new(true);
    for i in 0..70 {
        let request =
            http::Request::get(format!("/{i}?q=1")).header("Api-Key", "sk-sandbox-1").body(()).unwrap();
        counters.remember(&request.into_parts().0, &Bytes::from_static(b"{}"));
    }
    let seen = counters.remembered();
    assert_eq!((seen.len(), seen[0].path.as_str()), (64, "/6?q=1"));
    assert_eq!(seen[0].header("api-key"), Some("sk-sandbox-1"));
    assert!(!format!("{:?}", seen[0]).contains("sk-sandbox-1"));
}

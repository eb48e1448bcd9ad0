use super::*;

#[test]
fn a_plain_name_has_no_knobs() {
    assert_eq!(split("gpt-4o"), Ok(("gpt-4o", Knobs::default())));
}

#[test]
fn every_knob_is_read() {
    let (name, knobs) = split(
        "m+first_ms=1+gap_ms=2+words=3+status=503+retry_after=4+wait=ms+rst+drop_ms=11+reset=head+cut_events=5+cut_bytes=6\
         +stall_events=7+error_event=8+empty+garbage+finish=pause+think+thoughts=9+redacted+tools=3+sse=cr\
         +encoding=br+keepalive+split=10+window_requests=12+window_tokens=13+window_ms=14+tell=body",
    )
    .unwrap();
    let expected = Knobs {
        first_ms: 1,
        gap_ms: Some(2),
        words: Some(3),
        refuse: Some(Kind::Unavailable),
        retry_after_s: Some(4),
        wait: WaitForm::Millis,
        reset_before_head: true,
        rst: true,
        drop_ms: Some(11),
        window: knobs.window.clone(),
        cut_events: Some(5),
        cut_bytes: Some(6),
        stall_events: Some(7),
        error_event: Some(8),
        empty: true,
        garbage: true,
        finish: Some(Finish::Pause),
        thoughts: Some(9),
        think: true,
        redacted: true,
        tools: Some(3),
        framing: Framing::Cr,
        encoding: Some(Encoding::Brotli),
        keepalive: true,
        split: Some(10),
    };
    let window = knobs.window.clone().unwrap();
    assert_eq!((window.requests, window.tokens, window.length_ms), (Some(12), Some(13), 14));
    assert_eq!(window.tell, Tell::Body);
    assert!(window.of.starts_with("m+first_ms=1") && window.of.ends_with("tell=body"), "{}", window.of);
    assert_eq!((name, knobs), ("m", expected));
    assert_eq!(split("m+quota").unwrap().1.refuse, Some(Kind::Balance));
    let finishes = ["length", "content_filter", "refusal", "pause", "malformed"];
    let framings = ["crlf", "cr", "bom", "comments", "multiline", "nofinal"];
    for knob in
        finishes.map(|it| format!("finish={it}")).iter().chain(&framings.map(|it| format!("sse={it}")))
    {
        assert!(split(&format!("m+{knob}")).is_ok(), "{knob}");
    }
    assert_eq!(split("m+reset=body").unwrap().1.cut_bytes, Some(0));
}

#[test]
fn a_typing_mistake_is_told() {
    for model in [
        "m+",
        "m+frist_ms=1",
        "m+gap_ms",
        "m+gap_ms=x",
        "m+status=418",
        "m+reset=tail",
        "m+empty=1",
        "m+split=0",
        "m+finish",
        "m+sse=lf",
        "m+encoding=zstd",
        "m+wait=never",
        "m+rst=1",
        "m+window_ms=0",
        "m+tell",
    ] {
        assert!(split(model).is_err(), "{model}");
    }
    assert!(split("m+words=100001").is_err());
}

use proptest::prelude::*;

use super::*;

fn all(input: &[u8], cuts: &[usize]) -> Vec<SseFrame> {
    let mut framer = SseFramer::new(1 << 20);
    let mut out = Vec::new();
    let mut from = 0;
    for cut in cuts.iter().copied().chain([input.len()]) {
        let cut = cut.clamp(from, input.len());
        framer.feed(&input[from..cut], &mut out).unwrap();
        from = cut;
    }
    framer.finish(&mut out).unwrap();
    out
}

fn frame(event: Option<&str>, data: &str) -> SseFrame {
    SseFrame { event: event.map(str::to_owned), data: data.as_bytes().to_vec() }
}

const MIXED: &str = "\u{feff}: hello\r\nevent: start\r\ndata: {\"a\":1}\r\n\r\ndata: one\rdata:two\r\r\
    retry: 5\n\n: ping\n\nevent: ping\ndata\n\nid: 7\ndata:  两\n\ndata: tail";

fn mixed_frames() -> Vec<SseFrame> {
    vec![
        frame(Some("start"), "{\"a\":1}"),
        frame(None, "one\ntwo"),
        frame(Some("ping"), ""),
        frame(None, " 两"),
        frame(None, "tail"),
    ]
}

#[test]
fn reads_every_line_ending_comment_and_missing_end() {
    assert_eq!(all(MIXED.as_bytes(), &[]), mixed_frames());
}

#[test]
fn any_single_split_gives_the_same_events() {
    for cut in 0..=MIXED.len() {
        assert_eq!(all(MIXED.as_bytes(), &[cut]), mixed_frames(), "cut at {cut}");
    }
}

#[test]
fn an_endless_line_and_an_endless_event_are_bounded() {
    let mut framer = SseFramer::new(64);
    let mut out = Vec::new();
    assert_eq!(framer.feed(&[b'x'; 65], &mut out), Err(SseOverflow { limit_bytes: 64 }));
    let mut framer = SseFramer::new(64);
    let fed = (0..10).try_for_each(|_| framer.feed(b"data: 0123456789\n", &mut out));
    assert_eq!(fed, Err(SseOverflow { limit_bytes: 64 }));
    assert!(out.is_empty());
}

proptest! {
    #[test]
    fn any_split_of_any_bytes_gives_the_same_events(
        input in prop::collection::vec(prop::sample::select(b"da:te \r\n\xef\xbb\xbf{}".to_vec()), 0..200),
        mut cuts in prop::collection::vec(0_usize..200, 0..8),
    ) {
        cuts.sort_unstable();
        prop_assert_eq!(all(&input, &cuts), all(&input, &[]));
    }
}

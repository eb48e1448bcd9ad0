//! However a stream is cut, its events are the same, and no more than the bound is held.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lyss_fuzz::{FRAME_LIMIT, pieces};
use lyss_wire::SseFramer;

fuzz_target!(|data: &[u8]| {
    let (cut, whole) = pieces(data);
    let read = |parts: &[&[u8]], limit| {
        let mut framer = SseFramer::new(limit);
        let mut frames = Vec::new();
        let fed = parts.iter().try_for_each(|part| framer.feed(part, &mut frames));
        let ended = fed.and_then(|()| framer.finish(&mut frames));
        (frames, ended)
    };
    assert_eq!(read(&cut, FRAME_LIMIT), read(&[whole], FRAME_LIMIT));
    let (frames, _) = read(&cut, 64);
    assert!(frames.iter().all(|frame| frame.data.len() <= 64));
});

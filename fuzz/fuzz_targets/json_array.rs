//! However a streamed array is cut, its elements are the same, and no more than the bound is held.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lyss_fuzz::{FRAME_LIMIT, pieces};
use lyss_wire::JsonArrayFramer;

fuzz_target!(|data: &[u8]| {
    let (cut, whole) = pieces(data);
    let read = |parts: &[&[u8]], limit| {
        let mut framer = JsonArrayFramer::new(limit);
        let mut frames = Vec::new();
        let fed = parts.iter().try_for_each(|part| framer.feed(part, &mut frames));
        if fed.is_ok() {
            framer.finish(&mut frames);
        }
        (frames, fed, framer.is_closed())
    };
    assert_eq!(read(&cut, FRAME_LIMIT), read(&[whole], FRAME_LIMIT));
    let (frames, ..) = read(&cut, 64);
    assert!(frames.iter().all(|frame| frame.data.len() <= 64));
});

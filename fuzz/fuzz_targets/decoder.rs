//! A vendor's stream, read in every dialect and shown to every caller.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lyss_adapters::ChatEvent;
use lyss_fuzz::{FRAME_LIMIT, check_fault, render, vendors};
use lyss_wire::SseFramer;

fuzz_target!(|data: &[u8]| {
    let mut frames = Vec::new();
    let mut framer = SseFramer::new(FRAME_LIMIT);
    let framed = framer.feed(data, &mut frames).and_then(|()| framer.finish(&mut frames));
    if framed.is_err() {
        return;
    }
    for vendor in vendors() {
        let mut decoder = vendor.decoder();
        let mut events = Vec::new();
        let fed = frames.iter().try_for_each(|frame| decoder.feed(frame, &mut events));
        let ended = fed.and_then(|()| decoder.finish(&mut events));
        if let Err(fault) = &ended {
            check_fault(fault);
        }
        // What is said is bounded by what came.
        let said: usize = events.iter().map(ChatEvent::generated_bytes).sum();
        assert!(said <= 16 * data.len() + 4_096, "{said} of {}", data.len());
        assert!(events.len() <= 16 * data.len() + 64, "{} events", events.len());
        if let Some(ChatEvent::Fault(fault)) = events.last() {
            check_fault(fault);
        }
        let faults = events.iter().filter(|event| matches!(event, ChatEvent::Fault(_))).count();
        assert!(faults <= 1, "nothing follows a fault");
        render(&events);
    }
});

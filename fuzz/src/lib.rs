//! What the targets share: which dialects run, and what must hold of every answer.

use bytes::{Bytes, BytesMut};
use lyss_adapters::{CallerSide, ChatEvent, Dialect, Rendering, VendorSide};
use lyss_domain::Timestamp;
use lyss_wire::SseFramer;

/// Well above what any target is given.
pub const FRAME_LIMIT: usize = 1 << 20;

/// Every dialect, so that a new one is fuzzed from its first day; or the one named in `LYSS_FUZZ_DIALECT`.
pub fn dialects() -> impl Iterator<Item = Dialect> {
    static ONLY: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    let only = ONLY.get_or_init(|| std::env::var("LYSS_FUZZ_DIALECT").ok());
    Dialect::ALL
        .into_iter()
        .filter(move |dialect| only.as_deref().is_none_or(|name| name == dialect.as_str()))
}

pub fn vendors() -> impl Iterator<Item = &'static dyn VendorSide> {
    dialects().filter_map(Dialect::vendor)
}

/// All of them, whichever dialect is asked for: the other side of a conversion.
pub fn callers() -> impl Iterator<Item = &'static dyn CallerSide> {
    Dialect::ALL.into_iter().filter_map(Dialect::caller)
}

pub fn rendering() -> Rendering {
    Rendering { include_usage: true, model: "m".to_owned(), ..Rendering::at(Timestamp::default()) }
}

/// Cuts the input in two places that it names itself, so that a cut is found and repeated like any other byte.
pub fn pieces(data: &[u8]) -> ([&[u8]; 3], &[u8]) {
    let Some((&[first, second], rest)) = data.split_first_chunk::<2>() else {
        return ([data, &[], &[]], data);
    };
    let at = |byte: u8| usize::from(byte) * rest.len() / 256;
    let (low, high) = (at(first.min(second)), at(first.max(second)));
    ([&rest[..low], &rest[low..high], &rest[high..]], rest)
}

/// Shows events to every caller's renderer: nothing may panic, and every JSON line must be JSON.
pub fn render(events: &[ChatEvent]) {
    for caller in callers() {
        let rendering = rendering();
        let mut renderer = caller.renderer(&rendering);
        let mut out = BytesMut::new();
        for event in events {
            renderer.event(event, &mut out);
        }
        check_events(&out);
    }
}

/// Events of ours are whole and hold JSON or the end marker.
pub fn check_events(bytes: &[u8]) {
    let mut frames = Vec::new();
    let mut framer = SseFramer::new(usize::MAX);
    framer.feed(bytes, &mut frames).expect("no bound");
    framer.finish(&mut frames).expect("no bound");
    for frame in frames.iter().filter(|frame| frame.data != b"[DONE]") {
        check_json(&frame.data);
    }
}

pub fn check_json(bytes: &[u8]) {
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(bytes) {
        panic!("{error}: {}", String::from_utf8_lossy(bytes));
    }
}

/// A fault is told in words, with a status that is one, and in every caller's dialect.
pub fn check_fault(fault: &lyss_adapters::Fault) {
    assert!(!fault.message.is_empty() && fault.message.chars().count() <= 2_000);
    assert!((400..=599).contains(&fault.status), "{}", fault.status);
    assert!(fault.retry_after.is_none_or(|wait| wait.as_secs() <= 24 * 3600));
    for caller in callers() {
        let foreign = lyss_adapters::Fault { verbatim: None, ..fault.clone() };
        check_json(&caller.render_fault(&foreign));
        check_json(&caller.render_fault(fault));
        check_events(&caller.render_stream_fault(fault));
    }
}

/// A body as a channel would hand it over.
pub fn body(data: &[u8]) -> Bytes {
    Bytes::copy_from_slice(data)
}

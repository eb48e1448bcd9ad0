//! What the scanner finds is what a strict reader finds, and its places are inside the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lyss_adapters::{PathWords, scan_at};
use lyss_fuzz::{body, dialects};

fuzz_target!(|data: &[u8]| {
    let strict = serde_json::from_slice::<serde_json::Value>(data).ok();
    for dialect in dialects() {
        for said in [None, Some("path-model".to_owned())] {
            let path = PathWords { model: said.clone(), ..PathWords::default() };
            let Ok(ask) = scan_at(dialect, body(data), path) else { continue };
            let spans = &ask.spans;
            let places = [&spans.model, &spans.stream_options, &spans.include_usage, &spans.generation];
            for place in places.into_iter().flatten() {
                assert!(data.get(place.clone()).is_some_and(|found| !found.is_empty()));
            }
            assert!(spans.open <= data.len() && ask.data_url_bytes <= data.len());
            assert!((1..=128).contains(&ask.candidates));
            let Some(strict) = &strict else { continue };
            let expected = said.as_deref().or_else(|| strict.get("model")?.as_str());
            assert_eq!(Some(ask.model.as_str()), expected);
        }
    }
});

//! A stream that passes: however it is cut, every byte goes on, and the same is seen of it.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use lyss_adapters::Dialect;
use lyss_fuzz::{dialects, pieces};

fuzz_target!(|data: &[u8]| {
    let (cut, whole) = pieces(data);
    for pass in dialects().filter_map(Dialect::pass) {
        let watch = |parts: &[&[u8]], hide_usage| {
            let mut tap = pass.tap(hide_usage);
            let mut out = Vec::new();
            for part in parts {
                out.extend_from_slice(&tap.feed(Bytes::copy_from_slice(part)));
            }
            out.extend_from_slice(&tap.finish());
            let seen = tap.tapped().clone();
            (out, seen.usage, seen.events, seen.generated_bytes, seen.ended, seen.fault.is_some())
        };
        let passed = watch(&cut, false);
        assert!(passed.0 == whole, "a byte was changed");
        assert_eq!(passed, watch(&[whole], false));
        let hidden = watch(&cut, true);
        assert!(hidden.0.len() <= whole.len());
        assert_eq!(hidden, watch(&[whole], true));
        let _ = pass.read_usage(data);
    }
});

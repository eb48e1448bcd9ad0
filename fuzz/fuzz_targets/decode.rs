//! A vendor's whole answer, read in every dialect and shown to every caller.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lyss_fuzz::{callers, check_fault, check_json, rendering, vendors};

fuzz_target!(|data: &[u8]| {
    for vendor in vendors() {
        match vendor.decode(data) {
            Ok(reply) => {
                for caller in callers() {
                    check_json(&caller.render(&reply, &rendering()));
                }
            }
            Err(fault) => check_fault(&fault),
        }
    }
});

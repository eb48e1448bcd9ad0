//! A caller's request: scanned, parsed, named where it is refused, and written in every vendor's dialect.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lyss_adapters::{Dialect, Encoding, PathWords, Quirks, presets, scan_at};
use lyss_fuzz::{body, check_fault, check_json, dialects};

fuzz_target!(|data: &[u8]| {
    for dialect in dialects() {
        let Some(caller) = dialect.caller() else { continue };
        let path = PathWords { model: Some("gemini-2.5-pro".to_owned()), ..PathWords::default() };
        let Ok(ask) = scan_at(dialect, body(data), path) else { continue };
        let call = match caller.parse(&ask) {
            Ok(call) => call,
            Err(fault) => {
                check_fault(&fault);
                continue;
            }
        };
        let row = &presets()[data.len() % presets().len()];
        for (vendor, quirks) in Dialect::ALL
            .into_iter()
            .filter_map(Dialect::vendor)
            .flat_map(|vendor| [(vendor, &Quirks::OPENAI), (vendor, &row.quirks)])
        {
            let encoding = Encoding { model: "m", output_limit: Some(64), quirks };
            match vendor.encode(&call, &encoding) {
                Ok(encoded) => {
                    check_json(&encoded.body);
                    for loss in &encoded.losses {
                        assert!(!caller.path(loss).is_empty(), "{loss:?}");
                    }
                }
                Err(unsayable) => check_fault(&unsayable.into_fault(caller)),
            }
        }
    }
});

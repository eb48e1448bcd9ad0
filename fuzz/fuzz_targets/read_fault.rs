//! A refusal in any status, with any header and body.
#![no_main]

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use libfuzzer_sys::fuzz_target;
use lyss_fuzz::{body, check_fault, vendors};

fuzz_target!(|data: &[u8]| {
    let Some((&[status, cut], rest)) = data.split_first_chunk::<2>() else { return };
    let Ok(status) = StatusCode::from_u16(300 + u16::from(status)) else { return };
    let mut headers = HeaderMap::new();
    let (value, rest) = rest.split_at(usize::from(cut).min(rest.len()));
    if let Ok(value) = HeaderValue::from_bytes(value) {
        headers.insert(DATE, HeaderValue::from_static("Tue, 24 Nov 2026 16:00:00 GMT"));
        headers.insert("x-ratelimit-remaining-tokens", HeaderValue::from_static("0"));
        headers.insert("x-ratelimit-reset-tokens", value.clone());
        headers.insert(RETRY_AFTER, value);
    }
    for vendor in vendors() {
        check_fault(&vendor.read_fault(status, &headers, &body(rest)));
    }
});

//! The recordings cut, shuffled and with values replaced, and whatever else strangers may send: survived on both sides,
//! and what is written of it holds to the grammar.

use bytes::{Bytes, BytesMut};
use lyss_wire::SseFramer;
use proptest::prelude::*;
use serde_json::Value;

use super::recorded::{files, rendering};
use super::renderer::tests::{assert_grammar, parsed};
use super::{Caller, Vendor};
use crate::dialect::{CallerSide, Dialect, Encoding, VendorSide};
use crate::golden::strangers::{any_json, replace_one};
use crate::{ChatEvent, Fault, scan};

fn decode(stream: &[u8]) -> (Vec<ChatEvent>, Result<(), Fault>) {
    let (mut frames, mut events) = (Vec::new(), Vec::new());
    let mut framer = SseFramer::new(1 << 20);
    framer.feed(stream, &mut frames).unwrap();
    framer.finish(&mut frames).unwrap();
    let mut decoder = Vendor.decoder();
    let mut result = Ok(());
    for frame in &frames {
        result = result.and(decoder.feed(frame, &mut events));
    }
    (events, result.and(decoder.finish(&mut Vec::new())))
}

/// Read by us, written by us, and the grammar held.
fn relay(stream: &[u8]) {
    let mut renderer = Caller.renderer(&rendering());
    let mut out = BytesMut::new();
    for event in decode(stream).0 {
        renderer.event(&event, &mut out);
    }
    assert_grammar(&parsed(&out));
}

/// A caller's body to every vendor, and a vendor's to the caller.
fn exchange(body: &[u8]) {
    let asked = scan(Dialect::OpenAiResponses, Bytes::copy_from_slice(body)).map_err(Fault::from);
    if let Ok(call) = asked.and_then(|ask| Caller.parse(&ask)) {
        for vendor in Dialect::ALL.into_iter().filter_map(Dialect::vendor) {
            match vendor.encode(&call, &Encoding::plain("gpt-5")) {
                Ok(encoded) => drop(serde_json::from_slice::<Value>(&encoded.body).unwrap()),
                Err(refused) => assert_eq!(refused.into_fault(&Caller).status, 400),
            }
        }
    }
    if let Ok(reply) = Vendor.decode(body) {
        for caller in Dialect::ALL.into_iter().filter_map(Dialect::caller) {
            serde_json::from_slice::<Value>(&caller.render(&reply, &rendering())).unwrap();
        }
    }
    let fault =
        Vendor.read_fault(http::StatusCode::BAD_REQUEST, &http::HeaderMap::new(), &body.to_vec().into());
    serde_json::from_slice::<Value>(&Caller.render_fault(&fault)).unwrap();
}

#[test]
fn a_cut_stream_is_a_beginning_and_never_an_end() {
    let shown = |events: &[ChatEvent]| events.iter().map(|event| format!("{event:?}")).collect::<Vec<_>>();
    for (case, stream) in files("stream.sse") {
        let whole = shown(&decode(&stream).0);
        for end in (0..stream.len()).step_by(7) {
            let (events, _) = decode(&stream[..end]);
            assert!(whole.starts_with(&shown(&events)), "{case} cut at {end}");
        }
    }
}

#[test]
fn every_recorded_request_goes_to_every_vendor_or_is_refused() {
    for (_, request) in files("request.json") {
        exchange(&request);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        exchange(&bytes);
        relay(&bytes);
    }

    #[test]
    fn recordings_with_a_value_replaced_are_survived(which in any::<prop::sample::Index>(), by in any_json()) {
        for name in ["request.json", "reply.json"] {
            for (_, body) in files(name) {
                let mut value: Value = serde_json::from_slice(&body).unwrap();
                replace_one(&mut value, which, &by);
                exchange(value.to_string().as_bytes());
            }
        }
        for (_, stream) in files("stream.sse") {
            let damaged: String = String::from_utf8(stream).unwrap().lines().map(|line| {
                let data = line.strip_prefix("data: ").and_then(|data| serde_json::from_str::<Value>(data).ok());
                let Some(mut value) = data else { return format!("{line}\n") };
                replace_one(&mut value, which, &by);
                format!("data: {value}\n")
            }).collect();
            relay(damaged.as_bytes());
        }
    }

    #[test]
    fn events_in_any_order_are_survived(order in prop::collection::vec(any::<prop::sample::Index>(), 0..40)) {
        for (_, stream) in files("stream.sse") {
            let stream = String::from_utf8(stream).unwrap();
            let events: Vec<_> = stream.split_inclusive("\n\n").collect();
            let shuffled: String = order.iter().map(|at| *at.get(&events)).collect();
            relay(shuffled.as_bytes());
        }
    }
}

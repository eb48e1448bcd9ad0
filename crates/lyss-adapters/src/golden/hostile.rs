//! What strangers may send, in every role of every dialect: nothing panics, everything written is well-formed.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;

use super::crossing;
use super::fixtures::{self, FOLDERS, cases, decode, render, rendering};
use super::grammar::assert_grammar;
use super::mutate::{Draw, mutate};
use super::strangers::{any_event, any_json, replace_one};
use super::streams::framings;
use crate::dialect::{CallerSide, Encoding, Rendering, VendorSide};
use crate::{ChatEvent, Dialect};

fn callers() -> impl Iterator<Item = (Dialect, &'static dyn CallerSide)> {
    Dialect::ALL.into_iter().filter_map(|dialect| Some((dialect, dialect.caller()?)))
}

fn vendors() -> impl Iterator<Item = (Dialect, &'static dyn VendorSide)> {
    Dialect::ALL.into_iter().filter_map(|dialect| Some((dialect, dialect.vendor()?)))
}

fn assert_json(bytes: &[u8]) {
    serde_json::from_slice::<&RawValue>(bytes).unwrap();
}

/// As a request of every dialect, encoded for every vendor.
fn read_as_request(bytes: &[u8]) {
    for (dialect, caller) in callers() {
        match crossing::read(dialect, bytes, true) {
            Ok(call) => {
                for (_, vendor) in vendors() {
                    match vendor.encode(&call, &Encoding::plain("m")) {
                        Ok(encoded) => assert_json(&encoded.body),
                        Err(unsayable) => assert_json(&caller.render_fault(&unsayable.into_fault(caller))),
                    }
                }
            }
            Err(fault) => assert_json(&caller.render_fault(&fault)),
        }
    }
}

/// As an answer and as a refusal of every vendor, shown to every caller.
fn read_as_answer(bytes: &[u8]) {
    let body = Bytes::copy_from_slice(bytes);
    for (_, vendor) in vendors() {
        if let Ok(reply) = vendor.decode(bytes) {
            for (_, caller) in callers() {
                assert_json(&caller.render(&reply, &rendering()));
            }
        }
        for status in [400, 401, 404, 429, 500, 529] {
            let fault = vendor.read_fault(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), &body);
            for (_, caller) in callers() {
                assert_json(&caller.render_fault(&fault));
            }
        }
    }
    for (dialect, _) in vendors() {
        if let Some(pass) = dialect.pass() {
            pass.read_usage(bytes);
        }
    }
}

/// As a stream of this vendor, shown to every caller.
fn read_as_stream(vendor: Dialect, bytes: &[u8]) {
    let (events, result) = decode(vendor, [bytes]);
    let fault = result.err().map(ChatEvent::Fault);
    let events: Vec<_> = events.into_iter().chain(fault).collect();
    show_to_all(&events);
    if let Some(pass) = vendor.pass() {
        let mut tap = pass.tap(true);
        tap.feed(Bytes::copy_from_slice(bytes));
        tap.finish();
    }
}

fn show_to_all(events: &[ChatEvent]) {
    for (caller, _) in callers() {
        for framing in framings(caller) {
            let rendering = Rendering { framing: *framing, ..rendering() };
            assert_grammar(caller, *framing, &render(caller, events, &rendering));
        }
    }
}

proptest! {
    #[test]
    fn every_renderer_holds_its_grammar(events in prop::collection::vec(any_event(), 0..24)) {
        show_to_all(&events);
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_as_request(&bytes);
        read_as_answer(&bytes);
        for (vendor, _) in vendors() {
            read_as_stream(vendor, &bytes);
        }
    }

    #[test]
    fn any_json_is_survived(values in prop::collection::vec(any_json(), 1..6)) {
        let mut stream = Vec::new();
        for value in &values {
            read_as_request(value.to_string().as_bytes());
            read_as_answer(value.to_string().as_bytes());
            stream.extend_from_slice(format!("data: {value}\n\n").as_bytes());
        }
        for (vendor, _) in vendors() {
            read_as_stream(vendor, &stream);
        }
    }
}

proptest! {
    // Each walks all recordings.
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Recorded events in any order and with any of them missing.
    #[test]
    fn shuffled_events_are_survived(order in prop::collection::vec(any::<prop::sample::Index>(), 0..40)) {
        for case in cases().iter().filter(|case| case.dialect.vendor().is_some()) {
            let Some(stream) = case.stream().and_then(|stream| String::from_utf8(stream).ok()) else { continue };
            let events: Vec<_> = stream.split_inclusive("\n\n").collect();
            let shuffled: String = order.iter().map(|at| *at.get(&events)).collect();
            read_as_stream(case.dialect, shuffled.as_bytes());
        }
    }

    /// Recorded objects with one value inside them replaced by another.
    #[test]
    fn distorted_recordings_are_survived(which in any::<prop::sample::Index>(), by in any_json()) {
        for case in cases() {
            if let Some(mut value) = case.json("request.json") {
                replace_one(&mut value, which, &by);
                read_as_request(value.to_string().as_bytes());
            }
            if let Some(mut value) = case.json("reply.json") {
                replace_one(&mut value, which, &by);
                read_as_answer(value.to_string().as_bytes());
            }
            let Some(stream) = case.stream().filter(|_| case.dialect.vendor().is_some()) else { continue };
            let distorted: String = String::from_utf8_lossy(&stream).lines().map(|line| {
                let data = line.strip_prefix("data: ").and_then(|data| serde_json::from_str::<Value>(data).ok());
                let Some(mut value) = data else { return format!("{line}\n") };
                replace_one(&mut value, which, &by);
                format!("data: {value}\n")
            }).collect();
            read_as_stream(case.dialect, distorted.as_bytes());
        }
    }
}

/// The bounded run of what `cargo run --release -p lyss-adapters --example fuzz` does at length.
#[test]
fn mutated_recordings_are_survived() {
    let mut draw = Draw::new(1);
    let cases = cases();
    for (file, read) in [("request.json", read_as_request as fn(&[u8])), ("reply.json", read_as_answer)] {
        let recorded: Vec<_> = cases.iter().filter_map(|case| case.file(file)).collect();
        for _ in 0..400 {
            let (one, other) = (draw.below(recorded.len()), draw.below(recorded.len()));
            read(&mutate(&recorded[one], &recorded[other], &mut draw));
        }
    }
    for (_, dialect) in FOLDERS.into_iter().filter(|(_, dialect)| dialect.vendor().is_some()) {
        let of_dialect = cases.iter().filter(|case| case.dialect == dialect);
        let recorded: Vec<_> = of_dialect.filter_map(fixtures::Case::stream).collect();
        if recorded.is_empty() {
            continue;
        }
        for _ in 0..200 {
            let (one, other) = (draw.below(recorded.len()), draw.below(recorded.len()));
            read_as_stream(dialect, &mutate(&recorded[one], &recorded[other], &mut draw));
        }
    }
}

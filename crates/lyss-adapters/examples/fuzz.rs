//! Feeds mutated recordings to every decoder, every reader of answers and refusals, and every parser of requests, and
//! shows what comes out to a caller of every dialect. Reports time and peak memory; ends with status 1 where memory grew
//! beyond the bound. A panic ends it, with the input's number.
//!
//! `cargo run --release -p lyss-adapters --example fuzz -- 100000 [seed]`: so many inputs for each.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    dead_code,
    reason = "a tool over the tests' own recordings, which may end by a panic and reads the clock"
)]

#[path = "../src/golden/fixtures.rs"]
mod fixtures;
#[path = "../src/golden/mutate.rs"]
mod mutate;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use lyss_adapters::{ChatEvent, Dialect, Encoding};
use lyss_wire::SseFramer;

use crate::fixtures::{Case, EVENT_BYTES, cases, rendering};
use crate::mutate::{Draw, mutate};

/// What a run may need beyond what it began with. One input is some kilobytes.
const MAX_GROWTH_KIB: u64 = 64 * 1024;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut number = |usual: u64| arguments.next().and_then(|word| word.parse().ok()).unwrap_or(usual);
    let (inputs, seed) = (number(100_000), number(1));
    let cases = cases();
    println!(
        "{:<22}{:<10}{:>10}{:>10}{:>12}{:>14}",
        "dialect", "role", "inputs", "seconds", "read well", "peak KiB more"
    );
    let mut is_bounded = true;
    for dialect in Dialect::ALL {
        let recorded = |file: fn(&Case) -> Option<Vec<u8>>| -> Vec<Vec<u8>> {
            cases.iter().filter(|case| case.dialect == dialect).filter_map(file).collect()
        };
        let requests = recorded(Case::request);
        let replies = recorded(Case::reply);
        let streams = recorded(Case::stream);
        let mut run = |role: &str, recorded: &[Vec<u8>], one: &dyn Fn(&[u8]) -> bool| {
            is_bounded &= campaign(dialect, role, recorded, inputs, seed, one);
        };
        if dialect.caller().is_some() {
            run("parser", &requests, &|bytes| parse(dialect, bytes));
        }
        if dialect.vendor().is_some() {
            run("decoder", &streams, &|bytes| decode(dialect, bytes));
            run("decode", &replies, &|bytes| decode_whole(dialect, bytes));
            run("read_fault", &replies, &|bytes| read_fault(dialect, bytes));
        }
        if dialect.pass().is_some() {
            run("tap", &streams, &|bytes| tap(dialect, bytes));
        }
    }
    if is_bounded { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// So many inputs for one role; false where memory grew too much. `one` says whether the input was read as valid.
fn campaign(
    dialect: Dialect,
    role: &str,
    recorded: &[Vec<u8>],
    inputs: u64,
    seed: u64,
    one: &dyn Fn(&[u8]) -> bool,
) -> bool {
    if recorded.is_empty() {
        println!("{:<22}{role:<10} nothing recorded", dialect.as_str());
        return true;
    }
    let mut draw = Draw::new(seed);
    let before = forget_peak();
    let start = Instant::now();
    let mut valid = 0_u64;
    for number in 0..inputs {
        let (from, other) = (draw.below(recorded.len()), draw.below(recorded.len()));
        let input = mutate(&recorded[from], &recorded[other], &mut draw);
        match catch_unwind(AssertUnwindSafe(|| one(&input))) {
            Ok(is_valid) => valid += u64::from(is_valid),
            Err(_) => panic!(
                "{} {role}: input {number} of seed {seed}:\n{}",
                dialect.as_str(),
                String::from_utf8_lossy(&input)
            ),
        }
    }
    let growth = peak_kib().saturating_sub(before);
    let seconds = start.elapsed().as_secs_f64();
    println!("{:<22}{role:<10}{inputs:>10}{seconds:>10.1}{valid:>12}{growth:>14}", dialect.as_str());
    growth <= MAX_GROWTH_KIB
}

fn callers() -> impl Iterator<Item = Dialect> {
    Dialect::ALL.into_iter().filter(|dialect| dialect.caller().is_some())
}

/// Parsed, and what could be parsed is encoded for every vendor.
fn parse(dialect: Dialect, bytes: &[u8]) -> bool {
    let Ok(ask) = fixtures::ask(dialect, bytes, true) else { return false };
    let Ok(call) = dialect.caller().unwrap().parse(&ask) else { return false };
    for vendor in Dialect::ALL.into_iter().filter_map(Dialect::vendor) {
        if let Ok(encoded) = vendor.encode(&call, &Encoding::plain("m")) {
            assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&encoded.body).is_ok(), "not JSON");
        }
    }
    true
}

/// Decoded in pieces, and shown to every caller.
fn decode(dialect: Dialect, bytes: &[u8]) -> bool {
    let mut framer = SseFramer::new(EVENT_BYTES);
    let mut decoder = dialect.vendor().unwrap().decoder();
    let mut frames = Vec::new();
    let mut events = Vec::new();
    let mut is_valid = true;
    for piece in bytes.chunks(97) {
        is_valid &= framer.feed(piece, &mut frames).is_ok();
    }
    is_valid &= framer.finish(&mut frames).is_ok();
    for frame in &frames {
        is_valid &= decoder.feed(frame, &mut events).is_ok();
    }
    is_valid &= decoder.finish(&mut events).is_ok();
    for caller in callers() {
        let mut renderer = caller.caller().unwrap().renderer(&rendering());
        let mut out = BytesMut::new();
        for event in &events {
            renderer.event(event, &mut out);
        }
    }
    is_valid && events.iter().any(|event| matches!(event, ChatEvent::End))
}

fn decode_whole(dialect: Dialect, bytes: &[u8]) -> bool {
    let Ok(reply) = dialect.vendor().unwrap().decode(bytes) else { return false };
    for caller in callers() {
        let body = caller.caller().unwrap().render(&reply, &rendering());
        assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok(), "not JSON");
    }
    true
}

fn read_fault(dialect: Dialect, bytes: &[u8]) -> bool {
    let body = Bytes::copy_from_slice(bytes);
    let fault = dialect.vendor().unwrap().read_fault(StatusCode::BAD_REQUEST, &HeaderMap::new(), &body);
    for caller in callers() {
        let body = caller.caller().unwrap().render_fault(&fault);
        assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok(), "not JSON");
    }
    true
}

fn tap(dialect: Dialect, bytes: &[u8]) -> bool {
    let mut tap = dialect.pass().unwrap().tap(false);
    let mut out = Vec::with_capacity(bytes.len());
    for piece in bytes.chunks(97) {
        out.extend_from_slice(&tap.feed(Bytes::copy_from_slice(piece)));
    }
    out.extend_from_slice(&tap.finish());
    assert!(out == bytes, "a tap that hides nothing changes nothing");
    tap.tapped().ended
}

/// Sets the peak back to what is held now, and says what that is. Where the system has no such thing, the peak since
/// the start is all there is, and the growth shown is of the peak.
fn forget_peak() -> u64 {
    drop(fs::write("/proc/self/clear_refs", "5"));
    peak_kib()
}

/// The most memory held at once, in KiB; 0 where the system does not say.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

//! A tap, which reads bytes that pass, agrees with the decoder, which reads the same stream for a conversion.

use bytes::Bytes;

use super::crossing;
use super::fixtures::{Case, cases};
use super::mutate::Draw;
use super::streams::split;
use crate::dialect::Tapped;
use crate::{ChatEvent, Dialect};

fn tapped(dialect: Dialect, pieces: &[&[u8]]) -> (Tapped, Vec<u8>) {
    let mut tap = dialect.pass().unwrap().tap(false);
    let mut out = Vec::new();
    for piece in pieces {
        out.extend_from_slice(&tap.feed(Bytes::copy_from_slice(piece)));
    }
    out.extend_from_slice(&tap.finish());
    (tap.tapped().clone(), out)
}

/// What a tap saw, and what the decoder says it should have seen.
fn compare(case: &Case, stream: &[u8]) -> Vec<String> {
    let events = crossing::events(case.dialect, stream);
    let (seen, out) = tapped(case.dialect, &[stream]);
    let usage = events.iter().rev().find_map(|event| match event {
        ChatEvent::Usage(usage) => Some(*usage),
        _ => None,
    });
    let has = |is: fn(&ChatEvent) -> bool| events.iter().any(is);
    let fault = events.iter().find_map(|event| match event {
        ChatEvent::Fault(fault) => Some(fault.kind),
        _ => None,
    });
    let pairs = [
        ("usage", format!("{:?}", seen.usage), format!("{usage:?}")),
        ("ended", seen.ended.to_string(), has(|event| matches!(event, ChatEvent::End)).to_string()),
        ("fault", format!("{:?}", seen.fault.as_ref().map(|fault| fault.kind)), format!("{fault:?}")),
        ("content", seen.content.to_string(), has(ChatEvent::is_content).to_string()),
        ("bytes", (out == stream).to_string(), "true".to_owned()),
    ];
    let place = case.path.display();
    let differing = pairs.into_iter().filter(|(_, tap, decoder)| tap != decoder);
    differing.map(|(what, tap, decoder)| format!("{place}: {what}: tap {tap}, decoder {decoder}")).collect()
}

fn streams() -> impl Iterator<Item = (Case, Vec<u8>)> {
    cases()
        .into_iter()
        .filter(|case| case.dialect.pass().is_some() && case.dialect.vendor().is_some())
        .filter_map(|case| {
            let stream = case.stream()?;
            Some((case, stream))
        })
}

#[test]
fn a_tap_agrees_with_the_decoder() {
    let found: Vec<_> = streams().flat_map(|(case, stream)| compare(&case, &stream)).collect();
    super::assert_none("tap and decoder differ", &found);
}

#[test]
fn a_tap_sees_the_same_at_every_split() {
    for (case, stream) in streams() {
        let place = case.path.display();
        let whole = tapped(case.dialect, &[&stream]);
        let same = |pieces: &[&[u8]]| {
            let split = tapped(case.dialect, pieces);
            split.1 == whole.1 && format!("{:?}", split.0) == format!("{:?}", whole.0)
        };
        for at in 0..=stream.len() {
            assert!(same(&[&stream[..at], &stream[at..]]), "{place} split at {at}");
        }
        assert!(same(&stream.chunks(1).collect::<Vec<_>>()), "{place} byte by byte");
        let mut draw = Draw::new(7);
        for _ in 0..8 {
            assert!(same(&split(&stream, 12, &mut draw)), "{place} in twelve pieces");
        }
    }
}

/// Cut anywhere, what a tap let through and what it holds are what came, and it sees no end that did not come.
#[test]
fn a_tap_of_a_cut_stream_sees_no_end() {
    for (case, stream) in streams() {
        let whole = tapped(case.dialect, &[&stream]).0;
        for end in (0..stream.len()).step_by(7) {
            let mut tap = case.dialect.pass().unwrap().tap(false);
            let passed = tap.feed(Bytes::copy_from_slice(&stream[..end]));
            assert!(stream.starts_with(&passed), "{} cut at {end}", case.path.display());
            assert!(!tap.tapped().ended || whole.ended, "{} cut at {end}", case.path.display());
        }
    }
}

/// The usage of a whole answer, read in passing.
#[test]
fn passing_usage_is_the_decoders() {
    let mut found = Vec::new();
    for case in cases() {
        let (Some(reply), Some(pass), Some(vendor)) =
            (case.reply(), case.dialect.pass(), case.dialect.vendor())
        else {
            continue;
        };
        let Ok(decoded) = vendor.decode(&reply) else { continue };
        let passing = pass.read_usage(&reply);
        if passing != decoded.usage {
            found.push(format!("{}: passing {passing:?}, decoded {:?}", case.path.display(), decoded.usage));
        }
    }
    super::assert_none("usage differs", &found);
}

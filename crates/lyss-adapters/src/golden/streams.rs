//! Every recorded stream cut at every byte and split anywhere, and every renderer stopped behind every event.

use proptest::prelude::*;

use super::fixtures::{self, Case, FOLDERS, cases, decode, render, rendering};
use super::grammar::{assert_counted, assert_grammar, is_success};
use super::mutate::Draw;
use crate::dialect::Rendering;
use crate::{ChatEvent, Dialect, Framing};

/// Where streams are cut and split is the framer's and the decoder's work alone, so each dialect has its own test and
/// they run side by side.
fn streams(dialect: Dialect) -> Vec<(Case, Vec<u8>)> {
    let of_dialect = cases().into_iter().filter(|case| case.dialect == dialect && dialect.vendor().is_some());
    of_dialect.filter_map(|case| case.stream().map(|stream| (case, stream))).collect()
}

fn shown(events: &[ChatEvent]) -> Vec<String> {
    events.iter().map(|event| format!("{event:?}")).collect()
}

/// Cut anywhere, a stream yields a beginning of what the whole yields, and is complete only with its end marker.
fn cut_everywhere(dialect: Dialect) {
    for (case, stream) in streams(dialect) {
        let place = case.path.display();
        let whole = shown(&decode(dialect, [stream.as_slice()]).0);
        for end in 0..stream.len() {
            let (events, result) = decode(dialect, [&stream[..end]]);
            // Google has no end marker: an orderly end of the bytes behind a finish reason is one, and `End` is added.
            let is_end = |event: &ChatEvent| matches!(event, ChatEvent::End);
            let kept = match dialect {
                Dialect::GoogleGenerate => events.iter().filter(|event| !is_end(event)).cloned().collect(),
                _ => events.clone(),
            };
            assert!(whole.starts_with(&shown(&kept)), "{place} cut at {end}");
            let terminals =
                events.iter().filter(|event| matches!(event, ChatEvent::End | ChatEvent::Fault(_))).count();
            assert!(terminals + usize::from(result.is_err()) <= 1, "{place} cut at {end}");
            let finished = events.iter().any(|event| matches!(event, ChatEvent::Finish { .. }));
            let ended = events.iter().any(is_end);
            assert!(
                !ended || finished || dialect != Dialect::GoogleGenerate,
                "{place} cut at {end}: an end made up"
            );
        }
    }
}

#[test]
fn a_cut_chat_stream_is_a_beginning_of_the_whole() {
    cut_everywhere(Dialect::OpenAiChat);
}

#[test]
fn a_cut_responses_stream_is_a_beginning_of_the_whole() {
    cut_everywhere(Dialect::OpenAiResponses);
}

#[test]
fn a_cut_messages_stream_is_a_beginning_of_the_whole() {
    cut_everywhere(Dialect::AnthropicMessages);
}

#[test]
fn a_cut_google_stream_is_a_beginning_of_the_whole() {
    cut_everywhere(Dialect::GoogleGenerate);
}

/// Stopped behind any event, what a caller has got so far is no success, and its grammar holds.
#[test]
fn a_stream_stopped_anywhere_is_rendered_by_the_grammar() {
    for (folder, caller) in FOLDERS.into_iter().filter(|(_, dialect)| dialect.caller().is_some()) {
        for framing in framings(caller) {
            let rendering = Rendering { framing: *framing, ..rendering() };
            for (case, stream) in FOLDERS.iter().flat_map(|(_, vendor)| streams(*vendor)) {
                let (events, _) = decode(case.dialect, [stream.as_slice()]);
                assert_counted(caller, &render(caller, &events, &rendering));
                for end in 0..=events.len() {
                    let rendered = render(caller, &events[..end], &rendering);
                    assert_grammar(caller, *framing, &rendered);
                    let ended = events[..end].iter().any(|event| matches!(event, ChatEvent::End));
                    let is_success = *framing == Framing::Events && is_success(caller, &rendered);
                    assert!(ended || !is_success, "{} → {folder}: a success made up", case.path.display());
                }
            }
        }
    }
}

/// The ways in which a caller may ask for a stream.
pub(super) fn framings(caller: Dialect) -> &'static [Framing] {
    match caller {
        Dialect::GoogleGenerate => &[Framing::Events, Framing::Array],
        _ => &[Framing::Events],
    }
}

/// The stream in pieces that end anywhere.
pub(super) fn split<'a>(stream: &'a [u8], pieces: usize, draw: &mut Draw) -> Vec<&'a [u8]> {
    let mut ends: Vec<_> = (1..pieces).map(|_| draw.below(stream.len() + 1)).collect();
    ends.sort_unstable();
    ends.push(stream.len());
    let mut from = 0;
    ends.into_iter()
        .map(|end| {
            let piece = &stream[from..end];
            from = end;
            piece
        })
        .collect()
}

proptest! {
    // Each walks all recordings.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_split_yields_the_same_events(seed in any::<u64>(), pieces in 2..40_usize) {
        let mut draw = Draw::new(seed);
        for (_, dialect) in FOLDERS {
            for (case, stream) in streams(dialect) {
                let (whole, _) = decode(dialect, [stream.as_slice()]);
                let (events, _) = decode(dialect, split(&stream, pieces, &mut draw));
                prop_assert_eq!(shown(&events), shown(&whole), "{}", case.path.display());
            }
        }
    }
}

#[test]
fn a_stream_byte_by_byte_yields_the_same_events() {
    for (_, dialect) in FOLDERS {
        for (case, stream) in streams(dialect) {
            let (whole, _) = decode(dialect, [stream.as_slice()]);
            let (events, _) = decode(dialect, stream.chunks(1));
            assert_eq!(shown(&events), shown(&whole), "{}", case.path.display());
            assert_eq!(fixtures::frames(stream.chunks(1)), fixtures::frames([stream.as_slice()]));
        }
    }
}

//! Errors keep their meaning: written as any dialect's error object and read by that dialect's own reader, a fault is of
//! the same kind, with the same words.

use http::{HeaderMap, StatusCode};
use lyss_domain::FaultKind;

use super::{assert_none, crossing};
use crate::{ChatEvent, Dialect, Fault};

/// What a caller can tell apart and should react to in its own way.
const TOLD: [FaultKind; 6] = [
    FaultKind::BadRequest,
    FaultKind::ContextTooLong,
    FaultKind::ContentFiltered,
    FaultKind::ModelNotFound,
    FaultKind::VendorRateLimited,
    FaultKind::Overloaded,
];

/// Google and Anthropic have one word for all of these; the sentence alone tells them apart.
fn is_told(dialect: Dialect, kind: FaultKind, read: FaultKind) -> bool {
    let has_one_word = matches!(dialect, Dialect::GoogleGenerate | Dialect::AnthropicMessages);
    let is_that = has_one_word && read == FaultKind::BadRequest;
    read == kind || is_that && matches!(kind, FaultKind::ContextTooLong | FaultKind::ContentFiltered)
}

fn both_sides() -> impl Iterator<Item = Dialect> {
    Dialect::ALL.into_iter().filter(|dialect| dialect.caller().is_some() && dialect.vendor().is_some())
}

#[test]
fn an_error_object_says_which_kind_of_error() {
    let mut found = Vec::new();
    for dialect in both_sides() {
        for kind in TOLD {
            let fault = Fault::new(kind, "A sentence of the vendor's.");
            let body = dialect.caller().unwrap().render_fault(&fault);
            let status = StatusCode::from_u16(fault.status).unwrap();
            let read = dialect.vendor().unwrap().read_fault(status, &HeaderMap::new(), &body);
            if !is_told(dialect, kind, read.kind) {
                found.push(format!(
                    "{}: {kind:?} is read as {:?}: {}",
                    dialect.as_str(),
                    read.kind,
                    String::from_utf8_lossy(&body)
                ));
            }
            if !read.message.contains("A sentence of the vendor's.") {
                found.push(format!("{}: {kind:?} lost its words: {}", dialect.as_str(), read.message));
            }
        }
    }
    assert_none("an error changed its meaning", &found);
}

#[test]
fn an_error_inside_a_stream_says_which_kind_of_error() {
    let mut found = Vec::new();
    for dialect in both_sides() {
        for kind in TOLD {
            let fault = Fault::new(kind, "A sentence of the vendor's.");
            let stream = dialect.caller().unwrap().render_stream_fault(&fault);
            let read = crossing::events(dialect, &stream).into_iter().find_map(|event| match event {
                ChatEvent::Fault(fault) => Some(fault),
                _ => None,
            });
            match read {
                None => found.push(format!(
                    "{}: {kind:?} is no error: {}",
                    dialect.as_str(),
                    String::from_utf8_lossy(&stream)
                )),
                Some(read) if !is_told(dialect, kind, read.kind) => {
                    found.push(format!(
                        "{}: {kind:?} is read as {:?}: {}",
                        dialect.as_str(),
                        read.kind,
                        String::from_utf8_lossy(&stream)
                    ));
                }
                Some(_) => {}
            }
        }
    }
    assert_none("an error changed its meaning", &found);
}

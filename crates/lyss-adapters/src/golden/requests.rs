//! Every recorded request to every vendor: what arrives there, read by that dialect's own reader, is what was said.

use super::assert_none;
use super::crossing::{self, Outcome};
use super::fixtures::{cases, vendor_kinds};
use crate::conversation::Loss;
use crate::dialect::Encoding;
use crate::quirks::{Quirks, ReasoningBack};

/// A vendor of OpenAI's dialect that knows all there is in it.
const ALL_KNOWING: Quirks =
    Quirks { reasoning: ReasoningBack::Details, top_k: true, cache_control: true, ..Quirks::OPENAI };

#[test]
fn no_request_loses_anything_in_silence() {
    let mut found = Vec::new();
    let mut seen = 0;
    for case in cases() {
        for vendor in vendor_kinds() {
            let place = format!("{} → {}", case.path.display(), vendor.name);
            match crossing::request(&case, &vendor) {
                Some(Outcome::Broken(lines)) => {
                    found.extend(lines.iter().map(|line| format!("{place}: {line}")))
                }
                Some(Outcome::Refused(message)) if message.trim().is_empty() => {
                    found.push(format!("{place}: refused without a word"));
                }
                Some(_) => seen += 1,
                None => {}
            }
        }
    }
    assert_none("lost in silence", &found);
    assert!(seen > 0, "no request was carried over");
}

#[test]
fn a_dialect_reads_back_its_own_requests_whole() {
    let mut found = Vec::new();
    let mut seen = 0;
    for case in cases() {
        let (Some(body), Some(vendor), Some(_)) =
            (case.request(), case.dialect.vendor(), case.dialect.caller())
        else {
            continue;
        };
        let place = case.path.display();
        // What is refused is said; a setting that this one model does not take is a named loss of its own dialect too.
        let Ok(call) = crossing::read(case.dialect, &body, false) else { continue };
        let encoding = Encoding { model: &call.model, output_limit: None, quirks: &ALL_KNOWING };
        let Ok(encoded) = vendor.encode(&call, &encoding) else { continue };
        seen += 1;
        let unheard = crossing::unheard(&call, &encoded, case.dialect, true);
        found.extend(unheard.iter().map(|line| format!("{place}: {line}")));
        // A text file becomes text for vendors that read no file but PDF, and text has no name.
        let is_known = |loss: &Loss| {
            matches!(loss, Loss::Field(_) | Loss::Setting(_) | Loss::Turn { what: "filename", .. })
        };
        let lost = encoded.losses.iter().filter(|loss| !is_known(loss));
        found.extend(lost.map(|loss| format!("{place}: lost on the way to its own dialect: {loss:?}")));
    }
    assert_none("not the same again", &found);
    assert!(seen > 40, "only {seen} requests were read back");
}

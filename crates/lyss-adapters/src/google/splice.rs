//! The one splice into a request of this dialect: an output limit. Model and stream stand in the address, and usage
//! always comes.

use lyss_wire::RequestBody;

use crate::scan::Ask;
use crate::splice::{Edits, Splices};

/// The name the vendor reads a limit under, inside `generationConfig`, which is made where it is missing. Only that is
/// known here, so the name that came with the limit is passed over.
const FIELD: &str = "\"maxOutputTokens\":";

pub(super) fn splice(ask: &Ask, splices: &Splices<'_>) -> RequestBody {
    let mut edits = Edits::default();
    let spans = &ask.spans;
    if let Some(limit) = splices.output_limit {
        let tokens = limit.tokens;
        match &spans.generation {
            Some(span) => {
                let inside = ask.body.get(span.start + 1..span.end.saturating_sub(1)).unwrap_or_default();
                let is_object = ask.body.get(span.start) == Some(&b'{');
                if is_object && !inside.trim_ascii().is_empty() {
                    edits.insert(span.start + 1, format!("{FIELD}{tokens},"));
                } else {
                    edits.replace(span.start, span.end, format!("{{{FIELD}{tokens}}}"));
                }
            }
            None => {
                let comma = if spans.is_empty { "" } else { "," };
                edits.insert(spans.open, format!("\"generationConfig\":{{{FIELD}{tokens}}}{comma}"));
            }
        }
    }
    edits.apply(&ask.body)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::scan::{PathWords, scan_at};
    use crate::splice::OutputLimit;
    use crate::{Dialect, Splices};

    fn spliced(body: &str, limit: Option<u64>) -> String {
        let path = PathWords { model: Some("gemini-2.5-pro".to_owned()), ..PathWords::default() };
        let body = Bytes::copy_from_slice(body.as_bytes());
        let ask = scan_at(Dialect::GoogleGenerate, body, path).unwrap();
        let output_limit = limit.map(|tokens| OutputLimit { field: "maxOutputTokens", tokens });
        // What does not concern this dialect changes nothing.
        let splices = Splices { model: Some("other"), include_usage: true, output_limit };
        String::from_utf8(splice(&ask, &splices).to_bytes().to_vec()).unwrap()
    }

    #[test]
    fn without_a_limit_nothing_changes() {
        let body = r#" {"contents": [ ] } "#;
        assert_eq!(spliced(body, None), body);
    }

    #[test]
    fn the_limit_stands_in_the_generation_config() {
        let table = [
            (r#"{"contents":[]}"#, r#"{"generationConfig":{"maxOutputTokens":7},"contents":[]}"#),
            ("{}", r#"{"generationConfig":{"maxOutputTokens":7}}"#),
            (r#"{"generationConfig":{"topK":1}}"#, r#"{"generationConfig":{"maxOutputTokens":7,"topK":1}}"#),
            (
                r#"{"generation_config": { }, "a":1}"#,
                r#"{"generation_config": {"maxOutputTokens":7}, "a":1}"#,
            ),
            (r#"{"generationConfig":null}"#, r#"{"generationConfig":{"maxOutputTokens":7}}"#),
        ];
        for (body, expected) in table {
            assert_eq!(spliced(body, Some(7)), expected);
        }
    }
}

//! Splices into a chat request. At most five pieces, of which those around the changes are slices of the original.

use bytes::Bytes;
use lyss_wire::RequestBody;

use crate::scan::Ask;
use crate::splice::{Edits, Splices, quoted};

/// The body with the splices made. Two edits never overlap, since they are different fields.
pub(super) fn splice(ask: &Ask, splices: &Splices<'_>) -> RequestBody {
    let spans = &ask.spans;
    let mut edits = Edits::default();
    let mut inserted = String::new();
    if let Some(limit) = splices.output_limit {
        inserted.push_str(&format!("\"{}\":{},", limit.field, limit.tokens));
    }
    if splices.include_usage {
        match (&spans.include_usage, &spans.stream_options) {
            (Some(flag), _) => edits.replace(flag.start, flag.end, Bytes::from_static(b"true")),
            (None, Some(options)) => into_options(ask, options.start, options.end, &mut edits),
            (None, None) => inserted.push_str("\"stream_options\":{\"include_usage\":true},"),
        }
    }
    match (splices.model, &spans.model) {
        (Some(model), Some(span)) => edits.replace(span.start, span.end, quoted(model)),
        // Azure's callers name it in the address; a vendor that reads it from the body must find it there.
        (Some(model), None) => inserted.push_str(&format!("\"model\":{},", quoted(model))),
        (None, _) => {}
    }
    if !inserted.is_empty() {
        if spans.is_empty {
            inserted.pop();
        }
        edits.insert(spans.open, inserted);
    }
    edits.apply(&ask.body)
}

/// `{…}` gets the flag in front, `{}` and null become an object with the flag alone.
fn into_options(ask: &Ask, start: usize, end: usize, edits: &mut Edits) {
    let inside = ask.body.get(start + 1..end.saturating_sub(1)).unwrap_or_default();
    let is_object = ask.body.get(start) == Some(&b'{');
    if is_object && !inside.trim_ascii().is_empty() {
        edits.insert(start + 1, Bytes::from_static(b"\"include_usage\":true,"));
    } else {
        edits.replace(start, end, Bytes::from_static(b"{\"include_usage\":true}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splice::OutputLimit;
    use crate::{Dialect, scan};

    fn spliced(body: &str, splices: &Splices<'_>) -> String {
        let ask = scan(Dialect::OpenAiChat, Bytes::copy_from_slice(body.as_bytes())).unwrap();
        String::from_utf8(splice(&ask, splices).to_bytes().to_vec()).unwrap()
    }

    const USAGE: Splices<'static> = Splices { model: None, include_usage: true, output_limit: None };

    #[test]
    fn nothing_to_do_is_the_same_bytes_without_a_copy() {
        let body = Bytes::from_static(br#" {"model" : "m","messages":[ ]} "#);
        let ask = scan(Dialect::OpenAiChat, body.clone()).unwrap();
        let out = splice(&ask, &Splices::default());
        assert_eq!(out.pieces().len(), 1);
        assert_eq!(out.pieces()[0].as_ptr(), body.as_ptr());
        assert_eq!(out.to_bytes(), body);
    }

    #[test]
    fn only_the_named_bytes_change() {
        let all = Splices {
            model: Some("a\"b"),
            include_usage: true,
            output_limit: Some(OutputLimit { field: "max_tokens", tokens: 9 }),
        };
        assert_eq!(
            spliced(r#"{ "messages":[ 1 ], "model" : "m", "stream":true }"#, &all),
            r#"{"max_tokens":9,"stream_options":{"include_usage":true}, "messages":[ 1 ], "model" : "a\"b", "stream":true }"#
        );
    }

    #[test]
    fn usage_is_asked_for_wherever_the_options_stand() {
        let table = [
            (
                r#"{"model":"m","stream_options":null}"#,
                r#"{"model":"m","stream_options":{"include_usage":true}}"#,
            ),
            (
                r#"{"model":"m","stream_options":{ }}"#,
                r#"{"model":"m","stream_options":{"include_usage":true}}"#,
            ),
            (
                r#"{"stream_options":{"x":1},"model":"m"}"#,
                r#"{"stream_options":{"include_usage":true,"x":1},"model":"m"}"#,
            ),
            (
                r#"{"stream_options":{"include_usage":false},"model":"m"}"#,
                r#"{"stream_options":{"include_usage":true},"model":"m"}"#,
            ),
        ];
        for (body, expected) in table {
            assert_eq!(spliced(body, &USAGE), expected);
        }
    }
}

//! Splices into a request for a response: the model and an output limit.

use lyss_wire::RequestBody;

use crate::scan::Ask;
use crate::splice::{Edits, Splices, quoted};

/// The body with the splices made. Usage needs no asking: every stream of this dialect ends with it.
pub(super) fn splice(ask: &Ask, splices: &Splices<'_>) -> RequestBody {
    let spans = &ask.spans;
    let mut edits = Edits::default();
    let mut inserted = String::new();
    if let Some(limit) = splices.output_limit {
        // The channel's field is one of chat completions; this dialect knows a single name.
        inserted.push_str(&format!("\"max_output_tokens\":{},", limit.tokens));
    }
    match (splices.model, &spans.model) {
        (Some(model), Some(span)) => edits.replace(span.start, span.end, quoted(model)),
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::splice::OutputLimit;
    use crate::{Dialect, scan};

    #[test]
    fn only_the_named_bytes_change() {
        let body = Bytes::from_static(br#"{ "input":"hi", "model" : "m","stream":true }"#);
        let ask = scan(Dialect::OpenAiResponses, body.clone()).unwrap();
        assert_eq!(splice(&ask, &Splices::default()).to_bytes(), body);
        let all = Splices {
            model: Some("a\"b"),
            include_usage: true,
            output_limit: Some(OutputLimit { field: "max_tokens", tokens: 9 }),
        };
        assert_eq!(
            splice(&ask, &all).to_bytes(),
            br#"{"max_output_tokens":9, "input":"hi", "model" : "a\"b","stream":true }"#.as_slice()
        );
    }
}

//! Splices into a message request.

use lyss_wire::RequestBody;

use crate::scan::Ask;
use crate::splice::{Edits, Splices, quoted};

/// The body with the splices made. Usage is always in the stream, so nothing is asked for.
pub(super) fn splice(ask: &Ask, splices: &Splices<'_>) -> RequestBody {
    let spans = &ask.spans;
    let mut edits = Edits::default();
    let mut inserted = String::new();
    if let Some(limit) = splices.output_limit {
        inserted.push_str(&format!("\"{}\":{},", limit.field, limit.tokens));
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
        let body = Bytes::from_static(br#"{ "messages":[ 1 ], "model" : "m" }"#);
        let ask = scan(Dialect::AnthropicMessages, body.clone()).unwrap();
        let limit = OutputLimit { field: "max_tokens", tokens: 9 };
        let all = Splices { model: Some("a\"b"), include_usage: true, output_limit: Some(limit) };
        assert_eq!(
            splice(&ask, &all).to_bytes(),
            r#"{"max_tokens":9, "messages":[ 1 ], "model" : "a\"b" }"#.as_bytes()
        );
        let same = splice(&ask, &Splices { include_usage: true, ..Splices::default() });
        assert_eq!(same.pieces().len(), 1);
        assert_eq!(same.to_bytes(), body);
    }
}

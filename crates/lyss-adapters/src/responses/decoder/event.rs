//! An event as it is read, and what it brings.

use serde::Deserialize;
use serde_json::value::RawValue;

/// A part of an item: `output_index`, what it is, and its number among its like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(pub(super) u64, pub(super) What, pub(super) u64, pub(super) u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    Text,
    Refusal,
    Summary,
    Thought,
    Arguments,
    Annotation,
    Logprobs,
    Seal,
    Image,
}

/// Any event; which fields are there depends on its type.
#[derive(Deserialize)]
pub(super) struct Event<'a> {
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    pub(super) output_index: Option<u64>,
    pub(super) item_id: Option<String>,
    pub(super) content_index: Option<u64>,
    pub(super) summary_index: Option<u64>,
    pub(super) delta: Option<&'a RawValue>,
    pub(super) text: Option<&'a RawValue>,
    pub(super) refusal: Option<String>,
    pub(super) arguments: Option<&'a RawValue>,
    pub(super) input: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) logprobs: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) annotation: Option<&'a RawValue>,
    pub(super) annotation_index: Option<u64>,
    #[serde(borrow)]
    pub(super) part: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) item: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) response: Option<&'a RawValue>,
}

/// A value of a shape not expected here is none.
pub(super) fn lenient<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
}

/// What an event brings a piece of, and whether it is a piece or the whole behind the pieces.
pub(super) fn piece_of(kind: &str) -> Option<(What, bool)> {
    Some(match kind {
        "response.output_text.delta" => (What::Text, true),
        "response.output_text.done" => (What::Text, false),
        "response.refusal.delta" => (What::Refusal, true),
        "response.refusal.done" => (What::Refusal, false),
        "response.reasoning_summary_text.delta" => (What::Summary, true),
        "response.reasoning_summary_text.done" => (What::Summary, false),
        "response.reasoning_text.delta" => (What::Thought, true),
        "response.reasoning_text.done" => (What::Thought, false),
        "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
            (What::Arguments, true)
        }
        "response.function_call_arguments.done" | "response.custom_tool_call_input.done" => {
            (What::Arguments, false)
        }
        "response.output_text.annotation.added" => (What::Annotation, true),
        _ => return None,
    })
}

//! Items of earlier answers that a caller refers to instead of sending them again, as the API reference says of
//! `item_reference` and `store`. OpenAI keeps them; for answers of other vendors the gateway must. Who keeps them, and for
//! how long, is not this crate's matter.

use bytes::Bytes;
use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

/// An item as it was answered, by its id.
pub type KeptItem = (String, Bytes);

#[derive(Deserialize)]
struct Named {
    id: Option<String>,
}

/// False where the caller asked that nothing be kept.
pub fn wants_kept(request: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Store {
        store: Option<bool>,
    }
    serde_json::from_slice::<Store>(request).is_ok_and(|read| read.store != Some(false))
}

/// The items of a whole answer.
pub fn of_answer(answer: &[u8]) -> Vec<KeptItem> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        #[serde(borrow, default)]
        output: Vec<&'a RawValue>,
    }
    let output = serde_json::from_slice::<Answer<'_>>(answer).map(|read| read.output).unwrap_or_default();
    output.into_iter().filter_map(item).collect()
}

/// The items that became whole in these events.
pub fn of_events(events: &[u8]) -> Vec<KeptItem> {
    #[derive(Deserialize)]
    struct Done<'a> {
        #[serde(borrow)]
        item: &'a RawValue,
    }
    const DONE: &[u8] = b"event: response.output_item.done\ndata: ";
    let mut found = Vec::new();
    let mut rest = events;
    while let Some(at) = memmem::find(rest, DONE) {
        rest = rest.get(at + DONE.len()..).unwrap_or_default();
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let data = rest.get(..end).unwrap_or_default();
        found.extend(serde_json::from_slice::<Done<'_>>(data).ok().and_then(|done| item(done.item)));
    }
    found
}

fn item(raw: &RawValue) -> Option<KeptItem> {
    let id = serde_json::from_str::<Named>(raw.get()).ok()?.id.filter(|id| !id.is_empty())?;
    Some((id, Bytes::copy_from_slice(raw.get().as_bytes())))
}

/// The request with every reference that `find` knows replaced by its item; `None`: there is none. One that is not known
/// stays, for the parser to refuse by its place.
pub fn resolved(request: &[u8], find: impl Fn(&str) -> Option<Bytes>) -> Option<Bytes> {
    #[derive(Deserialize)]
    struct Request<'a> {
        #[serde(borrow)]
        input: &'a RawValue,
    }
    #[derive(Deserialize)]
    struct Reference<'a> {
        r#type: Option<&'a str>,
        role: Option<&'a RawValue>,
        id: Option<String>,
    }
    // Nearly no request refers to anything.
    memmem::find(request, b"item_reference")?;
    let input = serde_json::from_slice::<Request<'_>>(request).ok()?.input;
    let items: Vec<&RawValue> = serde_json::from_str(input.get()).ok()?;
    let mut list = String::from("[");
    let mut is_changed = false;
    for (at, raw) in items.into_iter().enumerate() {
        if at > 0 {
            list.push(',');
        }
        let reference = serde_json::from_str::<Reference<'_>>(raw.get()).ok().filter(|item| {
            item.r#type == Some("item_reference") || (item.r#type.is_none() && item.role.is_none())
        });
        let kept = reference.and_then(|item| find(item.id.as_deref()?));
        match kept.as_deref().and_then(|kept| std::str::from_utf8(kept).ok()) {
            Some(kept) => {
                is_changed = true;
                list.push_str(kept);
            }
            None => list.push_str(raw.get()),
        }
    }
    list.push(']');
    is_changed.then(|| replaced(request, input, &list))
}

/// The request with its input exchanged.
fn replaced(request: &[u8], input: &RawValue, list: &str) -> Bytes {
    // The raw value is a slice of the request.
    let from = (input.get().as_ptr() as usize).saturating_sub(request.as_ptr() as usize);
    let to = from + input.get().len();
    let (before, after) = (request.get(..from).unwrap_or_default(), request.get(to..).unwrap_or_default());
    [before, list.as_bytes(), after].concat().into()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn items_are_found_in_answers_whole_and_streamed() {
        let message = json!({"id": "msg_1", "type": "message", "content": []});
        let answer = json!({"output": [message, {"type": "nameless"}]}).to_string();
        let kept = of_answer(answer.as_bytes());
        assert_eq!(kept.len(), 1);
        assert_eq!(
            (kept[0].0.as_str(), serde_json::from_slice::<Value>(&kept[0].1).unwrap()),
            ("msg_1", message.clone())
        );
        let done = json!({"type": "response.output_item.done", "item": message});
        let events = format!("event: x\ndata: {{}}\n\nevent: response.output_item.done\ndata: {done}\n\n");
        assert_eq!(of_events(events.as_bytes()), kept);
        assert!(of_events(b"event: response.output_item.done\ndata: {\"item\":").is_empty());
        assert!(of_answer(b"<html>").is_empty());
    }

    #[test]
    fn references_are_exchanged_for_their_items_and_nothing_else_changes() {
        let find =
            |id: &str| (id == "fc_1").then(|| Bytes::from_static(br#"{"type":"function_call","id":"fc_1"}"#));
        let request = br#"{ "model":"m", "input" : [ {"role":"user","content":"item_reference"}, {"type":"item_reference","id":"fc_1"}, {"id":"fc_1"}, {"type":"item_reference","id":"gone"} ], "store":true}"#;
        let expected = r#"{ "model":"m", "input" : [{"role":"user","content":"item_reference"},{"type":"function_call","id":"fc_1"},{"type":"function_call","id":"fc_1"},{"type":"item_reference","id":"gone"}], "store":true}"#;
        assert_eq!(resolved(request, find).unwrap(), expected);
        for none in [
            br#"{"input":"item_reference"}"#.as_slice(),
            br#"{"input":[{"type":"item_reference","id":"gone"}]}"#,
            br#"{"input":[{"role":"user","content":"hi"}]}"#,
            b"not json item_reference",
        ] {
            assert_eq!(resolved(none, find), None);
        }
        assert!(wants_kept(b"{}") && wants_kept(br#"{"store":true}"#) && !wants_kept(br#"{"store":false}"#));
    }
}

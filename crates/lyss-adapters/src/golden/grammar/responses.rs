//! Response events: numbered from 0 without a gap, `response.created` first, items counted from 0 and each closed once,
//! deltas inside an open part of an open item, one terminal that repeats the items.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Check, Said, require};

const TERMINALS: [&str; 3] = ["response.completed", "response.incomplete", "response.failed"];

/// What an open item holds so far, by the kind and the number of its part.
type Parts = BTreeMap<(&'static str, u64), String>;

#[derive(Default)]
struct State {
    created: bool,
    /// Open items by output index: id, and the open parts of it with the text so far.
    open: BTreeMap<u64, (String, Parts)>,
    items: u64,
    done: BTreeMap<u64, Value>,
    /// `error` came: the response that failed may follow it.
    failing: bool,
    over: bool,
}

pub(super) fn check(events: &[Said]) -> Check {
    let mut state = State::default();
    for (at, said) in events.iter().enumerate() {
        let kind = said.data["type"].as_str().unwrap_or_default();
        require(said.event.as_deref().is_none_or(|event| event == kind), "the event's name is not its type")?;
        require(said.data["sequence_number"] == at, "a gap in the sequence numbers")?;
        require(!state.over, "something follows the end")?;
        state.event(kind, &said.data).map_err(|what| format!("{kind} (event {at}): {what}"))?;
    }
    Ok(())
}

impl State {
    fn event(&mut self, kind: &str, data: &Value) -> Check {
        if self.failing {
            self.over = true;
            return require(kind == "response.failed", "something follows the error");
        }
        if kind == "error" {
            self.failing = true;
            return require(data["message"].is_string(), "an error without words");
        }
        if kind == "response.created" {
            require(!self.created, "a second beginning")?;
            self.created = true;
            return require(data["response"]["id"].is_string(), "a response without an id");
        }
        require(self.created, "before response.created")?;
        match kind {
            "response.in_progress" | "response.queued" => Ok(()),
            "response.output_item.added" => {
                let at = data["output_index"].as_u64().ok_or("no output index")?;
                require(at == self.items, "items are counted from 0")?;
                self.items += 1;
                let id = data["item"]["id"].as_str().ok_or("an item without an id")?.to_owned();
                self.open.insert(at, (id, BTreeMap::new()));
                Ok(())
            }
            "response.output_item.done" => {
                let at = data["output_index"].as_u64().ok_or("no output index")?;
                let (id, parts) = self.open.remove(&at).ok_or("an item that is not open")?;
                require(parts.is_empty(), "an item closed around an open part")?;
                require(data["item"]["id"] == id.as_str(), "an item closed under another id")?;
                self.done.insert(at, data["item"].clone());
                Ok(())
            }
            _ if TERMINALS.contains(&kind) => self.terminal(kind, data),
            _ => self.inside(kind, data),
        }
    }

    fn terminal(&mut self, kind: &str, data: &Value) -> Check {
        self.over = true;
        if kind == "response.failed" {
            return Ok(());
        }
        require(self.open.is_empty(), "items are still open")?;
        let output = data["response"]["output"].as_array().ok_or("no output")?;
        let done: Vec<_> = self.done.values().collect();
        require(output.iter().collect::<Vec<_>>() == done, "the output is not the items that were closed")
    }

    /// Something inside an item.
    fn inside(&mut self, kind: &str, data: &Value) -> Check {
        let at = data["output_index"].as_u64().ok_or("no output index")?;
        let (id, parts) = self.open.get_mut(&at).ok_or("outside its item")?;
        require(data["item_id"] == id.as_str(), "of another item")?;
        let content = data["content_index"].as_u64().unwrap_or(0);
        let summary = data["summary_index"].as_u64().unwrap_or(0);
        let (part, ends) = match kind {
            "response.content_part.added" => {
                return require(
                    parts.insert(("content", content), String::new()).is_none(),
                    "a part opened twice",
                );
            }
            "response.content_part.done" => {
                return require(parts.remove(&("content", content)).is_some(), "a part that is not open");
            }
            "response.reasoning_summary_part.added" => {
                return require(
                    parts.insert(("summary", summary), String::new()).is_none(),
                    "a part opened twice",
                );
            }
            "response.reasoning_summary_part.done" => {
                return require(parts.remove(&("summary", summary)).is_some(), "a part that is not open");
            }
            "response.output_text.annotation.added" => {
                return require(parts.contains_key(&("content", content)), "outside its part");
            }
            "response.output_text.delta" | "response.refusal.delta" | "response.reasoning_text.delta" => {
                (("content", content), None)
            }
            "response.output_text.done" | "response.reasoning_text.done" => {
                (("content", content), Some("text"))
            }
            "response.refusal.done" => (("content", content), Some("refusal")),
            "response.reasoning_summary_text.delta" => (("summary", summary), None),
            "response.reasoning_summary_text.done" => (("summary", summary), Some("text")),
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                parts.entry(("arguments", 0)).or_default();
                (("arguments", 0), None)
            }
            "response.function_call_arguments.done" => {
                parts.entry(("arguments", 0)).or_default();
                (("arguments", 0), Some("arguments"))
            }
            "response.custom_tool_call_input.done" => {
                parts.entry(("arguments", 0)).or_default();
                (("arguments", 0), Some("input"))
            }
            // Server tools have events of their own.
            _ => return Ok(()),
        };
        let text = parts.get_mut(&part).ok_or("outside its part")?;
        match ends {
            None => text.push_str(data["delta"].as_str().ok_or("a delta without text")?),
            Some(field) => require(data[field] == text.as_str(), "the end does not repeat the pieces")?,
        }
        if ends.is_some() && part.0 == "arguments" {
            parts.remove(&part);
        }
        Ok(())
    }
}

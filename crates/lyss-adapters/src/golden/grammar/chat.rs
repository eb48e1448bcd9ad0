//! Chat completion chunks: one chunk per choice says why it finished, nothing stands behind the terminal, pieces of a
//! call follow its start.

use serde_json::Value;

use super::{Check, Said, require};

pub(super) fn check(events: &[Said]) -> Check {
    let is_terminal = |said: &Said| said.data == "[DONE]" || said.data.get("error").is_some();
    let terminal = events.iter().position(is_terminal);
    require(terminal.is_none_or(|at| at + 1 == events.len()), "something follows the end")?;
    let mut finished = Vec::new();
    let mut started: Vec<(Value, Value)> = Vec::new();
    let mut opened = Vec::new();
    let mut usages = 0;
    for said in events.iter().filter(|said| !is_terminal(said)) {
        let chunk = &said.data;
        require(chunk["object"] == "chat.completion.chunk", "a chunk is no chunk")?;
        require(
            chunk["id"].is_string() && chunk["model"].is_string() && chunk["created"].is_i64(),
            "a chunk without a head",
        )?;
        let choices = chunk["choices"].as_array().ok_or("a chunk without choices")?;
        usages += usize::from(chunk.get("usage").is_some_and(Value::is_object));
        for choice in choices {
            let index = choice["index"].clone();
            require(!finished.contains(&index), "a chunk behind the finish")?;
            let is_role = choice["delta"].get("role").is_some();
            require(is_role != opened.contains(&index), "the role comes first and once")?;
            opened.push(index.clone());
            for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
                let key = (index.clone(), call["index"].clone());
                require(call.get("id").is_some() != started.contains(&key), "a call starts once, and first")?;
                started.push(key);
            }
            if !choice["finish_reason"].is_null() {
                finished.push(index);
            }
        }
    }
    require(usages <= 1, "usage comes once")?;
    if events.last().is_some_and(|last| last.data == "[DONE]") {
        require(opened.iter().all(|choice| finished.contains(choice)), "an unfinished choice")?;
    }
    Ok(())
}

/// An index counts the calls of a choice and nothing else. Only of events that a decoder made: they are counted there.
pub(super) fn check_numbers(events: &[Said]) -> Check {
    let mut next = std::collections::BTreeMap::new();
    for choice in events.iter().filter_map(|said| said.data.get("choices")?.get(0)) {
        for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
            if call.get("id").is_some() {
                let next = next.entry(choice["index"].as_u64()).or_insert(0_u64);
                require(call["index"] == *next, "calls are counted from 0")?;
                *next += 1;
            }
        }
    }
    Ok(())
}

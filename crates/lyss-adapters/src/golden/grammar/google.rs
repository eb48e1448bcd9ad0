//! Chunks of `streamGenerateContent`: each a whole `GenerateContentResponse`, nothing of a candidate behind its finish
//! reason, function calls whole; as events or as the elements of one JSON array.

use serde_json::Value;

use super::{Check, Said, require};

pub(super) fn check(events: &[Said]) -> Check {
    require(events.iter().all(|said| said.event.is_none()), "an event with a name")?;
    check_chunks(events.iter().map(|said| &said.data))
}

/// A stream that stopped anywhere is the beginning of an array; closed, it is one.
pub(super) fn check_array(rendered: &[u8]) -> Check {
    let text = std::str::from_utf8(rendered).map_err(|_| "not UTF-8")?.trim();
    if text.is_empty() {
        return Ok(());
    }
    let whole = |text: &str| serde_json::from_str::<Vec<Value>>(text).ok();
    let chunks = whole(text)
        .or_else(|| whole(&format!("{}]", text.trim_end_matches([',', '\n', '\r', ' ']))))
        .ok_or("neither an array nor the beginning of one")?;
    check_chunks(chunks.iter())
}

fn check_chunks<'a>(chunks: impl Iterator<Item = &'a Value>) -> Check {
    let mut finished = Vec::new();
    let mut over = false;
    for chunk in chunks {
        require(!over, "something follows an error")?;
        if let Some(error) = chunk.get("error") {
            require(
                error["code"].is_u64() && error["message"].is_string() && error["status"].is_string(),
                "an error without words",
            )?;
            over = true;
            continue;
        }
        require(
            ["candidates", "usageMetadata", "promptFeedback"].iter().any(|key| chunk.get(key).is_some()),
            "a chunk that says nothing",
        )?;
        for candidate in chunk["candidates"].as_array().into_iter().flatten() {
            let index = candidate["index"].as_u64().unwrap_or(0);
            require(!finished.contains(&index), "a candidate goes on behind its finish")?;
            for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
                if let Some(call) = part.get("functionCall") {
                    require(call["name"].is_string(), "a call without a name")?;
                    require(call.get("args").is_none_or(Value::is_object), "arguments that are no object")?;
                }
            }
            if candidate["finishReason"].is_string() {
                finished.push(index);
            }
        }
    }
    Ok(())
}

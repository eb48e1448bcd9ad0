//! A message's content, as blocks.

use serde_json::Value;

use crate::reading::{flag, given, list, text};

/// The texts of a message's content in order: a string is one.
pub(super) fn texts(message: &Value) -> Vec<&str> {
    match message.get("content") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(blocks)) => blocks.iter().flat_map(block_texts).collect(),
        _ => Vec::new(),
    }
}

/// What counts as text in a block.
pub(super) fn block_texts(block: &Value) -> Vec<&str> {
    match text(block, "type") {
        "text" => vec![text(block, "text")],
        "tool_result" => texts(block),
        "document" => given(block, "source")
            .map(|source| match text(source, "type") {
                "text" => vec![text(source, "data")],
                _ => texts(source),
            })
            .unwrap_or_default(),
        _ => Vec::new(),
    }
}

pub(super) fn last_text(message: &Value) -> &str {
    texts(message).last().copied().unwrap_or_default()
}

/// The text of the last tool's result, where there is one in the message.
pub(super) fn last_tool_result(message: &Value) -> Option<String> {
    let result = list(message, "content").iter().rev().find(|block| text(block, "type") == "tool_result")?;
    Some(texts(result).join(" "))
}

/// The title and the first letters of a document that is to be cited.
pub(super) fn cited_document(messages: &[Value]) -> Option<(String, String)> {
    let blocks = messages.iter().flat_map(|message| list(message, "content"));
    let mut documents = blocks.filter(|block| text(block, "type") == "document");
    let document =
        documents.find(|it| given(it, "citations").and_then(|it| flag(it, "enabled")) == Some(true))?;
    let said: String = block_texts(document).join(" ").chars().take(20).collect();
    Some((text(document, "title").to_owned(), said))
}

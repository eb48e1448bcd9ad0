//! Counting a prompt, and how much of it the cache holds.

use serde_json::Value;

use super::blocks::{block_texts, texts};
use crate::reading::{given, list, text};
use crate::request::prompt_tokens;

/// A small picture, and a page of a document.
const IMAGE_TOKENS: u64 = 400;
const DOCUMENT_TOKENS: u64 = 1500;

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Prompt {
    pub(super) input: u64,
    pub(super) read: u64,
    pub(super) written_5m: u64,
    pub(super) written_1h: u64,
}

impl Prompt {
    /// All up to the last `cache_control` is cached: found there if the conversation has an answer in it already,
    /// written there if it is the first turn. Nothing is remembered between calls.
    pub(super) fn of(body: &Value) -> Self {
        let messages = list(body, "messages");
        let mut count = Count::default();
        match given(body, "system") {
            Some(Value::String(system)) => count.bytes += system.len() as u64,
            Some(Value::Array(blocks)) => blocks.iter().for_each(|block| count.add(block)),
            _ => {}
        }
        count.messages += u64::from(given(body, "system").is_some());
        for message in messages {
            count.messages += 1;
            match message.get("content") {
                Some(Value::Array(blocks)) => blocks.iter().for_each(|block| count.add(block)),
                _ => count.bytes += texts(message).iter().map(|it| it.len() as u64).sum::<u64>(),
            }
        }
        if let Some(control) = given(body, "cache_control") {
            count.mark(control);
        }
        let cached = count.cached.min(count.tokens());
        let again = messages.iter().any(|message| text(message, "role") == "assistant");
        let mut prompt = Self { input: count.tokens() - cached, ..Self::default() };
        match (again, count.long) {
            (true, _) => prompt.read = cached,
            (false, true) => prompt.written_1h = cached,
            (false, false) => prompt.written_5m = cached,
        }
        prompt
    }

    pub(super) fn total(&self) -> u64 {
        self.input + self.read + self.written_5m + self.written_1h
    }
}

#[derive(Default)]
struct Count {
    bytes: u64,
    messages: u64,
    extra: u64,
    cached: u64,
    /// The last marker asked for an hour.
    long: bool,
}

impl Count {
    fn add(&mut self, block: &Value) {
        self.bytes += block_texts(block).iter().map(|it| it.len() as u64).sum::<u64>();
        let inner = if text(block, "type") == "tool_result" { list(block, "content") } else { &[] };
        for block in inner.iter().chain([block]) {
            match text(block, "type") {
                "image" => self.extra += IMAGE_TOKENS,
                "document" if block_texts(block).is_empty() => self.extra += DOCUMENT_TOKENS,
                _ => {}
            }
        }
        if let Some(control) = given(block, "cache_control") {
            self.mark(control);
        }
    }

    fn mark(&mut self, control: &Value) {
        self.cached = self.tokens();
        self.long = text(control, "ttl") == "1h";
    }

    fn tokens(&self) -> u64 {
        prompt_tokens(self.bytes, self.messages) + self.extra
    }
}

//! Writing a streamed answer, as in the API reference ("The chat completion chunk object").
//!
//! A checked grammar, whatever the events say: per choice one role chunk, then deltas, then one finish chunk; a tool
//! call's arguments only behind its start; one terminal, and nothing behind it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::BytesMut;
use lyss_domain::TokenUsage;

use super::fault;
use super::wire::{Usage, completion_id, finish_word};
use crate::conversation::{ChatEvent, FinishReason};
use crate::dialect::{Renderer, Rendering};
use crate::json_out::push_json;

/// OpenAI's own bound on `n`.
const MAX_CHOICES: usize = 128;
const MAX_CALLS: usize = 1_024;

pub(super) struct ChatRenderer {
    created_secs: i64,
    include_usage: bool,
    /// What every chunk begins with; empty before the first one.
    head: Vec<u8>,
    choices: BTreeMap<u32, ChoiceState>,
    usage: Option<TokenUsage>,
    ended: bool,
}

#[derive(Default)]
struct ChoiceState {
    calls: BTreeSet<u32>,
    finished: bool,
}

impl ChatRenderer {
    pub(super) fn new(rendering: &Rendering) -> Self {
        Self {
            created_secs: rendering.created.as_secs(),
            include_usage: rendering.include_usage,
            head: Vec::new(),
            choices: BTreeMap::new(),
            usage: None,
            ended: false,
        }
    }

    fn start(&mut self, id: &str, model: &str, out: &mut BytesMut) {
        if self.head.is_empty() {
            self.set_head(id, model);
            self.is_open(0, out);
        }
    }

    fn set_head(&mut self, id: &str, model: &str) {
        let mut head = BytesMut::from(r#"data: {"id":"#);
        push_json(&mut head, &completion_id(id, self.created_secs));
        head.extend_from_slice(br#","object":"chat.completion.chunk","created":"#);
        push_json(&mut head, &self.created_secs);
        head.extend_from_slice(br#","model":"#);
        push_json(&mut head, model);
        head.extend_from_slice(br#","choices":["#);
        self.head = head.to_vec();
    }

    /// Whether the choice may still receive something; opens it with its role chunk when it is new.
    fn is_open(&mut self, choice: u32, out: &mut BytesMut) -> bool {
        if let Some(state) = self.choices.get(&choice) {
            return !state.finished;
        }
        if self.choices.len() >= MAX_CHOICES {
            return false;
        }
        self.choices.insert(choice, ChoiceState::default());
        self.delta(choice, out, |out| {
            out.extend_from_slice(br#""role":"assistant","content":"","refusal":null"#);
        });
        true
    }

    fn text(&mut self, choice: u32, field: &str, text: &str, out: &mut BytesMut) {
        if text.is_empty() || !self.is_open(choice, out) {
            return;
        }
        self.delta(choice, out, |out| {
            push_json(out, field);
            out.extend_from_slice(b":");
            push_json(out, text);
        });
    }

    fn call_start(&mut self, choice: u32, call: u32, id: &str, name: &str, out: &mut BytesMut) {
        let is_new = self.is_open(choice, out)
            && self
                .choices
                .get_mut(&choice)
                .is_some_and(|state| state.calls.len() < MAX_CALLS && state.calls.insert(call));
        if !is_new {
            return;
        }
        self.delta(choice, out, |out| {
            out.extend_from_slice(br#""tool_calls":[{"index":"#);
            push_json(out, &call);
            out.extend_from_slice(br#","id":"#);
            push_json(out, id);
            out.extend_from_slice(br#","type":"function","function":{"name":"#);
            push_json(out, name);
            out.extend_from_slice(br#","arguments":""}}]"#);
        });
    }

    fn call_arguments(&mut self, choice: u32, call: u32, text: &str, out: &mut BytesMut) {
        let is_started = |state: &ChoiceState| !state.finished && state.calls.contains(&call);
        if text.is_empty() || !self.choices.get(&choice).is_some_and(is_started) {
            return;
        }
        self.delta(choice, out, |out| {
            out.extend_from_slice(br#""tool_calls":[{"index":"#);
            push_json(out, &call);
            out.extend_from_slice(br#","function":{"arguments":"#);
            push_json(out, text);
            out.extend_from_slice(b"}}]");
        });
    }

    fn finish(&mut self, choice: u32, reason: &FinishReason, out: &mut BytesMut) {
        if !self.is_open(choice, out) {
            return;
        }
        if let Some(state) = self.choices.get_mut(&choice) {
            state.finished = true;
        }
        self.chunk(choice, out, finish_word(reason), |_| {});
    }

    /// The end the vendor marked: a choice it forgot to finish is finished first.
    fn end(&mut self, out: &mut BytesMut) {
        if self.head.is_empty() {
            self.start("", "", out);
        }
        let unfinished: Vec<_> = self
            .choices
            .iter()
            .filter(|(_, state)| !state.finished)
            .map(|(choice, state)| (*choice, state.calls.is_empty()))
            .collect();
        for (choice, is_plain) in unfinished {
            let reason = if is_plain { FinishReason::Stop } else { FinishReason::ToolCalls };
            self.finish(choice, &reason, out);
        }
        if let Some(usage) = self.usage.filter(|_| self.include_usage) {
            out.extend_from_slice(&self.head);
            out.extend_from_slice(br#"],"usage":"#);
            push_json(out, &Usage::from(&usage));
            out.extend_from_slice(b"}\n\n");
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
        self.ended = true;
    }

    fn delta(&mut self, choice: u32, out: &mut BytesMut, write: impl FnOnce(&mut BytesMut)) {
        self.chunk(choice, out, "", write);
    }

    /// One chunk with one choice; an empty finish word stands for null.
    fn chunk(&mut self, choice: u32, out: &mut BytesMut, finish: &str, write: impl FnOnce(&mut BytesMut)) {
        if self.head.is_empty() {
            self.set_head("", "");
        }
        out.extend_from_slice(&self.head);
        out.extend_from_slice(br#"{"index":"#);
        push_json(out, &choice);
        out.extend_from_slice(br#","delta":{"#);
        write(out);
        out.extend_from_slice(br#"},"logprobs":null,"finish_reason":"#);
        push_json(out, &Some(finish).filter(|word| !word.is_empty()));
        out.extend_from_slice(b"}]");
        if self.include_usage {
            out.extend_from_slice(br#","usage":null"#);
        }
        out.extend_from_slice(b"}\n\n");
    }
}

impl Renderer for ChatRenderer {
    fn event(&mut self, event: &ChatEvent, out: &mut BytesMut) {
        if self.ended {
            return;
        }
        match event {
            ChatEvent::Start(head) => self.start(&head.id, &head.model, out),
            ChatEvent::Text { choice, text } => self.text(*choice, "content", text, out),
            ChatEvent::Reasoning { choice, text } => self.text(*choice, "reasoning_content", text, out),
            ChatEvent::Refusal { choice, text } => self.text(*choice, "refusal", text, out),
            ChatEvent::ToolCallStart { choice, call, id, name, .. } => {
                self.call_start(*choice, *call, id, name, out)
            }
            ChatEvent::ToolCallArguments { choice, call, text } => {
                self.call_arguments(*choice, *call, text, out)
            }
            ChatEvent::Finish { choice, reason } => self.finish(*choice, reason, out),
            ChatEvent::Usage(usage) => self.usage = Some(*usage),
            ChatEvent::End => self.end(out),
            ChatEvent::Fault(fault) => {
                out.extend_from_slice(&fault::render_stream(fault));
                self.ended = true;
            }
            ChatEvent::ReasoningSeal { .. }
            | ChatEvent::Citation { .. }
            | ChatEvent::Media { .. }
            | ChatEvent::Logprobs { .. }
            | ChatEvent::Safety { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests;

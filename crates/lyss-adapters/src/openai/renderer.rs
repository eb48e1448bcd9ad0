//! Writing a streamed answer, as in the API reference ("The chat completion chunk object").
//!
//! A checked grammar, whatever the events say: per choice one role chunk, then deltas, then one finish chunk; a tool
//! call's arguments only behind its start; one terminal, and nothing behind it. Reasoning streams as
//! `reasoning_content`; what a vendor sealed is told once more, whole and with its seal, in a `reasoning_details` delta.

mod state;

use std::collections::BTreeMap;

use bytes::BytesMut;
use lyss_domain::TokenUsage;

use self::state::{Beside, ChoiceState, Kept};
use super::details::{self, ExtraContent};
use super::fault;
use super::wire::{Annotation, FilterResults, Image, Logprobs, Usage, completion_id, finish_word};
use crate::conversation::{
    ChatEvent, Citation, FinishReason, Media, MediaKind, ReplyHead, SafetyRating, Seal, SealKind, Source,
    TokenLogprob,
};
use crate::dialect::{Renderer, Rendering};
use crate::json_out::push_json;

/// OpenAI's own bound on `n`.
const MAX_CHOICES: usize = 128;
const MAX_CALLS: usize = 1_024;

pub(super) struct ChatRenderer {
    created_secs: i64,
    include_usage: bool,
    /// The model as asked for.
    model: String,
    id: String,
    /// What every chunk begins with; empty before the first one.
    head: Vec<u8>,
    choices: BTreeMap<u32, ChoiceState>,
    usage: Option<TokenUsage>,
    ended: bool,
}

impl ChatRenderer {
    pub(super) fn new(rendering: &Rendering) -> Self {
        Self {
            created_secs: rendering.created.as_secs(),
            include_usage: rendering.include_usage,
            model: rendering.model.clone(),
            id: String::new(),
            head: Vec::new(),
            choices: BTreeMap::new(),
            usage: None,
            ended: false,
        }
    }

    fn start(&mut self, said: &ReplyHead, out: &mut BytesMut) {
        if self.head.is_empty() {
            self.set_head(said);
            self.is_open(0, out);
        }
    }

    fn set_head(&mut self, said: &ReplyHead) {
        let created = said.created.unwrap_or(self.created_secs);
        self.id = completion_id(&said.id, created);
        let mut head = BytesMut::from(r#"data: {"id":"#);
        push_json(&mut head, &self.id);
        head.extend_from_slice(br#","object":"chat.completion.chunk","created":"#);
        push_json(&mut head, &created);
        head.extend_from_slice(br#","model":"#);
        push_json(&mut head, if said.model.is_empty() { &self.model } else { &said.model });
        for (name, word) in
            [("service_tier", &said.service_tier), ("system_fingerprint", &said.system_fingerprint)]
        {
            let Some(word) = word else { continue };
            head.extend_from_slice(b",");
            push_json(&mut head, name);
            head.extend_from_slice(b":");
            push_json(&mut head, word);
        }
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

    /// The choice's state, where something other than a tool call may be written: a seal that waited for one is told
    /// first.
    fn ready(&mut self, choice: u32, out: &mut BytesMut) -> Option<&mut ChoiceState> {
        if !self.is_open(choice, out) {
            return None;
        }
        if let Some(seal) = self.choices.get_mut(&choice).and_then(|state| state.waiting.take()) {
            self.seal_delta(choice, "", &seal, out);
        }
        self.choices.get_mut(&choice)
    }

    fn text(&mut self, choice: u32, field: &str, text: &str, out: &mut BytesMut) {
        if text.is_empty() {
            return;
        }
        let Some(state) = self.ready(choice, out) else { return };
        match field {
            "content" => state.cited.text(text),
            "refusal" => state.is_refusal = true,
            _ => state.kept.push(text),
        }
        self.delta(choice, out, |out| {
            push_json(out, field);
            out.extend_from_slice(b":");
            push_json(out, text);
        });
    }

    fn seal(&mut self, choice: u32, seal: &Seal, out: &mut BytesMut) {
        let Some(state) = self.ready(choice, out) else { return };
        if seal.kind == SealKind::Google {
            state.waiting = Some(seal.clone());
            return;
        }
        // Redacted thinking stands for itself: text before it was never sealed.
        let is_over_text = seal.kind != SealKind::AnthropicRedacted;
        let text = if is_over_text { state.kept.take() } else { String::new() };
        self.seal_delta(choice, &text, seal, out);
    }

    fn seal_delta(&mut self, choice: u32, text: &str, seal: &Seal, out: &mut BytesMut) {
        let mut list = Vec::with_capacity(2);
        details::push(&mut list, self.told_details(choice), text, Some(seal), None);
        self.tell_details(choice, list.len());
        self.field_delta(choice, "reasoning_details", &list, out);
    }

    fn told_details(&self, choice: u32) -> u64 {
        self.choices.get(&choice).map_or(0, |state| state.details)
    }

    fn tell_details(&mut self, choice: u32, count: usize) {
        if let Some(state) = self.choices.get_mut(&choice) {
            state.details += count as u64;
        }
    }

    fn citation(&mut self, choice: u32, citation: &Citation, out: &mut BytesMut) {
        let Some(state) = self.ready(choice, out) else { return };
        if let Some(annotation) = Annotation::of(citation, state.cited.cite(), Some(state.citations)) {
            state.citations += 1;
            self.field_delta(choice, "annotations", &[annotation], out);
        }
    }

    fn media(&mut self, choice: u32, media: &Media, out: &mut BytesMut) {
        let Some(state) = self.ready(choice, out) else { return };
        match (&media.kind, &media.source) {
            (MediaKind::Audio, Source::Data(data)) => {
                // The id once: SDKs join what they are told twice.
                let is_first = !std::mem::replace(&mut state.has_audio, true);
                let id = format!("audio-{}", self.id);
                let told = is_first.then_some(("id", id.as_str()));
                let audio: BTreeMap<_, _> = told.into_iter().chain([("data", data.as_str())]).collect();
                self.field_delta(choice, "audio", &audio, out);
            }
            _ => {
                let Some(image) = Image::of(media, state.images) else { return };
                state.images += 1;
                self.field_delta(choice, "images", &[image], out);
            }
        }
    }

    fn call_start(
        &mut self,
        (choice, call): (u32, u32),
        (id, name): (&str, &str),
        custom: bool,
        out: &mut BytesMut,
    ) {
        if !self.is_open(choice, out) {
            return;
        }
        let Some(state) = self.choices.get_mut(&choice) else { return };
        if state.calls.len() >= MAX_CALLS || !state.calls.insert(call) {
            return;
        }
        if custom {
            state.custom.insert(call);
        }
        let seal = state.waiting.take();
        let index = self.told_details(choice);
        self.tell_details(choice, usize::from(seal.is_some()));
        self.delta(choice, out, |out| {
            if let Some(seal) = &seal {
                let mut list = Vec::with_capacity(1);
                details::push(&mut list, index, "", Some(seal), Some(id));
                out.extend_from_slice(br#""reasoning_details":"#);
                push_json(out, &list);
                out.extend_from_slice(b",");
            }
            out.extend_from_slice(br#""tool_calls":[{"index":"#);
            push_json(out, &call);
            out.extend_from_slice(br#","id":"#);
            push_json(out, id);
            let (before, after): (&[u8], &[u8]) = match custom {
                true => (br#","type":"custom","custom":{"name":"#, br#","input":""}"#),
                false => (br#","type":"function","function":{"name":"#, br#","arguments":""}"#),
            };
            out.extend_from_slice(before);
            push_json(out, name);
            out.extend_from_slice(after);
            if let Some(seal) = &seal {
                out.extend_from_slice(br#","extra_content":"#);
                push_json(out, &ExtraContent::of(&seal.data));
            }
            out.extend_from_slice(b"}]");
        });
    }

    fn call_arguments(&mut self, choice: u32, call: u32, text: &str, out: &mut BytesMut) {
        let is_started = |state: &&ChoiceState| !state.finished && state.calls.contains(&call);
        let Some(state) = self.choices.get(&choice).filter(is_started) else { return };
        if text.is_empty() {
            return;
        }
        let field: &[u8] = match state.custom.contains(&call) {
            true => br#","custom":{"input":"#,
            false => br#","function":{"arguments":"#,
        };
        self.delta(choice, out, |out| {
            out.extend_from_slice(br#""tool_calls":[{"index":"#);
            push_json(out, &call);
            out.extend_from_slice(field);
            push_json(out, text);
            out.extend_from_slice(b"}}]");
        });
    }

    fn logprobs(&mut self, choice: u32, tokens: &[TokenLogprob], out: &mut BytesMut) {
        let Some(state) = self.ready(choice, out).filter(|_| !tokens.is_empty()) else { return };
        let is_refusal = state.is_refusal;
        let logprobs = Some(Logprobs { tokens, is_refusal });
        self.chunk(choice, out, &Beside { logprobs, ..Beside::default() }, |_| {});
    }

    fn safety(&mut self, choice: u32, ratings: &[SafetyRating], out: &mut BytesMut) {
        if !ratings.is_empty() && self.ready(choice, out).is_some() {
            self.chunk(choice, out, &Beside { ratings, ..Beside::default() }, |_| {});
        }
    }

    fn finish(&mut self, choice: u32, reason: &FinishReason, out: &mut BytesMut) {
        let Some(state) = self.ready(choice, out) else { return };
        state.finished = true;
        state.kept = Kept::default();
        let is_refusal = state.is_refusal;
        let finish = Some(finish_word(reason, is_refusal));
        self.chunk(choice, out, &Beside { finish, ..Beside::default() }, |_| {});
    }

    /// The end the vendor marked: a choice it forgot to finish is finished first.
    fn end(&mut self, out: &mut BytesMut) {
        if self.head.is_empty() {
            self.start(&ReplyHead::default(), out);
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
        self.chunk(choice, out, &Beside::default(), write);
    }

    fn field_delta<T: serde::Serialize + ?Sized>(
        &mut self,
        choice: u32,
        name: &str,
        value: &T,
        out: &mut BytesMut,
    ) {
        self.delta(choice, out, |out| {
            push_json(out, name);
            out.extend_from_slice(b":");
            push_json(out, value);
        });
    }

    /// One chunk with one choice.
    fn chunk(
        &mut self,
        choice: u32,
        out: &mut BytesMut,
        beside: &Beside<'_>,
        write: impl FnOnce(&mut BytesMut),
    ) {
        if self.head.is_empty() {
            self.set_head(&ReplyHead::default());
        }
        out.extend_from_slice(&self.head);
        out.extend_from_slice(br#"{"index":"#);
        push_json(out, &choice);
        out.extend_from_slice(br#","delta":{"#);
        write(out);
        out.extend_from_slice(br#"},"logprobs":"#);
        push_json(out, &beside.logprobs);
        out.extend_from_slice(br#","finish_reason":"#);
        push_json(out, &beside.finish);
        if !beside.ratings.is_empty() {
            out.extend_from_slice(br#","content_filter_results":"#);
            push_json(out, &FilterResults(beside.ratings));
        }
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
            ChatEvent::Start(head) => self.start(head, out),
            ChatEvent::Text { choice, text } => self.text(*choice, "content", text, out),
            ChatEvent::Reasoning { choice, text } => self.text(*choice, "reasoning_content", text, out),
            ChatEvent::ReasoningSeal { choice, seal } => self.seal(*choice, seal, out),
            ChatEvent::Refusal { choice, text } => self.text(*choice, "refusal", text, out),
            ChatEvent::Citation { choice, citation } => self.citation(*choice, citation, out),
            ChatEvent::Media { choice, media } => self.media(*choice, media, out),
            ChatEvent::ToolCallStart { choice, call, id, name, custom } => {
                self.call_start((*choice, *call), (id, name), *custom, out);
            }
            ChatEvent::ToolCallArguments { choice, call, text } => {
                self.call_arguments(*choice, *call, text, out);
            }
            ChatEvent::Logprobs { choice, tokens } => self.logprobs(*choice, tokens, out),
            ChatEvent::Safety { choice, ratings } => self.safety(*choice, ratings, out),
            ChatEvent::Finish { choice, reason } => self.finish(*choice, reason, out),
            ChatEvent::Usage(usage) => self.usage = Some(*usage),
            ChatEvent::End => self.end(out),
            ChatEvent::Fault(fault) => {
                out.extend_from_slice(&fault::render_stream(fault));
                self.ended = true;
            }
        }
    }
}

#[cfg(test)]
mod tests;

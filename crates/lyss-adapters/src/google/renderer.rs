//! Writing a streamed answer, as in the API reference ("streamGenerateContent"): chunks in the form of a whole answer,
//! framed as events or as one JSON array.
//!
//! Two things are held back. A function call is written only whole. And the last character of a text waits for what
//! comes next, since Google's SDKs forget a turn whose last chunk has no content beside its `finishReason`.

mod choice;

use std::collections::BTreeMap;

use bytes::BytesMut;
use lyss_domain::TokenUsage;

use self::choice::ChoiceState;
use super::render::parts::ShownPart;
use super::render::{Answer, Candidate, Content, LogprobsResult, response_id};
use super::usage::ShownUsage;
use super::wire::finish_word;
use super::{fault, time};
use crate::Fault;
use crate::conversation::{ChatEvent, FinishReason, ReplyHead};
use crate::dialect::{Renderer, Rendering};
use crate::json_out::push_json;
use crate::scan::Framing;

const MAX_CHOICES: usize = 128;

pub(super) struct GenerateRenderer {
    framing: Framing,
    head: Head,
    choices: BTreeMap<u32, ChoiceState>,
    usage: Option<TokenUsage>,
    /// A chunk has been written: the next one stands behind a comma in an array.
    begun: bool,
    ended: bool,
}

/// What every chunk says of the answer.
struct Head {
    id: String,
    model: String,
    created: String,
    created_secs: i64,
}

impl GenerateRenderer {
    pub(super) fn new(rendering: &Rendering) -> Self {
        let created_secs = rendering.created.as_secs();
        Self {
            framing: rendering.framing,
            head: Head {
                id: response_id("", created_secs),
                model: rendering.model.clone(),
                created: time::from_secs(created_secs),
                created_secs,
            },
            choices: BTreeMap::new(),
            usage: None,
            begun: false,
            ended: false,
        }
    }

    fn start(&mut self, head: &ReplyHead) {
        if self.begun {
            return;
        }
        if let Some(created) = head.created {
            self.head.created_secs = created;
            self.head.created = time::from_secs(created);
        }
        self.head.id = response_id(&head.id, self.head.created_secs);
        if !head.model.is_empty() {
            self.head.model.clone_from(&head.model);
        }
    }

    /// The choice, where it may still receive something.
    fn open(&mut self, choice: u32) -> Option<&mut ChoiceState> {
        if !self.choices.contains_key(&choice) && self.choices.len() >= MAX_CHOICES {
            return None;
        }
        Some(self.choices.entry(choice).or_default()).filter(|state| state.finish.is_none())
    }

    /// Lets the choice take something in, and writes what of it may go.
    fn with(&mut self, choice: u32, out: &mut BytesMut, take: impl FnOnce(&mut ChoiceState)) {
        let Some(state) = self.open(choice) else { return };
        take(state);
        self.flush(choice, out);
    }

    fn flush(&mut self, choice: u32, out: &mut BytesMut) {
        let Some(state) = self.choices.get_mut(&choice) else { return };
        for part in state.ready() {
            let logprobs = std::mem::take(&mut state.logprobs);
            let candidate = Candidate {
                content: Some(Content::new(vec![part.show()])),
                index: choice,
                logprobs_result: LogprobsResult::new(&logprobs),
                ..Candidate::default()
            };
            write(vec![candidate], &self.head, self.usage, self.framing, &mut self.begun, out);
        }
    }

    fn finish(&mut self, choice: u32, reason: &FinishReason, out: &mut BytesMut) {
        let Some(state) = self.open(choice) else { return };
        state.close_calls();
        state.finish = Some(reason.clone());
        self.flush(choice, out);
    }

    /// The end the vendor marked: what was held back, why each candidate finished, and usage, all in one chunk.
    fn end(&mut self, out: &mut BytesMut) {
        if self.choices.is_empty() {
            self.choices.insert(0, ChoiceState::default());
        }
        let open = self.choices.iter().filter(|(_, state)| state.finish.is_none());
        let open: Vec<u32> = open.map(|(choice, _)| *choice).collect();
        for choice in open {
            self.finish(choice, &FinishReason::Stop, out);
        }
        for state in self.choices.values_mut() {
            state.release();
        }
        let candidates = self.choices.iter().map(|(choice, state)| {
            let parts: Vec<ShownPart<'_>> = state.rest().map(|part| part.show()).collect();
            Candidate {
                content: (!parts.is_empty()).then(|| Content::new(parts)),
                finish_reason: state.finish.as_ref().map(finish_word),
                index: *choice,
                safety_ratings: state.safety.iter().map(Into::into).collect(),
                citations: state.citations(),
                avg_logprobs: None,
                logprobs_result: LogprobsResult::new(&state.logprobs),
            }
        });
        write(candidates.collect(), &self.head, self.usage, self.framing, &mut self.begun, out);
        if self.framing == Framing::Array {
            out.extend_from_slice(b"\n]");
        }
        self.ended = true;
    }

    /// Nothing that came before an error is kept back.
    fn fault(&mut self, fault: &Fault, out: &mut BytesMut) {
        let choices: Vec<u32> = self.choices.keys().copied().collect();
        for choice in choices {
            if let Some(state) = self.choices.get_mut(&choice) {
                state.release();
            }
            self.flush(choice, out);
        }
        frame_start(self.framing, &mut self.begun, out);
        out.extend_from_slice(&fault::object(fault));
        frame_end(self.framing, out);
        if self.framing == Framing::Array {
            out.extend_from_slice(b"\n]");
        }
        self.ended = true;
    }
}

fn frame_start(framing: Framing, begun: &mut bool, out: &mut BytesMut) {
    let is_first = !std::mem::replace(begun, true);
    out.extend_from_slice(match (framing, is_first) {
        (Framing::Events, _) => b"data: ",
        (Framing::Array, true) => b"[",
        (Framing::Array, false) => b"\n,\r\n",
    });
}

fn frame_end(framing: Framing, out: &mut BytesMut) {
    if framing == Framing::Events {
        out.extend_from_slice(b"\n\n");
    }
}

fn write(
    candidates: Vec<Candidate<'_>>,
    head: &Head,
    usage: Option<TokenUsage>,
    framing: Framing,
    begun: &mut bool,
    out: &mut BytesMut,
) {
    frame_start(framing, begun, out);
    push_json(
        out,
        &Answer {
            candidates,
            usage_metadata: usage.as_ref().map(ShownUsage::from),
            model_version: &head.model,
            create_time: &head.created,
            response_id: &head.id,
        },
    );
    frame_end(framing, out);
}

impl Renderer for GenerateRenderer {
    fn event(&mut self, event: &ChatEvent, out: &mut BytesMut) {
        if self.ended {
            return;
        }
        match event {
            ChatEvent::Start(head) => self.start(head),
            ChatEvent::Text { choice, text } | ChatEvent::Refusal { choice, text } => {
                self.with(*choice, out, |state| state.text(text, false));
            }
            ChatEvent::Reasoning { choice, text } => {
                self.with(*choice, out, |state| state.text(text, true));
            }
            ChatEvent::ReasoningSeal { choice, seal } => {
                self.with(*choice, out, |state| state.seal(seal));
            }
            ChatEvent::Media { choice, media } => self.with(*choice, out, |state| state.media(media)),
            ChatEvent::ToolCallStart { choice, call, id, name, .. } => {
                self.with(*choice, out, |state| state.call_start(*call, id, name));
            }
            ChatEvent::ToolCallArguments { choice, call, text } => {
                self.with(*choice, out, |state| state.call_arguments(*call, text));
            }
            ChatEvent::Citation { choice, citation } => {
                self.with(*choice, out, |state| state.cite(citation));
            }
            ChatEvent::Logprobs { choice, tokens } => {
                self.with(*choice, out, |state| state.logprobs.extend_from_slice(tokens));
            }
            ChatEvent::Safety { choice, ratings } => {
                self.with(*choice, out, |state| state.safety.clone_from(ratings));
            }
            ChatEvent::Finish { choice, reason } => self.finish(*choice, reason, out),
            ChatEvent::Usage(usage) => self.usage = Some(*usage),
            ChatEvent::End => self.end(out),
            ChatEvent::Fault(fault) => self.fault(fault, out),
        }
    }
}

#[cfg(test)]
mod tests;

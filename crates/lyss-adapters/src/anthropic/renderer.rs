//! Writing a streamed answer, as in "Streaming messages".
//!
//! A checked grammar, whatever the events say: one `message_start`; blocks one after the other, their indexes rising by
//! one, each begun and ended, with deltas of its own kind alone; one `message_delta` and `message_stop`, or an error, and
//! nothing behind. What comes while a call's arguments are unfinished waits until they are whole.

mod call;
mod events;

use std::borrow::Cow;
use std::collections::{BTreeSet, VecDeque};

use bytes::BytesMut;
use lyss_domain::{FaultKind, TokenUsage};

use self::call::OpenCall;
use self::events::{BlockDelta, BlockStart, BlockStop, Delta, MessageDelta, MessageStart, MessageStop, Stop};
use super::shapes::{Block, Message, Sealed, StopDetails, call_id, link, message_id, sealed};
use super::usage::Written;
use super::wire::stop_reason;
use super::{citation, fault};
use crate::Fault;
use crate::conversation::{ChatEvent, Citation, FinishReason, ReplyHead, Seal};
use crate::dialect::{Renderer, Rendering};
use crate::json_out::push_event;

const MAX_CALLS: usize = 1_024;
/// What may wait behind an unfinished call.
const MAX_WAITING_BYTES: usize = 16 << 20;

pub(super) struct MessagesRenderer {
    created_secs: i64,
    model: String,
    head: ReplyHead,
    started: bool,
    ended: bool,
    /// Of the next block.
    index: u64,
    open: Open,
    calls: BTreeSet<u32>,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    usage: TokenUsage,
    finish: Option<FinishReason>,
}

enum Open {
    Nothing,
    Text,
    /// A text with sources: what is said next is not theirs.
    Cited,
    Thinking,
    Call(OpenCall),
}

/// What came while a call was unfinished.
enum Waiting {
    Call { call: u32, id: String, name: String, custom: bool, arguments: String },
    Event(ChatEvent),
}

impl MessagesRenderer {
    pub(super) fn new(rendering: &Rendering) -> Self {
        Self {
            created_secs: rendering.created.as_secs(),
            model: rendering.model.clone(),
            head: ReplyHead::default(),
            started: false,
            ended: false,
            index: 0,
            open: Open::Nothing,
            calls: BTreeSet::new(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            usage: TokenUsage::default(),
            finish: None,
        }
    }

    /// Written late, with the first thing to be shown: by then the vendor has mostly said what the prompt came to.
    fn start(&mut self, out: &mut BytesMut) {
        if self.started {
            return;
        }
        self.started = true;
        let model = if self.head.model.is_empty() { &self.model } else { &self.head.model };
        let message = Message {
            id: message_id(&self.head.id, self.created_secs),
            r#type: "message",
            role: "assistant",
            model,
            content: Vec::new(),
            stop_reason: None,
            stop_sequence: None,
            stop_details: None,
            usage: Written::whole(&self.usage, self.head.service_tier.as_deref()),
        };
        push_event(out, "message_start", &MessageStart { r#type: "message_start", message });
    }

    /// Something to be shown, which waits while a call is unfinished.
    fn content(&mut self, event: &ChatEvent, out: &mut BytesMut) {
        if matches!(&self.open, Open::Call(call) if !call.is_whole()) {
            self.wait(event, out);
            return;
        }
        match event {
            ChatEvent::Text { text, .. } | ChatEvent::Refusal { text, .. } => self.text(text, out),
            ChatEvent::Reasoning { text, .. } => self.reasoning(text, out),
            ChatEvent::ReasoningSeal { seal, .. } => self.seal(seal, out),
            ChatEvent::Citation { citation, .. } => self.citation(citation, out),
            ChatEvent::Media { media, .. } => {
                if let Some(link) = link(media) {
                    self.text(&link, out);
                }
            }
            ChatEvent::ToolCallStart { call, id, name, custom, .. } => {
                self.call(*call, id, name, *custom, out);
            }
            _ => {}
        }
    }

    fn is_new(&mut self, call: u32) -> bool {
        self.calls.len() < MAX_CALLS && self.calls.insert(call)
    }

    fn wait(&mut self, event: &ChatEvent, out: &mut BytesMut) {
        let bytes = event.generated_bytes() + size_of::<Waiting>();
        if !self.may_wait(bytes, out) {
            return;
        }
        self.waiting.push_back(match event {
            ChatEvent::ToolCallStart { call, id, name, custom, .. } => Waiting::Call {
                call: *call,
                id: id.clone(),
                name: name.clone(),
                custom: *custom,
                arguments: String::new(),
            },
            other => Waiting::Event(other.clone()),
        });
    }

    fn may_wait(&mut self, bytes: usize, out: &mut BytesMut) -> bool {
        self.waiting_bytes = self.waiting_bytes.saturating_add(bytes);
        if self.waiting_bytes <= MAX_WAITING_BYTES {
            return true;
        }
        self.fault(&Fault::new(FaultKind::Protocol, "The upstream interleaves more than can be held."), out);
        false
    }

    fn text(&mut self, text: &str, out: &mut BytesMut) {
        if text.is_empty() {
            return;
        }
        if !matches!(self.open, Open::Text) {
            self.begin(Block::Text { text: Cow::Borrowed(""), citations: Vec::new() }, Open::Text, out);
        }
        self.delta(Delta::Text { text }, out);
    }

    fn reasoning(&mut self, thinking: &str, out: &mut BytesMut) {
        if thinking.is_empty() {
            return;
        }
        self.open_thinking(out);
        self.delta(Delta::Thinking { thinking }, out);
    }

    fn open_thinking(&mut self, out: &mut BytesMut) {
        if !matches!(self.open, Open::Thinking) {
            let block = Block::Thinking { thinking: "", signature: Cow::Borrowed("") };
            self.begin(block, Open::Thinking, out);
        }
    }

    fn seal(&mut self, seal: &Seal, out: &mut BytesMut) {
        match sealed(seal, matches!(self.open, Open::Thinking)) {
            Sealed::Signature(signature) => {
                self.open_thinking(out);
                self.delta(Delta::Signature { signature: &signature }, out);
                self.stop(out);
            }
            Sealed::Redacted(data) => {
                self.begin(Block::RedactedThinking { data }, Open::Nothing, out);
                self.stop(out);
            }
        }
    }

    /// Only an open text takes it.
    fn citation(&mut self, citation: &Citation, out: &mut BytesMut) {
        if matches!(self.open, Open::Text | Open::Cited) {
            self.open = Open::Cited;
            self.delta(Delta::Citation { citation: citation::Written::of(citation) }, out);
        }
    }

    fn call(&mut self, call: u32, id: &str, name: &str, custom: bool, out: &mut BytesMut) {
        let id = call_id(id, usize::try_from(call).unwrap_or_default());
        let input = super::shapes::input("", false);
        let open = Open::Call(OpenCall::new(call, custom));
        self.begin(Block::ToolUse { id, name, input }, open, out);
    }

    fn arguments(&mut self, call: u32, text: &str, out: &mut BytesMut) {
        match &mut self.open {
            Open::Call(open) if open.call == call => {
                let before = open.held_bytes();
                let piece = open.feed(text);
                let held = open.held_bytes().saturating_sub(before);
                let is_whole = open.is_whole();
                if !piece.is_empty() {
                    self.delta(Delta::Json { partial_json: piece }, out);
                }
                if held > 0 && !self.may_wait(held, out) {
                    return;
                }
                if is_whole {
                    self.close(out);
                    self.go_on(false, out);
                }
            }
            _ => {
                let waiting = self.waiting.iter_mut().find_map(|waiting| match waiting {
                    Waiting::Call { call: other, arguments, .. } if *other == call => Some(arguments),
                    _ => None,
                });
                let Some(arguments) = waiting else { return };
                arguments.push_str(text);
                self.may_wait(text.len(), out);
            }
        }
    }

    /// Shows what waited, up to the next unfinished call, or to the last with no more to come.
    fn go_on(&mut self, is_last: bool, out: &mut BytesMut) {
        loop {
            match &self.open {
                Open::Call(call) if !call.is_whole() && !is_last => return,
                Open::Call(_) => self.close(out),
                _ => {}
            }
            match self.waiting.pop_front() {
                None => break,
                Some(Waiting::Event(event)) => self.content(&event, out),
                Some(Waiting::Call { call, id, name, custom, arguments }) => {
                    self.call(call, &id, &name, custom, out);
                    if let Open::Call(open) = &mut self.open {
                        let piece = open.feed(&arguments).to_owned();
                        if !piece.is_empty() {
                            self.delta(Delta::Json { partial_json: &piece }, out);
                        }
                    }
                }
            }
        }
        self.waiting_bytes = 0;
    }

    /// Begins a block, behind the end of the one that is open.
    fn begin(&mut self, content_block: Block<'_>, open: Open, out: &mut BytesMut) {
        self.start(out);
        self.close(out);
        let start = BlockStart { r#type: "content_block_start", index: self.index, content_block };
        push_event(out, "content_block_start", &start);
        self.open = open;
    }

    fn delta(&mut self, delta: Delta<'_>, out: &mut BytesMut) {
        let delta = BlockDelta { r#type: "content_block_delta", index: self.index, delta };
        push_event(out, "content_block_delta", &delta);
    }

    /// Ends the open block. Thoughts end with a signature, be it an empty one; arguments with what was held back.
    fn close(&mut self, out: &mut BytesMut) {
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Nothing => return,
            Open::Text | Open::Cited => {}
            Open::Thinking => self.delta(Delta::Signature { signature: "" }, out),
            Open::Call(call) => {
                if let Some(rest) = call.rest() {
                    self.delta(Delta::Json { partial_json: &rest }, out);
                }
            }
        }
        self.stop(out);
    }

    fn stop(&mut self, out: &mut BytesMut) {
        self.open = Open::Nothing;
        push_event(out, "content_block_stop", &BlockStop { r#type: "content_block_stop", index: self.index });
        self.index += 1;
    }

    fn end(&mut self, out: &mut BytesMut) {
        self.start(out);
        self.go_on(true, out);
        if self.ended {
            return;
        }
        self.close(out);
        let finish = self.finish.take().unwrap_or(FinishReason::Stop);
        let stop = Stop {
            stop_reason: stop_reason(&finish, !self.calls.is_empty()),
            stop_sequence: match &finish {
                FinishReason::StopSequence(sequence) => sequence.as_deref(),
                _ => None,
            },
            stop_details: StopDetails::of(&finish),
        };
        let usage = Written::delta(&self.usage);
        push_event(out, "message_delta", &MessageDelta { r#type: "message_delta", delta: stop, usage });
        push_event(out, "message_stop", &MessageStop { r#type: "message_stop" });
        self.ended = true;
    }

    fn fault(&mut self, fault: &Fault, out: &mut BytesMut) {
        out.extend_from_slice(&fault::render_stream(fault));
        self.ended = true;
    }
}

impl Renderer for MessagesRenderer {
    /// The first choice alone: this dialect has no more.
    fn event(&mut self, event: &ChatEvent, out: &mut BytesMut) {
        if self.ended {
            return;
        }
        match event {
            ChatEvent::Start(head) if !self.started => self.head = head.clone(),
            ChatEvent::Usage(usage) => self.usage = *usage,
            ChatEvent::ToolCallStart { choice: 0, call, .. } if self.is_new(*call) => {
                self.content(event, out)
            }
            ChatEvent::ToolCallArguments { choice: 0, call, text } => self.arguments(*call, text, out),
            ChatEvent::Text { choice: 0, .. }
            | ChatEvent::Reasoning { choice: 0, .. }
            | ChatEvent::ReasoningSeal { choice: 0, .. }
            | ChatEvent::Refusal { choice: 0, .. }
            | ChatEvent::Citation { choice: 0, .. }
            | ChatEvent::Media { choice: 0, .. } => self.content(event, out),
            ChatEvent::Finish { choice: 0, reason } => {
                self.finish.get_or_insert_with(|| reason.clone());
                self.go_on(true, out);
            }
            ChatEvent::End => self.end(out),
            ChatEvent::Fault(fault) => self.fault(fault, out),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;

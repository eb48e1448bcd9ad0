//! Writing a streamed answer, as in the API reference ("Streaming events").
//!
//! A checked grammar, whatever the events say: numbered from 0 without a gap; one item open at a time, and in it one
//! part; each is added, filled and done, with the whole of it said again at its end; one end, nothing behind it.
//! What comes while a function call is unfinished waits until its arguments are whole.
//!
//! The terminal repeats the answer, so it is kept, up to [`MAX_KEPT_BYTES`]: of what grows beyond, the pieces still go
//! out, but the events that repeat them end where that limit is reached.

mod echo;
mod items;
mod numbered;
mod open;

use std::collections::{BTreeSet, VecDeque};

use bytes::{Bytes, BytesMut};
use lyss_domain::TokenUsage;

use self::items::Items;
use self::numbered::Object;
use super::fault;
use super::usage::Usage;
use super::wire::{Ending, ending};
use crate::conversation::{ChatEvent, FinishReason, ReplyHead, Seal};
use crate::dialect::{Renderer, Rendering};
use crate::json_out::push_json;
use crate::{Fault, conversation};

/// Longest answer that is kept to be repeated.
const MAX_KEPT_BYTES: usize = 16 << 20;
/// What may wait for an unfinished call.
const MAX_WAITING: usize = 4_096;
const MAX_WAITING_BYTES: usize = 4 << 20;
const MAX_CALLS: usize = 1_024;

pub(super) struct ResponseRenderer {
    rendering: Rendering,
    head: ReplyHead,
    /// What the response repeats of the request; empty before the start.
    echo: Vec<u8>,
    started: bool,
    items: Items,
    waiting: VecDeque<ChatEvent>,
    waiting_bytes: usize,
    calls: BTreeSet<u32>,
    finish: Option<FinishReason>,
    usage: Option<TokenUsage>,
    ended: bool,
}

/// How far a response has come.
enum Status<'a> {
    InProgress,
    Ended(Ending),
    Failed(&'a Fault),
}

impl ResponseRenderer {
    pub(super) fn new(rendering: &Rendering) -> Self {
        Self::keeping(rendering, MAX_KEPT_BYTES)
    }

    /// For an answer that is whole already, and so is held in memory anyhow.
    pub(super) fn whole(rendering: &Rendering) -> Self {
        Self::keeping(rendering, usize::MAX)
    }

    fn keeping(rendering: &Rendering, max_kept_bytes: usize) -> Self {
        Self {
            rendering: rendering.clone(),
            head: ReplyHead::default(),
            echo: Vec::new(),
            started: false,
            items: Items::new(max_kept_bytes),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            calls: BTreeSet::new(),
            finish: None,
            usage: None,
            ended: false,
        }
    }

    /// The reasoning that comes next has this seal, whose id may then be the item's own.
    pub(super) fn name_reasoning(&mut self, seal: &Seal) {
        let is_own = seal.kind == conversation::SealKind::OpenAi;
        self.items.reasoning_id = seal.id.clone().filter(|_| is_own);
    }

    /// The whole response, once everything has been said.
    pub(super) fn into_response(mut self) -> Bytes {
        let mut scratch = BytesMut::new();
        self.start(&ReplyHead::default(), &mut scratch);
        let ending = self.close(&mut scratch);
        let mut out = BytesMut::new();
        self.write_response(&Status::Ended(ending), &mut out);
        out.freeze()
    }

    fn start(&mut self, head: &ReplyHead, out: &mut BytesMut) {
        if self.started {
            return;
        }
        self.started = true;
        self.head = head.clone();
        let created = *self.head.created.get_or_insert_with(|| self.rendering.created.as_secs());
        if self.head.model.is_empty() {
            self.head.model.clone_from(&self.rendering.model);
        }
        let suffix = match head.id.strip_prefix("resp_").unwrap_or(&head.id) {
            "" => created.to_string(),
            suffix => suffix.to_owned(),
        };
        self.head.id = format!("resp_{suffix}");
        self.items.suffix = suffix;
        self.echo = echo::of(&self.rendering.request, self.head.service_tier.as_deref());
        for name in ["response.created", "response.in_progress"] {
            self.response_event(name, &Status::InProgress, out);
        }
    }

    fn response_event(&mut self, name: &str, status: &Status<'_>, out: &mut BytesMut) {
        let number = self.items.numbers.next();
        let object = Object::open(out, name, number);
        object.out.extend_from_slice(br#","response":"#);
        self.write_response(status, object.out);
        object.close();
    }

    fn write_response(&self, status: &Status<'_>, out: &mut BytesMut) {
        let (word, reason, fault) = match status {
            Status::InProgress => ("in_progress", None, None),
            Status::Ended(Ending::Completed) => ("completed", None, None),
            Status::Ended(Ending::Incomplete(reason)) => ("incomplete", Some(*reason), None),
            Status::Failed(fault) => ("failed", None, Some(*fault)),
        };
        out.extend_from_slice(br#"{"id":"#);
        push_json(out, &self.head.id);
        out.extend_from_slice(br#","object":"response","created_at":"#);
        push_json(out, &self.head.created.unwrap_or_default());
        out.extend_from_slice(br#","status":"#);
        push_json(out, word);
        out.extend_from_slice(br#","error":"#);
        push_json(out, &fault.map(fault::failure));
        out.extend_from_slice(br#","incomplete_details":"#);
        push_json(out, &reason.map(|reason| std::collections::BTreeMap::from([("reason", reason)])));
        out.extend_from_slice(br#","model":"#);
        push_json(out, &self.head.model);
        out.extend_from_slice(br#","output":"#);
        push_json(out, &self.items.done);
        out.extend_from_slice(br#","usage":"#);
        let usage = self.usage.filter(|_| !matches!(status, Status::InProgress));
        push_json(out, &usage.as_ref().map(Usage::from));
        out.extend_from_slice(&self.echo);
        out.extend_from_slice(b"}");
    }

    /// Something of the answer: at once, or when the call that is open has ended.
    fn content(&mut self, event: &ChatEvent, out: &mut BytesMut) {
        let blocked_by = self.items.unfinished_call();
        if blocked_by.is_some() && blocked_by != arguments_of(event) {
            self.waiting_bytes += event.generated_bytes();
            self.waiting.push_back(event.clone());
            if self.waiting.len() > MAX_WAITING || self.waiting_bytes > MAX_WAITING_BYTES {
                self.items.close("incomplete", out);
            }
        } else {
            self.place(event, out);
        }
        self.replay(out);
    }

    /// What waited and may go on now.
    fn replay(&mut self, out: &mut BytesMut) {
        while !self.waiting.is_empty() {
            let at = match self.items.unfinished_call() {
                None => Some(0),
                call => self.waiting.iter().position(|event| arguments_of(event) == call),
            };
            let Some(event) = at.and_then(|at| self.waiting.remove(at)) else { return };
            self.waiting_bytes = self.waiting_bytes.saturating_sub(event.generated_bytes());
            self.place(&event, out);
        }
    }

    fn place(&mut self, event: &ChatEvent, out: &mut BytesMut) {
        match event {
            ChatEvent::Text { text, .. } => self.items.text(text, out),
            ChatEvent::Refusal { text, .. } => self.items.refusal(text, out),
            ChatEvent::Reasoning { text, .. } => self.items.reasoning(text, out),
            ChatEvent::ReasoningSeal { seal, .. } => self.items.seal(seal, out),
            ChatEvent::Citation { citation, .. } => self.items.citation(citation, out),
            ChatEvent::Logprobs { tokens, .. } => self.items.logprobs(tokens, out),
            ChatEvent::Media { media, .. } => self.items.media(media, out),
            ChatEvent::ToolCallStart { call, id, name, custom, .. }
                if self.calls.len() < MAX_CALLS && self.calls.insert(*call) =>
            {
                self.items.call(*call, id, name, *custom, out);
            }
            ChatEvent::ToolCallArguments { call, text, .. } => self.items.arguments(*call, text, out),
            _ => {}
        }
    }

    fn finish(&mut self, reason: &FinishReason, out: &mut BytesMut) {
        while !self.waiting.is_empty() {
            self.items.close("completed", out);
            self.replay(out);
        }
        let status = match ending(reason, self.items.refused) {
            Ending::Completed => "completed",
            Ending::Incomplete(_) => "incomplete",
        };
        self.items.close(status, out);
        self.finish = Some(reason.clone());
    }

    /// Finishes what the vendor forgot to finish.
    fn close(&mut self, out: &mut BytesMut) -> Ending {
        if self.finish.is_none() {
            self.finish(&FinishReason::Stop, out);
        }
        ending(self.finish.as_ref().unwrap_or(&FinishReason::Stop), self.items.refused)
    }

    /// The end the vendor marked.
    fn end(&mut self, out: &mut BytesMut) {
        self.start(&ReplyHead::default(), out);
        let ending = self.close(out);
        let name = match ending {
            Ending::Completed => "response.completed",
            Ending::Incomplete(_) => "response.incomplete",
        };
        self.response_event(name, &Status::Ended(ending), out);
        self.ended = true;
    }

    /// The error, and behind it, as the service itself does, the response that failed with it: some clients know an error
    /// by the one and some by the other. What is open stays unfinished, so that nobody takes it for whole.
    fn fail(&mut self, fault: &Fault, out: &mut BytesMut) {
        let number = self.items.numbers.next();
        out.extend_from_slice(&fault::render_stream(fault, Some(number)));
        if self.started {
            self.response_event("response.failed", &Status::Failed(fault), out);
        }
        self.ended = true;
    }
}

/// The call whose arguments these are.
fn arguments_of(event: &ChatEvent) -> Option<u32> {
    match event {
        ChatEvent::ToolCallArguments { call, .. } => Some(*call),
        _ => None,
    }
}

/// Of which answer an event tells; `None`: of all of them.
fn choice_of(event: &ChatEvent) -> Option<u32> {
    match event {
        ChatEvent::Text { choice, .. }
        | ChatEvent::Reasoning { choice, .. }
        | ChatEvent::ReasoningSeal { choice, .. }
        | ChatEvent::Refusal { choice, .. }
        | ChatEvent::Citation { choice, .. }
        | ChatEvent::Media { choice, .. }
        | ChatEvent::ToolCallStart { choice, .. }
        | ChatEvent::ToolCallArguments { choice, .. }
        | ChatEvent::Logprobs { choice, .. }
        | ChatEvent::Safety { choice, .. }
        | ChatEvent::Finish { choice, .. } => Some(*choice),
        ChatEvent::Start(_) | ChatEvent::Usage(_) | ChatEvent::End | ChatEvent::Fault(_) => None,
    }
}

impl Renderer for ResponseRenderer {
    fn event(&mut self, event: &ChatEvent, out: &mut BytesMut) {
        // The dialect knows one answer only, and nothing of it behind its end.
        let is_late = self.finish.is_some() && choice_of(event).is_some();
        if self.ended || is_late || choice_of(event).is_some_and(|choice| choice != 0) {
            return;
        }
        match event {
            ChatEvent::Start(head) => self.start(head, out),
            ChatEvent::Usage(usage) => self.usage = Some(*usage),
            ChatEvent::End => self.end(out),
            ChatEvent::Fault(fault) => self.fail(fault, out),
            ChatEvent::Finish { reason, .. } => {
                self.start(&ReplyHead::default(), out);
                self.finish(reason, out);
            }
            event => {
                self.start(&ReplyHead::default(), out);
                self.content(event, out);
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests;

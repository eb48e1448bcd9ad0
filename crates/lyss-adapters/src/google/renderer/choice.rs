//! One candidate of a streamed answer: what may be written of it, and what is held back.

use std::collections::{BTreeSet, VecDeque};

use super::super::render::parts::{Citations, ShownPart};
use super::super::wire::signature;
use crate::arguments::ObjectWatch;
use crate::conversation::{Citation, FinishReason, Media, SafetyRating, Seal, SealKind, TokenLogprob};

const MAX_CALLS: usize = 1_024;
/// Of one call's arguments. What is longer is cut, and then kept as text that is no object.
const MAX_ARGUMENT_BYTES: usize = 16 << 20;
/// Of the text, kept for the places of citations.
const MAX_TEXT_BYTES: usize = 1 << 20;
const MAX_CITATIONS: usize = 512;

#[derive(Default)]
pub(super) struct ChoiceState {
    /// Parts in their order; the last one may still grow a signature.
    parts: VecDeque<Held>,
    /// Parts may all go, since nothing comes behind them.
    released: bool,
    /// A seal of Google's own, for the next part.
    open_seal: Option<String>,
    calls: VecDeque<OpenCall>,
    /// Calls that began, written or not.
    known: BTreeSet<u32>,
    text: String,
    cited: Vec<Citation>,
    pub(super) logprobs: Vec<TokenLogprob>,
    pub(super) safety: Vec<SafetyRating>,
    pub(super) finish: Option<FinishReason>,
}

/// A part that waits.
pub(super) struct Held {
    kind: Kind,
    signature: Option<String>,
}

enum Kind {
    Text(String),
    Thought(String),
    Call {
        id: String,
        name: String,
        arguments: String,
    },
    Media(Box<Media>),
    /// A signature alone.
    Seal,
}

struct OpenCall {
    call: u32,
    id: String,
    name: String,
    arguments: String,
    watch: ObjectWatch,
}

impl Held {
    pub(super) fn show(&self) -> ShownPart<'_> {
        let signature = self.signature.clone();
        match &self.kind {
            Kind::Text(text) => ShownPart::text(text.as_str()).signed(signature),
            Kind::Thought(text) => ShownPart::thought(text.as_str(), signature),
            Kind::Call { id, name, arguments } => ShownPart::call(id, name, arguments).signed(signature),
            Kind::Media(media) => ShownPart::media(media).unwrap_or_default().signed(signature),
            Kind::Seal => ShownPart::seal(signature.unwrap_or_default()),
        }
    }

    /// A text or a thought of more than one character is cut before its last one, which is what stays.
    fn split(&mut self) -> Option<Held> {
        let (text, is_thought) = match &mut self.kind {
            Kind::Text(text) => (text, false),
            Kind::Thought(text) => (text, true),
            _ => return None,
        };
        let (at, _) = text.char_indices().last().filter(|(at, _)| *at > 0)?;
        let last = text.split_off(at);
        let front = std::mem::replace(text, last);
        let kind = if is_thought { Kind::Thought(front) } else { Kind::Text(front) };
        Some(Held { kind, signature: None })
    }
}

impl ChoiceState {
    pub(super) fn text(&mut self, text: &str, is_thought: bool) {
        if text.is_empty() {
            return;
        }
        if !is_thought && self.text.len() + text.len() <= MAX_TEXT_BYTES {
            self.text.push_str(text);
        }
        if self.open_seal.is_none()
            && let Some(Held { kind, signature: None }) = self.parts.back_mut()
        {
            match kind {
                Kind::Text(held) if !is_thought => return held.push_str(text),
                Kind::Thought(held) if is_thought => return held.push_str(text),
                _ => {}
            }
        }
        if is_thought {
            // A seal of Google's own waits for the answer behind the thought.
            self.parts.push_back(Held { kind: Kind::Thought(text.to_owned()), signature: None });
        } else {
            self.push(Kind::Text(text.to_owned()));
        }
    }

    pub(super) fn seal(&mut self, seal: &Seal) {
        if seal.kind == SealKind::Google {
            if let Some(before) = self.open_seal.replace(signature(seal)) {
                self.parts.push_back(Held { kind: Kind::Seal, signature: Some(before) });
            }
            return;
        }
        match self.parts.back_mut() {
            Some(Held { kind: Kind::Thought(_), signature: held @ None }) => *held = Some(signature(seal)),
            _ => self
                .parts
                .push_back(Held { kind: Kind::Thought(String::new()), signature: Some(signature(seal)) }),
        }
    }

    pub(super) fn media(&mut self, media: &Media) {
        if ShownPart::media(media).is_some() {
            self.push(Kind::Media(Box::new(media.clone())));
        }
    }

    pub(super) fn call_start(&mut self, call: u32, id: &str, name: &str) {
        if self.known.len() < MAX_CALLS && self.known.insert(call) {
            self.calls.push_back(OpenCall {
                call,
                id: id.to_owned(),
                name: name.to_owned(),
                arguments: String::new(),
                watch: ObjectWatch::default(),
            });
        }
    }

    pub(super) fn call_arguments(&mut self, call: u32, text: &str) {
        let Some(open) = self.calls.iter_mut().find(|open| open.call == call) else { return };
        if open.arguments.len() + text.len() > MAX_ARGUMENT_BYTES {
            return;
        }
        open.watch.feed(text);
        open.arguments.push_str(text);
        while self.calls.front().is_some_and(|front| front.watch.is_whole()) {
            self.close_call();
        }
    }

    /// Nothing more of any call is to come.
    pub(super) fn close_calls(&mut self) {
        while !self.calls.is_empty() {
            self.close_call();
        }
    }

    fn close_call(&mut self) {
        if let Some(OpenCall { id, name, arguments, .. }) = self.calls.pop_front() {
            self.push(Kind::Call { id, name, arguments });
        }
    }

    pub(super) fn cite(&mut self, citation: &Citation) {
        if self.cited.len() < MAX_CITATIONS {
            self.cited.push(citation.clone());
        }
    }

    pub(super) fn citations(&self) -> Citations<'_> {
        let mut citations = Citations::default();
        for citation in &self.cited {
            citations.add(citation, &self.text);
        }
        citations
    }

    fn push(&mut self, kind: Kind) {
        let signature = self.open_seal.take();
        self.parts.push_back(Held { kind, signature });
    }

    /// Takes the parts that may go now: all but the last one, and of that all but its last character.
    pub(super) fn ready(&mut self) -> Vec<Held> {
        let keep = usize::from(!self.released);
        let mut ready: Vec<_> = self.parts.drain(..self.parts.len().saturating_sub(keep)).collect();
        if let Some(last) = self.parts.back_mut().filter(|last| last.signature.is_none()) {
            ready.extend(last.split());
        }
        ready
    }

    /// Nothing more is to come: a seal that found no part goes to the last text, or stands alone.
    pub(super) fn release(&mut self) {
        self.close_calls();
        self.released = true;
        if let Some(seal) = self.open_seal.take() {
            match self.parts.back_mut() {
                Some(Held { kind: Kind::Text(_), signature: held @ None }) => *held = Some(seal),
                _ => self.parts.push_back(Held { kind: Kind::Seal, signature: Some(seal) }),
            }
        }
    }

    /// What has not been taken.
    pub(super) fn rest(&self) -> impl Iterator<Item = &Held> {
        self.parts.iter()
    }
}

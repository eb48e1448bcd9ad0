//! The items of an answer as they are written: added, filled, done.

use bytes::BytesMut;

use super::super::wire::{Annotation, Content, Item, Logprob, Summary};
use super::numbered::{Numbers, Object};
use super::open::{Call, Kind, Message, Open, Reasoning};
use crate::arguments::ObjectWatch;
use crate::conversation::{Citation, Media, MediaKind, Seal, SealKind, Source, TokenLogprob};

const IN_PROGRESS: &str = "in_progress";

pub(super) struct Items {
    pub(super) numbers: Numbers,
    /// Those that are done, as far as they are kept.
    pub(super) done: Vec<Item>,
    /// What makes the ids of items of this answer its own.
    pub(super) suffix: String,
    /// The id of the next item of reasoning, where it has one.
    pub(super) reasoning_id: Option<String>,
    /// A refusal was written.
    pub(super) refused: bool,
    /// Tokens that came before their text.
    early: Vec<Logprob>,
    open: Option<Open>,
    /// How many items have been added, and so the index of the next one.
    added: u64,
    room: usize,
}

impl Items {
    pub(super) fn new(room: usize) -> Self {
        Self {
            numbers: Numbers::default(),
            done: Vec::new(),
            suffix: String::new(),
            reasoning_id: None,
            refused: false,
            early: Vec::new(),
            open: None,
            added: 0,
            room,
        }
    }

    /// The function call that is open: nothing but its arguments may come. A custom tool's text has no end that could be
    /// seen, so whatever comes ends it.
    pub(super) fn unfinished_call(&self) -> Option<u32> {
        match &self.open {
            Some(Open::Call(call)) if !call.custom => Some(call.number),
            _ => None,
        }
    }

    pub(super) fn text(&mut self, text: &str, out: &mut BytesMut) {
        if text.is_empty() {
            return;
        }
        self.open_part(Kind::Text, out);
        let kept = self.keep(text);
        let Some(Open::Message(message)) = &mut self.open else { return };
        if message.cited {
            message.cited = false;
            message.stretch = message.chars;
        }
        message.chars += text.chars().count() as u64;
        let tokens = std::mem::take(&mut self.early);
        if let Some(Content::OutputText { text, logprobs, .. }) = message.content.last_mut() {
            text.push_str(kept);
            logprobs.extend_from_slice(&tokens);
        }
        let object = self.part_event("response.output_text.delta", out);
        object.field("delta", text).field("logprobs", &tokens).close();
    }

    pub(super) fn refusal(&mut self, text: &str, out: &mut BytesMut) {
        if text.is_empty() {
            return;
        }
        self.refused = true;
        self.open_part(Kind::Refusal, out);
        let kept = self.keep(text);
        if let Some(Open::Message(message)) = &mut self.open
            && let Some(Content::Refusal { refusal }) = message.content.last_mut()
        {
            refusal.push_str(kept);
        }
        self.part_event("response.refusal.delta", out).field("delta", text).close();
    }

    /// Tokens come behind the text they make up, and a piece without text carries them; or before it, and wait.
    pub(super) fn logprobs(&mut self, tokens: &[TokenLogprob], out: &mut BytesMut) {
        let size = tokens.len() * std::mem::size_of::<Logprob>();
        if tokens.is_empty() || !self.take_room(size) {
            return;
        }
        let written: Vec<Logprob> = tokens.iter().map(Logprob::from).collect();
        let Some(Open::Message(message)) = &mut self.open else {
            self.early.extend(written);
            return;
        };
        let Some(Content::OutputText { logprobs, .. }) = message.content.last_mut() else { return };
        logprobs.extend_from_slice(&written);
        let object = self.part_event("response.output_text.delta", out);
        object.field("delta", "").field("logprobs", &written).close();
    }

    /// Backs the text that is open; without one it backs nothing.
    pub(super) fn citation(&mut self, citation: &Citation, out: &mut BytesMut) {
        let Some(Open::Message(message)) = &mut self.open else { return };
        let stretch = (message.stretch, message.chars);
        let Some(Content::OutputText { annotations, .. }) = message.content.last() else { return };
        let (annotation, index) = (Annotation::of(citation, stretch), annotations.len());
        message.cited = true;
        let object = self.part_event("response.output_text.annotation.added", out);
        object.field("annotation_index", &index).field("annotation", &annotation).close();
        let place = citation.title.as_ref().map_or(0, String::len) + std::mem::size_of::<Annotation>();
        if self.take_room(place)
            && let Some(Open::Message(message)) = &mut self.open
            && let Some(Content::OutputText { annotations, .. }) = message.content.last_mut()
        {
            annotations.push(annotation);
        }
    }

    pub(super) fn reasoning(&mut self, text: &str, out: &mut BytesMut) {
        if text.is_empty() {
            return;
        }
        self.open_reasoning(out);
        let kept = self.keep(text);
        let Some(Open::Reasoning(reasoning)) = &mut self.open else { return };
        let is_new = !std::mem::replace(&mut reasoning.has_part, true);
        reasoning.text.push_str(kept);
        if is_new {
            let object = self.item_event("response.reasoning_summary_part.added", out);
            object.field("summary_index", &0).field("part", &Summary::new("")).close();
        }
        let object = self.item_event("response.reasoning_summary_text.delta", out);
        object.field("summary_index", &0).field("delta", text).close();
    }

    /// Ends the reasoning that is open, or stands for reasoning that nobody may read.
    pub(super) fn seal(&mut self, seal: &Seal, out: &mut BytesMut) {
        if !matches!(self.open, Some(Open::Reasoning(_))) && seal.kind == SealKind::OpenAi {
            self.reasoning_id.clone_from(&seal.id);
        }
        self.open_reasoning(out);
        let Some(Open::Reasoning(reasoning)) = self.open.take() else { return };
        let is_own = seal.kind == SealKind::OpenAi
            && Seal::from_token(&seal.data).is_none()
            && seal.id.as_ref().is_none_or(|id| *id == reasoning.id);
        let sealed = if is_own { seal.data.clone() } else { seal.to_token() };
        self.close_reasoning(reasoning, Some(sealed), out);
    }

    pub(super) fn call(&mut self, number: u32, id: &str, name: &str, custom: bool, out: &mut BytesMut) {
        self.close("completed", out);
        let call = Call {
            number,
            id: self.id(if custom { "ctc" } else { "fc" }),
            call_id: if id.is_empty() { format!("call_{}_{number}", self.suffix) } else { id.to_owned() },
            name: name.to_owned(),
            custom,
            arguments: String::new(),
            watch: ObjectWatch::default(),
        };
        self.add(&call.item(IN_PROGRESS, String::new()), out);
        self.open = Some(Open::Call(call));
    }

    pub(super) fn arguments(&mut self, number: u32, text: &str, out: &mut BytesMut) {
        let is_open = matches!(&self.open, Some(Open::Call(call)) if call.number == number);
        if text.is_empty() || !is_open {
            return;
        }
        let kept = self.keep(text);
        let Some(Open::Call(call)) = &mut self.open else { return };
        call.arguments.push_str(kept);
        call.watch.feed(text);
        let (name, is_whole) = (call.event("delta"), !call.custom && call.watch.is_whole());
        self.item_event(name, out).field("delta", text).close();
        if is_whole {
            self.close("completed", out);
        }
    }

    /// An image has an item of its own; media of other kinds have no place in this dialect's answers.
    pub(super) fn media(&mut self, media: &Media, out: &mut BytesMut) {
        let (MediaKind::Image, Source::Data(data)) = (media.kind, &media.source) else { return };
        self.close("completed", out);
        let id = self.id("ig");
        let format = media.mime_or_usual().strip_prefix("image/").filter(|format| *format != "png");
        let item = |status, result| Item::ImageGenerationCall {
            id: id.clone(),
            status,
            output_format: format.map(str::to_owned),
            result,
        };
        self.add(&item(IN_PROGRESS, None), out);
        self.done(item("completed", Some(data.clone())), data.len(), out);
    }

    /// Ends what is open.
    pub(super) fn close(&mut self, status: &'static str, out: &mut BytesMut) {
        match self.open.take() {
            None => {}
            Some(Open::Reasoning(reasoning)) => self.close_reasoning(reasoning, None, out),
            Some(Open::Message(message)) => {
                self.open = Some(Open::Message(message));
                self.close_part(out);
                if let Some(Open::Message(Message { id, content, .. })) = self.open.take() {
                    self.done(Item::Message { id, status, role: "assistant", content }, 0, out);
                }
            }
            Some(Open::Call(call)) => self.close_call(call, status, out),
        }
    }

    fn close_call(&mut self, mut call: Call, status: &'static str, out: &mut BytesMut) {
        // A function without arguments is called with the empty object.
        if call.arguments.trim().is_empty() && !call.custom {
            call.arguments = "{}".to_owned();
            self.event(call.event("delta"), out).field("item_id", &call.id).field("delta", "{}").close();
        }
        let text = std::mem::take(&mut call.arguments);
        let field = if call.custom { "input" } else { "arguments" };
        let object = self.event(call.event("done"), out).field("item_id", &call.id);
        object.field("name", &call.name).field(field, &text).close();
        self.done(call.item(status, text), 0, out);
    }

    fn close_reasoning(
        &mut self,
        reasoning: Reasoning,
        encrypted_content: Option<String>,
        out: &mut BytesMut,
    ) {
        let Reasoning { id, text, has_part } = reasoning;
        let mut summary = Vec::new();
        if has_part {
            let part = Summary::new(text.clone());
            let object = self.event("response.reasoning_summary_text.done", out).field("item_id", &id);
            object.field("summary_index", &0).field("text", &text).close();
            let object = self.event("response.reasoning_summary_part.done", out).field("item_id", &id);
            object.field("summary_index", &0).field("part", &part).close();
            summary.push(part);
        }
        let size = encrypted_content.as_ref().map_or(0, String::len);
        self.done(Item::Reasoning { id, summary, encrypted_content }, size, out);
    }

    fn open_reasoning(&mut self, out: &mut BytesMut) {
        if matches!(self.open, Some(Open::Reasoning(_))) {
            return;
        }
        self.close("completed", out);
        let id = self.reasoning_id.take().unwrap_or_else(|| self.id("rs"));
        self.add(&Item::Reasoning { id: id.clone(), summary: Vec::new(), encrypted_content: None }, out);
        self.open = Some(Open::Reasoning(Reasoning { id, text: String::new(), has_part: false }));
    }

    /// A message with a part of this kind open.
    fn open_part(&mut self, kind: Kind, out: &mut BytesMut) {
        if !matches!(self.open, Some(Open::Message(_))) {
            self.close("completed", out);
            let id = self.id("msg");
            let content = Vec::new();
            let item = Item::Message { id: id.clone(), status: IN_PROGRESS, role: "assistant", content };
            self.add(&item, out);
            let content = Vec::new();
            self.open = Some(Open::Message(Message { id, content, chars: 0, stretch: 0, cited: false }));
        }
        let Some(Open::Message(message)) = &self.open else { return };
        if message.content.last().is_some_and(|part| part.kind() == kind) {
            return;
        }
        self.close_part(out);
        let Some(Open::Message(message)) = &mut self.open else { return };
        (message.chars, message.stretch, message.cited) = (0, 0, false);
        message.content.push(Content::empty(kind));
        self.part_event("response.content_part.added", out).field("part", &Content::empty(kind)).close();
    }

    /// Says the open part whole, as its last piece and as a part.
    fn close_part(&mut self, out: &mut BytesMut) {
        let Some(Open::Message(message)) = &self.open else { return };
        let Some(part) = message.content.last() else { return };
        let place = (self.added.saturating_sub(1), message.id.as_str(), message.content.len() - 1);
        let (first, second) = (self.numbers.next(), self.numbers.next());
        match part {
            Content::OutputText { text, logprobs, .. } => {
                let object = at_part("response.output_text.done", first, place, out);
                object.field("text", text).field("logprobs", logprobs).close();
            }
            Content::Refusal { refusal } => {
                at_part("response.refusal.done", first, place, out).field("refusal", refusal).close();
            }
        }
        at_part("response.content_part.done", second, place, out).field("part", part).close();
    }

    fn add(&mut self, item: &Item, out: &mut BytesMut) {
        self.added += 1;
        self.event("response.output_item.added", out).field("item", item).close();
    }

    /// `size`: bytes in it that have not been counted yet.
    fn done(&mut self, item: Item, size: usize, out: &mut BytesMut) {
        self.event("response.output_item.done", out).field("item", &item).close();
        if self.take_room(size + std::mem::size_of::<Item>()) {
            self.done.push(item);
        }
    }

    /// An event of the item that was added last.
    fn event<'a>(&mut self, name: &str, out: &'a mut BytesMut) -> Object<'a> {
        let number = self.numbers.next();
        Object::open(out, name, number).field("output_index", &self.added.saturating_sub(1))
    }

    fn item_event<'a>(&mut self, name: &str, out: &'a mut BytesMut) -> Object<'a> {
        let object = self.event(name, out);
        match &self.open {
            Some(Open::Message(Message { id, .. }) | Open::Reasoning(Reasoning { id, .. })) => {
                object.field("item_id", id)
            }
            Some(Open::Call(call)) => object.field("item_id", &call.id),
            None => object,
        }
    }

    fn part_event<'a>(&mut self, name: &str, out: &'a mut BytesMut) -> Object<'a> {
        let object = self.item_event(name, out);
        match &self.open {
            Some(Open::Message(message)) => {
                object.field("content_index", &message.content.len().saturating_sub(1))
            }
            _ => object,
        }
    }

    fn id(&self, kind: &str) -> String {
        format!("{kind}_{}_{}", self.suffix, self.added)
    }

    fn take_room(&mut self, size: usize) -> bool {
        let fits = size <= self.room;
        if fits {
            self.room -= size;
        }
        fits
    }

    /// As much of a text as is kept: all of it, until there is no room any more.
    fn keep<'a>(&mut self, text: &'a str) -> &'a str {
        if self.take_room(text.len()) {
            return text;
        }
        self.room = 0;
        ""
    }
}

/// An event of a part: index and id of its item, and its number there.
fn at_part<'a>(name: &str, number: u64, place: (u64, &str, usize), out: &'a mut BytesMut) -> Object<'a> {
    let (index, id, at) = place;
    let object = Object::open(out, name, number).field("output_index", &index);
    object.field("item_id", id).field("content_index", &at)
}

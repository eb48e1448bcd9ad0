//! Reading a streamed answer, as in the API reference ("Streaming events").
//!
//! Whatever is said twice there (in pieces, in the `done` of a part, in the `done` of its item, in the last event) is
//! told once: in pieces where pieces came, else from the first event that has it whole. No text is kept, only which
//! places have been told.

mod event;

use std::collections::BTreeSet;

use lyss_domain::FaultKind;
use lyss_wire::SseFrame;

use self::event::{Event, Place, What, lenient, piece_of};
use super::decode::{failure, unreadable, usage};
use super::fault;
use super::output::{WireAnnotation, WireContent, WireItem, WireLogprob, WireResponse, logprobs};
use crate::Fault;
use crate::conversation::ChatEvent;
use crate::dialect::Decoder;

const MAX_ITEMS: usize = 1_024;
const MAX_PLACES: usize = 16_384;
const CHOICE: u32 = 0;

#[derive(Default)]
pub(super) struct ResponseDecoder {
    started: bool,
    over: bool,
    items: Vec<OpenItem>,
    /// What has been told already.
    told: BTreeSet<Place>,
    calls: u32,
}

struct OpenItem {
    /// `output_index`.
    index: u64,
    id: String,
    /// Its number, where it is a call.
    call: Option<u32>,
    /// The stretch of reasoning told last: another one begins a new paragraph.
    stretch: Option<Place>,
}

impl ResponseDecoder {
    fn read(&mut self, data: &[u8], out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        if data == b"[DONE]" {
            return Ok(());
        }
        let event: Event<'_> = serde_json::from_slice(data).map_err(|_| unreadable())?;
        match event.kind.as_str() {
            "response.created" | "response.in_progress" | "response.queued" => {
                if let Some(response) = lenient(event.response) {
                    self.start(&response, out);
                }
                Ok(())
            }
            "response.completed" | "response.incomplete" | "response.failed" => self.last(&event, out),
            "error" => {
                self.over = true;
                out.push(ChatEvent::Fault(fault::of_event(data)));
                Ok(())
            }
            "response.output_item.added" | "response.output_item.done" => {
                let Some(item) = lenient::<WireItem>(event.item) else { return Ok(()) };
                let at = self.item(event.output_index, item.id.as_deref())?;
                match event.kind.ends_with("done") {
                    true => self.item_done(at, item, out),
                    false => self.call_start(at, &item, out),
                }
            }
            "response.content_part.done" => {
                let Some(part) = lenient::<WireContent>(event.part) else { return Ok(()) };
                let at = self.item(event.output_index, event.item_id.as_deref())?;
                self.part_done(at, event.content_index.unwrap_or(0), part, out)
            }
            kind => match piece_of(kind) {
                Some((what, is_delta)) => self.piece(&event, what, is_delta, out),
                None => Ok(()),
            },
        }
    }

    fn start(&mut self, response: &WireResponse<'_>, out: &mut Vec<ChatEvent>) {
        if !self.started {
            self.started = true;
            out.push(ChatEvent::Start(response.head()));
        }
    }

    /// The item at this index, or with this id where the vendor gives no index; new ones are noted.
    fn item(&mut self, index: Option<u64>, id: Option<&str>) -> Result<usize, Fault> {
        let id = id.unwrap_or_default();
        let known = match index {
            Some(index) => self.items.iter().position(|item| item.index == index),
            None if id.is_empty() => self.items.len().checked_sub(1),
            None => self.items.iter().position(|item| item.id == id),
        };
        if let Some(at) = known {
            return Ok(at);
        }
        if self.items.len() >= MAX_ITEMS {
            return Err(out_of_bounds());
        }
        let next = self.items.iter().map(|item| item.index.saturating_add(1)).max().unwrap_or(0);
        let index = index.unwrap_or(next);
        self.items.push(OpenItem { index, id: id.to_owned(), call: None, stretch: None });
        Ok(self.items.len() - 1)
    }

    /// True where the place was not told before; it counts as told from now on.
    fn tell(&mut self, place: Place) -> Result<bool, Fault> {
        if self.told.len() >= MAX_PLACES && !self.told.contains(&place) {
            return Err(out_of_bounds());
        }
        Ok(self.told.insert(place))
    }

    fn place(&self, at: usize, what: What, number: u64, inner: u64) -> Place {
        Place(self.items.get(at).map_or(0, |item| item.index), what, number, inner)
    }

    /// A piece of text, or the whole of it behind its pieces.
    fn piece(
        &mut self,
        event: &Event<'_>,
        what: What,
        is_delta: bool,
        out: &mut Vec<ChatEvent>,
    ) -> Result<(), Fault> {
        let at = self.item(event.output_index, event.item_id.as_deref())?;
        let number = match what {
            What::Summary => event.summary_index.unwrap_or(0),
            What::Arguments => 0,
            _ => event.content_index.unwrap_or(0),
        };
        if what == What::Annotation {
            let inner = event.annotation_index;
            return self.annotation(at, number, inner, lenient(event.annotation), out);
        }
        let text = if is_delta {
            lenient::<String>(event.delta)
        } else {
            let text = lenient(event.text).or_else(|| event.refusal.clone());
            text.or_else(|| lenient(event.arguments)).or_else(|| lenient(event.input))
        };
        self.text(at, what, number, text.unwrap_or_default(), is_delta, out)?;
        if what == What::Text {
            self.tokens(at, number, lenient(event.logprobs).unwrap_or_default(), is_delta, out)?;
        }
        Ok(())
    }

    /// A text in pieces, or whole and then only where no piece of it came.
    fn text(
        &mut self,
        at: usize,
        what: What,
        number: u64,
        text: String,
        is_delta: bool,
        out: &mut Vec<ChatEvent>,
    ) -> Result<(), Fault> {
        if text.is_empty() {
            return Ok(());
        }
        let place = self.place(at, what, number, 0);
        if !self.tell(place)? && !is_delta {
            return Ok(());
        }
        match what {
            What::Text => out.push(ChatEvent::Text { choice: CHOICE, text }),
            What::Refusal => out.push(ChatEvent::Refusal { choice: CHOICE, text }),
            What::Summary | What::Thought => {
                let last = self.items.get_mut(at).and_then(|item| item.stretch.replace(place));
                let begins = last.is_some_and(|last| last != place);
                let text = if begins { format!("\n\n{text}") } else { text };
                out.push(ChatEvent::Reasoning { choice: CHOICE, text });
            }
            What::Arguments => {
                if let Some(call) = self.items.get(at).and_then(|item| item.call) {
                    out.push(ChatEvent::ToolCallArguments { choice: CHOICE, call, text });
                } else {
                    // Of an item that never began as a call; its end may still say it whole.
                    self.told.remove(&place);
                }
            }
            What::Annotation | What::Logprobs | What::Seal | What::Image => {}
        }
        Ok(())
    }

    fn tokens(
        &mut self,
        at: usize,
        number: u64,
        list: Vec<WireLogprob>,
        is_delta: bool,
        out: &mut Vec<ChatEvent>,
    ) -> Result<(), Fault> {
        let tokens = logprobs(list);
        if !tokens.is_empty() && (self.tell(self.place(at, What::Logprobs, number, 0))? || is_delta) {
            out.push(ChatEvent::Logprobs { choice: CHOICE, tokens });
        }
        Ok(())
    }

    fn annotation(
        &mut self,
        at: usize,
        number: u64,
        inner: Option<u64>,
        mark: Option<WireAnnotation>,
        out: &mut Vec<ChatEvent>,
    ) -> Result<(), Fault> {
        let Some(citation) = mark.and_then(WireAnnotation::citation) else { return Ok(()) };
        let before = || {
            let from = self.place(at, What::Annotation, number, 0);
            self.told.range(from..self.place(at, What::Annotation, number, u64::MAX)).count()
        };
        let inner = inner.unwrap_or_else(|| before() as u64);
        if self.tell(self.place(at, What::Annotation, number, inner))? {
            out.push(ChatEvent::Citation { choice: CHOICE, citation });
        }
        Ok(())
    }

    fn part_done(
        &mut self,
        at: usize,
        number: u64,
        part: WireContent,
        out: &mut Vec<ChatEvent>,
    ) -> Result<(), Fault> {
        let what = match part.kind.as_str() {
            "output_text" => What::Text,
            "refusal" => What::Refusal,
            "reasoning_text" => What::Thought,
            "summary_text" => What::Summary,
            _ => return Ok(()),
        };
        let text = part.text.or(part.refusal).unwrap_or_default();
        self.text(at, what, number, text, false, out)?;
        self.tokens(at, number, part.logprobs, false, out)?;
        for (inner, mark) in part.annotations.into_iter().enumerate() {
            self.annotation(at, number, Some(inner as u64), Some(mark), out)?;
        }
        Ok(())
    }

    fn call_start(&mut self, at: usize, item: &WireItem, out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let Some(open) = self.items.get_mut(at).filter(|open| item.is_call() && open.call.is_none()) else {
            return Ok(());
        };
        let call = self.calls;
        open.call = Some(call);
        self.calls += 1;
        out.push(ChatEvent::ToolCallStart {
            choice: CHOICE,
            call,
            id: item.call_id.clone().or(item.id.clone()).unwrap_or_default(),
            name: item.name.clone().unwrap_or_default(),
            custom: item.is_custom(),
        });
        Ok(())
    }

    /// A whole item: what of it has not been told yet.
    fn item_done(&mut self, at: usize, mut item: WireItem, out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        match item.kind.as_str() {
            "reasoning" => {
                let seal = item.seal();
                for (what, list) in [(What::Summary, item.summary), (What::Thought, item.content)] {
                    for (number, part) in list.into_iter().enumerate() {
                        let text = part.text.unwrap_or_default();
                        self.text(at, what, number as u64, text, false, out)?;
                    }
                }
                if let Some(seal) = seal
                    && self.tell(self.place(at, What::Seal, 0, 0))?
                {
                    out.push(ChatEvent::ReasoningSeal { choice: CHOICE, seal });
                }
            }
            "message" => {
                for (number, part) in item.content.into_iter().enumerate() {
                    self.part_done(at, number as u64, part, out)?;
                }
            }
            "image_generation_call" => {
                if let Some(media) = item.image()
                    && self.tell(self.place(at, What::Image, 0, 0))?
                {
                    out.push(ChatEvent::Media { choice: CHOICE, media });
                }
            }
            _ if item.is_call() => {
                self.call_start(at, &item, out)?;
                let text = item.call_text().unwrap_or_default();
                self.text(at, What::Arguments, 0, text, false, out)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The event that ends the stream carries the whole response once more.
    fn last(&mut self, event: &Event<'_>, out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let response: WireResponse<'_> = lenient(event.response).ok_or_else(unreadable)?;
        self.start(&response, out);
        let usage = response.usage.and_then(usage).map(ChatEvent::Usage);
        let fault = failure(&response)
            .or_else(|| (event.kind == "response.failed").then(|| fault::of_failed(response.error)));
        if let Some(fault) = fault {
            out.extend(usage);
            out.push(ChatEvent::Fault(fault));
            self.over = true;
            return Ok(());
        }
        for (number, raw) in response.output.iter().flatten().enumerate() {
            if let Some(item) = lenient::<WireItem>(Some(raw)) {
                let id = item.id.as_deref().filter(|id| !id.is_empty());
                let by_id = id.and_then(|id| self.items.iter().position(|known| known.id == id));
                let at = match by_id {
                    Some(at) => at,
                    None => self.item(Some(number as u64), id)?,
                };
                self.item_done(at, item, out)?;
            }
        }
        let mut reason = response.finish(self.calls > 0);
        if event.kind == "response.incomplete" && response.status.is_none() {
            reason = crate::FinishReason::Length;
        }
        out.push(ChatEvent::Finish { choice: CHOICE, reason });
        out.extend(usage);
        out.push(ChatEvent::End);
        self.over = true;
        Ok(())
    }
}

impl Decoder for ResponseDecoder {
    fn feed(&mut self, frame: &SseFrame, out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let data = frame.data.trim_ascii();
        if self.over || data.is_empty() {
            return Ok(());
        }
        let result = self.read(data, out);
        self.over |= result.is_err();
        result
    }

    /// Nothing is held back, and an end that was not marked is none.
    fn finish(&mut self, _out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        self.over = true;
        Ok(())
    }
}

fn out_of_bounds() -> Fault {
    Fault::new(FaultKind::Protocol, "The upstream's stream has more items or parts than any real one.")
}

#[cfg(test)]
mod tests;

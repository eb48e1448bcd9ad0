//! Reading a streamed answer, as in the API reference ("The chat completion chunk object").
//!
//! Lenient where vendors differ: Azure's chunks without choices or delta, tool calls numbered oddly or told apart by
//! their id alone, a finish reason said twice, usage in a choice (Moonshot) or under `x_groq`. No text is kept.

use std::collections::BTreeSet;

use lyss_domain::{FaultKind, TokenUsage};
use lyss_wire::SseFrame;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::decode::{Head, broken_off, unreadable, usage};
use super::details::Detail;
use super::fault;
use super::pieces::{self, Audio, Content, WireCall, WireFunction, lenient};
use super::wire::{call_id, finish_behind, finish_reason};
use crate::Fault;
use crate::conversation::{ChatEvent, SafetyLevel, SafetyRating, Seal};
use crate::dialect::Decoder;

/// OpenAI's own bound on `n`.
const MAX_CHOICES: u32 = 128;
const MAX_CALLS: usize = 256;
/// How OpenAI sends sound in pieces.
const STREAMED_AUDIO: &str = "audio/pcm";

#[derive(Default)]
pub(super) struct ChatDecoder {
    /// The answer's id, once it began.
    answer: Option<String>,
    over: bool,
    calls: Vec<OpenCall>,
    finished: BTreeSet<u32>,
    refusing: BTreeSet<u32>,
    /// Choices whose reasoning is told as plain text: the details then tell it once more, for its seal.
    reasoning: BTreeSet<u32>,
    /// Choices whose harmless ratings were told: Azure repeats them with every chunk.
    rated: BTreeSet<u32>,
}

/// A tool call and how the vendor names it.
struct OpenCall {
    choice: u32,
    vendor_index: u64,
    id: String,
    /// Its number among the calls of its choice.
    call: u32,
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    choices: Option<Vec<ChunkChoice<'a>>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    x_groq: Option<&'a RawValue>,
    #[serde(borrow)]
    search_results: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Groq<'a> {
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ChunkChoice<'a> {
    index: Option<u32>,
    #[serde(borrow)]
    delta: Option<Delta<'a>>,
    #[serde(borrow)]
    finish_reason: Option<&'a RawValue>,
    #[serde(borrow)]
    logprobs: Option<&'a RawValue>,
    #[serde(borrow)]
    content_filter_results: Option<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    content: Option<Content>,
    refusal: Option<Content>,
    /// DeepSeek and many others.
    reasoning_content: Option<Content>,
    /// OpenRouter, Groq, newer vLLM.
    reasoning: Option<Content>,
    #[serde(borrow)]
    reasoning_details: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_calls: Option<Vec<WireCall<'a>>>,
    #[serde(borrow)]
    function_call: Option<WireFunction<'a>>,
    #[serde(borrow)]
    annotations: Option<&'a RawValue>,
    #[serde(borrow)]
    images: Option<&'a RawValue>,
    #[serde(borrow)]
    audio: Option<&'a RawValue>,
}

impl ChatDecoder {
    fn read(&mut self, data: &[u8], out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        if data == b"[DONE]" {
            self.over = true;
            out.push(ChatEvent::End);
            return Ok(());
        }
        let chunk: Chunk<'_> = serde_json::from_slice(data).map_err(|_| unreadable())?;
        let says_nothing = chunk.choices.is_none() && chunk.usage.is_none();
        if chunk.error.is_some() || (says_nothing && fault::is_bare_error(data)) {
            self.over = true;
            out.push(ChatEvent::Fault(fault::read_unasked(data)));
            return Ok(());
        }
        let choices = chunk.choices.unwrap_or_default();
        // Azure's first chunk, with the verdict on the prompt, has neither choices nor an id.
        if self.answer.is_none() && !choices.is_empty() {
            let head = serde_json::from_slice::<Head<'_>>(data).map_err(|_| unreadable())?.read();
            self.answer = Some(head.id.clone());
            out.push(ChatEvent::Start(head));
        }
        let mut told = chunk.usage.and_then(usage);
        for choice in choices {
            told = told.or_else(|| choice.usage.and_then(usage));
            self.choice(choice, chunk.search_results, out)?;
            if self.over {
                return Ok(());
            }
        }
        let groq = || -> Option<TokenUsage> { usage(chunk.x_groq.and_then(lenient::<Groq<'_>>)?.usage?) };
        out.extend(told.or_else(groq).map(ChatEvent::Usage));
        Ok(())
    }

    fn choice(
        &mut self,
        chunk: ChunkChoice<'_>,
        search_results: Option<&RawValue>,
        out: &mut Vec<ChatEvent>,
    ) -> Result<(), Fault> {
        let choice = chunk.index.unwrap_or(0);
        if choice >= MAX_CHOICES {
            return Err(out_of_bounds());
        }
        if let Some(delta) = chunk.delta {
            self.delta(choice, delta, out)?;
        }
        let tokens = chunk.logprobs.map(pieces::logprobs).filter(|tokens| !tokens.is_empty());
        out.extend(tokens.map(|tokens| ChatEvent::Logprobs { choice, tokens }));
        let ratings = chunk.content_filter_results.map(pieces::ratings).unwrap_or_default();
        if !ratings.is_empty() && (!ratings.iter().all(is_harmless) || self.rated.insert(choice)) {
            out.push(ChatEvent::Safety { choice, ratings });
        }
        let word = chunk.finish_reason.and_then(lenient::<String>).filter(|word| !word.is_empty());
        let Some(word) = word.filter(|_| self.finished.insert(choice)) else { return Ok(()) };
        let cited = search_results.map(pieces::search_results).unwrap_or_default();
        out.extend(cited.into_iter().map(|citation| ChatEvent::Citation { choice, citation }));
        match finish_reason(&word) {
            Some(reason) => {
                let has_calls = self.calls.iter().any(|open| open.choice == choice);
                let reason = finish_behind(reason, has_calls, self.refusing.contains(&choice));
                out.push(ChatEvent::Finish { choice, reason });
            }
            None => {
                self.over = true;
                out.push(ChatEvent::Fault(broken_off()));
            }
        }
        Ok(())
    }

    fn delta(&mut self, choice: u32, delta: Delta<'_>, out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        let content = delta.content.unwrap_or_default();
        // Servers that know both names say the same under each.
        let plain = filled(delta.reasoning_content.map(|told| told.text))
            .or(filled(delta.reasoning.map(|told| told.text)))
            .or(filled(Some(content.reasoning)));
        if let Some(text) = plain {
            self.reasoning.insert(choice);
            out.push(ChatEvent::Reasoning { choice, text });
        }
        let calls = delta.tool_calls.unwrap_or_default();
        let mut waiting = match delta.reasoning_details {
            Some(raw) => self.details(choice, raw, &calls, out),
            None => Vec::new(),
        };
        out.extend(filled(Some(content.text)).map(|text| ChatEvent::Text { choice, text }));
        if let Some(text) = filled(delta.refusal.map(|told| told.text)) {
            self.refusing.insert(choice);
            out.push(ChatEvent::Refusal { choice, text });
        }
        if let Some(raw) = delta.annotations {
            let cited = pieces::annotations(raw).into_iter();
            out.extend(cited.map(|citation| ChatEvent::Citation { choice, citation }));
        }
        if let Some(raw) = delta.images {
            out.extend(pieces::images(raw).into_iter().map(|media| ChatEvent::Media { choice, media }));
        }
        if let Some(mut audio) = delta.audio.and_then(lenient::<Audio>) {
            out.extend(filled(audio.transcript.take()).map(|text| ChatEvent::Text { choice, text }));
            out.extend(audio.media(Some(STREAMED_AUDIO)).map(|media| ChatEvent::Media { choice, media }));
        }
        for call in calls {
            let is_its = |(id, _): &(String, Seal)| call.id.as_deref() == Some(id);
            let seal = waiting.iter().position(is_its).map(|at| waiting.swap_remove(at).1);
            self.tool_call(choice, call, seal, out)?;
        }
        match delta.function_call {
            Some(function) => self.tool_call(choice, WireCall::of_function(function), None, out),
            None => Ok(()),
        }
    }

    /// What the details say; answers the seals that wait for a call of this delta.
    fn details(
        &self,
        choice: u32,
        raw: &RawValue,
        calls: &[WireCall<'_>],
        out: &mut Vec<ChatEvent>,
    ) -> Vec<(String, Seal)> {
        let mut waiting = Vec::new();
        for said in lenient::<Vec<Detail>>(raw).unwrap_or_default().into_iter().map(Detail::said) {
            let text = said.text.filter(|_| !self.reasoning.contains(&choice));
            out.extend(text.map(|text| ChatEvent::Reasoning { choice, text }));
            let Some(seal) = said.seal else { continue };
            let is_of_call = |id: &String| calls.iter().any(|call| call.id.as_ref() == Some(id));
            match said.call_id.filter(is_of_call) {
                Some(id) => waiting.push((id, seal)),
                None => out.push(ChatEvent::ReasoningSeal { choice, seal }),
            }
        }
        waiting
    }

    fn tool_call(
        &mut self,
        choice: u32,
        mut delta: WireCall<'_>,
        seal: Option<Seal>,
        out: &mut Vec<ChatEvent>,
    ) -> Result<(), Fault> {
        let id = delta.id.take().unwrap_or_default();
        let index = delta.index;
        let seal = seal.or_else(|| delta.seal());
        let said = delta.said();
        let call = match self.find(choice, index, &id) {
            Some(call) => call,
            None => {
                let name = said.name.ok_or_else(out_of_order)?;
                let call = self.open(choice, index, &id)?;
                out.extend(seal.map(|seal| ChatEvent::ReasoningSeal { choice, seal }));
                let id = match id.is_empty() {
                    true => call_id(self.answer.as_deref().unwrap_or_default(), choice, call),
                    false => id,
                };
                out.push(ChatEvent::ToolCallStart { choice, call, id, name, custom: said.custom });
                call
            }
        };
        if !said.arguments.is_empty() {
            out.push(ChatEvent::ToolCallArguments { choice, call, text: said.arguments });
        }
        Ok(())
    }

    /// The latest call that fits. An id not seen at this index begins another call: some servers number all calls 0.
    fn find(&self, choice: u32, vendor_index: Option<u64>, id: &str) -> Option<u32> {
        let mut of_choice = self.calls.iter().rev().filter(|open| open.choice == choice);
        let open = match vendor_index {
            Some(index) => of_choice.find(|open| open.vendor_index == index)?,
            None => of_choice.next()?,
        };
        (id.is_empty() || open.id == id).then_some(open.call)
    }

    fn open(&mut self, choice: u32, vendor_index: Option<u64>, id: &str) -> Result<u32, Fault> {
        if self.calls.len() >= MAX_CALLS {
            return Err(out_of_bounds());
        }
        let before = self.calls.iter().filter(|open| open.choice == choice).count();
        let call = u32::try_from(before).map_err(|_| out_of_bounds())?;
        let vendor_index = vendor_index.unwrap_or(u64::from(call));
        self.calls.push(OpenCall { choice, vendor_index, id: id.to_owned(), call });
        Ok(call)
    }
}

fn is_harmless(rating: &SafetyRating) -> bool {
    rating.level == SafetyLevel::Negligible && !rating.blocked
}

impl Decoder for ChatDecoder {
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
    Fault::new(FaultKind::Protocol, "The upstream's stream has more choices or tool calls than any real one.")
}

fn out_of_order() -> Fault {
    Fault::new(FaultKind::Protocol, "The upstream's stream continues a tool call that it never began.")
}

#[cfg(test)]
mod tests;

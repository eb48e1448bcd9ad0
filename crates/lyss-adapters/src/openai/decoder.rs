//! Reading a streamed answer, as in the API reference ("The chat completion chunk object").
//!
//! Lenient where vendors differ: Azure's chunks without choices or delta, tool calls numbered oddly or told apart by
//! their id alone, a finish reason said twice. No text is kept.

use std::collections::BTreeSet;

use lyss_domain::FaultKind;
use lyss_wire::SseFrame;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::decode::{WireFunction, stream_fault, unreadable, usage};
use super::wire::finish_reason;
use crate::Fault;
use crate::conversation::{ChatEvent, ReplyHead};
use crate::dialect::Decoder;

/// OpenAI's own bound on `n`.
const MAX_CHOICES: u32 = 128;
const MAX_CALLS: usize = 256;

#[derive(Default)]
pub(super) struct ChatDecoder {
    started: bool,
    over: bool,
    calls: Vec<OpenCall>,
    finished: BTreeSet<u32>,
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
    id: Option<String>,
    model: Option<String>,
    choices: Option<Vec<ChunkChoice>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ChunkChoice {
    index: Option<u32>,
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<String>,
    refusal: Option<String>,
    /// DeepSeek.
    reasoning_content: Option<String>,
    tool_calls: Option<Vec<CallDelta>>,
}

#[derive(Deserialize)]
struct CallDelta {
    index: Option<u64>,
    id: Option<String>,
    function: Option<WireFunction>,
}

impl ChatDecoder {
    fn read(&mut self, data: &[u8], out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        if data == b"[DONE]" {
            self.over = true;
            out.push(ChatEvent::End);
            return Ok(());
        }
        let chunk: Chunk<'_> = serde_json::from_slice(data).map_err(|_| unreadable())?;
        if chunk.error.is_some() {
            self.over = true;
            out.push(ChatEvent::Fault(stream_fault(data)));
            return Ok(());
        }
        let choices = chunk.choices.unwrap_or_default();
        // Azure's first chunk, with the verdict on the prompt, has neither choices nor an id.
        if !self.started && !choices.is_empty() {
            self.started = true;
            let (id, model) = (chunk.id.unwrap_or_default(), chunk.model.unwrap_or_default());
            out.push(ChatEvent::Start(ReplyHead { id, model, ..ReplyHead::default() }));
        }
        for choice in choices {
            self.choice(choice, out)?;
        }
        out.extend(chunk.usage.and_then(usage).map(ChatEvent::Usage));
        Ok(())
    }

    fn choice(&mut self, chunk: ChunkChoice, out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let choice = chunk.index.unwrap_or(0);
        if choice >= MAX_CHOICES {
            return Err(out_of_bounds());
        }
        if let Some(delta) = chunk.delta {
            let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
            out.extend(filled(delta.reasoning_content).map(|text| ChatEvent::Reasoning { choice, text }));
            out.extend(filled(delta.content).map(|text| ChatEvent::Text { choice, text }));
            out.extend(filled(delta.refusal).map(|text| ChatEvent::Refusal { choice, text }));
            for call in delta.tool_calls.unwrap_or_default() {
                self.tool_call(choice, call, out)?;
            }
        }
        let reason = chunk.finish_reason.filter(|reason| !reason.is_empty());
        if let Some(reason) = reason.filter(|_| self.finished.insert(choice)) {
            out.push(ChatEvent::Finish { choice, reason: finish_reason(&reason) });
        }
        Ok(())
    }

    fn tool_call(&mut self, choice: u32, delta: CallDelta, out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let function = delta.function.unwrap_or_default();
        let id = delta.id.unwrap_or_default();
        let call = match self.find(choice, delta.index, &id) {
            Some(call) => call,
            None => {
                let name = function.name.ok_or_else(out_of_order)?;
                let call = self.open(choice, delta.index, &id)?;
                out.push(ChatEvent::ToolCallStart { choice, call, id, name, custom: false });
                call
            }
        };
        if let Some(text) = function.arguments.filter(|text| !text.is_empty()) {
            out.push(ChatEvent::ToolCallArguments { choice, call, text });
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

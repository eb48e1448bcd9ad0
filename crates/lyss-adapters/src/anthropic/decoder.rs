//! Reading a streamed answer, as in "Streaming messages".
//!
//! The grammar is held to: one `message_start` first, deltas inside an open block only. What breaks it is a protocol
//! fault. Unknown events, blocks and deltas are passed over. No text is kept.

use std::collections::BTreeMap;

use lyss_domain::FaultKind;
use lyss_wire::SseFrame;
use serde_json::value::RawValue;

use super::usage::Usage;
use super::wire::{
    Answer, Event, MessageDelta, ReadBlock, ReadDelta, explanation, finish_reason, read, seal_of_redacted,
    seal_of_signature, unreadable,
};
use super::{fault, usage};
use crate::Fault;
use crate::conversation::{ChatEvent, Citation, FinishReason, ReplyHead, Seal};
use crate::dialect::Decoder;

/// Far above any real answer, whose blocks come one after the other.
const MAX_OPEN_BLOCKS: usize = 256;
/// Of one block; more are passed over.
const MAX_CITATIONS: usize = 256;

/// This dialect has one choice.
const CHOICE: u32 = 0;

#[derive(Default)]
pub(super) struct MessagesDecoder {
    phase: Phase,
    open: BTreeMap<u64, OpenBlock>,
    /// Tool calls so far.
    calls: u32,
    /// Characters of text so far.
    chars: u64,
    usage: Usage,
    finished: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Before,
    Within,
    /// The end marker, an error or a fault has come: nothing more is read.
    Over,
}

enum OpenBlock {
    Text {
        /// Where its text begins in the answer's, in characters.
        from: u64,
        /// They may come before the words they back, so they wait for the block's end.
        citations: Vec<Citation>,
    },
    Thinking {
        /// Given in the block's start; a delta says it later, and then alone.
        signature: Option<String>,
    },
    Tool {
        call: u32,
        arguments: Arguments,
    },
    Other,
}

/// Where a tool call's arguments come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Arguments {
    Awaited,
    /// In deltas, as the vendor's reference says.
    Streamed,
    /// Whole in the block's start, as some servers of this dialect do.
    Given,
}

impl MessagesDecoder {
    fn read(&mut self, frame: &SseFrame, out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        if frame.event.as_deref().is_some_and(|name| !is_known(name)) {
            return Ok(());
        }
        let event: Event<'_> = serde_json::from_slice(&frame.data).map_err(|_| unreadable())?;
        let name = event.r#type.as_deref().or(frame.event.as_deref()).unwrap_or_default();
        match (name, self.phase) {
            ("error", _) => {
                self.phase = Phase::Over;
                out.push(ChatEvent::Fault(fault::read_event(&frame.data)));
                Ok(())
            }
            ("message_start", Phase::Before) => self.message_start(event.message, out),
            // Some servers say it twice.
            ("message_start", Phase::Within) if self.open.is_empty() && !self.finished => {
                let again = event.message.and_then(|message| read::<Answer<'_>>(message).ok());
                self.count(again.and_then(|answer| answer.usage), out);
                Ok(())
            }
            ("content_block_start", Phase::Within) => self.block_start(&event, out),
            ("content_block_delta", Phase::Within) => self.block_delta(&event, out),
            ("content_block_stop", Phase::Within) => {
                self.close_block(event.index.ok_or_else(unreadable)?, out)
            }
            ("message_delta", Phase::Within) => self.message_delta(&event, out),
            ("message_stop", Phase::Within) => {
                self.phase = Phase::Over;
                out.push(ChatEvent::End);
                Ok(())
            }
            (name, _) if is_known(name) && name != "ping" => Err(out_of_order()),
            _ => Ok(()),
        }
    }

    fn message_start(&mut self, message: Option<&RawValue>, out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let answer: Answer<'_> = read(message.ok_or_else(unreadable)?)?;
        self.phase = Phase::Within;
        out.push(ChatEvent::Start(ReplyHead {
            id: answer.id.unwrap_or_default(),
            model: answer.model.unwrap_or_default(),
            service_tier: usage::tier(answer.usage),
            ..ReplyHead::default()
        }));
        self.count(answer.usage, out);
        // What stands in it already is told here alone: a turn that goes on inside running code begins with the calls
        // the code makes ("Programmatic tool calling").
        for (index, block) in (0_u64..).zip(answer.content.unwrap_or_default()) {
            self.open_block(index, block, out)?;
            self.close_block(index, out)?;
        }
        let end = (answer.stop_sequence, answer.stop_details);
        self.stop(answer.stop_reason, end, out);
        Ok(())
    }

    fn block_start(&mut self, event: &Event<'_>, out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let index = event.index.ok_or_else(unreadable)?;
        self.open_block(index, event.content_block.ok_or_else(unreadable)?, out)
    }

    fn open_block(&mut self, index: u64, block: &RawValue, out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        if self.open.contains_key(&index) || self.open.len() >= MAX_OPEN_BLOCKS {
            return Err(out_of_order());
        }
        let block = match ReadBlock::read(block)? {
            ReadBlock::Text { text, citations } => {
                let from = self.chars;
                self.push_text(text, out);
                OpenBlock::Text { from, citations }
            }
            ReadBlock::Thinking { text, signature } => {
                push_reasoning(text, out);
                OpenBlock::Thinking { signature }
            }
            // Never in pieces.
            ReadBlock::Redacted(data) => {
                push_seal(seal_of_redacted(&data), out);
                OpenBlock::Other
            }
            ReadBlock::ToolUse { id, name, input } => {
                let call = self.calls;
                self.calls = self.calls.saturating_add(1);
                out.push(ChatEvent::ToolCallStart { choice: CHOICE, call, id, name, custom: false });
                let given = input.map(RawValue::get).filter(|input| is_filled_object(input));
                if let Some(input) = given {
                    push_arguments(call, input.to_owned(), out);
                }
                let arguments = if given.is_some() { Arguments::Given } else { Arguments::Awaited };
                OpenBlock::Tool { call, arguments }
            }
            ReadBlock::Other => OpenBlock::Other,
        };
        self.open.insert(index, block);
        Ok(())
    }

    fn block_delta(&mut self, event: &Event<'_>, out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let index = event.index.ok_or_else(unreadable)?;
        let delta = ReadDelta::read(event.delta.ok_or_else(unreadable)?)?;
        let block = self.open.get_mut(&index).ok_or_else(out_of_order)?;
        match (block, delta) {
            (OpenBlock::Text { .. }, ReadDelta::Text(text)) => self.push_text(text, out),
            (OpenBlock::Text { citations, .. }, ReadDelta::Citation(citation)) => {
                citations.extend(citation.filter(|_| citations.len() < MAX_CITATIONS));
            }
            (OpenBlock::Thinking { .. }, ReadDelta::Thinking(text)) => push_reasoning(text, out),
            (OpenBlock::Thinking { signature }, ReadDelta::Signature(text)) => {
                *signature = None;
                push_seal(seal_of_signature(&text), out);
            }
            (OpenBlock::Tool { call, arguments }, ReadDelta::Json(text)) => {
                if !text.is_empty() && *arguments != Arguments::Given {
                    *arguments = Arguments::Streamed;
                    push_arguments(*call, text, out);
                }
            }
            (OpenBlock::Other, _)
            | (_, ReadDelta::Other | ReadDelta::Signature(_) | ReadDelta::Citation(_)) => {}
            // A delta of one kind inside a block of another.
            _ => return Err(out_of_order()),
        }
        Ok(())
    }

    /// A call without arguments sends none; its caller expects an empty object.
    fn close_block(&mut self, index: u64, out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let block = self.open.remove(&index).ok_or_else(out_of_order)?;
        match block {
            OpenBlock::Tool { call, arguments: Arguments::Awaited } => {
                push_arguments(call, "{}".to_owned(), out);
            }
            OpenBlock::Text { from, citations } => {
                for citation in citations {
                    let span = Some((from, self.chars)).filter(|(from, to)| from < to);
                    out.push(ChatEvent::Citation { choice: CHOICE, citation: Citation { span, ..citation } });
                }
            }
            OpenBlock::Thinking { signature: Some(text) } => push_seal(seal_of_signature(&text), out),
            _ => {}
        }
        Ok(())
    }

    fn message_delta(&mut self, event: &Event<'_>, out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        self.count(event.usage, out);
        let delta: MessageDelta<'_> = event.delta.map(read).transpose()?.unwrap_or_default();
        self.stop(delta.stop_reason, (delta.stop_sequence, delta.stop_details), out);
        Ok(())
    }

    fn stop(
        &mut self,
        reason: Option<String>,
        (sequence, details): (Option<String>, Option<&RawValue>),
        out: &mut Vec<ChatEvent>,
    ) {
        let Some(reason) = reason.filter(|_| !self.finished) else { return };
        self.finished = true;
        let reason = finish_reason(&reason, sequence);
        let said = explanation(details).filter(|_| reason == FinishReason::Refusal);
        if let Some(text) = said {
            out.push(ChatEvent::Refusal { choice: CHOICE, text });
        }
        out.push(ChatEvent::Finish { choice: CHOICE, reason });
    }

    fn push_text(&mut self, text: String, out: &mut Vec<ChatEvent>) {
        if !text.is_empty() {
            self.chars = self.chars.saturating_add(characters(&text));
            out.push(ChatEvent::Text { choice: CHOICE, text });
        }
    }

    fn count(&mut self, usage: Option<&RawValue>, out: &mut Vec<ChatEvent>) {
        if let Some(later) = Usage::read(usage) {
            self.usage.replace(later);
            out.push(ChatEvent::Usage(self.usage.to_tokens()));
        }
    }
}

impl Decoder for MessagesDecoder {
    fn feed(&mut self, frame: &SseFrame, out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        if self.phase == Phase::Over {
            return Ok(());
        }
        let result = self.read(frame, out);
        if result.is_err() {
            self.phase = Phase::Over;
        }
        result
    }

    /// Nothing is held back, and an end that was not marked is none.
    fn finish(&mut self, _out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        self.phase = Phase::Over;
        Ok(())
    }
}

pub(super) fn characters(text: &str) -> u64 {
    u64::try_from(text.chars().count()).unwrap_or(u64::MAX)
}

fn push_reasoning(text: String, out: &mut Vec<ChatEvent>) {
    if !text.is_empty() {
        out.push(ChatEvent::Reasoning { choice: CHOICE, text });
    }
}

fn push_seal(seal: Option<Seal>, out: &mut Vec<ChatEvent>) {
    if let Some(seal) = seal {
        out.push(ChatEvent::ReasoningSeal { choice: CHOICE, seal });
    }
}

fn push_arguments(call: u32, text: String, out: &mut Vec<ChatEvent>) {
    out.push(ChatEvent::ToolCallArguments { choice: CHOICE, call, text });
}

fn is_known(name: &str) -> bool {
    matches!(
        name,
        "message_start"
            | "content_block_start"
            | "content_block_delta"
            | "content_block_stop"
            | "message_delta"
            | "message_stop"
            | "ping"
            | "error"
    )
}

/// An object with something in it: the reference sends an empty one and the arguments in deltas.
fn is_filled_object(json: &str) -> bool {
    json.strip_prefix('{').is_some_and(|rest| !rest.trim_start().starts_with('}'))
}

fn out_of_order() -> Fault {
    Fault::new(FaultKind::Protocol, "The upstream's stream breaks its own order of events.")
}

#[cfg(test)]
mod tests;

//! Reading a whole answer, as in the API reference ("Create a Message").

use super::decoder::characters;
use super::wire::{
    Answer, ReadBlock, explanation, finish_reason, seal_of_redacted, seal_of_signature, unreadable,
};
use super::{fault, usage};
use crate::Fault;
use crate::conversation::{ChatReply, Choice, Citation, FinishReason, Part, Reasoning, ReplyHead};

pub(super) fn decode(body: &[u8]) -> Result<ChatReply, Fault> {
    let answer: Answer<'_> = serde_json::from_slice(body).map_err(|_| unreadable())?;
    if answer.error.is_some() {
        return Err(fault::read_event(body));
    }
    let blocks = answer.content.ok_or_else(unreadable)?;
    let mut parts = Vec::with_capacity(blocks.len());
    let mut chars = 0;
    for raw in blocks {
        push_parts(ReadBlock::read(raw)?, &mut chars, &mut parts);
    }
    let finish = finish_reason(answer.stop_reason.as_deref().unwrap_or_default(), answer.stop_sequence);
    if finish == FinishReason::Refusal {
        parts.extend(explanation(answer.stop_details).map(Part::Refusal));
    }
    Ok(ChatReply {
        head: ReplyHead {
            id: answer.id.unwrap_or_default(),
            model: answer.model.unwrap_or_default(),
            service_tier: usage::tier(answer.usage),
            ..ReplyHead::default()
        },
        choices: vec![Choice::new(parts, finish)],
        usage: usage::Usage::read(answer.usage).map(usage::Usage::to_tokens),
    })
}

/// `chars`: of the text so far.
fn push_parts(block: ReadBlock<'_>, chars: &mut u64, parts: &mut Vec<Part>) {
    match block {
        ReadBlock::Text { text, citations } => {
            let from = *chars;
            *chars = chars.saturating_add(characters(&text));
            let span = Some((from, *chars)).filter(|(from, to)| from < to);
            parts.push(Part::Text(text));
            parts.extend(citations.into_iter().map(|citation| Part::Citation(Citation { span, ..citation })));
        }
        ReadBlock::ToolUse { id, name, input } => {
            let arguments = input.map_or("{}", |input| input.get()).to_owned();
            parts.push(Part::ToolCall { id, name, arguments, custom: false });
        }
        ReadBlock::Thinking { text, signature } => {
            let seal = signature.as_deref().and_then(seal_of_signature);
            parts.push(Part::Reasoning(Reasoning { text, seal }));
        }
        ReadBlock::Redacted(data) => {
            let seal = seal_of_redacted(&data);
            parts.push(Part::Reasoning(Reasoning { text: String::new(), seal }));
        }
        ReadBlock::Other => {}
    }
}

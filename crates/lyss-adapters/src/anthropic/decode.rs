//! Reading a whole answer, as in the API reference ("Create a Message").

use super::fault;
use super::wire::{Answer, ReadBlock, Usage, finish_reason, unreadable};
use crate::Fault;
use crate::conversation::{ChatReply, Choice, Part, Reasoning, ReplyHead, Seal, SealKind};

pub(super) fn decode(body: &[u8]) -> Result<ChatReply, Fault> {
    let answer: Answer<'_> = serde_json::from_slice(body).map_err(|_| unreadable())?;
    if answer.error.is_some() {
        return Err(fault::read_event(body));
    }
    let blocks = answer.content.ok_or_else(unreadable)?;
    let mut parts = Vec::with_capacity(blocks.len());
    for raw in blocks {
        parts.extend(part(ReadBlock::read(raw)?));
    }
    let finish = finish_reason(answer.stop_reason.as_deref().unwrap_or_default(), answer.stop_sequence);
    Ok(ChatReply {
        head: ReplyHead {
            id: answer.id.unwrap_or_default(),
            model: answer.model.unwrap_or_default(),
            ..ReplyHead::default()
        },
        choices: vec![Choice::new(parts, finish)],
        usage: Usage::read(answer.usage).map(Usage::to_tokens),
    })
}

fn part(block: ReadBlock<'_>) -> Option<Part> {
    match block {
        ReadBlock::Text(text) => Some(Part::Text(text)),
        ReadBlock::ToolUse { id, name, input } => {
            let arguments = input.map_or("{}", |input| input.get()).to_owned();
            Some(Part::ToolCall { id, name, arguments, custom: false })
        }
        ReadBlock::Thinking { text, signature } => {
            let seal = signature.map(|data| Seal::new(SealKind::AnthropicSignature, data));
            Some(Part::Reasoning(Reasoning { text, seal }))
        }
        ReadBlock::Other => None,
    }
}

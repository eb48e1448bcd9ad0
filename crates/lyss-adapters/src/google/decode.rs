//! Reading a whole answer: the pieces that a stream would have told, put together.

use super::decoder::GenerateDecoder;
use super::wire::unreadable;
use crate::Fault;
use crate::conversation::{ChatEvent, ChatReply, Choice, Part, Reasoning};

pub(super) fn decode(body: &[u8]) -> Result<ChatReply, Fault> {
    let mut decoder = GenerateDecoder::default();
    let mut events = Vec::new();
    decoder.read(body, &mut events)?;
    let mut reply = ChatReply {
        choices: decoder.finishes().map(|(_, reason)| Choice::new(Vec::new(), reason)).collect(),
        ..ChatReply::default()
    };
    let places: Vec<u32> = decoder.finishes().map(|(choice, _)| choice).collect();
    for event in events {
        add(event, &places, &mut reply)?;
    }
    if reply.choices.is_empty() {
        return Err(unreadable());
    }
    Ok(reply)
}

fn add(event: ChatEvent, places: &[u32], reply: &mut ChatReply) -> Result<(), Fault> {
    match event {
        ChatEvent::Start(head) => reply.head = head,
        ChatEvent::Usage(usage) => reply.usage = Some(usage),
        ChatEvent::Fault(fault) => return Err(fault),
        ChatEvent::Finish { .. } | ChatEvent::End => {}
        event => {
            let at = choice_of(&event).and_then(|choice| places.iter().position(|place| *place == choice));
            if let Some(choice) = at.and_then(|at| reply.choices.get_mut(at)) {
                add_to(choice, event);
            }
        }
    }
    Ok(())
}

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

fn add_to(choice: &mut Choice, event: ChatEvent) {
    let parts = &mut choice.parts;
    match event {
        ChatEvent::Text { text, .. } => parts.push(Part::Text(text)),
        ChatEvent::Reasoning { text, .. } => parts.push(Part::Reasoning(Reasoning { text, seal: None })),
        ChatEvent::ReasoningSeal { seal, .. } => match parts.last_mut() {
            Some(Part::Reasoning(reasoning)) if reasoning.seal.is_none() => reasoning.seal = Some(seal),
            _ => parts.push(Part::Reasoning(Reasoning { text: String::new(), seal: Some(seal) })),
        },
        ChatEvent::Refusal { text, .. } => parts.push(Part::Refusal(text)),
        ChatEvent::Citation { citation, .. } => parts.push(Part::Citation(citation)),
        ChatEvent::Media { media, .. } => parts.push(Part::Media(media)),
        ChatEvent::ToolCallStart { id, name, custom, .. } => {
            parts.push(Part::ToolCall { id, name, arguments: String::new(), custom });
        }
        ChatEvent::ToolCallArguments { text, .. } => {
            if let Some(Part::ToolCall { arguments, .. }) = parts.last_mut() {
                arguments.push_str(&text);
            }
        }
        ChatEvent::Logprobs { mut tokens, .. } => choice.logprobs.append(&mut tokens),
        ChatEvent::Safety { mut ratings, .. } => choice.safety.append(&mut ratings),
        ChatEvent::Start(_)
        | ChatEvent::Usage(_)
        | ChatEvent::Finish { .. }
        | ChatEvent::End
        | ChatEvent::Fault(_) => {}
    }
}

#[cfg(test)]
mod tests;

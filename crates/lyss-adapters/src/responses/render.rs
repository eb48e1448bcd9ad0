//! Writing a whole answer, as in the API reference ("The response object"): the object that a stream of the same answer
//! would end with.

use bytes::{Bytes, BytesMut};

use super::renderer::ResponseRenderer;
use crate::conversation::{ChatEvent, ChatReply, Part};
use crate::dialect::{Renderer, Rendering};

pub(super) fn render(reply: &ChatReply, rendering: &Rendering) -> Bytes {
    let mut renderer = ResponseRenderer::whole(rendering);
    let mut events = Events { renderer: &mut renderer, scratch: BytesMut::new() };
    events.push(&ChatEvent::Start(reply.head.clone()));
    // The dialect knows one answer only.
    if let Some(choice) = reply.choices.first() {
        let (mut calls, mut tokens) = (0, choice.logprobs.clone());
        for part in &choice.parts {
            events.part(part, &mut calls);
            // Of which text each token is nobody says: all of them stand with the first.
            if matches!(part, Part::Text(_)) {
                let tokens = std::mem::take(&mut tokens);
                events.push(&ChatEvent::Logprobs { choice: 0, tokens });
            }
        }
        events.push(&ChatEvent::Finish { choice: 0, reason: choice.finish.clone() });
    }
    if let Some(usage) = reply.usage {
        events.push(&ChatEvent::Usage(usage));
    }
    renderer.into_response()
}

/// Feeds the parts of an answer as a stream would bring them, and forgets the stream.
struct Events<'a> {
    renderer: &'a mut ResponseRenderer,
    scratch: BytesMut,
}

impl Events<'_> {
    fn push(&mut self, event: &ChatEvent) {
        self.renderer.event(event, &mut self.scratch);
        self.scratch.clear();
    }

    fn part(&mut self, part: &Part, calls: &mut u32) {
        let choice = 0;
        match part {
            Part::Text(text) => self.push(&ChatEvent::Text { choice, text: text.clone() }),
            Part::Refusal(text) => self.push(&ChatEvent::Refusal { choice, text: text.clone() }),
            Part::Reasoning(reasoning) => {
                if let Some(seal) = &reasoning.seal {
                    self.renderer.name_reasoning(seal);
                }
                self.push(&ChatEvent::Reasoning { choice, text: reasoning.text.clone() });
                if let Some(seal) = reasoning.seal.clone() {
                    self.push(&ChatEvent::ReasoningSeal { choice, seal });
                }
            }
            Part::Citation(citation) => {
                self.push(&ChatEvent::Citation { choice, citation: citation.clone() });
            }
            Part::Media(media) => self.push(&ChatEvent::Media { choice, media: media.clone() }),
            Part::ToolCall { id, name, arguments, custom } => {
                let call = *calls;
                *calls += 1;
                let (id, name, custom) = (id.clone(), name.clone(), *custom);
                self.push(&ChatEvent::ToolCallStart { choice, call, id, name, custom });
                self.push(&ChatEvent::ToolCallArguments { choice, call, text: arguments.clone() });
            }
            // Only callers send results and marks.
            Part::ToolResult { .. } | Part::CachePoint(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;

//! Reading an answer, whole or in pieces, as in the API reference ("GenerateContentResponse").
//!
//! A stream has no end marker. That every candidate said a `finishReason` and that the bytes then ended in order is one,
//! so finishes and the end are told in [`Decoder::finish`]: older models repeat `STOP` in every chunk. Of each
//! candidate's text a bounded copy is kept, since citations count its bytes.

mod partial;
mod wire;

use std::collections::{BTreeMap, HashSet};

use lyss_wire::SseFrame;
use serde_json::value::RawValue;

use self::partial::OpenCall;
use self::wire::{Answer, Candidate, FunctionCall, PartIn};
use super::citations::Sources;
use super::usage::WireUsage;
use super::wire::{compact, finish_reason, made_id, seal, standard_base64, unreadable};
use super::{fault, time};
use crate::Fault;
use crate::conversation::{ChatEvent, FinishReason, Media, MediaKind, ReplyHead, Source};
use crate::dialect::Decoder;

/// The vendor's own bound on `candidateCount` is 8.
const MAX_CHOICES: usize = 32;
const MAX_CALLS: usize = 1_024;

#[derive(Default)]
pub(super) struct GenerateDecoder {
    started: bool,
    over: bool,
    id: String,
    choices: BTreeMap<u32, ChoiceState>,
    /// Ids of calls so far: what the vendor repeats is changed.
    ids: HashSet<String>,
    /// The prompt itself was refused.
    blocked: bool,
}

#[derive(Default)]
struct ChoiceState {
    calls: u32,
    /// The call whose arguments come in pieces.
    open: Option<OpenCall>,
    finish: Option<String>,
    sources: Sources,
}

impl GenerateDecoder {
    /// Reads one answer or one chunk of it.
    pub(super) fn read(&mut self, data: &[u8], out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        if self.over {
            return Ok(());
        }
        if data.trim_ascii().is_empty() {
            return Ok(());
        }
        if data.trim_ascii_start().first() == Some(&b'[') {
            let elements: Vec<&RawValue> = serde_json::from_slice(data).map_err(|_| unreadable())?;
            return elements.into_iter().try_for_each(|one| self.read(one.get().as_bytes(), out));
        }
        let answer: Answer<'_> = serde_json::from_slice(data).map_err(|_| unreadable())?;
        if answer.error.is_some() {
            self.over = true;
            out.push(ChatEvent::Fault(fault::read_event(data)));
            return Ok(());
        }
        self.start(&answer, out);
        for (place, candidate) in answer.candidates.unwrap_or_default().into_iter().enumerate() {
            self.candidate(place, candidate, out)?;
        }
        self.feedback(answer.prompt_feedback, out);
        if let Some(usage) = answer.usage_metadata
            && let Ok(usage) = serde_json::from_str::<WireUsage>(usage.get())
            && let Some(usage) = usage.read()
        {
            out.push(ChatEvent::Usage(usage));
        }
        Ok(())
    }

    fn start(&mut self, answer: &Answer<'_>, out: &mut Vec<ChatEvent>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        self.id = answer.response_id.as_deref().unwrap_or_default().to_owned();
        out.push(ChatEvent::Start(ReplyHead {
            id: self.id.clone(),
            model: answer.model_version.as_deref().unwrap_or_default().to_owned(),
            created: answer.create_time.as_deref().and_then(time::to_secs),
            ..ReplyHead::default()
        }));
    }

    fn candidate(
        &mut self,
        place: usize,
        candidate: Candidate<'_>,
        out: &mut Vec<ChatEvent>,
    ) -> Result<(), Fault> {
        let choice = candidate.index.unwrap_or(u32::try_from(place).unwrap_or(u32::MAX));
        let mut state = match self.choices.remove(&choice) {
            Some(state) => state,
            None if self.choices.len() < MAX_CHOICES => ChoiceState::default(),
            None => return Err(unreadable()),
        };
        for part in candidate.content.and_then(|content| content.parts).unwrap_or_default() {
            self.part(choice, part, &mut state, out);
        }
        if let Some(result) = candidate.logprobs_result {
            let tokens = wire::logprobs(result);
            if !tokens.is_empty() {
                out.push(ChatEvent::Logprobs { choice, tokens });
            }
        }
        let metadata =
            [candidate.grounding_metadata, candidate.citation_metadata, candidate.url_context_metadata];
        state.sources.read(choice, metadata, out);
        if let Some(ratings) = candidate.safety_ratings {
            let ratings: Vec<_> = wire::ratings(ratings);
            if !ratings.is_empty() {
                out.push(ChatEvent::Safety { choice, ratings });
            }
        }
        if let Some(word) = candidate.finish_reason.filter(|word| word != "FINISH_REASON_UNSPECIFIED") {
            state.finish = Some(word.into_owned());
            close(choice, &mut state, out);
        }
        self.choices.insert(choice, state);
        Ok(())
    }

    fn part(&mut self, choice: u32, part: PartIn<'_>, state: &mut ChoiceState, out: &mut Vec<ChatEvent>) {
        let is_thought = part.thought == Some(true);
        let text = part.text.unwrap_or_default();
        if is_thought && !text.is_empty() {
            out.push(ChatEvent::Reasoning { choice, text: text.clone().into_owned() });
        }
        // A seal belongs to what stands in the same part, so it is told before it; a thought's own behind it.
        if let Some(signature) = part.thought_signature.filter(|signature| !signature.is_empty()) {
            out.push(ChatEvent::ReasoningSeal { choice, seal: seal(&signature) });
        }
        if is_thought {
            // A picture of a thought is no answer.
            return;
        }
        if !text.is_empty() {
            state.sources.saw(&text);
            out.push(ChatEvent::Text { choice, text: text.into_owned() });
        }
        if let Some(call) = part.function_call {
            self.call(choice, call, state, out);
        }
        if let Some(data) = part.inline_data {
            let mime = data.mime_type.unwrap_or_default().into_owned();
            let mut media = Media::new(
                MediaKind::of_mime(&mime),
                Source::Data(standard_base64(data.data.unwrap_or_default().into_owned())),
                Some(mime).filter(|mime| !mime.is_empty()),
            );
            media.name = data.display_name.map(Into::into);
            out.push(ChatEvent::Media { choice, media });
        }
        if let Some(file) = part.file_data {
            let mime = file.mime_type.unwrap_or_default().into_owned();
            let source = Source::Url(file.file_uri.unwrap_or_default().into_owned());
            let media =
                Media::new(MediaKind::of_mime(&mime), source, Some(mime).filter(|mime| !mime.is_empty()));
            out.push(ChatEvent::Media { choice, media });
        }
    }

    fn call(
        &mut self,
        choice: u32,
        wire: FunctionCall<'_>,
        state: &mut ChoiceState,
        out: &mut Vec<ChatEvent>,
    ) {
        let name = wire.name.unwrap_or_default().into_owned();
        let continues = wire.will_continue == Some(true);
        let pieces = wire.partial_args.unwrap_or_default();
        if name.is_empty() {
            if let Some(open) = &mut state.open {
                pieces.into_iter().for_each(|piece| open.add(piece));
            }
            if !continues {
                close(choice, state, out);
            }
            return;
        }
        close(choice, state, out);
        if self.ids.len() >= MAX_CALLS {
            return;
        }
        let in_pieces = wire.args.is_none() && (continues || !pieces.is_empty());
        let arguments = match wire.args.map(RawValue::get) {
            _ if in_pieces => String::new(),
            None | Some("null") => "{}".to_owned(),
            Some(json) => compact(json),
        };
        let call = state.calls;
        state.calls += 1;
        let given = wire.id.filter(|id| !id.is_empty() && !self.ids.contains(id.as_ref()));
        let id = given.map_or_else(
            || made_id("call_", &[&self.id, &choice.to_string(), &call.to_string(), &name, &arguments]),
            Into::into,
        );
        self.ids.insert(id.clone());
        out.push(ChatEvent::ToolCallStart { choice, call, id, name, custom: false });
        if in_pieces {
            let open = state.open.insert(OpenCall::new(call));
            pieces.into_iter().for_each(|piece| open.add(piece));
            if !continues {
                close(choice, state, out);
            }
            return;
        }
        out.push(ChatEvent::ToolCallArguments { choice, call, text: arguments });
    }

    /// A prompt that was refused has no candidate: one that a filter ended stands for it.
    fn feedback(&mut self, feedback: Option<&RawValue>, out: &mut Vec<ChatEvent>) {
        let Some((is_blocked, ratings)) = feedback.and_then(wire::feedback) else { return };
        if !is_blocked || std::mem::replace(&mut self.blocked, true) {
            return;
        }
        let choice = 0;
        let state = self.choices.entry(choice).or_default();
        state.finish.get_or_insert_with(|| "PROHIBITED_CONTENT".to_owned());
        if !ratings.is_empty() {
            out.push(ChatEvent::Safety { choice, ratings });
        }
    }

    /// Every candidate that began has said why it ended.
    fn is_whole(&self) -> bool {
        !self.choices.is_empty() && self.choices.values().all(|state| state.finish.is_some())
    }

    /// Tells why each candidate ended; one that never said so ends plainly.
    pub(super) fn finishes(&self) -> impl Iterator<Item = (u32, FinishReason)> + '_ {
        self.choices.iter().map(|(choice, state)| {
            let word = state.finish.as_deref().unwrap_or_default();
            (*choice, finish_reason(word, state.calls > 0))
        })
    }
}

/// Tells the arguments of a call that came in pieces: whole, since a piece may stand anywhere in them. The vendor does
/// not always say that a call is over; another one or the finish says it, too.
fn close(choice: u32, state: &mut ChoiceState, out: &mut Vec<ChatEvent>) {
    if let Some(open) = state.open.take() {
        out.push(ChatEvent::ToolCallArguments { choice, call: open.call, text: open.close() });
    }
}

impl Decoder for GenerateDecoder {
    fn feed(&mut self, frame: &SseFrame, out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let result = self.read(&frame.data, out);
        self.over |= result.is_err();
        result
    }

    fn finish(&mut self, out: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        if std::mem::replace(&mut self.over, true) || !self.is_whole() {
            return Ok(());
        }
        out.extend(self.finishes().map(|(choice, reason)| ChatEvent::Finish { choice, reason }));
        out.push(ChatEvent::End);
        Ok(())
    }
}

#[cfg(test)]
mod tests;

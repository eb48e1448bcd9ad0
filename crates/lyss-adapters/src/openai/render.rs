//! Writing a whole answer, as in the API reference ("The chat completion object"). Reasoning stands in
//! `reasoning_content`, and where a vendor sealed some of it also in `reasoning_details`.

use bytes::Bytes;
use serde::Serialize;

use super::details::{self, ExtraContent, Written};
use super::wire::{
    Annotation, FilterResults, Image, Logprobs, Stretch, ToolCall, Usage, completion_id, finish_word,
};
use crate::conversation::{ChatReply, Choice, Media, MediaKind, Part, Reasoning, Seal, SealKind, Source};
use crate::dialect::Rendering;

/// How long OpenAI keeps a spoken answer for later turns.
const AUDIO_SECS: i64 = 3_600;

#[derive(Serialize)]
struct Completion<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    model: &'a str,
    choices: Vec<WireChoice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_fingerprint: Option<&'a str>,
}

#[derive(Serialize)]
struct WireChoice<'a> {
    index: usize,
    message: Message<'a>,
    logprobs: Option<Logprobs<'a>>,
    finish_reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_filter_results: Option<FilterResults<'a>>,
}

#[derive(Default, Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<String>,
    refusal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasoning_details: Vec<Written<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<Annotation<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<Image>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio: Option<Audio<'a>>,
}

#[derive(Serialize)]
struct Audio<'a> {
    id: String,
    data: &'a str,
    expires_at: i64,
    transcript: &'a str,
}

pub(super) fn render(reply: &ChatReply, rendering: &Rendering) -> Bytes {
    let head = &reply.head;
    let created = head.created.unwrap_or_else(|| rendering.created.as_secs());
    let id = completion_id(&head.id, created);
    let choices = reply.choices.iter().enumerate().map(|(index, said)| choice(index, said, &id, created));
    let completion = Completion {
        id: &id,
        object: "chat.completion",
        created,
        model: if head.model.is_empty() { &rendering.model } else { &head.model },
        choices: choices.collect(),
        usage: reply.usage.as_ref().map(Usage::from),
        service_tier: head.service_tier.as_deref(),
        system_fingerprint: head.system_fingerprint.as_deref(),
    };
    serde_json::to_vec(&completion).unwrap_or_default().into()
}

fn choice<'a>(index: usize, choice: &'a Choice, id: &str, created: i64) -> WireChoice<'a> {
    let message = message(&choice.parts, id, created);
    let declines = message.refusal.is_some();
    let is_refusal = declines && message.content.is_none();
    let tokens = Some(choice.logprobs.as_slice()).filter(|tokens| !tokens.is_empty());
    WireChoice {
        index,
        message,
        logprobs: tokens.map(|tokens| Logprobs { tokens, is_refusal }),
        finish_reason: finish_word(&choice.finish, declines),
        content_filter_results: Some(choice.safety.as_slice())
            .filter(|ratings| !ratings.is_empty())
            .map(FilterResults),
    }
}

fn message<'a>(parts: &'a [Part], id: &str, created: i64) -> Message<'a> {
    let mut message = Message { role: "assistant", ..Message::default() };
    let is_sealed = |part: &Part| matches!(part, Part::Reasoning(Reasoning { seal: Some(_), .. }));
    let has_seals = parts.iter().any(is_sealed);
    let mut cited = Stretch::default();
    let mut rest = parts.iter().peekable();
    while let Some(part) = rest.next() {
        match part {
            Part::Text(text) => {
                cited.text(text);
                append(&mut message.content, text);
            }
            Part::Refusal(text) => append(&mut message.refusal, text),
            Part::Reasoning(reasoning) => {
                let call = match rest.peek() {
                    Some(Part::ToolCall { id, .. }) => Some(id.as_str()),
                    _ => None,
                };
                if !reasoning.text.is_empty() {
                    append(&mut message.reasoning_content, &reasoning.text);
                }
                if has_seals {
                    let (list, seal) = (&mut message.reasoning_details, reasoning.seal.as_ref());
                    details::push(list, 0, &reasoning.text, seal, call);
                }
            }
            Part::ToolCall { id, name, arguments, custom } => {
                let mut call = ToolCall::new(id, name, arguments, *custom);
                call.extra_content = google_seal(parts, id).map(|seal| ExtraContent::of(&seal.data));
                message.tool_calls.push(call);
            }
            Part::Citation(citation) => {
                message.annotations.extend(Annotation::of(citation, cited.cite(), None))
            }
            Part::Media(media) => show(media, &mut message, id, created),
            // Only callers send these.
            Part::ToolResult { .. } | Part::CachePoint(_) => {}
        }
    }
    if message.tool_calls.is_empty() && message.refusal.is_none() {
        message.content.get_or_insert_default();
    }
    message
}

/// Google's seal directly before the call of this id.
fn google_seal<'a>(parts: &'a [Part], call_id: &str) -> Option<&'a Seal> {
    parts.windows(2).find_map(|pair| match pair {
        [Part::Reasoning(Reasoning { seal: Some(seal), .. }), Part::ToolCall { id, .. }]
            if id == call_id && seal.kind == SealKind::Google =>
        {
            Some(seal)
        }
        _ => None,
    })
}

fn show<'a>(media: &'a Media, message: &mut Message<'a>, id: &str, created: i64) {
    match (&media.kind, &media.source) {
        (MediaKind::Audio, Source::Data(data)) => {
            let expires_at = created.saturating_add(AUDIO_SECS);
            message.audio = Some(Audio { id: format!("audio-{id}"), data, expires_at, transcript: "" });
        }
        _ => {
            let index = message.images.len();
            message.images.extend(Image::of(media, index));
        }
    }
}

fn append(field: &mut Option<String>, text: &str) {
    field.get_or_insert_default().push_str(text);
}

#[cfg(test)]
mod tests;

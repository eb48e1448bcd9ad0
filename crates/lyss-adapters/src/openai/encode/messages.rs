//! The messages of a request.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::super::details::{self, Written};
use super::super::wire::ToolCall;
use super::base64;
use super::ids::call_id;
use super::{CacheControl, Task};
use crate::conversation::{
    CacheLifetime, Loss, Media, MediaKind, Origin, Part, Reasoning, Role, Source, Turn,
};
use crate::dialect::Unsayable;
use crate::quirks::ReasoningBack;

#[derive(Serialize)]
pub(super) struct Message<'a> {
    role: &'static str,
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasoning_details: Vec<Written<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<OwnedCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<Cow<'a, str>>,
}

/// A call whose id may have been changed.
struct OwnedCall<'a> {
    id: Cow<'a, str>,
    name: &'a str,
    arguments: &'a str,
    custom: bool,
}

impl Serialize for OwnedCall<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        ToolCall::new(&self.id, self.name, self.arguments, self.custom).serialize(to)
    }
}

/// Parts; written as one string where nothing but text stands in them and nothing is lost by it.
#[derive(Default)]
struct Content<'a> {
    parts: Vec<WirePart<'a>>,
    /// The vendor reads text as a string alone.
    joined: bool,
}

#[derive(Serialize)]
struct WirePart<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_url: Option<ImageUrl<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_audio: Option<InputAudio<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<File<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<CacheControl>,
}

#[derive(Serialize)]
struct ImageUrl<'a> {
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

#[derive(Serialize)]
struct InputAudio<'a> {
    data: &'a str,
    format: &'a str,
}

#[derive(Serialize)]
struct File<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filename: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_data: Option<String>,
}

impl<'a> WirePart<'a> {
    const fn of(r#type: &'static str) -> Self {
        Self { r#type, text: None, image_url: None, input_audio: None, file: None, cache_control: None }
    }

    fn text(text: &'a str) -> Self {
        Self { text: Some(Cow::Borrowed(text)), ..Self::of("text") }
    }
}

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let is_plain = |part: &WirePart<'_>| part.text.is_some() && part.cache_control.is_none();
        match self.parts.as_slice() {
            [] => to.serialize_none(),
            [one] if is_plain(one) => one.text.serialize(to),
            parts if self.joined && parts.iter().all(is_plain) => {
                let text: String = parts.iter().filter_map(|part| part.text.as_deref()).collect();
                to.serialize_str(&text)
            }
            parts => parts.serialize(to),
        }
    }
}

impl<'a> Message<'a> {
    fn new(role: &'static str, joined: bool) -> Self {
        Self {
            role,
            content: Content { parts: Vec::new(), joined },
            refusal: None,
            reasoning_content: None,
            reasoning_details: Vec::new(),
            tool_calls: Vec::new(),
            tool_call_id: None,
        }
    }

    fn says_nothing(&self) -> bool {
        self.content.parts.is_empty() && self.refusal.is_none() && self.tool_calls.is_empty()
    }
}

/// An instruction of this service's own.
pub(super) fn instruction(words: String) -> Message<'static> {
    let mut message = Message::new("system", true);
    message.content.parts.push(WirePart { text: Some(Cow::Owned(words)), ..WirePart::of("text") });
    message
}

/// One message per turn, except that each tool result is a message of its own. Those take text alone: media of tool
/// results stand in a user's message behind the last of them, since nothing may come between two.
pub(super) fn messages<'a>(task: &mut Task<'a>) -> Result<Vec<Message<'a>>, Unsayable> {
    let call = task.call;
    let mut messages = Vec::with_capacity(call.turns.len());
    let mut shown = Vec::new();
    for turn in &call.turns {
        let role = match turn.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        };
        // An assistant's texts are pieces of one; other vendors than OpenAI read lists beside media only.
        let joined = turn.role == Role::Assistant || !task.quirks.platform_fields;
        let mut message = Message::new(role, joined);
        for (at, part) in turn.parts.iter().enumerate() {
            match part {
                Part::ToolResult { id, parts, is_error, .. } => {
                    if *is_error {
                        task.lose(Loss::turn(turn.origin, "is_error"));
                    }
                    messages.push(tool_result(id, parts, turn.origin, task, &mut shown)?);
                }
                Part::CachePoint(lifetime) => {
                    let holder = match turn.role {
                        Role::Tool => messages.last_mut(),
                        _ => Some(&mut message),
                    };
                    cache(holder, *lifetime, turn.origin, task);
                }
                Part::Reasoning(reasoning) => {
                    let next = turn.parts.get(at + 1);
                    reason(reasoning, next, turn.origin, &mut message, task);
                }
                part => add(part, turn, &mut message, task)?,
            }
        }
        want_reasoning(&mut message, task);
        if !message.says_nothing() {
            show(&mut shown, &mut messages);
            messages.push(message);
        }
    }
    show(&mut shown, &mut messages);
    Ok(messages)
}

fn show<'a>(shown: &mut Vec<WirePart<'a>>, messages: &mut Vec<Message<'a>>) {
    if !shown.is_empty() {
        let mut message = Message::new("user", false);
        message.content.parts = std::mem::take(shown);
        messages.push(message);
    }
}

fn add<'a>(
    part: &'a Part,
    turn: &Turn,
    message: &mut Message<'a>,
    task: &mut Task<'a>,
) -> Result<(), Unsayable> {
    match part {
        Part::Text(text) => message.content.parts.push(WirePart::text(text)),
        Part::Refusal(text) if task.quirks.platform_fields => {
            message.refusal.get_or_insert_default().push_str(text);
        }
        Part::Refusal(text) => message.content.parts.push(WirePart::text(text)),
        // What a model made cannot be shown to it again.
        Part::Media(media) if turn.role == Role::Assistant => {
            task.lose(Loss::turn(turn.origin, media.kind.as_str()));
        }
        Part::Media(media) => message.content.parts.push(show_media(media, turn.origin, task)?),
        Part::ToolCall { id, name, arguments, custom } => {
            if *custom && !task.quirks.platform_fields {
                let message = "This model's vendor knows no tools that take free text.";
                return Err(Unsayable::new(Loss::turn(turn.origin, "tool_calls"), message));
            }
            let id = call_id(id, task.quirks.nine_character_ids);
            message.tool_calls.push(OwnedCall { id, name, arguments, custom: *custom });
        }
        // The text it backs stands for itself, but what it rests on has no place in a request.
        Part::Citation(_) => {
            let loss = Loss::turn(turn.origin, "citations");
            if !task.losses.contains(&loss) {
                task.lose(loss);
            }
        }
        Part::ToolResult { .. } | Part::CachePoint(_) | Part::Reasoning(_) => {}
    }
    Ok(())
}

fn tool_result<'a>(
    id: &'a str,
    parts: &'a [Part],
    origin: Origin,
    task: &mut Task<'a>,
    shown: &mut Vec<WirePart<'a>>,
) -> Result<Message<'a>, Unsayable> {
    let mut message = Message::new("tool", !task.quirks.platform_fields);
    message.tool_call_id = Some(call_id(id, task.quirks.nine_character_ids));
    for part in parts {
        match part {
            Part::Text(text) | Part::Refusal(text) => message.content.parts.push(WirePart::text(text)),
            Part::Media(media) => {
                let part = show_media(media, origin, task)?;
                let is_text = part.text.is_some();
                if is_text { &mut message.content.parts } else { &mut *shown }.push(part);
            }
            _ => {}
        }
    }
    if message.content.parts.is_empty() {
        message.content.parts.push(WirePart::text(""));
    }
    Ok(message)
}

fn cache(holder: Option<&mut Message<'_>>, lifetime: CacheLifetime, origin: Origin, task: &mut Task<'_>) {
    let last = holder.and_then(|message| message.content.parts.last_mut());
    match last.filter(|_| task.quirks.cache_control) {
        Some(part) => part.cache_control = Some(lifetime.into()),
        None => task.lose(Loss::turn(origin, "cache_control")),
    }
}

fn reason<'a>(
    reasoning: &'a Reasoning,
    next: Option<&'a Part>,
    origin: Origin,
    message: &mut Message<'a>,
    task: &mut Task<'a>,
) {
    match task.quirks.reasoning {
        ReasoningBack::Details => {
            let call = match next {
                Some(Part::ToolCall { id, .. }) => Some(id.as_str()),
                _ => None,
            };
            let seal = reasoning.seal.as_ref();
            details::push(&mut message.reasoning_details, 0, &reasoning.text, seal, call);
        }
        // Sealed by another vendor: none that reads plain text seals anything.
        ReasoningBack::Content if reasoning.seal.is_none() => {
            message.reasoning_content.get_or_insert_default().push_str(&reasoning.text);
        }
        ReasoningBack::Content | ReasoningBack::Dropped => {
            let loss = Loss::turn(origin, "reasoning");
            if !task.losses.contains(&loss) {
                task.lose(loss);
            }
        }
    }
}

/// DeepSeek ("Thinking Mode") and Moonshot refuse a conversation with tools in which an assistant's turn lacks the key.
fn want_reasoning(message: &mut Message<'_>, task: &Task<'_>) {
    let is_with_tools = !message.tool_calls.is_empty() || !task.call.tools.is_empty();
    let is_answer = message.role == "assistant" && !message.says_nothing();
    if task.quirks.reasoning == ReasoningBack::Content && is_answer && is_with_tools {
        message.reasoning_content.get_or_insert_default();
    }
}

/// A text of its own, with the file's name or the document's title above it.
fn named<'a>(name: Option<&str>, text: Cow<'a, str>) -> WirePart<'a> {
    let text = match name {
        Some(name) => Cow::Owned(format!("{name}\n\n{text}")),
        None => text,
    };
    WirePart { text: Some(text), ..WirePart::of("text") }
}

fn show_media<'a>(media: &'a Media, origin: Origin, task: &mut Task<'a>) -> Result<WirePart<'a>, Unsayable> {
    let what = media.kind.as_str();
    let refuse = |message: &str| Err(Unsayable::new(Loss::turn(origin, what), message));
    if media.citable {
        task.lose(Loss::turn(origin, "citations"));
    }
    let name = media.name.as_deref();
    if let Source::Text(text) = &media.source {
        return Ok(named(name, Cow::Borrowed(text)));
    }
    // OpenAI reads no file but PDF ("File inputs"), and text is text.
    let is_plain = media.kind == MediaKind::File && media.mime_or_usual().starts_with("text/");
    if let Source::Data(data) = &media.source
        && is_plain
        && let Some(text) = base64::text(data)
    {
        return Ok(named(name, Cow::Owned(text)));
    }
    match media.kind {
        MediaKind::Image if task.quirks.images => match media.to_url() {
            Some(url) => {
                let image_url = Some(ImageUrl { url, detail: media.detail.as_deref() });
                Ok(WirePart { image_url, ..WirePart::of("image_url") })
            }
            None => refuse("An image kept at another vendor cannot be sent to this model's vendor."),
        },
        MediaKind::Audio if task.quirks.audio => match &media.source {
            Source::Data(data) => {
                let format = audio_format(media.mime_or_usual());
                Ok(WirePart { input_audio: Some(InputAudio { data, format }), ..WirePart::of("input_audio") })
            }
            _ => refuse("Audio can be sent to this model's vendor as data only, not by address."),
        },
        MediaKind::File if task.quirks.files => file(media, task)
            .map(|file| WirePart { file: Some(file), ..WirePart::of("file") })
            .map_or_else(|| refuse("A file can be sent to this model's vendor as data only."), Ok),
        MediaKind::Image => refuse("This model's vendor cannot take images."),
        MediaKind::Audio => refuse("This model's vendor cannot take audio."),
        MediaKind::Video => refuse("This model's vendor cannot take video."),
        MediaKind::File => refuse("This model's vendor cannot take files."),
    }
}

/// `None`: nothing that the vendor could read.
fn file<'a>(media: &'a Media, task: &Task<'a>) -> Option<File<'a>> {
    let filename = media.name.as_deref();
    match &media.source {
        // OpenAI insists on a name beside data.
        Source::Data(_) => {
            let filename = filename.or(Some("document.pdf"));
            Some(File { file_id: None, filename, file_data: media.to_url() })
        }
        // Anthropic's ids begin otherwise.
        Source::FileId(id) if task.quirks.platform_fields && id.starts_with("file-") => {
            Some(File { file_id: Some(id), filename: None, file_data: None })
        }
        // OpenRouter fetches it.
        Source::Url(url) if !task.quirks.platform_fields => {
            let filename = filename.or(Some("document.pdf"));
            Some(File { file_id: None, filename, file_data: Some(url.clone()) })
        }
        Source::FileId(_) | Source::Url(_) | Source::Text(_) => None,
    }
}

/// OpenAI's word for a kind of sound: `wav` and `mp3`, and others as they are called.
fn audio_format(mime: &str) -> &str {
    match mime.rsplit('/').next().unwrap_or_default() {
        "mpeg" | "mp3" | "mpga" => "mp3",
        "wav" | "x-wav" | "wave" | "vnd.wave" => "wav",
        other => other,
    }
}

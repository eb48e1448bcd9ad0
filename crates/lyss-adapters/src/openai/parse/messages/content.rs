//! The content of a message: a string, or a list of parts.

use serde_json::value::RawValue;

use super::super::{OBJECT, TEXT, read};
use super::{cache_control, thinking_block};
use crate::Fault;
use crate::conversation::{Media, MediaKind, Part, Reasoning, Source};
use crate::fields::{Fields, Lost, wrong};

/// `content`: a string, null, or a list of parts.
pub(super) fn content(message: &mut Fields<'_>, lost: &mut Lost) -> Result<Vec<Part>, Fault> {
    let path = message.path_of("content");
    let Some(raw) = message.raw("content") else { return Ok(Vec::new()) };
    if raw.get().starts_with('"') {
        return Ok(vec![Part::Text(read(raw, &path, TEXT)?)]);
    }
    let list: Vec<&RawValue> = read(raw, &path, "a string or a list of content parts")?;
    let mut parts = Vec::with_capacity(list.len());
    for (at, raw) in list.into_iter().enumerate() {
        let path = format!("{path}[{at}]");
        if raw.get().starts_with('"') {
            parts.push(Part::Text(read(raw, &path, TEXT)?));
            continue;
        }
        let mut part = Fields::open(raw, path)?;
        parts.push(content_part(&mut part, lost)?);
        if let Some(lifetime) = cache_control(&mut part, lost)? {
            parts.push(Part::CachePoint(lifetime));
        }
        part.leave(&[("annotations", "[]"), ("closed", "true")], lost);
    }
    Ok(parts)
}

fn content_part(part: &mut Fields<'_>, lost: &mut Lost) -> Result<Part, Fault> {
    let kind: String = part.require("type", TEXT)?;
    Ok(match kind.as_str() {
        "text" | "input_text" | "output_text" => Part::Text(part.require("text", TEXT)?),
        "refusal" => Part::Refusal(part.require("refusal", TEXT)?),
        "image_url" => Part::Media(at_url(part, &kind, MediaKind::Image, lost)?),
        // OpenRouter, Qwen.
        "video_url" => Part::Media(at_url(part, &kind, MediaKind::Video, lost)?),
        // vLLM.
        "audio_url" => Part::Media(at_url(part, &kind, MediaKind::Audio, lost)?),
        "input_audio" => Part::Media(audio(part, lost)?),
        "file" => Part::Media(file(part, lost)?),
        "thinking" if is_list(part) => Part::Reasoning(thought(part)?),
        "thinking" | "redacted_thinking" => {
            let expected = "a known kind of content part";
            let reasoning = thinking_block(&kind, part)?;
            Part::Reasoning(reasoning.ok_or_else(|| wrong(&part.path_of("type"), expected))?)
        }
        _ => return Err(wrong(&part.path_of("type"), "a known kind of content part")),
    })
}

/// `{"url", "detail"}`, or the URL alone as some callers write it.
fn at_url(part: &mut Fields<'_>, field: &str, kind: MediaKind, lost: &mut Lost) -> Result<Media, Fault> {
    let raw: &RawValue = part.require(field, "an object with a `url`")?;
    let path = part.path_of(field);
    if raw.get().starts_with('"') {
        return Ok(Media::from_url(kind, &read::<String>(raw, &path, TEXT)?));
    }
    let mut fields = Fields::open(raw, path)?;
    let mut media = Media::from_url(kind, &fields.require::<String>("url", TEXT)?);
    media.detail = fields.take("detail", TEXT)?;
    // LiteLLM's way to name the type.
    media.mime = media.mime.or(fields.take("format", TEXT)?);
    fields.leave(&[], lost);
    Ok(media)
}

fn audio(part: &mut Fields<'_>, lost: &mut Lost) -> Result<Media, Fault> {
    let raw: &RawValue = part.require("input_audio", OBJECT)?;
    let mut fields = Fields::open(raw, part.path_of("input_audio"))?;
    let data: String = fields.require("data", TEXT)?;
    let format: Option<String> = fields.take("format", TEXT)?;
    let mime = format.map(|format| match format.as_str() {
        "mp3" => "audio/mpeg".to_owned(),
        format => format!("audio/{format}"),
    });
    fields.leave(&[], lost);
    // Qwen takes a data URL or an address here.
    let mut media = match data.contains(':') {
        true => Media::from_url(MediaKind::Audio, &data),
        false => Media::new(MediaKind::Audio, Source::Data(data), None),
    };
    media.mime = media.mime.or(mime);
    Ok(media)
}

fn file(part: &mut Fields<'_>, lost: &mut Lost) -> Result<Media, Fault> {
    let raw: &RawValue = part.require("file", OBJECT)?;
    let mut fields = Fields::open(raw, part.path_of("file"))?;
    let data = fields.take::<String>("file_data", TEXT)?;
    let url = fields.take::<String>("file_url", TEXT)?;
    let id = fields.take::<String>("file_id", TEXT)?;
    let name = fields.take("filename", TEXT)?;
    let format = fields.take("format", TEXT)?;
    let mut media = match (data, url, id) {
        // A data URL, bare base64, or an address (OpenRouter).
        (Some(data), ..) if data.contains(':') => Media::from_url(MediaKind::File, &data),
        (Some(data), ..) => Media::new(MediaKind::File, Source::Data(data), None),
        (None, Some(url), _) => Media::from_url(MediaKind::File, &url),
        (None, None, Some(id)) if id.contains("://") => Media::from_url(MediaKind::File, &id),
        (None, None, Some(id)) => Media::new(MediaKind::File, Source::FileId(id), None),
        (None, None, None) => return Err(wrong(&fields.path_of("file_data"), "a string, or `file_id`")),
    };
    media.mime = media.mime.or(format);
    if let Some(mime) = &media.mime {
        media.kind = MediaKind::of_mime(mime);
    }
    media.name = name;
    fields.leave(&[], lost);
    Ok(media)
}

/// Whether `thinking` is a list of parts, as Mistral writes it.
fn is_list(part: &mut Fields<'_>) -> bool {
    part.peek("thinking").is_some_and(|raw| raw.get().starts_with('['))
}

fn thought(part: &mut Fields<'_>) -> Result<Reasoning, Fault> {
    let text: super::super::super::pieces::Content = part.require("thinking", "a list of text parts")?;
    Ok(Reasoning { text: text.text, seal: None })
}

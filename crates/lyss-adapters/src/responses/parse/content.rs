//! The parts of a message and of a tool's output.

use serde_json::value::RawValue;

use super::{LIST, TEXT, read};
use crate::Fault;
use crate::conversation::{Citation, CitedPlace, Media, MediaKind, Part, Source};
use crate::fields::{Fields, Lost, wrong};

const NUMBER: &str = "a whole number";

/// A string, null, or a list of parts.
pub(super) fn content(item: &mut Fields<'_>, name: &str, lost: &mut Lost) -> Result<Vec<Part>, Fault> {
    let path = item.path_of(name);
    let Some(raw) = item.raw(name) else { return Ok(Vec::new()) };
    if raw.get().starts_with('"') {
        return Ok(vec![Part::Text(read(raw, &path, TEXT)?)]);
    }
    let list: Vec<&RawValue> = read(raw, &path, "a string or a list of content parts")?;
    let mut parts = Vec::with_capacity(list.len());
    for (at, raw) in list.into_iter().enumerate() {
        content_part(Fields::open(raw, format!("{path}[{at}]"))?, &mut parts, lost)?;
    }
    Ok(parts)
}

fn content_part(mut part: Fields<'_>, parts: &mut Vec<Part>, lost: &mut Lost) -> Result<(), Fault> {
    let kind: String = part.require("type", TEXT)?;
    match kind.as_str() {
        "input_text" | "text" | "summary_text" | "reasoning_text" => {
            parts.push(Part::Text(part.require("text", TEXT)?));
        }
        "output_text" => {
            parts.push(Part::Text(part.require("text", TEXT)?));
            let list: Vec<&RawValue> = part.take("annotations", LIST)?.unwrap_or_default();
            for (at, raw) in list.into_iter().enumerate() {
                let path = part.path_of(&format!("annotations[{at}]"));
                match annotation(Fields::open(raw, path.clone())?)? {
                    Some(citation) => parts.push(Part::Citation(citation)),
                    None => lost.note(&path),
                }
            }
            // Of an answer given long ago.
            part.raw("logprobs");
        }
        "refusal" => parts.push(Part::Refusal(part.require("refusal", TEXT)?)),
        "input_image" | "computer_screenshot" => parts.push(Part::Media(image(&mut part)?)),
        "input_file" => parts.push(Part::Media(file(&mut part)?)),
        "input_audio" => parts.push(Part::Media(audio(&mut part, lost)?)),
        _ => return Err(wrong(&part.path_of("type"), "a known kind of content part")),
    }
    part.leave(&[("detail", r#""auto""#)], lost);
    Ok(())
}

fn image(part: &mut Fields<'_>) -> Result<Media, Fault> {
    let url: Option<String> = part.take("image_url", "a URL or a data URL")?;
    let id: Option<String> = part.take("file_id", TEXT)?;
    let detail: Option<String> = part.take("detail", TEXT)?;
    let media = match (url, id) {
        (Some(url), _) => Media::from_url(MediaKind::Image, &url),
        (None, Some(id)) => Media::new(MediaKind::Image, Source::FileId(id), None),
        (None, None) => return Err(wrong(&part.path_of("image_url"), "a URL or a data URL")),
    };
    Ok(Media { detail: detail.filter(|detail| detail != "auto"), ..media })
}

fn file(part: &mut Fields<'_>) -> Result<Media, Fault> {
    let data: Option<String> = part.take("file_data", "a data URL or base64")?;
    let url: Option<String> = part.take("file_url", TEXT)?;
    let id: Option<String> = part.take("file_id", TEXT)?;
    let name: Option<String> = part.take("filename", TEXT)?;
    let media = match (data, url, id) {
        (Some(data), ..) if data.starts_with("data:") => Media::from_url(MediaKind::File, &data),
        (Some(data), ..) => Media::new(MediaKind::File, Source::Data(data), None),
        (None, Some(url), _) => Media::new(MediaKind::File, Source::Url(url), None),
        (None, None, Some(id)) => Media::new(MediaKind::File, Source::FileId(id), None),
        (None, None, None) => {
            return Err(wrong(&part.path_of("file_data"), "there, or else `file_url` or `file_id`"));
        }
    };
    Ok(Media { name, ..media })
}

fn audio(part: &mut Fields<'_>, lost: &mut Lost) -> Result<Media, Fault> {
    let raw: &RawValue = part.require("input_audio", "an object")?;
    let mut audio = Fields::open(raw, part.path_of("input_audio"))?;
    let data: String = audio.require("data", "base64")?;
    let format: String = audio.require("format", "`wav` or `mp3`")?;
    audio.leave(&[], lost);
    Ok(Media::new(MediaKind::Audio, Source::Data(data), Some(format!("audio/{format}"))))
}

/// `None`: of a kind that no other dialect has.
fn annotation(mut mark: Fields<'_>) -> Result<Option<Citation>, Fault> {
    let kind: String = mark.require("type", TEXT)?;
    let title = mark.take("title", TEXT)?;
    let from: Option<u64> = mark.take("start_index", NUMBER)?;
    let to: Option<u64> = mark.take("end_index", NUMBER)?;
    let place = match kind.as_str() {
        "url_citation" => CitedPlace::Url(mark.require("url", TEXT)?),
        "file_citation" | "container_file_citation" | "file_path" => CitedPlace::File {
            id: mark.require("file_id", TEXT)?,
            name: mark.take("filename", TEXT)?,
            index: mark.take("index", NUMBER)?,
        },
        _ => return Ok(None),
    };
    Ok(Some(Citation { place, title, cited_text: None, span: from.zip(to) }))
}

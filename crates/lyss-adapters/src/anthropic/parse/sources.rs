//! Images, documents and search results of a request, as in the pages "Vision", "PDF support" and "Search results".

use serde_json::value::RawValue;

use super::{FLAG, LIST, OBJECT, TEXT, read};
use crate::Fault;
use crate::conversation::{Media, MediaKind, Part, Source};
use crate::fields::{Fields, Lost, wrong};

pub(super) fn image(block: &mut Fields<'_>, lost: &mut Lost, parts: &mut Vec<Part>) -> Result<(), Fault> {
    let mut source = open(block)?;
    let kind: String = source.require("type", TEXT)?;
    let media = match kind.as_str() {
        "base64" => data(&mut source, MediaKind::Image)?,
        "url" => Media::new(MediaKind::Image, Source::Url(source.require("url", TEXT)?), None),
        "file" => Media::new(MediaKind::Image, Source::FileId(source.require("file_id", TEXT)?), None),
        _ => return Err(wrong(&source.path_of("type"), "`base64`, `url` or `file`")),
    };
    source.leave(&[], lost);
    parts.push(Part::Media(media));
    Ok(())
}

pub(super) fn document(block: &mut Fields<'_>, lost: &mut Lost, parts: &mut Vec<Part>) -> Result<(), Fault> {
    let name: Option<String> = block.take("title", TEXT)?;
    let citable = citable(block, lost)?;
    let mut source = open(block)?;
    let kind: String = source.require("type", TEXT)?;
    let mut images = Vec::new();
    let media = match kind.as_str() {
        "base64" => data(&mut source, MediaKind::File)?,
        "url" => Media::new(MediaKind::File, Source::Url(source.require("url", TEXT)?), None),
        "file" => Media::new(MediaKind::File, Source::FileId(source.require("file_id", TEXT)?), None),
        "text" => {
            let mime = source.take("media_type", TEXT)?;
            Media::new(MediaKind::File, Source::Text(source.require("data", TEXT)?), mime)
        }
        "content" => {
            let path = source.path_of("content");
            let raw: &RawValue = source.require("content", "a string or a list of blocks")?;
            let text = content(raw, &path, lost, &mut images)?;
            Media::new(MediaKind::File, Source::Text(text), Some("text/plain".to_owned()))
        }
        _ => return Err(wrong(&source.path_of("type"), "`base64`, `url`, `text`, `content` or `file`")),
    };
    source.leave(&[], lost);
    let is_empty = matches!(&media.source, Source::Text(text) if text.is_empty());
    if !is_empty || images.is_empty() {
        parts.push(Part::Media(Media { name, citable, ..media }));
    }
    parts.append(&mut images);
    Ok(())
}

/// A document of the caller's own search; where it was found is lost.
pub(super) fn search_result(
    block: &mut Fields<'_>,
    lost: &mut Lost,
    parts: &mut Vec<Part>,
) -> Result<(), Fault> {
    let name: Option<String> = block.take("title", TEXT)?;
    let citable = citable(block, lost)?;
    let path = block.path_of("content");
    let raw: &RawValue = block.require("content", LIST)?;
    let text = content(raw, &path, lost, &mut Vec::new())?;
    let media = Media::new(MediaKind::File, Source::Text(text), Some("text/plain".to_owned()));
    parts.push(Part::Media(Media { name, citable, ..media }));
    Ok(())
}

/// The texts of a list of blocks as one; images of it go beside.
fn content(raw: &RawValue, path: &str, lost: &mut Lost, images: &mut Vec<Part>) -> Result<String, Fault> {
    if raw.get().starts_with('"') {
        return read(raw, path, TEXT);
    }
    let list: Vec<&RawValue> = read(raw, path, "a string or a list of blocks")?;
    let mut texts: Vec<String> = Vec::with_capacity(list.len());
    for (at, raw) in list.into_iter().enumerate() {
        let mut block = Fields::open(raw, format!("{path}[{at}]"))?;
        let kind: String = block.require("type", TEXT)?;
        match kind.as_str() {
            "text" => texts.push(block.require("text", TEXT)?),
            "image" => image(&mut block, lost, images)?,
            _ => return Err(wrong(&block.path_of("type"), "`text` or `image`")),
        }
        block.leave(&[], lost);
    }
    Ok(texts.join("\n\n"))
}

fn open<'a>(block: &mut Fields<'a>) -> Result<Fields<'a>, Fault> {
    let raw: &RawValue = block.require("source", OBJECT)?;
    Fields::open(raw, block.path_of("source"))
}

fn data(source: &mut Fields<'_>, kind: MediaKind) -> Result<Media, Fault> {
    let mime = source.take("media_type", TEXT)?;
    Ok(Media::new(kind, Source::Data(source.require("data", TEXT)?), mime))
}

fn citable(block: &mut Fields<'_>, lost: &mut Lost) -> Result<bool, Fault> {
    let path = block.path_of("citations");
    let Some(raw) = block.raw("citations") else { return Ok(false) };
    let mut citations = Fields::open(raw, path)?;
    let enabled = citations.take("enabled", FLAG)?.unwrap_or(false);
    citations.leave(&[], lost);
    Ok(enabled)
}

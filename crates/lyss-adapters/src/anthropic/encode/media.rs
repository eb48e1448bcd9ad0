//! Images and documents, as in the pages "Vision" and "PDF support".

use std::borrow::Cow;

use super::out::{Body, Citations, Source};
use crate::conversation::{self, Loss, Media, MediaKind, Origin};
use crate::dialect::Unsayable;

const IMAGES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

pub(super) fn body<'a>(
    media: &'a Media,
    origin: Origin,
    citations: bool,
    losses: &mut Vec<Loss>,
) -> Result<Body<'a>, Unsayable> {
    let refused = |message: &str| Err(Unsayable::new(Loss::turn(origin, media.kind.as_str()), message));
    match media.kind {
        MediaKind::Audio => return refused("Audio cannot be sent to this model's vendor."),
        MediaKind::Video => return refused("Video cannot be sent to this model's vendor."),
        MediaKind::Image | MediaKind::File => {}
    }
    if media.detail.as_deref().is_some_and(|detail| detail != "auto") {
        losses.push(Loss::turn(origin, "detail"));
    }
    match &media.source {
        conversation::Source::FileId(_) => {
            refused("A file kept at another vendor cannot be sent to this model's vendor; send its content.")
        }
        conversation::Source::Url(url) if !url.starts_with("https://") && !url.starts_with("http://") => {
            refused("This model's vendor fetches `https` addresses only.")
        }
        conversation::Source::Text(_) if media.kind == MediaKind::Image => {
            refused("An image cannot be sent as text.")
        }
        source => {
            let said = media.mime_or_usual();
            let mime = match source {
                conversation::Source::Data(data) => seen_mime(data).unwrap_or(said),
                _ => said,
            };
            let is_image = media.kind == MediaKind::Image || mime.starts_with("image/");
            if is_image && !matches!(source, conversation::Source::Text(_)) {
                return image(source, mime).map_or_else(refused, |source| Ok(Body::Image { source }));
            }
            let cites = media.citable && citations;
            if media.citable && !citations {
                losses.push(Loss::turn(origin, "citations"));
            }
            document(source, mime).map_or_else(refused, |source| {
                Ok(Body::Document {
                    source,
                    title: media.name.as_deref().filter(|name| !name.is_empty()),
                    citations: cites.then_some(Citations { enabled: true }),
                })
            })
        }
    }
}

/// Instructions are text alone.
pub(super) fn instruction(media: &Media, origin: Origin) -> Result<Body<'_>, Unsayable> {
    match &media.source {
        conversation::Source::Text(text) if !text.trim().is_empty() => {
            Ok(Body::Text { text: Cow::Borrowed(text) })
        }
        _ => Err(Unsayable::new(
            Loss::turn(origin, media.kind.as_str()),
            "This model's vendor takes text alone as instructions.",
        )),
    }
}

fn image<'a>(source: &'a conversation::Source, mime: &'a str) -> Result<Source<'a>, &'static str> {
    match source {
        conversation::Source::Url(url) => Ok(Source::Url { url }),
        conversation::Source::Data(data) => {
            let mime = if mime == "image/jpg" { "image/jpeg" } else { mime };
            if !IMAGES.contains(&mime) {
                return Err("This model's vendor takes images as JPEG, PNG, GIF or WebP only.");
            }
            Ok(Source::Base64 { media_type: mime, data })
        }
        _ => Err("This image cannot be sent to this model's vendor."),
    }
}

fn document<'a>(source: &'a conversation::Source, mime: &str) -> Result<Source<'a>, &'static str> {
    const PDF: &str = "application/pdf";
    match source {
        conversation::Source::Text(text) => {
            Ok(Source::Text { media_type: "text/plain", data: Cow::Borrowed(text) })
        }
        conversation::Source::Url(url) if mime == PDF => Ok(Source::Url { url }),
        conversation::Source::Url(_) => Err("This model's vendor fetches PDF documents only."),
        conversation::Source::Data(data) if mime == PDF => Ok(Source::Base64 { media_type: PDF, data }),
        conversation::Source::Data(data) if is_text(mime) => decoded_text(data)
            .map(|text| Source::Text { media_type: "text/plain", data: Cow::Owned(text) })
            .ok_or("This document of text is not base64 of UTF-8."),
        _ => Err("This model's vendor takes PDF documents and text only."),
    }
}

fn is_text(mime: &str) -> bool {
    const MORE: [&str; 6] = [
        "application/json",
        "application/xml",
        "application/yaml",
        "application/x-yaml",
        "application/javascript",
        "application/csv",
    ];
    mime.starts_with("text/") || MORE.contains(&mime)
}

/// What the first bytes show, in their base64 form. They are certain where a caller's word may be wrong.
fn seen_mime(data: &str) -> Option<&'static str> {
    const SIGNS: [(&str, &str); 5] = [
        ("iVBORw0KGgo", "image/png"),
        ("/9j/", "image/jpeg"),
        ("R0lGOD", "image/gif"),
        ("UklGR", "image/webp"),
        ("JVBERi", "application/pdf"),
    ];
    let (_, mime) = SIGNS.iter().find(|(sign, _)| data.starts_with(sign))?;
    // RIFF is a family of formats: the eighth byte on says which.
    if *mime == "image/webp" {
        let bytes = decoded(data.get(..16)?)?;
        return (bytes.get(8..12) == Some(b"WEBP")).then_some(mime);
    }
    Some(mime)
}

fn decoded_text(data: &str) -> Option<String> {
    String::from_utf8(decoded(data)?).ok()
}

/// Base64 in either alphabet, with or without padding, line ends passed over.
fn decoded(data: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(data.len() / 4 * 3);
    let mut bits = 0_u32;
    let mut count = 0_u32;
    for byte in data.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n' | b'=')) {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.extend(u8::try_from((bits >> count) & 0xff));
        }
    }
    Some(bytes)
}

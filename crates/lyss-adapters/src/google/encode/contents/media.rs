//! Images, documents, sounds and films as parts.

use std::borrow::Cow;

use serde::Serialize;

use super::super::models::Model;
use super::WirePart;
use crate::conversation::{Loss, Media, MediaKind, Origin, Source};
use crate::dialect::Unsayable;

/// `inlineData` or `fileData`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Blob<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    mime_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_uri: Option<&'a str>,
}

/// Addresses that every model reads: files kept at the vendor, and YouTube.
const EVERYWHERE: [&str; 5] = [
    "https://generativelanguage.googleapis.com/",
    "https://www.youtube.com/",
    "https://youtube.com/",
    "https://youtu.be/",
    "gs://",
];

pub(super) fn part<'a>(
    media: &'a Media,
    origin: Origin,
    model: Model,
    losses: &mut Vec<Loss>,
) -> Result<WirePart<'a>, Unsayable> {
    if media.detail.as_deref().is_some_and(|detail| detail != "auto") {
        losses.push(Loss::turn(origin, "detail"));
    }
    if media.citable {
        losses.push(Loss::turn(origin, "citations"));
    }
    if media.name.is_some() {
        losses.push(Loss::turn(origin, "filename"));
    }
    let what = media.kind.as_str();
    let refused = |text: &str| Err(Unsayable::new(Loss::turn(origin, what), text));
    let mime_type = match media.mime_or_usual() {
        // The vendor's word for it.
        "audio/mpeg" if media.kind == MediaKind::Audio => "audio/mp3",
        mime => mime,
    };
    match &media.source {
        Source::Text(text) => Ok(WirePart { text: Some(Cow::Borrowed(text)), ..WirePart::default() }),
        Source::Data(data) => {
            let inline_data = Some(Blob { mime_type: Some(mime_type), data: Some(data), file_uri: None });
            Ok(WirePart { inline_data, ..WirePart::default() })
        }
        Source::Url(uri) => {
            if is_everywhere(uri) {
                return Ok(file(media.mime.as_deref(), uri));
            }
            if !uri.starts_with("https://") || !model.fetches() {
                return refused(
                    "This model's vendor cannot fetch this address; send the bytes themselves, in base64.",
                );
            }
            Ok(file(Some(mime_type), uri))
        }
        Source::FileId(id) if is_everywhere(id) => Ok(file(media.mime.as_deref(), id)),
        Source::FileId(_) => refused("A file kept at another vendor cannot be sent to this model's."),
    }
}

/// The vendor knows the type of what it keeps itself.
fn is_everywhere(uri: &str) -> bool {
    EVERYWHERE.iter().any(|known| uri.starts_with(known))
}

fn file<'a>(mime_type: Option<&'a str>, uri: &'a str) -> WirePart<'a> {
    let file_data = Some(Blob { mime_type, data: None, file_uri: Some(uri) });
    WirePart { file_data, ..WirePart::default() }
}

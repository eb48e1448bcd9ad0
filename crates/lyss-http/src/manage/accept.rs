//! In which form a report is wanted: the header `Accept`, as RFC 9110 12.5.1 reads it.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::ACCEPT;
use actix_web::{FromRequest, HttpRequest};

use super::code::Code;
use super::failure::Failure;

/// The forms there are, the one that is taken where a caller likes several alike first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    Json,
    Markdown,
    Html,
}

/// The form that suits the request; a request that takes none of them is a 406.
#[derive(Clone, Copy, Debug)]
pub struct Accepted(pub Media);

impl Media {
    pub const ALL: [Self; 3] = [Self::Json, Self::Markdown, Self::Html];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Markdown => "text/markdown",
            Self::Html => "text/html",
        }
    }
}

impl FromRequest for Accepted {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let lines = request.headers().get_all(ACCEPT).map(|line| line.to_str().unwrap_or_default());
        ready(wanted(lines).map(Self).ok_or_else(|| Failure::new(Code::NotAcceptable)))
    }
}

/// `None`: none of ours. No header, or an empty one, takes anything.
fn wanted<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Media> {
    let ranges: Vec<(&str, f32)> =
        lines.flat_map(|line| line.split(',')).filter(|range| !range.trim().is_empty()).map(range).collect();
    if ranges.is_empty() {
        return Some(Media::Json);
    }
    let liked = Media::ALL.into_iter().map(|media| (media, liking(media, &ranges)));
    let best = liked
        .filter(|(_, quality)| *quality > 0.0)
        .reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map(|(media, _)| media)
}

/// A media range and its quality, 0 to 1.
fn range(text: &str) -> (&str, f32) {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let quality = quality.map_or(1.0, |text| text.trim().parse().unwrap_or(0.0_f32));
    (name, if quality.is_finite() { quality.clamp(0.0, 1.0) } else { 0.0 })
}

/// The quality of the most specific range that means this form; 0: none does.
fn liking(media: Media, ranges: &[(&str, f32)]) -> f32 {
    let kind = media.as_str().split('/').next().unwrap_or_default();
    let is = |range: &str, wanted: &str| range.eq_ignore_ascii_case(wanted);
    let family = format!("{kind}/*");
    let found = [media.as_str(), family.as_str(), "*/*"].into_iter().find_map(|wanted| {
        ranges.iter().filter(|(range, _)| is(range, wanted)).map(|(_, quality)| *quality).reduce(f32::max)
    });
    found.unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Option<Media> {
        wanted([line].into_iter())
    }

    #[test]
    fn the_form_that_is_liked_best_is_taken() {
        assert_eq!(wanted([].into_iter()), Some(Media::Json));
        for (line, media) in [
            ("", Some(Media::Json)),
            ("*/*", Some(Media::Json)),
            ("application/json", Some(Media::Json)),
            ("text/markdown", Some(Media::Markdown)),
            ("TEXT/HTML; charset=utf-8", Some(Media::Html)),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Some(Media::Html)),
            ("text/html;q=0.2, text/markdown;q=0.9", Some(Media::Markdown)),
            ("text/*", Some(Media::Markdown)),
            ("text/*;q=0.5, text/markdown;q=0", Some(Media::Html)),
            ("application/json;q=0, */*;q=0.1", Some(Media::Markdown)),
            ("application/*", Some(Media::Json)),
            ("image/png", None),
            ("application/xml, image/*", None),
            ("text/html;q=0", None),
            ("text/html;q=nonsense", None),
            (";;,,", None),
        ] {
            assert_eq!(of(line), media, "{line}");
        }
        assert_eq!(wanted(["image/png", "text/html"].into_iter()), Some(Media::Html));
    }
}

//! `If-Match`: the version that a change was made for.

use actix_web::dev::Payload;
use actix_web::http::header::IF_MATCH;
use actix_web::{FromRequest, HttpRequest};

use super::code::Code;
use super::failure::Failure;

/// `None`: whichever version is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected(pub Option<i64>);

impl FromRequest for Expected {
    type Error = Failure;
    type Future = std::future::Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut values = request.headers().get_all(IF_MATCH);
        let expected = match (values.next(), values.next()) {
            (None, _) => Ok(Self(None)),
            (Some(value), None) => read(value.as_bytes()).map(Self),
            (Some(_), Some(_)) => Err(unreadable()),
        };
        std::future::ready(expected)
    }
}

/// One strong tag of ours, or `*` (RFC 9110, section 13.1.1). A weak tag never matches strongly, and a tag that we never
/// gave is one of no version there is.
fn read(value: &[u8]) -> Result<Option<i64>, Failure> {
    let text = std::str::from_utf8(value).map_err(|_| unreadable())?.trim();
    if text == "*" {
        return Ok(None);
    }
    let (weak, tag) = text.strip_prefix("W/").map_or((false, text), |tag| (true, tag));
    let tag = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).ok_or_else(unreadable)?;
    if tag.contains('"') {
        return Err(unreadable());
    }
    match tag.parse() {
        Ok(version) if !weak => Ok(Some(version)),
        _ => Err(Failure::new(Code::Stale)),
    }
}

fn unreadable() -> Failure {
    Failure::saying(Code::MalformedHeader, "If-Match must hold one tag as an ETag gave it, or '*'.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_strictly() {
        let code = |text: &str| read(text.as_bytes()).map_err(|failure| failure.code);
        assert_eq!(code("\"7\""), Ok(Some(7)));
        assert_eq!(code("*"), Ok(None));
        for stale in ["W/\"7\"", "\"seven\"", "\"\""] {
            assert_eq!(code(stale), Err(Code::Stale), "{stale}");
        }
        for odd in ["7", "\"7", "", "\"7\", \"8\"", "w/7"] {
            assert_eq!(code(odd), Err(Code::MalformedHeader), "{odd}");
        }
    }
}

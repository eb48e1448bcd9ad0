//! Finding the model in a form (`multipart/form-data`, RFC 7578) while its bytes pass, without holding its files.

use std::ops::Range;

use memchr::memmem;

/// Longest headers of a part that are looked into.
const MAX_HEAD_BYTES: usize = 8 << 10;
/// Longest name of a model.
const MAX_MODEL_BYTES: usize = 512;
/// Bytes of the line end that is put before the body, as if one had ended there.
const LED: u64 = 2;

/// The value of the form's field `model`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelField {
    pub model: String,
    /// Where in the body its bytes stand.
    pub at: Range<u64>,
}

/// Why a form is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    #[error("The Content-Type is not multipart/form-data with a boundary.")]
    NoBoundary,
    #[error("The form is not well made near byte {0}.")]
    Malformed(u64),
    #[error("The form has no field 'model'.")]
    NoModel,
}

/// Looks for the field. Feed it until it answers.
pub struct FormWatch {
    /// `\r\n--boundary`.
    delimiter: Vec<u8>,
    /// What may still be part of something looked for.
    held: Vec<u8>,
    /// Where in the body `held` begins.
    at: u64,
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first part; its delimiter may stand without a line end.
    Start,
    /// Inside a part nobody looks into.
    Body,
    /// Just behind a delimiter.
    Behind,
    Head,
    Model,
    Over,
}

impl FormWatch {
    pub fn new(content_type: &str) -> Result<Self, FormError> {
        let boundary = boundary_of(content_type).ok_or(FormError::NoBoundary)?;
        let held = b"\r\n".to_vec();
        Ok(Self { delimiter: [b"\r\n--", boundary.as_bytes()].concat(), held, at: 0, place: Place::Start })
    }

    /// Takes the next bytes; the field, once it has passed whole.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Option<ModelField>, FormError> {
        self.held.extend_from_slice(bytes);
        loop {
            let is_model = self.place == Place::Model;
            let found = match self.place {
                Place::Start | Place::Body | Place::Model => memmem::find(&self.held, &self.delimiter),
                Place::Behind => (self.held.len() >= 2).then_some(0),
                Place::Head => memmem::find(&self.held, b"\r\n\r\n"),
                Place::Over => return Err(FormError::NoModel),
            };
            let Some(end) = found else { return self.wait().map(|()| None) };
            let passed = self.held.get(..end).unwrap_or_default();
            match self.place {
                Place::Start | Place::Body | Place::Model => {
                    let start = self.at.saturating_sub(LED);
                    let value = is_model.then(|| String::from_utf8(passed.to_vec()));
                    self.skip(end + self.delimiter.len());
                    self.place = Place::Behind;
                    if let Some(value) = value {
                        let model = value.ok().filter(|model| model.len() <= MAX_MODEL_BYTES);
                        let model = model.ok_or(FormError::Malformed(start))?;
                        let at = start..start + model.len() as u64;
                        return Ok(Some(ModelField { model, at }));
                    }
                }
                Place::Behind => {
                    self.place = if self.held.starts_with(b"--") { Place::Over } else { Place::Head };
                }
                Place::Head => {
                    let names_model = names_model(passed);
                    self.skip(end + 4);
                    self.place = if names_model { Place::Model } else { Place::Body };
                }
                Place::Over => {}
            }
        }
    }

    /// The body is over.
    pub fn finish(&self) -> FormError {
        match self.place {
            Place::Over => FormError::NoModel,
            _ => FormError::Malformed(self.at),
        }
    }

    /// Keeps what may be the beginning of what is looked for.
    fn wait(&mut self) -> Result<(), FormError> {
        match self.place {
            Place::Start | Place::Body => {
                let keep = self.delimiter.len() - 1;
                self.skip(self.held.len().saturating_sub(keep));
            }
            Place::Head if self.held.len() > MAX_HEAD_BYTES => return Err(FormError::Malformed(self.at)),
            Place::Model if self.held.len() > MAX_MODEL_BYTES + self.delimiter.len() => {
                return Err(FormError::Malformed(self.at));
            }
            _ => {}
        }
        Ok(())
    }

    fn skip(&mut self, bytes: usize) {
        let bytes = bytes.min(self.held.len());
        self.held.drain(..bytes);
        self.at += bytes as u64;
    }
}

/// The parameter `boundary` of a content type, quoted or not.
fn boundary_of(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let (_, boundary) = parameters
        .split(';')
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?;
    let boundary = boundary.trim().trim_matches('"');
    (!boundary.is_empty() && boundary.len() <= 200).then(|| boundary.to_owned())
}

/// A part's head that says `Content-Disposition: form-data; name="model"` and no file.
fn names_model(head: &[u8]) -> bool {
    let Ok(head) = std::str::from_utf8(head) else { return false };
    head.lines().any(|line| {
        let Some((name, value)) = line.split_once(':') else { return false };
        let parameters = || value.split(';').map(str::trim);
        name.trim().eq_ignore_ascii_case("content-disposition")
            && parameters().any(|parameter| matches!(parameter, "name=\"model\"" | "name=model"))
            && !parameters().any(|parameter| parameter.starts_with("filename"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &str = "multipart/form-data; boundary=XX";

    fn form(parts: &[(&str, &str)]) -> String {
        let mut body = String::new();
        for (head, value) in parts {
            body.push_str(&format!("--XX\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n"));
        }
        body + "--XX--\r\n"
    }

    /// The field, with the body cut in two at every byte.
    fn found(body: &str) -> Option<ModelField> {
        let mut all = (0..=body.len()).filter(|at| body.is_char_boundary(*at)).map(|at| {
            let mut watch = FormWatch::new(KIND).unwrap();
            let (head, tail) = body.as_bytes().split_at(at);
            match watch.feed(head) {
                Ok(None) => watch.feed(tail).ok().flatten(),
                Ok(found) => found,
                Err(_) => None,
            }
        });
        let first = all.next().unwrap();
        assert!(all.all(|other| other == first), "a split changes what is found");
        first
    }

    #[test]
    fn the_field_is_found_wherever_it_stands_and_however_it_is_split() {
        let file = ("name=\"file\"; filename=\"model\"", "\r\n--X name=\"model\"\r\n\r\nno");
        for parts in
            [vec![("name=\"model\"", "whisper-1"), file], vec![file, ("name=\"model\"", "whisper-1")]]
        {
            let body = form(&parts);
            let found = found(&body).unwrap();
            assert_eq!(found.model, "whisper-1");
            let place = |at: u64| usize::try_from(at).unwrap();
            assert_eq!(&body[place(found.at.start)..place(found.at.end)], "whisper-1");
        }
    }

    #[test]
    fn what_has_no_model_says_so() {
        let mut watch = FormWatch::new(KIND).unwrap();
        assert_eq!(watch.feed(form(&[("name=\"file\"", "x")]).as_bytes()), Err(FormError::NoModel));
        let mut cut = FormWatch::new(KIND).unwrap();
        assert_eq!(cut.feed(b"--XX\r\nContent-Disp"), Ok(None));
        assert!(matches!(cut.finish(), FormError::Malformed(_)));
        for kind in ["application/json", "multipart/form-data", "multipart/form-data; boundary="] {
            assert_eq!(FormWatch::new(kind).err(), Some(FormError::NoBoundary), "{kind}");
        }
        let long = form(&[("name=\"model\"", &"m".repeat(2_000))]);
        assert!(FormWatch::new(KIND).unwrap().feed(long.as_bytes()).is_err());
    }

    #[test]
    fn files_are_not_held() {
        let mut watch = FormWatch::new("multipart/form-data; boundary=\"XX\"").unwrap();
        watch.feed(b"--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n").unwrap();
        for _ in 0..1_000 {
            assert_eq!(watch.feed(&[b'x'; 10_000]), Ok(None));
            assert!(watch.held.len() < 100);
        }
    }
}

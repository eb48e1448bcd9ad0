//! `multipart/form-data`, as far as SDKs write it (RFC 7578).

use memchr::memmem;

use crate::refusal::Refusal;

pub(super) struct Form<'a> {
    parts: Vec<Part<'a>>,
}

pub(super) struct Part<'a> {
    name: &'a str,
    pub(super) file_name: Option<&'a str>,
    pub(super) data: &'a [u8],
}

const MAX_PARTS: usize = 64;

impl<'a> Form<'a> {
    pub(super) fn read(content_type: &'a str, body: &'a [u8]) -> Result<Self, Refusal> {
        let unreadable = || Refusal::invalid("The body could not be read as multipart/form-data.");
        let boundary = content_type
            .strip_prefix("multipart/form-data")
            .and_then(|rest| rest.split(';').find_map(|pair| pair.trim().strip_prefix("boundary=")))
            .map(|boundary| boundary.trim_matches('"'))
            .filter(|boundary| !boundary.is_empty())
            .ok_or_else(unreadable)?;
        let between = format!("\r\n--{boundary}");
        // The first boundary has no line end before it.
        let first = between.trim_start().as_bytes();
        let mut rest = body.strip_prefix(first).ok_or_else(unreadable)?;
        let mut parts = Vec::new();
        while !rest.starts_with(b"--") {
            rest = rest.strip_prefix(b"\r\n").ok_or_else(unreadable)?;
            let end = memmem::find(rest, between.as_bytes()).ok_or_else(unreadable)?;
            let (part, after) = rest.split_at_checked(end).ok_or_else(unreadable)?;
            rest = after.get(between.len()..).unwrap_or_default();
            parts.push(Part::read(part).ok_or_else(unreadable)?);
            if parts.len() > MAX_PARTS {
                return Err(unreadable());
            }
        }
        Ok(Self { parts })
    }

    /// The first field of that name; empty if there is none, or it is not readable.
    pub(super) fn text(&self, name: &str) -> &'a str {
        let part = self.parts.iter().find(|part| part.name == name && part.file_name.is_none());
        part.and_then(|part| std::str::from_utf8(part.data).ok()).unwrap_or_default()
    }

    pub(super) fn files(&self, name: &str) -> impl Iterator<Item = &Part<'a>> {
        self.parts.iter().filter(move |part| part.name == name && part.file_name.is_some())
    }
}

impl<'a> Part<'a> {
    fn read(part: &'a [u8]) -> Option<Self> {
        let end = memmem::find(part, b"\r\n\r\n")?;
        let head = std::str::from_utf8(part.get(..end)?).ok()?;
        let disposition = head.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-disposition").then_some(value)
        })?;
        let value = |name: &str| {
            disposition.split(';').find_map(|pair| {
                let (key, value) = pair.trim().split_once('=')?;
                (key == name).then(|| value.trim_matches('"'))
            })
        };
        Some(Self { name: value("name")?, file_name: value("filename"), data: part.get(end + 4..)? })
    }
}

//! A streamed JSON array, cut into its elements: Google's `streamGenerateContent` without `alt=sse` answers
//! `[{…}\n,\r\n{…}\n]`, each element as soon as it is there. Blanks and commas between elements are skipped however many
//! there are, a byte order mark is dropped, and elements that stand without an array around them are read too.

use crate::sse::{SseFrame, SseOverflow};

/// Cuts a byte stream, split anywhere, into the elements of one JSON array. Holds at most the bound in bytes of an
/// unfinished element. Only brackets and strings are looked at; whether an element is JSON is its reader's to judge.
pub struct JsonArrayFramer {
    limit_bytes: usize,
    state: State,
    /// The unfinished element.
    open: Vec<u8>,
    depth: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing but blanks has come.
    Before,
    Between,
    /// Inside an element's brackets, or a number or word.
    Inside,
    InString,
    /// Behind a backslash in a string.
    Escaped,
    /// The array has closed: what follows says nothing.
    Closed,
}

impl JsonArrayFramer {
    /// `limit_bytes` bounds one element.
    pub fn new(limit_bytes: usize) -> Self {
        Self { limit_bytes, state: State::Before, open: Vec::new(), depth: 0 }
    }

    /// Reads on, appending every element that became complete as a frame without a name.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<SseFrame>) -> Result<(), SseOverflow> {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match self.state {
                State::Closed => return Ok(()),
                State::Before | State::Between => self.between(rest),
                State::Inside | State::InString | State::Escaped => self.inside(rest, out)?,
            };
        }
        Ok(())
    }

    /// The stream is over. A number or word that only the end could end is delivered; an element cut inside is not.
    pub fn finish(&mut self, out: &mut Vec<SseFrame>) {
        if self.state == State::Inside && self.depth == 0 {
            self.deliver(out);
        }
        self.open.clear();
        self.state = State::Closed;
    }

    /// The array's closing bracket has passed.
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Skips to the next element and enters it.
    fn between<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let is_skipped = |b: &u8| b.is_ascii_whitespace() || matches!(b, b',' | b'\xef' | b'\xbb' | b'\xbf');
        let at = bytes.iter().position(|b| !is_skipped(b)).unwrap_or(bytes.len());
        let rest = bytes.get(at..).unwrap_or_default();
        match (rest.first(), self.state) {
            (None, _) => rest,
            (Some(b'['), State::Before) => {
                self.state = State::Between;
                rest.get(1..).unwrap_or_default()
            }
            (Some(b']'), _) => {
                self.state = State::Closed;
                rest
            }
            // A stray closing brace would else be read as a word that never ends.
            (Some(b'}'), _) => rest.get(1..).unwrap_or_default(),
            (Some(_), _) => {
                self.state = State::Inside;
                self.depth = 0;
                rest
            }
        }
    }

    fn inside<'a>(&mut self, bytes: &'a [u8], out: &mut Vec<SseFrame>) -> Result<&'a [u8], SseOverflow> {
        for (at, byte) in bytes.iter().enumerate() {
            let is_whole = match (self.state, byte) {
                (State::Escaped, _) => {
                    self.state = State::InString;
                    false
                }
                (State::InString, b'\\') => {
                    self.state = State::Escaped;
                    false
                }
                (State::InString, b'"') => {
                    self.state = State::Inside;
                    self.depth == 0
                }
                (State::InString, _) => false,
                (_, b'"') => {
                    self.state = State::InString;
                    false
                }
                (_, b'{' | b'[') => {
                    self.depth = self.depth.saturating_add(1);
                    false
                }
                // The end of a number or word is what stands behind it.
                (_, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t') if self.depth == 0 => {
                    self.keep(bytes.get(..at).unwrap_or_default())?;
                    self.deliver(out);
                    return Ok(bytes.get(at..).unwrap_or_default());
                }
                (_, b'}' | b']') => {
                    self.depth -= 1;
                    self.depth == 0
                }
                _ => false,
            };
            if is_whole {
                self.keep(bytes.get(..=at).unwrap_or_default())?;
                self.deliver(out);
                return Ok(bytes.get(at + 1..).unwrap_or_default());
            }
        }
        self.keep(bytes)?;
        Ok(&[])
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), SseOverflow> {
        if self.open.len() + bytes.len() > self.limit_bytes {
            return Err(SseOverflow { limit_bytes: self.limit_bytes });
        }
        self.open.extend_from_slice(bytes);
        Ok(())
    }

    fn deliver(&mut self, out: &mut Vec<SseFrame>) {
        self.state = State::Between;
        let data = std::mem::take(&mut self.open);
        if !data.is_empty() {
            out.push(SseFrame { event: None, data });
        }
    }
}

#[cfg(test)]
mod tests;

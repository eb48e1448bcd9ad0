//! Server-sent events, read as the WHATWG HTML standard says (section "Parsing an event stream"): lines end with
//! `\n`, `\r\n` or `\r`, comments are skipped, several `data` lines join with `\n`, a byte order mark is dropped.
//! One leniency: an event still open at the end of the stream is delivered, since vendors forget the blank line.

use memchr::memchr2;

/// One event. Empty `data` with no event name is never delivered.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SseFrame {
    /// The `event` field; `None`: "message".
    pub event: Option<String>,
    /// The joined `data` lines; bytes, since a vendor may send invalid UTF-8.
    pub data: Vec<u8>,
}

/// An event or a line grew beyond the bound given to [`SseFramer::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event grew beyond {limit_bytes} bytes")]
pub struct SseOverflow {
    pub limit_bytes: usize,
}

/// Cuts a byte stream, split anywhere, into events. Holds at most the bound in bytes of an unfinished event.
pub struct SseFramer {
    limit_bytes: usize,
    /// The unfinished line.
    line: Vec<u8>,
    /// The last byte was `\r`: a `\n` that follows belongs to it.
    after_cr: bool,
    at_start: bool,
    open: SseFrame,
    /// The open event has at least one field.
    has_data: bool,
}

impl SseFramer {
    /// `limit_bytes` bounds one event's data and one line.
    pub fn new(limit_bytes: usize) -> Self {
        Self {
            limit_bytes,
            line: Vec::new(),
            after_cr: false,
            at_start: true,
            open: SseFrame::default(),
            has_data: false,
        }
    }

    /// Reads on, appending every event that became complete.
    pub fn feed(&mut self, mut bytes: &[u8], out: &mut Vec<SseFrame>) -> Result<(), SseOverflow> {
        while !bytes.is_empty() {
            if self.after_cr {
                self.after_cr = false;
                if let [b'\n', rest @ ..] = bytes {
                    bytes = rest;
                    continue;
                }
            }
            let Some(end) = memchr2(b'\n', b'\r', bytes) else {
                return self.keep(bytes);
            };
            let (head, tail) = bytes.split_at(end);
            self.keep(head)?;
            self.after_cr = tail.first() == Some(&b'\r');
            bytes = tail.get(1..).unwrap_or_default();
            self.end_line(out)?;
        }
        Ok(())
    }

    /// The stream is over: delivers an event that was still open.
    pub fn finish(&mut self, out: &mut Vec<SseFrame>) -> Result<(), SseOverflow> {
        if !self.line.is_empty() {
            self.end_line(out)?;
        }
        self.deliver(out);
        Ok(())
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), SseOverflow> {
        if self.line.len() + bytes.len() > self.limit_bytes {
            return Err(SseOverflow { limit_bytes: self.limit_bytes });
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self, out: &mut Vec<SseFrame>) -> Result<(), SseOverflow> {
        let mut line = std::mem::take(&mut self.line);
        let text = if std::mem::take(&mut self.at_start) {
            line.strip_prefix(b"\xef\xbb\xbf".as_slice()).unwrap_or(&line)
        } else {
            &line
        };
        let result = match split_field(text) {
            None => {
                self.deliver(out);
                Ok(())
            }
            Some((b"data", value)) => self.append_data(value),
            Some((b"event", value)) => {
                self.open.event = Some(String::from_utf8_lossy(value).into_owned());
                Ok(())
            }
            // Comments (an empty name), `id`, `retry` and unknown fields say nothing to us.
            Some(_) => Ok(()),
        };
        line.clear();
        self.line = line;
        result
    }

    fn append_data(&mut self, value: &[u8]) -> Result<(), SseOverflow> {
        if self.open.data.len() + value.len() >= self.limit_bytes {
            return Err(SseOverflow { limit_bytes: self.limit_bytes });
        }
        if self.has_data {
            self.open.data.push(b'\n');
        }
        self.open.data.extend_from_slice(value);
        self.has_data = true;
        Ok(())
    }

    fn deliver(&mut self, out: &mut Vec<SseFrame>) {
        let frame = std::mem::take(&mut self.open);
        if std::mem::take(&mut self.has_data) {
            out.push(frame);
        }
    }
}

/// `None` for a blank line, else the field's name and its value without the one leading space.
fn split_field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    if line.is_empty() {
        return None;
    }
    let Some(colon) = memchr::memchr(b':', line) else {
        return Some((line, b""));
    };
    let (name, rest) = line.split_at(colon);
    let value = rest.get(1..).unwrap_or_default();
    Some((name, value.strip_prefix(b" ").unwrap_or(value)))
}

#[cfg(test)]
mod tests;

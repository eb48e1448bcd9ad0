//! Watching a stream of events go by, whatever its dialect: events are found, the unfinished one is held back, and a
//! [`Look`] of the dialect reads what it must.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use memchr::memchr2;
use smallvec::SmallVec;

use crate::dialect::{Tap, Tapped};

/// Longest event that is looked into: a picture comes in one, and the end of the answer may stand beside it.
pub(crate) const MAX_EVENT_BYTES: usize = 8 << 20;

/// What a dialect reads in one event.
pub(crate) trait Look: Send {
    /// Notes what the event says; true for one that was asked for by us alone and is taken out again. The event is whole,
    /// with its blank line, except for the last one of a stream that ended without.
    fn look(&mut self, event: &[u8], seen: &mut Tapped) -> bool;

    /// Notes what an event was that was too long to look into and has passed: its beginning and its end are left of it.
    /// Only a dialect whose events repeat the whole answer needs this.
    fn look_long(&mut self, _head: &[u8], _tail: &[u8], _seen: &mut Tapped) {}
}

/// What is kept of an event too long to look into.
#[derive(Default)]
struct Long {
    head: Bytes,
    tail: BytesMut,
}

const LONG_HEAD_BYTES: usize = 256;
const LONG_TAIL_BYTES: usize = 16 << 10;

impl Long {
    fn pass(&mut self, bytes: &[u8]) {
        if self.head.is_empty() {
            self.head = Bytes::copy_from_slice(bytes.get(..LONG_HEAD_BYTES).unwrap_or(bytes));
        }
        let from = bytes.len().saturating_sub(LONG_TAIL_BYTES);
        self.tail.extend_from_slice(bytes.get(from..).unwrap_or_default());
        let over = self.tail.len().saturating_sub(LONG_TAIL_BYTES);
        drop(self.tail.split_to(over));
    }

    /// Where in the next bytes the event ends, when its blank line began in those that have passed.
    fn end_across(&self, bytes: &[u8]) -> Option<usize> {
        let from = self.tail.len().saturating_sub(3);
        let mut seam = self.tail.get(from..)?.to_vec();
        let before = seam.len();
        seam.extend_from_slice(bytes.get(..bytes.len().min(2))?);
        event_end(&seam, 0)?.checked_sub(before)
    }
}

pub(crate) struct StreamTap<L> {
    look: L,
    /// The unfinished event. Held back, so that whatever we add stands between two events.
    pub(crate) carry: BytesMut,
    /// The unfinished event is too long to look into; it passes unread.
    skipping: bool,
    long: Long,
    pub(crate) seen: Tapped,
}

impl<L: Look> StreamTap<L> {
    pub(crate) fn new(look: L) -> Self {
        Self { look, carry: BytesMut::new(), skipping: false, long: Long::default(), seen: Tapped::default() }
    }

    /// Looks into every complete event of `bytes`; answers where the unfinished rest begins and which ranges are taken
    /// out.
    fn watch(&mut self, bytes: &[u8]) -> (usize, SmallVec<[Range<usize>; 1]>) {
        let mut from = 0;
        let mut hidden = SmallVec::new();
        while let Some(end) = event_end(bytes, from) {
            let event = bytes.get(from..end).unwrap_or_default();
            if self.look.look(event, &mut self.seen) {
                hidden.push(from..end);
            }
            from = end;
        }
        (from, hidden)
    }

    /// Keeps the unfinished event until its end comes. One too long to look into goes on unread instead.
    fn keep(&mut self, rest: Bytes) -> Option<Bytes> {
        if rest.len() > MAX_EVENT_BYTES {
            self.skipping = true;
            self.long.pass(&rest);
            return Some(rest);
        }
        if !rest.is_empty() {
            self.carry = BytesMut::from(rest.as_ref());
        }
        None
    }

    /// Splits off what still belongs to an event too long to look into.
    fn skip(&mut self, bytes: &mut Bytes) -> Bytes {
        match self.long.end_across(bytes).or_else(|| event_end(bytes, 0)) {
            Some(end) => {
                self.skipping = false;
                let last = bytes.split_to(end);
                let mut long = std::mem::take(&mut self.long);
                long.pass(&last);
                self.look.look_long(&long.head, &long.tail, &mut self.seen);
                last
            }
            None => {
                let unread = bytes.split_off(0);
                self.long.pass(&unread);
                unread
            }
        }
    }

    fn joined(&mut self, bytes: Bytes) -> Bytes {
        if self.carry.is_empty() {
            return bytes;
        }
        let mut joined = std::mem::take(&mut self.carry);
        joined.extend_from_slice(&bytes);
        joined.freeze()
    }
}

impl<L: Look> Tap for StreamTap<L> {
    fn feed(&mut self, mut bytes: Bytes) -> Bytes {
        let unread = if self.skipping { self.skip(&mut bytes) } else { Bytes::new() };
        let whole = self.joined(bytes);
        let (end, hidden) = self.watch(&whole);
        let too_long = self.keep(whole.slice(end..));
        if unread.is_empty() && hidden.is_empty() && too_long.is_none() {
            // Nearly always: whole events, none of which is taken out.
            return whole.slice(..end);
        }
        let mut out = BytesMut::from(unread.as_ref());
        let mut from = 0;
        for range in hidden {
            out.extend_from_slice(whole.get(from..range.start).unwrap_or_default());
            from = range.end;
        }
        out.extend_from_slice(whole.get(from..end).unwrap_or_default());
        out.extend_from_slice(&too_long.unwrap_or_default());
        out.freeze()
    }

    fn finish(&mut self) -> Bytes {
        let rest = std::mem::take(&mut self.carry).freeze();
        let is_hidden = !rest.is_empty() && self.look.look(&rest, &mut self.seen);
        if is_hidden { Bytes::new() } else { rest }
    }

    fn tapped(&self) -> &Tapped {
        &self.seen
    }

    fn at_boundary(&self) -> bool {
        !self.skipping
    }
}

/// Where the event that begins at `from` ends: behind its blank line, whichever line ends are used.
fn event_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let found = at + memchr2(b'\n', b'\r', bytes.get(at..)?)?;
        let next = line_after(bytes, found)?;
        match bytes.get(next)? {
            b'\n' => return Some(next + 1),
            // At the very end a `\n` may still belong to it.
            b'\r' => return Some(next + if *bytes.get(next + 1)? == b'\n' { 2 } else { 1 }),
            _ => at = next,
        }
    }
}

/// Behind the line end at `at`; `None`: a `\r` at the very end, which a `\n` may follow.
fn line_after(bytes: &[u8], at: usize) -> Option<usize> {
    match (bytes.get(at)?, bytes.get(at + 1)) {
        (b'\r', None) => None,
        (b'\r', Some(b'\n')) => Some(at + 2),
        _ => Some(at + 1),
    }
}

/// The event's first data line, which in this dialect is its only one. Nearly always the event's first line.
pub(crate) fn data_of(event: &[u8]) -> Option<&[u8]> {
    let mut rest = event;
    while !rest.is_empty() {
        let end = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let line = rest.get(..end)?;
        if let Some(value) = line.strip_prefix(b"data:") {
            return Some(value.trim_ascii());
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    struct HideMarked;

    impl Look for HideMarked {
        fn look(&mut self, event: &[u8], seen: &mut Tapped) -> bool {
            seen.events += 1;
            data_of(event).is_some_and(|data| data.starts_with(b"hide"))
        }
    }

    #[test]
    fn every_hidden_event_of_a_batch_is_taken_out() {
        let stream = b"data: hide 1\n\ndata: a\n\ndata: hide 2\n\ndata: hide 3\n\ndata: b\n\ndata: c";
        for cut in 0..stream.len() {
            let mut tap = StreamTap::new(HideMarked);
            let mut out = BytesMut::new();
            for part in [&stream[..cut], &stream[cut..]] {
                out.extend_from_slice(&tap.feed(Bytes::copy_from_slice(part)));
            }
            out.extend_from_slice(&tap.finish());
            assert_eq!(out, &b"data: a\n\ndata: b\n\ndata: c"[..], "cut at {cut}");
            assert_eq!(tap.tapped().events, 6);
        }
    }
}

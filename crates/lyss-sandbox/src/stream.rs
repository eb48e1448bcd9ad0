//! How an answer leaves: event by event, paced, and where a knob says so, cut or stalled.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::stats::OpenAnswer;

mod shape;
#[cfg(test)]
mod tests;

/// A whole body, written before it is sent, and where its events end.
#[derive(Debug, Default)]
pub(crate) struct Script {
    bytes: Vec<u8>,
    marks: Vec<Mark>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    end: usize,
    /// Said until here, this event included.
    tokens: usize,
    /// Instead of the stream's own gap.
    wait_ms: Option<u64>,
}

/// What happens after the last event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Complete,
    /// Orderly on the wire, but counted as an error.
    Fault,
    /// The connection is closed without the end of the body.
    Cut,
    /// Nothing more comes and the connection stays open.
    Stall,
}

/// The response body hyper asks for frames. One frame is one event and is flushed by itself.
pub(crate) struct PacedBody {
    rest: Bytes,
    marks: std::vec::IntoIter<Mark>,
    sent_bytes: usize,
    ending: Ending,
    /// Of a body with a `Content-Length`.
    length: Option<u64>,
    gap: Duration,
    pause: Pause,
    answer: OpenAnswer,
}

/// What stands between two events.
enum Pause {
    None,
    /// Answering "not yet" once makes hyper flush what it has.
    Flush,
    Sleep(Pin<Box<Sleep>>),
}

/// Makes hyper drop the connection.
#[derive(Debug)]
pub(crate) struct Abrupt;

/// Before a cut, for the socket to take what was written.
const SETTLE: Duration = Duration::from_millis(5);

impl Script {
    pub(crate) fn with_capacity(bytes: usize, events: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), marks: Vec::with_capacity(events) }
    }

    /// One event only: an answer that is not streamed.
    pub(crate) fn whole(body: Vec<u8>, tokens: usize) -> Self {
        let mark = Mark { end: body.len(), tokens, wait_ms: None };
        Self { bytes: body, marks: vec![mark] }
    }

    /// Appends what `write` writes as one event that says `tokens` more.
    pub(crate) fn event(&mut self, tokens: usize, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        let said = self.marks.last().map_or(0, |mark| mark.tokens);
        self.marks.push(Mark { end: self.bytes.len(), tokens: said + tokens, wait_ms: None });
    }

    pub(crate) fn events(&self) -> usize {
        self.marks.len()
    }

    /// Said in the whole of it.
    pub(crate) fn tokens(&self) -> usize {
        self.marks.last().map_or(0, |mark| mark.tokens)
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn keep_events(&mut self, count: usize) {
        self.marks.truncate(count);
        self.bytes.truncate(self.marks.last().map_or(0, |mark| mark.end));
    }

    /// The event cut in two keeps its tokens: the vendor has said them.
    pub(crate) fn keep_bytes(&mut self, count: usize) {
        let whole = self.marks.partition_point(|mark| mark.end <= count);
        let reached = self.marks.get(whole.wrapping_sub(1)).map_or(0, |mark| mark.end);
        let torn = self.marks.get(whole).copied().filter(|_| reached < count);
        self.marks.truncate(whole);
        self.marks.extend(torn.map(|mark| Mark { end: count, ..mark }));
        self.bytes.truncate(count);
    }
}

impl PacedBody {
    /// `length` is announced as `Content-Length`; without it the body is chunked.
    pub(crate) fn new(
        script: Script,
        ending: Ending,
        length: Option<usize>,
        gap: Duration,
        answer: OpenAnswer,
    ) -> Self {
        Self {
            rest: script.bytes.into(),
            marks: script.marks.into_iter(),
            sent_bytes: 0,
            ending,
            length: length.map(|length| length as u64),
            gap,
            pause: Pause::None,
            answer,
        }
    }

    fn pause_after_event(&mut self, wait_ms: Option<u64>) {
        let gap = wait_ms.map_or(self.gap, Duration::from_millis);
        let wait = if self.cut_is_next() { SETTLE } else { gap };
        if wait.is_zero() {
            self.pause = Pause::Flush;
        } else if let Pause::Sleep(sleep) = &mut self.pause {
            sleep.as_mut().reset(Instant::now() + wait);
        } else {
            self.pause = Pause::Sleep(Box::pin(tokio::time::sleep(wait)));
        }
    }

    fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.pause {
            Pause::None => Poll::Ready(()),
            Pause::Flush => {
                self.pause = Pause::None;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Pause::Sleep(sleep) => sleep.as_mut().poll(cx),
        }
    }

    fn settle(&mut self) {
        match self.ending {
            Ending::Complete => self.answer.completed(),
            Ending::Cut | Ending::Fault => self.answer.failed(),
            Ending::Stall => {}
        }
    }

    fn cut_is_next(&self) -> bool {
        self.marks.as_slice().is_empty() && self.ending == Ending::Cut
    }

    /// Nothing is left but the body's orderly end.
    fn at_end(&self) -> bool {
        self.marks.as_slice().is_empty() && matches!(self.ending, Ending::Complete | Ending::Fault)
    }
}

impl Body for PacedBody {
    type Data = Bytes;
    type Error = Abrupt;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = &mut *self;
        if this.sent_bytes == 0 && this.cut_is_next() && matches!(this.pause, Pause::None) {
            // Nothing is said before the cut, but the head still has to leave.
            this.pause_after_event(None);
        }
        ready!(this.poll_pause(cx));
        let Some(mark) = this.marks.next() else {
            this.settle();
            return match this.ending {
                Ending::Stall => Poll::Pending,
                Ending::Cut => Poll::Ready(Some(Err(Abrupt))),
                Ending::Complete | Ending::Fault => Poll::Ready(None),
            };
        };
        let data = this.rest.split_to(mark.end.saturating_sub(this.sent_bytes).min(this.rest.len()));
        this.sent_bytes = mark.end;
        this.answer.said(mark.tokens);
        if this.at_end() {
            this.settle();
        } else if !this.marks.as_slice().is_empty() || this.cut_is_next() {
            this.pause_after_event(mark.wait_ms);
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        // Not before the first frame: a body that is known to be empty would lose its chunked form.
        self.sent_bytes > 0 && self.at_end()
    }

    fn size_hint(&self) -> SizeHint {
        match self.length {
            Some(length) => SizeHint::with_exact(length.saturating_sub(self.sent_bytes as u64)),
            None => SizeHint::default(),
        }
    }
}

impl fmt::Display for Abrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sandbox was told to close this connection")
    }
}

impl std::error::Error for Abrupt {}

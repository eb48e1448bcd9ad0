//! A transport without sockets: it plays answers in the order they were given and keeps what was sent.
//!
//! ```text
//! let transport = ScriptedTransport::new([
//!     Answer::failing(TransportClass::Connect),
//!     Answer::head(200, &[("content-type", "text/event-stream")]).chunk("data: 1\n\n").cut(),
//! ]);
//! ```
//!
//! It keeps the port's contract: the timers given with a request end a silence with their class, nothing follows an
//! error, and dropping what it handed out counts as cancelled. A streamed body is read to its end before the answer
//! begins, unless the answer comes [`Answer::before_the_upload`]. Time is tokio's, so a test with a paused clock waits
//! for nothing.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use lyss_wire::{
    BoxFuture, ByteStream, EncodedRequest, ResponseHead, RestOfBody, Timers, Transport, TransportClass,
    TransportError, UploadStream,
};
use tokio::time::{Instant, Sleep, sleep_until};

/// "Never", within the clock's arithmetic.
const NEVER: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// A queue of answers and the record of what was sent. Clones share both.
#[derive(Clone, Default)]
pub struct ScriptedTransport(Arc<Shared>);

/// What one request gets. Made by [`Answer::head`] and an ending, or by one of the constructors without a head.
#[derive(Clone, Debug)]
pub struct Answer {
    steps: VecDeque<Step>,
    early: bool,
}

/// An answer that still needs its ending: [`Script::end`], [`Script::cut`], [`Script::fail`] or [`Script::stall`].
#[derive(Clone, Debug)]
#[must_use = "an answer needs an ending"]
pub struct Script(VecDeque<Step>);

/// One request as it was handed over.
#[derive(Clone, Debug)]
pub struct SentRequest {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    /// All pieces joined, with what a streamed rest had brought when it ended or broke off.
    pub body: Bytes,
    pub timers: Timers,
}

#[derive(Default)]
struct Shared {
    answers: Mutex<VecDeque<Answer>>,
    sent: Mutex<Vec<SentRequest>>,
    cancelled: AtomicUsize,
}

#[derive(Clone, Debug)]
enum Step {
    Wait(Duration),
    Head(ResponseHead),
    Chunk(Bytes),
    End,
    Fail(TransportClass),
}

/// What a playback gives to its reader.
enum Event {
    Head(ResponseHead),
    Chunk(Bytes),
    End,
}

/// One answer being played, from the call of `send` to its end.
struct Playback {
    steps: VecDeque<Step>,
    shared: Arc<Shared>,
    /// Armed while a `Wait` is in front.
    sleep: Option<Pin<Box<Sleep>>>,
    wake_at: Instant,
    total_at: Instant,
    quiet_at: Instant,
    quiet: TransportClass,
    idle: Duration,
    ended: bool,
}

impl ScriptedTransport {
    pub fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let transport = Self::default();
        locked(&transport.0.answers).extend(answers);
        transport
    }

    pub fn push(&self, answer: Answer) {
        locked(&self.0.answers).push_back(answer);
    }

    /// Everything sent so far, oldest first.
    pub fn sent(&self) -> Vec<SentRequest> {
        locked(&self.0.sent).clone()
    }

    /// Answers nobody has asked for yet.
    pub fn left(&self) -> usize {
        locked(&self.0.answers).len()
    }

    /// Requests given up by their caller: the future of `send` or the stream was dropped before its end or error.
    pub fn cancelled(&self) -> usize {
        self.0.cancelled.load(Ordering::SeqCst)
    }
}

impl Transport for ScriptedTransport {
    /// # Panics
    /// When no answer is left: the test asked for fewer requests than were made.
    fn send(
        &self,
        request: EncodedRequest,
        timers: Timers,
    ) -> BoxFuture<'_, Result<(ResponseHead, ByteStream), TransportError>> {
        let uri = request.uri.clone();
        let number = self.0.record(SentRequest {
            method: request.method,
            uri: request.uri,
            headers: request.headers,
            body: request.body.to_bytes(),
            timers,
        });
        let answer = locked(&self.0.answers).pop_front();
        #[expect(clippy::panic, reason = "a request the test did not script is a failed test")]
        let Some(answer) = answer else { panic!("no answer is scripted for a request to {uri}") };
        let rest = request.rest.filter(|_| !answer.early);
        let mut playback = Playback::start(answer, Arc::clone(&self.0), timers);
        Box::pin(async move {
            if let Some(rest) = rest {
                playback.upload(number, rest).await?;
                playback.quiet_at = after(Instant::now(), timers.first_byte);
            }
            match poll_fn(|cx| playback.poll_event(cx)).await? {
                Event::Head(head) => Ok((head, Box::pin(playback) as ByteStream)),
                Event::Chunk(_) | Event::End => Err(TransportClass::Protocol.into()),
            }
        })
    }
}

impl Answer {
    /// An answer with a head.
    ///
    /// # Panics
    /// On a status or header that is none.
    #[expect(clippy::expect_used, reason = "a script that is no HTTP is a mistake in the test")]
    pub fn head(status: u16, headers: &[(&str, &str)]) -> Script {
        let headers = headers.iter().map(|(name, value)| {
            let name = HeaderName::try_from(*name).expect("a header name");
            (name, HeaderValue::try_from(*value).expect("a header value"))
        });
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value);
        }
        let status = StatusCode::from_u16(status).expect("a status code");
        Script(VecDeque::from([Step::Head(ResponseHead { status, headers: map })]))
    }

    /// A whole answer in one chunk, with `content-type: application/json`.
    pub fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self::head(status, &[("content-type", "application/json")]).chunk(body).end()
    }

    /// No head, but an error at once.
    pub fn failing(class: TransportClass) -> Self {
        Self::of(VecDeque::from([Step::Fail(class)]))
    }

    /// No head, ever: a timer of the request ends it.
    pub fn silent() -> Self {
        Self::of(VecDeque::from([Step::Wait(Duration::MAX)]))
    }

    /// The same answer, begun this much later.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.steps.push_front(Step::Wait(wait));
        self
    }

    /// The same answer, given without reading anything of a streamed body: a refusal by its length, for one.
    #[must_use]
    pub fn before_the_upload(mut self) -> Self {
        self.early = true;
        self
    }

    fn of(steps: VecDeque<Step>) -> Self {
        Self { steps, early: false }
    }
}

impl Script {
    pub fn chunk(self, bytes: impl Into<Bytes>) -> Self {
        self.then(Step::Chunk(bytes.into()))
    }

    /// A pause before what follows.
    pub fn wait(self, pause: Duration) -> Self {
        self.then(Step::Wait(pause))
    }

    /// Complete.
    pub fn end(self) -> Answer {
        self.ending(Step::End)
    }

    /// Stopped before its end.
    pub fn cut(self) -> Answer {
        self.fail(TransportClass::Cut)
    }

    pub fn fail(self, class: TransportClass) -> Answer {
        self.ending(Step::Fail(class))
    }

    /// Nothing more comes and nothing is closed: a timer of the request ends it.
    pub fn stall(self) -> Answer {
        self.ending(Step::Wait(Duration::MAX))
    }

    fn then(mut self, step: Step) -> Self {
        self.0.push_back(step);
        self
    }

    fn ending(self, step: Step) -> Answer {
        Answer::of(self.then(step).0)
    }
}

impl SentRequest {
    /// A header's value as text; `None` when it is absent or no text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Playback {
    fn start(answer: Answer, shared: Arc<Shared>, timers: Timers) -> Self {
        let now = Instant::now();
        Self {
            steps: answer.steps,
            shared,
            sleep: None,
            wake_at: now,
            total_at: after(now, timers.total),
            quiet_at: after(now, timers.first_byte),
            quiet: TransportClass::FirstByteTimeout,
            idle: timers.idle,
            ended: false,
        }
    }

    /// Reads a streamed body to its end. Until then only the total timer runs.
    async fn upload(&mut self, number: usize, rest: RestOfBody) -> Result<(), TransportError> {
        let RestOfBody { mut stream, length } = rest;
        let mut alarm = Box::pin(sleep_until(self.total_at));
        let mut read = Vec::new();
        let ended = loop {
            let piece = poll_fn(|cx| match poll_piece(&mut stream, cx) {
                Poll::Pending => alarm.as_mut().poll(cx).map(|()| Err(TransportClass::TotalTimeout)),
                piece => piece,
            });
            match piece.await {
                Ok(Some(piece)) => read.extend_from_slice(&piece),
                Ok(None) if length.is_none_or(|length| length == read.len() as u64) => break Ok(()),
                Ok(None) => break Err(TransportClass::UploadBroken),
                Err(class) => break Err(class),
            }
            if length.is_some_and(|length| read.len() as u64 > length) {
                break Err(TransportClass::UploadBroken);
            }
        };
        self.shared.append(number, &read);
        self.ended = ended.is_err();
        ended.map_err(TransportError::from)
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Event, TransportError>> {
        loop {
            let class = match self.steps.pop_front() {
                None | Some(Step::End) => {
                    self.ended = true;
                    return Poll::Ready(Ok(Event::End));
                }
                Some(Step::Head(head)) => return Poll::Ready(Ok(Event::Head(head))),
                Some(Step::Chunk(chunk)) => {
                    self.quiet = TransportClass::IdleTimeout;
                    self.quiet_at = after(Instant::now(), self.idle);
                    return Poll::Ready(Ok(Event::Chunk(chunk)));
                }
                Some(Step::Fail(class)) => class,
                Some(Step::Wait(pause)) => match self.poll_wait(pause, cx) {
                    Poll::Ready(None) => continue,
                    Poll::Ready(Some(class)) => class,
                    Poll::Pending => {
                        self.steps.push_front(Step::Wait(pause));
                        return Poll::Pending;
                    }
                },
            };
            self.ended = true;
            self.steps.clear();
            return Poll::Ready(Err(class.into()));
        }
    }

    /// Ready with `None` when the pause is over, with a class when a timer was over first.
    fn poll_wait(&mut self, pause: Duration, cx: &mut Context<'_>) -> Poll<Option<TransportClass>> {
        let limit = self.total_at.min(self.quiet_at);
        if self.sleep.is_none() {
            self.wake_at = after(Instant::now(), pause);
        }
        let until = self.wake_at.min(limit);
        ready!(self.sleep.get_or_insert_with(|| Box::pin(sleep_until(until))).as_mut().poll(cx));
        self.sleep = None;
        Poll::Ready(if self.wake_at < limit {
            None
        } else if self.total_at <= self.quiet_at {
            Some(TransportClass::TotalTimeout)
        } else {
            Some(self.quiet)
        })
    }
}

impl Stream for Playback {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        Poll::Ready(match ready!(self.poll_event(cx)) {
            Ok(Event::Chunk(chunk)) => Some(Ok(chunk)),
            Ok(Event::Head(_) | Event::End) => None,
            Err(error) => Some(Err(error)),
        })
    }
}

impl Drop for Playback {
    fn drop(&mut self) {
        if !self.ended {
            self.shared.cancelled.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Shared {
    /// The request's number among all.
    fn record(&self, request: SentRequest) -> usize {
        let mut sent = locked(&self.sent);
        sent.push(request);
        sent.len() - 1
    }

    fn append(&self, number: usize, rest: &[u8]) {
        if let Some(request) = locked(&self.sent).get_mut(number) {
            request.body = [&request.body, rest].concat().into();
        }
    }
}

fn poll_piece(
    stream: &mut UploadStream,
    cx: &mut Context<'_>,
) -> Poll<Result<Option<Bytes>, TransportClass>> {
    stream.as_mut().poll_next(cx).map(|piece| piece.transpose().map_err(|_| TransportClass::UploadBroken))
}

fn after(now: Instant, wait: Duration) -> Instant {
    now + wait.min(NEVER)
}

/// A test that failed while it held the lock still wants to read what was sent.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! A form on its way from a caller to a vendor: its files pass in pieces, and only the model's name may change.

use std::collections::VecDeque;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use http::HeaderValue;
use lyss_wire::{RequestBody, RestOfBody, UploadError, UploadStream};

/// A request body that is no JSON.
pub struct Upload {
    /// With the boundary in it.
    pub content_type: HeaderValue,
    /// Where in the whole body the model's name stands; `None`: it names none, and none is put in.
    pub model_at: Option<Range<u64>>,
    pub body: UploadBody,
}

pub enum UploadBody {
    /// Small enough to be held: a second channel may be tried.
    Whole(Bytes),
    /// Sent once; whoever took it cannot be followed by another channel.
    /// A lock that nobody waits for: a call is looked at from several places, and a stream by itself is for one alone.
    Passing(Mutex<RestOfBody>),
    /// Was sent.
    Spent,
}

impl UploadBody {
    pub fn passing(rest: RestOfBody) -> Self {
        Self::Passing(Mutex::new(rest))
    }
}

impl Upload {
    /// What is sent, with `model` in the place of the name that stands there. `None`: it was sent before.
    pub(crate) fn take(&mut self, model: Option<&str>) -> Option<(RequestBody, Option<RestOfBody>)> {
        let change = model.zip(self.model_at.clone());
        match std::mem::replace(&mut self.body, UploadBody::Spent) {
            UploadBody::Spent => None,
            UploadBody::Whole(bytes) => {
                self.body = UploadBody::Whole(bytes.clone());
                Some((renamed(&bytes, change), None))
            }
            UploadBody::Passing(rest) => {
                let rest = rest.into_inner().unwrap_or_else(PoisonError::into_inner);
                let Some((model, at)) = change else { return Some((RequestBody::default(), Some(rest))) };
                let gone = at.end - at.start;
                let length = rest.length.map(|length| length.saturating_sub(gone) + model.len() as u64);
                let name = Bytes::copy_from_slice(model.as_bytes());
                let stream: UploadStream = Box::pin(Renamed::new(rest.stream, at, name));
                Some((RequestBody::default(), Some(RestOfBody { stream, length })))
            }
        }
    }

    pub(crate) fn is_spent(&self) -> bool {
        matches!(self.body, UploadBody::Spent)
    }
}

fn renamed(bytes: &Bytes, change: Option<(&str, Range<u64>)>) -> RequestBody {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    let mut body = RequestBody::default();
    match change {
        None => body.push(bytes.clone()),
        Some((model, at)) => {
            body.push(bytes.slice(..place(at.start)));
            body.push(Bytes::copy_from_slice(model.as_bytes()));
            body.push(bytes.slice(place(at.end)..));
        }
    }
    body
}

/// A stream with one range of its bytes exchanged for others.
struct Renamed {
    inner: UploadStream,
    /// Bytes of the inner stream that have passed.
    passed: u64,
    at: Range<u64>,
    /// Emptied when it was put in.
    name: Option<Bytes>,
    ready: VecDeque<Bytes>,
}

impl Renamed {
    fn new(inner: UploadStream, at: Range<u64>, name: Bytes) -> Self {
        Self { inner, passed: 0, at, name: Some(name), ready: VecDeque::new() }
    }

    fn cut(&mut self, piece: &Bytes) {
        let begins = self.passed;
        self.passed += piece.len() as u64;
        let place =
            |at: u64| usize::try_from(at.saturating_sub(begins)).unwrap_or(usize::MAX).min(piece.len());
        let (from, to) = (place(self.at.start), place(self.at.end));
        self.put(piece.slice(..from));
        if self.passed > self.at.start
            && let Some(name) = self.name.take()
        {
            self.put(name);
        }
        self.put(piece.slice(to..));
    }

    fn put(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.ready.push_back(bytes);
        }
    }
}

impl Stream for Renamed {
    type Item = Result<Bytes, UploadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(bytes)));
            }
            match ready!(self.inner.as_mut().poll_next(cx)) {
                Some(Ok(piece)) => self.cut(&piece),
                ended => return Poll::Ready(ended),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces one after the other.
    struct Pieces(VecDeque<Bytes>);

    impl Stream for Pieces {
        type Item = Result<Bytes, UploadError>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Ready(self.0.pop_front().map(Ok))
        }
    }

    async fn read(mut stream: UploadStream) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(piece) = std::future::poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
            all.extend_from_slice(&piece.unwrap());
        }
        all
    }

    #[tokio::test]
    async fn the_name_is_exchanged_however_the_body_is_split() {
        let body = Bytes::from_static(b"before NAME after");
        for by in 1..=body.len() {
            let pieces =
                (0..body.len()).step_by(by).map(|at| body.slice(at..(at + by).min(body.len()))).collect();
            let rest = RestOfBody { stream: Box::pin(Pieces(pieces)), length: Some(body.len() as u64) };
            let content_type = HeaderValue::from_static("multipart/form-data; boundary=x");
            let mut upload = Upload { content_type, model_at: Some(7..11), body: UploadBody::passing(rest) };
            let (_, rest) = upload.take(Some("longer name")).unwrap();
            let rest = rest.unwrap();
            assert_eq!(rest.length, Some(24));
            assert_eq!(read(rest.stream).await, b"before longer name after");
            assert!(upload.is_spent() && upload.take(None).is_none());
        }
    }

    #[test]
    fn what_is_held_may_be_sent_again() {
        let content_type = HeaderValue::from_static("multipart/form-data; boundary=x");
        let body = UploadBody::Whole(Bytes::from_static(b"a M b"));
        let mut upload = Upload { content_type, model_at: Some(2..3), body };
        for (model, expected) in [(Some("new"), "a new b"), (None, "a M b")] {
            assert_eq!(upload.take(model).unwrap().0.to_bytes(), expected);
        }
    }
}

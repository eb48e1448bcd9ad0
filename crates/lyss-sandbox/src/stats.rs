//! What a vendor counts, and what it has seen.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::request::Parts;

#[cfg(test)]
mod tests;

/// A vendor's figures. When nothing is under way, `requests = ok + errors + streams_aborted`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VendorStats {
    /// Heads received.
    pub requests: u64,
    /// Answered whole with a status of success.
    pub ok: u64,
    /// Refused, failed on purpose by a knob, or ended by stopping the vendor.
    pub errors: u64,
    /// Of every answer begun with a status of success.
    pub prompt_tokens: u64,
    /// Said, also by answers that were cut or abandoned.
    pub completion_tokens: u64,
    /// Streams sent to their end. Those cut or failed by a knob are not among them.
    pub streams_completed: u64,
    /// The client went away before the end: in the middle of a stream, or while it waited for an answer.
    pub streams_aborted: u64,
    /// Streamed answers under way (from the request's last byte on).
    pub open_streams: u64,
}

/// A request as it came in. `Debug` shows neither header values nor the body.
#[derive(Clone, PartialEq, Eq)]
pub struct SeenRequest {
    pub method: String,
    /// With the query.
    pub path: String,
    /// Names are lower case; values that are not UTF-8 are shown with replacement characters.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

/// As many requests as a vendor remembers.
const REMEMBERED: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct Counters {
    requests: AtomicU64,
    ok: AtomicU64,
    errors: AtomicU64,
    prompt_tokens: AtomicU64,
    completion_tokens: AtomicU64,
    streams_completed: AtomicU64,
    streams_aborted: AtomicU64,
    open_streams: AtomicU64,
    stopping: AtomicBool,
    /// `None` if nothing is to be remembered.
    seen: Option<Mutex<VecDeque<SeenRequest>>>,
}

/// A request until its outcome is known; dropped before that, its client went away.
#[derive(Debug)]
pub(crate) struct OpenAnswer {
    counters: Arc<Counters>,
    streamed: bool,
    settled: bool,
    said_tokens: u64,
}

impl SeenRequest {
    pub(crate) fn new(parts: &Parts, body: Bytes) -> Self {
        let headers = parts.headers.iter().map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        Self {
            method: parts.method.to_string(),
            path: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
            headers: headers.collect(),
            body,
        }
    }

    /// The first value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for SeenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("SeenRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("headers", &names)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

impl Counters {
    pub(crate) fn new(record: bool) -> Self {
        Self { seen: record.then(Mutex::default), ..Self::default() }
    }

    pub(crate) fn open(self: &Arc<Self>) -> OpenAnswer {
        add(&self.requests, 1);
        OpenAnswer { counters: Arc::clone(self), streamed: false, settled: false, said_tokens: 0 }
    }

    pub(crate) fn stats(&self) -> VendorStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        VendorStats {
            requests: read(&self.requests),
            ok: read(&self.ok),
            errors: read(&self.errors),
            prompt_tokens: read(&self.prompt_tokens),
            completion_tokens: read(&self.completion_tokens),
            streams_completed: read(&self.streams_completed),
            streams_aborted: read(&self.streams_aborted),
            open_streams: read(&self.open_streams),
        }
    }

    /// While stopping, an abandoned answer is our doing, not the client's.
    pub(crate) fn set_stopping(&self, stopping: bool) {
        self.stopping.store(stopping, Ordering::Relaxed);
    }

    pub(crate) fn remember(&self, parts: &Parts, body: &Bytes) {
        if let Some(seen) = &self.seen {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.len() == REMEMBERED {
                seen.pop_front();
            }
            seen.push_back(SeenRequest::new(parts, body.clone()));
        }
    }

    pub(crate) fn remembered(&self) -> Vec<SeenRequest> {
        let seen = self.seen.as_ref().map(|seen| seen.lock().unwrap_or_else(PoisonError::into_inner));
        seen.map(|seen| seen.iter().cloned().collect()).unwrap_or_default()
    }
}

impl OpenAnswer {
    pub(crate) fn streams(&mut self) {
        self.streamed = true;
        add(&self.counters.open_streams, 1);
    }

    pub(crate) fn begins(&self, prompt_tokens: u64) {
        add(&self.counters.prompt_tokens, prompt_tokens);
    }

    /// `tokens` in all until now.
    pub(crate) fn said(&mut self, tokens: usize) {
        self.said_tokens = tokens as u64;
    }

    pub(crate) fn completed(&mut self) {
        if !std::mem::replace(&mut self.settled, true) {
            add(&self.counters.ok, 1);
            add(&self.counters.streams_completed, u64::from(self.streamed));
            self.leave();
        }
    }

    pub(crate) fn failed(&mut self) {
        if !std::mem::replace(&mut self.settled, true) {
            add(&self.counters.errors, 1);
            self.leave();
        }
    }

    fn leave(&self) {
        add(&self.counters.completion_tokens, self.said_tokens);
        if self.streamed {
            self.counters.open_streams.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for OpenAnswer {
    fn drop(&mut self) {
        if !self.settled {
            let stopping = self.counters.stopping.load(Ordering::Relaxed);
            let counter = if stopping { &self.counters.errors } else { &self.counters.streams_aborted };
            add(counter, 1);
            self.leave();
        }
    }
}

fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}

//! The keys of an issuer that publishes them: fetched when needed, kept, renewed.
//!
//! A set is fresh for five minutes and may serve for an hour. In between whoever comes first renews it, and a failure
//! harms nobody. Without a usable set everybody waits for one fetch; when that fails nothing is known about a token,
//! which is not the same as its being invalid. A `kid` that is not in the set asks for a new one, but seldom: anybody
//! can make such a token.

mod jwk;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::lock::Mutex as AsyncMutex;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use lyss_domain::Timestamp;
use lyss_wire::{EncodedRequest, RequestBody, Timers, Transport, TransportError};
use ring::digest::{Digest, SHA256, digest};

use self::jwk::KeySet;
use crate::token::TokenRefusal;
use crate::token::verifying_key::VerifyingKey;

const FRESH: Duration = Duration::from_secs(5 * 60);
const USABLE: Duration = Duration::from_secs(60 * 60);
/// Shortest time between two fetches while there is a set to serve with.
const PAUSE: Duration = Duration::from_secs(10);
/// The same while there is none, or after a fetch whose caller went away.
const SHORT_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_SET: usize = 256 * 1024;
const TIMERS: Timers = Timers {
    connect: Duration::from_secs(2),
    first_byte: Duration::from_secs(5),
    idle: Duration::from_secs(5),
    total: Duration::from_secs(5),
};

/// Why a key set could not be had. Shows nothing of what was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    #[error("the key set could not be fetched: {0}")]
    Transport(#[from] TransportError),
    #[error("the key set was answered with status {0}")]
    Status(u16),
    #[error("the key set is longer than {LONGEST_SET} bytes")]
    TooLong,
    #[error("what was answered is no JSON web key set")]
    Unreadable,
    /// Taken for a failure of the issuer: nobody publishes a set to say that it has no keys.
    #[error("the key set has no key for RS256, ES256 or EdDSA")]
    NoUsableKey,
}

pub(crate) struct KeySetSource {
    url: Uri,
    state: Mutex<State>,
    /// Held by the one fetch that is under way.
    flight: AsyncMutex<()>,
}

pub(crate) struct Found {
    pub(crate) key: Arc<VerifyingKey>,
    /// Of the set the key stands in: another one after the set has changed.
    pub(crate) generation: u64,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    last: Option<Attempt>,
    /// Fetches that came to an end, good or bad.
    finished: u64,
}

struct Held {
    set: Arc<KeySet>,
    digest: Digest,
    fetched_at: Timestamp,
    generation: u64,
}

#[derive(Clone, Copy)]
struct Attempt {
    at: Timestamp,
    outcome: Outcome,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Under way, or given up with the request that made it.
    Open,
    Succeeded,
    Failed,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Fresh,
    Stale,
    Unusable,
}

impl KeySetSource {
    pub(crate) fn new(url: Uri) -> Self {
        Self { url, state: Mutex::default(), flight: AsyncMutex::new(()) }
    }

    pub(crate) fn generation(&self) -> u64 {
        self.state().generation()
    }

    /// The key of this id; without an id the only key of the set.
    pub(crate) async fn find(
        &self,
        kid: Option<&str>,
        now: Timestamp,
        transport: &dyn Transport,
    ) -> Result<Found, TokenRefusal> {
        let standing = self.state().standing(now);
        match standing {
            Standing::Fresh => {}
            // A failure leaves the set that is there.
            Standing::Stale => {
                let _told = self.refresh_due(now, transport).await;
            }
            Standing::Unusable => self.fetch_together(now, transport).await,
        }
        if let Some(found) = self.state().find(kid, now) {
            return Ok(found);
        }
        if standing != Standing::Unusable {
            self.fetch_together(now, transport).await;
        }
        let state = self.state();
        state.find(kid, now).ok_or(if state.knows_for_sure(now) {
            TokenRefusal::UnknownKey
        } else {
            TokenRefusal::Unavailable
        })
    }

    /// Fetches a set that is not fresh, unless somebody does already or the last attempt is too recent.
    pub(crate) async fn refresh_due(
        &self,
        now: Timestamp,
        transport: &dyn Transport,
    ) -> Result<(), KeySetError> {
        let Some(_flight) = self.flight.try_lock() else { return Ok(()) };
        let due = {
            let state = self.state();
            state.standing(now) != Standing::Fresh && state.may_fetch(now)
        };
        if due { self.fetch(now, transport).await } else { Ok(()) }
    }

    /// Waits for the fetch under way, or makes one unless the last is too recent. Its outcome stands in the state.
    async fn fetch_together(&self, now: Timestamp, transport: &dyn Transport) {
        let before = self.state().finished;
        let _flight = self.flight.lock().await;
        let due = {
            let state = self.state();
            state.finished == before && state.may_fetch(now)
        };
        if due {
            // How it went stands in the state, for those who waited too.
            let _told = self.fetch(now, transport).await;
        }
    }

    /// The caller holds the flight.
    async fn fetch(&self, now: Timestamp, transport: &dyn Transport) -> Result<(), KeySetError> {
        self.state().last = Some(Attempt { at: now, outcome: Outcome::Open });
        let fetched = self.download(transport).await.and_then(|body| Ok((KeySet::read(&body)?, body)));
        let mut state = self.state();
        state.finished = state.finished.wrapping_add(1);
        let outcome = if fetched.is_ok() { Outcome::Succeeded } else { Outcome::Failed };
        state.last = Some(Attempt { at: now, outcome });
        let (set, body) = fetched?;
        state.take(set, digest(&SHA256, &body), now);
        Ok(())
    }

    async fn download(&self, transport: &dyn Transport) -> Result<Vec<u8>, KeySetError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let body = RequestBody::from(Bytes::new());
        let request = EncodedRequest::new(Method::GET, self.url.clone(), headers, body);
        let (head, mut chunks) = transport.send(request, TIMERS).await?;
        if head.status != StatusCode::OK {
            return Err(KeySetError::Status(head.status.as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk?;
            if body.len() + chunk.len() > LONGEST_SET {
                return Err(KeySetError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn standing(&self, now: Timestamp) -> Standing {
        match self.held.as_ref().map(|held| apart(now, held.fetched_at)) {
            Some(age) if age < FRESH => Standing::Fresh,
            Some(age) if age < USABLE => Standing::Stale,
            _ => Standing::Unusable,
        }
    }

    fn find(&self, kid: Option<&str>, now: Timestamp) -> Option<Found> {
        if self.standing(now) == Standing::Unusable {
            return None;
        }
        let held = self.held.as_ref()?;
        Some(Found { key: held.set.find(kid)?, generation: held.generation })
    }

    /// Whether a key that is not in the set does not exist: the last look at the issuer succeeded.
    fn knows_for_sure(&self, now: Timestamp) -> bool {
        self.standing(now) != Standing::Unusable
            && self.last.is_some_and(|last| last.outcome == Outcome::Succeeded)
    }

    fn may_fetch(&self, now: Timestamp) -> bool {
        let Some(last) = self.last else { return true };
        let pause = match (last.outcome, self.standing(now)) {
            // Who waits for a first set must not suffer because somebody before them hung up.
            (Outcome::Open, Standing::Unusable) => Duration::ZERO,
            (Outcome::Open, _) | (Outcome::Failed, Standing::Unusable) => SHORT_PAUSE,
            (Outcome::Succeeded | Outcome::Failed, _) => PAUSE,
        };
        apart(now, last.at) >= pause
    }

    /// The same bytes again only make the set younger.
    fn take(&mut self, set: KeySet, digest: Digest, now: Timestamp) {
        let generation = self.generation();
        match &mut self.held {
            Some(held) if held.digest.as_ref() == digest.as_ref() => held.fetched_at = now,
            held => {
                *held = Some(Held {
                    set: Arc::new(set),
                    digest,
                    fetched_at: now,
                    generation: generation.wrapping_add(1),
                });
            }
        }
    }

    fn generation(&self) -> u64 {
        self.held.as_ref().map_or(0, |held| held.generation)
    }
}

/// How far two times are apart, whichever is earlier: a clock that was set back must not keep a set young.
fn apart(one: Timestamp, other: Timestamp) -> Duration {
    one.since(other).max(other.since(one))
}

#[cfg(test)]
mod tests;

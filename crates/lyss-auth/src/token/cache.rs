//! Tokens that were verified a moment ago, so that a busy caller's signature is not computed for each request.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lyss_domain::Timestamp;
use ring::digest;

use super::claims::Claims;

/// Longest time for which a verified token is believed without looking again.
const TTL: Duration = Duration::from_secs(60);
/// Entries in each of the two generations: at most twice as many are held.
const HALF: usize = 2_048;

/// SHA-256 of a whole token. Nothing shorter: who shares a part of somebody's token must not become them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint([u8; 32]);

#[derive(Clone)]
pub(super) struct Verified {
    pub(super) claims: Claims,
    /// Place of the issuer in the configuration.
    pub(super) issuer: usize,
    /// Of the issuer's key set: a set that changed makes the old one's verdicts void.
    pub(super) generation: u64,
    until: Timestamp,
}

#[derive(Default)]
pub(super) struct Cache(Mutex<Generations>);

/// When `young` is full it becomes `old`, and what was old is forgotten: bounded, without looking for a victim.
#[derive(Default)]
struct Generations {
    young: HashMap<Fingerprint, Verified>,
    old: HashMap<Fingerprint, Verified>,
}

impl Fingerprint {
    /// Never `None`: SHA-256 has 32 bytes.
    pub(super) fn of(token: &[u8]) -> Option<Self> {
        digest::digest(&digest::SHA256, token).as_ref().try_into().ok().map(Self)
    }
}

impl Cache {
    pub(super) fn get(&self, token: Fingerprint, now: Timestamp) -> Option<Verified> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = held.young.get(&token).or_else(|| held.old.get(&token))?;
        // A clock that was set back must not make an entry older than it may get.
        (now < found.until && found.until.since(now) <= TTL).then(|| found.clone())
    }

    /// Keeps a verdict until the token expires, at most for a minute.
    pub(super) fn put(
        &self,
        token: Fingerprint,
        issuer: usize,
        generation: u64,
        claims: Claims,
        now: Timestamp,
    ) {
        let until = claims.expires_at.min(now.after(TTL));
        if until <= now {
            return;
        }
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.young.len() >= HALF {
            held.old = std::mem::take(&mut held.young);
        }
        held.young.insert(token, Verified { claims, issuer, generation, until });
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.young.len() + held.old.len()
    }
}

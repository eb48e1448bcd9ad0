//! `Idempotency-Key`: a request that is sent again is answered as the first time, and done once.
//!
//! An answer may hold a key's one showing, so it rests sealed under the active master key. A claim belongs to whoever
//! made it: the same text from another principal is another claim.

use std::time::Duration;

use lyss_auth::Principal;
use lyss_domain::{Caller, IdempotencyRecord, Secret, TenantScope};
use lyss_repositories::IdempotencyClaim;
use lyss_vault::digest;

use crate::{Management, ManagementError, system};

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// How long a use-case may be under way. One whose process died frees its key by this; none takes so long.
const UNDER_WAY: Duration = Duration::from_secs(60);

/// What a claim found.
pub enum Once {
    /// Nobody used the key: go on, then `finish_once`, or `release_once` where the request failed.
    Fresh(Claim),
    /// Done before: answer this.
    Answered { status: u16, body: Vec<u8> },
    /// The first request is still under way.
    UnderWay,
    /// The key was used for another request.
    OtherRequest,
}

/// A key that was taken.
#[derive(Debug)]
pub struct Claim {
    scope: TenantScope,
    record: IdempotencyRecord,
}

/// What tells a request from another: SHA-256 over its parts, each preceded by its length.
pub fn fingerprint(parts: &[&[u8]]) -> [u8; 32] {
    let mut framed = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        framed.extend_from_slice(&(part.len() as u64).to_be_bytes());
        framed.extend_from_slice(part);
    }
    digest(&framed)
}

impl Management {
    /// Takes `key`, the header's value, for a request whose method, path and body give `fingerprint`. `scope` is `None`
    /// for what a platform administrator does above all tenants.
    pub async fn claim_once(
        &self,
        scope: Option<&TenantScope>,
        principal: &Principal,
        key: &str,
        fingerprint: [u8; 32],
    ) -> Result<Once, ManagementError> {
        if !(1..=255).contains(&key.len()) || !key.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
            return Err(ManagementError::invalid("Idempotency-Key", "must be 1 to 255 visible characters"));
        }
        let scope = scope.copied().unwrap_or_else(system::nobodys_chain);
        let key = digest(format!("{}\n{key}", principal.name).as_bytes());
        self.claim(scope, key, fingerprint, UNDER_WAY).await
    }

    /// The same for a proxied call, which may be under way for `under_way`: until then, nobody else makes it.
    pub async fn claim_call_once(
        &self,
        caller: &Caller,
        key: &str,
        fingerprint: [u8; 32],
        under_way: Duration,
    ) -> Result<Once, ManagementError> {
        // No principal's name begins with a line's end, so the keys of the two are apart.
        let key = digest(format!("\ncall {}\n{key}", caller.key()).as_bytes());
        self.claim(caller.scope(), key, fingerprint, under_way).await
    }

    async fn claim(
        &self,
        scope: TenantScope,
        key: [u8; 32],
        fingerprint: [u8; 32],
        under_way: Duration,
    ) -> Result<Once, ManagementError> {
        let key = hex::encode(key);
        let now = self.clock.now();
        let record = IdempotencyRecord {
            tenant: scope.tenant(),
            key: key.clone(),
            fingerprint,
            answer: None,
            created_at: now,
            expires_at: now.after(under_way),
        };
        let mut work = self.store.begin().await?;
        let claim = work.idempotency().claim(&scope, &record).await?;
        let seen = match claim {
            IdempotencyClaim::Fresh => {
                work.commit(None).await?;
                return Ok(Once::Fresh(Claim { scope, record }));
            }
            IdempotencyClaim::Seen(seen) => seen,
        };
        if seen.fingerprint != fingerprint {
            return Ok(Once::OtherRequest);
        }
        match seen.answer {
            None => Ok(Once::UnderWay),
            Some((status, sealed)) => {
                let body = self.open_answer(&scope, &key, &sealed).map_err(|_| {
                    // Its master key was taken away within the day.
                    ManagementError::conflict(
                        "Idempotency-Key",
                        "was used, and its answer cannot be opened any more",
                    )
                })?;
                Ok(Once::Answered { status, body })
            }
        }
    }

    /// Keeps the answer of a request that was done.
    pub async fn finish_once(&self, claim: Claim, status: u16, body: &[u8]) -> Result<(), ManagementError> {
        let secret = Secret::new(body.to_vec());
        let sealed = self.vault.seal_for_import(
            &claim.scope.tenant().to_string(),
            &purpose(&claim.record.key),
            &secret,
        )?;
        let mut work = self.store.begin().await?;
        let expires_at = self.clock.now().after(KEPT);
        let answer = (status, sealed.as_bytes());
        work.idempotency().finish(&claim.scope, &claim.record, answer, expires_at).await?;
        work.commit(None).await?;
        Ok(())
    }

    /// Gives the key back: the request failed and may be sent again.
    pub async fn release_once(&self, claim: Claim) -> Result<(), ManagementError> {
        let mut work = self.store.begin().await?;
        work.idempotency().release(&claim.scope, &claim.record).await?;
        work.commit(None).await?;
        Ok(())
    }

    /// Forgets answers that are older than they are kept; answers how many. To be called now and then.
    pub async fn sweep_once(&self) -> Result<u64, ManagementError> {
        let mut work = self.store.begin().await?;
        let gone = work.idempotency().sweep(self.clock.now()).await?;
        work.commit(None).await?;
        Ok(gone)
    }

    #[expect(clippy::disallowed_methods, reason = "an answer is sealed only while it rests")]
    fn open_answer(&self, scope: &TenantScope, key: &str, sealed: &[u8]) -> Result<Vec<u8>, ManagementError> {
        let text = String::from_utf8_lossy(sealed);
        let opened = self.vault.open_import(&scope.tenant().to_string(), &purpose(key), &text)?;
        Ok(opened.expose().to_vec())
    }
}

/// Sealed answers share the sub-key of `seal`, whose second field is an address; no address looks like this.
fn purpose(key: &str) -> String {
    format!("idempotency {key}")
}

#[cfg(test)]
mod tests;

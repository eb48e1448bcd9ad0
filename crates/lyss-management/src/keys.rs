//! Virtual keys: made, changed, rotated, revoked. Their text is shown once, by whoever made or rotated them.

mod fields;
mod grants;

use std::time::Duration;

use lyss_domain::{
    ChannelId, KeyDigest, KeyId, KeyLimits, KeyScope, PreviousDigest, Secret, Strategy, TenantScope,
    Timestamp, VirtualKey,
};
use lyss_repositories::{KeyFilter, KeySort, Listing, Paged, UnitOfWork};
use lyss_vault::{mac, random};

use crate::audit::detail;
use crate::change::{Change, Done, fresh};
use crate::error::{Fields, Noun};
use crate::{Acting, Management, ManagementError};

/// The longest time that a rotated key's old text goes on working.
pub const MAX_OVERLAP: Duration = Duration::from_secs(7 * 24 * 3600);

/// What a virtual key is made from; with only a name it may call every model of its tenant, and nothing else.
#[derive(Clone, Debug)]
pub struct KeyDraft {
    pub name: String,
    pub scopes: Vec<KeyScope>,
    pub models: Vec<String>,
    pub channels: Vec<ChannelId>,
    pub tags: Vec<String>,
    /// Networks in CIDR form, or single addresses.
    pub allowed_ips: Vec<String>,
    pub limits: KeyLimits,
    pub strategy: Option<Strategy>,
    pub may_steer: bool,
    pub expires_at: Option<Timestamp>,
}

/// A merge patch: `None` leaves a field, `Some(None)` removes it or brings back its default.
#[derive(Clone, Debug, Default)]
pub struct KeyChange {
    pub name: Option<String>,
    pub scopes: Option<Option<Vec<KeyScope>>>,
    pub models: Option<Option<Vec<String>>>,
    pub channels: Option<Option<Vec<ChannelId>>>,
    pub tags: Option<Option<Vec<String>>>,
    pub allowed_ips: Option<Option<Vec<String>>>,
    pub limits: Option<Option<KeyLimitsChange>>,
    pub strategy: Option<Option<Strategy>>,
    pub may_steer: Option<Option<bool>>,
    pub expires_at: Option<Option<Timestamp>>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct KeyLimitsChange {
    pub requests_per_minute: Option<Option<u32>>,
    pub tokens_per_minute: Option<Option<u32>>,
}

/// A key and its one showing.
pub struct IssuedKey {
    pub key: VirtualKey,
    pub text: Secret,
}

impl KeyDraft {
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            scopes: vec![KeyScope::Proxy],
            models: Vec::new(),
            channels: Vec::new(),
            tags: Vec::new(),
            allowed_ips: Vec::new(),
            limits: KeyLimits::default(),
            strategy: None,
            may_steer: false,
            expires_at: None,
        }
    }
}

impl Management {
    pub async fn key(&self, scope: &TenantScope, id: KeyId) -> Result<VirtualKey, ManagementError> {
        let found = self.store.read().await?.keys().get(scope, id).await?;
        found.ok_or(ManagementError::NotFound(Noun::Key))
    }

    pub async fn list_keys(
        &self,
        scope: &TenantScope,
        listing: &Listing<KeyFilter, KeySort>,
    ) -> Result<Paged<VirtualKey>, ManagementError> {
        Ok(self.store.read().await?.keys().list(scope, listing).await?)
    }

    pub async fn create_key(
        &self,
        acting: &Acting<'_>,
        draft: KeyDraft,
    ) -> Result<IssuedKey, ManagementError> {
        let change = self.begin(acting).await?;
        self.make_key(change, acting, draft).await
    }

    pub async fn change_key(
        &self,
        acting: &Acting<'_>,
        id: KeyId,
        expected: Option<i64>,
        patch: KeyChange,
    ) -> Result<VirtualKey, ManagementError> {
        let mut change = self.begin(acting).await?;
        let before = stored(&mut *change.work, &acting.scope, id, expected).await?;
        let mut after = before.clone();
        fields::apply(&mut after, patch);
        if after == before {
            return Ok(before);
        }
        self.check_key(&mut *change.work, acting, Some(&before), &after).await?;
        self.write_key(change, acting, "key.update", before, after).await
    }

    /// A new text for the same key. The old one goes on working for `overlap`, at most [`MAX_OVERLAP`].
    pub async fn rotate_key(
        &self,
        acting: &Acting<'_>,
        id: KeyId,
        overlap: Duration,
    ) -> Result<IssuedKey, ManagementError> {
        if overlap > MAX_OVERLAP {
            let reason = format!("must be between 0 and {}", MAX_OVERLAP.as_secs());
            return Err(ManagementError::invalid("overlap_seconds", reason));
        }
        let mut change = self.begin(acting).await?;
        let before = stored(&mut *change.work, &acting.scope, id, None).await?;
        if before.revoked_at.is_some() {
            return Err(ManagementError::conflict("revoked_at", "a revoked key cannot be rotated"));
        }
        grants::check(&mut *change.work, acting, &[&before]).await?;
        let text = lyss_auth::mint(random()?);
        let mut after = before.clone();
        self.give_text(&mut after, &text, overlap);
        let key = self.write_key(change, acting, "key.rotate", before, after).await?;
        Ok(IssuedKey { key, text })
    }

    /// Stops a key for good, but keeps it in the lists. A key that is revoked already stays as it is.
    pub async fn revoke_key(&self, acting: &Acting<'_>, id: KeyId) -> Result<VirtualKey, ManagementError> {
        let mut change = self.begin(acting).await?;
        let before = stored(&mut *change.work, &acting.scope, id, None).await?;
        grants::check(&mut *change.work, acting, &[&before]).await?;
        if before.revoked_at.is_some() {
            return Ok(before);
        }
        let after = VirtualKey { revoked_at: Some(self.clock.now()), ..before.clone() };
        self.write_key(change, acting, "key.revoke", before, after).await
    }

    /// With the policies about it.
    pub async fn delete_key(
        &self,
        acting: &Acting<'_>,
        id: KeyId,
        expected: Option<i64>,
    ) -> Result<(), ManagementError> {
        let mut change = self.begin(acting).await?;
        let before = stored(&mut *change.work, &acting.scope, id, expected).await?;
        grants::check(&mut *change.work, acting, &[&before]).await?;
        change.work.keys().delete(&acting.scope, id).await?;
        let detail = detail::change(Some(detail::key(&before)), None);
        self.conclude(change, acting, done("key.delete", &before, detail)).await
    }

    /// Makes a key, or gives the one of the same name this shape and a new text, the old one ending at once: for programs
    /// that set up what they need and may run again.
    pub async fn put_key(&self, acting: &Acting<'_>, draft: KeyDraft) -> Result<IssuedKey, ManagementError> {
        let mut change = self.begin(acting).await?;
        let Some(before) = change.work.keys().by_name(&acting.scope, &draft.name).await? else {
            return self.make_key(change, acting, draft).await;
        };
        let text = lyss_auth::mint(random()?);
        let mut after = before.clone();
        fields::replace(&mut after, draft);
        after.revoked_at = None;
        self.give_text(&mut after, &text, Duration::ZERO);
        self.check_key(&mut *change.work, acting, Some(&before), &after).await?;
        let key = self.write_key(change, acting, "key.rotate", before, after).await?;
        Ok(IssuedKey { key, text })
    }

    async fn make_key(
        &self,
        mut change: Change,
        acting: &Acting<'_>,
        draft: KeyDraft,
    ) -> Result<IssuedKey, ManagementError> {
        let text = lyss_auth::mint(random()?);
        let (millis, random) = self.id_parts()?;
        let id = KeyId::from_parts(millis, &random);
        let digest = self.key_digest(&text);
        let mut key = fields::blank(id, acting.scope.tenant(), digest, self.clock.now());
        key.hint = lyss_auth::key_hint(&text);
        fields::replace(&mut key, draft);
        self.check_key(&mut *change.work, acting, None, &key).await?;
        change.work.keys().create(&acting.scope, &key).await?;
        let detail = detail::change(None, Some(detail::key(&key)));
        self.conclude(change, acting, done("key.create", &key, detail)).await?;
        Ok(IssuedKey { key, text })
    }

    async fn write_key(
        &self,
        mut change: Change,
        acting: &Acting<'_>,
        action: &'static str,
        before: VirtualKey,
        mut after: VirtualKey,
    ) -> Result<VirtualKey, ManagementError> {
        after.updated_at = self.clock.now();
        after.version = before.version + 1;
        change.work.keys().update(&acting.scope, &after, before.version).await?;
        let detail = detail::change(Some(detail::key(&before)), Some(detail::key(&after)));
        self.conclude(change, acting, done(action, &after, detail)).await?;
        Ok(after)
    }

    /// Fields first, then whether the actor may give away what the key has and had.
    async fn check_key(
        &self,
        work: &mut dyn UnitOfWork,
        acting: &Acting<'_>,
        before: Option<&VirtualKey>,
        after: &VirtualKey,
    ) -> Result<(), ManagementError> {
        let mut fields = Fields::default();
        fields::check(&mut fields, before, after, self.clock.now());
        for channel in &after.channels {
            if fields.reason("channels").is_none()
                && work.channels().get(&acting.scope, *channel).await?.is_none()
            {
                fields.refuse("channels", format!("there is no channel {channel}"));
            }
        }
        fields.check()?;
        match before {
            Some(before) => grants::check(work, acting, &[before, after]).await?,
            None => grants::check(work, acting, &[after]).await?,
        }
        let namesake = work.keys().by_name(&acting.scope, &after.name).await?;
        if namesake.is_some_and(|other| other.id != after.id) {
            return Err(ManagementError::conflict("name", "is already in use"));
        }
        Ok(())
    }

    /// One former text at most goes on working: a second rotation ends the first one's overlap.
    fn give_text(&self, key: &mut VirtualKey, text: &Secret, overlap: Duration) {
        let valid_until = self.clock.now().after(overlap);
        let former = PreviousDigest { digest: key.digest, valid_until };
        key.previous = (!overlap.is_zero()).then_some(former);
        key.digest = self.key_digest(text);
        key.hint = lyss_auth::key_hint(text);
    }

    #[expect(clippy::disallowed_methods, reason = "a virtual key is digested where it is made")]
    fn key_digest(&self, text: &Secret) -> KeyDigest {
        KeyDigest(mac(&self.key_digests, &[text.expose()]))
    }
}

async fn stored(
    work: &mut dyn UnitOfWork,
    scope: &TenantScope,
    id: KeyId,
    expected: Option<i64>,
) -> Result<VirtualKey, ManagementError> {
    let key = work.keys().get(scope, id).await?.ok_or(ManagementError::NotFound(Noun::Key))?;
    fresh(expected, key.version)?;
    Ok(key)
}

fn done(action: &'static str, key: &VirtualKey, detail: String) -> Done {
    Done { action, target: format!("key:{}", key.id), detail }
}

#[cfg(test)]
mod tests;

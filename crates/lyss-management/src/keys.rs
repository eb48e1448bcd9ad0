//! Virtual keys.

use lyss_domain::{KeyDigest, KeyId, KeyLimits, KeyScope, Secret, TenantScope, VirtualKey};
use lyss_vault::{mac, random};

use crate::audit::Done;
use crate::{Actor, Management, ManagementError};

/// What a virtual key is made from; with only a name it may call every model of its tenant, and nothing else.
#[derive(Clone, Debug)]
pub struct KeyDraft {
    pub name: String,
    pub limits: KeyLimits,
    pub may_steer: bool,
}

/// A key and its one showing.
pub struct IssuedKey {
    pub key: VirtualKey,
    pub text: Secret,
}

impl Management {
    /// Makes a key. One of the same name is replaced: its old text stops working at once.
    pub async fn issue_key(
        &self,
        scope: &TenantScope,
        actor: &Actor,
        draft: KeyDraft,
    ) -> Result<IssuedKey, ManagementError> {
        if draft.name.is_empty() || draft.name.len() > 128 {
            return Err(ManagementError::invalid("name", "must be 1 to 128 bytes"));
        }
        let text = lyss_auth::mint(random()?);
        let now = self.clock.now();
        let (millis, id_random) = self.id_parts()?;
        let mut work = self.store.begin().await?;
        let before = work.keys().by_name(scope, &draft.name).await?;
        let key = VirtualKey {
            id: before.as_ref().map_or_else(|| KeyId::from_parts(millis, &id_random), |key| key.id),
            tenant: scope.tenant(),
            name: draft.name,
            digest: self.key_digest(&text),
            previous: None,
            hint: lyss_auth::key_hint(&text),
            scopes: vec![KeyScope::Proxy],
            models: Vec::new(),
            channels: Vec::new(),
            tags: Vec::new(),
            allowed_ips: Vec::new(),
            limits: draft.limits,
            strategy: None,
            may_steer: draft.may_steer,
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
            created_at: before.as_ref().map_or(now, |key| key.created_at),
            updated_at: now,
            version: before.as_ref().map_or(1, |key| key.version + 1),
        };
        let action = match &before {
            Some(before) => {
                work.keys().update(scope, &key, before.version).await?;
                "key.rotate"
            }
            None => {
                work.keys().create(scope, &key).await?;
                "key.create"
            }
        };
        let target = format!("key:{}", key.id);
        let done = Done { action, target, detail: format!(r#"{{"version":{}}}"#, key.version) };
        self.conclude(work, scope, actor, done).await?;
        Ok(IssuedKey { key, text })
    }

    #[expect(clippy::disallowed_methods, reason = "a virtual key is digested where it is made")]
    fn key_digest(&self, text: &Secret) -> KeyDigest {
        KeyDigest(mac(&self.key_digests, &[text.expose()]))
    }
}

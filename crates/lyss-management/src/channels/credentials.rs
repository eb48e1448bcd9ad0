//! A channel's credential: given, kept, sealed anew or dropped. It is sealed under the one address it may be sent to, and
//! is never combined with another: who moves a channel enters its key again.

use lyss_adapters::preset::{self, ResolveError};
use lyss_adapters::target::{Target, can_carry};
use lyss_domain::{AuthScheme, Channel, SealedCredential, Secret, TenantScope};
use lyss_repositories::UnitOfWork;
use lyss_vault::{CredentialBinding, VaultError, hint};

use super::{CredentialsDraft, Kept};
use crate::error::Fields;
use crate::{Management, ManagementError};

const MAX_KEY_LEN: usize = 8 << 10;

/// Where a channel is sent, and whether it needs a key there.
pub(crate) struct Place {
    pub(crate) target: Target,
    pub(crate) takes_key: bool,
}

/// A channel about to be written.
#[derive(Clone, Copy)]
pub(super) struct Turn<'a> {
    pub(super) scope: &'a TenantScope,
    pub(super) before: Option<&'a Kept>,
    pub(super) channel: &'a Channel,
}

/// What becomes of the stored credential.
pub(super) enum Fate {
    Keep,
    Drop,
    /// Sealed for this origin.
    Seal(String, Secret),
}

impl Management {
    pub(super) async fn decide_credential(
        &self,
        fields: &mut Fields,
        work: &mut dyn UnitOfWork,
        turn: Turn<'_>,
        given: Option<CredentialsDraft>,
    ) -> Result<Fate, ManagementError> {
        let place = match fields.reason("provider_id") {
            Some(_) => None,
            None => place(fields, work, turn.scope, turn.channel).await?,
        };
        let given = match given {
            Some(CredentialsDraft::Plain(secret)) => Some(("credentials.api_key", secret)),
            Some(CredentialsDraft::Sealed(text)) => {
                let Some(place) = &place else { return Ok(Fate::Keep) };
                let opened = self.open_import(fields, work, turn.scope, place, &text).await?;
                let Some(secret) = opened else { return Ok(Fate::Keep) };
                Some(("encrypted_credentials", secret))
            }
            None => None,
        };
        if let Some((field, secret)) = &given
            && (secret.is_empty() || secret.len() > MAX_KEY_LEN || !can_carry(secret))
        {
            fields.refuse(*field, format!("must be 1 to {MAX_KEY_LEN} bytes that a header can carry"));
        }
        let Some(place) = place else { return Ok(Fate::Keep) };
        match given {
            Some((_, secret)) => Ok(Fate::Seal(place.target.origin().to_owned(), secret)),
            None => self.carry_over(fields, work, turn, &place).await,
        }
    }

    /// No credential was given: the stored one stays good for the same origin, and for no other.
    async fn carry_over(
        &self,
        fields: &mut Fields,
        work: &mut dyn UnitOfWork,
        turn: Turn<'_>,
        place: &Place,
    ) -> Result<Fate, ManagementError> {
        let Turn { scope, before, channel } = turn;
        let was = before.map(|kept| &kept.channel);
        let moved =
            was.is_none_or(|was| was.provider != channel.provider || was.api_base != channel.api_base);
        let stored = before.and_then(|kept| kept.credential.as_ref());
        match (stored, was) {
            _ if !moved => Ok(Fate::Keep),
            _ if !place.takes_key => Ok(Fate::Drop),
            (Some(sealed), Some(was)) if sealed.origin == place.target.origin() => {
                if was.provider == channel.provider {
                    return Ok(Fate::Keep);
                }
                // The provider's name is bound too: the same address under another name needs another seal.
                let secret = self.open_stored(work, scope, was, sealed).await?;
                Ok(Fate::Seal(sealed.origin.clone(), secret))
            }
            (Some(_), _) => {
                fields.refuse("credentials", "must be given again: the channel's address has changed");
                Ok(Fate::Keep)
            }
            (None, _) => {
                fields.refuse("credentials", "are required: this provider takes a key");
                Ok(Fate::Keep)
            }
        }
    }

    /// Puts the decision into effect; answers the credential that is stored now.
    pub(super) async fn settle_credential(
        &self,
        work: &mut dyn UnitOfWork,
        scope: &TenantScope,
        channel: &Channel,
        stored: Option<SealedCredential>,
        fate: Fate,
    ) -> Result<Option<SealedCredential>, ManagementError> {
        match fate {
            Fate::Keep => Ok(stored),
            Fate::Drop => {
                work.credentials().delete(scope, channel.id).await?;
                Ok(None)
            }
            Fate::Seal(origin, secret) => {
                let version = stored.map_or(1, |stored| stored.version + 1);
                let (data_key_version, key) = self.newest_data_key(work, scope).await?;
                let binding = CredentialBinding {
                    tenant: scope.tenant(),
                    channel: channel.id,
                    provider: channel.provider.as_str(),
                    origin: &origin,
                    data_key_version,
                    credential_version: version,
                };
                let sealed = SealedCredential {
                    tenant: scope.tenant(),
                    channel: channel.id,
                    version,
                    data_key_version,
                    sealed: self.vault.seal_credential(&key, &binding, &secret)?,
                    hint: hint(&secret),
                    origin,
                };
                work.credentials().put(scope, &sealed).await?;
                Ok(Some(sealed))
            }
        }
    }

    /// The stored key of a channel, under the address it is bound to.
    pub(crate) async fn open_stored(
        &self,
        work: &mut dyn UnitOfWork,
        scope: &TenantScope,
        channel: &Channel,
        sealed: &SealedCredential,
    ) -> Result<Secret, ManagementError> {
        let keys = work.tenant_keys().list(scope).await?;
        let stored = keys.into_iter().find(|key| key.version == sealed.data_key_version);
        let key = self.open_data_key(scope, stored.ok_or(VaultError::Refused)?)?;
        let binding = CredentialBinding {
            tenant: scope.tenant(),
            channel: channel.id,
            provider: channel.provider.as_str(),
            origin: &sealed.origin,
            data_key_version: sealed.data_key_version,
            credential_version: sealed.version,
        };
        Ok(self.vault.open_credential(&key, &binding, &sealed.sealed)?)
    }

    /// Opens what `lyss-provider seal` made. It is bound to the tenant as its maker wrote it: by slug or by id.
    async fn open_import(
        &self,
        fields: &mut Fields,
        work: &mut dyn UnitOfWork,
        scope: &TenantScope,
        place: &Place,
        text: &str,
    ) -> Result<Option<Secret>, ManagementError> {
        let tenant = work.tenants().get(scope.tenant()).await?;
        let names = [tenant.map(|tenant| tenant.slug), Some(scope.tenant().to_string())];
        let mut reason = VaultError::Refused;
        for name in names.into_iter().flatten() {
            match self.vault.open_import(&name, place.target.origin(), text) {
                Ok(secret) => return Ok(Some(secret)),
                Err(error) => reason = error,
            }
        }
        let reason = match reason {
            VaultError::Refused => "was sealed for another tenant or another address than this".to_owned(),
            reason => reason.to_string(),
        };
        fields.refuse("encrypted_credentials", reason);
        Ok(None)
    }
}

/// Refuses the field that leaves a channel without an address.
pub(crate) async fn place(
    fields: &mut Fields,
    work: &mut dyn UnitOfWork,
    scope: &TenantScope,
    channel: &Channel,
) -> Result<Option<Place>, ManagementError> {
    let own = work.providers().get(scope, &channel.provider).await?;
    let base = channel.api_base.as_deref();
    let resolved = match preset::resolve(channel.provider.as_str(), own.as_ref(), base) {
        Ok(resolved) => resolved,
        Err(error) => {
            let field = match error {
                ResolveError::UnknownProvider => "provider_id",
                ResolveError::NoAddress => "api_base",
            };
            fields.refuse(field, error.to_string());
            return Ok(None);
        }
    };
    match resolved.target(channel.api_version.as_deref()) {
        Ok(target) => Ok(Some(Place { target, takes_key: resolved.auth != AuthScheme::None })),
        Err(error) => {
            fields.refuse("api_base", error.to_string());
            Ok(None)
        }
    }
}

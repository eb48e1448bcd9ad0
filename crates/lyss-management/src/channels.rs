//! Channels and their credentials.

use std::collections::BTreeMap;

use lyss_adapters::preset::{self, ResolveError};
use lyss_domain::{
    Channel, ChannelId, ChannelLimits, ChannelState, ChannelTimeouts, ProviderSlug, SealedCredential, Secret,
    TenantScope,
};
use lyss_repositories::{Listing, Page, UnitOfWork};
use lyss_vault::{CredentialBinding, hint};

use crate::audit::Done;
use crate::{Actor, Management, ManagementError};

/// What a channel is made from.
#[derive(Clone, Debug)]
pub struct ChannelDraft {
    pub name: String,
    pub provider: ProviderSlug,
    /// `None`: the provider's own address.
    pub api_base: Option<String>,
    pub supported_models: Vec<String>,
    pub model_mapping: BTreeMap<String, String>,
    pub weight: u32,
    pub priority: i32,
    pub limits: ChannelLimits,
    pub timeouts: ChannelTimeouts,
    pub tags: Vec<String>,
    pub api_version: Option<String>,
}

impl ChannelDraft {
    /// Weight 1, priority 0, no limits.
    pub fn new(name: &str, provider: ProviderSlug) -> Self {
        Self {
            name: name.to_owned(),
            provider,
            api_base: None,
            supported_models: Vec::new(),
            model_mapping: BTreeMap::new(),
            weight: 1,
            priority: 0,
            limits: ChannelLimits::default(),
            timeouts: ChannelTimeouts::default(),
            tags: Vec::new(),
            api_version: None,
        }
    }
}

impl Management {
    /// Makes a channel, or gives the one of the same name this shape; either way the credential is sealed anew under
    /// the address it may be sent to.
    pub async fn put_channel(
        &self,
        scope: &TenantScope,
        actor: &Actor,
        draft: ChannelDraft,
        credential: &Secret,
    ) -> Result<Channel, ManagementError> {
        if draft.name.is_empty() || draft.name.len() > 128 {
            return Err(ManagementError::invalid("name", "must be 1 to 128 bytes"));
        }
        if draft.weight > 1_000_000 {
            return Err(ManagementError::invalid("weight", "must be between 0 and 1000000"));
        }
        if credential.is_empty() {
            return Err(ManagementError::invalid("credentials", "must not be empty"));
        }
        let mut work = self.store.begin().await?;
        let origin = origin(&mut *work, scope, &draft).await?;
        let before = work.channels().by_name(scope, &draft.name).await?;
        let channel = self.shape(scope, draft, before.as_ref())?;
        let action = match &before {
            Some(before) => {
                work.channels().update(scope, &channel, before.version).await?;
                "channel.update"
            }
            None => {
                work.channels().create(scope, &channel).await?;
                "channel.create"
            }
        };
        self.seal(&mut *work, scope, &channel, origin, credential).await?;
        let done = Done {
            action,
            target: format!("channel:{}", channel.id),
            detail: format!(r#"{{"provider":"{}","version":{}}}"#, channel.provider, channel.version),
        };
        self.conclude(work, scope, actor, done).await?;
        Ok(channel)
    }

    /// Takes a channel out of service.
    pub async fn disable_channel(
        &self,
        scope: &TenantScope,
        actor: &Actor,
        id: ChannelId,
    ) -> Result<(), ManagementError> {
        let mut work = self.store.begin().await?;
        let Some(mut channel) = work.channels().get(scope, id).await? else { return Ok(()) };
        if channel.state == ChannelState::Disabled {
            return Ok(());
        }
        let expected = channel.version;
        channel.state = ChannelState::Disabled;
        channel.version = expected + 1;
        channel.updated_at = self.clock.now();
        work.channels().update(scope, &channel, expected).await?;
        let target = format!("channel:{id}");
        self.conclude(work, scope, actor, Done { action: "channel.disable", target, detail: "{}".to_owned() })
            .await
    }

    /// Every channel of a tenant, by name.
    pub async fn all_channels(&self, scope: &TenantScope) -> Result<Vec<Channel>, ManagementError> {
        let listing = Listing::of(Page { number: 1, size: 200 });
        Ok(self.store.read().await?.channels().list(scope, &listing).await?.items)
    }

    fn shape(
        &self,
        scope: &TenantScope,
        draft: ChannelDraft,
        before: Option<&Channel>,
    ) -> Result<Channel, ManagementError> {
        let now = self.clock.now();
        let (millis, random) = self.id_parts()?;
        Ok(Channel {
            id: before.map_or_else(|| ChannelId::from_parts(millis, &random), |channel| channel.id),
            tenant: scope.tenant(),
            name: draft.name,
            provider: draft.provider,
            api_base: draft.api_base,
            supported_models: draft.supported_models,
            model_mapping: draft.model_mapping,
            weight: draft.weight,
            priority: draft.priority,
            limits: draft.limits,
            timeouts: draft.timeouts,
            max_retries: None,
            state: ChannelState::Enabled,
            tags: draft.tags,
            group: None,
            api_version: draft.api_version,
            deployment_map: BTreeMap::new(),
            created_at: before.map_or(now, |channel| channel.created_at),
            updated_at: now,
            version: before.map_or(1, |channel| channel.version + 1),
        })
    }

    async fn seal(
        &self,
        work: &mut dyn UnitOfWork,
        scope: &TenantScope,
        channel: &Channel,
        origin: String,
        credential: &Secret,
    ) -> Result<(), ManagementError> {
        let (data_key_version, key) = self.newest_data_key(work, scope).await?;
        let before = work.credentials().get(scope, channel.id).await?;
        let version = before.map_or(1, |stored| stored.version + 1);
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
            sealed: self.vault.seal_credential(&key, &binding, credential)?,
            hint: hint(credential),
            origin,
        };
        work.credentials().put(scope, &sealed).await?;
        Ok(())
    }
}

/// The address a channel's credential may be sent to. Fails where the channel could never be addressed.
async fn origin(
    work: &mut dyn UnitOfWork,
    scope: &TenantScope,
    draft: &ChannelDraft,
) -> Result<String, ManagementError> {
    let own = work.providers().get(scope, &draft.provider).await?;
    let resolved = preset::resolve(draft.provider.as_str(), own.as_ref(), draft.api_base.as_deref())
        .map_err(|error| {
            let field = match error {
                ResolveError::UnknownProvider => "provider_id",
                ResolveError::NoAddress => "api_base",
            };
            ManagementError::invalid(field, error.to_string())
        })?;
    let target = resolved.target(draft.api_version.as_deref())?;
    Ok(target.origin().to_owned())
}

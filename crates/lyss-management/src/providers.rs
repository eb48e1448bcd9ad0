//! Providers: the system's presets, which are read only, and a tenant's own, which override presets of the same slug.

mod catalogue;
mod rows;

use lyss_adapters::preset::{Preset, preset, preset_of};
use lyss_domain::{AuthScheme, Provider, ProviderKind, ProviderSlug, TenantScope, Timestamp};
use lyss_repositories::{ChannelFilter, Listing, Paged, ProviderFilter, ProviderSort, UnitOfWork};

use crate::audit::detail;
use crate::change::{Done, MapChange, fresh, merge, set, set_or_reset};
use crate::error::{Fields, Noun};
use crate::{Acting, Management, ManagementError, channels};

/// What a tenant's own provider is made from.
#[derive(Clone, Debug)]
pub struct ProviderDraft {
    /// Its id. One that a preset has overrides it for this tenant.
    pub slug: String,
    pub name: String,
    /// `None`: the preset's of that slug, else `openai_compatible`.
    pub kind: Option<ProviderKind>,
    /// `None`: the preset's, where it has one.
    pub api_base: Option<String>,
    /// Empty: the preset's.
    pub supported_models: Vec<String>,
    /// Sent with every request; never a credential.
    pub headers: Vec<(String, String)>,
    /// `None`: the preset's.
    pub auth: Option<AuthScheme>,
}

/// A merge patch: `None` leaves a field, `Some(None)` brings back the preset's, or nothing.
#[derive(Clone, Debug, Default)]
pub struct ProviderChange {
    pub name: Option<String>,
    pub kind: Option<ProviderKind>,
    pub api_base: Option<Option<String>>,
    pub supported_models: Option<Option<Vec<String>>>,
    pub headers: Option<Option<MapChange<String>>>,
    pub auth: Option<Option<AuthScheme>>,
}

/// A line of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderView {
    pub slug: ProviderSlug,
    pub name: String,
    pub kind: ProviderKind,
    /// `None`: every customer has an address of their own, so each channel gives it.
    pub api_base: Option<String>,
    pub supported_models: Vec<String>,
    pub headers: Vec<(String, String)>,
    pub auth: AuthScheme,
    /// `None`: a preset, which cannot be changed.
    pub own: Option<OwnRow>,
}

/// What only a stored provider has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnRow {
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: i64,
}

impl Management {
    /// The tenant's own provider, else the preset.
    pub async fn provider(&self, scope: &TenantScope, slug: &str) -> Result<ProviderView, ManagementError> {
        let slug = parse(slug)?;
        let own = self.store.read().await?.providers().get(scope, &slug).await?;
        match (own, preset(slug.as_str())) {
            (Some(own), _) => Ok(own.into()),
            (None, Some(preset)) => {
                ProviderView::of_preset(preset).ok_or(ManagementError::NotFound(Noun::Provider))
            }
            (None, None) => Err(ManagementError::NotFound(Noun::Provider)),
        }
    }

    /// The tenant's own providers and the presets they do not override, as one list.
    pub async fn list_providers(
        &self,
        scope: &TenantScope,
        listing: &Listing<ProviderFilter, ProviderSort>,
    ) -> Result<Paged<ProviderView>, ManagementError> {
        let mut work = self.store.read().await?;
        Ok(catalogue::page(catalogue::own(&mut *work, scope).await?, listing))
    }

    pub async fn create_provider(
        &self,
        acting: &Acting<'_>,
        draft: ProviderDraft,
    ) -> Result<ProviderView, ManagementError> {
        let provider = self.new_provider(acting, draft)?;
        let mut change = self.begin(acting).await?;
        if change.work.providers().get(&acting.scope, &provider.slug).await?.is_some() {
            return Err(ManagementError::conflict("provider_id", "is already in use"));
        }
        keep_channels_addressed(&mut *change.work, &acting.scope, None, Some(&provider)).await?;
        change.work.providers().create(&acting.scope, &provider).await?;
        let detail = detail::change(None, Some(detail::provider(&provider)));
        self.conclude(change, acting, done("provider.create", &provider, detail)).await?;
        Ok(provider.into())
    }

    pub async fn change_provider(
        &self,
        acting: &Acting<'_>,
        slug: &str,
        expected: Option<i64>,
        patch: ProviderChange,
    ) -> Result<ProviderView, ManagementError> {
        let mut change = self.begin(acting).await?;
        let before = stored(&mut *change.work, &acting.scope, slug, expected).await?;
        let mut after = patched(&before, patch);
        if after == before {
            return Ok(before.into());
        }
        let mut fields = Fields::default();
        rows::check(&mut fields, &mut after);
        fields.check()?;
        keep_channels_addressed(&mut *change.work, &acting.scope, Some(&before), Some(&after)).await?;
        after.updated_at = self.clock.now();
        after.version += 1;
        change.work.providers().update(&acting.scope, &after, before.version).await?;
        let detail = detail::change(Some(detail::provider(&before)), Some(detail::provider(&after)));
        self.conclude(change, acting, done("provider.update", &after, detail)).await?;
        Ok(after.into())
    }

    /// Refused while a channel would be left without a provider, or its credential without its address.
    pub async fn delete_provider(
        &self,
        acting: &Acting<'_>,
        slug: &str,
        expected: Option<i64>,
    ) -> Result<(), ManagementError> {
        let mut change = self.begin(acting).await?;
        let before = stored(&mut *change.work, &acting.scope, slug, expected).await?;
        keep_channels_addressed(&mut *change.work, &acting.scope, Some(&before), None).await?;
        change.work.providers().delete(&acting.scope, &before.slug).await?;
        let detail = detail::change(Some(detail::provider(&before)), None);
        self.conclude(change, acting, done("provider.delete", &before, detail)).await
    }

    fn new_provider(&self, acting: &Acting<'_>, draft: ProviderDraft) -> Result<Provider, ManagementError> {
        let mut fields = Fields::default();
        let slug = draft.slug.parse::<ProviderSlug>();
        if let Err(error) = &slug {
            fields.refuse("provider_id", error.to_string());
        }
        let base = preset(&draft.slug);
        let kind = draft.kind.or(base.map(|preset| preset.kind)).unwrap_or(ProviderKind::OpenAiCompatible);
        let base = base.unwrap_or_else(|| preset_of(kind));
        // Where it is refused, the kind's own slug stands in, so that the other fields are looked at too.
        let Ok(slug) = slug.or_else(|_| kind.as_str().parse()) else {
            return Err(ManagementError::Invalid(fields));
        };
        let now = self.clock.now();
        let mut provider = Provider {
            slug,
            tenant: Some(acting.scope.tenant()),
            name: draft.name,
            kind,
            api_base: draft.api_base.or(base.api_base.map(str::to_owned)).unwrap_or_default(),
            supported_models: draft.supported_models,
            headers: draft.headers,
            auth: draft.auth.unwrap_or_else(|| base.auth.scheme()),
            created_at: now,
            updated_at: now,
            version: 1,
        };
        rows::check(&mut fields, &mut provider);
        fields.check()?;
        Ok(provider)
    }
}

impl ProviderView {
    /// `None` never happens: a preset's slug is a slug.
    pub(crate) fn of_preset(preset: &Preset) -> Option<Self> {
        Some(Self {
            slug: preset.slug.parse().ok()?,
            name: preset.name.to_owned(),
            kind: preset.kind,
            api_base: preset.api_base.map(str::to_owned),
            supported_models: preset.models.iter().map(|model| (*model).to_owned()).collect(),
            headers: Vec::new(),
            auth: preset.auth.scheme(),
            own: None,
        })
    }
}

impl From<Provider> for ProviderView {
    fn from(row: Provider) -> Self {
        Self {
            own: Some(OwnRow {
                created_at: row.created_at,
                updated_at: row.updated_at,
                version: row.version,
            }),
            slug: row.slug,
            name: row.name,
            kind: row.kind,
            api_base: Some(row.api_base),
            supported_models: row.supported_models,
            headers: row.headers,
            auth: row.auth,
        }
    }
}

fn patched(before: &Provider, patch: ProviderChange) -> Provider {
    let mut after = before.clone();
    set(&mut after.name, patch.name);
    set(&mut after.kind, patch.kind);
    let base = preset(after.slug.as_str()).unwrap_or_else(|| preset_of(after.kind));
    let own_base = |base: &Preset| base.api_base.unwrap_or_default().to_owned();
    set(&mut after.api_base, patch.api_base.map(|address| address.unwrap_or_else(|| own_base(base))));
    set(&mut after.auth, patch.auth.map(|auth| auth.unwrap_or_else(|| base.auth.scheme())));
    set_or_reset(&mut after.supported_models, patch.supported_models);
    let mut headers = after.headers.into_iter().collect();
    merge(&mut headers, patch.headers);
    after.headers = headers.into_iter().collect();
    after
}

fn parse(slug: &str) -> Result<ProviderSlug, ManagementError> {
    slug.parse().map_err(|_| ManagementError::NotFound(Noun::Provider))
}

fn done(action: &'static str, provider: &Provider, detail: String) -> Done {
    Done { action, target: format!("provider:{}", provider.slug), detail }
}

async fn stored(
    work: &mut dyn UnitOfWork,
    scope: &TenantScope,
    slug: &str,
    expected: Option<i64>,
) -> Result<Provider, ManagementError> {
    let slug = parse(slug)?;
    let Some(own) = work.providers().get(scope, &slug).await? else {
        let is_preset = preset(slug.as_str()).is_some();
        let error = if is_preset { ManagementError::ReadOnly } else { ManagementError::NotFound };
        return Err(error(Noun::Provider));
    };
    fresh(expected, own.version)?;
    Ok(own)
}

/// A credential goes to one origin. Where the provider's address moves to another, every channel that took its address
/// from there would lose the use of its credential, so its owner must first give that channel an address of its own.
async fn keep_channels_addressed(
    work: &mut dyn UnitOfWork,
    scope: &TenantScope,
    before: Option<&Provider>,
    after: Option<&Provider>,
) -> Result<(), ManagementError> {
    let Some(provider) = after.or(before) else { return Ok(()) };
    let slug = &provider.slug;
    let gone = after.is_none() && preset(slug.as_str()).is_none();
    let (origin_before, origin_after) = (rows::origin(slug, before), rows::origin(slug, after));
    if !gone && origin_before == origin_after {
        return Ok(());
    }
    let of_provider = ChannelFilter { provider: Some(slug.clone()), ..ChannelFilter::default() };
    for channel in channels::every(work, scope, of_provider).await? {
        if gone {
            let reason = format!("is still used by the channel '{}'", channel.name);
            return Err(ManagementError::conflict("provider_id", reason));
        }
        if channel.api_base.is_some() {
            continue;
        }
        let sealed = work.credentials().get(scope, channel.id).await?;
        if sealed.is_some_and(|sealed| Some(&sealed.origin) == origin_before.as_ref()) {
            let reason = format!(
                "the channel '{}' holds a credential for the present address; give it an api_base first, or remove it",
                channel.name
            );
            return Err(ManagementError::conflict("api_base", reason));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

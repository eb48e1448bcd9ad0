//! Channels: one tenant's credentialed routes.

mod credentials;
mod draft;
mod fields;

use lyss_domain::{Channel, ChannelId, ChannelState, ProviderKind, SealedCredential, TenantScope};
use lyss_repositories::{ChannelFilter, ChannelSort, Listing, Page, Paged, Sort, UnitOfWork};

use crate::audit::detail;
use crate::change::{Change, Done, fresh};
use crate::error::{Fields, Noun};
use crate::{Acting, Management, ManagementError};

use credentials::Turn;
pub(crate) use credentials::place;
pub use draft::{ChannelChange, ChannelDraft, ChannelLimitsChange, ChannelTimeoutsChange, CredentialsDraft};

/// A channel as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelView {
    pub channel: Channel,
    /// `…` and at most the key's last four characters; `None`: it holds no credential.
    pub credential_hint: Option<String>,
}

/// A channel with its credential.
struct Kept {
    channel: Channel,
    credential: Option<SealedCredential>,
}

impl Management {
    pub async fn channel(&self, scope: &TenantScope, id: ChannelId) -> Result<ChannelView, ManagementError> {
        let mut work = self.store.read().await?;
        let channel = work.channels().get(scope, id).await?;
        let channel = channel.ok_or(ManagementError::NotFound(Noun::Channel))?;
        let credential = work.credentials().get(scope, id).await?;
        Ok(ChannelView::new(channel, credential.as_ref()))
    }

    pub async fn list_channels(
        &self,
        scope: &TenantScope,
        listing: &Listing<ChannelFilter, ChannelSort>,
    ) -> Result<Paged<ChannelView>, ManagementError> {
        let mut work = self.store.read().await?;
        let page = work.channels().list(scope, listing).await?;
        let mut items = Vec::with_capacity(page.items.len());
        for channel in page.items {
            let credential = work.credentials().get(scope, channel.id).await?;
            items.push(ChannelView::new(channel, credential.as_ref()));
        }
        Ok(Paged { items, total: page.total })
    }

    /// Every channel of a tenant, by name.
    pub async fn all_channels(&self, scope: &TenantScope) -> Result<Vec<Channel>, ManagementError> {
        let mut work = self.store.read().await?;
        every(&mut *work, scope, ChannelFilter::default()).await
    }

    pub async fn create_channel(
        &self,
        acting: &Acting<'_>,
        draft: ChannelDraft,
    ) -> Result<ChannelView, ManagementError> {
        let change = self.begin(acting).await?;
        let mut fields = Fields::default();
        let mut channel = self.blank_channel(&acting.scope)?;
        let credentials = fields::replace(&mut fields, &mut channel, draft);
        self.write_channel(change, acting, None, Asked { channel, credentials, fields }).await
    }

    pub async fn change_channel(
        &self,
        acting: &Acting<'_>,
        id: ChannelId,
        expected: Option<i64>,
        patch: ChannelChange,
    ) -> Result<ChannelView, ManagementError> {
        let mut change = self.begin(acting).await?;
        let before = stored(&mut *change.work, &acting.scope, id, expected).await?;
        let mut fields = Fields::default();
        let mut channel = before.channel.clone();
        let credentials = fields::apply(&mut fields, &mut channel, patch);
        self.write_channel(change, acting, Some(before), Asked { channel, credentials, fields }).await
    }

    /// Enables, disables or drains. A channel in that state already stays as it is.
    pub async fn set_channel_state(
        &self,
        acting: &Acting<'_>,
        id: ChannelId,
        state: ChannelState,
    ) -> Result<ChannelView, ManagementError> {
        let mut change = self.begin(acting).await?;
        let before = stored(&mut *change.work, &acting.scope, id, None).await?;
        let credential = before.credential.as_ref();
        if before.channel.state == state {
            return Ok(ChannelView::new(before.channel, credential));
        }
        let mut after = before.channel.clone();
        after.state = state;
        after.updated_at = self.clock.now();
        after.version += 1;
        change.work.channels().update(&acting.scope, &after, before.channel.version).await?;
        let action = match state {
            ChannelState::Enabled => "channel.enable",
            ChannelState::Disabled => "channel.disable",
            ChannelState::Draining => "channel.drain",
        };
        let sides = [before.channel.state, state].map(|state| Some(detail::state(state)));
        let [was, is] = sides;
        self.conclude(change, acting, done(action, &after, detail::change(was, is))).await?;
        Ok(ChannelView::new(after, credential))
    }

    /// With its credential and the policies about it.
    pub async fn delete_channel(
        &self,
        acting: &Acting<'_>,
        id: ChannelId,
        expected: Option<i64>,
    ) -> Result<(), ManagementError> {
        let mut change = self.begin(acting).await?;
        let before = stored(&mut *change.work, &acting.scope, id, expected).await?;
        change.work.channels().delete(&acting.scope, id).await?;
        let detail = detail::change(Some(before.detail()), None);
        self.conclude(change, acting, done("channel.delete", &before.channel, detail)).await
    }

    /// Makes a channel, or gives the one of the same name this whole shape: for programs that set up what they need and
    /// may run again.
    pub async fn put_channel(
        &self,
        acting: &Acting<'_>,
        draft: ChannelDraft,
    ) -> Result<ChannelView, ManagementError> {
        let mut change = self.begin(acting).await?;
        let before = match change.work.channels().by_name(&acting.scope, &draft.name).await? {
            Some(channel) => Some(stored(&mut *change.work, &acting.scope, channel.id, None).await?),
            None => None,
        };
        let mut fields = Fields::default();
        let mut channel = match &before {
            Some(before) => before.channel.clone(),
            None => self.blank_channel(&acting.scope)?,
        };
        let credentials = fields::replace(&mut fields, &mut channel, draft);
        self.write_channel(change, acting, before, Asked { channel, credentials, fields }).await
    }

    fn blank_channel(&self, scope: &TenantScope) -> Result<Channel, ManagementError> {
        let (millis, random) = self.id_parts()?;
        let id = ChannelId::from_parts(millis, &random);
        // Stands in until the draft's own is read.
        let provider = ProviderKind::OpenAiCompatible.as_str().parse();
        let provider = provider.map_err(|_| ManagementError::NotFound(Noun::Provider))?;
        Ok(fields::blank(id, scope.tenant(), provider, self.clock.now()))
    }

    /// Checks all of a channel and writes it with its credential.
    async fn write_channel(
        &self,
        mut change: Change,
        acting: &Acting<'_>,
        before: Option<Kept>,
        asked: Asked,
    ) -> Result<ChannelView, ManagementError> {
        let Asked { mut channel, credentials, mut fields } = asked;
        let before = match before {
            Some(kept) if kept.channel == channel && credentials.is_none() && fields.is_empty() => {
                return Ok(kept.into());
            }
            before => before,
        };
        fields::check(&mut fields, &channel);
        let (scope, work) = (&acting.scope, &mut *change.work);
        let turn = Turn { scope, before: before.as_ref(), channel: &channel };
        let fate = self.decide_credential(&mut fields, work, turn, credentials).await?;
        fields.check()?;
        let namesake = work.channels().by_name(scope, &channel.name).await?;
        if namesake.is_some_and(|other| other.id != channel.id) {
            return Err(ManagementError::conflict("name", "is already in use"));
        }
        match &before {
            Some(before) => {
                channel.updated_at = self.clock.now();
                channel.version = before.channel.version + 1;
                work.channels().update(scope, &channel, before.channel.version).await?;
            }
            None => work.channels().create(scope, &channel).await?,
        }
        let stored = before.as_ref().and_then(|before| before.credential.clone());
        let credential = self.settle_credential(work, scope, &channel, stored, fate).await?;
        let after = Kept { channel, credential };
        let action = if before.is_some() { "channel.update" } else { "channel.create" };
        let detail = detail::change(before.as_ref().map(Kept::detail), Some(after.detail()));
        self.conclude(change, acting, done(action, &after.channel, detail)).await?;
        Ok(after.into())
    }
}

/// A channel as it should become, and what was wrong with the asking so far.
struct Asked {
    channel: Channel,
    credentials: Option<CredentialsDraft>,
    fields: Fields,
}

impl ChannelView {
    fn new(channel: Channel, credential: Option<&SealedCredential>) -> Self {
        Self { channel, credential_hint: credential.map(|sealed| sealed.hint.clone()) }
    }
}

impl Kept {
    fn detail(&self) -> serde_json::Value {
        detail::channel(&self.channel, self.credential.as_ref())
    }
}

impl From<Kept> for ChannelView {
    fn from(kept: Kept) -> Self {
        Self::new(kept.channel, kept.credential.as_ref())
    }
}

/// All channels that a filter lets pass, by name.
pub(crate) async fn every(
    work: &mut dyn UnitOfWork,
    scope: &TenantScope,
    filter: ChannelFilter,
) -> Result<Vec<Channel>, ManagementError> {
    let mut listing = Listing { filter, sort: Sort::default(), page: Page { number: 1, size: 200 } };
    let mut all = Vec::new();
    loop {
        let part = work.channels().list(scope, &listing).await?;
        let is_last = part.items.len() < 200;
        all.extend(part.items);
        if is_last {
            return Ok(all);
        }
        listing.page.number += 1;
    }
}

async fn stored(
    work: &mut dyn UnitOfWork,
    scope: &TenantScope,
    id: ChannelId,
    expected: Option<i64>,
) -> Result<Kept, ManagementError> {
    let channel = work.channels().get(scope, id).await?;
    let channel = channel.ok_or(ManagementError::NotFound(Noun::Channel))?;
    fresh(expected, channel.version)?;
    let credential = work.credentials().get(scope, id).await?;
    Ok(Kept { channel, credential })
}

fn done(action: &'static str, channel: &Channel, detail: String) -> Done {
    Done { action, target: format!("channel:{}", channel.id), detail }
}

#[cfg(test)]
mod tests;

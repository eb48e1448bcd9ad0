//! The picture itself.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use lyss_domain::window::Calendar;
use lyss_domain::{
    Channel, DigestMatch, KeyDigest, Price, Provider, ProviderSlug, QuotaPolicy, SealedCredential, Tenant,
    TenantId, Timestamp, VirtualKey, WindowSpan, WindowStart,
};
use lyss_repositories::{CatalogRows, WrappedKey};

use crate::prices;

/// One generation of everything.
#[derive(Debug)]
pub struct Catalog {
    generation: i64,
    tenants: HashMap<TenantId, Arc<TenantEntry>>,
    slugs: HashMap<String, TenantId>,
    keys: HashMap<KeyDigest, Arc<VirtualKey>>,
}

/// All that belongs to one tenant.
#[derive(Debug)]
pub struct TenantEntry {
    pub tenant: Tenant,
    pub calendar: Calendar,
    /// The tenant's own providers; presets are not here.
    pub providers: HashMap<ProviderSlug, Provider>,
    pub channels: Vec<ChannelEntry>,
    pub policies: Vec<PolicyEntry>,
    /// Wrapped data keys, oldest first.
    pub data_keys: Vec<WrappedKey>,
    /// The tenant's own prices, newest first within a model.
    prices: Vec<Price>,
}

/// A policy and the window it is in.
#[derive(Debug)]
pub struct PolicyEntry {
    pub policy: QuotaPolicy,
    /// The last span that was asked for: a calendar is slow to ask, and a window is long.
    span: ArcSwap<WindowSpan>,
}

#[derive(Debug)]
pub struct ChannelEntry {
    pub channel: Channel,
    pub credential: Option<SealedCredential>,
}

/// Why rows make no picture. The last good one stays in force.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CatalogError {
    #[error("tenant {0} names an unknown time zone")]
    UnknownZone(TenantId),
}

impl Catalog {
    pub fn build(rows: CatalogRows) -> Result<Self, CatalogError> {
        let mut tenants = HashMap::with_capacity(rows.tenants.len());
        for tenant in rows.tenants {
            let calendar = Calendar::named(&tenant.settings.time_zone)
                .map_err(|_| CatalogError::UnknownZone(tenant.id))?;
            tenants.insert(tenant.id, TenantEntry::new(tenant, calendar));
        }
        for provider in rows.providers {
            if let Some(entry) = provider.tenant.and_then(|id| tenants.get_mut(&id)) {
                entry.providers.insert(provider.slug.clone(), provider);
            }
        }
        let mut credentials: HashMap<_, _> =
            rows.credentials.into_iter().map(|c| ((c.tenant, c.channel), c)).collect();
        for channel in rows.channels {
            if let Some(entry) = tenants.get_mut(&channel.tenant) {
                let credential = credentials.remove(&(channel.tenant, channel.id));
                entry.channels.push(ChannelEntry { channel, credential });
            }
        }
        for policy in rows.policies {
            if let Some(entry) = tenants.get_mut(&policy.tenant) {
                entry.policies.push(PolicyEntry::new(policy));
            }
        }
        for key in rows.tenant_keys {
            if let Some(entry) = tenants.get_mut(&key.tenant) {
                entry.data_keys.push(key);
            }
        }
        for price in rows.prices {
            if let Some(entry) = price.tenant.and_then(|id| tenants.get_mut(&id)) {
                entry.prices.push(price);
            }
        }
        let slugs = tenants.iter().map(|(id, entry)| (entry.tenant.slug.clone(), *id)).collect();
        Ok(Self {
            generation: rows.generation,
            slugs,
            tenants: tenants.into_iter().map(|(id, entry)| (id, Arc::new(entry.sorted()))).collect(),
            keys: by_digest(rows.keys),
        })
    }

    pub fn generation(&self) -> i64 {
        self.generation
    }

    pub fn tenant(&self, id: TenantId) -> Option<&Arc<TenantEntry>> {
        self.tenants.get(&id)
    }

    /// A tenant by its id or its slug, as tokens, headers and bodies name one. No slug is written like an id.
    pub fn tenant_named(&self, name: &str) -> Option<&Arc<TenantEntry>> {
        let id = name.parse().ok().or_else(|| self.slugs.get(name).copied())?;
        self.tenants.get(&id)
    }

    pub fn tenants(&self) -> impl Iterator<Item = &Arc<TenantEntry>> {
        self.tenants.values()
    }

    /// A virtual key by its digest, the current or the previous one: one hash look-up, whoever asks. There is no clock
    /// here: whoever asks must see that the match [holds](DigestMatch::holds).
    pub fn key(&self, digest: &KeyDigest) -> Option<(&Arc<VirtualKey>, DigestMatch)> {
        let key = self.keys.get(digest)?;
        Some((key, key.matches(digest)?))
    }
}

fn by_digest(keys: Vec<VirtualKey>) -> HashMap<KeyDigest, Arc<VirtualKey>> {
    let mut known = HashMap::with_capacity(keys.len());
    for key in keys {
        let key = Arc::new(key);
        if let Some(previous) = key.previous {
            known.insert(previous.digest, Arc::clone(&key));
        }
        known.insert(key.digest, key);
    }
    known
}

impl PolicyEntry {
    fn new(policy: QuotaPolicy) -> Self {
        let nowhere = WindowSpan { start: WindowStart(Timestamp::default()), end: Timestamp::default() };
        Self { policy, span: ArcSwap::from_pointee(nowhere) }
    }
}

impl TenantEntry {
    fn new(tenant: Tenant, calendar: Calendar) -> Self {
        Self {
            tenant,
            calendar,
            providers: HashMap::new(),
            channels: Vec::new(),
            policies: Vec::new(),
            data_keys: Vec::new(),
            prices: Vec::new(),
        }
    }

    fn sorted(mut self) -> Self {
        self.channels.sort_by_key(|entry| (entry.channel.priority, entry.channel.id));
        self.policies.sort_by_key(|entry| entry.policy.id);
        self.data_keys.sort_by_key(|key| key.version);
        self.prices.sort_by_key(|price| std::cmp::Reverse(price.effective_from));
        self
    }

    /// The window a policy is in at `at`.
    pub fn span(&self, entry: &PolicyEntry, at: Timestamp) -> WindowSpan {
        let known = **entry.span.load();
        if known.start.0 <= at && at < known.end {
            return known;
        }
        let span = self.calendar.span(entry.policy.window, at);
        entry.span.store(Arc::new(span));
        span
    }

    /// The price in force for a model as the vendor knows it: the tenant's own before the built-in table, the longest
    /// matching name first, then the newest that is already effective.
    pub fn price(&self, model: &str, at: Timestamp) -> Option<&Price> {
        prices::in_force(&self.prices, model, at).or_else(|| prices::in_force(prices::built_in(), model, at))
    }
}

#[cfg(test)]
mod tests;

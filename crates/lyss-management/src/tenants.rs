//! Tenants. They stand above one tenant's data: whoever changes them proves it with a permission, not with a scope.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use lyss_auth::Permission;
use lyss_domain::window::Calendar;
use lyss_domain::{
    Affinity, Objective, RoutingRule, Strategy, Tenant, TenantId, TenantScope, TenantSettings,
};
use lyss_repositories::{Listing, Paged, TenantFilter, TenantSort, UnitOfWork, WrappedKey};
use lyss_vault::{DataKey, Wrapped};

use crate::audit::detail;
use crate::change::{Done, MapChange, fresh, set};
use crate::error::{Fields, Noun};
use crate::{Acting, Actor, Management, ManagementError, rules, system};

/// A hundred years: beyond it, leave the number out.
const MAX_RETENTION_DAYS: u32 = 36_500;
/// Beyond a thousand times another's share, the other is as good as shut out.
const SHARES: RangeInclusive<u32> = 1..=1_000;

/// What a new tenant is made from.
#[derive(Clone, Debug)]
pub struct TenantDraft {
    /// 1 to 64 of `a-z`, `0-9`, `-`, `_`. It stands in tokens and sealed credentials, so it never changes.
    pub slug: String,
    pub name: String,
    pub settings: TenantSettings,
}

/// A merge patch: `None` leaves a field, `Some(None)` brings back its default.
#[derive(Clone, Debug, Default)]
pub struct TenantChange {
    pub name: Option<String>,
    /// A tenant that is not enabled keeps its configuration and serves nobody.
    pub enabled: Option<bool>,
    pub time_zone: Option<Option<String>>,
    pub routing_default: RuleChange,
    /// What each pattern says is changed; `None` in its place removes it.
    pub routing_models: Option<Option<MapChange<RuleChange>>>,
    pub retention_days: Option<Option<u32>>,
    pub share: Option<Option<u32>>,
}

/// A merge patch of a routing rule.
#[derive(Clone, Copy, Debug, Default)]
pub struct RuleChange {
    pub strategy: Option<Option<Strategy>>,
    pub hedge: Option<Option<bool>>,
    pub objective: Option<Option<Objective>>,
    pub affinity: Option<Option<Affinity>>,
}

impl RuleChange {
    /// Every part as it is here, or not at all.
    pub fn whole(rule: RoutingRule) -> Self {
        let RoutingRule { strategy, hedge, objective, affinity } = rule;
        Self {
            strategy: Some(strategy),
            hedge: Some(hedge),
            objective: Some(objective),
            affinity: Some(affinity),
        }
    }

    fn apply(self, rule: &mut RoutingRule) {
        set(&mut rule.strategy, self.strategy);
        set(&mut rule.hedge, self.hedge);
        set(&mut rule.objective, self.objective);
        set(&mut rule.affinity, self.affinity);
    }
}

fn change_rules(rules: &mut BTreeMap<String, RoutingRule>, change: Option<Option<MapChange<RuleChange>>>) {
    let Some(change) = change else { return };
    let Some(change) = change else { return rules.clear() };
    for (pattern, change) in change {
        match change {
            Some(change) => change.apply(rules.entry(pattern).or_default()),
            None => {
                rules.remove(&pattern);
            }
        }
    }
}

impl Management {
    /// A platform administrator's matter, which the caller has proven.
    pub async fn list_tenants(
        &self,
        listing: &Listing<TenantFilter, TenantSort>,
    ) -> Result<Paged<Tenant>, ManagementError> {
        Ok(self.store.read().await?.tenants().list(listing).await?)
    }

    pub async fn tenant(&self, id: TenantId) -> Result<Tenant, ManagementError> {
        let found = self.store.read().await?.tenants().get(id).await?;
        found.ok_or(ManagementError::NotFound(Noun::Tenant))
    }

    /// A tenant by its slug.
    pub async fn tenant_by_slug(&self, slug: &str) -> Result<Option<Tenant>, ManagementError> {
        if !is_slug(slug) {
            return Ok(None);
        }
        Ok(self.store.read().await?.tenants().by_slug(slug).await?)
    }

    /// A tenant by its id or its slug, as tokens, headers and bodies name one.
    pub async fn tenant_named(&self, name: &str) -> Result<Tenant, ManagementError> {
        if let Ok(id) = name.parse::<TenantId>() {
            return self.tenant(id).await;
        }
        self.tenant_by_slug(name).await?.ok_or(ManagementError::NotFound(Noun::Tenant))
    }

    /// A new tenant with its first data key, and the first entry of its audit chain.
    pub async fn create_tenant(
        &self,
        actor: &Actor<'_>,
        draft: TenantDraft,
    ) -> Result<Tenant, ManagementError> {
        actor.must_have(Permission::WriteTenants)?;
        let now = self.clock.now();
        let (millis, random) = self.id_parts()?;
        let tenant = Tenant {
            id: TenantId::from_parts(millis, &random),
            slug: draft.slug,
            name: draft.name,
            enabled: true,
            settings: draft.settings,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        check(&tenant)?;
        let acting = Acting { scope: system::scope_of(tenant.id), actor: *actor };
        let mut change = self.begin(&acting).await?;
        change.work.tenants().create(&tenant).await?;
        self.new_data_key(&mut *change.work, &acting.scope, 1).await?;
        let detail = detail::change(None, Some(detail::tenant(&tenant)));
        self.conclude(change, &acting, done("tenant.create", &tenant, detail)).await?;
        Ok(tenant)
    }

    pub async fn change_tenant(
        &self,
        actor: &Actor<'_>,
        id: TenantId,
        expected: Option<i64>,
        patch: TenantChange,
    ) -> Result<Tenant, ManagementError> {
        actor.must_have(Permission::WriteTenants)?;
        let acting = Acting { scope: system::scope_of(id), actor: *actor };
        let mut change = self.begin(&acting).await?;
        let before = stored(&mut *change.work, id, expected).await?;
        let mut after = before.clone();
        set(&mut after.name, patch.name);
        set(&mut after.enabled, patch.enabled);
        let settings = &mut after.settings;
        set(&mut settings.time_zone, patch.time_zone.map(|zone| zone.unwrap_or_else(|| "UTC".to_owned())));
        set(&mut settings.retention_days, patch.retention_days);
        set(&mut settings.share, patch.share.map(|share| share.unwrap_or(1)));
        patch.routing_default.apply(&mut settings.routing.default);
        change_rules(&mut settings.routing.models, patch.routing_models);
        if after == before {
            return Ok(before);
        }
        check(&after)?;
        after.updated_at = self.clock.now();
        after.version += 1;
        change.work.tenants().update(&after, before.version).await?;
        let detail = detail::change(Some(detail::tenant(&before)), Some(detail::tenant(&after)));
        self.conclude(change, &acting, done("tenant.update", &after, detail)).await?;
        Ok(after)
    }

    /// With all its configuration. Its usage records and its audit chain stay, the removal being the last entry there.
    pub async fn delete_tenant(
        &self,
        actor: &Actor<'_>,
        id: TenantId,
        expected: Option<i64>,
    ) -> Result<(), ManagementError> {
        actor.must_have(Permission::WriteTenants)?;
        let acting = Acting { scope: system::scope_of(id), actor: *actor };
        let mut change = self.begin(&acting).await?;
        let before = stored(&mut *change.work, id, expected).await?;
        change.work.tenants().delete(id).await?;
        let detail = detail::change(Some(detail::tenant(&before)), None);
        self.conclude(change, &acting, done("tenant.delete", &before, detail)).await
    }

    /// The tenant's newest data key; a first one is made where there is none.
    pub(crate) async fn newest_data_key(
        &self,
        work: &mut dyn UnitOfWork,
        scope: &TenantScope,
    ) -> Result<(i32, DataKey), ManagementError> {
        let Some(stored) = work.tenant_keys().list(scope).await?.pop() else {
            return Ok((1, self.new_data_key(work, scope, 1).await?));
        };
        let version = stored.version;
        Ok((version, self.open_data_key(scope, stored)?))
    }

    pub(crate) fn open_data_key(
        &self,
        scope: &TenantScope,
        stored: WrappedKey,
    ) -> Result<DataKey, ManagementError> {
        let wrapped = Wrapped { master_key_id: stored.master_key_id, bytes: stored.wrapped };
        Ok(self.vault.unwrap_data_key(scope.tenant(), stored.version, &wrapped)?)
    }

    async fn new_data_key(
        &self,
        work: &mut dyn UnitOfWork,
        scope: &TenantScope,
        version: i32,
    ) -> Result<DataKey, ManagementError> {
        let (key, wrapped) = self.vault.new_data_key(scope.tenant(), version)?;
        let stored = WrappedKey {
            tenant: scope.tenant(),
            version,
            master_key_id: wrapped.master_key_id,
            wrapped: wrapped.bytes,
            created_at: self.clock.now(),
        };
        work.tenant_keys().create(scope, &stored).await?;
        Ok(key)
    }
}

fn done(action: &'static str, tenant: &Tenant, detail: String) -> Done {
    Done { action, target: format!("tenant:{}", tenant.id), detail }
}

async fn stored(
    work: &mut dyn UnitOfWork,
    id: TenantId,
    expected: Option<i64>,
) -> Result<Tenant, ManagementError> {
    let tenant = work.tenants().get(id).await?.ok_or(ManagementError::NotFound(Noun::Tenant))?;
    fresh(expected, tenant.version)?;
    Ok(tenant)
}

fn check(tenant: &Tenant) -> Result<(), ManagementError> {
    let mut fields = Fields::default();
    if !is_slug(&tenant.slug) {
        fields.refuse("slug", "must be 1 to 64 of a-z, 0-9, '-' and '_'");
    } else if tenant.slug.parse::<TenantId>().is_ok() {
        // A name is looked up as an id first.
        fields.refuse("slug", "must not be written like an id");
    }
    rules::name(&mut fields, "name", &tenant.name);
    let settings = &tenant.settings;
    if Calendar::named(&settings.time_zone).is_err() {
        fields.refuse("settings.time_zone", "is not an IANA time zone");
    }
    if settings.retention_days.is_some_and(|days| !(1..=MAX_RETENTION_DAYS).contains(&days)) {
        fields.refuse("settings.retention_days", format!("must be between 1 and {MAX_RETENTION_DAYS}"));
    }
    if !SHARES.contains(&settings.share) {
        let (least, most) = SHARES.into_inner();
        fields.refuse("settings.share", format!("must be between {least} and {most}"));
    }
    let patterns: Vec<_> = settings.routing.models.keys().cloned().collect();
    rules::models(&mut fields, "settings.routing.models", &patterns);
    if settings.routing.models.values().any(RoutingRule::says_nothing) {
        fields.refuse(
            "settings.routing.models",
            "every model has at least one of strategy, hedge, objective and affinity",
        );
    }
    fields.check()
}

fn is_slug(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

#[cfg(test)]
mod tests;

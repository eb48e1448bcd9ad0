//! Quota policies.

use lyss_domain::{Micros, PolicyId, PolicyMode, PolicyScope, QuotaPolicy, TenantScope, Window};
use lyss_repositories::{Listing, Page, Paged, PolicyFilter, PolicySort, UnitOfWork};

use crate::audit::detail;
use crate::change::{Change, Done, fresh, set};
use crate::error::{Fields, Noun};
use crate::{Acting, Management, ManagementError, rules};

/// A billion dollars; any client can write it as a number without losing a digit.
const MAX_LIMIT: u64 = 1_000_000_000_000_000;

/// What a policy is made from.
#[derive(Clone, Debug)]
pub struct PolicyDraft {
    pub scope: PolicyScope,
    pub window: Window,
    /// 0 blocks.
    pub limit_requests: Option<u64>,
    pub limit_tokens: Option<u64>,
    pub limit_cost: Option<Micros>,
    pub mode: PolicyMode,
}

/// A merge patch: `None` leaves a field, `Some(None)` removes a limit. Whom a policy is about never changes.
#[derive(Clone, Copy, Debug, Default)]
pub struct PolicyChange {
    pub window: Option<Window>,
    pub limit_requests: Option<Option<u64>>,
    pub limit_tokens: Option<Option<u64>>,
    pub limit_cost: Option<Option<Micros>>,
    pub mode: Option<PolicyMode>,
}

impl Management {
    pub async fn policy(&self, scope: &TenantScope, id: PolicyId) -> Result<QuotaPolicy, ManagementError> {
        let found = self.store.read().await?.policies().get(scope, id).await?;
        found.ok_or(ManagementError::NotFound(Noun::Quota))
    }

    pub async fn list_policies(
        &self,
        scope: &TenantScope,
        listing: &Listing<PolicyFilter, PolicySort>,
    ) -> Result<Paged<QuotaPolicy>, ManagementError> {
        Ok(self.store.read().await?.policies().list(scope, listing).await?)
    }

    pub async fn create_policy(
        &self,
        acting: &Acting<'_>,
        draft: PolicyDraft,
    ) -> Result<QuotaPolicy, ManagementError> {
        let mut change = self.begin(acting).await?;
        let policy = self.new_policy(acting, draft)?;
        check(&mut *change.work, &acting.scope, &policy).await?;
        if let Some(_standing) = namesake(&mut *change.work, &acting.scope, &policy).await? {
            return Err(taken());
        }
        self.make_policy(change, acting, policy).await
    }

    /// Makes a policy unless one of the same scope and window stands already, which is then answered as it is: for
    /// programs that set up what they need and may run again.
    pub async fn ensure_policy(
        &self,
        acting: &Acting<'_>,
        draft: PolicyDraft,
    ) -> Result<QuotaPolicy, ManagementError> {
        let mut change = self.begin(acting).await?;
        let policy = self.new_policy(acting, draft)?;
        check(&mut *change.work, &acting.scope, &policy).await?;
        match namesake(&mut *change.work, &acting.scope, &policy).await? {
            Some(standing) => Ok(standing),
            None => self.make_policy(change, acting, policy).await,
        }
    }

    pub async fn change_policy(
        &self,
        acting: &Acting<'_>,
        id: PolicyId,
        expected: Option<i64>,
        patch: PolicyChange,
    ) -> Result<QuotaPolicy, ManagementError> {
        let mut change = self.begin(acting).await?;
        let before = stored(&mut *change.work, &acting.scope, id, expected).await?;
        let mut after = before.clone();
        set(&mut after.window, patch.window);
        set(&mut after.limit_requests, patch.limit_requests);
        set(&mut after.limit_tokens, patch.limit_tokens);
        set(&mut after.limit_cost, patch.limit_cost);
        set(&mut after.mode, patch.mode);
        if after == before {
            return Ok(before);
        }
        check(&mut *change.work, &acting.scope, &after).await?;
        if namesake(&mut *change.work, &acting.scope, &after).await?.is_some() {
            return Err(taken());
        }
        after.updated_at = self.clock.now();
        after.version += 1;
        change.work.policies().update(&acting.scope, &after, before.version).await?;
        let detail = detail::change(Some(detail::quota(&before)), Some(detail::quota(&after)));
        self.conclude(change, acting, done("quota.update", &after, detail)).await?;
        Ok(after)
    }

    pub async fn delete_policy(
        &self,
        acting: &Acting<'_>,
        id: PolicyId,
        expected: Option<i64>,
    ) -> Result<(), ManagementError> {
        let mut change = self.begin(acting).await?;
        let before = stored(&mut *change.work, &acting.scope, id, expected).await?;
        change.work.policies().delete(&acting.scope, id).await?;
        let detail = detail::change(Some(detail::quota(&before)), None);
        self.conclude(change, acting, done("quota.delete", &before, detail)).await
    }

    fn new_policy(&self, acting: &Acting<'_>, draft: PolicyDraft) -> Result<QuotaPolicy, ManagementError> {
        let now = self.clock.now();
        let (millis, random) = self.id_parts()?;
        Ok(QuotaPolicy {
            id: PolicyId::from_parts(millis, &random),
            tenant: acting.scope.tenant(),
            scope: draft.scope,
            window: draft.window,
            limit_requests: draft.limit_requests,
            limit_tokens: draft.limit_tokens,
            limit_cost: draft.limit_cost,
            mode: draft.mode,
            created_at: now,
            updated_at: now,
            version: 1,
        })
    }

    async fn make_policy(
        &self,
        mut change: Change,
        acting: &Acting<'_>,
        policy: QuotaPolicy,
    ) -> Result<QuotaPolicy, ManagementError> {
        change.work.policies().create(&acting.scope, &policy).await?;
        let detail = detail::change(None, Some(detail::quota(&policy)));
        self.conclude(change, acting, done("quota.create", &policy, detail)).await?;
        Ok(policy)
    }
}

async fn check(
    work: &mut dyn UnitOfWork,
    scope: &TenantScope,
    policy: &QuotaPolicy,
) -> Result<(), ManagementError> {
    let mut fields = Fields::default();
    if policy.limit_requests.is_none() && policy.limit_tokens.is_none() && policy.limit_cost.is_none() {
        fields.refuse("limit_requests", "at least one limit is required");
    }
    let cost = policy.limit_cost.map(|cost| u64::try_from(cost.0).unwrap_or(u64::MAX));
    let limits = [
        ("limit_requests", policy.limit_requests),
        ("limit_tokens", policy.limit_tokens),
        ("limit_cost_micros", cost),
    ];
    for (field, limit) in limits {
        if limit.is_some_and(|limit| limit > MAX_LIMIT) {
            fields.refuse(field, format!("must be between 0 and {MAX_LIMIT}"));
        }
    }
    let there = match &policy.scope {
        PolicyScope::Tenant => true,
        PolicyScope::Key(id) => work.keys().get(scope, *id).await?.is_some(),
        PolicyScope::Channel(id) => work.channels().get(scope, *id).await?.is_some(),
        PolicyScope::Model(pattern) => rules::is_pattern(pattern),
    };
    if !there {
        let reason = match &policy.scope {
            PolicyScope::Model(_) => "must be a model's name, or a prefix ending in '*'",
            PolicyScope::Key(_) => "there is no such key",
            _ => "there is no such channel",
        };
        fields.refuse("scope_id", reason);
    }
    fields.check()
}

/// Another policy about the same and over the same window.
async fn namesake(
    work: &mut dyn UnitOfWork,
    scope: &TenantScope,
    policy: &QuotaPolicy,
) -> Result<Option<QuotaPolicy>, ManagementError> {
    let scope_id = match &policy.scope {
        PolicyScope::Tenant => None,
        PolicyScope::Key(id) => Some(id.to_string()),
        PolicyScope::Channel(id) => Some(id.to_string()),
        PolicyScope::Model(pattern) => Some(pattern.clone()),
    };
    let filter =
        PolicyFilter { scope: Some(policy.scope.kind()), scope_id, window: Some(policy.window), mode: None };
    // One other at most stands; the policy itself may be among the found.
    let listing = Listing { filter, ..Listing::of(Page { number: 1, size: 2 }) };
    let found = work.policies().list(scope, &listing).await?.items;
    Ok(found.into_iter().find(|other| other.id != policy.id))
}

fn taken() -> ManagementError {
    ManagementError::conflict("window", "a policy of the same scope and window stands already")
}

async fn stored(
    work: &mut dyn UnitOfWork,
    scope: &TenantScope,
    id: PolicyId,
    expected: Option<i64>,
) -> Result<QuotaPolicy, ManagementError> {
    let policy = work.policies().get(scope, id).await?.ok_or(ManagementError::NotFound(Noun::Quota))?;
    fresh(expected, policy.version)?;
    Ok(policy)
}

fn done(action: &'static str, policy: &QuotaPolicy, detail: String) -> Done {
    Done { action, target: format!("quota:{}", policy.id), detail }
}

#[cfg(test)]
mod tests;

//! Quota policies.

use lyss_domain::{Micros, PolicyId, PolicyMode, PolicyScope, QuotaPolicy, TenantScope, Window};
use lyss_repositories::{Listing, Page};

use crate::audit::Done;
use crate::{Actor, Management, ManagementError};

#[derive(Clone, Debug)]
pub struct PolicyDraft {
    pub scope: PolicyScope,
    pub window: Window,
    pub limit_requests: Option<u64>,
    pub limit_tokens: Option<u64>,
    pub limit_cost: Option<Micros>,
    pub mode: PolicyMode,
}

impl Management {
    /// Makes a policy unless one of the same scope and window stands already.
    pub async fn ensure_policy(
        &self,
        scope: &TenantScope,
        actor: &Actor,
        draft: PolicyDraft,
    ) -> Result<(), ManagementError> {
        if draft.limit_requests.is_none() && draft.limit_tokens.is_none() && draft.limit_cost.is_none() {
            return Err(ManagementError::invalid("limit_requests", "at least one limit is required"));
        }
        let mut work = self.store.begin().await?;
        let stored = work.policies().list(scope, &Listing::of(Page { number: 1, size: 200 })).await?;
        if stored.items.iter().any(|policy| policy.scope == draft.scope && policy.window == draft.window) {
            return Ok(());
        }
        let now = self.clock.now();
        let (millis, random) = self.id_parts()?;
        let policy = QuotaPolicy {
            id: PolicyId::from_parts(millis, &random),
            tenant: scope.tenant(),
            scope: draft.scope,
            window: draft.window,
            limit_requests: draft.limit_requests,
            limit_tokens: draft.limit_tokens,
            limit_cost: draft.limit_cost,
            mode: draft.mode,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        work.policies().create(scope, &policy).await?;
        let target = format!("quota:{}", policy.id);
        let done =
            Done { action: "quota.create", target, detail: format!(r#"{{"window":"{}"}}"#, policy.window) };
        self.conclude(work, scope, actor, done).await
    }
}

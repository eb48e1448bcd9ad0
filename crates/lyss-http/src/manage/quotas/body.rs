//! Quota policies in JSON.

use lyss_domain::{Micros, PolicyMode, PolicyScope, QuotaPolicy, ScopeKind, Window};
use lyss_management::{PolicyChange, PolicyDraft};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::manage::authorized::Authorized;
use crate::manage::failure::Failure;
use crate::manage::schema;
use crate::manage::word::{Moment, Named, Patch, patch, present};

/// What a policy is made from. At least one limit is needed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuotaCreate, example = json!({
    "scope": "model", "scope_id": "gpt-4*", "window": "month", "limit_cost_micros": 50_000_000, "mode": "enforce"
}))]
pub(super) struct QuotaBody {
    /// Id or slug; must be the tenant that is acted for.
    tenant_id: Option<String>,
    #[schema(schema_with = schema::word::<ScopeKind>)]
    scope: Named<ScopeKind>,
    /// The key's or channel's id, or a model's name or prefix ending in `*`; left out for `tenant`.
    scope_id: Option<String>,
    #[schema(schema_with = schema::word::<Window>)]
    window: Named<Window>,
    limit_requests: Option<u64>,
    limit_tokens: Option<u64>,
    limit_cost_micros: Option<i64>,
    /// `enforce` unless given.
    #[schema(schema_with = schema::word::<PolicyMode>, required = false)]
    mode: Option<Named<PolicyMode>>,
}

/// A JSON merge patch. Whom a policy is about never changes.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuotaPatch)]
pub(super) struct QuotaPatch {
    /// Id or slug; must be the tenant that is acted for.
    pub(super) tenant_id: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(schema_with = schema::word::<Window>, required = false)]
    window: Option<Named<Window>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<u64>)]
    limit_requests: Patch<u64>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<u64>)]
    limit_tokens: Patch<u64>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<i64>)]
    limit_cost_micros: Patch<i64>,
    #[serde(default, deserialize_with = "present")]
    #[schema(schema_with = schema::word::<PolicyMode>, required = false)]
    mode: Option<Named<PolicyMode>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Quota)]
pub(super) struct QuotaDto {
    #[schema(schema_with = schema::id)]
    id: String,
    #[schema(schema_with = schema::word::<ScopeKind>)]
    scope: Named<ScopeKind>,
    scope_id: Option<String>,
    #[schema(schema_with = schema::word::<Window>)]
    window: Named<Window>,
    limit_requests: Option<u64>,
    limit_tokens: Option<u64>,
    limit_cost_micros: Option<i64>,
    #[schema(schema_with = schema::word::<PolicyMode>)]
    mode: Named<PolicyMode>,
    #[schema(schema_with = schema::moment)]
    created_at: Moment,
    #[schema(schema_with = schema::moment)]
    updated_at: Moment,
    version: i64,
}

impl QuotaBody {
    pub(super) fn draft<P>(self, access: &Authorized<P>) -> Result<PolicyDraft, Failure> {
        access.must_be_own(self.tenant_id.as_deref())?;
        let unreadable = |_| Failure::field("scope_id", "must be an id, a UUID");
        let scope = match (self.scope.0, self.scope_id) {
            (ScopeKind::Tenant, named) => {
                access.must_be_own(named.as_deref())?;
                PolicyScope::Tenant
            }
            (_, None) => return Err(Failure::field("scope_id", "is required")),
            (ScopeKind::Key, Some(id)) => PolicyScope::Key(id.parse().map_err(unreadable)?),
            (ScopeKind::Channel, Some(id)) => PolicyScope::Channel(id.parse().map_err(unreadable)?),
            (ScopeKind::Model, Some(model)) => PolicyScope::Model(model),
        };
        Ok(PolicyDraft {
            scope,
            window: self.window.0,
            limit_requests: self.limit_requests,
            limit_tokens: self.limit_tokens,
            limit_cost: self.limit_cost_micros.map(Micros),
            mode: self.mode.map_or(PolicyMode::Enforce, |mode| mode.0),
        })
    }
}

impl QuotaPatch {
    pub(super) fn change(self) -> PolicyChange {
        PolicyChange {
            window: self.window.map(|window| window.0),
            limit_requests: self.limit_requests,
            limit_tokens: self.limit_tokens,
            limit_cost: self.limit_cost_micros.map(|cost| cost.map(Micros)),
            mode: self.mode.map(|mode| mode.0),
        }
    }
}

impl From<QuotaPolicy> for QuotaDto {
    fn from(policy: QuotaPolicy) -> Self {
        let scope = policy.scope.kind();
        let scope_id = match policy.scope {
            PolicyScope::Tenant => None,
            PolicyScope::Key(id) => Some(id.to_string()),
            PolicyScope::Channel(id) => Some(id.to_string()),
            PolicyScope::Model(pattern) => Some(pattern),
        };
        Self {
            id: policy.id.to_string(),
            scope: Named(scope),
            scope_id,
            window: Named(policy.window),
            limit_requests: policy.limit_requests,
            limit_tokens: policy.limit_tokens,
            limit_cost_micros: policy.limit_cost.map(|cost| cost.0),
            mode: Named(policy.mode),
            created_at: Moment(policy.created_at),
            updated_at: Moment(policy.updated_at),
            version: policy.version,
        }
    }
}

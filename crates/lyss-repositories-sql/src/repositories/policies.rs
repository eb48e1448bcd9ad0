//! Quota policies.

use async_trait::async_trait;
use lyss_domain::{
    ChannelId, KeyId, Micros, PolicyId, PolicyMode, PolicyScope, QuotaPolicy, ScopeKind, TenantId,
    TenantScope, Window,
};
use lyss_repositories::{Listing, Paged, PolicyFilter, PolicyRepository, PolicySort, StoreError};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::entities::policy::{Column, Entity, Model};
use crate::lists::{is, ordered};
use crate::rows::{at, delete, insert, one, owner, page, replace, signed, unsigned};
use crate::work::SqlWork;

fn row(scope: &TenantScope, policy: &QuotaPolicy) -> Result<Model, StoreError> {
    let (mut key_id, mut channel_id, mut model) = (None, None, None);
    match &policy.scope {
        PolicyScope::Tenant => {}
        PolicyScope::Key(key) => key_id = Some(key.0),
        PolicyScope::Channel(channel) => channel_id = Some(channel.0),
        PolicyScope::Model(pattern) => model = Some(pattern.clone()),
    }
    Ok(Model {
        tenant_id: owner(scope, Some(policy.tenant))?,
        id: policy.id.0,
        scope: policy.scope.kind().as_str().to_owned(),
        key_id,
        channel_id,
        model,
        window: policy.window.as_str().to_owned(),
        limit_requests: policy.limit_requests.map(signed),
        limit_tokens: policy.limit_tokens.map(signed),
        limit_cost_micros: policy.limit_cost.map(|cost| cost.0),
        mode: policy.mode.as_str().to_owned(),
        created_at_us: policy.created_at.as_micros(),
        updated_at_us: policy.updated_at.as_micros(),
        version: policy.version,
    })
}

impl TryFrom<Model> for QuotaPolicy {
    type Error = StoreError;
    fn try_from(row: Model) -> Result<Self, StoreError> {
        let scope = match (ScopeKind::parse(&row.scope), row.key_id, row.channel_id, row.model) {
            (Some(ScopeKind::Tenant), ..) => PolicyScope::Tenant,
            (Some(ScopeKind::Key), Some(key), ..) => PolicyScope::Key(KeyId(key)),
            (Some(ScopeKind::Channel), _, Some(channel), _) => PolicyScope::Channel(ChannelId(channel)),
            (Some(ScopeKind::Model), .., Some(pattern)) => PolicyScope::Model(pattern),
            _ => return Err(StoreError::Corrupt("policy scope")),
        };
        let limit = |number: Option<i64>, column| number.map(|n| unsigned(n, column)).transpose();
        Ok(Self {
            id: PolicyId(row.id),
            tenant: TenantId(row.tenant_id),
            scope,
            window: Window::parse(&row.window).ok_or(StoreError::Corrupt("policy window"))?,
            limit_requests: limit(row.limit_requests, "limit_requests")?,
            limit_tokens: limit(row.limit_tokens, "limit_tokens")?,
            limit_cost: row.limit_cost_micros.map(Micros),
            mode: PolicyMode::parse(&row.mode).ok_or(StoreError::Corrupt("policy mode"))?,
            created_at: at(row.created_at_us),
            updated_at: at(row.updated_at_us),
            version: row.version,
        })
    }
}

#[async_trait]
impl PolicyRepository for SqlWork {
    async fn create(&mut self, scope: &TenantScope, policy: &QuotaPolicy) -> Result<(), StoreError> {
        insert::<Entity>(self.tx(), row(scope, policy)?, policy.scope.kind().as_str()).await
    }

    async fn get(&mut self, scope: &TenantScope, id: PolicyId) -> Result<Option<QuotaPolicy>, StoreError> {
        one(self.tx(), Entity::find().filter(this(scope, id))).await
    }

    async fn list(
        &mut self,
        scope: &TenantScope,
        listing: &Listing<PolicyFilter, PolicySort>,
    ) -> Result<Paged<QuotaPolicy>, StoreError> {
        let by = match listing.sort.by {
            PolicySort::CreatedAt => Column::CreatedAtUs,
            PolicySort::UpdatedAt => Column::UpdatedAtUs,
        };
        let PolicyFilter { scope: kind, scope_id, window, mode } = &listing.filter;
        let wanted = mine(scope)
            .add_option(kind.map(|kind| Column::Scope.eq(kind.as_str())))
            .add_option(scope_id.as_ref().map(|id| about(scope, id)))
            .add_option(window.map(|window| Column::Window.eq(window.as_str())))
            .add_option(mode.map(|mode| Column::Mode.eq(mode.as_str())));
        let found = ordered(Entity::find().filter(wanted), by, Column::Id, listing.sort.descending);
        page(self.tx(), found, listing.page).await
    }

    async fn update(
        &mut self,
        scope: &TenantScope,
        policy: &QuotaPolicy,
        expected: i64,
    ) -> Result<(), StoreError> {
        let row = Model { version: expected.saturating_add(1), ..row(scope, policy)? };
        let current = this(scope, policy.id).add(Column::Version.eq(expected));
        replace::<Entity>(self.tx(), row, current, policy.scope.kind().as_str()).await
    }

    async fn delete(&mut self, scope: &TenantScope, id: PolicyId) -> Result<bool, StoreError> {
        delete::<Entity>(self.tx(), this(scope, id)).await
    }
}

/// What a client's `scope_id` may mean: a row says by itself which of its columns counts.
fn about(scope: &TenantScope, scope_id: &str) -> Condition {
    let id = scope_id.parse::<Uuid>().ok();
    let whole = (id == Some(scope.tenant().0)).then(|| Column::Scope.eq(ScopeKind::Tenant.as_str()));
    Condition::any()
        .add(is(Column::Model, scope_id))
        .add_option(id.map(|id| Column::KeyId.eq(id)))
        .add_option(id.map(|id| Column::ChannelId.eq(id)))
        .add_option(whole)
}

fn mine(scope: &TenantScope) -> Condition {
    Condition::all().add(Column::TenantId.eq(scope.tenant().0))
}

fn this(scope: &TenantScope, id: PolicyId) -> Condition {
    mine(scope).add(Column::Id.eq(id.0))
}

//! Quota policies.

use async_trait::async_trait;
use lyss_domain::{
    ChannelId, KeyId, Micros, PolicyId, PolicyMode, PolicyScope, QuotaPolicy, TenantId, TenantScope, Window,
};
use lyss_repositories::{Page, Paged, PolicyRepository, StoreError};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};

use crate::entities::policy::{Column, Entity, Model};
use crate::rows::{at, delete, insert, one, owner, page, replace, signed, unsigned};
use crate::work::SqlWork;

const TENANT: &str = "tenant";
const KEY: &str = "key";
const CHANNEL: &str = "channel";
const MODEL: &str = "model";

/// The kind of scope as it is stored; it is also what a broken reference is about.
fn kind(scope: &PolicyScope) -> &'static str {
    match scope {
        PolicyScope::Tenant => TENANT,
        PolicyScope::Key(_) => KEY,
        PolicyScope::Channel(_) => CHANNEL,
        PolicyScope::Model(_) => MODEL,
    }
}

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
        scope: kind(&policy.scope).to_owned(),
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
        let scope = match (row.scope.as_str(), row.key_id, row.channel_id, row.model) {
            (TENANT, ..) => PolicyScope::Tenant,
            (KEY, Some(key), ..) => PolicyScope::Key(KeyId(key)),
            (CHANNEL, _, Some(channel), _) => PolicyScope::Channel(ChannelId(channel)),
            (MODEL, .., Some(pattern)) => PolicyScope::Model(pattern),
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
        insert::<Entity>(self.tx(), row(scope, policy)?, kind(&policy.scope)).await
    }

    async fn get(&mut self, scope: &TenantScope, id: PolicyId) -> Result<Option<QuotaPolicy>, StoreError> {
        one(self.tx(), Entity::find().filter(this(scope, id))).await
    }

    async fn list(&mut self, scope: &TenantScope, part: Page) -> Result<Paged<QuotaPolicy>, StoreError> {
        let mine = Entity::find().filter(Column::TenantId.eq(scope.tenant().0));
        page(self.tx(), mine.order_by_asc(Column::Id), part).await
    }

    async fn update(
        &mut self,
        scope: &TenantScope,
        policy: &QuotaPolicy,
        expected: i64,
    ) -> Result<(), StoreError> {
        let row = Model { version: expected.saturating_add(1), ..row(scope, policy)? };
        let current = this(scope, policy.id).add(Column::Version.eq(expected));
        replace::<Entity>(self.tx(), row, current, kind(&policy.scope)).await
    }

    async fn delete(&mut self, scope: &TenantScope, id: PolicyId) -> Result<bool, StoreError> {
        delete::<Entity>(self.tx(), this(scope, id)).await
    }
}

fn this(scope: &TenantScope, id: PolicyId) -> Condition {
    Condition::all().add(Column::TenantId.eq(scope.tenant().0)).add(Column::Id.eq(id.0))
}

//! Channels.

use async_trait::async_trait;
use lyss_domain::{
    Channel, ChannelId, ChannelLimits, ChannelState, ChannelTimeouts, ProbeMode, TenantId, TenantScope,
};
use lyss_repositories::{ChannelFilter, ChannelRepository, ChannelSort, Listing, Paged, StoreError};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, QueryFilter};

use crate::entities::channel::{Column, Entity, Model};
use crate::json::{StringMap, Strings};
use crate::lists::{has_element, is, ordered, search};
use crate::rows::{at, count, delete, insert, maybe_count, micros, one, owner, page, replace, span};
use crate::work::SqlWork;

fn row(scope: &TenantScope, channel: &Channel) -> Result<Model, StoreError> {
    Ok(Model {
        tenant_id: owner(scope, Some(channel.tenant))?,
        id: channel.id.0,
        name: channel.name.clone(),
        provider: channel.provider.as_str().to_owned(),
        api_base: channel.api_base.clone(),
        supported_models: Strings(channel.supported_models.clone()),
        model_mapping: StringMap(channel.model_mapping.clone()),
        weight: channel.weight.into(),
        priority: channel.priority,
        requests_per_minute: channel.limits.requests_per_minute.map(i64::from),
        tokens_per_minute: channel.limits.tokens_per_minute.map(i64::from),
        concurrency: channel.limits.concurrency.map(i64::from),
        connect_timeout_us: channel.timeouts.connect.map(micros),
        first_byte_timeout_us: channel.timeouts.first_byte.map(micros),
        idle_timeout_us: channel.timeouts.idle.map(micros),
        total_timeout_us: channel.timeouts.total.map(micros),
        max_retries: channel.max_retries.map(i64::from),
        state: channel.state.as_str().to_owned(),
        tags: Strings(channel.tags.clone()),
        group_name: channel.group.clone(),
        api_version: channel.api_version.clone(),
        deployment_map: StringMap(channel.deployment_map.clone()),
        responses_models: channel.responses_models.clone().map(Strings),
        probe: channel.probe.as_str().to_owned(),
        adaptive_concurrency: channel.limits.adaptive_concurrency,
        created_at_us: channel.created_at.as_micros(),
        updated_at_us: channel.updated_at.as_micros(),
        version: channel.version,
    })
}

impl TryFrom<Model> for Channel {
    type Error = StoreError;
    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: ChannelId(row.id),
            tenant: TenantId(row.tenant_id),
            name: row.name,
            provider: row.provider.parse().map_err(|_| StoreError::Corrupt("provider id"))?,
            api_base: row.api_base,
            supported_models: row.supported_models.0,
            model_mapping: row.model_mapping.0,
            weight: count(row.weight, "weight")?,
            priority: row.priority,
            limits: ChannelLimits {
                requests_per_minute: maybe_count(row.requests_per_minute, "requests_per_minute")?,
                tokens_per_minute: maybe_count(row.tokens_per_minute, "tokens_per_minute")?,
                concurrency: maybe_count(row.concurrency, "concurrency")?,
                adaptive_concurrency: row.adaptive_concurrency,
            },
            timeouts: ChannelTimeouts {
                connect: span(row.connect_timeout_us, "connect_timeout_us")?,
                first_byte: span(row.first_byte_timeout_us, "first_byte_timeout_us")?,
                idle: span(row.idle_timeout_us, "idle_timeout_us")?,
                total: span(row.total_timeout_us, "total_timeout_us")?,
            },
            max_retries: maybe_count(row.max_retries, "max_retries")?,
            state: ChannelState::parse(&row.state).ok_or(StoreError::Corrupt("channel state"))?,
            tags: row.tags.0,
            group: row.group_name,
            api_version: row.api_version,
            deployment_map: row.deployment_map.0,
            responses_models: row.responses_models.map(|list| list.0),
            probe: ProbeMode::parse(&row.probe).ok_or(StoreError::Corrupt("probe"))?,
            created_at: at(row.created_at_us),
            updated_at: at(row.updated_at_us),
            version: row.version,
        })
    }
}

#[async_trait]
impl ChannelRepository for SqlWork {
    async fn create(&mut self, scope: &TenantScope, channel: &Channel) -> Result<(), StoreError> {
        insert::<Entity>(self.tx(), row(scope, channel)?, "tenant").await
    }

    async fn get(&mut self, scope: &TenantScope, id: ChannelId) -> Result<Option<Channel>, StoreError> {
        one(self.tx(), Entity::find().filter(this(scope, id))).await
    }

    async fn by_name(&mut self, scope: &TenantScope, name: &str) -> Result<Option<Channel>, StoreError> {
        one(self.tx(), Entity::find().filter(mine(scope).add(Column::Name.eq(name)))).await
    }

    async fn list(
        &mut self,
        scope: &TenantScope,
        listing: &Listing<ChannelFilter, ChannelSort>,
    ) -> Result<Paged<Channel>, StoreError> {
        let tx = self.tx();
        let by = match listing.sort.by {
            ChannelSort::Name => Column::Name,
            ChannelSort::Weight => Column::Weight,
            ChannelSort::Priority => Column::Priority,
            ChannelSort::CreatedAt => Column::CreatedAtUs,
            ChannelSort::UpdatedAt => Column::UpdatedAtUs,
        };
        let wanted = mine(scope).add(matching(tx.get_database_backend(), &listing.filter));
        let found = ordered(Entity::find().filter(wanted), by, Column::Id, listing.sort.descending);
        page(tx, found, listing.page).await
    }

    async fn update(
        &mut self,
        scope: &TenantScope,
        channel: &Channel,
        expected: i64,
    ) -> Result<(), StoreError> {
        let row = Model { version: expected.saturating_add(1), ..row(scope, channel)? };
        let current = this(scope, channel.id).add(Column::Version.eq(expected));
        replace::<Entity>(self.tx(), row, current, "tenant").await
    }

    async fn delete(&mut self, scope: &TenantScope, id: ChannelId) -> Result<bool, StoreError> {
        delete::<Entity>(self.tx(), this(scope, id)).await
    }
}

fn matching(backend: DbBackend, filter: &ChannelFilter) -> Condition {
    let ChannelFilter { provider, state, tag, group, search: text } = filter;
    let tagged = |tag: &String| has_element(backend, r#""channels"."tags""#, tag);
    Condition::all()
        .add_option(provider.as_ref().map(|slug| Column::Provider.eq(slug.as_str())))
        .add_option(state.map(|state| Column::State.eq(state.as_str())))
        .add_option(tag.as_ref().map(tagged))
        .add_option(group.as_ref().map(|group| is(Column::GroupName, group)))
        .add_option(text.as_ref().map(|text| search(backend, &[Column::Name], text)))
}

fn mine(scope: &TenantScope) -> Condition {
    Condition::all().add(Column::TenantId.eq(scope.tenant().0))
}

fn this(scope: &TenantScope, id: ChannelId) -> Condition {
    mine(scope).add(Column::Id.eq(id.0))
}

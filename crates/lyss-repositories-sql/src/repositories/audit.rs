//! The audit log.

use async_trait::async_trait;
use lyss_domain::{AuditEntry, AuditId, AuditOutcome, TenantId, TenantScope};
use lyss_repositories::{
    AuditFilter, AuditRepository, AuditSort, AuditSource, Listing, Paged, Sort, StoreError,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Statement,
};
use uuid::Uuid;

use crate::entities::audit_entry::{Column, Entity, Model};
use crate::error::store_error;
use crate::lists::{direction, is};
use crate::rows::{all, at, bytes32, insert, one, owner, page};
use crate::store::SqlStore;
use crate::work::{SqlWork, Transaction};

fn row(scope: &TenantScope, entry: &AuditEntry) -> Result<Model, StoreError> {
    Ok(Model {
        tenant_id: owner(scope, Some(entry.tenant))?,
        id: entry.id.0,
        sequence: entry.sequence,
        at_us: entry.at.as_micros(),
        actor: entry.actor.clone(),
        address: entry.address.clone(),
        action: entry.action.clone(),
        target: entry.target.clone(),
        outcome: entry.outcome.as_str().to_owned(),
        detail: entry.detail.clone(),
        previous: entry.previous.to_vec(),
        digest: entry.digest.to_vec(),
    })
}

impl TryFrom<Model> for AuditEntry {
    type Error = StoreError;
    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: AuditId(row.id),
            tenant: TenantId(row.tenant_id),
            sequence: row.sequence,
            at: at(row.at_us),
            actor: row.actor,
            address: row.address,
            action: row.action,
            target: row.target,
            outcome: AuditOutcome::parse(&row.outcome).ok_or(StoreError::Corrupt("audit outcome"))?,
            detail: row.detail,
            previous: bytes32(&row.previous, "audit digest")?,
            digest: bytes32(&row.digest, "audit digest")?,
        })
    }
}

#[async_trait]
impl AuditRepository for SqlWork {
    async fn last(&mut self, scope: &TenantScope) -> Result<Option<AuditEntry>, StoreError> {
        let tx = self.tx();
        lock(tx, scope).await?;
        let mine = Entity::find().filter(Column::TenantId.eq(scope.tenant().0));
        one(tx, mine.order_by_desc(Column::Sequence).limit(1)).await
    }

    async fn append(&mut self, scope: &TenantScope, entry: &AuditEntry) -> Result<(), StoreError> {
        insert::<Entity>(self.tx(), row(scope, entry)?, "tenant").await
    }

    async fn list(
        &mut self,
        scope: &TenantScope,
        listing: &Listing<AuditFilter, AuditSort>,
    ) -> Result<Paged<AuditEntry>, StoreError> {
        let Sort { by: AuditSort::Sequence, descending } = listing.sort;
        let AuditFilter { actor, action, target, outcome, from, until } = &listing.filter;
        let wanted = Condition::all()
            .add(Column::TenantId.eq(scope.tenant().0))
            .add_option(actor.as_ref().map(|actor| is(Column::Actor, actor)))
            .add_option(action.as_ref().map(|action| is(Column::Action, action)))
            .add_option(target.as_ref().map(|target| is(Column::Target, target)))
            .add_option(outcome.map(|outcome| Column::Outcome.eq(outcome.as_str())))
            .add_option(from.map(|from| Column::AtUs.gte(from.as_micros())))
            .add_option(until.map(|until| Column::AtUs.lt(until.as_micros())));
        let found = Entity::find().filter(wanted).order_by(Column::Sequence, direction(descending));
        page(self.tx(), found, listing.page).await
    }

    async fn from(
        &mut self,
        scope: &TenantScope,
        sequence: i64,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let rest = Entity::find()
            .filter(Column::TenantId.eq(scope.tenant().0))
            .filter(Column::Sequence.gte(sequence))
            .order_by_asc(Column::Sequence)
            .limit(u64::from(limit));
        all(self.tx(), rest).await
    }
}

#[async_trait]
impl AuditSource for SqlStore {
    async fn tenants_with_entries(&self) -> Result<Vec<TenantId>, StoreError> {
        let tenants = Entity::find()
            .select_only()
            .column(Column::TenantId)
            .distinct()
            .order_by_asc(Column::TenantId)
            .into_tuple::<Uuid>();
        let ids = tenants.all(self.reader()).await.map_err(store_error)?;
        Ok(ids.into_iter().map(TenantId).collect())
    }
}

/// Holds the tenant's chain until the transaction ends; there may be no row yet to lock. SQLite's writers are one
/// after another as it is. Two tenants whose hashes meet merely wait for each other.
async fn lock(tx: &Transaction, scope: &TenantScope) -> Result<(), StoreError> {
    if tx.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let wait = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
        [format!("audit {}", scope.tenant()).into()],
    );
    tx.execute_raw(wait).await.map(|_| ()).map_err(store_error)
}

//! Tenants.

use lyss_domain::window::Calendar;
use lyss_domain::{Tenant, TenantId, TenantScope, TenantSettings};
use lyss_repositories::{UnitOfWork, WrappedKey};
use lyss_vault::{DataKey, Wrapped};

use crate::audit::Done;
use crate::{Actor, Management, ManagementError};

/// What a new tenant is made from.
#[derive(Clone, Debug)]
pub struct TenantDraft {
    /// 1 to 64 of `a-z`, `0-9`, `-`, `_`.
    pub slug: String,
    pub name: String,
    pub settings: TenantSettings,
}

impl Management {
    /// A tenant by its slug.
    pub async fn tenant_by_slug(&self, slug: &str) -> Result<Option<Tenant>, ManagementError> {
        Ok(self.store.read().await?.tenants().by_slug(slug).await?)
    }

    /// A new tenant with its first data key. `grant` makes the scope of the tenant just made: the right to create
    /// tenants stands above them all, and is proven by whoever calls.
    pub async fn create_tenant(
        &self,
        actor: &Actor,
        draft: TenantDraft,
        grant: impl FnOnce(TenantId) -> TenantScope + Send,
    ) -> Result<Tenant, ManagementError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
        if draft.slug.is_empty() || draft.slug.len() > 64 || !draft.slug.bytes().all(plain) {
            return Err(ManagementError::invalid("slug", "must be 1 to 64 of a-z, 0-9, '-' and '_'"));
        }
        Calendar::named(&draft.settings.time_zone)
            .map_err(|_| ManagementError::invalid("settings.time_zone", "is not an IANA time zone"))?;
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
        let scope = grant(tenant.id);
        let mut work = self.store.begin().await?;
        work.tenants().create(&tenant).await?;
        self.new_data_key(&mut *work, &scope, 1).await?;
        let done = Done {
            action: "tenant.create",
            target: format!("tenant:{}", tenant.id),
            detail: format!(r#"{{"slug":"{}"}}"#, tenant.slug),
        };
        self.conclude(work, &scope, actor, done).await?;
        Ok(tenant)
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
        let wrapped = Wrapped { master_key_id: stored.master_key_id, bytes: stored.wrapped };
        Ok((stored.version, self.vault.unwrap_data_key(scope.tenant(), stored.version, &wrapped)?))
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

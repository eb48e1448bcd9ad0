//! Readings on nobody's behalf: the command line's, and the daily look at every tenant. One of the named places where a
//! scope comes to be.

use lyss_domain::{TenantId, TenantScope};
use lyss_repositories::StoreError;

use crate::{BalancingReport, HealthReport, Insight, Period};

impl Insight {
    /// For whoever stands above tenants. `None`: there is no such tenant.
    pub async fn balancing_report_of(
        &self,
        tenant: TenantId,
        period: Period,
    ) -> Result<Option<BalancingReport>, StoreError> {
        self.balancing_report(&scope_of(tenant), period).await
    }

    /// For whoever stands above tenants. `None`: there is no such tenant.
    pub async fn health_report_of(
        &self,
        tenant: TenantId,
        period: Period,
    ) -> Result<Option<HealthReport>, StoreError> {
        self.health_report(&scope_of(tenant), period).await
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the system looks after every tenant, and shows each its own alone"
)]
fn scope_of(tenant: TenantId) -> TenantScope {
    TenantScope::grant(tenant)
}

//! What the readings of state are given: the stores, the configuration, and the pipeline as it runs.

use std::sync::Arc;

use lyss_balancing::ChannelHealth;
use lyss_catalog::CatalogHandle;
use lyss_domain::{ChannelId, Clock, TenantId};
use lyss_insight::{Insight, KeptReports, Live, Serving};
use lyss_proxy::Proxy;
use lyss_repositories_sql::SqlStore;

/// The pipeline as the readings of state see it.
struct Pipeline(Arc<Proxy>);

impl Live for Pipeline {
    fn health(&self, channel: ChannelId) -> Option<Arc<ChannelHealth>> {
        self.0.health().known(channel)
    }

    fn serving(&self, tenant: TenantId, model: &str) -> Serving {
        let table = self.0.routes();
        table.tenant(tenant).map(|routes| lyss_proxy::models::serving(routes, model)).unwrap_or_default()
    }
}

pub(super) fn insight(
    store: &SqlStore,
    catalog: Arc<CatalogHandle>,
    proxy: &Arc<Proxy>,
    clock: &Arc<dyn Clock>,
) -> Arc<Insight> {
    Arc::new(Insight {
        attempts: Arc::new(store.clone()),
        health: Arc::new(store.clone()),
        catalog,
        live: Arc::new(Pipeline(Arc::clone(proxy))),
        clock: Arc::clone(clock),
        kept: KeptReports::default(),
    })
}

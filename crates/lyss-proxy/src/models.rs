//! What a key may call, for `GET /v1/models`, and who serves it.

use std::collections::BTreeMap;

use lyss_adapters::ModelCard;
use lyss_domain::{ChannelId, VirtualKey};

use crate::plan::{may_call, may_use};
use crate::routes::TenantRoutes;

/// One model by the name a caller asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelEntry {
    pub id: String,
    /// The provider of the first channel that serves it.
    pub owned_by: String,
    /// When that channel was made, in seconds since the epoch.
    pub created: i64,
    /// What is known of it at that channel's vendor.
    pub card: ModelCard,
}

/// Sorted by name; a model served by several channels is listed once. Families (`gpt-*`) cannot be listed.
pub fn models(tenant: &TenantRoutes, key: &VirtualKey) -> Vec<ModelEntry> {
    let mut found = BTreeMap::new();
    for route in tenant.routes.iter().filter(|route| may_use(key, route)) {
        for model in route.listed_models().filter(|model| may_call(key, model)) {
            found.entry(model.to_owned()).or_insert_with(|| ModelEntry {
                id: model.to_owned(),
                owned_by: route.channel.provider.to_string(),
                created: route.channel.created_at.as_secs(),
                card: route.card(model),
            });
        }
    }
    found.into_values().collect()
}

/// The channels that serve a model, whoever calls, and under which name each vendor knows it.
pub fn serving(tenant: &TenantRoutes, model: &str) -> Vec<(ChannelId, String)> {
    let serving = tenant.routes.iter().filter(|route| route.serves(model));
    serving.map(|route| (route.channel.id, route.upstream_model(model).to_owned())).collect()
}

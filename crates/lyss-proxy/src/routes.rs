//! What an administrator configured, made ready for calls: addresses parsed, dialects chosen, data keys unwrapped.
//! Rebuilt whole with every generation of the catalog; read through one `Arc` by a call from start to end.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::Uri;
use lyss_adapters::preset::{self, ResolveError, Service};
use lyss_adapters::{Dialect, Endpoint, Errand, ModelCard, Preset, Quirks, Target, model_card};
use lyss_balancing::{Candidate, ChannelHealth, Health, Vitals};
use lyss_catalog::{Catalog, ChannelEntry, TenantEntry};
use lyss_domain::tenant::pattern_matches;
use lyss_domain::{
    AuthScheme, CapabilitySet, Channel, ChannelState, Operation, ProviderKind, SealedCredential, Secret,
    TenantId, Tick,
};
use lyss_vault::{CredentialBinding, DataKey, Vault};
use smallvec::SmallVec;
use tracing::warn;

/// Models of one tenant whose pools are remembered: names that some channel lists or maps.
const MAX_POOLS: usize = 1_024;
/// Where only a pattern of some channel matches, a caller can invent names: fewer are kept than a channel remembers
/// models, so that there is always room for the next.
const MAX_UNNAMED_POOLS: usize = 128;

/// Half of what a trial may keep its call waiting where nothing was learned.
const UNLEARNED_PATIENCE: Duration = Duration::from_secs(5);

pub struct RouteTable {
    catalog: Arc<Catalog>,
    tenants: foldhash::HashMap<TenantId, TenantRoutes>,
}

/// One tenant's channels that can serve.
pub struct TenantRoutes {
    pub entry: Arc<TenantEntry>,
    pub routes: Vec<Arc<Route>>,
    /// Read without a lock; whoever meets a new name copies the map.
    pools: ArcSwap<HashMap<Box<str>, Arc<ModelPool>>>,
}

/// A channel ready to be called.
pub struct Route {
    pub channel: Channel,
    pub kind: ProviderKind,
    preset: &'static Preset,
    /// Outlives edits of the channel's configuration.
    pub health: Arc<ChannelHealth>,
    models: Vec<String>,
    target: Target,
    /// Reached through the responses API alone.
    responses_models: Vec<String>,
    /// Addresses that do not depend on the model.
    fixed: SmallVec<[(Endpoint, Uri); 2]>,
    credential: Option<(SealedCredential, Arc<DataKey>)>,
}

/// The channels that serve one model, in the form the balancer takes.
pub struct ModelPool {
    pub group: u64,
    pub seats: Vec<Seat>,
    /// The least that all of them hold; a call within it need not be compared with each.
    least: ModelCard,
}

/// One of them: the channel, and what is known of this model on it.
#[derive(Clone)]
pub struct Seat {
    pub route: Arc<Route>,
    pub vitals: Arc<Vitals>,
    /// What is known of the model behind it.
    pub card: ModelCard,
}

impl RouteTable {
    /// Channels that cannot serve are left out, each with a line in the log.
    pub fn build(catalog: Arc<Catalog>, vault: &Vault, health: &Health, now: Tick) -> Self {
        let tenants = catalog
            .tenants()
            .filter(|entry| entry.tenant.enabled)
            .map(|entry| (entry.tenant.id, TenantRoutes::build(entry, vault, health, now)))
            .collect();
        health.forget_unused();
        Self { catalog, tenants }
    }

    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    pub fn tenant(&self, id: TenantId) -> Option<&TenantRoutes> {
        self.tenants.get(&id)
    }
}

impl TenantRoutes {
    fn build(entry: &Arc<TenantEntry>, vault: &Vault, health: &Health, now: Tick) -> Self {
        let data_keys = unwrap_data_keys(entry, vault);
        let mut routes = Vec::new();
        for channel in entry.channels.iter().filter(|c| c.channel.state == ChannelState::Enabled) {
            match Route::build(entry, channel, &data_keys, health, now) {
                Ok(route) => routes.push(Arc::new(route)),
                Err(reason) => {
                    warn!(channel = %channel.channel.id, tenant = %entry.tenant.id, reason, "a channel cannot serve");
                }
            }
        }
        Self { entry: Arc::clone(entry), routes, pools: ArcSwap::default() }
    }

    /// The channels that serve a model; `None`: no channel does.
    pub fn pool(&self, model: &str) -> Option<Arc<ModelPool>> {
        if let Some(pool) = self.pools.load().get(model) {
            return Some(Arc::clone(pool));
        }
        let serving = self.routes.iter().filter(|route| route.serves(model));
        let seats: Vec<_> = serving.map(|route| Seat::new(route, model)).collect();
        if seats.is_empty() {
            return None;
        }
        let pool = Arc::new(ModelPool::new(self.entry.tenant.id, model, seats));
        let is_named = self.routes.iter().any(|route| route.listed_models().any(|listed| listed == model));
        if self.pools.load().len() < if is_named { MAX_POOLS } else { MAX_UNNAMED_POOLS } {
            self.pools.rcu(|known| {
                let mut pools = HashMap::clone(known);
                pools.insert(model.into(), Arc::clone(&pool));
                pools
            });
        }
        Some(pool)
    }
}

impl ModelPool {
    pub fn new(tenant: TenantId, model: &str, seats: Vec<Seat>) -> Self {
        // Fixed keys: the same group in every generation, so round robin goes on where it was.
        let mut hasher = DefaultHasher::new();
        (tenant, model).hash(&mut hasher);
        let cards = || seats.iter().map(|seat| &seat.card);
        let least = ModelCard {
            context: cards().filter_map(|card| card.context).min(),
            max_output: None,
            capabilities: cards().fold(CapabilitySet::ALL, |all, card| all.shared(card.capabilities)),
        };
        Self { group: hasher.finish(), seats, least }
    }

    /// True where every channel can be asked for what a call needs: its size in tokens, what its model must have.
    pub fn suits_all(&self, tokens: u64, needs: CapabilitySet) -> bool {
        suits(&self.least, tokens, needs)
    }
}

impl Seat {
    fn new(route: &Arc<Route>, model: &str) -> Self {
        let vitals = route.health.model(route.upstream_model(model));
        Self { route: Arc::clone(route), vitals, card: route.card(model) }
    }

    /// True where its model is known to hold so much and to have all that is needed, or is not known.
    pub fn suits(&self, tokens: u64, needs: CapabilitySet) -> bool {
        suits(&self.card, tokens, needs)
    }

    /// How long it may keep a call waiting while it is on trial: longer than it ever was when well.
    pub fn trial_patience(&self, now: Tick) -> Duration {
        let usual = self.vitals.ttft_quantile(0.95, now).unwrap_or(UNLEARNED_PATIENCE);
        usual.saturating_mul(2).clamp(Duration::from_secs(2), Duration::from_secs(15))
    }

    /// As the balancer sees it at this moment.
    pub fn candidate(&self, now: Tick) -> Candidate {
        let channel = &self.route.channel;
        let known = Candidate::new(channel.id, channel.weight, channel.priority);
        Candidate { snapshot: self.vitals.snapshot(now), ..known }
    }
}

fn suits(card: &ModelCard, tokens: u64, needs: CapabilitySet) -> bool {
    card.context.is_none_or(|context| tokens <= context) && needs.without(card.capabilities).is_empty()
}

impl Route {
    fn build(
        entry: &TenantEntry,
        stored: &ChannelEntry,
        data_keys: &HashMap<i32, Arc<DataKey>>,
        health: &Health,
        now: Tick,
    ) -> Result<Self, &'static str> {
        let channel = &stored.channel;
        let own = entry.providers.get(&channel.provider);
        let resolved = preset::resolve(channel.provider.as_str(), own, channel.api_base.as_deref()).map_err(
            |error| match error {
                ResolveError::UnknownProvider => "its provider does not exist",
                ResolveError::NoAddress => "it has no api_base and its provider has none",
            },
        )?;
        let kind = resolved.kind;
        let target = resolved
            .target(channel.api_version.as_deref())
            .map_err(|_| "its address or headers are not valid")?;
        let credential = match (&resolved.auth, &stored.credential) {
            (AuthScheme::None, _) => None,
            (_, None) => return Err("it has no credential"),
            (_, Some(sealed)) if sealed.origin != target.origin() => {
                return Err("its address changed: the credential must be entered again");
            }
            (_, Some(sealed)) => {
                let key = data_keys.get(&sealed.data_key_version).ok_or("its data key cannot be opened")?;
                Some((sealed.clone(), Arc::clone(key)))
            }
        };
        let models = [channel.supported_models.as_slice(), own.map_or(&[][..], |p| &p.supported_models)]
            .into_iter()
            .find(|list| !list.is_empty())
            .map_or_else(
                || resolved.preset.models.iter().map(|m| (*m).to_owned()).collect(),
                <[String]>::to_vec,
            );
        let known = || resolved.preset.responses_models.iter().map(|m| (*m).to_owned()).collect();
        let responses_models = channel.responses_models.clone().unwrap_or_else(known);
        let state = health.channel(channel.id);
        state.configure(channel.limits.concurrency, channel.limits.adaptive_concurrency);
        state.renewed(way_in(target.origin(), stored), now);
        Ok(Self {
            channel: channel.clone(),
            kind,
            preset: resolved.preset,
            health: state,
            models,
            responses_models,
            fixed: fixed_addresses(&target),
            target,
            credential,
        })
    }

    /// In which dialect this channel is asked for one who speaks `caller`: his own where the vendor has it.
    pub fn dialect_for(&self, caller: Dialect, upstream_model: &str) -> Dialect {
        let usual = Dialect::spoken_by(self.kind).first().copied().unwrap_or(Dialect::OpenAiChat);
        let has_responses = self.preset.services.has(Service::Responses);
        let needs_responses = || {
            let mut listed = self.responses_models.iter();
            listed.any(|pattern| pattern_matches(pattern, upstream_model))
        };
        match caller {
            _ if usual == Dialect::OpenAiChat && needs_responses() => Dialect::OpenAiResponses,
            Dialect::OpenAiResponses if has_responses => Dialect::OpenAiResponses,
            _ => usual,
        }
    }

    /// Whether the vendor has what is asked for.
    pub fn can(&self, errand: Errand) -> bool {
        let service = match errand.operation() {
            Operation::Chat | Operation::CountTokens => return true,
            Operation::Embeddings if self.kind == ProviderKind::Google => return true,
            Operation::Embeddings => Service::Embeddings,
            Operation::Completions => Service::Completions,
            Operation::Moderations => Service::Moderations,
            Operation::Images => Service::Images,
            Operation::Speech | Operation::Transcriptions => Service::Audio,
            Operation::Rerank => Service::Rerank,
            // Callers cannot ask for it.
            Operation::Health => return false,
        };
        self.preset.services.has(service)
    }

    /// What is known of a model by the name that callers use.
    pub fn card(&self, model: &str) -> ModelCard {
        model_card(self.kind, self.channel.provider.as_str(), self.upstream_model(model))
    }

    /// How the vendor differs from its dialect.
    pub fn quirks(&self) -> &'static Quirks {
        &self.preset.quirks
    }

    /// Under which name the vendor reads an output limit.
    pub fn output_limit_field(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::OpenAiChat => self.preset.output_limit_field(),
            Dialect::OpenAiResponses => "max_output_tokens",
            Dialect::AnthropicMessages => "max_tokens",
            Dialect::GoogleGenerate => "maxOutputTokens",
        }
    }

    /// True when a caller may ask this channel for a model.
    pub fn serves(&self, model: &str) -> bool {
        self.channel.model_mapping.contains_key(model)
            || self.models.iter().any(|pattern| pattern_matches(pattern, model))
    }

    /// Names that can be listed: patterns cannot.
    pub fn listed_models(&self) -> impl Iterator<Item = &str> {
        let named = self.models.iter().filter(|m| !m.ends_with('*'));
        named.chain(self.channel.model_mapping.keys()).map(String::as_str)
    }

    /// What the vendor is asked for.
    pub fn upstream_model<'a>(&'a self, asked: &'a str) -> &'a str {
        self.channel.model_mapping.get(asked).map_or(asked, String::as_str)
    }

    /// The address for a model as the vendor knows it.
    pub fn uri(&self, endpoint: Endpoint, upstream_model: &str) -> Option<Uri> {
        if let Some((_, uri)) = self.fixed.iter().find(|(known, _)| *known == endpoint) {
            return Some(uri.clone());
        }
        let deployment =
            self.channel.deployment_map.get(upstream_model).map_or(upstream_model, String::as_str);
        self.target.uri(endpoint, deployment).ok()
    }

    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Opens the credential for one request. `Ok(None)`: this vendor takes none.
    pub fn open_credential(&self, vault: &Vault) -> Result<Option<Secret>, lyss_vault::VaultError> {
        let Some((sealed, key)) = &self.credential else { return Ok(None) };
        let binding = CredentialBinding {
            tenant: sealed.tenant,
            channel: sealed.channel,
            provider: self.channel.provider.as_str(),
            origin: self.target.origin(),
            data_key_version: sealed.data_key_version,
            credential_version: sealed.version,
        };
        vault.open_credential(key, &binding, &sealed.sealed).map(Some)
    }
}

/// Another number with another address or credential.
fn way_in(origin: &str, stored: &ChannelEntry) -> u64 {
    let mut hasher = DefaultHasher::new();
    (origin, stored.credential.as_ref().map(|sealed| sealed.version)).hash(&mut hasher);
    hasher.finish()
}

/// The addresses of a vendor's own dialects, where they do not hold the model.
fn fixed_addresses(target: &Target) -> SmallVec<[(Endpoint, Uri); 2]> {
    if matches!(target.kind(), ProviderKind::AzureOpenAi | ProviderKind::Google) {
        return SmallVec::new();
    }
    let endpoints = Dialect::spoken_by(target.kind()).iter().map(|dialect| dialect.endpoint(false));
    endpoints.filter_map(|endpoint| Some((endpoint, target.uri(endpoint, "").ok()?))).collect()
}

fn unwrap_data_keys(entry: &TenantEntry, vault: &Vault) -> HashMap<i32, Arc<DataKey>> {
    let mut keys = HashMap::new();
    for stored in &entry.data_keys {
        let wrapped = lyss_vault::Wrapped {
            master_key_id: stored.master_key_id.clone(),
            bytes: stored.wrapped.clone(),
        };
        match vault.unwrap_data_key(stored.tenant, stored.version, &wrapped) {
            Ok(key) => {
                keys.insert(stored.version, Arc::new(key));
            }
            Err(error) => {
                warn!(tenant = %stored.tenant, version = stored.version, %error, "a data key cannot be opened");
            }
        }
    }
    keys
}

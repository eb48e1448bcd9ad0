//! Which channels may serve this call: pure over the route table.

use std::sync::Arc;
use std::time::Duration;

use lyss_adapters::{Ask, Fault};
use lyss_domain::tenant::pattern_matches;
use lyss_domain::{ChannelId, FaultKind, Objective, Operation, Strategy, TenantId, VirtualKey};

use crate::affinity;
use crate::routes::{ModelPool, Route, Seat, TenantRoutes};

/// The channels among which the balancer picks, and how.
pub struct Planned {
    pub pool: Arc<ModelPool>,
    pub strategy: Strategy,
    pub hedge: bool,
    pub objective: Objective,
    /// What is to be served where its like was served before.
    pub affinity: Option<u64>,
}

/// What a caller chose by header, where its key permits it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steering {
    /// `x-lyss-channel`: this channel and no other.
    pub channel: Option<ChannelId>,
    /// `x-lyss-strategy`.
    pub strategy: Option<Strategy>,
    /// `x-lyss-tags`: a channel must carry all of them.
    pub tags: Vec<String>,
    /// `x-lyss-timeout-ms`: the call's deadline, never later than the service's.
    pub timeout: Option<Duration>,
    /// `x-lyss-session`: calls of one session go to one channel while it serves well.
    pub session: Option<String>,
}

impl Steering {
    fn allows(&self, route: &Route) -> bool {
        self.channel.is_none_or(|channel| channel == route.channel.id)
            && self.tags.iter().all(|tag| route.channel.tags.contains(tag))
    }

    fn narrows(&self) -> bool {
        self.channel.is_some() || !self.tags.is_empty()
    }
}

/// Applies what the key may use. The fault tells a model that nobody serves from one that this key may not call; both
/// are "not found" to the caller. `prompt_tokens`: a likely size.
pub fn plan(
    tenant: &TenantRoutes,
    key: &VirtualKey,
    ask: &Ask,
    steering: &Steering,
    default_strategy: Strategy,
    prompt_tokens: u64,
) -> Result<Planned, Fault> {
    if *steering != Steering::default() && !key.may_steer {
        let message = "This key may not choose channel, strategy, tags or timeout by header.";
        return Err(Fault::new(FaultKind::Forbidden, message));
    }
    if !may_call(key, &ask.model) {
        return Err(not_found(&ask.model));
    }
    let pool = tenant.pool(&ask.model).ok_or_else(|| not_found(&ask.model))?;
    let serve_all = pool.seats.iter().all(|seat| seat.route.can(ask.errand));
    let pool = if serve_all && key.channels.is_empty() && key.tags.is_empty() && !steering.narrows() {
        pool
    } else {
        let usable = |seat: &&Seat| may_use(key, &seat.route) && steering.allows(&seat.route);
        let mut seats: Vec<_> = pool.seats.iter().filter(usable).cloned().collect();
        if !seats.is_empty() && !serve_all {
            seats.retain(|seat| seat.route.can(ask.errand));
            if seats.is_empty() {
                return Err(cannot(ask.errand.operation(), &ask.model));
            }
        }
        if seats.is_empty() && steering.narrows() {
            let message = "No channel that this key may use serves this model and matches x-lyss-channel and x-lyss-tags.";
            return Err(Fault::new(FaultKind::ModelNotFound, message));
        }
        if seats.is_empty() {
            return Err(not_found(&ask.model));
        }
        Arc::new(ModelPool::new(tenant.entry.tenant.id, &ask.model, seats))
    };
    let pool = suited(tenant.entry.tenant.id, pool, ask, prompt_tokens);
    let rule = tenant.entry.tenant.settings.routing.rule_for(&ask.model);
    Ok(Planned {
        pool,
        strategy: steering.strategy.or(key.strategy).or(rule.strategy).unwrap_or(default_strategy),
        hedge: rule.hedge,
        objective: rule.objective,
        affinity: affinity::key(tenant.entry.tenant.id, ask, steering.session.as_deref(), rule.affinity),
    })
}

/// The channels whose model is large and able enough, where there are such; else all, and the vendor is to judge.
fn suited(tenant: TenantId, pool: Arc<ModelPool>, ask: &Ask, prompt_tokens: u64) -> Arc<ModelPool> {
    let tokens = prompt_tokens.saturating_add(ask.output_limit.unwrap_or(0));
    if pool.seats.len() < 2 || pool.suits_all(tokens, ask.needs) {
        return pool;
    }
    let fitting: Vec<_> = pool.seats.iter().filter(|seat| seat.suits(tokens, ask.needs)).cloned().collect();
    if fitting.is_empty() { pool } else { Arc::new(ModelPool::new(tenant, &ask.model, fitting)) }
}

/// True when the key's model list allows a model.
pub fn may_call(key: &VirtualKey, model: &str) -> bool {
    key.models.is_empty() || key.models.iter().any(|pattern| pattern_matches(pattern, model))
}

/// True when the key's channel and tag lists allow a channel.
pub fn may_use(key: &VirtualKey, route: &Route) -> bool {
    let by_channel = key.channels.is_empty() || key.channels.contains(&route.channel.id);
    let by_tag = key.tags.is_empty() || key.tags.iter().any(|tag| route.channel.tags.contains(tag));
    by_channel && by_tag
}

fn cannot(operation: Operation, model: &str) -> Fault {
    let operation = operation.as_str();
    let message = format!("No channel that serves the model '{}' offers {operation}.", shown(model));
    Fault { param: Some("model".to_owned()), ..Fault::new(FaultKind::ModelNotFound, message) }
}

fn not_found(model: &str) -> Fault {
    let shown = shown(model);
    Fault {
        param: Some("model".to_owned()),
        ..Fault::new(
            FaultKind::ModelNotFound,
            format!("The model '{shown}' does not exist or this key may not use it."),
        )
    }
}

/// A name of a caller's making, safe to repeat.
fn shown(model: &str) -> String {
    model.chars().filter(|c| !c.is_control()).take(128).collect()
}

//! What would serve a call now, and why not the others: the plan and the decision of a real call, without the call.
//! Nothing is sent, charged, counted or remembered.

use bytes::Bytes;
use lyss_adapters::{Ask, Dialect, Errand, Fault};
use lyss_balancing::{Decision, Pool, Size, Terms};
use lyss_domain::{
    CapabilitySet, Channel, ChannelId, ChannelState, KeyDigest, KeyId, KeyLimits, KeyScope, Strategy,
    TenantId, Timestamp, VirtualKey,
};

use crate::call::Proxy;
use crate::failover;
use crate::plan::{self, Planned, Steering};
use crate::routes::{Route, Seat, TenantRoutes};

/// A call that is thought of.
#[derive(Clone, Debug)]
pub struct ExplainAsk {
    pub model: String,
    pub dialect: Dialect,
    pub stream: bool,
    pub prompt_tokens: u32,
    /// The caller's own limit; `None`: it sent none.
    pub output_tokens: Option<u32>,
    /// What a model must have to serve it.
    pub needs: CapabilitySet,
    pub steering: Steering,
}

#[derive(Clone, Debug)]
pub struct Explanation {
    /// The decision, unless the call is refused before one.
    pub outcome: Result<Decision, Fault>,
    /// All channels of the tenant, by name.
    pub channels: Vec<Considered>,
}

/// One channel of the tenant, for this call.
#[derive(Clone, Debug)]
pub struct Considered {
    pub channel: Channel,
    /// What the vendor would be asked for; `None`: it cannot be asked for this model.
    pub upstream_model: Option<String>,
    /// The dialect it would be asked in.
    pub dialect: Option<Dialect>,
    /// Why it is not among the decision's candidates; `None`: it is.
    pub unfit: Option<Unfit>,
}

/// Why a channel is no candidate, whatever its health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    Disabled,
    Draining,
    /// It has no credential, or its address or provider is not valid.
    NotReady,
    ModelNotServed,
    /// The key may not call this model.
    KeyModels,
    /// The key may not use this channel.
    KeyChannels,
    /// The channel carries none of the key's tags.
    KeyTags,
    /// Another channel is asked for.
    OtherChannel,
    /// It lacks a tag that is asked for.
    TagMissing,
    /// Its vendor does not offer the operation.
    OperationNotOffered,
    /// The call does not fit its model's context, and fits others'.
    ContextTooLong,
    /// Its model lacks what the call needs, and others have it.
    CapabilityMissing,
    /// The whole call is refused.
    CallRefused,
}

impl Unfit {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Draining => "draining",
            Self::NotReady => "not_ready",
            Self::ModelNotServed => "model_not_served",
            Self::KeyModels => "key_models",
            Self::KeyChannels => "key_channels",
            Self::KeyTags => "key_tags",
            Self::OtherChannel => "other_channel",
            Self::TagMissing => "tag_missing",
            Self::OperationNotOffered => "operation_not_offered",
            Self::ContextTooLong => "context_too_long",
            Self::CapabilityMissing => "capability_missing",
            Self::CallRefused => "call_refused",
        }
    }
}

impl Proxy {
    /// `key`: who calls; `None`: somebody whose key allows everything. `None`: the tenant serves nobody.
    pub fn explain(
        &self,
        tenant: TenantId,
        key: Option<&VirtualKey>,
        explain: &ExplainAsk,
    ) -> Option<Explanation> {
        let table = self.routes();
        let tenant = table.tenant(tenant)?;
        let anybody = anybody(tenant.entry.tenant.id);
        let key = key.unwrap_or(&anybody);
        let ask = ask(explain);
        let default = self.parts().settings.strategy;
        let tokens = u64::from(explain.prompt_tokens);
        let planned = plan::plan(tenant, key, &ask, &explain.steering, default, tokens);
        let channels = tenant
            .entry
            .channels
            .iter()
            .map(|stored| consider(tenant, &stored.channel, key, &ask, explain, planned.as_ref().ok()));
        let mut channels: Vec<_> = channels.collect();
        channels.sort_by(|a, b| a.channel.name.cmp(&b.channel.name));
        let outcome = planned.map(|planned| self.foresee(tenant, &planned, &ask, explain));
        Some(Explanation { outcome, channels })
    }

    fn foresee(&self, tenant: &TenantRoutes, planned: &Planned, ask: &Ask, explain: &ExplainAsk) -> Decision {
        let parts = self.parts();
        let now = parts.clock.tick();
        let size = Size {
            prompt_tokens: explain.prompt_tokens,
            output_tokens: failover::usual_output(ask.output_limit),
        };
        let mut candidates: Vec<_> =
            failover::candidates(tenant, planned, ask, size, (parts.clock.now(), now)).collect();
        failover::leave_to_others(&mut candidates, |channel| self.ways().lines.is_taken(channel));
        let objective = planned.objective;
        let pool = Pool { group: planned.pool.group, size, objective, candidates: &candidates };
        let last = parts.settings.max_retries == 0;
        let terms = Terms {
            tried: &[],
            affinity: planned.affinity,
            last,
            again: false,
            draw: parts.draws.next(),
            now,
        };
        parts.balancers.foresee(planned.strategy, &pool, &terms)
    }
}

fn consider(
    tenant: &TenantRoutes,
    channel: &Channel,
    key: &VirtualKey,
    ask: &Ask,
    explain: &ExplainAsk,
    planned: Option<&Planned>,
) -> Considered {
    let route = tenant.routes.iter().find(|route| route.channel.id == channel.id);
    let seat = planned.and_then(|planned| seat_of(planned, channel.id));
    let serving = route.filter(|route| route.serves(&ask.model));
    let upstream = serving.map(|route| route.upstream_model(&ask.model));
    let dialect = serving.zip(upstream).map(|(route, model)| route.dialect_for(explain.dialect, model));
    let unfit = match seat {
        Some(_) => None,
        None => Some(unfit(channel, route.map(|route| &**route), key, ask, explain, planned)),
    };
    Considered { channel: channel.clone(), upstream_model: upstream.map(str::to_owned), dialect, unfit }
}

fn seat_of(planned: &Planned, channel: ChannelId) -> Option<&Seat> {
    planned.pool.seats.iter().find(|seat| seat.route.channel.id == channel)
}

/// The first reason in the order in which a call meets them.
fn unfit(
    channel: &Channel,
    route: Option<&Route>,
    key: &VirtualKey,
    ask: &Ask,
    explain: &ExplainAsk,
    planned: Option<&Planned>,
) -> Unfit {
    match channel.state {
        ChannelState::Disabled => return Unfit::Disabled,
        ChannelState::Draining => return Unfit::Draining,
        ChannelState::Enabled => {}
    }
    let Some(route) = route else { return Unfit::NotReady };
    let steering = &explain.steering;
    let tokens = u64::from(explain.prompt_tokens).saturating_add(ask.output_limit.unwrap_or(0));
    let card = route.card(&ask.model);
    if !route.serves(&ask.model) {
        Unfit::ModelNotServed
    } else if !plan::may_call(key, &ask.model) {
        Unfit::KeyModels
    } else if !key.channels.is_empty() && !key.channels.contains(&channel.id) {
        Unfit::KeyChannels
    } else if !plan::may_use(key, route) {
        Unfit::KeyTags
    } else if steering.channel.is_some_and(|wanted| wanted != channel.id) {
        Unfit::OtherChannel
    } else if steering.tags.iter().any(|tag| !channel.tags.contains(tag)) {
        Unfit::TagMissing
    } else if !route.can(ask.errand) {
        Unfit::OperationNotOffered
    } else if planned.is_none() {
        Unfit::CallRefused
    } else if card.context.is_some_and(|context| tokens > context) {
        Unfit::ContextTooLong
    } else {
        Unfit::CapabilityMissing
    }
}

/// As the scanner would have read it. Its body is never sent: its size is told beside it.
fn ask(explain: &ExplainAsk) -> Ask {
    Ask {
        stream: explain.stream,
        output_limit: explain.output_tokens.map(u64::from),
        body: Bytes::new(),
        needs: explain.needs,
        ..Ask::unread(explain.dialect, explain.model.clone(), Errand::Chat)
    }
}

/// Somebody whom no key narrows.
fn anybody(tenant: TenantId) -> VirtualKey {
    VirtualKey {
        id: KeyId::NONE,
        tenant,
        name: String::new(),
        // No key has this digest.
        digest: KeyDigest([0; 32]),
        previous: None,
        hint: String::new(),
        scopes: vec![KeyScope::Proxy],
        models: Vec::new(),
        channels: Vec::new(),
        tags: Vec::new(),
        allowed_ips: Vec::new(),
        limits: KeyLimits::default(),
        strategy: None::<Strategy>,
        may_steer: true,
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
        version: 0,
    }
}

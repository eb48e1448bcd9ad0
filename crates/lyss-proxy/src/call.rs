//! The walk of one call from who is asking to the answer on its way.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use bytes::Bytes;
use http::HeaderValue;
use lyss_adapters::{Ask, Errand, Fault};
use lyss_balancing::{Balancers, Budget, Health, Hedging, RegimeChange, RetryBudget};
use lyss_catalog::CatalogHandle;
use lyss_domain::{
    CallId, Caller, ChannelId, Clock, FaultKind, PriceId, Rates, Strategy, TenantId, Tick, Timestamp,
    UsageSource, VirtualKey,
};
use lyss_ledger::Ledger;
use lyss_quota::{Quotas, RateState, RateStore, RateUnit};
use lyss_vault::Vault;
use lyss_wire::Transport;
use smallvec::SmallVec;

use crate::admit::{self, Bound, Whose};
use crate::attempt::{self, Conversation, Headers};
use crate::charge::Charge;
use crate::draw::Draws;
use crate::estimate;
use crate::failover;
use crate::gate::Gate;
use crate::gate::lines::Lines;
use crate::kept::Kept;
use crate::meters::Meters;
use crate::models::{self, ModelEntry};
use crate::plan::{self, Planned, Steering};
use crate::relay::Relay;
use crate::routes::{Route, RouteTable, TenantRoutes};
use crate::settings::ProxySettings;
use crate::upload::Upload;

/// Everything the pipeline is made of.
pub struct Parts {
    pub vault: Arc<Vault>,
    pub quotas: Arc<Quotas>,
    pub rates: Arc<dyn RateStore>,
    pub balancers: Balancers,
    /// Kept over configuration edits, shared with whatever else watches channels.
    pub health: Arc<Health>,
    pub ledger: Ledger,
    pub clock: Arc<dyn Clock>,
    pub draws: Draws,
    pub meters: Meters,
    pub settings: ProxySettings,
}

/// The pipeline; one for all workers.
pub struct Proxy {
    parts: Arc<Parts>,
    routes: Arc<ArcSwap<RouteTable>>,
    kept: Arc<Kept>,
    ways: Ways,
}

/// What all calls share on their way to a channel: how many go at once, and what they may add to their first attempts.
pub(crate) struct Ways {
    pub gate: Gate,
    pub lines: Lines,
    pub retries: RetryBudget,
    pub hedging: Hedging,
}

/// The route table in force when it was asked for.
pub type InForce = Guard<Arc<RouteTable>>;

/// A worker's own way out: its connections and their tasks live on its thread.
pub struct Outlet(Arc<dyn Transport>);

/// A call as it comes in: who asks for what.
pub struct Incoming<'a> {
    pub call: CallId,
    pub caller: &'a Caller,
    pub key: &'a VirtualKey,
    pub ask: Ask,
    pub steering: Steering,
    /// Refuse rather than leave out what a vendor cannot be told.
    pub strict: bool,
    /// The body, where it is no JSON.
    pub upload: Option<Upload>,
    /// Headers of the caller that a vendor of its own dialect is to see, such as a beta's name. Never a credential.
    pub forwarded: Headers,
}

/// What every answer carries, whatever its outcome.
#[derive(Clone, Debug)]
pub struct AnswerHead {
    pub call: CallId,
    /// The channel that answered, or was tried last.
    pub channel: Option<ChannelId>,
    /// Requests sent upstream.
    pub attempts: u16,
    /// Every channel was ejected, and the least bad was asked all the same.
    pub panicked: bool,
    /// The caller's own rate windows, as they stand.
    pub windows: SmallVec<[(RateUnit, RateState); 4]>,
    /// Fields of the request that the vendor's dialect could not express.
    pub losses: Vec<String>,
    /// Of a count of tokens: who counted.
    pub counted: Option<UsageSource>,
}

pub struct Answer {
    pub head: AnswerHead,
    pub body: AnswerBody,
}

pub enum AnswerBody {
    /// JSON in the caller's dialect.
    Whole(Bytes),
    /// An event stream in the caller's dialect.
    Stream(Relay),
    /// Passed on as it comes, of this content type.
    Other(HeaderValue, Relay),
}

/// A call without an answer.
#[derive(Debug)]
pub struct Failed {
    pub head: AnswerHead,
    pub fault: Fault,
}

/// What the attempts of one call share.
pub(crate) struct Walk<'a> {
    pub parts: &'a Arc<Parts>,
    pub transport: &'a dyn Transport,
    pub tenant: &'a TenantRoutes,
    pub key: &'a VirtualKey,
    pub ask: &'a Ask,
    pub call: CallId,
    pub started_at: Timestamp,
    pub deadline: Tick,
    pub strategy: Strategy,
    pub bound: Bound,
    pub prompt_guess: u64,
    /// The output limit to be written into the request, where the caller sent none.
    pub written_output_limit: Option<u64>,
    /// The price of the channel being tried.
    pub rates: Option<(PriceId, Rates)>,
    pub conversation: Conversation,
    /// Of the attempt under way.
    pub losses: Vec<String>,
    pub strict: bool,
    pub forwarded: Headers,
    pub upload: Option<Upload>,
    pub kept: &'a Arc<Kept>,
    pub ways: &'a Ways,
}

impl Walk<'_> {
    /// The same call for a second attempt beside the first. A body that is still arriving cannot be sent twice.
    pub(crate) fn fork(&self) -> Self {
        Self {
            rates: None,
            conversation: Conversation::default(),
            losses: Vec::new(),
            forwarded: self.forwarded.clone(),
            upload: None,
            ..*self
        }
    }
}

impl Ways {
    fn new(settings: &ProxySettings, clock: &Arc<dyn Clock>) -> Self {
        let gate = settings.gate;
        let now = clock.tick();
        let budget = Budget { percent: settings.retry_budget_percent, ..Budget::default() };
        Self {
            gate: Gate::new(gate, Arc::clone(clock)),
            lines: Lines::new(gate.queue_length, gate.queue_wait, Arc::clone(clock)),
            retries: RetryBudget::new(budget, now),
            hedging: Hedging::new(settings.hedge_budget_percent, now),
        }
    }
}

impl Outlet {
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self(transport)
    }
}

impl Proxy {
    /// Follows the catalog from here on: every generation becomes a route table before it counts as served.
    pub fn new(parts: Parts, catalog: &CatalogHandle) -> Self {
        let parts = Arc::new(parts);
        let routes = Arc::new(ArcSwap::from_pointee(RouteTable::build(
            catalog.load(),
            &parts.vault,
            &parts.health,
            parts.clock.tick(),
        )));
        let (target, builder) = (Arc::clone(&routes), Arc::clone(&parts));
        catalog.observe(move |catalog| {
            let now = builder.clock.tick();
            let table = RouteTable::build(Arc::clone(catalog), &builder.vault, &builder.health, now);
            target.store(Arc::new(table));
        });
        let ways = Ways::new(&parts.settings, &parts.clock);
        Self { parts, routes, kept: Arc::default(), ways }
    }

    /// The state of all channels.
    pub fn health(&self) -> &Arc<Health> {
        &self.parts.health
    }

    /// The deadline of a call that does not stream, unless its caller sets an earlier one.
    pub fn longest_call(&self) -> Duration {
        self.parts.settings.total
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    pub fn balancers(&self) -> &Balancers {
        &self.parts.balancers
    }

    pub(crate) fn ways(&self) -> &Ways {
        &self.ways
    }

    /// A line in the log for each change of regime since this was last asked for.
    pub fn tell_regime_changes(&self) {
        for RegimeChange { group, from, to, .. } in self.parts.balancers.take_regime_changes() {
            tracing::info!(group, from = from.as_str(), to = to.as_str(), "a model group's regime changed");
        }
    }

    pub fn clock(&self) -> &dyn Clock {
        &*self.parts.clock
    }

    /// The table in force, for whoever must find a caller in it.
    pub fn routes(&self) -> InForce {
        self.routes.load()
    }

    pub fn new_call(&self) -> CallId {
        let millis = u64::try_from(self.parts.clock.now().as_millis()).unwrap_or(0);
        CallId::from_parts(millis, &self.parts.draws.id_bytes())
    }

    pub fn models(&self, table: &RouteTable, tenant: TenantId, key: &VirtualKey) -> Vec<ModelEntry> {
        table.tenant(tenant).map(|routes| models::models(routes, key)).unwrap_or_default()
    }

    /// Counts a call that was refused before it began its walk.
    pub fn count_refusal(&self, fault: &Fault) {
        self.parts.meters.refused(fault.kind);
    }

    /// The whole walk. `table` is the one the caller was found in.
    pub async fn chat(
        &self,
        outlet: &Outlet,
        table: &RouteTable,
        mut incoming: Incoming<'_>,
    ) -> Result<Answer, Failed> {
        let mut head = AnswerHead {
            call: incoming.call,
            channel: None,
            attempts: 0,
            panicked: false,
            windows: SmallVec::new(),
            losses: Vec::new(),
            counted: None,
        };
        let walked = self.walk(&*outlet.0, table, &mut head, &mut incoming).await;
        match walked {
            Ok(body) => Ok(Answer { head, body }),
            Err(fault) => {
                self.count_refusal(&fault);
                Err(Failed { head, fault })
            }
        }
    }

    async fn walk(
        &self,
        transport: &dyn Transport,
        table: &RouteTable,
        head: &mut AnswerHead,
        incoming: &mut Incoming<'_>,
    ) -> Result<AnswerBody, Fault> {
        let Incoming { caller, key, ask, steering, strict, forwarded, upload, .. } = incoming;
        let parts = &self.parts;
        let tenant = table
            .tenant(caller.tenant())
            .ok_or_else(|| Fault::new(FaultKind::Forbidden, "This tenant is not active."))?;
        let prompt_guess = estimate::prompt_guess(ask);

        let windows = admit::key_windows(key, admit::window_tokens(ask, prompt_guess));
        let ticket = admit::take(&parts.rates, &windows, parts.clock.tick()).await.map_err(|full| {
            head.windows.extend(full.window);
            full.fault
        })?;
        head.windows = windows.iter().map(|ask| ask.unit).zip(ticket.states.iter().copied()).collect();

        let planned = plan::plan(tenant, key, ask, steering, parts.settings.strategy, prompt_guess)?;

        let total = if ask.stream { parts.settings.total_stream } else { parts.settings.total };
        let deadline = parts.clock.tick().after(steering.timeout.map_or(total, |wanted| wanted.min(total)));
        let (share, cost) = (tenant.entry.tenant.settings.share, gate_cost(prompt_guess, ask));
        let pass = self.ways.gate.enter(caller.tenant(), share, cost, deadline).await?;

        let started_at = parts.clock.now();
        let limited = admit::bounds_output(&tenant.entry);
        let written_output_limit = (limited && ask.errand == Errand::Chat && ask.output_limit.is_none())
            .then_some(parts.settings.default_output_tokens);
        let output = ask.output_limit.or(written_output_limit).unwrap_or(0);
        let prices = prices(tenant, &planned, ask, started_at);
        let bound = match ask.errand {
            Errand::CountTokens => Bound { tokens: 0, cost_micros: 0 },
            _ => attempt::bound(estimate::prompt_bound(ask), output, ask.candidates, &prices),
        };
        let whose = Whose::Call { key, model: &ask.model };
        let reservation = admit::reserve(&parts.quotas, &tenant.entry, whose, bound, started_at).await?;

        let mut walk = Walk {
            parts,
            transport,
            tenant,
            key,
            ask,
            call: head.call,
            started_at,
            deadline,
            strategy: planned.strategy,
            bound,
            prompt_guess,
            written_output_limit,
            rates: None,
            conversation: Conversation::default(),
            losses: Vec::new(),
            strict: *strict,
            forwarded: std::mem::take(forwarded),
            upload: upload.take(),
            kept: &self.kept,
            ways: &self.ways,
        };
        let answered =
            failover::answer(&mut walk, &planned, Charge::new(reservation, ticket).holding(pass), head).await;
        head.losses = walk.losses;
        answered
    }
}

/// A call's size in the eyes of the gate's queue: a place is held for as long as tokens are written, and a little for
/// those that are read.
fn gate_cost(prompt_guess: u64, ask: &Ask) -> u32 {
    let output = ask.output_limit.unwrap_or(failover::USUAL_OUTPUT).min(failover::USUAL_OUTPUT);
    u32::try_from(1 + output + prompt_guess / 16).unwrap_or(u32::MAX)
}

pub(crate) fn price(
    tenant: &TenantRoutes,
    route: &Route,
    ask: &Ask,
    at: Timestamp,
) -> Option<(PriceId, Rates)> {
    let entry = &tenant.entry;
    let found = entry.price(route.upstream_model(&ask.model), at).or_else(|| entry.price(&ask.model, at))?;
    Some((found.id, found.rates))
}

/// The prices of all channels that may serve: looked up only where a cost policy needs a bound.
fn prices(
    tenant: &TenantRoutes,
    planned: &Planned,
    ask: &Ask,
    at: Timestamp,
) -> SmallVec<[(PriceId, Rates); 4]> {
    if tenant.entry.policies.iter().all(|known| known.policy.limit_cost.is_none()) {
        return SmallVec::new();
    }
    planned.pool.seats.iter().filter_map(|seat| price(tenant, &seat.route, ask, at)).collect()
}

//! Probes: how the service looks after channels that no traffic tells of. What costs nothing is asked where possible (the
//! vendor's list of models); one token where an administrator wants that, within a budget for a day.
//!
//! Of several replicas one asks, told by the turn it won in the database. A probe decides nothing: a good one calls for
//! an earlier trial by live traffic, a bad one counts like a failure of its owner. What an administrator disabled, put on
//! the way out or gave the weight 0 is never asked, nor is a vendor that wants to be left alone. Each replica judges by
//! its own traffic whether a channel is quiet.

mod ask;
mod paid;
mod schedule;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use lyss_balancing::{Health, Phase};
use lyss_catalog::TenantEntry;
use lyss_domain::{
    ChannelId, Clock, FaultKind, FaultOwner, HealthEvent, HealthEventId, HealthEventKind, HealthSource,
    Micros, ProbeMode, Tick,
};
use lyss_ledger::Ledger;
use lyss_repositories::{HealthStore, ProbeTurn, StoreError};
use lyss_vault::Vault;
use lyss_wire::Transport;

use crate::draw::Draws;
use crate::routes::{Route, RouteTable};
use schedule::Schedule;

/// Probes under way at a time.
const AT_ONCE: usize = 8;

/// The clock that replicas share is another than the one that a wait is measured by.
const SLACK: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeSettings {
    /// Between two probes of a channel, a fifth more or less; zero: nothing is probed.
    pub interval: Duration,
    /// A channel that was sent something more recently needs no probe, unless it is ejected.
    pub quiet: Duration,
    /// What paid probes of one tenant may cost on one day of UTC.
    pub paid_daily: Micros,
}

/// Everything a probe needs. It shares the pipeline's health and goes out through the same policy.
pub struct Prober {
    pub settings: ProbeSettings,
    pub health: Arc<Health>,
    pub store: Arc<dyn HealthStore>,
    pub transport: Arc<dyn Transport>,
    pub vault: Arc<Vault>,
    pub ledger: Ledger,
    pub clock: Arc<dyn Clock>,
    pub draws: Draws,
    schedule: Schedule,
}

/// What a round brought.
#[derive(Debug, Default)]
pub struct Probed {
    /// What is worth being kept as history.
    pub events: Vec<HealthEvent>,
    /// Channels that a probe said something of, and when.
    pub moments: Vec<(ChannelId, Tick)>,
}

/// What a probe came to.
struct Seen {
    /// `None`: the channel as a whole.
    model: Option<String>,
    verdict: Verdict,
    latency: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Well,
    Failed(FaultKind),
    /// What came back is no answer to the question: not every vendor has a list of models.
    Nothing,
}

type Wish = (Arc<TenantEntry>, Arc<Route>);

impl Default for ProbeSettings {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            quiet: Duration::from_secs(5 * 60),
            paid_daily: Micros(10_000),
        }
    }
}

impl Prober {
    #[expect(clippy::too_many_arguments, reason = "a prober is nothing but these parts")]
    pub fn new(
        settings: ProbeSettings,
        health: Arc<Health>,
        store: Arc<dyn HealthStore>,
        transport: Arc<dyn Transport>,
        vault: Arc<Vault>,
        ledger: Ledger,
        clock: Arc<dyn Clock>,
        draws: Draws,
    ) -> Self {
        let schedule = Schedule::new(settings.interval);
        Self { settings, health, store, transport, vault, ledger, clock, draws, schedule }
    }

    /// Probes every channel that needs it and whose turn this replica wins, and waits for the answers. To be called every
    /// few seconds.
    pub async fn round(&self, table: &RouteTable) -> Result<Probed, StoreError> {
        if self.settings.interval.is_zero() {
            return Ok(Probed::default());
        }
        let wishes = self.wishes(table, self.clock.tick());
        let (now, wall) = (self.clock.tick(), self.clock.now());
        let turns: Vec<_> = wishes
            .iter()
            .map(|(tenant, route)| ProbeTurn {
                tenant: tenant.tenant.id,
                channel: route.channel.id,
                next_at: wall.after(self.schedule.length(self.draws.next())),
            })
            .collect();
        if turns.is_empty() {
            return Ok(Probed::default());
        }
        let claimed = self.store.claim_turns(&turns, wall).await;
        let won: HashSet<_> = claimed.iter().flatten().copied().collect();
        let mut mine = Vec::new();
        for (wish, turn) in wishes.into_iter().zip(&turns) {
            let is_mine = won.contains(&turn.channel);
            let wait = if is_mine { turn.next_at.since(wall) + SLACK } else { self.schedule.retry() };
            self.schedule.next(turn.channel, now.after(wait));
            if is_mine {
                mine.push(wish);
            }
        }
        claimed?;
        let seen = stream::iter(mine).map(|(tenant, route)| async move {
            let seen = self.probe(&tenant, &route).await?;
            self.conclude(&tenant, &route, seen)
        });
        let seen: Vec<_> = seen.buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await;
        let (moments, events): (Vec<_>, Vec<_>) = seen.into_iter().unzip();
        Ok(Probed { events: events.into_iter().flatten().collect(), moments })
    }

    /// Channels whose time has come and that need it.
    fn wishes(&self, table: &RouteTable, now: Tick) -> Vec<Wish> {
        let routes: Vec<Wish> = table
            .catalog()
            .tenants()
            .filter_map(|entry| table.tenant(entry.tenant.id))
            .flat_map(|tenant| {
                tenant.routes.iter().map(|route| (Arc::clone(&tenant.entry), Arc::clone(route)))
            })
            .collect();
        self.schedule.keep(routes.iter().map(|(_, route)| route.channel.id));
        let is_due = |route: &Route| self.schedule.is_due(route.channel.id, self.draws.next(), now);
        routes.into_iter().filter(|(_, route)| is_due(route) && self.needs(route, now)).collect()
    }

    fn needs(&self, route: &Route, now: Tick) -> bool {
        if route.channel.probe == ProbeMode::Off || route.channel.weight == 0 {
            return false;
        }
        let Some(known) = self.health.known(route.channel.id) else { return true };
        let report = known.standing(now);
        match report.worst {
            Phase::Open | Phase::HalfOpen => true,
            Phase::Cooling => false,
            Phase::Closed => {
                let is_quiet = report.last_sent.is_none_or(|at| now.since(at) >= self.settings.quiet);
                report.in_flight == 0 && is_quiet
            }
        }
    }

    /// `None`: nothing was asked.
    async fn probe(&self, tenant: &TenantEntry, route: &Route) -> Option<Seen> {
        if route.channel.probe == ProbeMode::Paid
            && let Some(question) = self.paid_question(tenant, route).await
        {
            return self.ask_paid(tenant, route, question).await;
        }
        self.ask_free(route).await
    }

    /// What it means for the channel's health, and for its history.
    fn conclude(
        &self,
        tenant: &TenantEntry,
        route: &Route,
        seen: Seen,
    ) -> Option<((ChannelId, Tick), Option<HealthEvent>)> {
        let (channel, now) = (route.channel.id, self.clock.tick());
        let (result, kind, fault) = match seen.verdict {
            Verdict::Well => (Ok(()), HealthEventKind::ProbeOk, None),
            Verdict::Failed(fault) => (Err(fault), HealthEventKind::ProbeFailed, Some(fault)),
            Verdict::Nothing => {
                tracing::debug!(%channel, "a probe came to nothing");
                return None;
            }
        };
        let health = self.health.channel(channel);
        match &seen.model {
            None => health.probe_result(result, self.draws.next(), now),
            Some(model) if judges(result) => health.model(model).probe_result(result, self.draws.next(), now),
            Some(_) => {}
        }
        if !self.schedule.is_news(channel, fault, now) {
            return Some(((channel, now), None));
        }
        let at = self.clock.now();
        let millis = u64::try_from(at.as_millis()).unwrap_or(0);
        let event = HealthEvent {
            id: HealthEventId::from_parts(millis, &self.draws.id_bytes()),
            tenant: tenant.tenant.id,
            channel,
            model: seen.model,
            at,
            kind,
            fault,
            lasting: None,
            source: HealthSource::Probe,
            latency: Some(seen.latency),
        };
        Some(((channel, now), Some(event)))
    }
}

/// A question of ours may not suit a model, as a chat does not suit one that embeds: that is no fault of the model's.
fn judges(result: Result<(), FaultKind>) -> bool {
    !matches!(
        result.map_err(FaultKind::owner),
        Err(FaultOwner::Model | FaultOwner::Caller | FaultOwner::Ours)
    )
}

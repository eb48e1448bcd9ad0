//! The service before failing vendors: one channel that fails for every cell of the matrix, and two that are well.

use std::sync::Arc;
use std::time::Duration;

use lyss_balancing::Standing;
use lyss_domain::{
    AttemptRecord, CallId, ChannelId, Clock, Micros, PolicyMode, PolicyScope, QuotaPolicy, Rates, Window,
};
use lyss_proxy::ProxySettings;
use lyss_quota::{Account, Unit};
use lyss_sandbox::Vendor;
use tokio::task::JoinSet;

use super::expected::{Case, Expected, Seen, State, Timers};
use super::peers::{Peers, Place};
use crate::gateway::front::Front;
use crate::gateway::wire::Reply;
use crate::gateway::{Gateway, bodies, draft};

pub(super) struct Bench {
    pub(super) gateway: Gateway,
    front: Front,
    pub(super) peers: Peers,
}

/// One case, in one form of a call, beside so many healthy channels.
#[derive(Clone)]
pub(super) struct Cell {
    pub(super) case: usize,
    pub(super) stream: bool,
    pub(super) healthy: usize,
}

/// A cell with what was set up for it.
pub(super) struct Prepared {
    pub(super) cell: Cell,
    pub(super) expected: Expected,
    /// As the caller asks for it.
    model: String,
    channel: ChannelId,
    /// As the failing vendor is asked for it.
    asked_as: String,
    policy: QuotaPolicy,
}

/// What came of a cell.
pub(super) struct Outcome {
    pub(super) prepared: Prepared,
    /// Of each call, with the id by which its records are found.
    pub(super) seen: Vec<(Result<Seen, String>, CallId)>,
    pub(super) becomes: [State; 2],
    /// Requests, tokens and micros that the cell's quota has posted, and what it still holds.
    pub(super) posted: [i64; 3],
    pub(super) held: i64,
}

/// A vendor's words, so that tokens are the same in every cell.
const WORDS: &str = "words=8";
/// A timer that runs out while a test waits for it.
const SHORT: Duration = Duration::from_millis(300);
/// Calls under way at once.
pub(super) const AT_ONCE: usize = 24;
/// Each call is made so often.
pub(super) const CALLS: usize = 3;
/// One micro a token of prompt, two a token of output.
const RATES: Rates = Rates {
    input: 1_000_000,
    cache_read: 1_000_000,
    cache_write: 1_000_000,
    cache_write_long: 1_000_000,
    audio_input: 1_000_000,
    output: 2_000_000,
    audio_output: 2_000_000,
    request: 0,
};

impl Bench {
    pub(super) async fn open() -> Self {
        let peers = Peers::start().await;
        let upstream = peers.upstream();
        let way_out = Arc::new(upstream.sibling());
        let gateway = Gateway::in_process(way_out, ProxySettings::default()).await;
        let front = Front::open(&gateway, &upstream).await;
        for model in ["gpt-4o-mini*", "claude-sonnet-4-5*", "gemini-2.5-flash*", "beside-*"] {
            gateway.office.price(model, RATES).await;
        }
        Self { gateway, front, peers }
    }

    /// Channels that are well, for cells with one such channel beside the failing one, and with two.
    pub(super) async fn healthy(&self) -> [ChannelId; 2] {
        let mut made = Vec::new();
        for (name, models) in [("well-1", vec!["beside-1-*", "beside-2-*"]), ("well-2", vec!["beside-2-*"])] {
            // Azure serves whatever name a deployment has.
            let (provider, api_base) = self.peers.of(Place::Simulated(Vendor::AzureOpenAi));
            let mut draft = draft(name, provider, &api_base);
            draft.supported_models = models.into_iter().map(str::to_owned).collect();
            draft.priority = 1;
            made.push(self.gateway.office.channel(draft).await.id);
        }
        [made[0], made[1]]
    }

    /// A failing channel for each cell, tried before the others, and a quota that counts the cell alone.
    pub(super) async fn prepare(&self, cases: &[Case], cells: Vec<Cell>) -> Vec<Prepared> {
        let named = cells.iter().map(|cell| {
            format!("beside-{}-{}-{}+{WORDS}", cell.healthy, if cell.stream { 's' } else { 'w' }, cell.case)
        });
        let names: Vec<_> = named.collect();
        let scopes = names.iter().cloned().map(PolicyScope::Model);
        let limits = (Some(1 << 30), Some(1 << 38), Some(Micros(1 << 38)));
        let policies = self.gateway.office.policies(scopes, Window::Day, limits, PolicyMode::Enforce).await;
        let mut prepared = Vec::new();
        for ((cell, model), policy) in cells.into_iter().zip(names).zip(policies) {
            let case = &cases[cell.case];
            let expected = case.expected(cell.stream);
            let asked_as = upstream_model(case, cell.stream);
            let channel = self.failing(case, &model, &asked_as).await;
            let expected = expected.unwrap();
            prepared.push(Prepared { cell, expected, model, channel, asked_as, policy });
        }
        prepared
    }

    async fn failing(&self, case: &Case, model: &str, asked_as: &str) -> ChannelId {
        let (provider, api_base) = self.peers.of(case.place);
        let mut draft = draft(&format!("fails-{model}"), provider, &api_base);
        draft.name.retain(|c| c != '+' && c != '=');
        draft.supported_models = vec![model.to_owned()];
        draft.model_mapping = [(model.to_owned(), asked_as.to_owned())].into();
        match case.timers {
            Timers::Usual => {}
            Timers::ShortStart => draft.timeouts.first_byte = Some(SHORT),
            Timers::ShortIdle => draft.timeouts.idle = Some(SHORT),
        }
        self.gateway.office.channel(draft).await.id
    }

    /// So many calls that are answered at once: a fifth of them may be tried again.
    pub(super) async fn pay_for_retries(bench: &Arc<Self>, calls: usize) {
        let mut running = JoinSet::new();
        for _ in 0..AT_ONCE {
            let bench = Arc::clone(bench);
            running.spawn(async move {
                for _ in 0..calls.div_ceil(AT_ONCE) {
                    let told = bench.gateway.ask(&bodies::chat("beside-1-pays+words=1", false)).await;
                    assert_eq!(told.status, 200, "{}", told.text());
                }
            });
        }
        running.join_all().await;
    }

    /// Three calls, one after the other.
    pub(super) async fn run(&self, prepared: Prepared) -> Outcome {
        let mut seen = Vec::new();
        let mut states = Vec::new();
        for _ in 0..CALLS {
            let mut reply = self.front.chat(&bodies::chat(&prepared.model, prepared.cell.stream)).await;
            reply.finish_somehow().await;
            let call = CallId(reply.header("x-request-id").unwrap().parse().unwrap());
            seen.push((see(&reply), call));
            states.push(self.state(&prepared));
        }
        let units = [Unit::Requests, Unit::Tokens, Unit::CostMicros];
        let figures = units.map(|unit| self.figures(&prepared.policy, unit));
        Outcome {
            becomes: [states[0], states[CALLS - 1]],
            posted: figures.map(|(posted, _)| posted),
            held: figures.iter().map(|(_, held)| held).sum(),
            prepared,
            seen,
        }
    }

    /// Of the channel that fails, by the model that was asked for and by one that never was.
    fn state(&self, prepared: &Prepared) -> State {
        let now = self.gateway.clock.tick();
        let channel = self.gateway.proxy.health().channel(prepared.channel);
        let own = channel.model(&prepared.asked_as).snapshot(now);
        let sibling = channel.model("never-asked-for").snapshot(now);
        match (own.standing, sibling.standing) {
            (Standing::Cooling(wait), _) => State::Cooling(cooling(wait)),
            (_, Standing::Ejected(wait)) => State::ChannelOut(before_jitter(wait)),
            (Standing::Ejected(wait), _) => State::ModelOut(before_jitter(wait)),
            (Standing::Open, Standing::Open) if own.bad > 0.0 => State::Counted,
            (Standing::Open, Standing::Open) => State::Untouched,
            other => panic!("{}: {other:?}", prepared.model),
        }
    }

    /// Whatever was asked of it was answered, and nothing is under way.
    pub(super) fn assert_well(&self, channel: ChannelId) {
        let channel = self.gateway.proxy.health().channel(channel);
        let mut answered = 0.0;
        for model in channel.models() {
            let snapshot = model.snapshot(self.gateway.clock.tick());
            let known = (snapshot.standing, snapshot.bad, snapshot.in_flight);
            assert_eq!(known, (Standing::Open, 0.0, 0), "{}", model.model());
            answered += snapshot.good;
        }
        assert!(answered > 0.0, "nothing was asked of it");
        assert_eq!(channel.in_flight(), 0);
    }

    fn figures(&self, policy: &QuotaPolicy, unit: Unit) -> (i64, i64) {
        let catalog = self.gateway.office.management.catalog.load();
        let entry = catalog.tenant(self.gateway.office.scope.tenant()).unwrap();
        let start = entry.calendar.span(policy.window, self.gateway.clock.now()).start;
        let figures = self.gateway.quotas.figures(&Account { policy: policy.id, start, unit });
        figures.map_or((0, 0), |figures| (figures.posted, figures.reserved))
    }

    pub(super) async fn close(self) {
        drop(self.front);
        self.gateway.close().await;
    }
}

impl Outcome {
    /// The attempts of its calls on the channel that fails, in order.
    pub(super) fn attempts<'r>(&self, records: &'r [AttemptRecord]) -> Vec<&'r AttemptRecord> {
        let is_mine = |record: &AttemptRecord| self.seen.iter().any(|(_, call)| *call == record.call);
        records.iter().filter(|record| is_mine(record)).collect()
    }

    pub(super) fn failing(&self) -> ChannelId {
        self.prepared.channel
    }
}

fn upstream_model(case: &Case, stream: bool) -> String {
    let model = match case.place {
        Place::Simulated(Vendor::Anthropic) => "claude-sonnet-4-5",
        Place::Simulated(Vendor::Google) => "gemini-2.5-flash",
        _ => "gpt-4o-mini",
    };
    let knobs = case.knobs[usize::from(stream)];
    if knobs.is_empty() { format!("{model}+{WORDS}") } else { format!("{model}+{WORDS}+{knobs}") }
}

/// A wait that a vendor asked for is kept to the moment; one of our own is spread.
fn cooling(wait: Duration) -> u64 {
    if wait.subsec_nanos() == 0 { wait.as_secs() } else { before_jitter(wait) }
}

/// The wait that this one was made of: ejections are spread by a fifth to either side.
fn before_jitter(wait: Duration) -> u64 {
    let seconds = wait.as_secs_f64();
    let bases = [1, 2, 4, 8, 15, 30, 60, 120, 240, 300];
    let fits = |base: &u64| (0.799..=1.201).contains(&(seconds / *base as f64));
    bases.into_iter().find(fits).unwrap_or_else(|| panic!("no back-off of {wait:?} is known"))
}

/// What a caller makes of a reply; in words where it is nothing that a caller should ever be given.
fn see(reply: &Reply) -> Result<Seen, String> {
    let text = reply.text();
    let odd = |what: &str| Err(format!("{what}: {} {text}", reply.status));
    if !reply.is_whole() {
        return odd("the body has no end");
    }
    let is_stream = reply.header("content-type").is_some_and(|form| form.starts_with("text/event-stream"));
    if reply.status != 200 {
        let Some(code) = code_of(&text) else { return odd("an error without a code or a type") };
        let seconds = reply.header("retry-after").map(|wait| wait.parse::<u128>().unwrap());
        let millis = reply.header("retry-after-ms").map(|wait| Duration::from_millis(wait.parse().unwrap()));
        if seconds != millis.map(|wait| wait.as_millis().div_ceil(1_000)) {
            return odd("two waits");
        }
        return Ok(Seen::Refused(reply.status, code, millis.map(cooling)));
    }
    if !is_stream {
        let choice = &reply.json()["choices"][0];
        let said = choice["message"]["content"].as_str().is_some_and(|content| !content.is_empty());
        let is_answer = said && choice["finish_reason"] == "stop";
        return if is_answer { Ok(Seen::Answer) } else { odd("status 200 without an answer") };
    }
    let events = bodies::events(&text);
    let finished = text.contains(r#""finish_reason":"stop""#) && !bodies::text_of(&text).is_empty();
    let last = events.last().and_then(|event| event.strip_prefix("data: ")).unwrap_or_default();
    match (last, code_of(last)) {
        ("[DONE]", _) if finished => Ok(Seen::Answer),
        (_, Some(code)) if !text.contains("[DONE]") && events.len() > 1 => Ok(Seen::Broken(code)),
        _ => odd("a stream that neither ends nor fails"),
    }
}

/// The error's code, else its type.
fn code_of(text: &str) -> Option<&'static str> {
    const KNOWN: [&str; 20] = [
        "network",
        "tls",
        "upstream_cut",
        "first_byte_timeout",
        "idle_timeout",
        "invalid_request_error",
        "credential_refused",
        "vendor_quota",
        "request_timeout",
        "rate_limit_exceeded",
        "vendor_error",
        "overloaded",
        "protocol",
        "server_error",
        "unavailable",
        "model_not_found",
        "connect_timeout",
        "total_timeout",
        "internal",
        "rate_limit_error",
    ];
    let body: serde_json::Value = serde_json::from_str(text).ok()?;
    let said = body["error"]["code"].as_str().or_else(|| body["error"]["type"].as_str())?;
    KNOWN.into_iter().find(|known| *known == said)
}

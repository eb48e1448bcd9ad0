//! The whole line for a test: configuration in a database of its own ([`Office`]), and the pipeline on it, either in
//! this process ([`Gateway`]) or as the built binary ([`process`]).

pub(crate) mod bodies;
pub(crate) mod front;
pub(crate) mod office;
pub(crate) mod process;
pub(crate) mod wire;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use lyss_adapters::{Dialect, Fault, scan};
use lyss_balancing::Balancers;
use lyss_domain::{
    AttemptRecord, CallId, Channel, ChannelId, Clock, KeyLimits, Micros, PolicyMode, PolicyScope,
    QuotaPolicy, Secret, VirtualKey, Window,
};
use lyss_ledger::{Ledger, LedgerSettings};
use lyss_management::{ChannelDraft, KeyDraft};
use lyss_proxy::draw::Draws;
use lyss_proxy::{
    Answer, AnswerBody, AnswerHead, Failed, Headers, Incoming, Meters, Outlet, Parts, Proxy, ProxySettings,
    Relay, Steering,
};
use lyss_quota::{Account, MemoryLeaseStore, MemoryRateStore, Quotas, Unit};
use lyss_repositories::AttemptStore;
use lyss_sandbox::{Sandbox, Vendor};
use lyss_testkit::transport::ScriptedTransport;
use lyss_testkit::{ManualClock, TestDatabase, database};
use lyss_upstream::{AllowedNetwork, EgressPolicy, Upstream, UpstreamSettings};
use lyss_wire::Transport;
use prometheus_client::registry::Registry;
use tempfile::TempDir;
use tokio::task::JoinHandle;

pub(crate) use office::Office;

/// A wait that ends long before it; only a broken test reaches it.
pub(crate) const CEILING: Duration = Duration::from_secs(20);

/// The pipeline in this process, on real stores, with one virtual key.
pub(crate) struct Gateway {
    pub(crate) office: Office,
    pub(crate) proxy: Arc<Proxy>,
    pub(crate) quotas: Arc<Quotas>,
    pub(crate) ledger: Ledger,
    pub(crate) clock: ManualClock,
    pub(crate) key: VirtualKey,
    outlet: Outlet,
    ledger_task: JoinHandle<()>,
    _folder: TempDir,
    database: TestDatabase,
}

/// What a caller was told.
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) head: AnswerHead,
    pub(crate) body: Vec<u8>,
    /// Set where the call had no answer.
    pub(crate) fault: Option<Fault>,
}

impl Gateway {
    /// On a scripted transport; the returned handle shares its script.
    pub(crate) async fn scripted() -> (Self, ScriptedTransport) {
        Self::scripted_with(ProxySettings::default()).await
    }

    pub(crate) async fn scripted_with(settings: ProxySettings) -> (Self, ScriptedTransport) {
        let transport = ScriptedTransport::default();
        (Self::in_process(Arc::new(transport.clone()), settings).await, transport)
    }

    /// On real sockets to a sandbox.
    pub(crate) async fn onto(sandbox: &Sandbox) -> Self {
        let allow = Vendor::ALL.into_iter().filter_map(|v| sandbox.addr(v)).map(AllowedNetwork::exactly);
        let egress = EgressPolicy { allow: allow.collect() };
        let upstream = Upstream::new(&UpstreamSettings { egress, ..UpstreamSettings::default() }).unwrap();
        Self::in_process(Arc::new(upstream), ProxySettings::default()).await
    }

    pub(crate) async fn in_process(transport: Arc<dyn Transport>, settings: ProxySettings) -> Self {
        let database = database::sqlite().await;
        let clock = ManualClock::new();
        let office = Office::open(database.another().await, Arc::new(clock.clone()), None).await;
        let folder = tempfile::tempdir().unwrap();
        let attempts: Arc<dyn AttemptStore> = Arc::new(office.store.clone());
        let (ledger, task) =
            lyss_ledger::open(LedgerSettings::in_folder(folder.path()), attempts).await.unwrap();
        let ledger_task = tokio::spawn(task.run());
        let quotas = Arc::new(Quotas::new(Arc::new(MemoryLeaseStore::new())));
        let parts = Parts {
            vault: Arc::clone(&office.management.vault),
            quotas: Arc::clone(&quotas),
            rates: Arc::new(MemoryRateStore::new()),
            balancers: Balancers::new(7),
            health: Arc::default(),
            ledger: ledger.clone(),
            clock: Arc::new(clock.clone()),
            draws: Draws::seeded(7),
            meters: Meters::register(&mut Registry::default()),
            settings,
        };
        let proxy = Arc::new(Proxy::new(parts, &office.management.catalog));
        let key = office.key("caller").await.0;
        let outlet = Outlet::new(transport);
        Self { office, proxy, quotas, ledger, clock, key, outlet, ledger_task, _folder: folder, database }
    }

    /// A channel of a vendor kind that serves every model; its address is never reached by a scripted transport.
    pub(crate) async fn channel(&self, name: &str, provider: &str) -> Channel {
        self.office.channel(draft(name, provider, "http://127.0.0.1:9")).await
    }

    /// Replaces the caller's key by one with these limits.
    pub(crate) async fn limit_key(&mut self, limits: KeyLimits) {
        let draft = KeyDraft { limits, may_steer: true, ..KeyDraft::new("caller") };
        self.key = self.office.issue(draft).await.0;
    }

    pub(crate) async fn chat(&self, body: &str) -> Result<Answer, Failed> {
        self.steered(body, Steering::default()).await
    }

    pub(crate) async fn steered(&self, body: &str, steering: Steering) -> Result<Answer, Failed> {
        let ask = scan(Dialect::OpenAiChat, Bytes::copy_from_slice(body.as_bytes())).unwrap();
        let caller = lyss_auth::authenticate(&self.key, self.clock.now(), None).unwrap();
        let table = self.proxy.routes();
        let call = self.proxy.new_call();
        let incoming = Incoming {
            call,
            caller: &caller,
            key: &self.key,
            ask,
            steering,
            strict: false,
            forwarded: Headers::new(),
            upload: None,
        };
        Box::pin(self.proxy.chat(&self.outlet, &table, incoming)).await
    }

    /// The whole answer, read to its end.
    pub(crate) async fn ask(&self, body: &str) -> Told {
        Told::read(self.chat(body).await).await
    }

    /// Every record so far, oldest call first and within a call by ordinal.
    pub(crate) async fn records(&self) -> Vec<AttemptRecord> {
        assert!(self.ledger.drain().await, "the ledger's writer has ended");
        let mut records = self.office.store.recent(&self.office.scope, 100_000).await.unwrap();
        records.sort_by_key(|record| (record.call, record.ordinal));
        records
    }

    pub(crate) async fn records_of(&self, call: CallId) -> Vec<AttemptRecord> {
        self.records().await.into_iter().filter(|record| record.call == call).collect()
    }

    /// Units held by calls under way, over all policies and units.
    pub(crate) fn reserved(&self) -> i64 {
        self.sum(|figures| figures.reserved)
    }

    /// Settled units of one kind, over all policies.
    pub(crate) fn posted(&self, unit: Unit) -> i64 {
        self.accounts().filter(|account| account.unit == unit).map(|a| self.figures(&a).posted).sum()
    }

    /// An enforced day policy of the tenant, far away from any use: something to reserve on.
    pub(crate) async fn watch_reservations(&self) {
        self.policy(Some(1 << 30), Some(1 << 38), Some(Micros(1 << 38)), PolicyMode::Enforce).await;
    }

    /// A day policy of the tenant.
    pub(crate) async fn policy(
        &self,
        requests: Option<u64>,
        tokens: Option<u64>,
        cost: Option<Micros>,
        mode: PolicyMode,
    ) -> QuotaPolicy {
        self.office.policy(PolicyScope::Tenant, Window::Day, (requests, tokens, cost), mode).await
    }

    /// Waits until every attempt has settled: what a dropped answer leaves behind is settled by its drop, at once.
    pub(crate) async fn close(self) {
        self.ledger.shutdown();
        self.ledger_task.await.unwrap();
        self.office.close().await;
        self.database.close().await;
    }

    fn sum(&self, figure: impl Fn(lyss_quota::Figures) -> i64) -> i64 {
        self.accounts().map(|account| figure(self.figures(&account))).sum()
    }

    fn figures(&self, account: &Account) -> lyss_quota::Figures {
        self.quotas.figures(account).unwrap_or(lyss_quota::Figures { posted: 0, reserved: 0 })
    }

    fn accounts(&self) -> impl Iterator<Item = Account> + use<> {
        let catalog = self.office.management.catalog.load();
        let entry = Arc::clone(catalog.tenant(self.office.scope.tenant()).unwrap());
        let now = self.clock.now();
        let accounts = entry.policies.iter().map(|entry| &entry.policy).flat_map(|policy| {
            let start = entry.calendar.span(policy.window, now).start;
            [Unit::Requests, Unit::Tokens, Unit::CostMicros].map(|unit| Account {
                policy: policy.id,
                start,
                unit,
            })
        });
        accounts.collect::<Vec<_>>().into_iter()
    }
}

impl Told {
    pub(crate) async fn read(answered: Result<Answer, Failed>) -> Self {
        match answered {
            Ok(Answer { head, body: AnswerBody::Whole(bytes) }) => {
                Self { status: 200, head, body: bytes.to_vec(), fault: None }
            }
            Ok(Answer { head, body: AnswerBody::Stream(mut relay) | AnswerBody::Other(_, mut relay) }) => {
                let mut body = Vec::new();
                while let Some(bytes) = next(&mut relay).await {
                    body.extend_from_slice(&bytes);
                }
                Self { status: 200, head, body, fault: None }
            }
            Err(Failed { head, fault }) => {
                let body = Dialect::OpenAiChat.caller().unwrap().render_fault(&fault);
                Self { status: fault.status, head, body: body.to_vec(), fault: Some(fault) }
            }
        }
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn call(&self) -> CallId {
        self.head.call
    }
}

/// The next bytes of a streamed answer, as a worker would poll them.
pub(crate) async fn next(relay: &mut Relay) -> Option<Bytes> {
    let polled = poll_fn(|cx| Pin::new(&mut *relay).poll_next(cx));
    tokio::time::timeout(CEILING, polled).await.expect("the answer goes on")
}

/// The stream of an answer that must be one.
pub(crate) fn stream_of(answered: Result<Answer, Failed>) -> (AnswerHead, Relay) {
    match answered.unwrap_or_else(|failed| panic!("no answer: {:?}", failed.fault)) {
        Answer { head, body: AnswerBody::Stream(relay) } => (head, relay),
        Answer { .. } => panic!("not a stream"),
    }
}

/// Serves every model, so that a test may ask for whatever it likes.
pub(crate) fn draft(name: &str, provider: &str, api_base: &str) -> ChannelDraft {
    let mut draft = ChannelDraft::new(name, provider);
    draft.api_base = Some(api_base.to_owned());
    draft.supported_models = vec!["*".to_owned()];
    draft
}

/// What every channel of a test is called with.
pub(crate) const VENDOR_KEY: &str = "sk-sandbox-canary-5f3a9c";

pub(crate) fn vendor_key() -> Secret {
    Secret::from(VENDOR_KEY.to_owned())
}

pub(crate) fn steer(channel: ChannelId) -> Steering {
    Steering { channel: Some(channel), ..Steering::default() }
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..CEILING.as_millis() / 5 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("this never came to be: {what}");
}

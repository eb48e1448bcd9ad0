//! Probes through the real pipeline's routes: who is asked, what it costs, and what a channel's health makes of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use lyss_balancing::{Ending, Health, Observation, Phase, Size};
use lyss_domain::{
    Channel, ChannelState, Clock, FaultKind, HealthEvent, HealthEventKind, HealthSource, KeyId, Micros,
    Operation, ProbeMode, Rates, Terminal, UsageSource,
};
use lyss_ledger::{Ledger, LedgerSettings};
use lyss_management::ChannelDraft;
use lyss_proxy::draw::Draws;
use lyss_proxy::{ProbeSettings, Prober};
use lyss_quota::Unit;
use lyss_repositories::{AttemptStore, HealthStore, Listing, Page};
use lyss_sandbox::Vendor;
use lyss_testkit::transport::{Answer, ScriptedTransport};
use lyss_wire::TransportClass;

use crate::gateway::process::Served;
use crate::gateway::{Gateway, VENDOR_KEY, bodies, draft};

const MODELS: &str = r#"{"data":[{"id":"gpt-4o-mini"}]}"#;
const MINUTE: Duration = Duration::from_secs(60);

/// A gateway, and a prober that shares its configuration, its ledger and its clock.
struct Station {
    gateway: Gateway,
    health: Arc<Health>,
    prober: Prober,
    transport: ScriptedTransport,
}

impl Station {
    async fn open() -> Self {
        Self::with(ProbeSettings::default()).await
    }

    async fn with(settings: ProbeSettings) -> Self {
        let (gateway, transport) = Gateway::scripted().await;
        let (health, prober) = prober(&gateway, &transport, settings, gateway.ledger.clone());
        Self { gateway, health, prober, transport }
    }

    async fn channel(&self, name: &str, change: impl FnOnce(&mut ChannelDraft)) -> Channel {
        let mut draft = draft(name, "openai", "http://127.0.0.1:9");
        change(&mut draft);
        self.gateway.office.channel(draft).await
    }

    /// One look, after this time.
    async fn after(&self, wait: Duration) -> Vec<HealthEvent> {
        self.gateway.clock.advance(wait);
        let table = Arc::clone(&self.gateway.proxy.routes());
        self.prober.round(&table).await.unwrap().events
    }

    /// A look at which every channel is due that was not probed in the last minute and a half.
    async fn round(&self) -> Vec<HealthEvent> {
        self.after(Duration::ZERO).await;
        self.after(2 * MINUTE).await
    }

    fn answers(&self, status: u16, body: &'static str, times: usize) {
        (0..times).for_each(|_| self.transport.push(Answer::json(status, body)));
    }

    fn asked(&self) -> Vec<String> {
        self.transport.sent().iter().map(|sent| format!("{} {}", sent.method, sent.uri.path())).collect()
    }

    /// An attempt of live traffic.
    fn attempt(&self, channel: &Channel, model: &str, ending: Ending) {
        let now = self.gateway.clock.tick();
        let vitals = self.health.channel(channel.id).model(model);
        let attempt = vitals.enter(Size::default(), None, now).unwrap();
        let observation = Observation {
            ending,
            prompt_tokens: 10,
            output_tokens: 10,
            ttft: None,
            total: Duration::from_secs(1),
        };
        attempt.observe(&observation, 1 << 63, now);
    }

    fn phase(&self, channel: &Channel) -> Phase {
        self.health.channel(channel.id).phase(self.gateway.clock.tick())
    }

    async fn close(self) {
        drop(self.prober);
        self.gateway.close().await;
    }
}

fn prober(
    gateway: &Gateway,
    transport: &ScriptedTransport,
    settings: ProbeSettings,
    ledger: Ledger,
) -> (Arc<Health>, Prober) {
    let health = Arc::new(Health::default());
    let prober = Prober::new(
        settings,
        Arc::clone(&health),
        Arc::new(gateway.office.store.clone()),
        Arc::new(transport.clone()),
        Arc::clone(&gateway.office.management.vault),
        ledger,
        Arc::new(gateway.clock.clone()),
        Draws::seeded(7),
    );
    (health, prober)
}

fn outcomes(events: &[HealthEvent]) -> Vec<(HealthEventKind, Option<FaultKind>)> {
    events.iter().map(|event| (event.kind, event.fault)).collect()
}

#[tokio::test]
async fn a_quiet_channel_is_asked_for_its_models_and_nothing_is_paid() {
    let station = Station::open().await;
    // A price and a budget are there: only the wish to pay is not.
    station.gateway.office.price("*", Rates { output: 1, ..Rates::default() }).await;
    let channel = station.channel("usual", |_| {}).await;
    assert_eq!(channel.probe, ProbeMode::Free);
    station.answers(200, MODELS, 20);
    let mut events = Vec::new();
    for _ in 0..20 {
        events.extend(station.round().await);
    }
    assert_eq!(station.asked(), ["GET /models"; 20]);
    let sent = station.transport.sent();
    assert_eq!(sent[0].header("authorization"), Some(&*format!("Bearer {VENDOR_KEY}")));
    assert_eq!(station.gateway.records().await, [], "nothing that costs was done");

    // Told once, since nothing changed, and kept.
    let [told] = &*events else { panic!("{events:?}") };
    assert_eq!((told.channel, told.kind, &told.model), (channel.id, HealthEventKind::ProbeOk, &None));
    assert_eq!((told.source, told.tenant), (HealthSource::Probe, channel.tenant));
    let store = &station.gateway.office.store;
    store.append_events(&events).await.unwrap();
    let kept = store.events(&station.gateway.office.scope, &Listing::default()).await.unwrap();
    assert_eq!(kept.items, events);
    station.close().await;
}

#[tokio::test]
async fn a_channel_with_traffic_is_left_alone_until_it_is_quiet() {
    let station = Station::open().await;
    let channel = station.channel("busy", |_| {}).await;
    station.after(Duration::ZERO).await;
    for _ in 0..10 {
        station.attempt(&channel, "gpt-4o-mini", Ending::Complete);
        assert_eq!(station.after(4 * MINUTE).await, []);
    }
    // The script is empty: had anything been asked, it would have panicked.
    assert_eq!(station.asked(), [""; 0]);
    station.answers(200, MODELS, 1);
    assert_eq!(outcomes(&station.after(MINUTE).await), [(HealthEventKind::ProbeOk, None)]);
    station.close().await;
}

#[tokio::test]
async fn what_an_administrator_took_out_is_never_asked() {
    let station = Station::open().await;
    station.channel("off", |draft| draft.probe = ProbeMode::Off).await;
    station.channel("disabled", |draft| draft.state = ChannelState::Disabled).await;
    station.channel("draining", |draft| draft.state = ChannelState::Draining).await;
    station.channel("drained", |draft| draft.weight = 0).await;
    for _ in 0..5 {
        assert_eq!(station.round().await, []);
    }
    assert_eq!(station.asked(), [""; 0]);
    station.close().await;

    let station = Station::with(ProbeSettings { interval: Duration::ZERO, ..ProbeSettings::default() }).await;
    station.channel("usual", |_| {}).await;
    assert_eq!(station.round().await, []);
    station.close().await;
}

#[tokio::test]
async fn a_refused_credential_ejects_and_a_good_probe_only_calls_for_a_trial() {
    let station = Station::open().await;
    let channel = station.channel("usual", |_| {}).await;
    station.answers(401, r#"{"error":{"message":"No."}}"#, 1);
    let events = station.round().await;
    let refused = (HealthEventKind::ProbeFailed, Some(FaultKind::CredentialRefused));
    assert_eq!(outcomes(&events), [refused]);
    assert_eq!(station.phase(&channel), Phase::Open);

    // Traffic just went there and failed: it is ejected, so it is asked all the same.
    station.gateway.clock.advance(10 * MINUTE);
    station.attempt(&channel, "gpt-4o-mini", Ending::Failed(FaultKind::CredentialRefused, None));
    assert_eq!(station.phase(&channel), Phase::Open);
    station.answers(200, MODELS, 1);
    assert_eq!(outcomes(&station.after(Duration::from_secs(1)).await), [(HealthEventKind::ProbeOk, None)]);
    assert_eq!(station.phase(&channel), Phase::HalfOpen, "live traffic decides, and sooner");
    station.close().await;
}

#[tokio::test]
async fn what_says_nothing_of_a_channel_changes_nothing() {
    let station = Station::open().await;
    let channel = station.channel("usual", |_| {}).await;
    // No list of models at all; a page; a limit of the list's own; our own policy, thrice.
    station.answers(404, "{}", 3);
    station.answers(200, "<html>", 3);
    station.answers(429, "{}", 3);
    (0..3).for_each(|_| station.transport.push(Answer::failing(TransportClass::EgressDenied)));
    let mut events = Vec::new();
    for _ in 0..12 {
        events.extend(station.round().await);
    }
    assert_eq!(station.asked().len(), 12);
    assert_eq!(
        outcomes(&events),
        [
            (HealthEventKind::ProbeFailed, Some(FaultKind::VendorRateLimited)),
            (HealthEventKind::ProbeFailed, Some(FaultKind::EgressDenied)),
        ]
    );
    assert_eq!(station.phase(&channel), Phase::Closed);
    station.close().await;
}

#[tokio::test]
async fn a_network_that_is_away_ejects_after_some_probes_and_a_vendor_that_fails_its_models() {
    let station = Station::open().await;
    let channel = station.channel("away", |_| {}).await;
    for times in 1..=3 {
        station.transport.push(Answer::failing(TransportClass::Connect));
        station.round().await;
        let expected = if times < 3 { Phase::Closed } else { Phase::Open };
        assert_eq!(station.phase(&channel), expected, "after {times}");
    }
    station.close().await;

    let station = Station::open().await;
    let channel = station.channel("failing", |_| {}).await;
    station.attempt(&channel, "gpt-4o-mini", Ending::Complete);
    station.answers(500, "{}", 3);
    // It is quiet after the fifth minute.
    for _ in 0..5 {
        station.round().await;
    }
    assert_eq!(station.asked().len(), 3);
    let now = station.gateway.clock.tick();
    let model = station.health.channel(channel.id).model("gpt-4o-mini").standing(now);
    assert_eq!(station.phase(&channel), Phase::Closed, "the channel as a whole is reachable");
    assert_eq!((model.breaker.openings, model.breaker.fault), (1, Some(FaultKind::VendorError)));
    station.close().await;
}

#[tokio::test]
async fn of_two_replicas_one_asks() {
    let station = Station::open().await;
    station.channel("shared", |_| {}).await;
    let folder = tempfile::tempdir().unwrap();
    let attempts: Arc<dyn AttemptStore> = Arc::new(station.gateway.office.store.clone());
    let (ledger, task) = lyss_ledger::open(LedgerSettings::in_folder(folder.path()), attempts).await.unwrap();
    let (_, other) = prober(&station.gateway, &station.transport, ProbeSettings::default(), ledger.clone());
    let table = Arc::clone(&station.gateway.proxy.routes());
    station.answers(200, MODELS, 21);
    for _ in 0..200 {
        station.gateway.clock.advance(Duration::from_secs(5));
        let (one, two) = tokio::join!(station.prober.round(&table), other.round(&table));
        one.and(two).unwrap();
    }
    // 1,000 seconds hold at most 20 turns of 48 s and at least 10 of 72 s and of the wait after a lost turn.
    let asked = station.asked().len();
    assert!((10..=20).contains(&asked), "{asked}");
    ledger.shutdown();
    task.run().await;
    station.close().await;
}

#[tokio::test]
async fn a_paid_probe_asks_one_token_within_the_budget_and_is_booked_on_nobody() {
    let budget = Micros(2_000);
    let station = Station::with(ProbeSettings { paid_daily: budget, ..ProbeSettings::default() }).await;
    station.gateway.watch_reservations().await;
    let rates = Rates { input: 10_000_000, output: 40_000_000, ..Rates::default() };
    station.gateway.office.price("gpt-4o-mini", rates).await;
    let channel = station
        .channel("paid", |draft| {
            draft.probe = ProbeMode::Paid;
            draft.supported_models = vec!["gpt-4o-mini".to_owned()];
        })
        .await;
    // A question of some 80 bytes costs at most 840 micros: two of them fit.
    station.answers(200, bodies::OPENAI_WHOLE, 2);
    station.answers(200, MODELS, 2);
    let mut events = Vec::new();
    for _ in 0..4 {
        events.extend(station.round().await);
    }
    let paid = "POST /chat/completions";
    assert_eq!(station.asked(), [paid, paid, "GET /models", "GET /models"]);
    let question: serde_json::Value = serde_json::from_slice(&station.transport.sent()[0].body).unwrap();
    assert_eq!(question["model"], "gpt-4o-mini");
    let limit = question.get("max_tokens").or_else(|| question.get("max_completion_tokens"));
    assert_eq!(limit.and_then(serde_json::Value::as_u64), Some(1));
    assert_eq!(events[0].model.as_deref(), Some("gpt-4o-mini"));

    let records = station.gateway.records().await;
    assert_eq!(records.len(), 2);
    for record in &records {
        assert_eq!(
            (record.operation, record.key, record.channel),
            (Operation::Health, KeyId::NONE, channel.id)
        );
        assert_eq!((record.terminal, record.usage_source), (Terminal::Complete, UsageSource::Provider));
        assert_eq!(Some(record.cost), rates.cost(&record.usage));
        assert!(record.cost > Micros::ZERO && record.price.is_some());
    }
    for unit in [Unit::Requests, Unit::Tokens, Unit::CostMicros] {
        assert_eq!(station.gateway.posted(unit), 0, "no policy is charged");
    }
    assert_eq!(station.gateway.reserved(), 0);

    // Another day has another budget.
    station.answers(200, bodies::OPENAI_WHOLE, 1);
    station.after(24 * 60 * MINUTE).await;
    assert_eq!(station.asked().last().map(String::as_str), Some(paid));
    station.close().await;
}

#[tokio::test]
async fn without_a_price_or_a_model_nothing_is_paid() {
    let station = Station::open().await;
    station
        .channel("unpriced", |draft| {
            draft.probe = ProbeMode::Paid;
            draft.supported_models = vec!["nobody-knows-what-this-costs".to_owned()];
        })
        .await;
    station.answers(200, MODELS, 1);
    station.round().await;
    assert_eq!(station.asked(), ["GET /models"]);
    assert_eq!(station.gateway.records().await, []);
    station.close().await;
}

#[tokio::test]
async fn a_paid_probe_of_an_ejected_model_counts_for_that_model_alone() {
    let station = Station::open().await;
    let rates = Rates { input: 1, output: 1, ..Rates::default() };
    station.gateway.office.price("*", rates).await;
    let channel = station.channel("paid", |draft| draft.probe = ProbeMode::Paid).await;
    station.after(Duration::ZERO).await;
    station.gateway.clock.advance(2 * MINUTE);
    station.attempt(&channel, "well", Ending::Complete);
    for _ in 0..3 {
        station.attempt(&channel, "ill", Ending::Failed(FaultKind::Overloaded, None));
    }
    station.answers(503, r#"{"error":{"message":"No."}}"#, 1);
    let events = station.after(Duration::from_secs(30)).await;
    let failed = (HealthEventKind::ProbeFailed, Some(FaultKind::Overloaded));
    assert_eq!(outcomes(&events), [failed]);
    assert_eq!(events[0].model.as_deref(), Some("ill"));
    let now = station.gateway.clock.tick();
    let standing = |model| station.health.channel(channel.id).model(model).standing(now).breaker;
    assert_eq!((standing("ill").phase, standing("ill").openings), (Phase::Open, 2));
    assert_eq!(standing("well").phase, Phase::Closed);
    let [record] = &*station.gateway.records().await else { panic!("one record is due") };
    assert_eq!(
        (record.fault, record.status, record.cost),
        (Some(FaultKind::Overloaded), Some(503), Micros::ZERO)
    );
    station.close().await;
}

/// The built service, over sockets, onto a simulated vendor of each kind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_without_traffic_asks_every_vendor_and_keeps_what_it_heard() {
    let served = Served::open(&[("PROVIDER_SERVICE_HEALTH__PROBE_INTERVAL_S", "1")]).await;
    let newest = Listing { page: Page { number: 1, size: 200 }, ..Listing::default() };
    for _ in 0..3_000 {
        let heard = served.office.store.events(&served.office.scope, &newest).await.unwrap().items;
        let channels: BTreeSet<_> = heard.iter().map(|event| event.channel).collect();
        if channels.len() == Vendor::ALL.len() {
            assert!(
                outcomes(&heard).iter().all(|told| *told == (HealthEventKind::ProbeOk, None)),
                "{heard:?}"
            );
            assert_eq!(heard.len(), channels.len(), "told once each");
            assert_eq!(served.office.store.count(&served.office.scope).await.unwrap(), 0);
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not every vendor was asked");
}

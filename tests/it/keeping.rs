//! What is known of channels' health, over a restart: in this process on both databases, and of the built binary when it
//! is killed.

use std::sync::Arc;
use std::time::Duration;

use lyss_balancing::{Ending, Health, Observation, Phase, Size};
use lyss_domain::{
    Channel, ChannelId, Clock, FaultKind, HealthEventKind, HealthSource, HealthState, TenantId, Timestamp,
};
use lyss_proxy::draw::Draws;
use lyss_proxy::{HealthKeeper, Probed};
use lyss_repositories::{HealthEventFilter, HealthStore, Listing};
use lyss_testkit::{ManualClock, TestDatabase, database};

use crate::gateway::process::Served;
use crate::gateway::{Office, bodies, draft, wire};

const MINUTE: Duration = Duration::from_secs(60);
const MODEL: &str = "gpt-4o-mini";

/// One run of the service, as far as its health goes.
struct Run {
    health: Arc<Health>,
    keeper: HealthKeeper,
    clock: ManualClock,
    // As routes do, so that nothing is forgotten.
    _held: Vec<Arc<lyss_balancing::ChannelHealth>>,
}

impl Run {
    fn begin(office: &Office, clock: &ManualClock, channels: &[&Channel]) -> Self {
        let health = Arc::new(Health::default());
        let keeper = HealthKeeper::new(
            Arc::clone(&health),
            Arc::new(office.store.clone()),
            Arc::clone(&office.management.catalog),
            Arc::new(clock.clone()),
            Draws::seeded(u64::try_from(clock.now().as_micros()).unwrap()),
        );
        let held = channels.iter().map(|channel| health.channel(channel.id)).collect();
        Self { health, keeper, clock: clock.clone(), _held: held }
    }

    fn attempt(&self, channel: &Channel, model: &str, ending: Ending) {
        let now = self.clock.tick();
        let attempt = self.health.channel(channel.id).model(model).enter(Size::default(), None, now).unwrap();
        let observation = Observation {
            ending,
            prompt_tokens: 10,
            output_tokens: 10,
            ttft: Some(Duration::from_millis(300)),
            total: Duration::from_secs(1),
        };
        attempt.observe(&observation, 1 << 63, now);
    }

    fn phase(&self, channel: &Channel) -> Phase {
        self.health.channel(channel.id).phase(self.clock.tick())
    }
}

/// A row without what it says.
fn rows(states: &[HealthState]) -> Vec<(ChannelId, Option<&str>)> {
    let mut rows: Vec<_> = states.iter().map(|state| (state.channel, state.model.as_deref())).collect();
    rows.sort_unstable();
    rows
}

async fn channel(office: &Office, name: &str) -> Channel {
    office.channel(draft(name, "openai", "http://127.0.0.1:9")).await
}

async fn on_both(case: impl AsyncFn(&TestDatabase)) {
    for database in [database::sqlite().await, database::postgres().await] {
        case(&database).await;
        database.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_learned_is_known_to_the_next_run() {
    on_both(async |database| {
        let clock = ManualClock::new();
        let office = Office::open(database.another().await, Arc::new(clock.clone()), None).await;
        let (refused, well) = (channel(&office, "refused").await, channel(&office, "well").await);
        let first = Run::begin(&office, &clock, &[&refused, &well]);
        assert_eq!(first.keeper.restore().await.unwrap(), 0);
        (0..5).for_each(|_| first.attempt(&well, MODEL, Ending::Complete));
        let asked = Some(4 * MINUTE);
        first.attempt(&well, "limited", Ending::Failed(FaultKind::VendorRateLimited, asked));
        first.attempt(&refused, MODEL, Ending::Failed(FaultKind::CredentialRefused, None));
        assert_eq!(first.phase(&refused), Phase::Open);
        first.keeper.keep().await.unwrap();
        // Killed here: what it learned since is lost, and no more.
        first.attempt(&well, MODEL, Ending::Complete);
        drop(first);

        clock.advance(Duration::from_secs(10));
        let second = Run::begin(&office, &clock, &[&refused, &well]);
        assert!(second.keeper.restore().await.unwrap() >= 3);
        let now = clock.tick();
        assert_eq!(second.phase(&refused), Phase::Open);
        let channel = second.health.channel(refused.id).standing(now);
        assert_eq!(channel.breaker.fault, Some(FaultKind::CredentialRefused));
        let left = channel.breaker.until.unwrap().since(now);
        assert!(
            left > Duration::ZERO && left <= Duration::from_secs(26),
            "{left:?}: 30 s, less the 10 that went by"
        );
        let model = second.health.channel(well.id).model(MODEL).standing(now);
        assert_eq!(model.samples, 5);
        assert!(model.ttft_us > 0.0 && model.good > 0.0);
        let limited = second.health.channel(well.id).model("limited").standing(now);
        let cooling = limited.cooling.expect("it is left alone over the restart");
        assert!(cooling > 3 * MINUTE && cooling < 4 * MINUTE, "{cooling:?}");

        let history = office.store.events(&office.scope, &Listing::default()).await.unwrap().items;
        let of = |channel: &Channel| -> Vec<_> {
            let mine = history.iter().filter(|event| event.channel == channel.id);
            mine.map(|event| (event.kind, event.fault, event.source)).collect()
        };
        let traffic = HealthSource::Traffic;
        let ejected = (HealthEventKind::Ejected, Some(FaultKind::CredentialRefused), traffic);
        assert_eq!(of(&refused), [ejected]);
        let cooled = (HealthEventKind::Cooling, Some(FaultKind::VendorRateLimited), traffic);
        assert_eq!(of(&well), [cooled]);
        office.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_changed_is_written_and_what_is_old_is_forgotten() {
    on_both(async |database| {
        let clock = ManualClock::new();
        let office = Office::open(database.another().await, Arc::new(clock.clone()), None).await;
        let (idle, busy) = (channel(&office, "idle").await, channel(&office, "busy").await);
        let run = Run::begin(&office, &clock, &[&idle, &busy]);
        run.attempt(&idle, MODEL, Ending::Complete);
        run.attempt(&busy, MODEL, Ending::Complete);
        run.keeper.keep().await.unwrap();
        let written = async |channel: &Channel| {
            let states = office.store.load_states().await.unwrap();
            let of = |state: &&HealthState| state.channel == channel.id && state.model.is_some();
            states.iter().find(of).map(|state| state.updated_at)
        };
        let begun = clock.now();
        clock.advance(MINUTE);
        run.attempt(&busy, MODEL, Ending::Complete);
        run.keeper.keep().await.unwrap();
        assert_eq!((written(&idle).await, written(&busy).await), (Some(begun), Some(clock.now())));
        // After an hour it is said that it still holds.
        clock.advance(60 * MINUTE);
        run.keeper.keep().await.unwrap();
        assert_eq!(written(&idle).await, Some(clock.now()));

        // A channel that goes takes its state along and is no obstacle.
        run.attempt(&busy, MODEL, Ending::Failed(FaultKind::CredentialRefused, None));
        office.management.delete_channel(&office.acting(), busy.id, None).await.unwrap();
        run.keeper.keep().await.unwrap();
        let states = office.store.load_states().await.unwrap();
        assert!(rows(&states).iter().all(|(channel, _)| *channel == idle.id), "{states:?}");

        run.attempt(&idle, MODEL, Ending::Failed(FaultKind::CredentialRefused, None));
        run.keeper.keep().await.unwrap();
        assert_eq!(run.keeper.forget().await.unwrap(), 0);
        let filter = HealthEventFilter { channel: Some(idle.id), ..HealthEventFilter::default() };
        let history = Listing { filter, ..Listing::default() };
        assert_eq!(office.store.events(&office.scope, &history).await.unwrap().total, 1);
        clock.advance(31 * 24 * 60 * MINUTE);
        assert_eq!(run.keeper.forget().await.unwrap(), 1);
        assert_eq!(office.store.load_states().await.unwrap(), []);
        office.close().await;
    })
    .await;
}

#[tokio::test]
async fn strange_states_are_as_good_as_none() {
    let database = database::sqlite().await;
    let clock = ManualClock::new();
    let office = Office::open(database.another().await, Arc::new(clock.clone()), None).await;
    let mine = channel(&office, "mine").await;
    let state = |tenant: TenantId, text: &str| HealthState {
        tenant,
        channel: mine.id,
        model: None,
        state: text.as_bytes().to_vec(),
        updated_at: clock.now(),
    };
    for text in ["", "{}", "null", "\u{0}", r#"{"channel":"x","model":null,"at_ms":0}"#] {
        office.store.save_states(&[state(mine.tenant, text)]).await.unwrap();
        let run = Run::begin(&office, &clock, &[&mine]);
        assert_eq!(run.keeper.restore().await.unwrap(), 0, "{text}");
    }
    office.close().await;
    database.close().await;
}

/// The moments that a round of probes names are how its doings are told from those of traffic.
#[tokio::test]
async fn what_a_probe_changed_is_told_as_its_doing() {
    let database = database::sqlite().await;
    let clock = ManualClock::new();
    let office = Office::open(database.another().await, Arc::new(clock.clone()), None).await;
    let (probed, called) = (channel(&office, "probed").await, channel(&office, "called").await);
    let run = Run::begin(&office, &clock, &[&probed, &called]);
    let now = clock.tick();
    run.health.channel(probed.id).probe_result(Err(FaultKind::CredentialRefused), 1 << 63, now);
    run.attempt(&called, MODEL, Ending::Failed(FaultKind::CredentialRefused, None));
    run.keeper.note(Probed { events: Vec::new(), moments: vec![(probed.id, now)] });
    clock.advance(MINUTE);
    run.keeper.keep().await.unwrap();
    let history = office.store.events(&office.scope, &Listing::default()).await.unwrap().items;
    let mut told: Vec<_> = history.iter().map(|event| (event.channel, event.source)).collect();
    told.sort_unstable_by_key(|(channel, _)| *channel);
    let mut expected = [(probed.id, HealthSource::Probe), (called.id, HealthSource::Traffic)];
    expected.sort_unstable_by_key(|(channel, _)| *channel);
    assert_eq!(told, expected);
    assert!(history.iter().all(|event| event.at == clock.now().before(MINUTE)), "when it happened");
    office.close().await;
    database.close().await;
}

/// The state of a channel as a whole, once it says this.
async fn kept(office: &Office, says: &str, since: Timestamp) -> HealthState {
    for _ in 0..3_000 {
        let states = office.store.load_states().await.unwrap();
        let found = states.into_iter().find(|state| {
            let text = String::from_utf8_lossy(&state.state);
            state.model.is_none() && state.updated_at > since && text.contains(says)
        });
        if let Some(found) = found {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nothing that says {says} is kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_service_knows_what_it_had_learned() {
    let mut served = Served::open(&[]).await;
    let mut reply = served.chat(&bodies::chat("gpt-4o-mini+status=401", false)).await;
    reply.finish().await;
    assert_eq!(reply.status, 502, "{}", reply.text());
    let before = kept(&served.office, r#""fault":"credential_refused""#, Timestamp::default()).await;
    let opening = |state: &HealthState| -> serde_json::Value {
        let state: serde_json::Value = serde_json::from_slice(&state.state).unwrap();
        state["opening"].clone()
    };
    assert!(!opening(&before)["since_ms"].is_null(), "{}", opening(&before));
    served.process.kill();

    // A start and a stop: what is kept at the end is what was restored at the beginning.
    served.restart().await;
    let restored = r#""message":"the health of channels is as it was""#;
    served.process.told(|log| log.contains(restored).then_some(())).await;
    // Whoever answers also listens to signals.
    assert_eq!(wire::get(served.process.address, "/health/ready", &[]).await.status, 200);
    served.process.terminate();
    assert_eq!(served.process.ended().await, Some(0));
    let after = kept(&served.office, r#""fault":"credential_refused""#, before.updated_at).await;
    for time in ["since_ms", "until_ms"] {
        let (before, after) = (opening(&before), opening(&after));
        let apart = before[time].as_i64().unwrap().abs_diff(after[time].as_i64().unwrap());
        assert!(apart < 1_000, "{time} of {before} and {after}");
    }
}

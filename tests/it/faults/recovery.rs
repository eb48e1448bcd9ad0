//! What becomes of channels over time, and what callers notice of it: nothing, as long as somebody is well.

use std::sync::Arc;
use std::time::Duration;

use lyss_balancing::Standing;
use lyss_domain::{Channel, Clock, Terminal};
use lyss_proxy::ProxySettings;
use lyss_sandbox::{SandboxConfig, Vendor};
use lyss_upstream::{AllowedNetwork, EgressPolicy, Upstream, UpstreamSettings};
use tokio::task::JoinSet;

use super::switch::{Mood, Switch};
use crate::gateway::front::Front;
use crate::gateway::wire::Reply;
use crate::gateway::{Gateway, bodies, draft, until};

/// The service before vendors that a test turns off and on, each behind a channel.
struct House {
    gateway: Arc<Gateway>,
    front: Arc<Front>,
    vendors: Vec<Switch>,
    channels: Vec<Channel>,
}

/// The longest that a first ejection lasts: a second and a fifth.
const FIRST_EJECTION: Duration = Duration::from_millis(1_201);

impl House {
    /// Channels of these priorities, each with a vendor of this mood.
    async fn open(vendors: &[(i32, Mood)]) -> Self {
        let mut switches = Vec::new();
        for (_, mood) in vendors {
            switches.push(Switch::start(*mood).await);
        }
        let allow = switches.iter().map(|switch| AllowedNetwork::exactly(switch.address)).collect();
        let (gateway, front) = served(EgressPolicy { allow }).await;
        let mut channels = Vec::new();
        for (index, (switch, (priority, _))) in switches.iter().zip(vendors).enumerate() {
            let mut draft = draft(&format!("channel-{index}"), "openai", &switch.api_base());
            draft.priority = *priority;
            channels.push(gateway.office.channel(draft).await);
        }
        Self { gateway: Arc::new(gateway), front: Arc::new(front), vendors: switches, channels }
    }

    async fn ask(&self, model: &str) -> Reply {
        ask(&self.front, &bodies::chat(model, false)).await
    }

    /// So many calls at once, all of which must be answered.
    async fn answered(&self, calls: usize) {
        let mut running = JoinSet::new();
        for call in 0..calls {
            let front = Arc::clone(&self.front);
            running.spawn(async move { ask(&front, &bodies::chat("gpt-4o-mini", call % 2 == 1)).await });
        }
        for reply in running.join_all().await {
            assert_eq!(reply.status, 200, "{}", reply.text());
        }
    }

    fn standing(&self, channel: usize, model: &str) -> Standing {
        let channel = self.gateway.proxy.health().channel(self.channels[channel].id);
        channel.model(model).snapshot(self.gateway.clock.tick()).standing
    }

    async fn close(self) {
        drop(self.front);
        Arc::into_inner(self.gateway).unwrap().close().await;
    }
}

async fn served(egress: EgressPolicy) -> (Gateway, Front) {
    let upstream = Upstream::new(&UpstreamSettings { egress, ..UpstreamSettings::default() }).unwrap();
    let gateway = Gateway::in_process(Arc::new(upstream.sibling()), ProxySettings::default()).await;
    let front = Front::open(&gateway, &upstream).await;
    (gateway, front)
}

async fn ask(front: &Front, body: &str) -> Reply {
    let mut reply = front.chat(body).await;
    reply.finish().await;
    reply
}

fn attempts(reply: &Reply) -> u32 {
    reply.header("x-lyss-attempts").unwrap().parse().unwrap()
}

/// B6: three failures and no more, however many calls come; and after the outage the channel is back by one live call at
/// a time, behind which others stand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_costs_three_calls_some_time_and_its_end_none() {
    let house = House::open(&[(0, Mood::Fails(503)), (1, Mood::Answers)]).await;
    let [ill, well] = [0, 1].map(|index| &house.vendors[index]);
    for _ in 0..30 {
        assert_eq!(house.ask("gpt-4o-mini").await.status, 200);
    }
    assert_eq!((ill.asked(), well.asked()), (3, 30));
    assert!(matches!(house.standing(0, "gpt-4o-mini"), Standing::Ejected(_)));

    // Still ill when its time is over: one of twenty calls at once finds out.
    house.gateway.clock.advance(FIRST_EJECTION);
    assert_eq!(house.standing(0, "gpt-4o-mini"), Standing::OnTrial);
    house.answered(20).await;
    assert_eq!((ill.asked(), well.asked()), (1, 20));
    let Standing::Ejected(longer) = house.standing(0, "gpt-4o-mini") else { panic!("it failed its trial") };
    assert!(longer > FIRST_EJECTION, "{longer:?}");

    // Well by then, and slow to say so: while the one trial is under way nobody else is sent there.
    house.gateway.clock.advance(longer);
    ill.turn(Mood::Holds);
    let front = Arc::clone(&house.front);
    let trial = tokio::spawn(async move { ask(&front, &bodies::chat("gpt-4o-mini", false)).await });
    until("the trial is under way", || ill.asked_so_far() == 1).await;
    assert_eq!(house.standing(0, "gpt-4o-mini"), Standing::TrialTaken);
    house.answered(20).await;
    assert_eq!((ill.asked(), well.asked()), (1, 20));
    ill.turn(Mood::Answers);
    let answered = trial.await.unwrap();
    assert_eq!((answered.status, attempts(&answered)), (200, 1));

    // Closed again; those of the better priority serve.
    assert_eq!(house.standing(0, "gpt-4o-mini"), Standing::Open);
    house.answered(20).await;
    assert_eq!((ill.asked(), well.asked()), (20, 0));
    let records = house.gateway.records().await;
    let failed = records.iter().filter(|record| record.terminal != Terminal::Complete);
    assert_eq!(failed.count(), 4, "three, and one trial");
    house.close().await;
}

/// A trial that takes too long costs its caller a wait and no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_shows_that_a_channel_still_hangs_is_answered_by_another() {
    let house = House::open(&[(0, Mood::Fails(500)), (1, Mood::Answers)]).await;
    house.answered(3).await;
    for _ in 0..3 {
        house.ask("gpt-4o-mini").await;
    }
    house.vendors[0].turn(Mood::Holds);
    house.vendors[0].asked();
    house.gateway.clock.advance(FIRST_EJECTION);
    let reply = house.ask("gpt-4o-mini").await;
    assert_eq!((reply.status, attempts(&reply)), (200, 2));
    assert_eq!(house.vendors[0].asked(), 1);
    assert!(matches!(house.standing(0, "gpt-4o-mini"), Standing::Ejected(_)));
    house.close().await;
}

/// A bad key is every model's, a missing model its own, and neither is another channel's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_act_at_their_own_scope() {
    for (status, other_model) in [(401, 1), (403, 1), (402, 1), (404, 0)] {
        let house = House::open(&[(0, Mood::Fails(status)), (1, Mood::Answers)]).await;
        let reply = house.ask("gpt-4o-mini").await;
        assert_eq!((reply.status, attempts(&reply)), (200, 2), "{status}");
        house.vendors[0].turn(Mood::Answers);
        for (model, serves) in [("gpt-4o-mini", 1), ("gpt-4o", other_model)] {
            let reply = house.ask(model).await;
            let channel = house.channels[serves].id.to_string();
            assert_eq!((reply.status, attempts(&reply)), (200, 1), "{status} {model}");
            assert_eq!(reply.header("x-lyss-channel"), Some(channel.as_str()), "{status} {model}");
            assert_eq!(house.standing(1, model), Standing::Open, "{status} {model}");
        }
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callers_own_mistakes_touch_no_channel() {
    for status in [400, 409, 413, 422] {
        let house = House::open(&[(0, Mood::Fails(status)), (1, Mood::Answers)]).await;
        for _ in 0..25 {
            let reply = house.ask("gpt-4o-mini").await;
            assert_eq!((reply.status, attempts(&reply)), (status, 1));
        }
        assert_eq!((house.vendors[0].asked(), house.vendors[1].asked()), (25, 0));
        assert_eq!(house.standing(0, "gpt-4o-mini"), Standing::Open);
        house.vendors[0].turn(Mood::Answers);
        assert_eq!(house.ask("gpt-4o-mini").await.status, 200);
        assert_eq!(house.vendors[1].asked(), 0, "it serves as before");
        house.close().await;
    }
}

/// F14: the least bad is asked once, so that callers find out at once when vendors are back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_all_are_ejected_one_is_asked_all_the_same() {
    let house = House::open(&[(0, Mood::Fails(503)), (0, Mood::Fails(503)), (1, Mood::Fails(500))]).await;
    let asked = || house.vendors.iter().map(Switch::asked).sum::<u32>();
    assert_eq!(house.ask("gpt-4o-mini").await.header("x-lyss-panic"), None);
    for _ in 0..10 {
        house.ask("gpt-4o-mini").await;
    }
    asked();
    for channel in 0..3 {
        assert!(matches!(house.standing(channel, "gpt-4o-mini"), Standing::Ejected(_)), "{channel}");
    }
    for _ in 0..10 {
        let reply = house.ask("gpt-4o-mini").await;
        assert!(matches!(reply.status, 500 | 503), "{}", reply.text());
        assert_eq!((attempts(&reply), reply.header("x-lyss-panic")), (1, Some("true")));
    }
    assert_eq!(asked(), 10);
    house.vendors.iter().for_each(|vendor| vendor.turn(Mood::Answers));
    let reply = house.ask("gpt-4o-mini").await;
    assert_eq!((reply.status, attempts(&reply)), (200, 1), "no time has passed: {}", reply.text());
    house.close().await;
}

/// F13: an outage of everything is not made worse by asking again and again: fifty calls a second for ten seconds, and
/// all of twelve channels fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_failures_is_no_storm_of_attempts() {
    const CALLS: u32 = 500;
    let house = House::open(&[(0, Mood::Fails(503)); 12]).await;
    for _ in 0..CALLS {
        house.gateway.clock.advance(Duration::from_millis(20));
        assert_eq!(house.ask("gpt-4o-mini").await.status, 503);
    }
    let asked: u32 = house.vendors.iter().map(Switch::asked).sum();
    // A fifth of the calls; what the reserve held, and what it was given in ten seconds.
    let allowed = CALLS + CALLS / 5 + 10 + 10;
    assert!((CALLS..=allowed).contains(&asked), "{asked} attempts for {CALLS} calls, {allowed} allowed");
    house.close().await;
}

/// All cold: the shortest of the waits is told, nobody is asked, and the first whose time is over serves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_all_cool_the_shortest_wait_is_told_and_kept() {
    let sandbox = lyss_sandbox::start(SandboxConfig::default()).await.unwrap();
    let vendor = sandbox.addr(Vendor::OpenAi).unwrap();
    let (gateway, front) = served(EgressPolicy { allow: vec![AllowedNetwork::exactly(vendor)] }).await;
    for seconds in [7, 3, 5] {
        let mut draft =
            draft(&format!("cools-{seconds}"), "openai", &sandbox.api_base(Vendor::OpenAi).unwrap());
        let asked_as = format!("gpt-4o-mini+status=429+retry_after={seconds}");
        draft.model_mapping = [("gpt-4o-mini".to_owned(), asked_as)].into();
        gateway.office.channel(draft).await;
    }
    let body = bodies::chat("gpt-4o-mini", false);
    let asked = || sandbox.stats(Vendor::OpenAi).requests;
    let steps = [(0, 3, "3"), (0, 3, "3"), (1_000, 3, "2"), (1_999, 3, "1"), (1, 4, "2"), (1_500, 4, "1")];
    for (passed_ms, asked_by_then, wait) in steps {
        gateway.clock.advance(Duration::from_millis(passed_ms));
        let reply = ask(&front, &body).await;
        assert_eq!(reply.status, 429, "{}", reply.text());
        assert_eq!((asked(), reply.header("retry-after")), (asked_by_then, Some(wait)), "{passed_ms}");
    }
    drop(front);
    gateway.close().await;
    sandbox.stop().await;
}

/// F11: a vendor that drops kept connections without a word. Alone, where they had time to die; and in the very moment,
/// where a request may be on its way already, with another channel behind it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_connections_are_no_callers_business() {
    let sandbox = lyss_sandbox::start(SandboxConfig::default()).await.unwrap();
    let vendors = [Vendor::OpenAi, Vendor::DeepSeek];
    let allow = vendors.map(|vendor| AllowedNetwork::exactly(sandbox.addr(vendor).unwrap())).to_vec();
    let (gateway, front) = served(EgressPolicy { allow }).await;
    let mut drops = draft("drops", "openai", &sandbox.api_base(Vendor::OpenAi).unwrap());
    drops.supported_models = vec!["gpt-4o-mini*".to_owned()];
    gateway.office.channel(drops).await;
    for knobs in ["drop_ms=1", "drop_ms=1+rst"] {
        for _ in 0..10 {
            let reply = ask(&front, &bodies::chat(&format!("gpt-4o-mini+{knobs}"), false)).await;
            assert_eq!((reply.status, attempts(&reply)), (200, 1), "{knobs}: {}", reply.text());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let mut behind = draft("behind", "deepseek", &sandbox.api_base(Vendor::DeepSeek).unwrap());
    behind.supported_models = vec!["gpt-4o-mini*".to_owned()];
    behind.model_mapping = ["drop_ms=3", "drop_ms=3+rst"]
        .map(|knobs| (format!("gpt-4o-mini+{knobs}"), "deepseek-chat".to_owned()))
        .into();
    behind.priority = 1;
    gateway.office.channel(behind).await;
    for call in 0..200_u64 {
        let knobs = if call % 2 == 0 { "drop_ms=3" } else { "drop_ms=3+rst" };
        let reply = ask(&front, &bodies::chat(&format!("gpt-4o-mini+{knobs}"), false)).await;
        assert_eq!(reply.status, 200, "{knobs}: {}", reply.text());
        tokio::time::sleep(Duration::from_micros(call % 10 * 700)).await;
    }
    drop(front);
    gateway.close().await;
    sandbox.stop().await;
}

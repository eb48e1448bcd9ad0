//! What is kept of channels' health.

use lyss_domain::{HealthEvent, HealthEventKind, HealthSource, HealthState, Micros};
use lyss_repositories::{
    HealthEventFilter, HealthEventSort, HealthStore, Listing, Page, ProbeTurn, Sort, Store,
};

use super::{begin, commit, with_two_tenants};
use crate::database::TestDatabase;
use crate::samples::*;

/// Tenant 1 with channels 1 and 2, tenant 2 with channel 3.
async fn with_channels(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    for (tenant, number) in [(1, 1), (1, 2), (2, 3)] {
        work.channels().create(&scope(tenant), &channel(tenant, number)).await.unwrap();
    }
    commit(work).await;
}

async fn without_channel(db: &TestDatabase, tenant: u64, number: u64) {
    let mut work = begin(db).await;
    assert!(work.channels().delete(&scope(tenant), channel_id(number)).await.unwrap());
    commit(work).await;
}

async fn states(db: &TestDatabase) -> Vec<HealthState> {
    let mut all = db.store.load_states().await.unwrap();
    all.sort_by_key(|state| (state.channel, state.model.clone()));
    all
}

async fn events_of(db: &TestDatabase, tenant: u64, filter: HealthEventFilter) -> Vec<HealthEvent> {
    let listing = Listing { filter, ..Listing::default() };
    let found = db.store.events(&scope(tenant), &listing).await.unwrap();
    assert_eq!(found.total, found.items.len() as u64);
    found.items
}

pub async fn states_are_kept_whole_and_replaced(db: &TestDatabase) {
    with_channels(db).await;
    let whole = HealthState { model: None, ..health_state(1, 1, 10) };
    let other = HealthState { model: Some("o3".to_owned()), ..health_state(1, 1, 10) };
    let all = [whole.clone(), health_state(1, 1, 10), other.clone(), health_state(2, 3, 10)];
    assert_eq!(db.store.save_states(&[]).await.unwrap(), 0);
    assert_eq!(db.store.save_states(&all).await.unwrap(), 4);
    assert_eq!(states(db).await, all);

    let later = HealthState { state: vec![9], ..health_state(1, 1, 20) };
    assert_eq!(db.store.save_states(std::slice::from_ref(&later)).await.unwrap(), 1);
    assert_eq!(states(db).await, [whole, later, other, health_state(2, 3, 10)]);
}

/// Two replicas write what each of them knows, and the slower one must not undo the other's.
pub async fn states_never_replace_newer_ones(db: &TestDatabase) {
    with_channels(db).await;
    let newer = HealthState { state: vec![2], ..health_state(1, 1, 20) };
    let older = HealthState { state: vec![1], ..health_state(1, 1, 19) };
    db.store.save_states(std::slice::from_ref(&newer)).await.unwrap();
    assert_eq!(db.store.save_states(std::slice::from_ref(&older)).await.unwrap(), 0);
    assert_eq!(states(db).await, std::slice::from_ref(&newer));
    // Nor within one batch.
    let newest = HealthState { state: vec![3], ..health_state(1, 1, 30) };
    db.store.save_states(&[older.clone(), newest.clone(), newer]).await.unwrap();
    assert_eq!(states(db).await, [newest]);
}

pub async fn states_that_nobody_writes_are_forgotten(db: &TestDatabase) {
    with_channels(db).await;
    let kept = health_state(2, 3, 20);
    db.store.save_states(&[health_state(1, 1, 19), health_state(1, 2, 1), kept.clone()]).await.unwrap();
    assert_eq!(db.store.forget_states(at(20)).await.unwrap(), 2);
    assert_eq!(db.store.forget_states(at(20)).await.unwrap(), 0);
    assert_eq!(states(db).await, [kept]);
}

/// A batch of more rows than a statement carries, among them some of a channel that is gone.
pub async fn states_and_events_of_channels_that_are_gone_are_left_out(db: &TestDatabase) {
    with_channels(db).await;
    let of = |tenant, channel, n: u64| HealthState {
        model: Some(format!("model-{n:04}")),
        ..health_state(tenant, channel, 10)
    };
    let mut batch: Vec<_> = (0..1_200).map(|n| of(1, 1 + n % 2, n)).collect();
    batch.push(of(1, 9, 1));
    // Another tenant's channel is none of one's own.
    batch.push(of(2, 1, 1));
    assert_eq!(db.store.save_states(&batch).await.unwrap(), 1_200);

    let mut events: Vec<_> = (0..1_200).map(|n| health_event(1, 1 + n % 2, n)).collect();
    events.push(health_event(1, 9, 5_000));
    events.push(health_event(2, 1, 5_001));
    assert_eq!(db.store.append_events(&events).await.unwrap(), 1_200);

    without_channel(db, 1, 2).await;
    assert_eq!(states(db).await.len(), 600);
    let left = db.store.events(&scope(1), &Listing::default()).await.unwrap();
    assert_eq!((left.total, left.items.len()), (600, 50));
    assert!(left.items.iter().all(|event| event.channel == channel_id(1)));
}

pub async fn events_are_kept_whole_and_there_once(db: &TestDatabase) {
    with_channels(db).await;
    let bare = HealthEvent {
        model: None,
        kind: HealthEventKind::ProbeOk,
        fault: None,
        lasting: None,
        source: HealthSource::Probe,
        latency: None,
        ..health_event(1, 1, 2)
    };
    assert_eq!(db.store.append_events(&[]).await.unwrap(), 0);
    assert_eq!(db.store.append_events(&[bare.clone(), health_event(1, 1, 1)]).await.unwrap(), 2);
    let again = [health_event(1, 1, 3), health_event(1, 1, 1)];
    assert_eq!(db.store.append_events(&again).await.unwrap(), 1);
    let all = [health_event(1, 1, 1), bare, health_event(1, 1, 3)];
    assert_eq!(events_of(db, 1, HealthEventFilter::default()).await, all);
    assert_eq!(events_of(db, 2, HealthEventFilter::default()).await, []);
}

pub async fn events_are_filtered_and_listed_by_time_in_pages(db: &TestDatabase) {
    with_channels(db).await;
    let on_two = health_event(1, 2, 1);
    let probe = HealthEvent { source: HealthSource::Probe, ..health_event(1, 1, 2) };
    let other_model = HealthEvent { model: Some("o3".to_owned()), ..health_event(1, 1, 3) };
    let whole = HealthEvent { model: None, kind: HealthEventKind::Reopened, ..health_event(1, 1, 4) };
    let all = [on_two.clone(), probe.clone(), other_model.clone(), whole.clone()];
    db.store.append_events(&all).await.unwrap();
    db.store.append_events(&[health_event(2, 3, 1)]).await.unwrap();

    let any = HealthEventFilter::default;
    let found = async |filter| events_of(db, 1, filter).await;
    let of = |number| HealthEventFilter { channel: Some(channel_id(number)), ..any() };
    assert_eq!(found(of(1)).await, all[1..]);
    assert_eq!(found(of(2)).await, std::slice::from_ref(&on_two));
    assert_eq!(found(of(3)).await, [], "another tenant's");
    let model = |name: &str| HealthEventFilter { model: Some(name.to_owned()), ..of(1) };
    assert_eq!(found(model("o3")).await, [other_model]);
    assert_eq!(found(model("o3\0")).await, []);
    assert_eq!(found(HealthEventFilter { kind: Some(HealthEventKind::Reopened), ..any() }).await, [whole]);
    assert_eq!(found(HealthEventFilter { source: Some(HealthSource::Probe), ..any() }).await, [probe]);
    let between = HealthEventFilter { from: Some(at(2)), until: Some(at(4)), ..any() };
    assert_eq!(found(between).await, all[1..3]);

    let newest = Listing {
        filter: any(),
        sort: Sort { by: HealthEventSort::At, descending: true },
        page: Page { number: 2, size: 3 },
    };
    let page = db.store.events(&scope(1), &newest).await.unwrap();
    assert_eq!((page.total, page.items), (4, vec![on_two]));
}

pub async fn events_are_forgotten_in_slices(db: &TestDatabase) {
    with_channels(db).await;
    let mut events: Vec<_> = (0..9).map(|n| health_event(1, 1, n)).collect();
    events.push(health_event(2, 3, 9));
    assert_eq!(db.store.append_events(&events).await.unwrap(), 10);
    assert_eq!(db.store.forget_before(at(5), 3).await.unwrap(), 3);
    let left: Vec<_> = events_of(db, 1, HealthEventFilter::default()).await;
    assert_eq!(left, events[3..9], "the oldest go first");
    assert_eq!(db.store.forget_before(at(5), 3).await.unwrap(), 2);
    assert_eq!(db.store.forget_before(at(5), 3).await.unwrap(), 0);
    assert_eq!(db.store.forget_before(at(100), 99).await.unwrap(), 5, "whoever's they are");
}

pub async fn turns_go_to_exactly_one_of_all_who_ask(db: &TestDatabase) {
    with_channels(db).await;
    let turn = |tenant, number, next| ProbeTurn {
        tenant: tenant_id(tenant),
        channel: channel_id(number),
        next_at: at(next),
    };
    let all =
        |next| [turn(2, 3, next), turn(1, 1, next), turn(1, 2, next), turn(1, 9, next), turn(2, 1, next)];
    let mut replicas = Vec::new();
    for _ in 0..4 {
        replicas.push(db.another().await);
    }
    for (now, next) in [(0, 60), (60, 120), (500, 560)] {
        let ask = async |replica: &lyss_repositories_sql::SqlStore| {
            replica.claim_turns(&all(next), at(now)).await.unwrap()
        };
        let (a, b, c, d) =
            tokio::join!(ask(&replicas[0]), ask(&replicas[1]), ask(&replicas[2]), ask(&replicas[3]));
        let mut won = [a, b, c, d].concat();
        won.sort_unstable();
        assert_eq!(won, [channel_id(1), channel_id(2), channel_id(3)], "at {now}");
        let early = db.store.claim_turns(&all(next + 1), at(next - 1)).await.unwrap();
        assert_eq!(early, [], "before {next}");
    }
    for replica in replicas {
        replica.close().await.unwrap();
    }
    assert_eq!(db.store.claim_turns(&[], at(600)).await.unwrap(), []);
    without_channel(db, 1, 1).await;
    assert_eq!(db.store.claim_turns(&[turn(1, 1, 900)], at(800)).await.unwrap(), []);
}

pub async fn probes_never_cost_more_than_a_days_budget(db: &TestDatabase) {
    const DAY: u64 = 24 * 60 * 60;
    with_channels(db).await;
    let spend = async |tenant, second, cost, budget| {
        let (cost, budget) = (Micros(cost), Micros(budget));
        db.store.spend_probe(tenant_id(tenant), at(second), cost, budget).await.unwrap()
    };
    let ask = || spend(1, 10, 30, 100);
    let (a, b, c, d, e) = tokio::join!(ask(), ask(), ask(), ask(), ask());
    assert_eq!([a, b, c, d, e].into_iter().filter(|granted| *granted).count(), 3);
    assert!(!spend(1, 11, 11, 100).await);
    assert!(spend(1, 11, 10, 100).await);
    assert!(!spend(1, DAY - 1, 1, 100).await, "the same day");
    assert!(spend(1, DAY, 100, 100).await, "the next day");
    assert!(spend(2, 11, 100, 100).await, "another tenant");
    for (cost, budget) in [(101, 100), (1, 0), (-1, 100), (i64::MAX, 100)] {
        assert!(!spend(2, 2 * DAY, cost, budget).await, "{cost} of {budget}");
    }
    assert!(!spend(9, 11, 1, 100).await, "nobody has no budget");

    db.store.forget_before(at(DAY), 10).await.unwrap();
    assert!(spend(1, 11, 100, 100).await, "budgets of earlier days are forgotten");
    assert!(!spend(1, DAY, 1, 100).await, "today's is not");
}

pub async fn goes_with_its_tenant(db: &TestDatabase) {
    with_channels(db).await;
    db.store.save_states(&[health_state(1, 1, 1), health_state(2, 3, 1)]).await.unwrap();
    db.store.append_events(&[health_event(1, 1, 1), health_event(2, 3, 1)]).await.unwrap();
    let mut work = db.store.begin().await.unwrap();
    work.tenants().delete(tenant_id(1)).await.unwrap();
    work.commit(None).await.unwrap();
    assert_eq!(states(db).await, [health_state(2, 3, 1)]);
    assert_eq!(events_of(db, 1, HealthEventFilter::default()).await, []);
    assert_eq!(events_of(db, 2, HealthEventFilter::default()).await, [health_event(2, 3, 1)]);
}

use futures_util::FutureExt;
use lyss_domain::{PolicyId, Timestamp, WindowStart};

use super::*;
use crate::Unit;

const AT: Timestamp = Timestamp::from_millis(0);

fn account() -> Account {
    let policy = PolicyId::from_parts(1, &[1; 10]);
    Account { policy, start: WindowStart(AT), unit: Unit::Tokens }
}

fn lease(store: &MemoryLeaseStore, limit: i64, least: i64) -> LeaseGrant {
    store.lease(account(), limit, least, i64::MAX, AT, AT).now_or_never().unwrap().unwrap()
}

#[test]
fn never_grants_beyond_the_limit_and_counts_what_was_seeded() {
    let store = MemoryLeaseStore::new();
    store.seed(account(), 40);
    assert_eq!(lease(&store, 100, 50), LeaseGrant::Granted { units: 50, posted: 40 });
    assert_eq!(lease(&store, 100, 11), LeaseGrant::Refused { remaining: 10, posted: 40 });
    assert_eq!(lease(&store, 100, 10), LeaseGrant::Granted { units: 10, posted: 40 });
    // A limit lowered below what is used: nothing but the empty lease, which only asks.
    assert_eq!(lease(&store, 30, 1), LeaseGrant::Refused { remaining: 0, posted: 40 });
    assert_eq!(lease(&store, 30, 0), LeaseGrant::Granted { units: 0, posted: 40 });
}

#[test]
fn absurd_figures_move_nothing_the_wrong_way() {
    let store = MemoryLeaseStore::new();
    assert!(matches!(lease(&store, i64::MAX, -5), LeaseGrant::Refused { .. }));
    assert!(matches!(lease(&store, i64::MIN, 5), LeaseGrant::Refused { remaining: 0, .. }));
    assert_eq!(lease(&store, i64::MAX, i64::MAX), LeaseGrant::Granted { units: i64::MAX, posted: 0 });
    assert!(matches!(lease(&store, i64::MAX, 1), LeaseGrant::Refused { .. }));
    for (spent, from_lease) in [(i64::MAX, -1), (i64::MAX, i64::MAX), (-7, -7)] {
        store.post(account(), spent, from_lease, AT).now_or_never().unwrap().unwrap();
    }
    assert_eq!(store.standing(&account()), Some((i64::MAX, 0)));
}

#[test]
fn ended_windows_are_swept_seeded_ones_too() {
    let store = MemoryLeaseStore::new();
    lease(&store, 10, 0);
    let seeded = Account { unit: Unit::Requests, ..account() };
    store.seed(seeded, 5);
    store.sweep(AT.after(Duration::from_hours(1)));
    assert_eq!((store.standing(&account()), store.standing(&seeded)), (None, Some((5, 0))));
    lease(&store, 10, 1);
    store.sweep(AT.after(Duration::from_hours(1)));
    assert_eq!(store.standing(&account()), Some((0, 1)), "something is still leased");
    store.sweep(AT.after(Duration::from_hours(24 * 40)));
    assert_eq!(store.standing(&account()), None);
    assert_eq!(store.standing(&seeded), None);
}

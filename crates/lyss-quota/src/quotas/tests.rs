use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use async_trait::async_trait;
use futures_util::FutureExt;
use lyss_domain::{PolicyId, WindowStart};
use smallvec::smallvec;

use super::*;
use crate::{MemoryLeaseStore, Settled, Spend, Unit};

mod model;
mod races;

const AT: Timestamp = Timestamp::from_millis(1_000_000);

fn account(policy: u8, unit: Unit) -> Account {
    Account { policy: PolicyId::from_parts(1, &[policy; 10]), start: WindowStart(AT), unit }
}

fn demand(policy: u8, limit: i64, amount: i64) -> Demand {
    let account = account(policy, Unit::Tokens);
    Demand { account, limit, ends_at: AT.after(Duration::from_secs(60)), amount, mode: PolicyMode::Enforce }
}

fn shadow(policy: u8, limit: i64, amount: i64) -> Demand {
    Demand { mode: PolicyMode::Shadow, ..demand(policy, limit, amount) }
}

fn tokens(tokens: i64) -> Spend {
    Spend { tokens, ..Spend::default() }
}

fn engine() -> (Arc<MemoryLeaseStore>, Arc<Quotas>) {
    let store = Arc::new(MemoryLeaseStore::new());
    (store.clone(), Arc::new(Quotas::new(store)))
}

/// With the store in memory nothing ever waits in one thread.
fn reserve(quotas: &Quotas, demands: &[Demand]) -> Result<Reservation, QuotaRefusal> {
    quotas.reserve(demands.into(), AT).now_or_never().unwrap()
}

fn figures(quotas: &Quotas, policy: u8) -> (i64, i64) {
    let figures = quotas.figures(&account(policy, Unit::Tokens)).unwrap();
    (figures.posted, figures.reserved)
}

fn remaining_of(refusal: Result<Reservation, QuotaRefusal>) -> i64 {
    match refusal {
        Err(QuotaRefusal::Exceeded { remaining, .. }) => remaining,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reservation_that_was_not_sent_is_released() {
    let (_, quotas) = engine();
    let held = reserve(&quotas, &[demand(1, 100, 100)]).unwrap();
    assert_eq!(figures(&quotas, 1), (0, 100));
    assert_eq!(remaining_of(reserve(&quotas, &[demand(1, 100, 1)])), 0);
    drop(held);
    assert_eq!(figures(&quotas, 1), (0, 0));
    drop(reserve(&quotas, &[demand(1, 100, 100)]).unwrap());
}

#[test]
fn what_was_sent_settles_what_was_seen_and_is_never_released() {
    let (_, quotas) = engine();
    let requests = Demand { account: account(1, Unit::Requests), ..demand(1, 10, 1) };
    let all = [demand(1, 100, 60), requests];
    let mut sent = reserve(&quotas, &all).unwrap().dispatch();
    sent.note(Spend { requests: 1, tokens: 12, cost_micros: 7 });
    sent.note(Spend { requests: 1, tokens: 20, cost_micros: 9 });
    drop(sent);
    assert_eq!(figures(&quotas, 1), (20, 0));
    // Nothing noted: the request itself is owed.
    drop(reserve(&quotas, &all).unwrap().dispatch());
    assert_eq!(figures(&quotas, 1), (20, 0));
    let counted = quotas.figures(&requests.account).unwrap();
    assert_eq!((counted.posted, counted.reserved), (2, 0));
    assert_eq!(reserve(&quotas, &all).unwrap().dispatch().settle(tokens(60)), Settled { overrun: false });
    assert_eq!(figures(&quotas, 1), (80, 0));
    assert_eq!(remaining_of(reserve(&quotas, &[demand(1, 100, 21)])), 20);
}

#[test]
fn an_overrun_is_posted_reported_and_shuts_admission() {
    let (store, quotas) = engine();
    let sent = reserve(&quotas, &[demand(1, 100, 50)]).unwrap().dispatch();
    let other = reserve(&quotas, &[demand(1, 100, 40)]).unwrap();
    assert_eq!(sent.settle(tokens(75)), Settled { overrun: true });
    // 75 settled and 40 held of 100: the one legal overshoot.
    assert_eq!(figures(&quotas, 1), (75, 40));
    assert_eq!(remaining_of(reserve(&quotas, &[demand(1, 100, 1)])), 0);
    drop(other);
    // 25 of the released units pay for the overrun.
    assert_eq!(figures(&quotas, 1), (75, 0));
    assert_eq!(remaining_of(reserve(&quotas, &[demand(1, 100, 26)])), 25);
    drop(reserve(&quotas, &[demand(1, 100, 25)]).unwrap());
    quotas.flush(AT).now_or_never().unwrap().unwrap();
    assert_eq!(store.standing(&account(1, Unit::Tokens)).unwrap().0, 75);
}

#[test]
fn an_overrun_is_known_to_the_store_before_it_grants_again() {
    let (store, quotas) = engine();
    let sent = reserve(&quotas, &[demand(1, 100, 10)]).unwrap().dispatch();
    sent.settle(tokens(70));
    let held = reserve(&quotas, &[demand(1, 100, 30)]).unwrap();
    assert_eq!(store.standing(&account(1, Unit::Tokens)).unwrap(), (70, 30));
    drop(held);
}

#[test]
fn all_demands_are_met_or_none() {
    let (_, quotas) = engine();
    let full = reserve(&quotas, &[demand(2, 10, 10)]).unwrap();
    assert_eq!(remaining_of(reserve(&quotas, &[demand(3, 100, 5), demand(2, 10, 1), demand(1, 100, 5)])), 0);
    for policy in [1, 3] {
        assert!(quotas.figures(&account(policy, Unit::Tokens)).is_none_or(|f| f.reserved == 0));
        drop(reserve(&quotas, &[demand(policy, 100, 100)]).unwrap());
    }
    drop(full);
    // The same account twice is one demand of the sum.
    assert_eq!(remaining_of(reserve(&quotas, &[demand(2, 10, 6), demand(2, 10, 5)])), 10);
    let held = reserve(&quotas, &[demand(2, 10, 6), demand(2, 10, 4)]).unwrap();
    assert_eq!(figures(&quotas, 2), (0, 10));
    drop(held);
}

#[test]
fn the_next_window_is_another_account_and_late_work_stays_in_its_own() {
    let (_, quotas) = engine();
    let today = demand(1, 100, 100);
    let mut tomorrow = today;
    tomorrow.account.start = WindowStart(today.ends_at);
    let late = reserve(&quotas, &[today]).unwrap().dispatch();
    let held = reserve(&quotas, &[tomorrow]).unwrap();
    late.settle(tokens(100));
    drop(held);
    assert_eq!(quotas.figures(&tomorrow.account).unwrap(), Figures { posted: 0, reserved: 0 });
    assert_eq!(quotas.figures(&today.account).unwrap(), Figures { posted: 100, reserved: 0 });
}

#[test]
fn shadow_demands_count_and_report_but_never_refuse() {
    let (store, quotas) = engine();
    store.seed(account(1, Unit::Tokens), 95);
    let fits = reserve(&quotas, &[shadow(1, 100, 5)]).unwrap();
    assert_eq!(fits.would_refuse().count(), 0);
    let over = reserve(&quotas, &[shadow(1, 100, 1), demand(2, 10, 1)]).unwrap();
    assert_eq!(over.would_refuse().collect::<Vec<_>>(), [account(1, Unit::Tokens)]);
    assert_eq!(figures(&quotas, 1), (95, 6));
    // What is over a shadow limit is no overrun: nothing was promised.
    assert!(!over.dispatch().settle(tokens(1)).overrun);
    drop(fits);
    assert_eq!(figures(&quotas, 1), (96, 0));
    drop(reserve(&quotas, &[shadow(1, -5, i64::MAX), shadow(1, 0, i64::MIN)]).unwrap());
    // Enforced from now on: what was counted in its shadow counts.
    assert_eq!(remaining_of(reserve(&quotas, &[demand(1, 100, 5)])), 4);
}

#[test]
fn a_lowered_limit_shuts_admission_and_revokes_nothing() {
    let (_, quotas) = engine();
    let held = reserve(&quotas, &[demand(1, 100, 80)]).unwrap();
    // Units leased under the old limit and given back do not slip through under the new one.
    drop(reserve(&quotas, &[demand(1, 100, 20)]).unwrap());
    assert_eq!(remaining_of(reserve(&quotas, &[demand(1, 50, 1)])), 0);
    assert!(!held.dispatch().settle(tokens(80)).overrun);
    assert_eq!(figures(&quotas, 1), (80, 0));
    assert_eq!(remaining_of(reserve(&quotas, &[demand(1, 50, 1)])), 0);
    drop(reserve(&quotas, &[demand(1, 200, 120)]).unwrap());
}

#[test]
fn absurd_amounts_are_refused_and_absurd_spends_are_capped() {
    let (_, quotas) = engine();
    for amount in [-1, i64::MIN, MAX_AMOUNT + 1, i64::MAX] {
        assert!(reserve(&quotas, &[demand(1, i64::MAX, amount)]).is_err(), "{amount}");
    }
    // A negative amount cannot hide behind a positive one on the same account.
    assert!(reserve(&quotas, &[demand(1, 10, 11), demand(1, 10, -5)]).is_err());
    for (spend, posted) in [(-5, 0), (i64::MIN, 0), (i64::MAX, MAX_AMOUNT)] {
        reserve(&quotas, &[demand(1, i64::MAX, 1)]).unwrap().dispatch().settle(tokens(spend));
        assert_eq!(figures(&quotas, 1), (posted, 0));
    }
    // A sum that cannot be counted refuses rather than wraps.
    let (store, quotas) = engine();
    store.seed(account(1, Unit::Tokens), i64::MAX - 1);
    let held = reserve(&quotas, &[demand(1, i64::MAX, 1)]).unwrap();
    assert_eq!(remaining_of(reserve(&quotas, &[demand(1, i64::MAX, 1)])), 0);
    held.dispatch().settle(tokens(5));
    assert_eq!(remaining_of(reserve(&quotas, &[demand(1, i64::MAX, 1)])), 0);
    assert_eq!(figures(&quotas, 1).0, i64::MAX);
}

#[test]
fn the_tightest_account_is_the_one_with_the_smallest_part_left() {
    let (store, quotas) = engine();
    store.seed(account(1, Unit::Tokens), 100);
    assert_eq!(reserve(&quotas, &[shadow(3, 1, 1)]).unwrap().tightest(), None);
    let held = reserve(&quotas, &[demand(1, 1_000, 100), demand(2, 20, 5), shadow(3, 1, 1)]).unwrap();
    let left = held.tightest().unwrap();
    assert_eq!((left.account, left.limit, left.remaining), (account(2, Unit::Tokens), 20, 15));
    assert_eq!(left.resets_at, demand(1, 0, 0).ends_at);
    drop(held);
}

#[test]
fn only_finished_accounts_are_swept() {
    let (store, quotas) = engine();
    let hours = |h| AT.after(Duration::from_hours(h));
    let held = reserve(&quotas, &[demand(1, 100, 10)]).unwrap().dispatch();
    reserve(&quotas, &[demand(2, 100, 10)]).unwrap().dispatch().settle(tokens(4));
    drop(reserve(&quotas, &[demand(3, 100, 10)]).unwrap());
    let known = |policy| quotas.figures(&account(policy, Unit::Tokens)).is_some();
    quotas.sweep(hours(1));
    assert!(known(1) && known(2) && known(3), "within the grace");
    quotas.sweep(hours(2));
    assert!(known(1) && known(2) && !known(3), "one holds, one is not posted yet");
    held.settle(tokens(10));
    quotas.flush(hours(2)).now_or_never().unwrap().unwrap();
    quotas.sweep(hours(2));
    assert!(!known(1) && !known(2));
    assert_eq!(store.standing(&account(1, Unit::Tokens)), None);
}

/// A store that can be away.
#[derive(Default)]
struct Moody {
    inner: MemoryLeaseStore,
    away: AtomicBool,
}

impl Moody {
    fn ask(&self) -> Result<(), LeaseError> {
        if self.away.load(Ordering::SeqCst) { Err(LeaseError::Unavailable("away".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl LeaseStore for Moody {
    async fn lease(
        &self,
        account: Account,
        limit: i64,
        least: i64,
        want: i64,
        ends_at: Timestamp,
        now: Timestamp,
    ) -> Result<LeaseGrant, LeaseError> {
        self.ask()?;
        self.inner.lease(account, limit, least, want, ends_at, now).await
    }

    async fn post(
        &self,
        account: Account,
        spent: i64,
        from_lease: i64,
        now: Timestamp,
    ) -> Result<i64, LeaseError> {
        self.ask()?;
        self.inner.post(account, spent, from_lease, now).await
    }

    async fn return_unused(&self, account: Account, units: i64, now: Timestamp) -> Result<(), LeaseError> {
        self.ask()?;
        self.inner.return_unused(account, units, now).await
    }

    fn sweep(&self, ended_before: Timestamp) {
        self.inner.sweep(ended_before);
    }
}

#[test]
fn with_the_store_away_enforced_demands_wait_shadow_ones_pass_and_nothing_settled_is_lost() {
    let store = Arc::new(Moody::default());
    let quotas = Quotas::new(store.clone());
    let sent = reserve(&quotas, &[demand(1, 100, 50)]).unwrap().dispatch();
    drop(reserve(&quotas, &[demand(2, 100, 30)]).unwrap());
    store.away.store(true, Ordering::SeqCst);
    assert_eq!(reserve(&quotas, &[demand(1, 100, 1)]).unwrap_err(), QuotaRefusal::Unavailable);
    drop(reserve(&quotas, &[shadow(3, 100, 5)]).unwrap());
    // Units already leased need no store.
    drop(reserve(&quotas, &[demand(2, 100, 30)]).unwrap());
    sent.settle(tokens(70));
    assert!(quotas.flush(AT).now_or_never().unwrap().is_err());
    assert_eq!(figures(&quotas, 1), (70, 0));
    store.away.store(false, Ordering::SeqCst);
    quotas.flush(AT).now_or_never().unwrap().unwrap();
    assert_eq!(store.inner.standing(&account(1, Unit::Tokens)), Some((70, 0)));
    assert_eq!(remaining_of(reserve(&quotas, &[demand(1, 100, 31)])), 30);
}

/// A caller awaits a reservation on a runtime of threads and settles it on another task.
#[test]
fn reservations_travel_between_threads() {
    fn travels<T: Send>(value: T) -> T {
        value
    }
    let (_, quotas) = engine();
    let held = travels(quotas.reserve(smallvec![demand(1, 10, 1)], AT)).now_or_never().unwrap().unwrap();
    let sent = travels(travels(held).dispatch());
    drop(sent);
    drop(travels(quotas.flush(AT)));
}

//! Many callers at once: real threads, and a scheduler that interleaves tasks by a seed.

use super::*;

/// Runs a future on this thread, which sleeps until it is woken.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// Asks others to run first, once.
async fn pause() {
    let mut paused = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The store in memory behind a wire: every answer takes a while to be asked for and to arrive, and every grant is
/// checked against the limit.
#[derive(Default)]
struct Distant {
    inner: MemoryLeaseStore,
}

#[async_trait]
impl LeaseStore for Distant {
    async fn lease(
        &self,
        account: Account,
        limit: i64,
        least: i64,
        want: i64,
        ends_at: Timestamp,
        now: Timestamp,
    ) -> Result<LeaseGrant, LeaseError> {
        pause().await;
        let grant = self.inner.lease(account, limit, least, want, ends_at, now).await;
        if let Ok(LeaseGrant::Granted { .. }) = grant {
            let (posted, leased) = self.inner.standing(&account).unwrap();
            assert!(least == 0 || posted + leased <= limit, "{posted} + {leased} > {limit}");
        }
        pause().await;
        grant
    }

    async fn post(
        &self,
        account: Account,
        spent: i64,
        from_lease: i64,
        now: Timestamp,
    ) -> Result<i64, LeaseError> {
        pause().await;
        let posted = self.inner.post(account, spent, from_lease, now).await;
        pause().await;
        posted
    }

    async fn return_unused(&self, account: Account, units: i64, now: Timestamp) -> Result<(), LeaseError> {
        pause().await;
        self.inner.return_unused(account, units, now).await
    }

    fn sweep(&self, ended_before: Timestamp) {
        self.inner.sweep(ended_before);
    }
}

fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// Polls the tasks in an order the seed decides until all have ended.
fn interleave<T>(mut seed: u64, mut tasks: Vec<Pin<Box<dyn Future<Output = T> + '_>>>) -> Vec<T> {
    let mut context = Context::from_waker(Waker::noop());
    let mut done = Vec::new();
    while !tasks.is_empty() {
        let index = usize::try_from(next(&mut seed)).unwrap() % tasks.len();
        if let Poll::Ready(value) = tasks[index].as_mut().poll(&mut context) {
            done.push(value);
            drop(tasks.swap_remove(index));
        }
    }
    done
}

#[test]
fn of_a_thousand_at_once_exactly_as_many_are_admitted_as_fit() {
    for seed in 0..30 {
        let quotas = Quotas::new(Arc::new(Distant::default()));
        let call = || async { quotas.reserve(smallvec![demand(1, 100, 1)], AT).await.ok() };
        let held = interleave(seed, (0..1_000).map(|_| Box::pin(call()) as _).collect());
        assert_eq!(held.iter().flatten().count(), 100, "seed {seed}");
    }
}

#[test]
fn nobody_is_refused_for_a_call_that_is_refused_itself() {
    for seed in 0..500 {
        let store = Arc::new(Distant::default());
        store.inner.seed(account(2, Unit::Tokens), 10);
        let quotas = Quotas::new(store);
        // Half the calls also want an account that is used up, so they must leave the shared one alone.
        let call = |i: usize| {
            let quotas = &quotas;
            async move {
                let mut demands: SmallVec<[Demand; 8]> = smallvec![demand(1, 20, 1)];
                if i.is_multiple_of(2) {
                    demands.push(demand(2, 10, 1));
                }
                quotas.reserve(demands, AT).await.ok()
            }
        };
        let held = interleave(seed, (0..40).map(|i| Box::pin(call(i)) as _).collect());
        assert_eq!(held.iter().flatten().count(), 20, "seed {seed}");
    }
}

#[test]
fn dropped_calls_leave_the_turn_to_others() {
    for seed in 0..200 {
        let quotas = Quotas::new(Arc::new(Distant::default()));
        let mut context = Context::from_waker(Waker::noop());
        // The first is given up while it talks to the store, before the grant or after.
        let mut first = Box::pin(quotas.reserve(smallvec![demand(1, 100, 1)], AT));
        for _ in 0..seed % 3 {
            assert!(first.as_mut().poll(&mut context).is_pending());
        }
        drop(first);
        let call = || async { quotas.reserve(smallvec![demand(1, 100, 1)], AT).await.ok() };
        let held = interleave(seed, (0..50).map(|_| Box::pin(call()) as _).collect());
        assert_eq!(held.iter().flatten().count(), 50, "seed {seed}");
    }
}

const LIMITS: [i64; 3] = [1_000, 700, 1_500];

/// Reserves, drops, settles and posts at random; `used` is what callers hold or have used, counted by them.
fn trade(quotas: &Quotas, used: &[AtomicI64; 3], mut seed: u64) {
    for _ in 0..200 {
        let bits = next(&mut seed);
        let amount = 1 + i64::try_from(bits % 40).unwrap();
        let wanted: Vec<usize> = (0..3).filter(|i| bits >> (8 + i) & 1 == 1).collect();
        let demands = wanted.iter().map(|i| demand(u8::try_from(*i).unwrap(), LIMITS[*i], amount)).collect();
        let Ok(held) = block_on(quotas.reserve(demands, AT)) else { continue };
        for i in &wanted {
            let now = used[*i].fetch_add(amount, Ordering::SeqCst) + amount;
            assert!(now <= LIMITS[*i], "{now} > {}", LIMITS[*i]);
        }
        std::thread::yield_now();
        // Our own count goes down before the engine's, so it is never above.
        let actual = if bits >> 12 & 7 == 0 { amount / 2 } else { 0 };
        for i in &wanted {
            used[*i].fetch_sub(amount - actual, Ordering::SeqCst);
        }
        if actual > 0 {
            held.dispatch().settle(tokens(actual));
        } else {
            drop(held);
        }
        if bits >> 15 & 15 == 0 {
            block_on(quotas.flush(AT)).unwrap();
        }
    }
}

#[test]
fn sixty_four_threads_never_hold_more_than_the_limits() {
    let store = Arc::new(Distant::default());
    let quotas = Quotas::new(store.clone());
    let used: [AtomicI64; 3] = Default::default();
    std::thread::scope(|scope| {
        for thread in 0..64 {
            let (quotas, used) = (&quotas, &used);
            scope.spawn(move || trade(quotas, used, thread));
        }
    });
    block_on(quotas.flush(AT)).unwrap();
    for (i, limit) in LIMITS.into_iter().enumerate() {
        let policy = u8::try_from(i).unwrap();
        let (posted, reserved) = figures(&quotas, policy);
        assert_eq!((posted, reserved), (used[i].load(Ordering::SeqCst), 0));
        assert_eq!(store.inner.standing(&account(policy, Unit::Tokens)).unwrap().0, posted);
        // Nothing is stranded: all that is left can still be had, to the unit.
        assert!(posted > 0 && posted <= limit);
        let rest = block_on(quotas.reserve(smallvec![demand(policy, limit, limit - posted)], AT)).unwrap();
        assert!(block_on(quotas.reserve(smallvec![demand(policy, limit, 1)], AT)).is_err());
        drop(rest);
    }
}

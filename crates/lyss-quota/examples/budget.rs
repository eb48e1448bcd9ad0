//! A budget of 1,000 tokens and a window of 3 requests a minute: `cargo run -p lyss-quota --example budget`.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use lyss_domain::{KeyId, PolicyId, PolicyMode, Tick, Timestamp, WindowStart};
use lyss_quota::{
    Account, Demand, MemoryLeaseStore, MemoryRateStore, Quotas, RateAsk, RateStore, RateSubject, RateUnit,
    Spend, Unit,
};

fn main() {
    let now = Timestamp::from_millis(0);
    let store = Arc::new(MemoryLeaseStore::new());
    let quotas = Quotas::new(store.clone());
    let account =
        Account { policy: PolicyId::from_parts(1, &[7; 10]), start: WindowStart(now), unit: Unit::Tokens };
    let demand = |amount| Demand {
        account,
        limit: 1_000,
        ends_at: now.after(Duration::from_hours(24)),
        amount,
        mode: PolicyMode::Enforce,
    };
    // With the store in memory, nothing below ever waits.
    let reserve = |amount| quotas.reserve([demand(amount)].into_iter().collect(), now).now_or_never();

    println!("earlier runs used 100 of 1,000 tokens");
    store.seed(account, 100);
    if let Some(Ok(held)) = reserve(600) {
        println!("600 held: {:?}", held.tightest());
        println!("400 more: {:?}", reserve(400));
        let mut sent = held.dispatch();
        sent.note(Spend { requests: 1, tokens: 80, cost_micros: 0 });
        println!("sent, 80 seen: {:?}", quotas.figures(&account));
        println!("settled at 250: {:?}", sent.settle(Spend { requests: 1, tokens: 250, cost_micros: 0 }));
    }
    println!("now: {:?}", quotas.figures(&account));
    println!(
        "400 more: {}",
        if matches!(reserve(400), Some(Ok(_))) { "held, and released" } else { "refused" }
    );

    let rates = MemoryRateStore::new();
    let ask = RateAsk {
        subject: RateSubject::Key(KeyId::from_parts(1, &[1; 10])),
        unit: RateUnit::Requests,
        limit_per_minute: 3,
        cost: 1,
    };
    for second in [0, 1, 2, 3, 21] {
        let verdict = rates.take(&[ask], Tick(second * 1_000_000_000)).now_or_never();
        println!("second {second}: {verdict:?}");
    }
}

//! A thousand usage records through the journal into a store that is away at first:
//! `cargo run -p lyss-ledger --example ledger -- FOLDER`. Kill it while it waits and start it again: nothing is lost.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use lyss_domain::{
    AttemptId, AttemptRecord, CallId, ChannelId, KeyId, Micros, Operation, Strategy, TenantId, TenantScope,
    Terminal, Timestamp, TokenUsage, UsageSource,
};
use lyss_ledger::LedgerSettings;
use lyss_repositories::{Arrival, AttemptStore, ChannelFigures, SeriesPoint, StoreError, UsageTotal};

/// Refuses the first writes, then keeps what it is given.
#[derive(Default)]
struct Shelf {
    refusals: Mutex<u32>,
    rows: Mutex<BTreeMap<AttemptId, AttemptRecord>>,
}

#[async_trait]
impl AttemptStore for Shelf {
    async fn write(&self, records: &[AttemptRecord]) -> Result<u64, StoreError> {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        if *refusals < 5 {
            *refusals += 1;
            return Err(StoreError::Unavailable("still asleep".into()));
        }
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.extend(records.iter().map(|record| (record.id, record.clone())));
        Ok(u64::try_from(records.len()).unwrap_or(u64::MAX))
    }

    async fn get(&self, _: &TenantScope, id: AttemptId) -> Result<Option<AttemptRecord>, StoreError> {
        Ok(self.rows.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned())
    }

    async fn of_call(&self, _: &TenantScope, _: CallId) -> Result<Vec<AttemptRecord>, StoreError> {
        Ok(vec![])
    }

    async fn recent(&self, _: &TenantScope, _: u32) -> Result<Vec<AttemptRecord>, StoreError> {
        Ok(vec![])
    }

    async fn count(&self, _: &TenantScope) -> Result<u64, StoreError> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner).len();
        Ok(u64::try_from(rows).unwrap_or(u64::MAX))
    }

    async fn totals(&self, _: &TenantScope, _: Timestamp) -> Result<Vec<UsageTotal>, StoreError> {
        Ok(vec![])
    }

    async fn channel_series(
        &self,
        _: &TenantScope,
        _: ChannelId,
        _: Timestamp,
        _: Duration,
    ) -> Result<Vec<SeriesPoint>, StoreError> {
        Ok(vec![])
    }

    async fn traffic(&self, _: &TenantScope, _: Timestamp, _: u32) -> Result<Vec<Arrival>, StoreError> {
        Ok(vec![])
    }

    async fn figures(&self, _: &TenantScope, _: Timestamp) -> Result<Vec<ChannelFigures>, StoreError> {
        Ok(vec![])
    }
}

fn record(n: u64) -> Result<AttemptRecord, Box<dyn std::error::Error>> {
    let random = [n.to_be_bytes().as_slice(), &[0; 2]].concat().try_into().map_err(|_| "not ten bytes")?;
    Ok(AttemptRecord {
        id: AttemptId::from_parts(n, &random),
        call: CallId::from_parts(n, &random),
        ordinal: 0,
        tenant: TenantId::from_parts(1, &[1; 10]),
        key: KeyId::from_parts(1, &[2; 10]),
        channel: ChannelId::from_parts(1, &[3; 10]),
        provider: "openai".parse()?,
        model_asked: "a-model".into(),
        model_served: "a-model-of-may".into(),
        strategy: Strategy::RoundRobin,
        stream: true,
        terminal: Terminal::Complete,
        fault: None,
        status: Some(200),
        usage: TokenUsage { input: 100, output: n, ..TokenUsage::default() },
        usage_source: UsageSource::Provider,
        cost: Micros(42),
        price: None,
        started_at: Timestamp::from_millis(1_700_000_000_000),
        ttft_us: Some(150_000),
        total_us: 2_000_000,
        operation: Operation::Chat,
        losses: Vec::new(),
        decision: None,
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder: PathBuf = std::env::args_os().nth(1).ok_or("name a folder for the journal")?.into();
    let shelf = Arc::new(Shelf::default());
    let (ledger, task) = lyss_ledger::open(LedgerSettings::in_folder(folder), shelf.clone()).await?;
    println!("opened:  {:?}", ledger.figures());
    let running = tokio::spawn(task.run());
    for n in 0..1_000 {
        ledger.try_slot().ok_or("saturated")?.record(record(n)?);
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    println!("waiting: {:?}", ledger.figures());
    println!("drained: {}", ledger.drain().await);
    println!("stored:  {:?}", ledger.figures());
    drop(ledger);
    running.await?;
    Ok(())
}

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use lyss_domain::{
    AttemptId, AttemptRecord, CallId, ChannelId, KeyId, Micros, Operation, Strategy, TenantId, TenantScope,
    Terminal, Timestamp, TokenUsage, UsageSource,
};
use lyss_repositories::{Arrival, ChannelFigures, SeriesPoint, StoreError, UsageTotal};
use tempfile::TempDir;
use tokio::sync::watch;

use super::*;
use crate::writer::Pace;

mod outage;
mod restart;

/// A generous ceiling for anything waited for.
const CEILING: Duration = Duration::from_secs(60);

pub(crate) fn record(n: u64) -> AttemptRecord {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&n.to_be_bytes());
    AttemptRecord {
        id: AttemptId::from_parts(n, &random),
        call: CallId::from_parts(n, &random),
        ordinal: 0,
        tenant: TenantId::from_parts(1, &[1; 10]),
        key: KeyId::from_parts(1, &[2; 10]),
        channel: ChannelId::from_parts(1, &[3; 10]),
        provider: "openai".parse().unwrap(),
        model_asked: "gpt-4o-mini".into(),
        model_served: "gpt-4o-mini-2024-07-18".into(),
        strategy: Strategy::WeightedRandom,
        stream: true,
        terminal: Terminal::Complete,
        fault: None,
        status: Some(200),
        usage: TokenUsage { input: n, output: 1, ..TokenUsage::default() },
        usage_source: UsageSource::Provider,
        cost: Micros(12),
        price: None,
        started_at: Timestamp::from_millis(1_700_000_000_000),
        ttft_us: Some(120_000),
        total_us: 900_000,
        operation: Operation::Chat,
        losses: Vec::new(),
        decision: None,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Well,
    Away,
    Hanging,
}

/// A store in memory, with moods, and records it will never take.
struct Double {
    rows: Mutex<BTreeMap<AttemptId, AttemptRecord>>,
    mood: watch::Sender<Mood>,
    /// Token counts of records that are refused as corrupt.
    poison: Vec<u64>,
    writes: AtomicUsize,
    asked: watch::Sender<usize>,
}

impl Double {
    fn new(mood: Mood) -> Arc<Self> {
        Self::poisoned(mood, vec![])
    }

    fn poisoned(mood: Mood, poison: Vec<u64>) -> Arc<Self> {
        Arc::new(Self {
            rows: Mutex::default(),
            mood: watch::Sender::new(mood),
            poison,
            writes: AtomicUsize::new(0),
            asked: watch::Sender::new(0),
        })
    }

    fn turn(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// Waits until that many writes were tried.
    async fn asked(&self, times: usize) {
        let mut asked = self.asked.subscribe();
        tokio::time::timeout(CEILING, asked.wait_for(|n| *n >= times)).await.unwrap().unwrap();
    }

    fn inputs(&self) -> Vec<u64> {
        self.rows.lock().unwrap().values().map(|row| row.usage.input).collect()
    }

    fn rows(&self) -> usize {
        self.rows.lock().unwrap().len()
    }
}

#[async_trait]
impl AttemptStore for Double {
    async fn write(&self, records: &[AttemptRecord]) -> Result<u64, StoreError> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        self.asked.send_modify(|n| *n += 1);
        let mut mood = self.mood.subscribe();
        let mood = *mood.wait_for(|mood| *mood != Mood::Hanging).await.unwrap();
        if mood == Mood::Away {
            return Err(StoreError::Unavailable("gone".into()));
        }
        if records.iter().any(|record| self.poison.contains(&record.usage.input)) {
            return Err(StoreError::Corrupt("poison"));
        }
        let mut rows = self.rows.lock().unwrap();
        let before = rows.len();
        for record in records {
            rows.entry(record.id).or_insert_with(|| record.clone());
        }
        Ok((rows.len() - before) as u64)
    }

    async fn get(&self, _: &TenantScope, id: AttemptId) -> Result<Option<AttemptRecord>, StoreError> {
        Ok(self.rows.lock().unwrap().get(&id).cloned())
    }

    async fn of_call(&self, _: &TenantScope, _: CallId) -> Result<Vec<AttemptRecord>, StoreError> {
        Ok(vec![])
    }

    async fn recent(&self, _: &TenantScope, _: u32) -> Result<Vec<AttemptRecord>, StoreError> {
        Ok(self.rows.lock().unwrap().values().rev().cloned().collect())
    }

    async fn count(&self, _: &TenantScope) -> Result<u64, StoreError> {
        Ok(self.rows() as u64)
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

fn unobserved() -> Observe {
    Arc::new(|_| {})
}

fn settings(folder: &Path) -> LedgerSettings {
    LedgerSettings { linger: Duration::from_millis(1), batch: 16, ..LedgerSettings::in_folder(folder) }
}

fn quick() -> Pace {
    let ms = Duration::from_millis;
    Pace { patience: ms(50), pause: ms(1), pause_max: ms(5), last_tries: 2 }
}

async fn open_quick(folder: &Path, store: &Arc<Double>) -> (Ledger, LedgerTask) {
    writer::open(settings(folder), store.clone(), unobserved(), quick()).await.unwrap()
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(CEILING, work).await.expect("took too long")
}

/// Waits until the journal holds that many records of this run.
async fn journalled(ledger: &Ledger, count: u64) {
    within(async {
        while ledger.figures().journalled < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

fn record_all(ledger: &Ledger, numbers: std::ops::Range<u64>) {
    numbers.for_each(|n| ledger.try_slot().unwrap().record(record(n)));
}

/// The journal's files apart from the lock.
fn files(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder.join("journal")).unwrap().map(|file| file.unwrap().file_name());
    let mut names: Vec<String> =
        names.map(|name| name.into_string().unwrap()).filter(|name| name != "lock").collect();
    names.sort();
    names
}

#[tokio::test]
async fn records_are_written_once_and_nothing_is_left_on_disk() {
    let (folder, store) = (TempDir::new().unwrap(), Double::new(Mood::Well));
    let (ledger, task) = open_quick(folder.path(), &store).await;
    let running = tokio::spawn(task.run());
    record_all(&ledger, 0..100);
    assert!(within(ledger.drain()).await);
    assert_eq!(store.inputs(), (0..100).collect::<Vec<_>>());
    let figures = ledger.figures();
    assert_eq!((figures.journalled, figures.written, figures.pending), (100, 100, 0));
    assert!(figures.journal_bytes > 0);
    drop(ledger);
    within(running).await.unwrap();
    assert_eq!(files(folder.path()), [""; 0]);
}

#[tokio::test]
async fn every_record_of_this_run_is_shown_once_and_an_inherited_one_never() {
    let (folder, store) = (TempDir::new().unwrap(), Double::new(Mood::Away));
    let mut shown = Vec::new();
    for run in [0..50, 50..80] {
        let (told, seen) = std::sync::mpsc::channel();
        let observe: Observe = Arc::new(move |record| told.send(record.usage.input).unwrap());
        let opened = writer::open(settings(folder.path()), store.clone(), observe, quick()).await;
        let (ledger, task) = opened.unwrap();
        record_all(&ledger, run.clone());
        journalled(&ledger, run.end - run.start).await;
        drop((ledger, task));
        // The journal's thread ends with its last listener, and with it the sender.
        shown.extend(seen.iter());
    }
    assert_eq!(shown, (0..80).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_batch_that_is_not_full_does_not_wait_for_ever_and_a_full_one_is_one_write() {
    let (folder, store) = (TempDir::new().unwrap(), Double::new(Mood::Away));
    let (ledger, task) = open_quick(folder.path(), &store).await;
    record_all(&ledger, 0..160);
    journalled(&ledger, 160).await;
    store.turn(Mood::Well);
    let running = tokio::spawn(task.run());
    within(ledger.drain()).await;
    assert_eq!(store.writes.load(Ordering::SeqCst), 10);
    record_all(&ledger, 160..161);
    assert!(within(ledger.drain()).await);
    drop(ledger);
    within(running).await.unwrap();
}

#[tokio::test]
async fn shutdown_waits_for_the_slots_that_are_out_and_gives_no_more() {
    let (folder, store) = (TempDir::new().unwrap(), Double::new(Mood::Well));
    let (ledger, task) = open_quick(folder.path(), &store).await;
    let running = tokio::spawn(task.run());
    let (late, unused) = (ledger.try_slot().unwrap(), ledger.try_slot().unwrap());
    ledger.shutdown();
    assert!(ledger.try_slot().is_none());
    drop(unused);
    late.record(record(1));
    within(running).await.unwrap();
    assert_eq!(store.inputs(), [1]);
    assert!(within(ledger.drain()).await);
    // And when the last slot comes back unused, or none was out.
    for take in [true, false] {
        let (ledger, task) = open_quick(folder.path(), &store).await;
        let slot = take.then(|| ledger.try_slot().unwrap());
        ledger.shutdown();
        drop(slot);
        within(task.run()).await;
    }
}

#[tokio::test]
async fn saturation_refuses_slots_and_passes() {
    let (folder, store) = (TempDir::new().unwrap(), Double::new(Mood::Well));
    let settings = LedgerSettings { capacity: 3, ..settings(folder.path()) };
    let (ledger, task) = writer::open(settings, store.clone(), unobserved(), quick()).await.unwrap();
    let mut slots: Vec<Slot> = (0..3).map(|_| ledger.try_slot().unwrap()).collect();
    assert!(ledger.try_slot().is_none());
    drop(slots.pop());
    slots.push(ledger.try_slot().expect("an unused slot comes back"));
    assert!(ledger.try_slot().is_none());
    slots.into_iter().zip(0..).for_each(|(slot, n)| slot.record(record(n)));
    // A recorded slot comes back once its record is in the journal; the store has no part in it.
    journalled(&ledger, 3).await;
    within(async {
        while ledger.try_slot().is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    drop(ledger);
    within(task.run()).await;
    assert_eq!(store.rows(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_from_many_threads_arrive_each_once() {
    let (folder, store) = (TempDir::new().unwrap(), Double::new(Mood::Well));
    let settings =
        LedgerSettings { batch: 512, segment_bytes: 1 << 20, ..LedgerSettings::in_folder(folder.path()) };
    let (ledger, task) = writer::open(settings, store.clone(), unobserved(), Pace::default()).await.unwrap();
    let running = tokio::spawn(task.run());
    let threads: Vec<_> = (0..4u64)
        .map(|thread| {
            let ledger = ledger.clone();
            std::thread::spawn(move || {
                for n in thread * 25_000..(thread + 1) * 25_000 {
                    let slot = loop {
                        match ledger.try_slot() {
                            Some(slot) => break slot,
                            None => std::thread::yield_now(),
                        }
                    };
                    slot.record(record(n));
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(within(ledger.drain()).await);
    assert_eq!(store.rows(), 100_000);
    // Finished segments are deleted as it goes.
    assert!(files(folder.path()).len() <= 2, "{:?}", files(folder.path()));
    assert_eq!(ledger.figures().written, 100_000);
    drop(ledger);
    within(running).await.unwrap();
    assert_eq!(files(folder.path()), [""; 0]);
}

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use async_trait::async_trait;
use lyss_repositories::CatalogRows;

use super::*;

#[derive(Default)]
struct Source {
    generation: AtomicI64,
    broken: Mutex<bool>,
    loads: AtomicU64,
}

#[async_trait]
impl CatalogSource for Source {
    async fn generation(&self) -> Result<i64, StoreError> {
        Ok(self.generation.load(Ordering::SeqCst))
    }

    async fn load(&self) -> Result<CatalogRows, StoreError> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        if *self.broken.lock().unwrap() {
            return Err(StoreError::Corrupt("test"));
        }
        Ok(CatalogRows { generation: self.generation.load(Ordering::SeqCst), ..CatalogRows::default() })
    }
}

/// A feed that never says anything: only the poll and the request are left.
struct Deaf;

#[async_trait]
impl ChangeFeed for Deaf {
    async fn listen(&self) -> Result<Box<dyn ChangeListener>, StoreError> {
        Err(StoreError::Unavailable("deaf".to_owned()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_hint_costs_a_second_and_a_bad_load_nothing() {
    let source = Arc::new(Source::default());
    let loader = Loader::start(source.clone(), Arc::new(Deaf), LoaderSettings::default()).await.unwrap();
    let handle = loader.handle();
    let seen = Arc::new(AtomicI64::new(-1));
    let observed = Arc::clone(&seen);
    handle.observe(move |catalog| observed.store(catalog.generation(), Ordering::SeqCst));
    assert_eq!(seen.load(Ordering::SeqCst), 0, "told of the picture in force");
    let task = tokio::spawn(loader.run());

    source.generation.store(3, Ordering::SeqCst);
    handle.serving(3).await;
    assert_eq!((handle.load().generation(), seen.load(Ordering::SeqCst)), (3, 3));

    *source.broken.lock().unwrap() = true;
    source.generation.store(4, Ordering::SeqCst);
    let before = source.loads.load(Ordering::SeqCst);
    while source.loads.load(Ordering::SeqCst) == before {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(handle.load().generation(), 3, "the last good one stays");

    *source.broken.lock().unwrap() = false;
    handle.serving(4).await;
    assert_eq!(handle.load().generation(), 4);
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn a_change_that_cannot_be_served_is_answered_all_the_same() {
    let source = Arc::new(Source::default());
    let loader = Loader::start(source.clone(), Arc::new(Deaf), LoaderSettings::default()).await.unwrap();
    let handle = loader.handle();
    let running = tokio::spawn(loader.run());
    *source.broken.lock().unwrap() = true;
    source.generation.store(7, Ordering::SeqCst);
    handle.serving(7).await;
    assert_eq!(handle.load().generation(), 0, "the last good picture stays");
    running.abort();
}

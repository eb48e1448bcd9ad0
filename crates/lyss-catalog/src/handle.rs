//! Where the picture in force is found, and who is told when it changes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Notify, watch};

use crate::Catalog;

/// How long a change waits to be served before it is answered all the same.
const SERVING_PATIENCE: Duration = Duration::from_secs(5);

type Observer = Box<dyn Fn(&Arc<Catalog>) + Send + Sync>;

/// Shared by everything that reads configuration.
pub struct CatalogHandle {
    current: ArcSwap<Catalog>,
    observers: Mutex<Vec<Observer>>,
    refresh: Notify,
    served: watch::Sender<i64>,
}

impl CatalogHandle {
    pub fn new(first: Catalog) -> Self {
        let (served, _) = watch::channel(first.generation());
        Self {
            current: ArcSwap::from_pointee(first),
            observers: Mutex::new(Vec::new()),
            refresh: Notify::new(),
            served,
        }
    }

    pub fn load(&self) -> Arc<Catalog> {
        self.current.load_full()
    }

    /// Calls `observer` with the picture in force now, and with every later one before anybody is told it is served.
    pub fn observe(&self, observer: impl Fn(&Arc<Catalog>) + Send + Sync + 'static) {
        let mut observers = self.observers.lock().unwrap_or_else(PoisonError::into_inner);
        observer(&self.current.load_full());
        observers.push(Box::new(observer));
    }

    /// Puts a newer picture in force; an older one is left aside.
    pub fn swap(&self, next: Catalog) {
        let observers = self.observers.lock().unwrap_or_else(PoisonError::into_inner);
        if next.generation() < self.current.load().generation() {
            return;
        }
        let generation = next.generation();
        let next = Arc::new(next);
        self.current.store(Arc::clone(&next));
        for observer in observers.iter() {
            observer(&next);
        }
        self.served.send_replace(generation);
    }

    /// Asks the loader to look now.
    pub fn refresh(&self) {
        self.refresh.notify_one();
    }

    pub(crate) async fn refresh_asked(&self) {
        self.refresh.notified().await;
    }

    /// Waits until this replica serves a generation: what a management write does before it answers. What is committed is
    /// so, also where the picture cannot be loaded for now: then the wait ends after a while.
    pub async fn serving(&self, generation: i64) {
        self.refresh();
        let mut served = self.served.subscribe();
        if tokio::time::timeout(SERVING_PATIENCE, served.wait_for(|served| *served >= generation))
            .await
            .is_err()
        {
            tracing::warn!(generation, "a change is committed and not served here yet");
        }
    }
}

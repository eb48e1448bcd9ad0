//! Keeps the picture fresh: on every hint of the change feed, on request, and once a second in case a hint was lost.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lyss_repositories::{CatalogSource, ChangeFeed, ChangeListener, StoreError};
use tracing::{debug, warn};

use crate::{Catalog, CatalogHandle};

#[derive(Clone, Copy, Debug)]
pub struct LoaderSettings {
    /// How often the generation number is read without a hint.
    pub poll: Duration,
}

impl Default for LoaderSettings {
    fn default() -> Self {
        Self { poll: Duration::from_secs(1) }
    }
}

/// Somebody who must do something about a picture before a call may read it, such as finding out what a new quota has to
/// start from. Must not fail: what could not be done is done with the next picture, or not at all.
#[async_trait]
pub trait Prepare: Send + Sync {
    async fn prepare(&self, next: &Catalog);
}

pub struct Loader {
    source: Arc<dyn CatalogSource>,
    feed: Arc<dyn ChangeFeed>,
    handle: Arc<CatalogHandle>,
    settings: LoaderSettings,
    prepare: Option<Arc<dyn Prepare>>,
}

impl Loader {
    /// Loads the first picture; without one there is nothing to serve.
    pub async fn start(
        source: Arc<dyn CatalogSource>,
        feed: Arc<dyn ChangeFeed>,
        settings: LoaderSettings,
    ) -> Result<Self, StoreError> {
        let first = build(&*source).await?;
        Ok(Self { source, feed, handle: Arc::new(CatalogHandle::new(first)), settings, prepare: None })
    }

    /// Every later picture is prepared before it is served.
    #[must_use]
    pub fn preparing(self, prepare: Arc<dyn Prepare>) -> Self {
        Self { prepare: Some(prepare), ..self }
    }

    pub fn handle(&self) -> Arc<CatalogHandle> {
        Arc::clone(&self.handle)
    }

    /// Runs until dropped.
    pub async fn run(self) {
        let mut listener: Option<Box<dyn ChangeListener>> = None;
        loop {
            if listener.is_none() {
                listener = self.listen().await;
                self.refresh().await;
            }
            let lost = tokio::select! {
                news = hint(listener.as_mut()) => news.is_err(),
                () = self.handle.refresh_asked() => false,
                () = tokio::time::sleep(self.settings.poll) => false,
            };
            if lost {
                listener = None;
            }
            self.refresh().await;
        }
    }

    async fn listen(&self) -> Option<Box<dyn ChangeListener>> {
        match self.feed.listen().await {
            Ok(listener) => Some(listener),
            Err(error) => {
                warn!(%error, "the change feed cannot be heard; polling until it can");
                tokio::time::sleep(self.settings.poll).await;
                None
            }
        }
    }

    /// One look: a cheap generation read, and a whole load where it moved. Failures leave the last good picture.
    async fn refresh(&self) {
        let served = self.handle.load().generation();
        match self.source.generation().await {
            Ok(generation) if generation == served => return,
            Ok(generation) => debug!(served, generation, "the configuration changed"),
            Err(error) => {
                warn!(%error, "the configuration's generation cannot be read; serving the last good one");
                return;
            }
        }
        match build(&*self.source).await {
            Ok(next) => {
                if let Some(prepare) = &self.prepare {
                    prepare.prepare(&next).await;
                }
                self.handle.swap(next);
            }
            Err(error) => warn!(%error, "the configuration cannot be loaded; serving the last good one"),
        }
    }
}

async fn hint(listener: Option<&mut Box<dyn ChangeListener>>) -> Result<(), StoreError> {
    match listener {
        Some(listener) => listener.changed().await,
        None => std::future::pending().await,
    }
}

async fn build(source: &dyn CatalogSource) -> Result<Catalog, StoreError> {
    let rows = source.load().await?;
    Catalog::build(rows).map_err(|error| {
        warn!(%error, "the stored configuration makes no picture");
        StoreError::Corrupt("configuration")
    })
}

#[cfg(test)]
mod tests;

//! News that configuration changed.

use async_trait::async_trait;

/// Tells that some committed unit of work changed what the catalog holds. Hints only: the truth is the generation
/// number, which the catalog also polls.
#[async_trait]
pub trait ChangeFeed: Send + Sync {
    async fn listen(&self) -> Result<Box<dyn ChangeListener>, crate::StoreError>;
}

#[async_trait]
pub trait ChangeListener: Send {
    /// Waits for the next hint. An error means hints may have been lost: listen anew.
    async fn changed(&mut self) -> Result<(), crate::StoreError>;
}

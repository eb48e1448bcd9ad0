//! Where use-cases run: on the background runtime, each in a task of its own. A caller that hangs up drops its handler,
//! and a change that is half way through must come to its end all the same: its commit, its answer to whoever repeats the
//! request, the wait until this replica serves it.

use std::future::Future;
use std::sync::Arc;

use lyss_auth::Principal;
use lyss_management::{Management, ManagementError, Transport};
use tokio::runtime::Handle;
use tracing::error;

use super::code::Code;
use super::failure::Failure;

#[derive(Clone)]
pub struct UseCases {
    management: Arc<Management>,
    runtime: Handle,
}

impl UseCases {
    pub fn new(management: Arc<Management>, runtime: Handle) -> Self {
        Self { management, runtime }
    }

    pub(crate) fn management(&self) -> &Management {
        &self.management
    }

    pub(crate) fn shared(&self) -> Arc<Management> {
        Arc::clone(&self.management)
    }

    /// A panic of ours is an error of this request alone.
    pub async fn run<T, F>(&self, work: impl FnOnce(Arc<Management>) -> F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, ManagementError>> + Send + 'static,
    {
        let work = work(Arc::clone(&self.management));
        self.detached(async move { work.await.map_err(Failure::from) }).await
    }

    pub(crate) async fn detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        self.runtime.spawn(work).await.unwrap_or_else(|error| {
            error!(%error, "a use-case did not come to its end");
            Err(Failure::new(Code::Internal))
        })
    }

    /// Tells the audit log that somebody could not prove who they are. Nobody waits for it.
    pub(crate) fn failed_login(&self, address: Option<String>, code: &'static str) {
        let management = Arc::clone(&self.management);
        self.runtime.spawn(async move { management.failed_login(address.as_deref(), code).await });
    }

    /// Tells the audit log that somebody known was denied something. Nobody waits for it.
    pub(crate) fn denied(&self, denied: Denied) {
        let management = Arc::clone(&self.management);
        self.runtime.spawn(async move {
            let Denied { principal, address, action, target, reason } = denied;
            management.denied(Some(&principal), address.as_deref(), action, &target, &reason).await;
        });
    }
}

/// What was denied, to whom and why.
pub(crate) struct Denied {
    pub(crate) principal: Principal,
    pub(crate) address: Option<String>,
    /// The permission that was asked for.
    pub(crate) action: &'static str,
    /// The route.
    pub(crate) target: String,
    pub(crate) reason: String,
}

/// How vendors are reached to test a connection.
pub struct Vendors(pub Arc<dyn Transport>);

impl Vendors {
    pub(crate) fn shared(&self) -> Arc<dyn Transport> {
        Arc::clone(&self.0)
    }
}

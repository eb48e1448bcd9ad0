//! What the management side needs done now and then, by nobody's request.

use std::sync::Arc;
use std::time::Duration;

use lyss_auth::Tokens;
use lyss_domain::Clock;
use lyss_management::Management;
use lyss_upstream::Upstream;
use tracing::warn;

/// Between two looks; each thing done knows itself how often it is due.
const BEAT: Duration = Duration::from_secs(5);

/// Answers of repeated requests are thrown away this often.
const SWEEP_EVERY: u32 = 60;

/// For ever: fresh key sets, a word on refusals that were too many to write down one by one, no answer kept too long.
pub(crate) async fn keep(
    tokens: Arc<Tokens>,
    management: Arc<Management>,
    upstream: Arc<Upstream>,
    clock: Arc<dyn Clock>,
) {
    for beat in (0..SWEEP_EVERY).cycle() {
        for failure in tokens.refresh_due(clock.now(), &*upstream).await {
            let issuer = failure.issuer.as_deref().unwrap_or("the nameless one");
            warn!(issuer, error = %failure.error, "an issuer's keys cannot be fetched; those known stay in force for an hour");
        }
        management.note_suppressed().await;
        if beat == 0
            && let Err(error) = management.sweep_once().await
        {
            warn!(%error, "answers of repeated requests cannot be swept now");
        }
        tokio::time::sleep(BEAT).await;
    }
}

//! Health beside the traffic: restored before the first call, kept every few seconds, and channels without traffic
//! probed.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use lyss_ledger::Ledger;
use lyss_management::Management;
use lyss_proxy::draw::Draws;
use lyss_proxy::{HealthKeeper, ProbeSettings, Prober, Proxy};
use lyss_repositories::HealthStore;
use lyss_repositories_sql::SqlStore;
use lyss_upstream::Upstream;
use lyss_vault::random;
use tokio::task::JoinHandle;
use tracing::{info, warn};

/// A process that is killed loses what was learned since the last of these.
const KEEP_EVERY: Duration = Duration::from_secs(10);
/// Keepings between two times that old history is forgotten: an hour.
const FORGET_EVERY: u32 = 360;
/// Between two looks at which channels are to be probed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long the last state is waited for at the end.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// What runs until the service is closed.
pub(crate) struct HealthTasks {
    keeper: Arc<HealthKeeper>,
    keeping: JoinHandle<()>,
    probing: JoinHandle<()>,
}

impl HealthTasks {
    /// Restores, then goes on in the background. A state that cannot be read is no reason not to serve: it is learned
    /// anew. Catalog, vault and clock are the management's.
    pub(crate) async fn begin(
        probes: ProbeSettings,
        proxy: &Arc<Proxy>,
        store: &SqlStore,
        management: &Management,
        ledger: &Ledger,
        upstream: &Arc<Upstream>,
    ) -> Result<Self> {
        let (catalog, vault) = (Arc::clone(&management.catalog), Arc::clone(&management.vault));
        let clock = Arc::clone(&management.clock);
        let store: Arc<dyn HealthStore> = Arc::new(store.clone());
        let health = Arc::clone(proxy.health());
        let draws = || Ok::<_, anyhow::Error>(Draws::seeded(u64::from_be_bytes(random()?)));
        let keeper =
            HealthKeeper::new(Arc::clone(&health), Arc::clone(&store), catalog, Arc::clone(&clock), draws()?);
        let prober = Prober::new(
            probes,
            health,
            store,
            Arc::clone(upstream) as _,
            vault,
            ledger.clone(),
            clock,
            draws()?,
        );
        match keeper.restore().await {
            Ok(0) => {}
            Ok(states) => info!(states, "the health of channels is as it was"),
            Err(error) => warn!(%error, "the health of channels is not known and is learned anew"),
        }
        let keeper = Arc::new(keeper);
        let keeping = tokio::spawn(keep(Arc::clone(&keeper), Arc::clone(proxy)));
        let probing = tokio::spawn(probe(prober, Arc::clone(proxy), Arc::clone(&keeper)));
        Ok(Self { keeper, keeping, probing })
    }

    /// After the last call.
    pub(crate) async fn close(self) {
        self.probing.abort();
        self.keeping.abort();
        // Aborted is not ended: two at once would write the same twice.
        drop(tokio::join!(self.probing, self.keeping));
        match tokio::time::timeout(CLOSE_PATIENCE, self.keeper.keep()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(%error, "the last health of channels is not kept"),
            Err(_) => warn!("the database is away: the last health of channels is not kept"),
        }
    }
}

/// For ever.
async fn keep(keeper: Arc<HealthKeeper>, proxy: Arc<Proxy>) {
    for beat in (0..FORGET_EVERY).cycle() {
        if beat == 0
            && let Err(error) = keeper.forget().await
        {
            warn!(%error, "old history of health cannot be forgotten now");
        }
        tokio::time::sleep(KEEP_EVERY).await;
        proxy.tell_regime_changes();
        if let Err(error) = keeper.keep().await {
            warn!(%error, "the health of channels cannot be kept now");
        }
    }
}

/// For ever.
async fn probe(prober: Prober, proxy: Arc<Proxy>, keeper: Arc<HealthKeeper>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let table = Arc::clone(&proxy.routes());
        match prober.round(&table).await {
            Ok(probed) => keeper.note(probed),
            Err(error) => warn!(%error, "channels cannot be probed now"),
        }
    }
}

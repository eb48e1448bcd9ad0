//! The HTTP service before a [`Gateway`], in this process: what its callers see over a real socket, while a test looks
//! at the pipeline's own state behind it.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use lyss_balancing::ChannelHealth;
use lyss_domain::{ChannelId, KeyDigest, TenantId};
use lyss_http::{Doorkeeper, Pieces, Readiness, ServerSettings, UseCases};
use lyss_insight::{Insight, KeptReports, Live, Serving};
use lyss_management::Management;
use lyss_proxy::{Outlet, Proxy};
use lyss_upstream::Upstream;
use lyss_vault::mac;
use prometheus_client::registry::Registry;
use tokio::sync::oneshot;

use super::{Gateway, wire};

/// Stops serving when dropped.
pub(crate) struct Front {
    pub(crate) address: SocketAddr,
    /// The text of a key that may do everything.
    pub(crate) key: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Pipeline(Arc<Proxy>);

impl Live for Pipeline {
    fn health(&self, channel: ChannelId) -> Option<Arc<ChannelHealth>> {
        self.0.health().known(channel)
    }

    fn serving(&self, tenant: TenantId, model: &str) -> Serving {
        let table = self.0.routes();
        table.tenant(tenant).map(|routes| lyss_proxy::models::serving(routes, model)).unwrap_or_default()
    }
}

impl Front {
    /// Serves on a free port. `upstream` is the way out of its workers.
    pub(crate) async fn open(gateway: &Gateway, upstream: &Upstream) -> Self {
        let office = &gateway.office;
        let management = Arc::new(Management {
            store: Arc::new(office.store.clone()),
            vault: Arc::clone(&office.management.vault),
            key_digests: Arc::clone(&office.management.key_digests),
            audit_chain: Arc::clone(&office.management.audit_chain),
            catalog: Arc::clone(&office.management.catalog),
            clock: Arc::clone(&office.management.clock),
            guards: lyss_management::Guards::default(),
        });
        let insight = Insight {
            attempts: Arc::new(office.store.clone()),
            health: Arc::new(office.store.clone()),
            catalog: Arc::clone(&office.management.catalog),
            live: Arc::new(Pipeline(Arc::clone(&gateway.proxy))),
            clock: Arc::clone(&office.management.clock),
            kept: KeptReports::default(),
        };
        let digests = Arc::clone(&office.management.key_digests);
        let way_out = Arc::new(upstream.sibling());
        let pieces = Pieces {
            proxy: Arc::clone(&gateway.proxy),
            outlet: Arc::new(move || Outlet::new(Arc::new(way_out.sibling()))),
            doorkeeper: Doorkeeper::new(Arc::new(move |key| KeyDigest(mac(&digests, &[key])))),
            use_cases: UseCases::new(management, tokio::runtime::Handle::current()),
            insight: Arc::new(insight),
            vendors: Arc::new(upstream.sibling()),
            registry: Arc::new(Registry::default()),
            readiness: Arc::new(Readiness::default()),
            dependencies: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = lyss_http::start(vec![listener], &ServerSettings::default(), pieces).unwrap();
                let handle = server.handle();
                actix_web::rt::spawn(async move {
                    drop(stopped.await);
                    handle.stop(false).await;
                });
                server.await.unwrap();
            });
        });
        let key = office.key("over-http").await.1;
        Self { address, key, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) async fn chat(&self, body: &str) -> wire::Reply {
        wire::post(self.address, "/v1/chat/completions", &self.key, body).await
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A test that failed has its own words.
            drop(thread.join());
        }
    }
}

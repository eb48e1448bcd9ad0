//! The server: its routes in one table, its timers, and the hard edges actix leaves open.

use std::any::Any;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::{Condition, from_fn};
use actix_web::web::Data;
use actix_web::{App, HttpResponse, HttpServer};
use lyss_domain::CallId;
use lyss_insight::Insight;
use lyss_management::Transport;
use lyss_proxy::{Outlet, Proxy};
use prometheus_client::registry::Registry;

use crate::body::BodyLimits;
use crate::caller::Doorkeeper;
use crate::cors::{self, AllowedOrigins};
use crate::health::{Dependency, Readiness};
use crate::manage::use_cases::Vendors;
use crate::manage::{Code, ManagementBody, RequestIds, UseCases};
use crate::replay::Replays;
use crate::table;

#[derive(Clone, Debug)]
pub struct ServerSettings {
    pub workers: usize,
    pub proxy_body_bytes: usize,
    pub management_body_bytes: usize,
    /// Origins whose pages may call this service; none unless named.
    pub cors_origins: AllowedOrigins,
    pub body_timeout: Duration,
    /// How long a connection may take to send a head.
    pub head_timeout: Duration,
    pub keep_alive: Duration,
    /// A peer that acknowledges nothing for so long is cut off.
    pub stalled_reader: Duration,
    /// How long open answers may go on after the signal to stop.
    pub drain: Duration,
    /// Connections accepted per worker.
    pub max_connections: usize,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            workers: 2,
            proxy_body_bytes: 32 << 20,
            management_body_bytes: 1 << 20,
            cors_origins: AllowedOrigins::default(),
            body_timeout: Duration::from_secs(30),
            head_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            stalled_reader: Duration::from_secs(30),
            drain: Duration::from_secs(300),
            max_connections: 25_000,
        }
    }
}

/// What the handlers are given.
#[derive(Clone)]
pub struct Pieces {
    pub proxy: Arc<Proxy>,
    /// Called once a worker.
    pub outlet: Arc<dyn Fn() -> Outlet + Send + Sync>,
    pub doorkeeper: Doorkeeper,
    pub use_cases: UseCases,
    pub insight: Arc<Insight>,
    /// How vendors are reached to test a connection, from the background runtime.
    pub vendors: Arc<dyn Transport>,
    pub registry: Arc<Registry>,
    pub readiness: Arc<Readiness>,
    pub dependencies: Arc<Vec<Arc<dyn Dependency>>>,
}

/// Starts serving on sockets that listen already. Signals are the binary's: it stops the server through its handle.
pub fn start(
    listeners: Vec<TcpListener>,
    settings: &ServerSettings,
    pieces: Pieces,
) -> std::io::Result<Server> {
    let limits = BodyLimits { max_bytes: settings.proxy_body_bytes, timeout: settings.body_timeout };
    let management = ManagementBody(BodyLimits { max_bytes: settings.management_body_bytes, ..limits });
    let stalled_reader = settings.stalled_reader;
    let origins = Data::new(settings.cors_origins.clone());
    let proxy = Arc::clone(&pieces.proxy);
    let ids = RequestIds(Arc::new(move || proxy.new_call()));
    let replays = Replays::new(pieces.use_cases.clone());
    let factory = move || {
        App::new()
            .app_data(Data::from(Arc::clone(&pieces.proxy)))
            .app_data(Data::new((pieces.outlet)()))
            .app_data(Data::new(pieces.doorkeeper.clone()))
            .app_data(Data::new(pieces.use_cases.clone()))
            .app_data(Data::new(replays.clone()))
            .app_data(Data::from(Arc::clone(&pieces.insight)))
            .app_data(Data::new(Vendors(Arc::clone(&pieces.vendors))))
            .app_data(Data::new(ids.clone()))
            .app_data(Data::new(limits))
            .app_data(Data::new(management))
            .app_data(origins.clone())
            .app_data(Data::from(Arc::clone(&pieces.registry)))
            .app_data(Data::from(Arc::clone(&pieces.readiness)))
            .app_data(Data::from(Arc::clone(&pieces.dependencies)))
            .configure(table::configure)
            .wrap(Condition::new(!origins.is_empty(), from_fn(cors::guard)))
    };
    let mut server = HttpServer::new(factory)
        .workers(settings.workers)
        .max_connections(settings.max_connections)
        .backlog(8_192)
        .keep_alive(settings.keep_alive)
        .client_request_timeout(settings.head_timeout)
        .tcp_nodelay(true)
        // With the default a silent stream whose caller is gone is never noticed.
        .h1_allow_half_closed(false)
        .on_connect(move |connection, _| cut_stalled_readers(connection, stalled_reader))
        .shutdown_timeout(settings.drain.as_secs())
        .disable_signals();
    for listener in listeners {
        server = server.listen(listener)?;
    }
    Ok(server.run())
}

/// A caller that stops reading but keeps its socket open would hold its stream for ever.
fn cut_stalled_readers(connection: &dyn Any, after: Duration) {
    if let Some(stream) = connection.downcast_ref::<actix_web::rt::net::TcpStream>() {
        let socket = socket2::SockRef::from(stream);
        // Where the option does not exist, the idle timers are what is left.
        let _ = socket.set_tcp_user_timeout(Some(after));
    }
}

/// No route.
pub(crate) async fn nowhere(ids: Data<RequestIds>) -> HttpResponse {
    bilingual((ids.0)(), Code::NotFound)
}

/// Where nobody knows who asks: an object that OpenAI's SDK and a reader of the management envelope both take for a failure.
pub(crate) fn bilingual(id: CallId, code: Code) -> HttpResponse {
    let id = id.to_string();
    HttpResponse::build(code.status()).insert_header(("x-request-id", id.as_str())).json(serde_json::json!({
        "success": false,
        "error": {
            "code": code.as_str(),
            "type": "invalid_request_error",
            "param": null,
            "message": code.line(),
        },
        "request_id": id,
    }))
}

//! The server: its routes in one table, its timers, and the hard edges actix leaves open.

use std::any::Any;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, HttpResponse, HttpServer};
use lyss_proxy::{Outlet, Proxy};
use prometheus_client::registry::Registry;

use crate::body::BodyLimits;
use crate::caller::Doorkeeper;
use crate::health::{Dependency, Readiness};
use crate::{chat, health, metrics, models};

#[derive(Clone, Debug)]
pub struct ServerSettings {
    pub workers: usize,
    pub proxy_body_bytes: usize,
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
    pub registry: Arc<Registry>,
    pub readiness: Arc<Readiness>,
    pub dependencies: Arc<Vec<Arc<dyn Dependency>>>,
}

/// Every route there is.
pub fn routes(config: &mut ServiceConfig) {
    config
        .route("/v1/chat/completions", web::post().to(chat::openai_chat))
        .route("/api/v1/proxy/chat/completions", web::post().to(chat::openai_chat))
        .route("/api/v1/proxy/v1/chat/completions", web::post().to(chat::openai_chat))
        .route("/v1/models", web::get().to(models::list))
        .route("/api/v1/proxy/models", web::get().to(models::list))
        .route("/api/v1/proxy/v1/models", web::get().to(models::list))
        .route("/v1/models/{id}", web::get().to(models::get))
        .route("/api/v1/proxy/models/{id}", web::get().to(models::get))
        .route("/api/v1/proxy/v1/models/{id}", web::get().to(models::get))
        .route("/health", web::get().to(health::overall))
        .route("/health/live", web::get().to(health::live))
        .route("/health/ready", web::get().to(health::ready))
        .route("/metrics", web::get().to(metrics::metrics))
        .default_service(web::to(nowhere));
}

/// Starts serving on sockets that listen already. Signals are the binary's: it stops the server through its handle.
pub fn start(
    listeners: Vec<TcpListener>,
    settings: &ServerSettings,
    pieces: Pieces,
) -> std::io::Result<Server> {
    let limits = BodyLimits { max_bytes: settings.proxy_body_bytes, timeout: settings.body_timeout };
    let stalled_reader = settings.stalled_reader;
    let factory = move || {
        App::new()
            .app_data(Data::from(Arc::clone(&pieces.proxy)))
            .app_data(Data::new((pieces.outlet)()))
            .app_data(Data::new(pieces.doorkeeper.clone()))
            .app_data(Data::new(limits))
            .app_data(Data::from(Arc::clone(&pieces.registry)))
            .app_data(Data::from(Arc::clone(&pieces.readiness)))
            .app_data(Data::from(Arc::clone(&pieces.dependencies)))
            .configure(routes)
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

/// No route: an object both OpenAI's SDK and the management envelope's reader understand as a failure.
async fn nowhere(proxy: Data<Proxy>) -> HttpResponse {
    let call = proxy.new_call().to_string();
    HttpResponse::NotFound().insert_header(("x-request-id", call)).json(serde_json::json!({
        "success": false,
        "error": {
            "code": "NOT_FOUND",
            "type": "invalid_request_error",
            "param": null,
            "message": "There is nothing at this address.",
        },
    }))
}

//! `lyss-provider serve`: listen, tell where, wait for a signal, drain.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use anyhow::{Context, Result};
use lyss_http::{Pieces, Readiness, ServerSettings};
use lyss_proxy::Outlet;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

use crate::assemble::{Service, background};
use crate::cli::ServeArgs;
use crate::config::Config;
use crate::data::DataFolder;
use crate::first;

/// How long the listener goes on accepting after readiness is taken back, for load balancers to notice.
const UNREADY_FIRST: Duration = Duration::from_millis(500);

pub(crate) fn run(mut config: Config, args: &ServeArgs) -> Result<ExitCode> {
    if let Some(host) = &args.host {
        config.server.host.clone_from(host);
    }
    config.server.port = args.port.unwrap_or(config.server.port);
    config.server.workers = args.workers.unwrap_or(config.server.workers);
    let runtime = background()?;
    let data = DataFolder::open(&config.data.folder)?;
    let service = runtime.block_on(Service::build(&config, &data, config.egress.policy()?))?;
    let listener = listen(&config.server.host, config.server.port)?;
    let address = listener.local_addr()?;
    let welcome = runtime.block_on(first::welcome(&config, &data, &service))?;
    let served = actix_web::rt::System::new().block_on(async {
        let readiness = Arc::new(Readiness::default());
        let server = start(&config, &service, listener, Arc::clone(&readiness))?;
        info!(%address, workers = config.server.worker_threads(), "serving");
        if let Some(token) = &welcome {
            first::greet(token, address);
        }
        let handle = server.handle();
        actix_web::rt::spawn(async move {
            if stop_signal().await.is_err() {
                return;
            }
            tokio::select! {
                () = drain(&handle, &readiness) => {}
                () = second_signal() => {
                    info!("stopping at once");
                    handle.stop(false).await;
                }
            }
        });
        server.await.context("the server ended")
    });
    runtime.block_on(service.close());
    served.map(|()| ExitCode::SUCCESS)
}

/// Starts the HTTP server on a socket that listens already. Must be called within an actix system.
pub(crate) fn start(
    config: &Config,
    service: &Service,
    listener: TcpListener,
    readiness: Arc<Readiness>,
) -> Result<actix_web::dev::Server> {
    let upstream = Arc::clone(&service.upstream);
    readiness.set(true);
    let pieces = Pieces {
        proxy: Arc::clone(&service.proxy),
        outlet: Arc::new(move || Outlet::new(Arc::new(upstream.sibling()))),
        doorkeeper: service.doorkeeper.clone(),
        use_cases: service.use_cases.clone(),
        insight: Arc::clone(&service.insight),
        vendors: Arc::new(service.upstream.sibling()),
        registry: Arc::clone(&service.registry),
        readiness,
        dependencies: Arc::clone(&service.dependencies),
    };
    let settings = ServerSettings {
        workers: config.server.worker_threads(),
        proxy_body_bytes: config.server.proxy_body_bytes,
        management_body_bytes: config.server.management_body_bytes,
        cors_origins: config.server.origins()?,
        drain: Duration::from_secs(config.server.drain_seconds),
        ..ServerSettings::default()
    };
    lyss_http::start(vec![listener], &settings, pieces).context("the server cannot start")
}

/// A listening socket; port 0 takes a free one.
pub(crate) fn listen(host: &str, port: u16) -> Result<TcpListener> {
    let address: SocketAddr = (host, port)
        .to_socket_addrs()
        .with_context(|| format!("server.host {host} has no address"))?
        .next()
        .with_context(|| format!("server.host {host} has no address"))?;
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket
        .bind(&address.into())
        .with_context(|| format!("{address} cannot be listened on (--port 0 takes a free one)"))?;
    socket.listen(8_192)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Waits for SIGTERM or SIGINT.
pub(crate) async fn stop_signal() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Supervisors often send the same signal to a process and to its group: only one a second later is meant.
async fn second_signal() {
    tokio::time::sleep(Duration::from_secs(1)).await;
    if stop_signal().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Not ready first, then no new connections, then the open answers end.
pub(crate) async fn drain(handle: &ServerHandle, readiness: &Readiness) {
    info!("stopping: open answers may end first; a second signal stops at once");
    readiness.set(false);
    tokio::time::sleep(UNREADY_FIRST).await;
    handle.stop(true).await;
}

//! Making one connection: resolve, keep the permitted addresses, connect to one of exactly those, TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use lyss_wire::{BoxFuture, TransportClass, TransportError};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tower_service::Service;

use crate::EgressPolicy;
use crate::socket::Socket;
use crate::target::Target;

/// One name lookup, within the connect timer.
const RESOLVE_TIMER: Duration = Duration::from_secs(1);
/// More addresses than this are not tried for one connection.
const MAX_ADDRESSES: usize = 8;

/// Name to addresses. A trait, so that tests can give a resolver that changes its mind.
pub(crate) trait Resolve: Send + Sync + 'static {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>>;
}

/// The system's resolver. A lookup that is given up keeps its blocking thread until the system gives up as well.
pub(crate) struct SystemResolver;

/// Makes connections: TCP and, for `https`, TLS, all within the connect timer. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connector {
    dialer: Arc<Dialer>,
    tls: Arc<ClientConfig>,
}

/// The TCP part of one connection.
#[derive(Clone)]
struct Dial {
    dialer: Arc<Dialer>,
    until: Instant,
}

struct Dialer {
    egress: EgressPolicy,
    resolver: Box<dyn Resolve>,
}

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

impl Connector {
    pub(crate) fn new(egress: EgressPolicy, resolver: Box<dyn Resolve>, tls: Arc<ClientConfig>) -> Self {
        Self { dialer: Arc::new(Dialer { egress, resolver }), tls }
    }

    pub(crate) async fn connect(
        &self,
        uri: &Uri,
        timer: Duration,
    ) -> Result<MaybeHttpsStream<Socket>, TransportClass> {
        let until = Instant::now() + timer;
        let dial = Dial { dialer: Arc::clone(&self.dialer), until };
        let server_name = |uri: &Uri| Target::of(uri)?.server_name();
        let mut connector = HttpsConnector::new(dial, Arc::clone(&self.tls), false, Arc::new(server_name));
        let outcome = match timeout_at(until, connector.call(uri.clone())).await {
            Ok(outcome) => outcome.map_err(|error| class_of(error.as_ref())),
            Err(_) => Err(TransportClass::ConnectTimeout),
        };
        let host = uri.host();
        match &outcome {
            Ok(_) => tracing::debug!(host, "connected"),
            Err(class) => tracing::debug!(host, %class, "not connected"),
        }
        outcome
    }
}

impl Service<Uri> for Dial {
    type Response = Socket;
    type Error = TransportError;
    type Future = BoxFuture<'static, Result<Self::Response, TransportError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { dialer, until } = self.clone();
        Box::pin(async move {
            let target = Target::of(&uri)?;
            let addresses = dialer.permitted(&target).await?;
            let stream = first_open(&addresses, until).await?;
            dialer.approve(&target, &stream)?;
            Ok(Socket::from(stream))
        })
    }
}

impl Dialer {
    /// The addresses that may be connected to, at least one.
    async fn permitted(&self, target: &Target<'_>) -> Result<Vec<SocketAddr>, TransportClass> {
        let mut addresses = match target.address() {
            Some(ip) => vec![SocketAddr::new(ip, target.port)],
            None => match timeout(RESOLVE_TIMER, self.resolver.resolve(target.host, target.port)).await {
                Ok(found) => found.map_err(|_| TransportClass::Dns)?,
                Err(_) => return Err(TransportClass::ConnectTimeout),
            },
        };
        if addresses.is_empty() {
            return Err(TransportClass::Dns);
        }
        for address in &mut addresses {
            // The port is the URI's whatever a resolver says, and a mapped address is used as the IPv4 it stands for.
            *address = SocketAddr::new(address.ip().to_canonical(), target.port);
        }
        addresses.retain(|address| self.egress.permits(target.tls, *address));
        addresses.truncate(MAX_ADDRESSES);
        if addresses.is_empty() { Err(TransportClass::EgressDenied) } else { Ok(addresses) }
    }

    /// Looks again at where the connection really ended, and makes it ready for small writes.
    fn approve(&self, target: &Target<'_>, stream: &TcpStream) -> Result<(), TransportClass> {
        let peer = stream.peer_addr().map_err(|_| TransportClass::Connect)?;
        if !self.egress.permits(target.tls, peer) {
            return Err(TransportClass::EgressDenied);
        }
        stream.set_nodelay(true).map_err(|_| TransportClass::Connect)
    }
}

/// Tries the addresses in order. Each gets an equal share of the time left, so that one that swallows packets does not
/// use up the turn of the others.
async fn first_open(addresses: &[SocketAddr], until: Instant) -> Result<TcpStream, TransportClass> {
    let mut failure = TransportClass::Connect;
    for (turns_left, address) in (1..=u32::try_from(addresses.len()).unwrap_or(u32::MAX)).rev().zip(addresses)
    {
        let share = until.saturating_duration_since(Instant::now()) / turns_left;
        match timeout(share, TcpStream::connect(*address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(_)) => failure = TransportClass::Connect,
            Err(_) => failure = TransportClass::ConnectTimeout,
        }
    }
    Err(failure)
}

/// The TCP part and the name check name their class; whatever else fails inside the TLS wrapper is the handshake.
fn class_of(error: &(dyn std::error::Error + Send + Sync + 'static)) -> TransportClass {
    error.downcast_ref::<TransportError>().map_or(TransportClass::Tls, |error| error.class)
}

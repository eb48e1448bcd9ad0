//! One exchange with an upstream, from request to stream.

#[cfg(test)]
mod tests;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use lyss_wire::{
    BoxFuture, ByteStream, EncodedRequest, ResponseHead, Timers, Transport, TransportClass, TransportError,
};

use crate::answer::Answer;
use crate::connect::{CONNECT_TIMER, Connector, Resolve, SystemResolver};
use crate::pieces::Pieces;
use crate::target::Target;
use crate::watch::Watch;
use crate::{UpstreamError, UpstreamSettings, fault, trust};

/// hyper's smallest.
const MIN_HEAD_BYTES: usize = 8 * 1024;

/// Framing and routing are this crate's: such a header from a caller could disagree with the body or the URI.
const OWN_HEADERS: [HeaderName; 5] = [HOST, CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION, UPGRADE];

/// The transport over real sockets, with a connection pool of its own.
///
/// The tasks of its connections live in the runtime in which `send` is called, so make one value per actix worker and
/// one for the background runtime: the first with [`Upstream::new`], the others with [`Upstream::sibling`].
///
/// Headers are sent as given (no `accept-encoding` or `user-agent` is added), except that `host`, `content-length`,
/// `transfer-encoding`, `connection` and `upgrade` are made from the URI and the body. Headers of the answer are handed
/// back as they came, hop-by-hop ones included.
pub struct Upstream {
    client: Client<Connector, Pieces>,
    connector: Connector,
    pool: Pool,
}

#[derive(Clone, Copy)]
struct Pool {
    idle: Duration,
    max_idle_per_host: usize,
    max_head_bytes: usize,
}

impl Upstream {
    /// Reads the system's root certificates, which takes some milliseconds. Needs no runtime.
    pub fn new(settings: &UpstreamSettings) -> Result<Self, UpstreamError> {
        Self::with_resolver(settings, Box::new(SystemResolver))
    }

    pub(crate) fn with_resolver(
        settings: &UpstreamSettings,
        resolver: Box<dyn Resolve>,
    ) -> Result<Self, UpstreamError> {
        let tls = trust::client_config(&settings.extra_roots_pem)?;
        let connector = Connector::new(settings.egress.clone(), resolver, Arc::clone(&tls));
        let pool = Pool {
            idle: settings.pool_idle,
            max_idle_per_host: settings.pool_max_idle_per_host,
            max_head_bytes: settings.max_head_bytes.max(MIN_HEAD_BYTES),
        };
        Ok(Self { client: pool.client(connector.clone()), connector, pool })
    }

    /// The same settings, trust and TLS sessions with an empty pool, for another runtime.
    #[must_use]
    pub fn sibling(&self) -> Self {
        let connector = self.connector.clone();
        Self { client: self.pool.client(connector.clone()), connector, pool: self.pool }
    }

    async fn exchange(
        &self,
        request: EncodedRequest,
        timers: Timers,
    ) -> Result<(ResponseHead, ByteStream), TransportClass> {
        let mut watch = Watch::start(&timers);
        let request = prepared(request)?;
        let response = {
            let mut answer = pin!(CONNECT_TIMER.scope(timers.connect, self.client.request(request)));
            poll_fn(|cx| match answer.as_mut().poll(cx) {
                Poll::Ready(response) => Poll::Ready(response.map_err(|error| fault::of_send(&error))),
                Poll::Pending => watch.poll_expired(cx).map(Err),
            })
            .await?
        };
        let (head, body) = response.into_parts();
        // Of the informational ones only `101 Switching Protocols` comes this far, and nobody asked for it. hyper's own
        // limit bounds its buffer, not the head to the byte.
        if head.status.is_informational() || bytes_of(&head.headers) > self.pool.max_head_bytes {
            return Err(TransportClass::Protocol);
        }
        let head = ResponseHead { status: head.status, headers: head.headers };
        Ok((head, Box::pin(Answer::new(body, watch))))
    }
}

impl Transport for Upstream {
    fn send(
        &self,
        request: EncodedRequest,
        timers: Timers,
    ) -> BoxFuture<'_, Result<(ResponseHead, ByteStream), TransportError>> {
        Box::pin(async move { self.exchange(request, timers).await.map_err(TransportError::from) })
    }
}

impl Pool {
    /// A request is sent again by the pool only when its kept-alive connection was found closed before a byte of it
    /// was written.
    fn client(self, connector: Connector) -> Client<Connector, Pieces> {
        Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(self.idle)
            .pool_max_idle_per_host(self.max_idle_per_host)
            .http1_max_buf_size(self.max_head_bytes)
            .retry_canceled_requests(true)
            .build(connector)
    }
}

fn prepared(request: EncodedRequest) -> Result<Request<Pieces>, TransportClass> {
    Target::of(&request.uri).map_err(|error| error.class)?;
    if request.method == Method::CONNECT {
        return Err(TransportClass::EgressDenied);
    }
    let mut headers = request.headers;
    for name in &OWN_HEADERS {
        headers.remove(name);
    }
    if request.body.is_empty() && matches!(request.method, Method::POST | Method::PUT | Method::PATCH) {
        // hyper leaves the length of an empty body out, and some servers then answer 411.
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    let mut out = Request::new(Pieces::from(request.body));
    *out.method_mut() = request.method;
    *out.uri_mut() = request.uri;
    *out.headers_mut() = headers;
    Ok(out)
}

/// As written on the wire, line ends included.
fn bytes_of(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

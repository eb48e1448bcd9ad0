//! One exchange with an upstream, from request to stream.

#[cfg(test)]
mod tests;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName, TRANSFER_ENCODING, UPGRADE};
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use http_body::Body as _;
use hyper::body::Incoming;
use lyss_wire::{
    BoxFuture, ByteStream, EncodedRequest, ResponseHead, Timers, Transport, TransportClass, TransportError,
};

use crate::answer::Answer;
use crate::connect::{Connector, Resolve, SystemResolver};
use crate::pieces::{Pieces, Upload};
use crate::pool::{Link, Origin, Pool, PoolSettings};
use crate::target::Target;
use crate::watch::Watch;
use crate::{UpstreamError, UpstreamSettings, coding, fault, trust};

/// hyper's smallest.
const MIN_HEAD_BYTES: usize = 8 * 1024;

/// Framing and routing are this crate's: such a header from a caller could disagree with the body or the URI.
const OWN_HEADERS: [HeaderName; 5] = [HOST, CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION, UPGRADE];

/// The transport over real sockets, with a connection pool of its own.
///
/// Its connections live in the runtime in which `send` is called, so make one value per actix worker and one for the
/// background runtime: the first with [`Upstream::new`], the others with [`Upstream::sibling`].
///
/// Headers are sent as given (no `accept-encoding` or `user-agent` is added), except that `host`, `content-length`,
/// `transfer-encoding`, `connection` and `upgrade` are made from the URI and the body. Headers of the answer are handed
/// back as they came, hop-by-hop ones included, except that a compressed answer is handed back decoded and without the
/// headers that spoke of it.
pub struct Upstream {
    connector: Connector,
    pool: Pool,
}

/// Why a request has no answer from this connection.
enum Unanswered {
    /// Not a byte of it was written: another connection may carry it.
    Unsent(Box<Request<Pieces>>),
    Failed(TransportClass),
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
        let pool = PoolSettings {
            idle: settings.pool_idle,
            max_idle_per_origin: settings.pool_max_idle_per_host,
            max_head_bytes: settings.max_head_bytes.max(MIN_HEAD_BYTES),
        };
        Ok(Self { connector, pool: Pool::new(pool) })
    }

    /// The same settings, trust and TLS sessions with an empty pool, for another runtime.
    #[must_use]
    pub fn sibling(&self) -> Self {
        Self { connector: self.connector.clone(), pool: Pool::new(self.pool.settings()) }
    }

    async fn exchange(
        &self,
        request: EncodedRequest,
        timers: Timers,
    ) -> Result<(ResponseHead, ByteStream), TransportClass> {
        let uri = request.uri.clone();
        let (request, upload) = prepared(request)?;
        let mut watch = Watch::start(&timers, upload);
        let origin = Origin::of(&uri).ok_or(TransportClass::EgressDenied)?;
        let (response, link) = self.answered(&uri, &origin, request, timers.connect, &mut watch).await?;
        let (head, body) = response.into_parts();
        // Of the informational ones only `101 Switching Protocols` comes this far, and nobody asked for it. hyper's own
        // limit bounds its buffer, not the head to the byte.
        if head.status.is_informational() || bytes_of(&head.headers) > self.pool.settings().max_head_bytes {
            return Err(TransportClass::Protocol);
        }
        let mut head = ResponseHead { status: head.status, headers: head.headers };
        let codings = coding::taken_from(&mut head.headers)?;
        let total_at = watch.total_at();
        let answer = Box::pin(Answer::new(body, link, self.pool.clone(), origin, watch));
        Ok((head, coding::decoded(answer, &codings, total_at)))
    }

    /// Sends over a kept connection, and over the next one where that turns out dead before a byte was written; over a
    /// new one where none is left.
    async fn answered(
        &self,
        uri: &Uri,
        origin: &Origin,
        mut request: Request<Pieces>,
        connect_timer: Duration,
        watch: &mut Watch,
    ) -> Result<(Response<Incoming>, Box<Link>), TransportClass> {
        while let Some(mut link) = self.pool.take(origin) {
            match ask(&mut link, request, watch).await {
                Ok(response) => return Ok((response, link)),
                Err(Unanswered::Unsent(unsent)) if unsent.body().is_touched() => {
                    return Err(TransportClass::Reset);
                }
                Err(Unanswered::Unsent(unsent)) => request = *unsent,
                Err(Unanswered::Failed(class)) => return Err(class),
            }
        }
        let io = watched(self.connector.connect(uri, connect_timer), watch).await?;
        let mut link = Link::open(io, self.pool.settings()).await?;
        match ask(&mut link, request, watch).await {
            Ok(response) => Ok((response, link)),
            Err(Unanswered::Unsent(_)) => Err(TransportClass::Reset),
            Err(Unanswered::Failed(class)) => Err(class),
        }
    }
}

/// One request and the head of its answer over one connection, which is driven here.
async fn ask(
    link: &mut Link,
    request: Request<Pieces>,
    watch: &mut Watch,
) -> Result<Response<Incoming>, Unanswered> {
    let mut answer = pin!(link.sender.try_send_request(request));
    let answered = poll_fn(|cx| {
        let quiet = &mut Context::from_waker(Waker::noop());
        link.drive();
        let mut polled = answer.as_mut().poll(quiet);
        if polled.is_pending() {
            link.drive_for(cx);
            polled = answer.as_mut().poll(quiet);
        }
        match polled {
            Poll::Ready(answered) => Poll::Ready(Ok(answered)),
            Poll::Pending => watch.poll_expired(cx).map(Err),
        }
    });
    match answered.await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(mut error)) => Err(match error.take_message() {
            Some(unsent) => Unanswered::Unsent(Box::new(unsent)),
            None => Unanswered::Failed(watch.blame(fault::of_send(error.error()))),
        }),
        Err(class) => Err(Unanswered::Failed(class)),
    }
}

/// Awaits something that knows no timers of its own beside the one it was given.
async fn watched<T>(
    work: impl Future<Output = Result<T, TransportClass>>,
    watch: &mut Watch,
) -> Result<T, TransportClass> {
    let mut work = pin!(work);
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(done),
        Poll::Pending => watch.poll_expired(cx).map(Err),
    })
    .await
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

/// The request as hyper takes it, and the sign of how far its upload is where it has one.
fn prepared(request: EncodedRequest) -> Result<(Request<Pieces>, Option<Arc<Upload>>), TransportClass> {
    Target::of(&request.uri).map_err(|error| error.class)?;
    if request.method == Method::CONNECT {
        return Err(TransportClass::EgressDenied);
    }
    let mut headers = request.headers;
    for name in &OWN_HEADERS {
        headers.remove(name);
    }
    let (body, upload) = Pieces::of(request.body, request.rest);
    if body.is_end_stream() && matches!(request.method, Method::POST | Method::PUT | Method::PATCH) {
        // hyper leaves the length of an empty body out, and some servers then answer 411.
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    headers.insert(HOST, host_of(&request.uri)?);
    let mut out = Request::new(body);
    *out.method_mut() = request.method;
    *out.uri_mut() = origin_form(&request.uri);
    *out.headers_mut() = headers;
    Ok((out, upload))
}

/// RFC 9110, section 7.2: the port only where it is not the scheme's own.
fn host_of(uri: &Uri) -> Result<HeaderValue, TransportClass> {
    let authority = uri.authority().ok_or(TransportClass::EgressDenied)?.as_str();
    let default_port = if uri.scheme() == Some(&Scheme::HTTPS) { ":443" } else { ":80" };
    let host = authority.strip_suffix(default_port).unwrap_or(authority);
    HeaderValue::from_str(host).map_err(|_| TransportClass::EgressDenied)
}

/// RFC 9112, section 3.2.1: to the vendor itself only path and query are written.
fn origin_form(uri: &Uri) -> Uri {
    let path = uri.path_and_query().cloned().filter(|path| path.as_str().starts_with('/'));
    path.unwrap_or_else(|| PathAndQuery::from_static("/")).into()
}

/// As written on the wire, line ends included.
fn bytes_of(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

//! Connections of one runtime, and the idle ones among them by origin.
//!
//! A connection has no task of its own: whoever uses it drives it, in the same poll in which it writes the request and
//! reads the answer. So nothing is handed from task to task, a dropped answer closes its socket at once, and an idle
//! connection costs nothing but its memory. What nobody drives nobody watches either: a kept connection is looked at
//! when it is taken out, and every now and then by [`sweep`].

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Waker};
use std::time::Duration;

use foldhash::HashMap;
use http::Uri;
use http::uri::{Authority, Scheme};
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_rustls::MaybeHttpsStream;
use lyss_wire::TransportClass;
use tokio::time::Instant;

use crate::pieces::Pieces;
use crate::socket::Socket;

/// One connection: the side that takes requests, and the side that moves bytes.
pub(crate) struct Link {
    pub(crate) sender: SendRequest<Pieces>,
    /// Ended connections are not polled again.
    connection: Option<Connection<MaybeHttpsStream<Socket>, Pieces>>,
}

/// Where a connection leads: whether over TLS, and to which host and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    tls: bool,
    authority: Authority,
}

/// The idle connections; clones are the same pool.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Shared>);

#[derive(Clone, Copy)]
pub(crate) struct PoolSettings {
    pub(crate) idle: Duration,
    pub(crate) max_idle_per_origin: usize,
    pub(crate) max_head_bytes: usize,
}

struct Shared {
    settings: PoolSettings,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// The one used last is taken first, so that the others may grow old.
    idle: HashMap<Origin, Vec<Idle>>,
    /// Somebody sweeps.
    swept: bool,
}

struct Idle {
    link: Box<Link>,
    since: Instant,
}

impl Link {
    /// Speaks HTTP/1.1 over an open connection.
    pub(crate) async fn open(
        io: MaybeHttpsStream<Socket>,
        settings: PoolSettings,
    ) -> Result<Box<Self>, TransportClass> {
        let opened = Builder::new().max_buf_size(settings.max_head_bytes).handshake(io).await;
        let (sender, connection) = opened.map_err(|_| TransportClass::Connect)?;
        Ok(Box::new(Self { sender, connection: Some(connection) }))
    }

    /// Moves bytes as far as they go. What the connection hands over (a head, a chunk) is looked at right after by
    /// whoever called this, so nobody need be woken for it.
    pub(crate) fn drive(&mut self) {
        self.drive_for(&mut Context::from_waker(Waker::noop()));
    }

    /// The same, and `cx` is woken when the socket has more.
    pub(crate) fn drive_for(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            && Pin::new(connection).poll(cx).is_ready()
        {
            // Why it ended is told to the request or its body.
            self.connection = None;
        }
    }

    /// Whether another request may be sent now.
    fn is_idle(&self) -> bool {
        self.connection.is_some() && self.sender.is_ready()
    }
}

impl Origin {
    /// `None`: not an absolute URI.
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        Some(Self { tls: uri.scheme()? == &Scheme::HTTPS, authority: uri.authority()?.clone() })
    }
}

impl Pool {
    pub(crate) fn new(settings: PoolSettings) -> Self {
        Self(Arc::new(Shared { settings, kept: Mutex::default() }))
    }

    pub(crate) fn settings(&self) -> PoolSettings {
        self.0.settings
    }

    /// An idle connection that is alive as far as can be seen.
    pub(crate) fn take(&self, origin: &Origin) -> Option<Box<Link>> {
        let oldest = self.0.oldest();
        loop {
            let idle = self.0.lock().idle.get_mut(origin)?.pop()?;
            if let Some(link) = idle.still_good(oldest) {
                return Some(link);
            }
        }
    }

    /// Keeps a connection whose exchange has ended, if it can serve another.
    pub(crate) fn give_back(&self, origin: Origin, mut link: Box<Link>) {
        if !link.is_idle() {
            link.drive();
        }
        if !link.is_idle() {
            return;
        }
        let mut kept = self.0.lock();
        let idle = kept.idle.entry(origin).or_default();
        if idle.len() >= self.0.settings.max_idle_per_origin {
            return;
        }
        idle.push(Idle { link, since: Instant::now() });
        if !kept.swept
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            kept.swept = true;
            drop(kept);
            runtime.spawn(sweep(Arc::downgrade(&self.0), self.0.settings.idle / 2));
        }
    }
}

impl Idle {
    fn still_good(self, oldest: Option<Instant>) -> Option<Box<Link>> {
        let mut link = self.link;
        if oldest.is_some_and(|oldest| self.since < oldest) {
            return None;
        }
        link.drive();
        link.is_idle().then_some(link)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connections unused since before this are let go.
    fn oldest(&self) -> Option<Instant> {
        Instant::now().checked_sub(self.settings.idle)
    }
}

/// Lets go of connections that grew old or that the vendor closed, as long as the pool is there and holds any.
async fn sweep(pool: Weak<Shared>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let Some(shared) = pool.upgrade() else { return };
        let oldest = shared.oldest();
        let mut kept = shared.lock();
        for idle in kept.idle.values_mut() {
            let all = std::mem::take(idle);
            let good = all.into_iter().filter_map(|idle| {
                let since = idle.since;
                Some(Idle { link: idle.still_good(oldest)?, since })
            });
            idle.extend(good);
        }
        kept.idle.retain(|_, idle| !idle.is_empty());
        if kept.idle.is_empty() {
            kept.swept = false;
            return;
        }
    }
}

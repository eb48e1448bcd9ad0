//! One vendor's listener, its connections, and the way of one request.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::knobs::Knobs;
use crate::refusal::{Kind, Refusal};
use crate::stats::{Counters, SeenRequest, VendorStats};
use crate::stream::{Abrupt, PacedBody, Script};
use crate::vendor::{Route, Vendor};
use crate::{SandboxConfig, anthropic, google, openai, operations, responses};

use headers::fixed_headers;
use line::Line;
use reply::Reply;
use windows::Windows;

mod headers;
mod line;
mod reply;
mod waits;
mod windows;

/// A vendor's listener, open or closed, and what outlives its closing.
#[derive(Debug)]
pub(crate) struct Stall {
    addr: SocketAddr,
    desk: Arc<Desk>,
    open: Option<Open>,
}

/// What a vendor's connections share.
#[derive(Debug)]
pub(crate) struct Desk {
    vendor: Vendor,
    gap_ms: u64,
    serial: AtomicU64,
    counters: Arc<Counters>,
    windows: Windows,
}

/// What a dialect says to a call it accepts.
#[derive(Debug)]
pub(crate) struct Spoken {
    pub(crate) script: Script,
    pub(crate) streamed: bool,
    pub(crate) prompt_tokens: u64,
    pub(crate) content_type: &'static str,
    /// Google's array of answers, where no event stream was asked for.
    pub(crate) array: bool,
    /// OpenAI's responses have an error event of their own.
    pub(crate) names_events: bool,
}

#[derive(Debug)]
struct Open {
    /// Dropped, it stops the listener too.
    stop: oneshot::Sender<Infallible>,
    listener: JoinHandle<()>,
}

impl Spoken {
    pub(crate) fn streamed(script: Script, prompt_tokens: u64) -> Self {
        Self {
            script,
            streamed: true,
            prompt_tokens,
            content_type: EVENT_STREAM,
            array: false,
            names_events: false,
        }
    }

    pub(crate) fn whole(body: Vec<u8>, tokens: usize, prompt_tokens: u64) -> Self {
        let script = Script::whole(body, tokens);
        Self { script, streamed: false, prompt_tokens, content_type: JSON, array: false, names_events: false }
    }
}

const MAX_BODY_BYTES: usize = 64 << 20;
pub(crate) const JSON: &str = "application/json";
const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";

impl Stall {
    pub(crate) async fn open(vendor: Vendor, port: u16, config: &SandboxConfig) -> io::Result<Self> {
        let counters = Arc::new(Counters::new(config.record));
        let (serial, windows) = (AtomicU64::new(0), Windows::default());
        let desk = Arc::new(Desk { vendor, gap_ms: config.gap_ms, serial, counters, windows });
        let mut stall = Self { addr: (Ipv4Addr::LOCALHOST, port).into(), desk, open: None };
        stall.reopen().await?;
        Ok(stall)
    }

    /// Binds the address it had; nothing if it is open.
    pub(crate) async fn reopen(&mut self) -> io::Result<()> {
        if self.open.is_none() {
            let listener = TcpListener::bind(self.addr).await?;
            self.addr = listener.local_addr()?;
            self.desk.counters.set_stopping(false);
            let (stop, stopped) = oneshot::channel();
            let listener = tokio::spawn(listen(listener, Arc::clone(&self.desk), stopped));
            self.open = Some(Open { stop, listener });
        }
        Ok(())
    }

    /// Returns when the listener and all connections are gone.
    pub(crate) async fn close(&mut self) {
        if let Some(open) = self.open.take() {
            drop(open.stop);
            // The task only ends by itself; a runtime that is shutting down may have ended it before.
            let _ = open.listener.await;
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn stats(&self) -> VendorStats {
        self.desk.counters.stats()
    }

    pub(crate) fn requests(&self) -> Vec<SeenRequest> {
        self.desk.counters.remembered()
    }
}

async fn listen(listener: TcpListener, desk: Arc<Desk>, mut stopped: oneshot::Receiver<Infallible>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => drop(connections.spawn(converse(socket, Arc::clone(&desk)))),
                Err(error) => {
                    tracing::warn!(vendor = desk.vendor.slug(), %error, "the sandbox could not accept a connection");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
    drop(listener);
    desk.counters.set_stopping(true);
    connections.shutdown().await;
}

async fn converse(socket: TcpStream, desk: Arc<Desk>) {
    // Without it an event would wait for the acknowledgement of the one before.
    let _ = socket.set_nodelay(true);
    let line = Arc::new(Line::default());
    let socket = line::Wire::new(socket, Arc::clone(&line));
    let held = Arc::clone(&line);
    let service = service_fn(move |request| {
        let (desk, line) = (Arc::clone(&desk), Arc::clone(&held));
        async move { desk.answer(request, &line).await }
    });
    // An error is a client that left, or a cut that was asked for; both are counted where they happen.
    let served = http1::Builder::new().writev(false).serve_connection(TokioIo::new(socket), service);
    tokio::select! {
        _ = served => {}
        () = line.dropped() => {}
    }
}

impl Desk {
    async fn answer(
        &self,
        request: Request<Incoming>,
        line: &Arc<Line>,
    ) -> Result<Response<PacedBody>, Abrupt> {
        let mut open = self.counters.open();
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let (parts, body) = request.into_parts();
        let mut knobs = Knobs::default();
        let reply = match Limited::new(body, MAX_BODY_BYTES).collect().await {
            Ok(body) => {
                let body = body.to_bytes();
                self.counters.remember(&parts, &body);
                self.reply(&parts, &body, serial, &mut knobs)
            }
            Err(error) if error.is::<LengthLimitError>() => Err(Refusal::wished(Kind::TooLarge)),
            // The client left while it sent.
            Err(_) => return Err(Abrupt),
        };
        let mut meter = None;
        let reply = reply.and_then(|reply| {
            meter = self.windows.take(&parts, &knobs, reply.tokens());
            match &meter {
                Some(meter) if meter.is_over() => Err(meter.refusal()),
                _ => Ok(reply),
            }
        });
        let request_id = self.request_id(serial);
        // Google answers a stream that is not asked for as events with an array, also where it refuses.
        let array = google::answers_array(self.vendor, &parts.uri);
        let mut reply = reply.unwrap_or_else(|mut refusal| {
            waits::say_in_body(&mut refusal, &knobs, self.vendor);
            Reply::refusal(self.vendor, &refusal, &request_id, array)
        });
        reply.apply(&knobs, self.vendor, &request_id);
        if reply.streamed {
            open.streams();
        }
        if knobs.first_ms > 0 && !(knobs.keepalive && reply.streamed) {
            tokio::time::sleep(Duration::from_millis(knobs.first_ms)).await;
        }
        line.apply(&knobs);
        if knobs.reset_before_head {
            open.failed();
            return Err(Abrupt);
        }
        open.begins(reply.prompt_tokens);
        let mut headers = self.headers(&reply, &knobs, &request_id);
        if let Some(meter) = &meter {
            meter.say_in_headers(&mut headers, self.vendor);
        }
        let gap = Duration::from_millis(knobs.gap_ms.unwrap_or(self.gap_ms));
        Ok(reply.into_response(headers, gap, open))
    }

    fn reply(&self, parts: &Parts, body: &Bytes, serial: u64, knobs: &mut Knobs) -> Result<Reply, Refusal> {
        let vendor = self.vendor;
        vendor.admit(&parts.headers, &parts.uri)?;
        Ok(match (self.vendor.route(&parts.method, parts.uri.path())?, vendor) {
            (Route::Models, Vendor::Anthropic) => Reply::json(anthropic::models()),
            (Route::Models, Vendor::Google) => Reply::json(google::models(&parts.uri)?),
            (Route::Models, _) => Reply::json(openai::models(vendor)),
            (Route::Model(id), Vendor::Anthropic) => Reply::json(anthropic::model(&id)?),
            (Route::Model(id), Vendor::Google) => Reply::json(google::model(&id)?),
            (Route::Model(id), _) => Reply::json(openai::model(vendor, &id)?),
            (Route::Chat { .. }, Vendor::Anthropic) => Reply::spoken(anthropic::chat(body, serial, knobs)?),
            (Route::CountTokens, _) => Reply::spoken(anthropic::count_tokens(body, knobs)?),
            (Route::Chat { deployment }, _) => {
                Reply::spoken(openai::chat(vendor, deployment.as_deref(), body, serial, knobs)?)
            }
            (Route::Responses, _) => Reply::spoken(responses::respond(vendor, body, serial, knobs)?),
            (Route::Google { model, method }, _) => {
                let call = google::Call { model: &model, method, uri: &parts.uri, serial };
                Reply::spoken(call.answer(body, knobs)?)
            }
            (Route::Other { operation, deployment }, _) => {
                let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
                let call = operations::Call {
                    vendor,
                    deployment: deployment.as_deref(),
                    content_type: content_type.unwrap_or_default(),
                    body,
                    serial,
                };
                Reply::spoken(call.answer(operation, knobs)?)
            }
        })
    }

    fn request_id(&self, serial: u64) -> String {
        format!("req_sandbox{serial:012x}")
    }

    /// As the vendor sends them. The limits are generous and never used up; resets lie in the past.
    fn headers(&self, reply: &Reply, knobs: &Knobs, request_id: &str) -> HeaderMap {
        let (id_header, fixed) = fixed_headers(self.vendor);
        let mut headers = HeaderMap::with_capacity(fixed.len() + 6);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.insert(HeaderName::from_static(id_header), id);
        }
        for &(name, value) in fixed {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        if reply.status == 405 {
            headers.insert(ALLOW, HeaderValue::from_static("GET, POST"));
        }
        if let Some(encoding) = reply.encoding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.token()));
        }
        waits::say_in_headers(&mut headers, knobs, self.vendor);
        headers
    }
}

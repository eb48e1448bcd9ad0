//! The only way out of the process: [`Upstream`] implements `lyss_wire::Transport` on hyper, HTTP/1.1 over TCP or TLS
//! (rustls with ring). Vendors, key sets and webhooks all leave through here.
//!
//! Must never know: a vendor, a dialect, a tenant, a price, what a body or a header value means. It never follows a
//! redirect, never reads a proxy variable, never asks for compression, and never logs more of a request than its host.
//!
//! Start reading at [`upstream`]: one `send`, from request to stream. [`egress`] decides which addresses may be
//! connected to, on the resolved address and never on text; `connect` resolves, filters, connects to exactly what was
//! filtered and enforces the connect timer; `pool` keeps connections and lets their users drive them; `socket` notices a
//! kept connection that died; `pieces` is the body that goes out, uploads included; `watch` is the other three timers;
//! `answer` is the stream that comes back, `coding` what it is read through when it comes compressed; `fault` sorts errors
//! into the closed list of `TransportClass`.
//!
//! How to add one more denied range: a row in `egress/ranges.rs`. One more coding: a file in `coding`, an arm of its
//! `Coder`. One more timer: `watch`. One more reason to fail: a
//! class in `lyss-wire`, a row in `fault`.

mod answer;
mod coding;
mod connect;
pub mod egress;
mod fault;
mod pieces;
mod pool;
mod settings;
mod socket;
mod target;
mod trust;
pub mod upstream;
mod watch;

pub use egress::{AllowedNetwork, EgressPolicy};
pub use settings::{UpstreamError, UpstreamSettings};
pub use upstream::Upstream;

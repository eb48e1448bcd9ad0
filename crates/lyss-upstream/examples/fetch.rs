//! Fetches one URL and prints the answer as it arrives:
//!
//! `cargo run -p lyss-upstream --example fetch -- https://example.com/`
//! `cargo run -p lyss-upstream --example fetch -- http://127.0.0.1:8080/ 127.0.0.1:8080`
//!
//! Arguments after the URL are allowlist entries; without them only https to public addresses goes out.

use std::io::Write;
use std::time::Duration;

use anyhow::Context;
use futures_util::StreamExt;
use http::{HeaderMap, Method};
use lyss_upstream::{Upstream, UpstreamSettings};
use lyss_wire::{EncodedRequest, RequestBody, Timers, Transport};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let uri = arguments.next().context("usage: fetch URL [ALLOW…]")?.parse()?;
    let egress = arguments.collect::<Vec<_>>().join(" ").parse()?;

    let upstream = Upstream::new(&UpstreamSettings { egress, ..UpstreamSettings::default() })?;
    let request = EncodedRequest::new(Method::GET, uri, HeaderMap::new(), RequestBody::default());
    let timers = Timers {
        connect: Duration::from_secs(5),
        first_byte: Duration::from_secs(30),
        idle: Duration::from_secs(30),
        total: Duration::from_secs(300),
    };
    let (head, mut body) = upstream.send(request, timers).await?;
    let mut out = std::io::stdout();
    writeln!(out, "{} {:?}\n", head.status, head.headers)?;
    while let Some(chunk) = body.next().await {
        out.write_all(&chunk?)?;
        out.flush()?;
    }
    Ok(())
}

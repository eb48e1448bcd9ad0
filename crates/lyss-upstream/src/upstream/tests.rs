//! Over real sockets on loopback, against servers written by hand.

mod answers;
mod compressed;
mod connecting;
mod reach;
mod server;
mod timing;
mod uploads;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, Method};
use lyss_wire::{ByteStream, EncodedRequest, RequestBody, Timers, Transport, TransportClass};

use crate::{AllowedNetwork, EgressPolicy, Upstream, UpstreamSettings};

/// Generous: a test that needs a timer shortens that one.
const TIMERS: Timers = Timers {
    connect: Duration::from_secs(20),
    first_byte: Duration::from_secs(20),
    idle: Duration::from_secs(20),
    total: Duration::from_secs(60),
};

const SOON: Duration = Duration::from_millis(200);

fn settings(allow: &[SocketAddr]) -> UpstreamSettings {
    let allow = allow.iter().copied().map(AllowedNetwork::exactly).collect();
    UpstreamSettings { egress: EgressPolicy { allow }, ..UpstreamSettings::default() }
}

fn upstream_to(address: SocketAddr) -> Upstream {
    Upstream::new(&settings(&[address])).unwrap()
}

fn get(uri: &str) -> EncodedRequest {
    EncodedRequest::new(Method::GET, uri.parse().unwrap(), HeaderMap::new(), RequestBody::default())
}

fn post(uri: &str, pieces: &[&'static str]) -> EncodedRequest {
    let mut body = RequestBody::default();
    for piece in pieces {
        body.push(Bytes::from_static(piece.as_bytes()));
    }
    EncodedRequest { method: Method::POST, body, ..get(uri) }
}

/// The class a request ends with, which never gets a head.
async fn refusal(upstream: &Upstream, request: EncodedRequest, timers: Timers) -> TransportClass {
    match upstream.send(request, timers).await {
        Ok((head, _)) => panic!("answered with {}", head.status),
        Err(error) => error.class,
    }
}

/// Status and whole body.
async fn whole(upstream: &Upstream, request: EncodedRequest) -> (u16, String) {
    let (head, body) = upstream.send(request, TIMERS).await.unwrap();
    let (text, end) = read_out(body).await;
    assert_eq!(end, None);
    (head.status.as_u16(), text)
}

/// All bytes until the end, and the error the stream ended with. Nothing may follow an end.
async fn read_out(mut body: ByteStream) -> (String, Option<TransportClass>) {
    let mut text = Vec::new();
    let end = loop {
        match body.next().await {
            Some(Ok(chunk)) => text.extend_from_slice(&chunk),
            Some(Err(error)) => break Some(error.class),
            None => break None,
        }
    };
    assert!(body.next().await.is_none(), "something follows the end");
    (String::from_utf8(text).unwrap(), end)
}

//! Connections: dead ones in the pool, TLS, and the connect timer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::mpsc as blocking;

use lyss_wire::{Timers, TransportClass};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::reach::Scripted;
use super::server::{Peer, Server, within};
use super::{SOON, TIMERS, get, post, refusal, settings, upstream_to, whole};
use crate::{Upstream, UpstreamError, UpstreamSettings};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// The test's runtime has one thread, and that thread blocks until the server has closed: so the pool cannot have seen
/// the close when the next request takes the dead connection.
#[tokio::test]
async fn a_kept_connection_found_dead_costs_nothing() {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (close, may_close) = blocking::channel();
    let (closed, seen_closed) = blocking::channel();
    let server = std::thread::spawn(move || {
        let mut requests = 0;
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n{}") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            requests += 1;
            stream.write_all(OK.as_bytes()).unwrap();
            may_close.recv().unwrap();
            drop(stream);
            closed.send(()).unwrap();
        }
        requests
    });
    let upstream = upstream_to(address);
    let url = format!("http://{address}/");
    for _ in 0..2 {
        assert_eq!(whole(&upstream, post(&url, &["{}"])).await, (200, "ok".into()));
        for _ in 0..100 {
            // Until the connection is back in the pool and waits for what comes next.
            tokio::task::yield_now().await;
        }
        close.send(()).unwrap();
        seen_closed.recv().unwrap();
        // Long enough unused to be looked at.
        std::thread::sleep(crate::socket::QUIET);
    }
    assert_eq!(server.join().unwrap(), 2);
}

#[tokio::test]
async fn a_request_that_was_written_is_never_sent_again() {
    let (seen, mut requests) = mpsc::unbounded_channel();
    let server = Server::start(move |mut peer, _| {
        let seen = seen.clone();
        async move {
            for answer in [OK, ""] {
                seen.send(peer.request().await.is_some()).unwrap();
                peer.say(answer).await;
            }
        }
    })
    .await;
    let upstream = upstream_to(server.address);
    whole(&upstream, post(&server.url("/"), &["{}"])).await;
    assert_eq!(refusal(&upstream, post(&server.url("/"), &["{}"]), TIMERS).await, TransportClass::Reset);
    drop(upstream);
    let address = server.address;
    drop(server);
    let mut count = 0;
    while let Some(true) = within(requests.recv()).await {
        count += 1;
    }
    assert_eq!(count, 2, "{address}");
}

/// Nobody uses or watches an idle connection: the sweep lets go of it.
#[tokio::test]
async fn a_connection_that_nobody_uses_is_let_go() {
    let (closed, mut seen_closed) = mpsc::unbounded_channel();
    let server = Server::start(move |mut peer, _| {
        let closed = closed.clone();
        async move {
            peer.request().await;
            peer.say(OK).await;
            peer.closed().await;
            closed.send(()).unwrap();
        }
    })
    .await;
    let settings = UpstreamSettings { pool_idle: SOON, ..settings(&[server.address]) };
    let upstream = Upstream::new(&settings).unwrap();
    whole(&upstream, get(&server.url("/"))).await;
    within(seen_closed.recv()).await.unwrap();
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn nobody_listens() {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let class = refusal(&upstream_to(address), get(&format!("http://{address}/")), TIMERS).await;
    assert_eq!(class, TransportClass::Connect);
}

struct Vendor {
    server: Server,
    root_pem: Vec<u8>,
    names: mpsc::UnboundedReceiver<Option<String>>,
}

/// A TLS server with a certificate for `vendor.test`, signed by itself. Tells which name each client asked for.
async fn vendor() -> Vendor {
    let signed = rcgen::generate_simple_self_signed(["vendor.test".to_owned()]).unwrap();
    let root_pem = signed.cert.pem().into_bytes();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (name, names) = mpsc::unbounded_channel();
    let server = Server::start(move |peer, _| {
        let (acceptor, name) = (acceptor.clone(), name.clone());
        async move {
            let Ok(stream) = acceptor.accept(peer.stream).await else { return };
            let _ = name.send(stream.get_ref().1.server_name().map(str::to_owned));
            let mut peer = Peer::new(stream);
            while peer.request().await.is_some() {
                peer.say(OK).await;
            }
        }
    })
    .await;
    Vendor { server, root_pem, names }
}

fn to_vendor(address: SocketAddr, extra_roots_pem: Vec<Vec<u8>>) -> Upstream {
    let settings = UpstreamSettings { extra_roots_pem, ..settings(&[address]) };
    Upstream::with_resolver(&settings, Scripted::always(address)).unwrap()
}

#[tokio::test]
async fn tls_with_an_operators_root_and_the_name_from_the_uri() {
    let mut vendor = vendor().await;
    let address = vendor.server.address;
    let url = format!("https://vendor.test:{}/", address.port());
    let upstream = to_vendor(address, vec![vendor.root_pem]);
    for _ in 0..2 {
        assert_eq!(whole(&upstream, get(&url)).await, (200, "ok".into()));
    }
    assert_eq!(vendor.names.recv().await.unwrap().as_deref(), Some("vendor.test"));
    assert_eq!(vendor.server.connections(), 1);
}

#[tokio::test]
async fn tls_that_cannot_be_trusted() {
    let vendor = vendor().await;
    let address = vendor.server.address;
    let url = |host: &str| format!("https://{host}:{}/", address.port());
    let stranger = to_vendor(address, Vec::new());
    assert_eq!(refusal(&stranger, get(&url("vendor.test")), TIMERS).await, TransportClass::Tls);
    let misnamed = to_vendor(address, vec![vendor.root_pem]);
    assert_eq!(refusal(&misnamed, get(&url("other.test")), TIMERS).await, TransportClass::Tls);
}

#[tokio::test]
async fn tls_to_a_server_that_speaks_none() {
    let server = Server::start(|mut peer, _| async move {
        peer.say("HTTP/1.1 400 Bad Request\r\n\r\n").await;
        peer.closed().await;
    })
    .await;
    let url = format!("https://{}/", server.address);
    assert_eq!(refusal(&upstream_to(server.address), get(&url), TIMERS).await, TransportClass::Tls);
}

#[tokio::test]
async fn a_handshake_that_hangs_is_the_connect_timer_and_not_the_first_byte() {
    let server = Server::start(|mut peer, _| async move { peer.closed().await }).await;
    let url = format!("https://{}/", server.address);
    // Shorter than the connector's own default, so that only the request's timer can be what ends it first.
    let timers = Timers { connect: SOON, first_byte: SOON * 10, ..TIMERS };
    assert_eq!(
        refusal(&upstream_to(server.address), get(&url), timers).await,
        TransportClass::ConnectTimeout
    );
    let timers = Timers { total: SOON, ..TIMERS };
    assert_eq!(refusal(&upstream_to(server.address), get(&url), timers).await, TransportClass::TotalTimeout);
}

#[test]
fn roots_that_are_none_are_named() {
    let broken: &[u8] = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (pem, index) in [(vec![b"not a certificate".to_vec()], 0), (vec![broken.to_vec()], 0)] {
        let settings = UpstreamSettings { extra_roots_pem: pem, ..UpstreamSettings::default() };
        match Upstream::new(&settings) {
            Err(UpstreamError::ExtraRoot { index: found, .. }) => assert_eq!(found, index),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("accepted"),
        }
    }
}

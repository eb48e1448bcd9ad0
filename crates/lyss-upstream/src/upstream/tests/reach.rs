//! What can be reached, proven by listeners that must stay lonely.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use http::Uri;
use lyss_wire::{BoxFuture, EncodedRequest, Timers, Transport, TransportClass};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::server::Server;
use super::{SOON, TIMERS, get, refusal, settings, upstream_to, whole};
use crate::connect::Resolve;
use crate::{Upstream, UpstreamSettings};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A resolver that gives these answers in turn, the last one for ever.
#[derive(Clone)]
pub(super) struct Scripted(Arc<Mutex<VecDeque<Vec<SocketAddr>>>>);

impl Scripted {
    pub(super) fn new(answers: impl IntoIterator<Item = Vec<SocketAddr>>) -> Self {
        Self(Arc::new(Mutex::new(answers.into_iter().collect())))
    }

    pub(super) fn always(address: SocketAddr) -> Box<dyn Resolve> {
        Box::new(Self::new([vec![address]]))
    }

    fn left(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Resolve for Scripted {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        let mut answers = self.0.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(async move { answer.ok_or(io::ErrorKind::NotFound.into()) })
    }
}

/// Ways to write one IPv4 address as a URI's host.
fn spellings(ip: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = ip.octets();
    let whole = ip.to_bits();
    let (high, low) = (whole >> 16, whole & 0xffff);
    vec![
        format!("{ip}"),
        format!("{ip}."),
        format!("{whole}"),
        format!("{whole:#x}"),
        format!("{whole:#X}"),
        format!("0{whole:o}"),
        format!("{a}.{}", whole & 0x00ff_ffff),
        format!("{a}.{b}.{low}"),
        format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("{a:#x}.{b}.0{c:o}.{d}"),
        format!("{a:03}.{b:03}.{c:03}.{d:03}"),
        format!("[::ffff:{ip}]"),
        format!("[::ffff:{high:x}:{low:x}]"),
        format!("[0:0:0:0:0:FFFF:{high:04X}:{low:04X}]"),
        format!("[::{ip}]"),
        format!("[::ffff:0:{ip}]"),
        format!("[64:ff9b::{ip}]"),
        format!("[64:ff9b:1::{ip}]"),
        format!("[2002:{high:x}:{low:x}::1]"),
        format!("[2001:0:{high:x}:{low:x}::1]"),
        format!("user@{ip}"),
        format!("api.vendor.example:443@{ip}"),
    ]
}

fn corpus(port: u16) -> Vec<String> {
    let inside =
        ["127.0.0.1", "127.0.0.2", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.0.1"];
    let metadata = ["169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "224.0.0.1"];
    let hosts = inside.into_iter().chain(metadata).flat_map(|text| spellings(text.parse().unwrap()));
    let names =
        ["[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[fe80::1]", "[fd00:ec2::254]", "[fec0::1]", "[ff02::1]"]
            .into_iter()
            .chain(["localhost", "LOCALHOST", "0", "0x0", "00", "127.1", "0x7f.1", "0177.1", "127.0.1"]);
    hosts
        .chain(names.map(str::to_owned))
        .flat_map(|host| [format!("http://{host}:{port}/"), format!("https://{host}:{port}/")])
        .chain([
            format!("ftp://127.0.0.1:{port}/"),
            format!("//127.0.0.1:{port}/"),
            "/only/a/path".to_owned(),
        ])
        .collect()
}

#[tokio::test]
async fn no_spelling_of_an_inside_address_is_connected_to() {
    let server = Server::answering(OK).await;
    let port = server.address.port();
    let upstream = Upstream::new(&UpstreamSettings::default()).unwrap();
    let mut sent = 0;
    for text in corpus(port) {
        // Some are no URI at all, which is as good.
        let Ok(uri) = text.parse::<Uri>() else { continue };
        let class = refusal(&upstream, EncodedRequest { uri, ..get("http://x/") }, TIMERS).await;
        assert_eq!(class, TransportClass::EgressDenied, "{text}");
        sent += 1;
    }
    assert!(sent >= 400, "only {sent} spellings were sent");
    // Connections are accepted in order: the first one accepted is this one.
    assert_eq!(whole(&upstream_to(server.address), get(&server.url("/"))).await, (200, "ok".into()));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn ports_beside_the_allowed_one_stay_closed() {
    let (open, closed) = (Server::answering(OK).await, Server::answering(OK).await);
    let upstream = upstream_to(open.address);
    assert_eq!(whole(&upstream, get(&open.url("/"))).await, (200, "ok".into()));
    assert_eq!(refusal(&upstream, get(&closed.url("/")), TIMERS).await, TransportClass::EgressDenied);
    assert_eq!(closed.connections(), 0);
}

#[tokio::test]
async fn a_name_that_changes_its_mind_is_judged_by_the_address_it_is_used_with() {
    let server = Server::answering(OK).await;
    let port = server.address.port();
    // Stands for a public address: permitted, with nobody there.
    let harmless = SocketAddr::from(([127, 0, 0, 9], port));
    let resolver = Scripted::new([vec![harmless], vec![server.address], vec![]]);
    let upstream = Upstream::with_resolver(&settings(&[harmless]), Box::new(resolver.clone())).unwrap();
    let url = format!("http://rebinding.test:{port}/");
    assert_eq!(refusal(&upstream, get(&url), TIMERS).await, TransportClass::Connect);
    assert_eq!(resolver.left(), 2, "one request asks once");
    assert_eq!(refusal(&upstream, get(&url), TIMERS).await, TransportClass::EgressDenied);
    assert_eq!(refusal(&upstream, get(&url), TIMERS).await, TransportClass::Dns);
    assert_eq!(whole(&upstream_to(server.address), get(&server.url("/"))).await, (200, "ok".into()));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn of_several_addresses_only_permitted_ones_are_tried_in_turn() {
    let server = Server::answering(OK).await;
    let port = server.address.port();
    let absent = SocketAddr::from(([127, 0, 0, 9], port));
    let answer = vec![SocketAddr::from(([10, 0, 0, 1], port)), absent, server.address];
    let upstream =
        Upstream::with_resolver(&settings(&[absent, server.address]), Box::new(Scripted::new([answer])))
            .unwrap();
    let url = format!("http://several.test:{port}/");
    assert_eq!(whole(&upstream, get(&url)).await, (200, "ok".into()));
}

#[tokio::test]
async fn the_port_is_the_uris_whatever_a_resolver_says() {
    let (server, other) = (Server::answering(OK).await, Server::answering(OK).await);
    let resolver = Scripted::always(other.address);
    let upstream = Upstream::with_resolver(&settings(&[server.address, other.address]), resolver).unwrap();
    let url = format!("http://vendor.test:{}/", server.address.port());
    assert_eq!(whole(&upstream, get(&url)).await, (200, "ok".into()));
    assert_eq!((server.connections(), other.connections()), (1, 0));
}

/// A listener whose queue is full and which never accepts: packets to it are swallowed.
async fn black_hole(address: SocketAddr) -> (socket2::Socket, Vec<TcpStream>) {
    let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    listener.bind(&address.into()).unwrap();
    listener.listen(0).unwrap();
    let mut queued = Vec::new();
    while let Ok(connected) = timeout(SOON, TcpStream::connect(address)).await {
        queued.push(connected.unwrap());
    }
    (listener, queued)
}

#[tokio::test]
async fn an_address_that_swallows_packets_leaves_time_for_the_next() {
    let server = Server::answering(OK).await;
    let port = server.address.port();
    let hole = SocketAddr::from(([127, 0, 0, 9], port));
    let _kept = black_hole(hole).await;
    let timers = Timers { connect: SOON * 10, ..TIMERS };
    let url = format!("http://several.test:{port}/");
    for (answer, expected) in
        [(vec![hole, server.address], None), (vec![hole], Some(TransportClass::ConnectTimeout))]
    {
        let resolver = Box::new(Scripted::new([answer]));
        let upstream = Upstream::with_resolver(&settings(&[hole, server.address]), resolver).unwrap();
        let sent = upstream.send(get(&url), timers).await;
        assert_eq!(sent.err().map(|error| error.class), expected);
    }
}

#[tokio::test]
async fn a_request_for_a_tunnel_is_refused() {
    let server = Server::answering(OK).await;
    let request = EncodedRequest { method: http::Method::CONNECT, ..get(&server.url("/")) };
    let sent = upstream_to(server.address).send(request, TIMERS).await;
    assert_eq!(sent.err().map(|error| error.class), Some(TransportClass::EgressDenied));
    assert_eq!(server.connections(), 0);
}

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use proptest::prelude::*;

use super::{AllowedNetwork, EgressPolicy};

/// Written from the design page and IANA's registries, apart from the table it checks.
const CLOSED: [&str; 31] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "::1/128",
    "::ffff:0:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/32",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
];

/// Public addresses, most of them right beside a closed range.
const PUBLIC: [&str; 31] = [
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "168.63.129.17",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.3.0",
    "192.88.98.255",
    "192.88.100.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "2001:200::",
    "2001:db9::1",
    "2003::1",
    "2606:4700::6810:1",
];

fn at(ip: IpAddr, port: u16) -> SocketAddr {
    SocketAddr::new(ip, port)
}

fn policy(text: &str) -> EgressPolicy {
    text.parse().unwrap()
}

#[test]
fn closed_ranges_are_closed_from_first_to_last_address() {
    for range in CLOSED {
        let net: IpNet = range.parse().unwrap();
        for ip in [net.network(), net.broadcast()] {
            assert!(!EgressPolicy::default().permits(true, at(ip, 443)), "{ip} of {range}");
        }
    }
}

#[test]
fn public_addresses_are_open_for_https_on_its_port_only() {
    let policy = EgressPolicy::default();
    for text in PUBLIC {
        let ip: IpAddr = text.parse().unwrap();
        assert!(policy.permits(true, at(ip, 443)), "{ip}");
        assert!(!policy.permits(false, at(ip, 443)), "http to {ip}");
        assert!(!policy.permits(true, at(ip, 8443)), "another port of {ip}");
        assert!(!policy.permits(false, at(ip, 80)), "plain http to {ip}");
    }
}

#[test]
fn the_allowlist_opens_networks_and_ports_and_nothing_beside_them() {
    let policy = policy("10.1.0.0/16, 127.0.0.1:9100\n192.168.1.0/24:8000-8100 [::1]:8080 8.8.8.8:8443");
    let open = ["10.1.0.0:1", "10.1.255.255:65535", "127.0.0.1:9100", "192.168.1.9:8000", "192.168.1.9:8100"]
        .into_iter()
        .chain(["[::1]:8080", "[::ffff:127.0.0.1]:9100", "8.8.8.8:8443"]);
    for address in open {
        let address = address.parse().unwrap();
        assert!(policy.permits(false, address) && policy.permits(true, address), "{address}");
    }
    let closed = ["10.2.0.0:443", "127.0.0.1:9101", "127.0.0.2:9100", "192.168.1.9:7999", "192.168.1.9:8101"]
        .into_iter()
        .chain(["[::1]:8081", "[::127.0.0.1]:9100", "[64:ff9b::10.1.0.1]:443", "8.8.8.8:8444"]);
    for address in closed {
        let address = address.parse().unwrap();
        assert!(!policy.permits(false, address) && !policy.permits(true, address), "{address}");
    }
}

#[test]
fn an_exact_entry_opens_one_listener() {
    let address: SocketAddr = "127.0.0.1:4000".parse().unwrap();
    let policy = EgressPolicy { allow: vec![AllowedNetwork::exactly(address)] };
    assert!(policy.permits(false, address));
    assert!(!policy.permits(false, "127.0.0.1:4001".parse().unwrap()));
}

#[test]
fn entries_are_read_as_written() {
    let entry = |text: &str| -> AllowedNetwork { text.parse().unwrap() };
    let network = |net: &str, ports| AllowedNetwork { net: net.parse().unwrap(), ports };
    assert_eq!(entry("10.1.2.3"), network("10.1.2.3/32", None));
    assert_eq!(entry("10.1.2.3:80"), network("10.1.2.3/32", Some(80..=80)));
    assert_eq!(entry("10.1.0.0/16:1-65535"), network("10.1.0.0/16", Some(1..=65535)));
    assert_eq!(entry("0.0.0.0/0"), network("0.0.0.0/0", None));
    assert_eq!(entry("fd00::/8"), network("fd00::/8", None));
    assert_eq!(entry("::1"), network("::1/128", None));
    assert_eq!(entry("[::1]"), network("::1/128", None));
    assert_eq!(entry("[::1]/128:8080"), network("::1/128", Some(8080..=8080)));
    assert_eq!(entry("[fd00::]/8:1-2"), network("fd00::/8", Some(1..=2)));
    assert_eq!(policy(" ,, \n"), EgressPolicy::default());
}

#[test]
fn entries_that_could_mean_something_else_are_refused() {
    let entries = ["localhost", "example.com:443", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x"];
    let ports = ["10.0.0.1:", "10.0.0.1:0", "10.0.0.1:70000", "10.0.0.1:9-8", "10.0.0.1:a-b", "10.0.0.1:1:2"];
    let six =
        ["[::1", "[::1]8080", "[::1]:", "::ffff:10.0.0.0/104", "::ffff:10.0.0.1", "fe80::1%eth0", "127.1"];
    for entry in entries.into_iter().chain(ports).chain(six) {
        assert!(entry.parse::<AllowedNetwork>().is_err(), "{entry}");
    }
}

/// Every way to write an IPv4 address into an IPv6 one that a translator or tunnel on the way may undo.
fn embeddings(v4: Ipv4Addr) -> Vec<(&'static str, Ipv6Addr)> {
    let [a, b, c, d] = v4.octets();
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    let server = (0xd05b, 0x70f2); // a public Teredo server
    vec![
        ("mapped", v4.to_ipv6_mapped()),
        ("compatible", Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low)),
        ("translated", Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low)),
        ("nat64", Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low)),
        ("local nat64", Ipv6Addr::new(0x64, 0xff9b, 1, 7, 0, 0, high, low)),
        ("6to4", Ipv6Addr::new(0x2002, high, low, 1, 0, 0, 0, 1)),
        ("teredo client", Ipv6Addr::new(0x2001, 0, server.0, server.1, 0, 0, !high, !low)),
        ("teredo server", Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !server.0, !server.1)),
        ("isatap", Ipv6Addr::new(0x2606, 0x4700, 1, 1, 0x200, 0x5efe, high, low)),
    ]
}

fn closed_v4() -> impl Strategy<Value = Ipv4Addr> {
    let nets: Vec<ipnet::Ipv4Net> = CLOSED.iter().filter_map(|range| range.parse().ok()).collect();
    (0..nets.len(), any::<u32>()).prop_map(move |(row, host)| {
        let net = nets[row];
        Ipv4Addr::from_bits(net.network().to_bits() | (host & net.hostmask().to_bits()))
    })
}

proptest! {
    #[test]
    fn a_closed_v4_is_closed_in_every_embedding(v4 in closed_v4(), port in prop::sample::select(vec![80u16, 443, 8080])) {
        prop_assert!(!EgressPolicy::default().permits(true, at(v4.into(), port)));
        // Even an operator who opens all of IPv6 opens nothing of IPv4 with it.
        let generous = policy("::/0");
        for (name, v6) in embeddings(v4) {
            if v6.is_loopback() || v6.is_unspecified() {
                continue; // `::1` and `::` are themselves, not 0.0.0.1 and 0.0.0.0
            }
            prop_assert!(!EgressPolicy::default().permits(true, at(v6.into(), port)), "{name} {v6}");
            prop_assert!(!generous.permits(true, at(v6.into(), port)), "{name} {v6} with ::/0 allowed");
            prop_assert!(!generous.permits(false, at(v6.into(), port)), "{name} {v6} over http");
        }
    }

    #[test]
    fn an_allowed_translator_leads_to_public_addresses(octets in any::<[u8; 4]>()) {
        let v4 = Ipv4Addr::from(octets);
        let open = EgressPolicy::default().permits(true, at(v4.into(), 443));
        for (name, v6) in embeddings(v4) {
            if !v6.is_loopback() && !v6.is_unspecified() {
                prop_assert_eq!(policy("::/0").permits(true, at(v6.into(), 443)), open, "{} {}", name, v6);
            }
        }
    }
}

//! Which addresses may be connected to. Pure: it is asked about an address that was already resolved, and the caller
//! connects to that very address, so neither an odd spelling nor a second DNS answer can lead elsewhere.
//!
//! Without an allowlist only `https` on port 443 of a public address is open. The operator's allowlist opens networks,
//! optionally per port, for `http` and `https` alike; no tenant can write to it.

mod ranges;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::str::FromStr;

use ipnet::IpNet;

use crate::UpstreamError;

const HTTPS_PORT: u16 = 443;

/// The operator's allowlist; the default is empty.
///
/// Text form: entries separated by commas or white space, see [`AllowedNetwork`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EgressPolicy {
    pub allow: Vec<AllowedNetwork>,
}

/// One opened network.
///
/// Text form: an address or a network, then optionally ports: `10.1.0.0/16`, `10.1.2.3`, `127.0.0.1/32:9100`,
/// `192.168.1.0/24:8000-8100`, `fd00::/8`, `[::1]:8080`, `[fd00::]/8:8080`. IPv6 needs brackets before ports. Bits
/// behind the prefix must be zero, so that a typing slip opens nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedNetwork {
    pub net: IpNet,
    /// `None` opens every port.
    pub ports: Option<RangeInclusive<u16>>,
}

impl EgressPolicy {
    /// Whether a connection to `address` may be made, for `https` (`tls`) or `http`.
    ///
    /// An IPv6 address that carries an IPv4 address (NAT64, 6to4, Teredo and their kin) is open only when the carried
    /// address is open too: allowing a translation prefix does not open the private network behind it. An IPv4-mapped
    /// address *is* the IPv4 address.
    pub fn permits(&self, tls: bool, address: SocketAddr) -> bool {
        let port = address.port();
        let ip = address.ip().to_canonical();
        let open = |ip: IpAddr| {
            (tls && port == HTTPS_PORT && ranges::is_public(ip))
                || self.allow.iter().any(|network| network.contains(ip, port))
        };
        open(ip) && ranges::carried_v4(ip).into_iter().flatten().all(|v4| open(IpAddr::V4(v4)))
    }
}

impl FromStr for EgressPolicy {
    type Err = UpstreamError;

    fn from_str(text: &str) -> Result<Self, UpstreamError> {
        let entries = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
        Ok(Self { allow: entries.map(str::parse).collect::<Result<_, _>>()? })
    }
}

impl AllowedNetwork {
    /// Exactly one address and port, for a listener of our own.
    pub fn exactly(address: SocketAddr) -> Self {
        let port = address.port();
        Self { net: IpNet::from(address.ip().to_canonical()), ports: Some(port..=port) }
    }

    fn contains(&self, ip: IpAddr, port: u16) -> bool {
        self.net.contains(&ip) && self.ports.as_ref().is_none_or(|ports| ports.contains(&port))
    }
}

impl FromStr for AllowedNetwork {
    type Err = UpstreamError;

    fn from_str(entry: &str) -> Result<Self, UpstreamError> {
        read_entry(entry).map_err(|reason| UpstreamError::AllowEntry { entry: entry.to_owned(), reason })
    }
}

fn read_entry(entry: &str) -> Result<AllowedNetwork, &'static str> {
    let (address, prefix, ports) = split_entry(entry)?;
    let ip: IpAddr = address.parse().map_err(|_| "not an IP address")?;
    if ip.to_canonical() != ip {
        return Err("write an IPv4-mapped address as IPv4");
    }
    let whole = IpNet::from(ip);
    let net = match prefix {
        None => whole,
        Some(text) => {
            let bits = text.parse().map_err(|_| "the prefix length is not a number")?;
            IpNet::new(ip, bits).map_err(|_| "the prefix length is too large")?
        }
    };
    if net.trunc() != net {
        return Err("bits are set behind the prefix");
    }
    Ok(AllowedNetwork { net, ports: ports.map(read_ports).transpose()? })
}

/// Address, prefix length and ports, as far as they are written.
fn split_entry(entry: &str) -> Result<(&str, Option<&str>, Option<&str>), &'static str> {
    let (address, rest) = match entry.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']').ok_or("the bracket is not closed")?,
        None => {
            // Without brackets two colons make an IPv6 address, which then cannot carry ports.
            let one_colon = entry.matches(':').count() < 2;
            let end = entry.find(|c| c == '/' || (c == ':' && one_colon)).unwrap_or(entry.len());
            entry.split_at(end)
        }
    };
    let (prefix, ports) = match rest.split_once(':') {
        Some((prefix, ports)) => (prefix, Some(ports)),
        None => (rest, None),
    };
    match prefix.strip_prefix('/') {
        Some(bits) => Ok((address, Some(bits), ports)),
        None if prefix.is_empty() => Ok((address, None, ports)),
        None => Err("expected `/prefix` or `:ports` after the address"),
    }
}

fn read_ports(text: &str) -> Result<RangeInclusive<u16>, &'static str> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0).ok_or("not a port");
    let (first, last) = (port(first)?, port(last)?);
    if first > last {
        return Err("the port range runs backwards");
    }
    Ok(first..=last)
}

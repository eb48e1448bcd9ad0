//! Where a URI points, as far as it may be sent to at all.

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use http::Uri;
use http::uri::Scheme;
use lyss_wire::{TransportClass, TransportError};
use rustls::pki_types::ServerName;

/// Scheme, host and port of a URI that has all it needs and nothing it must not have.
pub(crate) struct Target<'a> {
    pub(crate) tls: bool,
    /// A name, or an address without brackets.
    pub(crate) host: &'a str,
    pub(crate) port: u16,
}

impl<'a> Target<'a> {
    /// Refuses userinfo, another scheme than `http` and `https`, a missing host and a port that is not one.
    pub(crate) fn of(uri: &'a Uri) -> Result<Self, TransportError> {
        Self::read(uri).ok_or(TransportError { class: TransportClass::EgressDenied })
    }

    fn read(uri: &'a Uri) -> Option<Self> {
        let tls = uri.scheme()? == &Scheme::HTTPS;
        if !tls && uri.scheme()? != &Scheme::HTTP {
            return None;
        }
        // Nothing but the host, or the host and a port in plain digits: so no userinfo and no `host:` either.
        let host = uri.host()?;
        let port = match uri.authority()?.as_str().strip_prefix(host)? {
            "" => default_port(tls),
            rest => {
                let digits = rest.strip_prefix(':')?;
                let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
                digits.parse().ok().filter(|_| plain)?
            }
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        (!host.is_empty()).then_some(Self { tls, host, port })
    }

    /// The address, when the host is written as one in the usual spelling. Other spellings are left to the resolver,
    /// whose answer is checked like any; with the root's dot it would ask the network about an address.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.host.strip_suffix('.').unwrap_or(self.host).parse().ok()
    }

    /// The name the certificate must carry. Odd spellings of an address are no name and are refused.
    pub(crate) fn server_name(&self) -> Result<ServerName<'static>, TransportError> {
        ServerName::try_from(self.host.to_owned())
            .map_err(|_| TransportError { class: TransportClass::EgressDenied })
    }
}

fn default_port(tls: bool) -> u16 {
    if tls { 443 } else { 80 }
}

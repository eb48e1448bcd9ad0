//! From a stored virtual key to the proof that someone may call.

use std::net::IpAddr;

use ipnet::IpNet;
use lyss_domain::{Caller, KeyScope, TenantScope, Timestamp, VirtualKey};

use crate::permission::of_scopes;
use crate::principal::{Credential, KEY_NAME_PREFIX, Principal};

/// Why a caller is turned away. `Display` is what it may be told; [`Refusal::code`] is for logs and counters.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// No such key, or none was sent.
    #[error("the API key is not valid")]
    Unknown,
    #[error("the API key is not valid")]
    Revoked,
    #[error("the API key is not valid")]
    Expired,
    #[error("the API key may not be used from this address")]
    AddressNotAllowed,
    #[error("the API key does not have the scope this call needs")]
    ScopeMissing,
}

impl Refusal {
    /// Tells apart what the caller is not told apart: never sent to it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::AddressNotAllowed => "address_not_allowed",
            Self::ScopeMissing => "scope_missing",
        }
    }
}

/// Lets the holder of `entry` call the proxy, unless the key is revoked, has expired, is used from elsewhere than its
/// networks or lacks [`KeyScope::Proxy`]; the first that holds is answered.
///
/// `entry` must have been found by the digest of the key that was sent. `address` is the caller's as far as it is
/// trusted; a key with networks is refused where it is `None`. Any revocation date counts, also one
/// ahead of our clock: another replica stamped it.
#[expect(clippy::disallowed_methods, reason = "this is where a virtual key becomes a caller")]
pub fn authenticate(entry: &VirtualKey, now: Timestamp, address: Option<IpAddr>) -> Result<Caller, Refusal> {
    check(entry, now, address)?;
    if !entry.scopes.contains(&KeyScope::Proxy) {
        return Err(Refusal::ScopeMissing);
    }
    Ok(Caller::grant(TenantScope::grant(entry.tenant), entry.id, entry.scopes.clone()))
}

/// The holder of `entry` as a caller of the management API, under the same conditions as [`authenticate`] but for the
/// scope: what its scopes allow stands in the permissions, and may be nothing the management API asks for.
pub fn principal_of_key(
    entry: &VirtualKey,
    now: Timestamp,
    address: Option<IpAddr>,
) -> Result<Principal, Refusal> {
    check(entry, now, address)?;
    Ok(Principal {
        name: format!("{KEY_NAME_PREFIX}{}", entry.id),
        credential: Credential::Key(entry.id),
        permissions: of_scopes(&entry.scopes),
        home: Some(entry.tenant),
    })
}

/// Whether the key is alive and used from where it may be.
fn check(entry: &VirtualKey, now: Timestamp, address: Option<IpAddr>) -> Result<(), Refusal> {
    if entry.revoked_at.is_some() {
        return Err(Refusal::Revoked);
    }
    if entry.expires_at.is_some_and(|end| now >= end) {
        return Err(Refusal::Expired);
    }
    if !address_allowed(&entry.allowed_ips, address) {
        return Err(Refusal::AddressNotAllowed);
    }
    Ok(())
}

fn address_allowed(networks: &[String], address: Option<IpAddr>) -> bool {
    if networks.is_empty() {
        return true;
    }
    // A dual-stack listener shows IPv4 callers as `::ffff:a.b.c.d`.
    address.map(|a| a.to_canonical()).is_some_and(|address| networks.iter().any(|n| contains(n, address)))
}

/// A network in CIDR form or a single address. What is neither holds nobody.
fn contains(network: &str, address: IpAddr) -> bool {
    match network.parse::<IpNet>() {
        Ok(network) => network.contains(&address),
        Err(_) => network.parse::<IpAddr>().is_ok_and(|single| single.to_canonical() == address),
    }
}

#[cfg(test)]
mod tests;

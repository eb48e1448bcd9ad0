//! What one may give away: no more than one has. Whoever may rotate or widen a key may become it, so the rule is asked of
//! the key as it was and as it will be.

use std::net::IpAddr;

use ipnet::IpNet;
use lyss_auth::permission::of_scopes;
use lyss_domain::VirtualKey;
use lyss_repositories::UnitOfWork;

use crate::{Acting, ManagementError};

/// Refuses when one of the keys reaches beyond the actor: by a permission, or, where the actor is itself a key, by any
/// of its limits.
pub(super) async fn check(
    work: &mut dyn UnitOfWork,
    acting: &Acting<'_>,
    keys: &[&VirtualKey],
) -> Result<(), ManagementError> {
    let mut beyond = Vec::new();
    for key in keys {
        let wanted = of_scopes(&key.scopes).iter();
        beyond.extend(
            wanted.filter(|one| !acting.actor.permissions.has(*one)).map(lyss_auth::Permission::as_str),
        );
    }
    if let Some(id) = acting.actor.key {
        match work.keys().get(&acting.scope, id).await? {
            Some(grantor) => beyond.extend(keys.iter().flat_map(|key| reaches_beyond(&grantor, key))),
            // It was removed between being recognised and acting.
            None => beyond.push("key"),
        }
    }
    beyond.sort_unstable();
    beyond.dedup();
    if beyond.is_empty() { Ok(()) } else { Err(ManagementError::Exceeds(beyond)) }
}

/// The fields in which a key is less limited than its grantor.
fn reaches_beyond(grantor: &VirtualKey, key: &VirtualKey) -> Vec<&'static str> {
    let limits = (&grantor.limits, &key.limits);
    let fields = [
        ("models", !within(&grantor.models, &key.models, |own, model| covers_model(own, model))),
        ("channels", !within(&grantor.channels, &key.channels, |own, channel| own == channel)),
        ("tags", !within(&grantor.tags, &key.tags, |own, tag| own == tag)),
        ("allowed_ips", !within(&grantor.allowed_ips, &key.allowed_ips, |own, net| covers_network(own, net))),
        ("expires_at", !at_most(grantor.expires_at, key.expires_at)),
        ("limits.rpm", !at_most(limits.0.requests_per_minute, limits.1.requests_per_minute)),
        ("limits.tpm", !at_most(limits.0.tokens_per_minute, limits.1.tokens_per_minute)),
        ("may_steer", key.may_steer && !grantor.may_steer),
    ];
    fields.into_iter().filter(|(_, beyond)| *beyond).map(|(field, _)| field).collect()
}

/// An empty list means everything.
fn within<T>(own: &[T], wanted: &[T], covers: impl Fn(&T, &T) -> bool) -> bool {
    own.is_empty() || !wanted.is_empty() && wanted.iter().all(|one| own.iter().any(|mine| covers(mine, one)))
}

/// `None` means no limit.
fn at_most<T: PartialOrd>(own: Option<T>, wanted: Option<T>) -> bool {
    own.is_none_or(|own| wanted.is_some_and(|wanted| wanted <= own))
}

fn covers_model(own: &str, wanted: &str) -> bool {
    match own.strip_suffix('*') {
        Some(prefix) => wanted.strip_suffix('*').unwrap_or(wanted).starts_with(prefix),
        None => own == wanted,
    }
}

fn covers_network(own: &str, wanted: &str) -> bool {
    match (network(own), network(wanted)) {
        (Some(own), Some(wanted)) => own.contains(&wanted),
        _ => false,
    }
}

/// A network in CIDR form, or a single address.
pub(super) fn network(text: &str) -> Option<IpNet> {
    let single = || text.parse::<IpAddr>().ok().map(|address| IpNet::from(address.to_canonical()));
    text.parse::<IpNet>().ok().or_else(single)
}

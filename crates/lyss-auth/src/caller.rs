//! A token's principal as a caller of the proxy.

use lyss_domain::{Caller, KeyDigest, KeyId, KeyLimits, KeyScope, TenantScope, Timestamp, VirtualKey};
use ring::digest;
use uuid::Builder;

use crate::permission::Permission;
use crate::principal::{Credential, Denial, Principal};

/// Lets the holder of a token call models for the tenant of `scope`, as what the pipeline knows: a caller with an entry.
/// The entry is nobody's stored key; its id is the same for the same tenant and subject, so that windows and records of
/// one person stay together.
///
/// # Errors
/// [`Denial::Lacks`] without [`Permission::CallModels`], and for a virtual key, which has an entry and limits of its
/// own; [`Denial::ForeignTenant`] when the scope is not the principal's.
#[expect(clippy::disallowed_methods, reason = "this is where a token's principal becomes a caller")]
pub fn caller_of_token(principal: &Principal, scope: TenantScope) -> Result<(Caller, VirtualKey), Denial> {
    principal.permit(Permission::CallModels)?;
    if matches!(principal.credential, Credential::Key(_)) {
        return Err(Denial::Lacks(Permission::CallModels));
    }
    if principal.home.is_some_and(|home| home != scope.tenant()) {
        return Err(Denial::ForeignTenant);
    }
    let entry = entry(&principal.name, scope);
    Ok((Caller::grant(scope, entry.id, entry.scopes.clone()), entry))
}

/// The only place that makes an entry for a token.
fn entry(subject: &str, scope: TenantScope) -> VirtualKey {
    VirtualKey {
        id: id(subject, scope),
        tenant: scope.tenant(),
        name: subject.to_owned(),
        // No key has this digest, so nobody can present it.
        digest: KeyDigest([0; 32]),
        previous: None,
        hint: "token".to_owned(),
        scopes: vec![KeyScope::Proxy],
        models: vec![],
        channels: vec![],
        tags: vec![],
        allowed_ips: vec![],
        limits: KeyLimits::default(),
        strategy: None,
        may_steer: true,
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
        version: 0,
    }
}

/// A version 8 UUID (RFC 9562, section 5.8): SHA-256 over tenant, `|`, subject. A tenant's id has no `|` in it.
fn id(subject: &str, scope: TenantScope) -> KeyId {
    let digest = digest::digest(&digest::SHA256, format!("{}|{subject}", scope.tenant()).as_bytes());
    let bytes = digest.as_ref().first_chunk().copied().unwrap_or_default();
    KeyId(Builder::from_custom_bytes(bytes).into_uuid())
}

#[cfg(test)]
mod tests;

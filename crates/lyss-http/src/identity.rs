//! Who is asking: a virtual key or a JSON web token, in whichever header the SDK sends it. Keys are found by their digest
//! in the picture in force; tokens are verified over their issuer's keys. Both give a principal, or a caller of the proxy.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use lyss_auth::{Denial, Home, Principal, Refusal, TokenRefusal, Tokens};
use lyss_catalog::Catalog;
use lyss_domain::{KeyDigest, TenantId, Timestamp};
use lyss_management::Transport;
use tokio::runtime::Handle;

/// Digests a presented key. Made by the binary from the vault's key for this purpose.
pub type Digester = Arc<dyn Fn(&[u8]) -> KeyDigest + Send + Sync>;

/// How long a client waits before it asks again for what is away.
pub(crate) const AWAY: Duration = Duration::from_secs(1);

/// Names the tenant that a platform administrator acts for, by id or slug.
pub const TENANT_HEADER: &str = "x-tenant-id";

/// Verifies tokens.
#[derive(Clone)]
pub struct TokenCheck {
    pub tokens: Arc<Tokens>,
    /// Where key sets are fetched through.
    pub transport: Arc<dyn Transport>,
    /// Where a fetch runs to its end, whoever hangs up meanwhile.
    pub runtime: Handle,
}

/// Why nobody was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unproven {
    /// No header held anything.
    Missing,
    /// Neither a key of ours nor a token.
    Unreadable,
    Key(Refusal),
    Token(TokenRefusal),
}

impl Unproven {
    /// For logs and the audit log; never sent to the caller.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::Key(refusal) => refusal.code(),
            Self::Token(refusal) => refusal.code(),
        }
    }

    /// Nothing is known about the credential, least of all that it is not valid.
    pub const fn is_outage(self) -> bool {
        matches!(self, Self::Token(TokenRefusal::Unavailable))
    }
}

/// The key or token of a request.
pub(crate) fn presented(request: &HttpRequest) -> Option<&[u8]> {
    let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    lyss_auth::extract(headers)
}

/// The caller's address as far as it is trusted: that of the connection.
pub(crate) fn address(request: &HttpRequest) -> Option<IpAddr> {
    request.peer_addr().map(|peer| peer.ip())
}

/// Method and pattern: what was matched, and never what a `Host` header or an absolute address makes of it.
pub(crate) fn route(request: &HttpRequest) -> String {
    let pattern = request.match_pattern();
    format!("{} {}", request.method(), pattern.as_deref().unwrap_or("unknown"))
}

impl TokenCheck {
    pub(crate) async fn verify(
        &self,
        token: &[u8],
        catalog: &Arc<Catalog>,
        now: Timestamp,
    ) -> Result<Principal, TokenRefusal> {
        let resolve = resolver(catalog);
        if let Some(known) = self.tokens.verify_cached(token, now, &resolve) {
            return known;
        }
        let (tokens, transport, token) =
            (Arc::clone(&self.tokens), Arc::clone(&self.transport), token.to_vec());
        let verified =
            self.runtime.spawn(async move { tokens.verify(&token, now, &*transport, resolve).await });
        verified.await.unwrap_or(Err(TokenRefusal::Unavailable))
    }
}

/// Which tenant a request names beside its credential. To a tenant's own principal every other name is foreign, whether
/// there is such a tenant or not.
pub(crate) fn named_tenant(
    request: &HttpRequest,
    principal: &Principal,
    catalog: &Catalog,
) -> Result<Option<TenantId>, Misnamed> {
    let Some(name) = request.headers().get(TENANT_HEADER) else { return Ok(None) };
    let found = name.to_str().ok().and_then(|name| catalog.tenant_named(name.trim()));
    match found {
        Some(entry) => Ok(Some(entry.tenant.id)),
        None if principal.home.is_some() => Err(Misnamed::Denied(Denial::ForeignTenant)),
        None => Err(Misnamed::Unknown),
    }
}

/// Why the header names no tenant to act for.
pub(crate) enum Misnamed {
    Denied(Denial),
    Unknown,
}

fn resolver(catalog: &Arc<Catalog>) -> impl Fn(&str) -> Option<Home> + Send + Sync + 'static {
    let catalog = Arc::clone(catalog);
    move |name| {
        let tenant = &catalog.tenant_named(name)?.tenant;
        Some(Home { tenant: tenant.id, since: tenant.created_at })
    }
}

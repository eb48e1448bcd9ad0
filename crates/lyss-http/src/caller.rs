//! Who is asking: a virtual key in whichever header the SDK sends, found by its digest in the table in force.

use std::sync::Arc;

use actix_web::HttpRequest;
use lyss_adapters::Fault;
use lyss_auth::Refusal;
use lyss_domain::{Caller, Clock, FaultKind, KeyDigest, VirtualKey};
use lyss_proxy::RouteTable;

/// Digests a presented key. Made by the binary from the vault's key for this purpose.
pub type Digester = Arc<dyn Fn(&[u8]) -> KeyDigest + Send + Sync>;

/// Turns a request's credential into a caller.
#[derive(Clone)]
pub struct Doorkeeper {
    digester: Digester,
}

/// A caller of the proxy, with the key that proved it.
pub struct Admittee {
    pub caller: Caller,
    pub key: Arc<VirtualKey>,
}

impl Doorkeeper {
    pub fn new(digester: Digester) -> Self {
        Self { digester }
    }

    /// Unknown, revoked and expired keys answer the same.
    pub fn admit(
        &self,
        request: &HttpRequest,
        table: &RouteTable,
        clock: &dyn Clock,
    ) -> Result<Admittee, Fault> {
        let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let presented = lyss_auth::extract(headers).ok_or_else(missing)?;
        if !lyss_auth::looks_valid(presented) {
            return Err(refused(Refusal::Unknown));
        }
        let digest = (self.digester)(presented);
        let (key, found_by) = table.catalog().key(&digest).ok_or_else(|| refused(Refusal::Unknown))?;
        let now = clock.now();
        if !found_by.holds(now) {
            return Err(refused(Refusal::Expired));
        }
        let address = request.peer_addr().map(|peer| peer.ip());
        let caller = lyss_auth::authenticate(key, now, address).map_err(refused)?;
        Ok(Admittee { caller, key: Arc::clone(key) })
    }
}

fn missing() -> Fault {
    Fault {
        vendor_code: Some("invalid_api_key".to_owned()),
        ..Fault::new(
            FaultKind::Unauthenticated,
            "No API key was sent. Send your key as 'Authorization: Bearer sk-lyss-…'.",
        )
    }
}

fn refused(refusal: Refusal) -> Fault {
    match refusal {
        Refusal::Unknown | Refusal::Revoked | Refusal::Expired => Fault {
            vendor_code: Some("invalid_api_key".to_owned()),
            ..Fault::new(FaultKind::Unauthenticated, "The API key is not valid.")
        },
        Refusal::AddressNotAllowed | Refusal::ScopeMissing => {
            Fault::new(FaultKind::Forbidden, "This API key may not be used here.")
        }
    }
}

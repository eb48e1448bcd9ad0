//! The door: from a request's credential to a caller of the proxy, or to a principal of the management API.

use std::sync::Arc;

use actix_web::HttpRequest;
use lyss_adapters::Fault;
use lyss_auth::{Denial, Permission, Principal, Refusal, TokenRefusal};
use lyss_catalog::Catalog;
use lyss_domain::{Caller, Clock, FaultKind, Timestamp, VirtualKey};
use lyss_proxy::RouteTable;

use crate::identity::{self, Digester, Misnamed, TokenCheck, Unproven};
use crate::manage::use_cases::{Denied, UseCases};

/// Turns a request's credential into whoever holds it.
#[derive(Clone)]
pub struct Doorkeeper {
    digester: Digester,
    tokens: Option<TokenCheck>,
    /// Who is told of refusals.
    witness: Option<UseCases>,
}

/// A caller of the proxy, with the key that proved it, or what stands for one.
pub struct Admittee {
    pub caller: Caller,
    pub key: Arc<VirtualKey>,
}

impl Doorkeeper {
    /// For virtual keys alone.
    pub fn new(digester: Digester) -> Self {
        Self { digester, tokens: None, witness: None }
    }

    /// For tokens too.
    pub fn with_tokens(self, tokens: TokenCheck) -> Self {
        Self { tokens: Some(tokens), ..self }
    }

    /// Refusals at this door go into the audit log.
    pub fn telling(self, witness: UseCases) -> Self {
        Self { witness: Some(witness), ..self }
    }

    /// A caller of the proxy. Unknown, revoked and expired keys answer the same.
    pub async fn admit(
        &self,
        request: &HttpRequest,
        table: &RouteTable,
        clock: &dyn Clock,
    ) -> Result<Admittee, Fault> {
        let (catalog, now) = (table.catalog(), clock.now());
        let refused = |why: Unproven| {
            self.tell_unproven(request, why);
            unproven(why)
        };
        let presented = identity::presented(request).ok_or_else(|| refused(Unproven::Missing))?;
        if lyss_auth::looks_like_token(presented) {
            let principal = self.by_token(presented, catalog, now).await.map_err(refused)?;
            return self.token_caller(request, principal, catalog);
        }
        let key = self.by_key(presented, catalog, now).map_err(refused)?;
        let caller = lyss_auth::authenticate(key, now, identity::address(request));
        let caller = caller.map_err(|refusal| refused(Unproven::Key(refusal)))?;
        Ok(Admittee { caller, key: Arc::clone(key) })
    }

    /// Who stands before the management API, whatever it may do there.
    pub async fn principal(
        &self,
        request: &HttpRequest,
        catalog: &Arc<Catalog>,
        now: Timestamp,
    ) -> Result<Principal, Unproven> {
        let presented = identity::presented(request).ok_or(Unproven::Missing)?;
        if lyss_auth::looks_like_token(presented) {
            return self.by_token(presented, catalog, now).await;
        }
        let key = self.by_key(presented, catalog, now)?;
        lyss_auth::principal_of_key(key, now, identity::address(request)).map_err(Unproven::Key)
    }

    async fn by_token(
        &self,
        token: &[u8],
        catalog: &Arc<Catalog>,
        now: Timestamp,
    ) -> Result<Principal, Unproven> {
        let check = self.tokens.as_ref().ok_or(Unproven::Token(TokenRefusal::UnknownIssuer))?;
        check.verify(token, catalog, now).await.map_err(Unproven::Token)
    }

    fn by_key<'a>(
        &self,
        presented: &[u8],
        catalog: &'a Catalog,
        now: Timestamp,
    ) -> Result<&'a Arc<VirtualKey>, Unproven> {
        if !lyss_auth::looks_valid(presented) {
            return Err(Unproven::Unreadable);
        }
        let digest = (self.digester)(presented);
        let (key, found_by) = catalog.key(&digest).ok_or(Unproven::Key(Refusal::Unknown))?;
        if found_by.holds(now) { Ok(key) } else { Err(Unproven::Key(Refusal::Expired)) }
    }

    fn token_caller(
        &self,
        request: &HttpRequest,
        principal: Principal,
        catalog: &Catalog,
    ) -> Result<Admittee, Fault> {
        let refused = |principal: &Principal, denial: Denial| {
            self.tell_denied(request, principal, denial);
            Fault::new(FaultKind::Forbidden, format!("{denial}."))
        };
        let named = match identity::named_tenant(request, &principal, catalog) {
            Ok(named) => named,
            Err(Misnamed::Denied(denial)) => return Err(refused(&principal, denial)),
            Err(Misnamed::Unknown) => {
                let message = "There is no tenant as X-Tenant-Id names it.";
                return Err(Fault::new(FaultKind::Forbidden, message));
            }
        };
        let entitled = principal.entitle(Permission::CallModels, named);
        let caller = entitled.and_then(|scope| lyss_auth::caller_of_token(&principal, scope));
        let (caller, entry) = caller.map_err(|denial| refused(&principal, denial))?;
        Ok(Admittee { caller, key: Arc::new(entry) })
    }

    /// What could not be found out is no failed login.
    fn tell_unproven(&self, request: &HttpRequest, why: Unproven) {
        if let Some(witness) = self.witness.as_ref().filter(|_| !why.is_outage()) {
            witness.failed_login(identity::address(request).map(|address| address.to_string()), why.code());
        }
    }

    fn tell_denied(&self, request: &HttpRequest, principal: &Principal, denial: Denial) {
        let Some(witness) = &self.witness else { return };
        witness.denied(Denied {
            principal: principal.clone(),
            address: identity::address(request).map(|address| address.to_string()),
            action: Permission::CallModels.as_str(),
            target: identity::route(request),
            reason: denial.to_string(),
        });
    }
}

fn unproven(why: Unproven) -> Fault {
    let invalid = |message: &str| Fault {
        vendor_code: Some("invalid_api_key".to_owned()),
        ..Fault::new(FaultKind::Unauthenticated, message)
    };
    match why {
        Unproven::Missing => {
            invalid("No API key was sent. Send your key as 'Authorization: Bearer sk-lyss-…'.")
        }
        Unproven::Key(Refusal::AddressNotAllowed | Refusal::ScopeMissing) => {
            Fault::new(FaultKind::Forbidden, "This API key may not be used here.")
        }
        Unproven::Unreadable | Unproven::Key(_) => invalid("The API key is not valid."),
        Unproven::Token(TokenRefusal::Unavailable) => Fault {
            retry_after: Some(identity::AWAY),
            ..Fault::new(FaultKind::Unavailable, "Tokens cannot be verified at the moment.")
        },
        Unproven::Token(TokenRefusal::Expired) => invalid("The token has expired."),
        Unproven::Token(_) => invalid("The token is not valid."),
    }
}

#[cfg(test)]
mod tests;

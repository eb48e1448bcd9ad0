use lyss_domain::{Role, TenantId};
use uuid::Uuid;

use super::*;
use crate::permission::{of_role, of_scopes};

const TENANT: TenantId = TenantId(Uuid::from_u128(1));

fn principal(role: Role, name: &str, home: Option<TenantId>) -> Principal {
    let credential = Credential::Token(role);
    Principal { name: name.to_owned(), credential, permissions: of_role(role), home }
}

#[expect(clippy::disallowed_methods, reason = "a test stands in for an entitled principal")]
fn scope(tenant: u128) -> TenantScope {
    TenantScope::grant(TenantId(Uuid::from_u128(tenant)))
}

fn id_of(name: &str, tenant: u128) -> KeyId {
    caller_of_token(&principal(Role::PlatformAdmin, name, None), scope(tenant)).unwrap().0.key()
}

#[test]
fn a_developer_calls_models_as_itself_without_limits() {
    let (caller, entry) =
        caller_of_token(&principal(Role::Developer, "anna", Some(TENANT)), scope(1)).unwrap();
    assert_eq!((caller.tenant(), caller.key()), (TENANT, entry.id));
    assert!(caller.may(KeyScope::Proxy) && !caller.may(KeyScope::ManagementRead));
    assert_eq!((entry.tenant, entry.name.as_str(), entry.limits), (TENANT, "anna", KeyLimits::default()));
    assert!(entry.may_steer);
    // The pipeline's own checks let it through.
    assert!(crate::authenticate(&entry, Timestamp::from_millis(1), None).is_ok());
}

#[test]
fn who_may_not_call_models_is_no_caller() {
    let lacks = Err(Denial::Lacks(Permission::CallModels));
    assert_eq!(caller_of_token(&principal(Role::Viewer, "v", Some(TENANT)), scope(1)), lacks);
    let foreign = caller_of_token(&principal(Role::Developer, "d", Some(TENANT)), scope(2));
    assert_eq!(foreign, Err(Denial::ForeignTenant));
    // A virtual key has limits, which this way around would be lost.
    let key = Principal {
        name: "key:1".to_owned(),
        credential: Credential::Key(KeyId(Uuid::from_u128(1))),
        permissions: of_scopes(&KeyScope::ALL),
        home: Some(TENANT),
    };
    assert_eq!(caller_of_token(&key, scope(1)), lacks);
}

/// Written out by Python's `hashlib` from the description.
#[test]
fn the_same_person_of_the_same_tenant_has_the_same_id() {
    assert_eq!(id_of("anna", 1).to_string(), ANNA);
    assert_eq!(id_of("anna", 1).0.get_version_num(), 8);
    assert_ne!(id_of("anna", 1), id_of("anna", 2));
    assert_ne!(id_of("anna", 1), id_of("bob", 1));
}

const ANNA: &str = "484874ae-4763-8a48-80ed-f2bf875bcc55";

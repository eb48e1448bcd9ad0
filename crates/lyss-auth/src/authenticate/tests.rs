use lyss_domain::{KeyDigest, KeyId, KeyLimits, TenantId};
use uuid::Uuid;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

fn entry() -> VirtualKey {
    VirtualKey {
        id: KeyId(Uuid::from_u128(1)),
        tenant: TenantId(Uuid::from_u128(2)),
        name: "app".to_owned(),
        digest: KeyDigest([0; 32]),
        previous: None,
        hint: "…".to_owned(),
        scopes: vec![KeyScope::Proxy],
        models: vec![],
        channels: vec![],
        tags: vec![],
        allowed_ips: vec![],
        limits: KeyLimits::default(),
        strategy: None,
        may_steer: false,
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
        created_at: NOW,
        updated_at: NOW,
        version: 1,
    }
}

fn refusal(entry: &VirtualKey) -> Option<Refusal> {
    authenticate(entry, NOW, Some(IpAddr::from([10, 1, 2, 3]))).err()
}

#[test]
fn a_good_key_gives_its_tenants_caller() {
    let scopes = vec![KeyScope::Proxy, KeyScope::ManagementRead];
    let entry = VirtualKey { scopes, ..entry() };
    let caller = authenticate(&entry, NOW, None).unwrap();
    assert_eq!((caller.tenant(), caller.key()), (entry.tenant, entry.id));
    assert!(caller.may(KeyScope::Proxy) && caller.may(KeyScope::ManagementRead));
    assert!(!caller.may(KeyScope::ManagementWrite));
}

#[test]
fn each_reason_refuses_and_the_first_is_answered() {
    let at = |millis| Some(Timestamp::from_millis(millis));
    let elsewhere = vec!["192.0.2.0/24".to_owned()];
    let cases = [
        (entry(), None),
        (VirtualKey { expires_at: at(1_000_001), ..entry() }, None),
        (VirtualKey { expires_at: at(1_000_000), ..entry() }, Some(Refusal::Expired)),
        (VirtualKey { revoked_at: at(999_999), ..entry() }, Some(Refusal::Revoked)),
        // Stamped by a replica whose clock is ahead.
        (VirtualKey { revoked_at: at(1_000_500), ..entry() }, Some(Refusal::Revoked)),
        (VirtualKey { allowed_ips: elsewhere.clone(), ..entry() }, Some(Refusal::AddressNotAllowed)),
        (VirtualKey { scopes: vec![], ..entry() }, Some(Refusal::ScopeMissing)),
        (VirtualKey { scopes: vec![KeyScope::ManagementWrite], ..entry() }, Some(Refusal::ScopeMissing)),
        (VirtualKey { revoked_at: at(1), expires_at: at(1), ..entry() }, Some(Refusal::Revoked)),
        // A dead key does not tell a stranger where it was once at home.
        (VirtualKey { expires_at: at(1), allowed_ips: elsewhere, ..entry() }, Some(Refusal::Expired)),
    ];
    for (entry, expected) in cases {
        assert_eq!(refusal(&entry), expected, "{entry:?}");
    }
}

#[test]
fn a_key_is_a_principal_of_its_own_tenant_with_what_its_scopes_allow() {
    use crate::permission::{Permission, Permissions};

    let none = VirtualKey { scopes: vec![], ..entry() };
    let proxy = entry();
    let reads = VirtualKey { scopes: vec![KeyScope::ManagementRead], ..entry() };
    for (entry, permissions) in [
        (&none, Permissions::NONE),
        (&proxy, of_scopes(&[KeyScope::Proxy])),
        (&reads, of_scopes(&[KeyScope::ManagementRead])),
    ] {
        let principal = principal_of_key(entry, NOW, None).unwrap();
        assert_eq!(principal.name, format!("key:{}", entry.id));
        assert_eq!(principal.credential, Credential::Key(entry.id));
        assert_eq!((principal.permissions, principal.home), (permissions, Some(entry.tenant)));
    }
    let reads = principal_of_key(&reads, NOW, None).unwrap();
    assert!(reads.permit(Permission::ReadKeys).is_ok() && reads.permit(Permission::CallModels).is_err());
}

#[test]
fn what_refuses_a_call_refuses_the_management_too() {
    let at = |millis| Some(Timestamp::from_millis(millis));
    let elsewhere = vec!["192.0.2.0/24".to_owned()];
    for (entry, expected) in [
        (VirtualKey { expires_at: at(1_000_000), ..entry() }, Refusal::Expired),
        (VirtualKey { revoked_at: at(1_000_500), ..entry() }, Refusal::Revoked),
        (VirtualKey { allowed_ips: elsewhere, ..entry() }, Refusal::AddressNotAllowed),
    ] {
        assert_eq!(refusal(&entry), Some(expected));
        let address = Some(IpAddr::from([10, 1, 2, 3]));
        assert_eq!(principal_of_key(&entry, NOW, address), Err(expected));
    }
}

#[test]
fn only_addresses_of_the_networks_are_let_in() {
    let cases: [(&[&str], &str, bool); 14] = [
        (&["10.0.0.0/8"], "10.1.2.3", true),
        (&["10.0.0.0/8"], "11.1.2.3", false),
        (&["10.1.2.3/8"], "10.200.0.1", true),
        (&["10.1.2.3"], "10.1.2.3", true),
        (&["10.1.2.3"], "10.1.2.4", false),
        (&["10.0.0.0/8"], "::ffff:10.1.2.3", true),
        (&["::ffff:10.1.2.3"], "10.1.2.3", true),
        (&["2001:db8::/32"], "2001:db8:1::1", true),
        (&["2001:db8::/32"], "2001:db9::1", false),
        (&["0.0.0.0/0"], "2001:db8::1", false),
        (&["192.0.2.0/24", "10.0.0.0/8"], "10.1.2.3", true),
        (&["not a network"], "10.1.2.3", false),
        (&[""], "10.1.2.3", false),
        (&["10.0.0.0/33", "*"], "10.1.2.3", false),
    ];
    for (networks, address, allowed) in cases {
        let entry = VirtualKey { allowed_ips: networks.iter().map(|n| (*n).to_owned()).collect(), ..entry() };
        let result = authenticate(&entry, NOW, Some(address.parse().unwrap()));
        assert_eq!(result.is_ok(), allowed, "{networks:?} {address}");
    }
    let bound = VirtualKey { allowed_ips: vec!["0.0.0.0/0".to_owned()], ..entry() };
    assert_eq!(authenticate(&bound, NOW, None), Err(Refusal::AddressNotAllowed));
}

#[test]
fn callers_cannot_tell_unknown_from_revoked_from_expired() {
    let told = [Refusal::Unknown, Refusal::Revoked, Refusal::Expired].map(|r| r.to_string());
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0], told[2]);
}

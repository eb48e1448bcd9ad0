use proptest::prelude::*;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::*;
use crate::sample::{
    API_KEY, BINDING, CREDENTIAL_HEX, DATA_KEY_HEX, TENANT, golden_vault, key, plain, secret,
};

fn golden_key() -> DataKey {
    DataKey::new(TENANT, 7, Zeroizing::new(key(DATA_KEY_HEX))).unwrap()
}

fn open(key: &DataKey, binding: &CredentialBinding<'_>, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
    golden_vault().open_credential(key, binding, sealed).map(|secret| plain(&secret).to_vec())
}

fn sealed() -> Vec<u8> {
    golden_vault().seal_credential(&golden_key(), &BINDING, &secret()).unwrap()
}

#[test]
fn a_credential_sealed_by_another_implementation_opens() {
    let blob = hex::decode(CREDENTIAL_HEX).unwrap();
    assert_eq!(open(&golden_key(), &BINDING, &blob).unwrap(), API_KEY.as_bytes());
}

#[test]
fn a_credential_opens_for_its_own_binding_only() {
    let sealed = sealed();
    assert_eq!(open(&golden_key(), &BINDING, &sealed).unwrap(), API_KEY.as_bytes());
    let others = [
        CredentialBinding { tenant: TenantId(Uuid::from_u128(9)), ..BINDING },
        CredentialBinding { channel: ChannelId(Uuid::from_u128(9)), ..BINDING },
        CredentialBinding { provider: "openai2", ..BINDING },
        CredentialBinding { origin: "https://api.openai.com:8443", ..BINDING },
        CredentialBinding { origin: "http://api.openai.com:443", ..BINDING },
        CredentialBinding { data_key_version: 8, ..BINDING },
        CredentialBinding { credential_version: 4, ..BINDING },
        // The same characters with the border elsewhere.
        CredentialBinding { provider: "openaihttps", origin: "://api.openai.com:443", ..BINDING },
        // The two versions exchanged.
        CredentialBinding { data_key_version: 3, credential_version: 7, ..BINDING },
    ];
    for other in others {
        assert_eq!(open(&golden_key(), &other, &sealed), Err(VaultError::Refused), "{other:?}");
    }
}

#[test]
fn every_flipped_byte_is_refused() {
    let sealed = sealed();
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut changed = sealed.clone();
            changed[at] ^= 1 << bit;
            assert_eq!(open(&golden_key(), &BINDING, &changed), Err(VaultError::Refused), "{at}.{bit}");
        }
    }
}

#[test]
fn another_tenants_key_neither_seals_nor_opens() {
    let vault = golden_vault();
    let (same_name, _) = vault.new_data_key(TENANT, 7).unwrap();
    assert_eq!(open(&same_name, &BINDING, &sealed()), Err(VaultError::Refused));
    let (foreign, _) = vault.new_data_key(TenantId(Uuid::from_u128(9)), 7).unwrap();
    assert_eq!(vault.seal_credential(&foreign, &BINDING, &secret()), Err(VaultError::Refused));
    let (newer, _) = vault.new_data_key(TENANT, 8).unwrap();
    assert_eq!(vault.seal_credential(&newer, &BINDING, &secret()), Err(VaultError::Refused));
}

#[test]
fn a_hint_shows_four_characters_of_a_long_key_and_none_of_a_short_one() {
    let cases = [
        ("sk-proj-abcdWXYZ", "…WXYZ"),
        ("123456789012", "…9012"),
        ("12345678901", "…"),
        ("", "…"),
        // Three characters in twelve bytes: the last four would be all of it.
        ("\u{1f511}\u{1f511}\u{1f511}", "…"),
        ("a key that ends in\n", "…"),
    ];
    for (text, shown) in cases {
        assert_eq!(hint(&Secret::from(text.to_owned())), shown, "{text}");
    }
}

proptest! {
    #[test]
    fn any_secret_comes_back_as_it_was(
        value in prop::collection::vec(any::<u8>(), 0..300),
        provider in ".{0,20}",
        origin in ".{0,40}",
        credential_version: i32,
    ) {
        let binding = CredentialBinding { provider: &provider, origin: &origin, credential_version, ..BINDING };
        let sealed =
            golden_vault().seal_credential(&golden_key(), &binding, &Secret::new(value.clone())).unwrap();
        prop_assert_eq!(sealed.len(), 1 + 12 + value.len() + 16);
        prop_assert_eq!(open(&golden_key(), &binding, &sealed), Ok(value));
    }
}

use uuid::Uuid;

use super::*;
use crate::sample::{
    BINDING, DATA_KEY_HEX, MASTER_HEX, PURPOSE_KEY_HEX, TENANT, WRAPPED_DATA_KEY_HEX, golden_vault, key,
    plain, secret, vault,
};

fn refusal<T>(result: Result<T, VaultError>) -> Option<VaultError> {
    result.err()
}

#[test]
fn a_key_wrapped_by_another_implementation_opens() {
    let wrapped =
        Wrapped { master_key_id: "golden".to_owned(), bytes: hex::decode(WRAPPED_DATA_KEY_HEX).unwrap() };
    let opened = golden_vault().unwrap_data_key(TENANT, 7, &wrapped).unwrap();
    assert_eq!(*opened.bytes, key(DATA_KEY_HEX));
}

#[test]
fn a_key_opens_for_its_tenant_version_and_master_key_only() {
    let vault = vault(&format!("a:{MASTER_HEX},b:{PURPOSE_KEY_HEX}"));
    let (_, wrapped) = vault.new_data_key(TENANT, 1).unwrap();
    let other = TenantId(Uuid::from_u128(9));
    assert!(vault.unwrap_data_key(TENANT, 1, &wrapped).is_ok());
    assert_eq!(refusal(vault.unwrap_data_key(other, 1, &wrapped)), Some(VaultError::Refused));
    assert_eq!(refusal(vault.unwrap_data_key(TENANT, 2, &wrapped)), Some(VaultError::Refused));
    let relabelled = Wrapped { master_key_id: "b".to_owned(), ..wrapped };
    assert_eq!(refusal(vault.unwrap_data_key(TENANT, 1, &relabelled)), Some(VaultError::Refused));
}

#[test]
fn every_flipped_byte_of_a_wrapped_key_is_refused() {
    let vault = golden_vault();
    let (_, wrapped) = vault.new_data_key(TENANT, 1).unwrap();
    for at in 0..wrapped.bytes.len() {
        let mut changed = wrapped.clone();
        changed.bytes[at] ^= 0x01;
        assert_eq!(refusal(vault.unwrap_data_key(TENANT, 1, &changed)), Some(VaultError::Refused), "{at}");
    }
}

#[test]
fn the_same_key_under_another_id_does_not_open() {
    let (_, wrapped) = vault(&format!("a:{MASTER_HEX}")).new_data_key(TENANT, 1).unwrap();
    let renamed = Wrapped { master_key_id: "b".to_owned(), ..wrapped };
    let result = vault(&format!("b:{MASTER_HEX}")).unwrap_data_key(TENANT, 1, &renamed);
    assert_eq!(refusal(result), Some(VaultError::Refused));
}

#[test]
fn rotation_keeps_every_value_and_frees_the_old_key() {
    let before = vault(&format!("old:{MASTER_HEX}"));
    let (key, wrapped) = before.new_data_key(TENANT, BINDING.data_key_version).unwrap();
    let sealed = before.seal_credential(&key, &BINDING, &secret()).unwrap();

    let both = vault(&format!("new:{PURPOSE_KEY_HEX},old:{MASTER_HEX}"));
    let opened = both.unwrap_data_key(TENANT, BINDING.data_key_version, &wrapped).unwrap();
    assert_eq!(*opened.bytes, *key.bytes);
    assert_eq!(both.new_data_key(TENANT, 8).unwrap().1.master_key_id, "new");
    let rewrapped = both.rewrap_data_key(TENANT, BINDING.data_key_version, &wrapped).unwrap();
    assert_eq!(rewrapped.master_key_id, "new");

    let after = vault(&format!("new:{PURPOSE_KEY_HEX}"));
    let reopened = after.unwrap_data_key(TENANT, BINDING.data_key_version, &rewrapped).unwrap();
    let credential = after.open_credential(&reopened, &BINDING, &sealed).unwrap();
    assert_eq!(plain(&credential), plain(&secret()));
    // Whoever drops the old key before re-wrapping is told which key is missing.
    assert_eq!(
        refusal(after.unwrap_data_key(TENANT, BINDING.data_key_version, &wrapped)),
        Some(VaultError::UnknownMasterKey("old".to_owned()))
    );
}

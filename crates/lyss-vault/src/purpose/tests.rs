use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::mac;
use crate::sample::{
    BINDING, MASTER_HEX, ORIGIN, PURPOSE_KEY_HEX, TENANT, WRAPPED_PURPOSE_KEY_HEX, golden_vault, key, secret,
    vault,
};

type Opener<'a> = (&'a str, Box<dyn Fn(&[u8]) -> bool + 'a>);

#[test]
fn a_key_wrapped_by_another_implementation_opens() {
    let wrapped =
        Wrapped { master_key_id: "golden".to_owned(), bytes: hex::decode(WRAPPED_PURPOSE_KEY_HEX).unwrap() };
    let opened = golden_vault().unwrap_purpose_key(Purpose::AuditChain, &wrapped).unwrap();
    assert_eq!(*opened.bytes, key(PURPOSE_KEY_HEX));
    assert_eq!(opened.purpose(), Purpose::AuditChain);
}

#[test]
fn names_are_read_back() {
    for purpose in Purpose::ALL {
        assert_eq!(Purpose::parse(purpose.as_str()), Some(purpose));
    }
    assert_eq!(Purpose::parse("seal"), None);
}

/// T11 of the threat table: no blob of one use is accepted by the opener of another.
#[test]
fn a_blob_opens_for_its_own_use_and_no_other() {
    let vault = golden_vault();
    let (data_key, wrapped_data_key) = vault.new_data_key(TENANT, BINDING.data_key_version).unwrap();
    let import = vault.seal_for_import("acme", ORIGIN, &secret()).unwrap();
    let import = URL_SAFE_NO_PAD.decode(import.strip_prefix("lyss-sealed-v1.").unwrap()).unwrap();
    let id_head = [&[6], b"golden".as_slice()].concat();

    let mut blobs: Vec<(&str, Vec<u8>)> = vec![
        ("data key", wrapped_data_key.bytes),
        ("credential", vault.seal_credential(&data_key, &BINDING, &secret()).unwrap()),
        ("seal", import.strip_prefix(id_head.as_slice()).unwrap().to_vec()),
    ];
    let mut openers: Vec<Opener<'_>> = vec![
        (
            "data key",
            Box::new(|b| vault.unwrap_data_key(TENANT, BINDING.data_key_version, &wrapped(b)).is_ok()),
        ),
        ("credential", Box::new(|b| vault.open_credential(&data_key, &BINDING, b).is_ok())),
        (
            "seal",
            Box::new(|b| {
                let body = URL_SAFE_NO_PAD.encode([id_head.as_slice(), b].concat());
                vault.open_import("acme", ORIGIN, &format!("lyss-sealed-v1.{body}")).is_ok()
            }),
        ),
    ];
    for purpose in Purpose::ALL {
        blobs.push((purpose.as_str(), vault.new_purpose_key(purpose).unwrap().1.bytes));
        let vault = &vault;
        let open = move |b: &[u8]| vault.unwrap_purpose_key(purpose, &wrapped(b)).is_ok();
        openers.push((purpose.as_str(), Box::new(open)));
    }

    for (made_for, blob) in &blobs {
        for (opener, accepts) in &openers {
            assert_eq!(accepts(blob), made_for == opener, "{made_for} presented to {opener}");
        }
    }
}

#[test]
fn rotation_keeps_every_digest() {
    let before = vault(&format!("old:{MASTER_HEX}"));
    let (secret, wrapped) = before.new_purpose_key(Purpose::VirtualKey).unwrap();
    let both = vault(&format!("new:{PURPOSE_KEY_HEX},old:{MASTER_HEX}"));
    let rewrapped = both.rewrap_purpose_key(Purpose::VirtualKey, &wrapped).unwrap();
    let after = vault(&format!("new:{PURPOSE_KEY_HEX}"));
    let reopened = after.unwrap_purpose_key(Purpose::VirtualKey, &rewrapped).unwrap();
    assert_eq!(mac(&reopened, &[b"key"]), mac(&secret, &[b"key"]));
    assert_eq!(
        both.rewrap_purpose_key(Purpose::Cursor, &wrapped).err(),
        Some(VaultError::Refused),
        "re-wrapping is no way to change a purpose"
    );
}

fn wrapped(bytes: &[u8]) -> Wrapped {
    Wrapped { master_key_id: "golden".to_owned(), bytes: bytes.to_vec() }
}

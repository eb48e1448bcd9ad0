use super::*;
use crate::sample::{
    API_KEY, IMPORT, MASTER_HEX, ORIGIN, PURPOSE_KEY_HEX, golden_vault, plain, secret, vault,
};

fn open(tenant: &str, origin: &str, text: &str) -> Result<Vec<u8>, VaultError> {
    golden_vault().open_import(tenant, origin, text).map(|secret| plain(&secret).to_vec())
}

#[test]
fn a_text_written_by_another_implementation_opens() {
    assert_eq!(open("acme", ORIGIN, IMPORT).unwrap(), API_KEY.as_bytes());
}

#[test]
fn a_sealed_text_opens_for_its_tenant_and_origin_only() {
    let text = golden_vault().seal_for_import("acme", ORIGIN, &secret()).unwrap();
    assert_eq!(open("acme", ORIGIN, &text).unwrap(), API_KEY.as_bytes());
    assert_eq!(open("acme", ORIGIN, &format!(" {text}\n")).unwrap(), API_KEY.as_bytes());
    assert_eq!(open("other", ORIGIN, &text), Err(VaultError::Refused));
    assert_eq!(open("acme", "https://attacker.example:443", &text), Err(VaultError::Refused));
    assert_eq!(open("acmehttps", "://api.openai.com:443", &text), Err(VaultError::Refused));
}

#[test]
fn a_text_outlives_the_active_key_while_its_own_is_configured() {
    let text = vault(&format!("old:{MASTER_HEX}")).seal_for_import("acme", ORIGIN, &secret()).unwrap();
    let both = vault(&format!("new:{PURPOSE_KEY_HEX},old:{MASTER_HEX}"));
    assert!(both.open_import("acme", ORIGIN, &text).is_ok());
    let after = vault(&format!("new:{PURPOSE_KEY_HEX}"));
    let error = after.open_import("acme", ORIGIN, &text).err();
    assert_eq!(error, Some(VaultError::UnknownMasterKey("old".to_owned())));
}

#[test]
fn what_seal_did_not_write_is_told_apart() {
    let encoded = |body: &[u8]| format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(body));
    let texts = [
        String::new(),
        API_KEY.to_owned(),
        "\\xc30d04070302".to_owned(),
        IMPORT.replace("v1", "v2"),
        PREFIX.to_owned(),
        format!("{IMPORT}="),
        format!("{IMPORT}*"),
        encoded(&[0]),
        encoded(&[7, b'g']),
        encoded(&[2, 0xff, 0xfe, 1]),
        encoded(b"\x03a b and more"),
    ];
    for text in texts {
        let error = open("acme", ORIGIN, &text).unwrap_err();
        assert_eq!(error, VaultError::NotOurs, "{text}");
        assert!(error.to_string().contains("import pgcrypto"));
    }
}

#[test]
fn every_changed_character_is_refused() {
    for at in 0..IMPORT.len() {
        let mut changed = IMPORT.as_bytes().to_vec();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(open("acme", ORIGIN, &changed).is_err(), "{at}");
    }
}

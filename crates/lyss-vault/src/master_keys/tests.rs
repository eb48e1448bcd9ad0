use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE};

use super::*;
use crate::sample::{DATA_KEY_HEX, MASTER_HEX, PURPOSE_KEY_HEX};

fn refusal(setting: &str) -> Option<VaultError> {
    MasterKeys::parse(setting).err()
}

fn ids(setting: &str) -> Vec<String> {
    MasterKeys::parse(setting).unwrap().ids().map(str::to_owned).collect()
}

#[test]
fn every_spelling_of_a_key_is_the_same_key() {
    let raw = hex::decode(MASTER_HEX).unwrap();
    let spellings = [
        MASTER_HEX.to_owned(),
        MASTER_HEX.to_uppercase(),
        STANDARD.encode(&raw),
        STANDARD_NO_PAD.encode(&raw),
        URL_SAFE.encode(&raw),
        format!("  {MASTER_HEX}\n"),
    ];
    for spelling in spellings {
        // Eight digits that another implementation derived from the same key.
        assert_eq!(ids(&spelling), ["097c2045"], "{spelling}");
    }
}

#[test]
fn the_first_of_several_is_active() {
    let keys = MasterKeys::parse(&format!("2026-11:{DATA_KEY_HEX}, old.1:{MASTER_HEX}")).unwrap();
    assert_eq!(keys.active_id(), "2026-11");
    assert_eq!(keys.ids().collect::<Vec<_>>(), ["2026-11", "old.1"]);
    assert!(keys.has("old.1"));
    assert!(!keys.has("old"));
    assert_eq!(ids(&format!("only:{MASTER_HEX}")), ["only"]);
}

#[test]
fn a_generated_key_is_accepted_and_never_the_same() {
    let (one, two) = (generate_master_key().unwrap(), generate_master_key().unwrap());
    assert_ne!(one, two);
    assert_ne!(ids(&one), ids(&two));
}

#[test]
fn bad_settings_are_refused_with_their_reason() {
    use VaultError::{MasterKeyFormat, MasterKeyId, MasterKeyTwice, MasterKeyWeak, NoMasterKey};
    let format = |position| MasterKeyFormat { position };
    let weak = |position| MasterKeyWeak { position };
    let id = |position| MasterKeyId { position };
    let twice = |position| MasterKeyTwice { position };
    let base64 = |bytes: &[u8]| STANDARD.encode(bytes);
    let counting: Vec<u8> = (0..32).collect();
    let long_id = "i".repeat(33);
    let cases = [
        (String::new(), NoMasterKey),
        (" \n".to_owned(), NoMasterKey),
        ("short".to_owned(), format(1)),
        (MASTER_HEX[..62].to_owned(), format(1)),
        (format!("{MASTER_HEX}00"), format(1)),
        (format!("{}zz", &MASTER_HEX[..62]), format(1)),
        (base64(&[0x5c; 31]), format(1)),
        (base64(&[0x5c; 33]), format(1)),
        ("your-encryption-key".to_owned(), weak(1)),
        ("Your_Encryption_Key-Your_Encryption_Key-abc".to_owned(), weak(1)),
        ("changeme".to_owned(), weak(1)),
        (base64(b"changemechangemechangemechangeme"), weak(1)),
        (base64(b"your-32-byte-encryption-key-here"), weak(1)),
        (base64(&[0; 32]), weak(1)),
        ("ff".repeat(32), weak(1)),
        ("deadbeef".repeat(8), weak(1)),
        ("0123456789abcdef0123456789abcdef".repeat(2), weak(1)),
        (hex::encode(&counting), weak(1)),
        (format!("{MASTER_HEX},{DATA_KEY_HEX}"), id(1)),
        (format!("a:{MASTER_HEX},{DATA_KEY_HEX}"), id(2)),
        (format!("a:{MASTER_HEX},"), id(2)),
        (format!(":{MASTER_HEX}"), id(1)),
        (format!("a b:{MASTER_HEX}"), id(1)),
        (format!("{long_id}:{MASTER_HEX}"), id(1)),
        (format!("a:{MASTER_HEX},b:"), format(2)),
        (format!("a:{MASTER_HEX},b:changeme"), weak(2)),
        (format!("a:{MASTER_HEX},a:{DATA_KEY_HEX}"), twice(2)),
        (format!("a:{MASTER_HEX},b:{PURPOSE_KEY_HEX},c:{MASTER_HEX}"), twice(3)),
    ];
    for (setting, reason) in cases {
        assert_eq!(refusal(&setting), Some(reason), "{setting}");
    }
}

#[test]
fn no_refusal_repeats_the_setting() {
    let marked = "Zq7Zq7Zq7";
    for setting in [marked.to_owned(), format!("{marked} x:{MASTER_HEX}"), format!("a:{marked}changeme")] {
        let error = refusal(&setting).unwrap();
        assert!(!format!("{error} {error:?}").contains(marked), "{error:?}");
    }
}

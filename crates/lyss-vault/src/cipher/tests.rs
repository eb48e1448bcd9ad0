use std::collections::HashSet;

use super::*;

fn bytes(hex_text: &str) -> Vec<u8> {
    hex::decode(hex_text).unwrap()
}

/// Test case 16 of McGrew and Viega, "The Galois/Counter Mode of Operation", the specification behind SP 800-38D.
#[test]
fn aes_256_gcm_gives_the_published_ciphertext() {
    let key: [u8; 32] =
        bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308").try_into().unwrap();
    let key = Zeroizing::new(key);
    let nonce = bytes("cafebabefacedbaddecaf888").try_into().unwrap();
    let bound_to = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    let plain = bytes(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
         1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    );

    let blob = seal_with_nonce(&key, nonce, &bound_to, &plain).unwrap();

    let (head, body) = blob.split_at(HEAD_LEN);
    assert_eq!(head, bytes("01cafebabefacedbaddecaf888"));
    let published = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
                     8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662\
                     76fc6ece0f4e1768cddf8853bb2d551b";
    assert_eq!(hex::encode(body), published);
    assert_eq!(*open(&key, &bound_to, &blob).unwrap(), plain);
}

/// RFC 5869, test cases 1 and 3, cut to the 32 bytes we take.
#[test]
fn hkdf_gives_the_published_keys() {
    let cases = [
        (
            "000102030405060708090a0b0c",
            "f0f1f2f3f4f5f6f7f8f9",
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf",
        ),
        ("", "", "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"),
    ];
    for (salt, info, published) in cases {
        let out = hkdf(&bytes(salt), &[0x0b; 22], &bytes(info)).unwrap();
        assert_eq!(hex::encode(out.as_slice()), published);
    }
}

#[test]
fn sub_keys_differ_from_each_other_and_from_their_master() {
    let master = Zeroizing::new([7; KEY_LEN]);
    let mut seen = HashSet::from([*master]);
    for sub in [SubKey::DataKeys, SubKey::PurposeKeys, SubKey::Seal, SubKey::Id] {
        assert!(seen.insert(*sub.derive(&master).unwrap()));
    }
}

#[test]
fn moving_a_field_border_changes_the_bytes() {
    assert_ne!(frame(&[b"ab", b"c"]), frame(&[b"a", b"bc"]));
    assert_ne!(frame(&[b"ab"]), frame(&[b"ab", b""]));
}

#[test]
fn no_two_blobs_share_a_nonce() {
    let key = Zeroizing::new([7; KEY_LEN]);
    let nonces: HashSet<Vec<u8>> =
        (0..1_000).map(|_| seal(&key, b"", b"same").unwrap()[1..HEAD_LEN].to_vec()).collect();
    assert_eq!(nonces.len(), 1_000);
}

#[test]
fn cut_blobs_are_refused_at_every_length() {
    let key = Zeroizing::new([7; KEY_LEN]);
    let blob = seal(&key, b"row", b"value").unwrap();
    for len in 0..blob.len() {
        assert_eq!(open(&key, b"row", &blob[..len]), Err(VaultError::Refused), "{len}");
    }
}

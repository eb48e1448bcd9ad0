use super::*;
use crate::Purpose;
use crate::sample::{PURPOSE_KEY_HEX, key};

/// RFC 4231, test cases 1, 2 and 6.
#[test]
fn hmac_gives_the_published_digests() {
    let cases: [(&[u8], &[u8], &str); 3] = [
        (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ];
    for (key, message, published) in cases {
        assert_eq!(
            hex::encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref()),
            published
        );
    }
}

/// FIPS 180-2, appendix B.1.
#[test]
fn digest_is_sha_256() {
    let published = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(hex::encode(digest(b"abc")), published);
}

#[test]
fn mac_gives_what_another_implementation_gives() {
    let secret = PurposeSecret::from_bytes(Purpose::AuditChain, key(PURPOSE_KEY_HEX));
    let tag = mac(&secret, &[b"first", b"second"]);
    assert_eq!(hex::encode(tag), "a0cc15e5836b8ab9442db3a3b5cdad73b127fc73a55c7e0bd7af0b0049ed0d6a");
}

#[test]
fn only_the_same_key_and_the_same_parts_verify() {
    let secret = PurposeSecret::from_bytes(Purpose::Cursor, [1; 32]);
    let other = PurposeSecret::from_bytes(Purpose::Cursor, [2; 32]);
    let tag = mac(&secret, &[b"ab", b"c"]);
    assert!(verify_mac(&secret, &[b"ab", b"c"], &tag));
    assert!(!verify_mac(&other, &[b"ab", b"c"], &tag));
    assert!(!verify_mac(&secret, &[b"a", b"bc"], &tag));
    assert!(!verify_mac(&secret, &[b"ab", b"c"], &tag[..31]));
    assert!(!verify_mac(&secret, &[b"ab", b"c"], b""));
}

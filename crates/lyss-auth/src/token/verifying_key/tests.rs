use super::*;
use crate::token::tests::forge::RSA_PUBLIC;

/// Written by `openssl pkey -pubout` and `openssl rsa -RSAPublicKey_out`.
const RSA_PKCS1: &str = include_str!("../tests/test_only_rsa_public_pkcs1.pem");
const RSA_PRIVATE: &str = include_str!("../tests/test_only_rsa_private.pem");
const P256: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZ4eUqO+YtwMypLODLzn+HMiJM/3h
TVYQXUHRfMPFSWztaYAlACalGcueq/ketSEM/igZpoCQZ7pEEisI4mEO/g==
-----END PUBLIC KEY-----
";
const ED25519: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAsvBc3mzPGZD7qL6dPqbGBDZKJwrHUQHa2oIrHDsFzqI=
-----END PUBLIC KEY-----
";
const P384: &str = "-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEDg602cIcnIca8upHD0WWLs3nupBtJjWP
e309seFBEhfVms7MfV/FZ8EQuVeVA2ba/U+4CdtvHivfPC/4NR7AuS8bl1O5Qof4
KMDWsbtLA18hxOb2PwWvczGErpe/9Mp/
-----END PUBLIC KEY-----
";
const SECP256K1: &str = "-----BEGIN PUBLIC KEY-----
MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAED+6O3RBEIK+ctb2ywdZAV4rx2Yhykjf9
GIEKYdd5n2+O5KSyRNprrr8MlPMn4/JriJL0ht36odjrDpwjT2QVrg==
-----END PUBLIC KEY-----
";
const RSA_1024: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDTx2zOxFEH2HHOooJ5zmmiDXbp
X52rhxkzSPlX/QDZhz3hIeKlp61PUbNNCSWl3DbOEzK4XVaU/oQOa8norLXyk9sB
bkJp2JWB15X/iKYYjcSfjtzLjkfHeY+gT3r4Sb6D7f0ENXopEQ2nGwTG+whtWX/f
HiAy6xFZ9FLAc4EXWwIDAQAB
-----END PUBLIC KEY-----
";
const ED448: &str = "-----BEGIN PUBLIC KEY-----
MEMwBQYDK2VxAzoAC1UMsIdOA6G/1MuE6EIhvfUhK5HYZ41LhefhWLK6UwNN9xWd
IGalLxdMPzuzqNfl9GBoGJUd0VCA
-----END PUBLIC KEY-----
";

const ALL: [PublicAlgorithm; 3] = [PublicAlgorithm::Rs256, PublicAlgorithm::Es256, PublicAlgorithm::EdDsa];

#[test]
fn a_public_key_is_read_for_its_own_algorithm_only() {
    for (pem, fitting) in [
        (RSA_PUBLIC, Some(PublicAlgorithm::Rs256)),
        (RSA_PKCS1, Some(PublicAlgorithm::Rs256)),
        (P256, Some(PublicAlgorithm::Es256)),
        (ED25519, Some(PublicAlgorithm::EdDsa)),
        (P384, None),
        (SECP256K1, None),
        (RSA_1024, None),
        (ED448, None),
        (RSA_PRIVATE, None),
    ] {
        for algorithm in ALL {
            let read = VerifyingKey::from_pem(pem, algorithm).is_some();
            assert_eq!(read, fitting == Some(algorithm), "{algorithm:?}: {pem}");
        }
    }
}

#[test]
fn line_ends_and_blanks_around_do_not_matter_and_all_else_does() {
    let read = |pem: &str| VerifyingKey::from_pem(pem, PublicAlgorithm::EdDsa).is_some();
    assert!(read(&ED25519.replace('\n', "\r\n")) && read(&format!("\n  {ED25519}\n\n")));
    let body = ED25519.lines().nth(1).unwrap();
    for bad in [
        String::new(),
        body.to_owned(),
        ED25519.replace("PUBLIC", "PRIVATE"),
        ED25519.replace("PUBLIC KEY", "CERTIFICATE"),
        ED25519.replace(body, ""),
        ED25519.replace(body, &body[..body.len() - 4]),
        format!("{ED25519}{ED25519}"),
        format!("{ED25519}{P256}"),
        format!("trust me\n{ED25519}"),
    ] {
        assert!(!read(&bad), "{bad}");
    }
}

#[test]
fn no_cut_or_changed_key_is_read_as_another() {
    let der =
        STANDARD.decode(P256.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap();
    let algorithm = PublicAlgorithm::Es256;
    assert!(VerifyingKey::from_public_key_info(&der, algorithm).is_some());
    for end in 0..der.len() {
        assert!(VerifyingKey::from_public_key_info(&der[..end], algorithm).is_none(), "{end}");
    }
    // All but the point itself, which ring judges when it verifies.
    for place in 0..27 {
        let mut changed = der.clone();
        changed[place] ^= 1;
        assert!(VerifyingKey::from_public_key_info(&changed, algorithm).is_none(), "{place}");
    }
    let longer = [&der[..], &[0]].concat();
    assert!(VerifyingKey::from_public_key_info(&longer, algorithm).is_none());
}

#[test]
fn algorithms_are_written_as_alg_writes_them() {
    for algorithm in ALL {
        assert_eq!(PublicAlgorithm::parse(algorithm.as_str()), Some(algorithm));
    }
    assert_eq!(PublicAlgorithm::parse("HS256"), None);
    assert_eq!(PublicAlgorithm::parse("none"), None);
}

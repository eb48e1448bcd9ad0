//! Everything a token may be wrong in, as tables: algorithm by key, claim by type, header by header (T27).

use super::*;

pub(super) const REFUSALS: [TokenRefusal; 21] = [
    TokenRefusal::TooLong,
    TokenRefusal::Malformed,
    TokenRefusal::ForbiddenHeader,
    TokenRefusal::UnknownIssuer,
    TokenRefusal::WrongAlgorithm,
    TokenRefusal::UnknownKey,
    TokenRefusal::WrongSignature,
    TokenRefusal::Claim(Claim::Subject),
    TokenRefusal::Claim(Claim::Expiry),
    TokenRefusal::Claim(Claim::IssuedAt),
    TokenRefusal::Claim(Claim::NotBefore),
    TokenRefusal::Claim(Claim::Role),
    TokenRefusal::Claim(Claim::Tenant),
    TokenRefusal::Claim(Claim::Issuer),
    TokenRefusal::Claim(Claim::Audience),
    TokenRefusal::WrongAudience,
    TokenRefusal::Expired,
    TokenRefusal::NotYetValid,
    TokenRefusal::IssuedInFuture,
    TokenRefusal::UnknownTenant,
    TokenRefusal::Unavailable,
];

/// What `alg` may say, known to us or not.
const NAMED: [&str; 16] = [
    "HS256", "RS256", "ES256", "EdDSA", "HS384", "HS512", "RS384", "RS512", "ES384", "PS256", "none", "None",
    "NONE", "hs256", "Ed25519", "",
];

const KINDS: [&str; 7] = ["missing", "null", "string", "float", "negative", "huge", "array"];

/// A claim, its refusal when it is missing, and a text that is wrong for it, with its refusal.
type Row = (&'static str, Option<TokenRefusal>, &'static str, TokenRefusal);

const fn claim(claim: Claim) -> TokenRefusal {
    TokenRefusal::Claim(claim)
}

const CLAIMS: [(Row, Claim); 8] = [
    (("sub", Some(claim(Claim::Subject)), "a\r\nb", claim(Claim::Subject)), Claim::Subject),
    (("exp", Some(claim(Claim::Expiry)), "1795392600", claim(Claim::Expiry)), Claim::Expiry),
    (("iat", Some(claim(Claim::IssuedAt)), "1795391990", claim(Claim::IssuedAt)), Claim::IssuedAt),
    (("nbf", None, "1795391990", claim(Claim::NotBefore)), Claim::NotBefore),
    (("role", Some(claim(Claim::Role)), "Tenant_Admin", claim(Claim::Role)), Claim::Role),
    (("tenant_id", Some(claim(Claim::Tenant)), "other", TokenRefusal::UnknownTenant), Claim::Tenant),
    (
        ("iss", Some(TokenRefusal::UnknownIssuer), "https://issuer.test/", TokenRefusal::UnknownIssuer),
        Claim::Issuer,
    ),
    (("aud", Some(claim(Claim::Audience)), "other", TokenRefusal::WrongAudience), Claim::Audience),
];

#[test]
fn an_algorithm_fits_its_key_or_is_refused() {
    let signers = Signer::ALL.map(Signer::of);
    let mut asked = 0;
    for signer in &signers {
        for named in NAMED {
            let token = signer.token_with(&json!({"alg": named}), &claims());
            for trusted in &signers {
                let answer = verify(&trusting(trusted), &token);
                let signed_so = signer.algorithm() == trusted.algorithm();
                let expected = match (named == trusted.algorithm(), signed_so) {
                    (true, true) => None,
                    (true, false) => Some(TokenRefusal::WrongSignature),
                    (false, _) => Some(TokenRefusal::WrongAlgorithm),
                };
                assert_eq!(
                    answer.err(),
                    expected,
                    "{} called {named} before {}",
                    signer.algorithm(),
                    trusted.algorithm()
                );
                asked += 1;
            }
        }
    }
    assert_eq!(asked, 4 * 16 * 4);
}

#[test]
fn a_claim_of_the_wrong_type_is_never_an_absent_one() {
    let mut asked = 0;
    for signer in Signer::ALL.map(Signer::of) {
        let tokens = trusting(&signer);
        for ((name, missing, text, wrong_text), wrong) in &CLAIMS {
            for kind in KINDS {
                let right = claims()[name].clone();
                let (changed, expected) = match kind {
                    "missing" => (claims_without(name), *missing),
                    "string" => (claims_with(json!({*name: text})), Some(*wrong_text)),
                    kind => {
                        let value = match kind {
                            "null" => Value::Null,
                            "float" => json!(
                                right.as_i64().map_or(1.5, |secs| f64::from(i32::try_from(secs).unwrap()))
                            ),
                            "negative" => json!(-1),
                            "huge" => json!(u64::MAX),
                            // A list of texts is what `aud` may be.
                            _ if *name == "aud" => json!([AUDIENCE, 7]),
                            _ => json!([right]),
                        };
                        (claims_with(json!({*name: value})), Some(claim(*wrong)))
                    }
                };
                let answer = verify(&tokens, &signer.token(&changed)).err();
                assert_eq!(answer, expected, "{}: {name} {kind}", signer.algorithm());
                asked += 1;
            }
        }
    }
    assert_eq!(asked, 4 * 8 * 7);
}

#[test]
fn a_public_key_is_no_secret() {
    let tokens = trusting(&Signer::of("RS256"));
    // However the attacker writes the public key down.
    for secret in [RSA_PUBLIC, RSA_PUBLIC.trim(), &RSA_PUBLIC.replace('\n', "\r\n")] {
        let attacker = Signer::Hs(secret.as_bytes().to_vec());
        assert_eq!(verify(&tokens, &attacker.token(&claims())), Err(TokenRefusal::WrongAlgorithm));
        let header = json!({"alg": "RS256"});
        let lying = attacker.token_with(&header, &claims());
        assert_eq!(verify(&tokens, &lying), Err(TokenRefusal::WrongSignature));
    }
}

#[test]
fn a_key_in_the_tokens_own_header_is_refused() {
    for algorithm in Signer::ALL {
        let [owner, attacker] = [0, 1].map(|_| Signer::of(algorithm));
        let tokens = trusting(&owner);
        for (name, value) in [
            ("jwk", attacker.jwk()),
            ("jku", json!("https://attacker.test/keys")),
            ("x5u", json!("https://attacker.test/chain")),
            ("x5c", json!(["MIIB"])),
            ("crit", json!(["exp"])),
            ("crit", json!([])),
            ("enc", json!("A256GCM")),
            ("zip", json!("DEF")),
            ("jku", Value::Null),
        ] {
            for signer in [&owner, &attacker] {
                let token = signer.token_with(&json!({"alg": algorithm, name: value}), &claims());
                assert_eq!(verify(&tokens, &token), Err(TokenRefusal::ForbiddenHeader), "{name}");
            }
        }
    }
}

#[test]
fn a_header_says_what_kind_of_token_it_is_or_nothing() {
    let signer = Signer::of("HS256");
    let tokens = trusting(&signer);
    for (typ, expected) in [
        (json!("JWT"), None),
        (json!("jwt"), None),
        (json!("at+jwt"), None),
        (json!("application/at+JWT"), None),
        (json!("logout+jwt"), Some(TokenRefusal::ForbiddenHeader)),
        (json!("secevent+jwt"), Some(TokenRefusal::ForbiddenHeader)),
        (json!(""), Some(TokenRefusal::ForbiddenHeader)),
        (json!(7), Some(TokenRefusal::Malformed)),
        (Value::Null, Some(TokenRefusal::Malformed)),
    ] {
        let token = signer.token_with(&json!({"alg": "HS256", "typ": typ}), &claims());
        assert_eq!(verify(&tokens, &token).err(), expected, "{typ}");
    }
    // One key only: whatever the header calls it.
    for kid in ["", "../../dev/null", "' or 1=1"] {
        let token = signer.token_with(&json!({"alg": "HS256", "kid": kid}), &claims());
        assert!(verify(&tokens, &token).is_ok(), "{kid}");
    }
}

#[test]
fn what_is_not_three_parts_of_strict_json_is_malformed() {
    let signer = Signer::of("HS256");
    let tokens = trusting(&signer);
    let header = r#"{"alg":"HS256"}"#;
    let good = signer.token(&claims());
    let [head, body, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let claims = claims().to_string();
    let twice = claims.replacen('{', r#"{"role":"viewer","#, 1);
    let malformed = [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        format!("{head}.{body}"),
        format!("{good}.{signature}"),
        format!(" {good}"),
        format!("{head}=.{body}.{signature}"),
        format!("{head}.{}.{signature}", &body[..body.len() - 1]),
        signer.raw("", &claims),
        signer.raw("{}", &claims),
        signer.raw(r#"["HS256"]"#, &claims),
        signer.raw(r#"{"alg":null}"#, &claims),
        signer.raw(r#"{"alg":7}"#, &claims),
        signer.raw(r#"{"alg":"HS256","kid":7}"#, &claims),
        signer.raw(r#"{"alg":"HS256","alg":"none"}"#, &claims),
        signer.raw(header, ""),
        signer.raw(header, "null"),
        signer.raw(header, "[]"),
        signer.raw(header, &format!("[{claims}]")),
        signer.raw(header, r#"["anna",1795392600,1795391990,null,"viewer","acme","i","a"]"#),
        signer.raw(header, &twice),
        signer.raw(header, &format!("{claims}{claims}")),
        signer.raw(header, &claims.replace("1795392600", "1e999")),
        signer.raw(header, &claims.replace("anna", "\u{1}")),
        format!("{head}.{}.{signature}", text(b"{\"sub\":\"\xff\"}")),
    ];
    for token in malformed {
        assert_eq!(verify(&tokens, &token), Err(TokenRefusal::Malformed), "{token}");
    }
    assert!(verify(&tokens, &good).is_ok());
    // Read, but signed by nobody.
    for token in [format!("{head}.{body}."), format!("{good}="), format!("{good}A")] {
        assert_eq!(verify(&tokens, &token), Err(TokenRefusal::WrongSignature), "{token}");
    }
    let bytes = [good.as_bytes(), b"\xff"].concat();
    let nobody = ScriptedTransport::default();
    let refusal = tokens.verify(&bytes, NOW, &nobody, resolve).now_or_never().unwrap();
    assert_eq!(refusal, Err(TokenRefusal::Malformed));
}

#[test]
fn a_token_has_an_end() {
    let signer = Signer::of("HS256");
    let tokens = trusting(&signer);
    let long = |padding| signer.token(&claims_with(json!({"note": "x".repeat(padding)})));
    assert!(long(5_000).len() < LONGEST_TOKEN && verify(&tokens, &long(5_000)).is_ok());
    assert_eq!(verify(&tokens, &long(7_000)), Err(TokenRefusal::TooLong));
}

#[test]
fn any_changed_bit_of_a_token_is_noticed() {
    for algorithm in Signer::ALL {
        let signer = Signer::of(algorithm);
        let tokens = trusting(&signer);
        let good = signer.token(&claims());
        for place in 0..good.len() {
            let mut changed = good.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(verify(&tokens, &changed).is_err(), "{algorithm} at {place}");
        }
    }
}

pub(crate) mod forge;
mod matrix;

use futures_util::FutureExt;
use lyss_domain::{Role, Secret};
use lyss_testkit::transport::ScriptedTransport;
use serde_json::{Value, json};

use self::forge::*;
use super::*;
use crate::permission::of_role;
use crate::principal::Credential;

/// Trusts one signer under the usual name and audience.
fn trusting(signer: &Signer) -> Tokens {
    let issuer = Issuer {
        name: Some(ISSUER.to_owned()),
        audience: Some(AUDIENCE.to_owned()),
        ..Issuer::new(signer.keys())
    };
    Tokens::new(vec![issuer]).unwrap()
}

/// Asks without a network: a request would panic, and waiting for anything would too.
fn verify_at(tokens: &Tokens, token: &str, now: Timestamp) -> Result<Principal, TokenRefusal> {
    let nobody = ScriptedTransport::default();
    tokens.verify(token.as_bytes(), now, &nobody, resolve).now_or_never().expect("nothing to wait for")
}

fn verify(tokens: &Tokens, token: &str) -> Result<Principal, TokenRefusal> {
    verify_at(tokens, token, NOW)
}

#[test]
fn a_good_token_of_each_algorithm_proves_its_subject() {
    for algorithm in Signer::ALL {
        let signer = Signer::of(algorithm);
        let principal = verify(&trusting(&signer), &signer.token(&claims())).unwrap();
        let expected = Principal {
            name: "anna".to_owned(),
            credential: Credential::Token(Role::TenantAdmin),
            permissions: of_role(Role::TenantAdmin),
            home: Some(TENANT),
        };
        assert_eq!(principal, expected, "{algorithm}");
    }
}

#[test]
fn a_tenant_is_named_by_everyone_but_a_platform_administrator() {
    let signer = Signer::of("HS256");
    let wrong = Err(TokenRefusal::Claim(Claim::Tenant));
    let id = json!(TENANT.to_string());
    for (role, tenant, home) in [
        ("viewer", Some(json!("acme")), Ok(Some(TENANT))),
        ("viewer", Some(id.clone()), Ok(Some(TENANT))),
        ("viewer", Some(json!("other")), Err(TokenRefusal::UnknownTenant)),
        ("viewer", Some(json!("")), wrong),
        ("viewer", None, wrong),
        ("platform_admin", None, Ok(None)),
        ("platform_admin", Some(id), wrong),
        ("platform_admin", Some(Value::Null), wrong),
    ] {
        let mut claims = claims_without("tenant_id");
        claims["role"] = json!(role);
        if let Some(tenant) = &tenant {
            claims["tenant_id"] = tenant.clone();
        }
        let principal = verify(&trusting(&signer), &signer.token(&claims));
        assert_eq!(principal.map(|principal| principal.home), home, "{role} of {tenant:?}");
    }
}

#[test]
fn times_are_judged_to_the_second_with_the_leeway() {
    let signer = Signer::of("HS256");
    let tokens = trusting(&signer);
    for (name, secs, expected) in [
        ("exp", -4, None),
        ("exp", -5, Some(TokenRefusal::Expired)),
        ("exp", -1_000_000, Some(TokenRefusal::Expired)),
        ("nbf", 5, None),
        ("nbf", 6, Some(TokenRefusal::NotYetValid)),
        ("iat", 65, None),
        ("iat", 66, Some(TokenRefusal::IssuedInFuture)),
    ] {
        let token = signer.token(&claims_with(json!({name: NOW_SECS + secs})));
        assert_eq!(verify(&tokens, &token).err(), expected, "{name} {secs:+}");
    }
    // Whoever cannot sign is not told that the time was wrong too.
    let forged = Signer::Hs(b"another secret, also 32 bytes or more".to_vec());
    let expired = forged.token(&claims_with(json!({"exp": NOW_SECS - 100})));
    assert_eq!(verify(&tokens, &expired), Err(TokenRefusal::WrongSignature));
}

#[test]
fn subjects_fit_a_log_line_and_pass_for_no_key() {
    let signer = Signer::of("HS256");
    let tokens = trusting(&signer);
    for (subject, good) in [
        ("a".to_owned(), true),
        ("a".repeat(255), true),
        ("a".repeat(256), false),
        // Bytes count, not letters.
        ("ä".repeat(127), true),
        ("ä".repeat(128), false),
        (String::new(), false),
        ("a\nb".to_owned(), false),
        ("a\u{0}b".to_owned(), false),
        ("a\u{85}b".to_owned(), false),
        ("key:018f0000-0000-7000-8000-000000000000".to_owned(), false),
        ("monkey:1".to_owned(), true),
    ] {
        let token = signer.token(&claims_with(json!({"sub": subject})));
        assert_eq!(verify(&tokens, &token).is_ok(), good, "{subject:?}");
    }
}

#[test]
fn a_token_for_somebody_else_is_refused() {
    let signer = Signer::of("HS256");
    let named = trusting(&signer);
    let open = Tokens::new(vec![Issuer::new(signer.keys())]).unwrap();
    let wrong = Some(TokenRefusal::WrongAudience);
    for (audience, with_ours, with_none) in [
        (json!("lyss"), None, wrong),
        (json!(["other", "lyss"]), None, wrong),
        (json!("other"), wrong, wrong),
        (json!("lyss2"), wrong, wrong),
        (json!(["other"]), wrong, wrong),
        (json!([]), wrong, wrong),
    ] {
        let token = signer.token(&claims_with(json!({"aud": audience})));
        assert_eq!(verify(&named, &token).err(), with_ours, "{audience}");
        assert_eq!(verify(&open, &token).err(), with_none, "{audience}, none configured");
    }
    assert!(verify(&open, &signer.token(&claims_without("aud"))).is_ok());
}

#[test]
fn the_issuer_is_chosen_by_name_and_else_is_the_nameless_one() {
    let [first, second, rest] = [0, 1, 2].map(|_| Signer::of("EdDSA"));
    let named = |name: &str, signer: &Signer| Issuer {
        name: Some(name.to_owned()),
        audience: Some(AUDIENCE.to_owned()),
        ..Issuer::new(signer.keys())
    };
    let nameless = Issuer { audience: Some(AUDIENCE.to_owned()), ..Issuer::new(rest.keys()) };
    let closed = Tokens::new(vec![named("first", &first), named("second", &second)]).unwrap();
    let open = Tokens::new(vec![named("first", &first), nameless]).unwrap();
    let by = |signer: &Signer, name: &str| signer.token(&claims_with(json!({"iss": name})));

    assert!(verify(&closed, &by(&first, "first")).is_ok());
    assert!(verify(&closed, &by(&second, "second")).is_ok());
    assert_eq!(verify(&closed, &by(&first, "second")), Err(TokenRefusal::WrongSignature));
    assert_eq!(verify(&closed, &by(&first, "third")), Err(TokenRefusal::UnknownIssuer));
    assert_eq!(verify(&closed, &first.token(&claims_without("iss"))), Err(TokenRefusal::UnknownIssuer));

    assert!(verify(&open, &by(&rest, "third")).is_ok());
    assert!(verify(&open, &rest.token(&claims_without("iss"))).is_ok());
    // The nameless one does not speak for those who have a name.
    assert_eq!(verify(&open, &by(&rest, "first")), Err(TokenRefusal::WrongSignature));
}

#[test]
fn no_forged_token_is_found_among_the_verified() {
    let signer = Signer::of("HS256");
    let tokens = trusting(&signer);
    let good = signer.token(&claims());
    verify(&tokens, &good).unwrap();
    assert!(tokens.verify_cached(good.as_bytes(), NOW, &resolve).is_some());

    let other = signer.token(&claims_with(json!({"sub": "bob"})));
    for n in 0..10_000_usize {
        // All but the last characters, all but the signature, half of it, the first twenty bytes.
        let kept = [good.len() - 4, good.rfind('.').unwrap(), good.len() / 2, 20][n % 4];
        let forged = format!("{}{n:04x}{}", &good[..kept], &other[kept..]);
        assert!(tokens.verify_cached(forged.as_bytes(), NOW, &resolve).is_none(), "{forged}");
        assert!(verify(&tokens, &forged).is_err(), "{forged}");
    }
    assert_eq!(tokens.cache.len(), 1);
}

#[test]
fn a_verdict_lasts_a_minute_and_no_longer_than_the_token() {
    let signer = Signer::of("EdDSA");
    let found = |tokens: &Tokens, token: &str, secs| {
        tokens.verify_cached(token.as_bytes(), at(secs), &resolve).is_some()
    };
    for (exp, last) in [(600, 59), (30, 29)] {
        let tokens = trusting(&signer);
        let token = signer.token(&claims_with(json!({"exp": NOW_SECS + exp})));
        assert!(!found(&tokens, &token, 0));
        verify(&tokens, &token).unwrap();
        assert!(found(&tokens, &token, 0) && found(&tokens, &token, last));
        assert!(!found(&tokens, &token, last + 1), "exp in {exp}");
        // A clock set back by a day does not make the verdict last for a day.
        assert!(!found(&tokens, &token, -86_400));
    }
    // Within the leeway it is good, but not kept.
    let tokens = trusting(&signer);
    let token = signer.token(&claims_with(json!({"exp": NOW_SECS - 2})));
    assert!(verify(&tokens, &token).is_ok() && !found(&tokens, &token, 0));
}

#[test]
fn a_tenant_that_is_gone_is_gone_for_verified_tokens_too() {
    let signer = Signer::of("HS256");
    let tokens = trusting(&signer);
    let token = signer.token(&claims());
    verify(&tokens, &token).unwrap();
    let gone = |_: &str| None;
    let answer = tokens.verify_cached(token.as_bytes(), NOW, &gone);
    assert_eq!(answer, Some(Err(TokenRefusal::UnknownTenant)));
}

#[test]
fn a_tenant_made_after_the_token_is_another_of_its_name() {
    let signer = Signer::of("HS256");
    let tokens = trusting(&signer);
    let token = signer.token(&claims_with(json!({"iat": NOW_SECS - 100, "tenant_id": "acme"})));
    let since = |secs| move |_: &str| Some(Home { tenant: TENANT, since: at(secs) });
    let asked = |secs| {
        tokens
            .verify(token.as_bytes(), NOW, &ScriptedTransport::default(), since(secs))
            .now_or_never()
            .unwrap()
    };
    assert!(asked(-101).is_ok());
    // Within the leeway nobody can tell; what is kept of the first look changes nothing.
    assert!(asked(-97).is_ok());
    assert_eq!(asked(-90), Err(TokenRefusal::UnknownTenant));
    assert_eq!(asked(0), Err(TokenRefusal::UnknownTenant));
}

#[test]
fn the_cache_is_bounded_and_forgets_the_oldest() {
    let signer = Signer::of("HS256");
    let tokens = trusting(&signer);
    let token = |n: i64| signer.token(&claims_with(json!({"jti": n})));
    for n in 0..9_000 {
        verify(&tokens, &token(n)).unwrap();
        assert!(tokens.cache.len() <= 4_096);
    }
    let held = |n| tokens.verify_cached(token(n).as_bytes(), NOW, &resolve).is_some();
    assert!(held(8_999) && held(7_000) && !held(0));
}

#[test]
fn issuers_that_would_be_unsafe_or_ambiguous_are_refused() {
    let hs = |secret: &[u8]| Issuer::new(IssuerKeys::Secret(Secret::new(secret.to_vec())));
    let set = |url: &str| Issuer::new(IssuerKeys::KeySet { url: url.to_owned() });
    let pem = |pem: &str, algorithm| Issuer::new(IssuerKeys::PublicKey { pem: pem.to_owned(), algorithm });
    let named = |name: &str| Issuer { name: Some(name.to_owned()), ..hs(SECRET) };
    let cases = [
        (vec![hs(b"")], Some(BadIssuer::ShortSecret)),
        (vec![hs(&[b'x'; 31])], Some(BadIssuer::ShortSecret)),
        (vec![hs(&[b'x'; 32])], None),
        (vec![hs(RSA_PUBLIC.as_bytes())], Some(BadIssuer::PemAsSecret)),
        (vec![pem(RSA_PUBLIC, PublicAlgorithm::Es256)], Some(BadIssuer::PublicKey(PublicAlgorithm::Es256))),
        (vec![set("https://issuer.test/keys")], None),
        (vec![set("http://127.0.0.1:9/keys")], None),
        (vec![set("https://user:word@issuer.test/keys")], Some(BadIssuer::KeySetUrl)),
        (vec![set("file:///etc/keys")], Some(BadIssuer::KeySetUrl)),
        (vec![set("/keys")], Some(BadIssuer::KeySetUrl)),
        (vec![set("")], Some(BadIssuer::KeySetUrl)),
        (vec![named("a"), named("b"), hs(SECRET)], None),
        (vec![named("a"), named("a")], Some(BadIssuer::SameName)),
        (vec![hs(SECRET), set("https://issuer.test/keys")], Some(BadIssuer::SameName)),
        (vec![named("")], Some(BadIssuer::EmptyName)),
        (vec![Issuer { leeway_secs: 301, ..hs(SECRET) }], Some(BadIssuer::Leeway)),
        (vec![], None),
    ];
    for (place, (issuers, expected)) in cases.into_iter().enumerate() {
        assert_eq!(Tokens::new(issuers).err(), expected, "case {place}");
    }
}

#[test]
fn a_caller_learns_that_a_token_expired_and_nothing_else() {
    let told: Vec<_> = matrix::REFUSALS.map(|refusal| refusal.to_string()).to_vec();
    for (refusal, told) in matrix::REFUSALS.iter().zip(&told) {
        let expected = match refusal {
            TokenRefusal::Expired => "the token has expired",
            TokenRefusal::Unavailable => "tokens cannot be verified at the moment",
            _ => "the token is not valid",
        };
        assert_eq!(told, expected);
    }
    let mut codes = matrix::REFUSALS.map(TokenRefusal::code).to_vec();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), matrix::REFUSALS.len());
}

#[test]
fn tokens_look_unlike_keys() {
    assert!(looks_like_token(Signer::of("HS256").token(&claims()).as_bytes()));
    for other in ["", "sk-lyss-0000", "a.b", "a.b.c.d", &".".repeat(9_000)] {
        assert!(!looks_like_token(other.as_bytes()), "{other}");
    }
}

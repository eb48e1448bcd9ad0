//! What an issuer may answer, and what of a set counts.

use super::*;

#[tokio::test(start_paused = true)]
async fn what_is_no_key_set_is_a_failure_and_no_verdict() {
    let signer = Signer::of("ES256");
    let good = set_text(&[(&signer, "a")]);
    let html = Answer::head(200, &[("content-type", "text/html")]).chunk("<html>Welcome</html>").end();
    let endless = (0..300)
        .fold(Answer::head(200, &[]), |script, _| script.chunk(vec![b' '; 1_024]))
        .chunk(good.clone());
    let moved = Answer::head(302, &[("location", "https://elsewhere.test/")]).end();
    let cases = [
        (html, KeySetError::Unreadable),
        (Answer::json(200, ""), KeySetError::Unreadable),
        (Answer::json(200, "[]"), KeySetError::Unreadable),
        (Answer::json(200, "{}"), KeySetError::Unreadable),
        (Answer::json(200, r#"{"keys":{}}"#), KeySetError::Unreadable),
        (Answer::json(200, good[..good.len() - 1].to_owned()), KeySetError::Unreadable),
        (Answer::json(200, r#"{"keys":[]}"#), KeySetError::NoUsableKey),
        (set(&[(&Signer::of("HS256"), "a")]), KeySetError::NoUsableKey),
        (endless.end(), KeySetError::TooLong),
        (Answer::json(500, good.clone()), KeySetError::Status(500)),
        (Answer::json(404, good.clone()), KeySetError::Status(404)),
        (Answer::json(201, good.clone()), KeySetError::Status(201)),
        (moved, KeySetError::Status(302)),
        (down(), KeySetError::Transport(TransportClass::Connect.into())),
        (
            Answer::failing(TransportClass::EgressDenied),
            KeySetError::Transport(TransportClass::EgressDenied.into()),
        ),
        (
            Answer::head(200, &[]).chunk(good.clone()).cut(),
            KeySetError::Transport(TransportClass::Cut.into()),
        ),
        (
            Answer::head(200, &[]).chunk(good.clone()).stall(),
            KeySetError::Transport(TransportClass::TotalTimeout.into()),
        ),
    ];
    for (answer, error) in cases {
        let tokens = tokens();
        let transport = ScriptedTransport::new([answer.clone(), answer]);
        let asked = ask(&tokens, &transport, &token(&signer, "a", 0), 0).await;
        assert_eq!(asked, Err(TokenRefusal::Unavailable), "{error}");
        let failures = tokens.refresh_due(at(1), &transport).await;
        assert_eq!(failures, [RefreshFailure { issuer: Some(ISSUER.to_owned()), error }]);
        assert!(tokens.refresh_due(at(1), &transport).await.is_empty());
        assert_eq!(transport.sent().len(), 2, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_set_of_exactly_the_cap_is_read() {
    let signer = Signer::of("ES256");
    let mut text = set_text(&[(&signer, "a")]);
    text.push_str(&" ".repeat(LONGEST_SET - text.len()));
    let transport = ScriptedTransport::new([Answer::json(200, text.clone())]);
    assert!(ask(&tokens(), &transport, &token(&signer, "a", 0), 0).await.is_ok());
    text.push(' ');
    let transport = ScriptedTransport::new([Answer::json(200, text)]);
    let refused = ask(&tokens(), &transport, &token(&signer, "a", 0), 0).await;
    assert_eq!(refused, Err(TokenRefusal::Unavailable));
}

/// Which `kid` of a set this signer's tokens are verified under; an empty name stands for no `kid`.
async fn accepted(keys: &[Value], signer: &Signer, kids: &[&str]) -> Vec<bool> {
    let transport = ScriptedTransport::new([Answer::json(200, json!({"keys": keys}).to_string())]);
    let tokens = tokens();
    let mut answers = Vec::new();
    for kid in kids {
        let header = match *kid {
            "" => json!({"alg": signer.algorithm()}),
            kid => json!({"alg": signer.algorithm(), "kid": kid}),
        };
        let token = signer.token_with(&header, &claims());
        answers.push(ask(&tokens, &transport, &token, 0).await.is_ok());
    }
    assert_eq!(transport.sent().len(), 1);
    answers
}

fn jwk(signer: &Signer, changes: Value) -> Value {
    let mut key = signer.jwk();
    for (name, value) in changes.as_object().unwrap() {
        key[name] = value.clone();
    }
    key
}

#[tokio::test]
async fn a_token_names_its_key_unless_there_is_only_one() {
    let [one, two] = [0, 1].map(|_| Signer::of("ES256"));
    let key = |signer, kid: &str| jwk(signer, json!({"kid": kid}));
    let kids = ["a", "b", ""];
    assert_eq!(accepted(&[key(&one, "a")], &one, &kids).await, [true, false, true]);
    assert_eq!(accepted(&[one.jwk()], &one, &kids).await, [false, false, true]);
    assert_eq!(accepted(&[key(&one, "a"), key(&two, "b")], &one, &kids).await, [true, false, false]);
    // The one without a name cannot be asked for beside another.
    assert_eq!(accepted(&[one.jwk(), key(&two, "b")], &one, &kids).await, [false, false, false]);
    // Two of the same name: neither, whatever the token says of its algorithm.
    assert_eq!(accepted(&[key(&one, "a"), key(&two, "a")], &one, &["a"]).await, [false]);
    let rsa = Signer::of("RS256");
    assert_eq!(accepted(&[key(&one, "a"), key(&rsa, "a")], &one, &["a"]).await, [false]);
    // What cannot be used is not counted.
    let shared = jwk(&Signer::of("HS256"), json!({"kid": "b"}));
    assert_eq!(accepted(&[shared, key(&one, "a")], &one, &kids).await, [true, false, true]);
}

#[tokio::test]
async fn each_kind_of_key_verifies_its_own_algorithm_and_says_so() {
    let spare = Signer::of("EdDSA");
    let spare = jwk(&spare, json!({"kid": "spare"}));
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let signer = Signer::of(algorithm);
        for (changes, good) in [
            (json!({"alg": algorithm}), true),
            (json!({"alg": algorithm, "use": "sig", "key_ops": ["verify"]}), true),
            (json!({"use": null, "alg": null, "x5c": ["MIIB"], "x5t": "0"}), true),
            (json!({"alg": "HS256"}), false),
            (json!({"alg": "PS256"}), false),
            (json!({"use": "enc"}), false),
            (json!({"key_ops": ["sign"]}), false),
            (json!({"kty": "oct"}), false),
            (json!({"kty": 7}), false),
            (json!({"crv": "P-384"}), algorithm == "RS256"),
            (json!({"x": "AAAA", "n": "AAAA"}), false),
            (json!({"x": "not base64", "n": "not base64"}), false),
        ] {
            let mut key = jwk(&signer, changes.clone());
            key["kid"] = json!("a");
            let answers = accepted(&[spare.clone(), key], &signer, &["a"]).await;
            assert_eq!(answers, [good], "{algorithm} {changes}");
        }
    }
}

#[tokio::test]
async fn a_keys_algorithm_is_not_the_tokens_to_choose() {
    let signer = Signer::of("ES256");
    let transport = ScriptedTransport::new([set(&[(&signer, "a")])]);
    let tokens = tokens();
    for alg in ["HS256", "RS256", "EdDSA", "none"] {
        let token = signer.token_with(&json!({"alg": alg, "kid": "a"}), &claims());
        let answer = ask(&tokens, &transport, &token, 0).await;
        assert_eq!(answer, Err(TokenRefusal::WrongAlgorithm), "{alg}");
    }
}

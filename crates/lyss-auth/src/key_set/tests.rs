mod answers;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use lyss_testkit::transport::{Answer, ScriptedTransport};
use lyss_wire::TransportClass;
use serde_json::{Value, json};

use super::*;
use crate::principal::Principal;
use crate::token::tests::forge::{AUDIENCE, ISSUER, NOW, Signer, at, claims, resolve};
use crate::token::{Issuer, IssuerKeys, RefreshFailure, Tokens};

const URL: &str = "https://issuer.test/keys?v=1";
const MINUTE: i64 = 60;

/// Trusts the key set at [`URL`].
fn tokens() -> Tokens {
    let keys = IssuerKeys::KeySet { url: URL.to_owned() };
    let name = Some(ISSUER.to_owned());
    Tokens::new(vec![Issuer { name, audience: Some(AUDIENCE.to_owned()), ..Issuer::new(keys) }]).unwrap()
}

fn set(keys: &[(&Signer, &str)]) -> Answer {
    Answer::json(200, set_text(keys))
}

fn set_text(keys: &[(&Signer, &str)]) -> String {
    let keys: Vec<Value> = keys
        .iter()
        .map(|(signer, kid)| {
            let mut key = signer.jwk();
            key["kid"] = json!(kid);
            key
        })
        .collect();
    json!({"keys": keys}).to_string()
}

fn down() -> Answer {
    Answer::failing(TransportClass::Connect)
}

/// A token of that `kid`; `note` makes it another one, which no cache knows.
fn token(signer: &Signer, kid: &str, note: i64) -> String {
    let mut claims = claims();
    claims["exp"] = json!(at(24 * 60 * MINUTE).as_secs());
    claims["note"] = json!(note);
    signer.token_with(&json!({"alg": signer.algorithm(), "kid": kid}), &claims)
}

async fn ask(
    tokens: &Tokens,
    transport: &ScriptedTransport,
    token: &str,
    secs: i64,
) -> Result<Principal, TokenRefusal> {
    tokens.verify(token.as_bytes(), at(secs), transport, resolve).await
}

#[tokio::test(start_paused = true)]
async fn many_who_ask_at_once_make_one_request() {
    let signer = Signer::of("ES256");
    let transport = ScriptedTransport::new([set(&[(&signer, "a")]).after(Duration::from_secs(1))]);
    let tokens = tokens();
    let sent: Vec<_> = (0..50).map(|n| token(&signer, "a", n)).collect();
    let answers = join_all(sent.iter().map(|token| ask(&tokens, &transport, token, 0))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");

    let requests = transport.sent();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!((request.method.as_str(), request.uri.to_string().as_str()), ("GET", URL));
    assert_eq!(request.headers.len(), 1);
    assert_eq!(request.header("accept"), Some("application/json"));
    let secs = [request.timers.connect, request.timers.first_byte, request.timers.idle, request.timers.total];
    assert_eq!(secs.map(|timer| timer.as_secs()), [2, 5, 5, 5]);
}

#[tokio::test(start_paused = true)]
async fn many_who_ask_a_dead_issuer_make_one_request_and_nobody_is_called_invalid() {
    let signer = Signer::of("ES256");
    let transport = ScriptedTransport::new([Answer::silent()]);
    let tokens = tokens();
    let sent: Vec<_> = (0..50).map(|n| token(&signer, "a", n)).collect();
    let answers = join_all(sent.iter().map(|token| ask(&tokens, &transport, token, 0))).await;
    assert!(answers.iter().all(|answer| answer == &Err(TokenRefusal::Unavailable)), "{answers:?}");
    assert_eq!(transport.sent().len(), 1);

    // Nobody asks again at once, and the next who does gets its keys.
    let late = token(&signer, "a", 50);
    assert_eq!(ask(&tokens, &transport, &late, 0).await, Err(TokenRefusal::Unavailable));
    assert_eq!(transport.sent().len(), 1);
    transport.push(set(&[(&signer, "a")]));
    assert!(ask(&tokens, &transport, &late, 1).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_set_is_fresh_for_five_minutes_and_serves_for_an_hour_without_its_issuer() {
    let signer = Signer::of("ES256");
    let transport = ScriptedTransport::new([set(&[(&signer, "a")])]);
    let tokens = tokens();
    let good = |secs: i64| {
        let token = token(&signer, "a", secs);
        let (tokens, transport) = (&tokens, transport.clone());
        async move { ask(tokens, &transport, &token, secs).await }
    };
    assert!(good(0).await.is_ok());
    assert!(good(5 * MINUTE - 1).await.is_ok());
    assert_eq!(transport.sent().len(), 1);

    // Stale: one asks, and nobody notices that it failed; the next does after ten seconds.
    transport.push(down());
    assert!(good(5 * MINUTE).await.is_ok());
    assert!(good(5 * MINUTE + 9).await.is_ok());
    assert_eq!(transport.sent().len(), 2);
    transport.push(Answer::json(500, "{}"));
    assert!(good(5 * MINUTE + 10).await.is_ok());
    assert_eq!(transport.sent().len(), 3);

    transport.push(down());
    assert!(good(60 * MINUTE - 1).await.is_ok());
    // After an hour it is nobody's word any more. The pause since the last attempt is that of a source without a set.
    transport.push(down());
    assert_eq!(good(60 * MINUTE).await, Err(TokenRefusal::Unavailable));
    transport.push(set(&[(&signer, "a")]));
    assert!(good(60 * MINUTE + 1).await.is_ok());
    assert_eq!(transport.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn while_one_renews_a_stale_set_the_others_do_not_wait() {
    let signer = Signer::of("ES256");
    let transport = ScriptedTransport::new([set(&[(&signer, "a")])]);
    let tokens = tokens();
    let [one, two, three] = [1, 2, 3].map(|n| token(&signer, "a", n));
    assert!(ask(&tokens, &transport, &one, 0).await.is_ok());

    transport.push(set(&[(&signer, "a")]).after(Duration::from_secs(3)));
    let mut renewing = Box::pin(ask(&tokens, &transport, &two, 6 * MINUTE));
    assert!(renewing.as_mut().now_or_never().is_none());
    let other = ask(&tokens, &transport, &three, 6 * MINUTE).now_or_never();
    assert!(other.expect("does not wait").is_ok());
    assert!(renewing.await.is_ok());
    assert_eq!(transport.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_kid_asks_again_but_once_in_ten_seconds() {
    let [old, new] = [0, 1].map(|_| Signer::of("EdDSA"));
    let transport = ScriptedTransport::new([set(&[(&old, "a")])]);
    let tokens = tokens();
    assert!(ask(&tokens, &transport, &token(&old, "a", 0), 0).await.is_ok());

    transport.push(set(&[(&old, "a")]));
    for n in 0..100 {
        // Whoever wants the issuer to be asked all the time.
        let made_up = token(&new, &format!("made up {n}"), n);
        assert_eq!(ask(&tokens, &transport, &made_up, 20).await, Err(TokenRefusal::UnknownKey));
    }
    assert_eq!(transport.sent().len(), 2);

    transport.push(set(&[(&old, "a"), (&new, "b")]));
    assert_eq!(ask(&tokens, &transport, &token(&new, "b", 1), 29).await, Err(TokenRefusal::UnknownKey));
    assert!(ask(&tokens, &transport, &token(&new, "b", 2), 30).await.is_ok());
    assert!(ask(&tokens, &transport, &token(&old, "a", 3), 30).await.is_ok());
    // A key is chosen by its name: the right signature of the wrong one counts for nothing.
    assert_eq!(ask(&tokens, &transport, &token(&new, "a", 4), 30).await, Err(TokenRefusal::WrongSignature));
    assert_eq!(transport.sent().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn many_unknown_kids_at_once_wait_for_one_request() {
    let [old, new] = [0, 1].map(|_| Signer::of("EdDSA"));
    let transport = ScriptedTransport::new([set(&[(&old, "a")])]);
    let tokens = tokens();
    assert!(ask(&tokens, &transport, &token(&old, "a", 0), 0).await.is_ok());
    transport.push(set(&[(&old, "a"), (&new, "b")]).after(Duration::from_secs(1)));
    let sent: Vec<_> = (0..50).map(|n| token(&new, "b", n)).collect();
    let answers = join_all(sent.iter().map(|token| ask(&tokens, &transport, token, 60))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(transport.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_kid_before_a_dead_issuer_is_not_called_invalid() {
    let [known, new] = [0, 1].map(|_| Signer::of("EdDSA"));
    let transport = ScriptedTransport::new([set(&[(&known, "a")]), down()]);
    let tokens = tokens();
    assert!(ask(&tokens, &transport, &token(&known, "a", 0), 0).await.is_ok());
    for secs in [20, 21, 29] {
        let answer = ask(&tokens, &transport, &token(&new, "b", secs), secs).await;
        assert_eq!(answer, Err(TokenRefusal::Unavailable));
    }
    assert!(ask(&tokens, &transport, &token(&known, "a", 1), 29).await.is_ok());
    assert_eq!(transport.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_taken_back_ends_the_tokens_verified_by_it() {
    let [old, new] = [0, 1].map(|_| Signer::of("ES256"));
    let transport = ScriptedTransport::new([set(&[(&old, "a")]), set(&[(&old, "a")]), set(&[(&new, "b")])]);
    let tokens = tokens();
    let old_token = token(&old, "a", 0);
    let known = |secs| tokens.verify_cached(old_token.as_bytes(), at(secs), &resolve).is_some();
    let first = 5 * MINUTE - 30;
    assert!(tokens.refresh_due(NOW, &transport).await.is_empty());
    assert!(ask(&tokens, &transport, &old_token, first).await.is_ok());
    assert!(known(first));
    // The same set again changes nothing.
    assert!(tokens.refresh_due(at(5 * MINUTE), &transport).await.is_empty());
    assert!(known(5 * MINUTE) && transport.sent().len() == 2);

    let later = 10 * MINUTE - 10;
    assert!(ask(&tokens, &transport, &old_token, later).await.is_ok() && known(later + 10));
    assert!(tokens.refresh_due(at(10 * MINUTE), &transport).await.is_empty());
    assert!(!known(10 * MINUTE));
    assert_eq!(ask(&tokens, &transport, &old_token, 10 * MINUTE).await, Err(TokenRefusal::UnknownKey));
    assert!(ask(&tokens, &transport, &token(&new, "b", 0), 10 * MINUTE).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_hangs_up_leaves_the_fetch_to_the_next() {
    let signer = Signer::of("ES256");
    let slow = || set(&[(&signer, "a")]).after(Duration::from_secs(2));
    let transport = ScriptedTransport::new([slow(), slow()]);
    let tokens = Arc::new(tokens());
    let [one, two] = [1, 2].map(|n| token(&signer, "a", n));
    let mut leader = Box::pin(ask(&tokens, &transport, &one, 0));
    assert!(leader.as_mut().now_or_never().is_none());
    let waiting = tokio::spawn({
        let (tokens, transport) = (Arc::clone(&tokens), transport.clone());
        async move { ask(&tokens, &transport, &two, 0).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(transport.sent().len(), 1);
    drop(leader);
    assert!(waiting.await.unwrap().is_ok());
    assert_eq!((transport.sent().len(), transport.cancelled()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_clock_set_back_does_not_keep_a_set_for_ever() {
    let signer = Signer::of("ES256");
    let transport = ScriptedTransport::new([set(&[(&signer, "a")]), set(&[(&signer, "a")])]);
    let tokens = tokens();
    let mut late = claims();
    late["iat"] = json!(at(-48 * 60 * MINUTE).as_secs());
    late["nbf"] = late["iat"].clone();
    let late = signer.token_with(&json!({"alg": "ES256", "kid": "a"}), &late);
    assert!(ask(&tokens, &transport, &late, 0).await.is_ok());
    assert!(ask(&tokens, &transport, &late, -24 * 60 * MINUTE).await.is_ok());
    assert_eq!(transport.sent().len(), 2);
}

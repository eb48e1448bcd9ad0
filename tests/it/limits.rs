//! Rate windows and quotas as a caller meets them: exact under concurrency, told with a wait, given back when unused.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lyss_adapters::{Dialect, scan};
use lyss_domain::{FaultKind, KeyLimits, Micros, PolicyMode, PolicyScope, Rates, Window};
use lyss_proxy::admit::Bound;
use lyss_proxy::{AnswerBody, ProxySettings, estimate};
use lyss_quota::Unit;
use lyss_testkit::transport::{Answer, ScriptedTransport};
use tokio::task::JoinSet;

use crate::gateway::{Gateway, bodies};

const CALLS: usize = 64;

const RATES: Rates = Rates {
    input: 2_500_000,
    cache_read: 1_250_000,
    cache_write: 0,
    cache_write_long: 0,
    audio_input: 0,
    output: 10_000_000,
    audio_output: 0,
    request: 0,
};

async fn gateway() -> (Gateway, ScriptedTransport) {
    let (gateway, transport) = Gateway::scripted().await;
    gateway.channel("only", "openai").await;
    (gateway, transport)
}

fn limited() -> String {
    bodies::chat_with("gpt-4o-mini", true, r#","max_tokens":50"#)
}

/// What a call of this body is admitted by.
fn bound(body: &str, output: u64, rates: Option<&Rates>) -> Bound {
    let ask = scan(Dialect::OpenAiChat, Bytes::copy_from_slice(body.as_bytes())).unwrap();
    Bound::new(estimate::prompt_bound(&ask), output, 1, rates)
}

/// Many calls at once, each held open: how many were admitted. All others were refused for the quota.
async fn admitted_at_once(gateway: Gateway, transport: &ScriptedTransport) -> (Gateway, usize) {
    for _ in 0..CALLS {
        transport.push(Answer::head(200, &[]).chunk(bodies::OPENAI_STREAM).stall());
    }
    let gateway = Arc::new(gateway);
    let mut calls = JoinSet::new();
    for _ in 0..CALLS {
        let gateway = Arc::clone(&gateway);
        calls.spawn(async move { gateway.chat(&limited()).await });
    }
    let mut open = Vec::new();
    while let Some(answered) = calls.join_next().await {
        match answered.unwrap() {
            Ok(answer) => open.push(answer),
            Err(failed) => {
                assert_eq!((failed.fault.kind, failed.fault.status), (FaultKind::QuotaExceeded, 429));
                assert!(failed.fault.retry_after.is_some_and(|wait| wait < Duration::from_secs(86_401)));
                assert_eq!(failed.head.attempts, 0);
            }
        }
    }
    let admitted = open.len();
    assert_eq!(transport.sent().len(), admitted, "what was refused is not sent");
    assert!(gateway.reserved() > 0);
    drop(open);
    assert_eq!(gateway.reserved(), 0, "what was held is given back");
    (Arc::into_inner(gateway).unwrap(), admitted)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn exactly_as_many_requests_are_admitted_as_the_quota_has() {
    let (gateway, transport) = gateway().await;
    gateway.policy(Some(17), None, None, PolicyMode::Enforce).await;
    let (gateway, admitted) = admitted_at_once(gateway, &transport).await;
    assert_eq!(admitted, 17);
    assert_eq!(gateway.posted(Unit::Requests), 17);
    assert_eq!(gateway.records().await.len(), 17);
    // Used up: nothing more until the day is over, and then again.
    assert_eq!(gateway.ask(&limited()).await.status, 429);
    gateway.clock.advance(Duration::from_hours(24));
    assert!(gateway.chat(&limited()).await.is_ok());
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn exactly_as_many_calls_are_admitted_as_their_tokens_fit() {
    let (gateway, transport) = gateway().await;
    let one = u64::try_from(bound(&limited(), 50, None).tokens).unwrap();
    assert!(one > 50);
    gateway.policy(None, Some(9 * one + one - 1), None, PolicyMode::Enforce).await;
    let (gateway, admitted) = admitted_at_once(gateway, &transport).await;
    assert_eq!(admitted, 9);
    assert_eq!(gateway.posted(Unit::Tokens), 9 * 15, "settled at what was used, not at the bound");
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn exactly_as_many_calls_are_admitted_as_their_cost_fits() {
    let (gateway, transport) = gateway().await;
    gateway.office.price("gpt-4o-mini", RATES).await;
    let one = bound(&limited(), 50, Some(&RATES)).cost_micros;
    gateway.policy(None, None, Some(Micros(5 * one + one - 1)), PolicyMode::Enforce).await;
    let (gateway, admitted) = admitted_at_once(gateway, &transport).await;
    assert_eq!(admitted, 5);
    // 11 × 2.5 + 4 × 10 micros, rounded up.
    assert_eq!(gateway.posted(Unit::CostMicros), 5 * 68);
    let records = gateway.records().await;
    assert!(records.iter().all(|record| record.cost == Micros(68) && record.price.is_some()));
    gateway.close().await;
}

/// All policies that apply are asked, and the tightest decides; those of others are not.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_tightest_policy_that_applies_decides() {
    let (gateway, transport) = gateway().await;
    let other = gateway.office.key("other").await.0;
    let requests = |count| (Some(count), None, None);
    let enforce = PolicyMode::Enforce;
    let office = &gateway.office;
    office.policy(PolicyScope::Tenant, Window::Month, requests(40), enforce).await;
    office.policy(PolicyScope::Key(gateway.key.id), Window::Day, requests(30), enforce).await;
    office.policy(PolicyScope::Model("gpt-4o*".to_owned()), Window::Hour, requests(7), enforce).await;
    office.policy(PolicyScope::Key(other.id), Window::Day, requests(0), enforce).await;
    office.policy(PolicyScope::Model("claude-*".to_owned()), Window::Day, requests(0), enforce).await;
    let (gateway, admitted) = admitted_at_once(gateway, &transport).await;
    assert_eq!(admitted, 7);
    assert_eq!(gateway.posted(Unit::Requests), 3 * 7, "counted on the three that apply");
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shadow_policy_counts_and_never_refuses() {
    let (gateway, transport) = gateway().await;
    gateway.policy(Some(1), Some(1), Some(Micros(1)), PolicyMode::Shadow).await;
    for _ in 0..CALLS {
        transport.push(Answer::head(200, &[]).chunk(bodies::OPENAI_STREAM).end());
        assert_eq!(gateway.ask(&limited()).await.status, 200);
    }
    assert_eq!(gateway.posted(Unit::Requests), 64);
    assert_eq!(gateway.posted(Unit::Tokens), 64 * 15);
    gateway.close().await;
}

/// A channel's own quota: the next channel serves, and the caller hears of it only when there is none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_whose_quota_is_used_up_is_passed_by() {
    let (gateway, transport) = gateway().await;
    let first = gateway.office.management.all_channels(&gateway.office.scope).await.unwrap().remove(0);
    let scope = PolicyScope::Channel(first.id);
    gateway.office.policy(scope, Window::Day, (Some(2), None, None), PolicyMode::Enforce).await;
    let ask = async || {
        transport.push(Answer::json(200, bodies::OPENAI_WHOLE));
        gateway.ask(&bodies::chat("gpt-4o-mini", false)).await
    };
    for _ in 0..2 {
        assert_eq!(ask().await.head.channel, Some(first.id));
    }
    let told = gateway.ask(&bodies::chat("gpt-4o-mini", false)).await;
    assert_eq!((told.status, told.head.attempts), (503, 0));
    let second = gateway.channel("second", "openai").await;
    for _ in 0..6 {
        let told = ask().await;
        assert_eq!((told.head.channel, told.head.attempts), (Some(second.id), 1));
    }
    assert_eq!(gateway.posted(Unit::Requests), 2);
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_limited_to_its_requests_per_minute() {
    let (mut gateway, transport) = gateway().await;
    gateway.limit_key(KeyLimits { requests_per_minute: Some(3), tokens_per_minute: None }).await;
    gateway.watch_reservations().await;
    for remaining in [2, 1, 0] {
        transport.push(Answer::json(200, bodies::OPENAI_WHOLE));
        let told = gateway.ask(&bodies::chat("gpt-4o-mini", false)).await;
        assert_eq!(told.status, 200);
        let (_, window) = told.head.windows[0];
        assert_eq!((window.limit, window.remaining), (3, remaining));
    }
    let told = gateway.ask(&bodies::chat("gpt-4o-mini", false)).await;
    let fault = told.fault.as_ref().unwrap();
    assert_eq!((told.status, fault.kind), (429, FaultKind::RateLimited));
    assert_eq!(fault.retry_after, Some(Duration::from_secs(20)), "a third of a minute for one of three");
    assert_eq!(told.json()["error"]["code"], "rate_limit_exceeded");
    assert_eq!((gateway.records().await.len(), gateway.reserved()), (3, 0));

    gateway.clock.advance(Duration::from_secs(20));
    transport.push(Answer::json(200, bodies::OPENAI_WHOLE));
    assert_eq!(gateway.ask(&bodies::chat("gpt-4o-mini", false)).await.status, 200, "after the wait told");
    assert_eq!(gateway.ask(&bodies::chat("gpt-4o-mini", false)).await.status, 429);
    gateway.close().await;
}

/// The guess is taken first, and put right when the answer is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_limited_to_its_tokens_per_minute_as_they_were_used() {
    let (mut gateway, transport) = gateway().await;
    let limits = KeyLimits { requests_per_minute: Some(100), tokens_per_minute: Some(1_000) };
    gateway.limit_key(limits).await;
    let ask = bodies::chat_with("gpt-4o-mini", false, r#","max_tokens":900"#);
    for spent in [0, 15, 30] {
        transport.push(Answer::json(200, bodies::OPENAI_WHOLE));
        let told = gateway.ask(&ask).await;
        assert_eq!(told.status, 200, "the guess of the call before was given back");
        let (unit, window) = told.head.windows[1];
        assert_eq!((unit, window.limit), (lyss_quota::RateUnit::Tokens, 1_000));
        assert!(window.remaining <= 100 - spent, "{window:?}");
    }
    let told = gateway.ask(&bodies::chat_with("gpt-4o-mini", false, r#","max_tokens":990"#)).await;
    assert_eq!((told.status, told.fault.unwrap().kind), (429, FaultKind::RateLimited));
    // What was refused for its tokens took no request either.
    transport.push(Answer::json(200, bodies::OPENAI_WHOLE));
    let told = gateway.ask(&bodies::chat("gpt-4o-mini", false)).await;
    assert_eq!(told.head.windows[0].1.remaining, 96);
    gateway.close().await;
}

/// The request as the vendor gets it.
async fn sent(gateway: &Gateway, transport: &ScriptedTransport, body: &str) -> String {
    let stream = body.contains(r#""stream":true"#);
    transport.push(match stream {
        true => Answer::head(200, &[]).chunk(bodies::OPENAI_STREAM).end(),
        false => Answer::json(200, bodies::OPENAI_WHOLE),
    });
    let answered = gateway.chat(body).await.unwrap_or_else(|failed| panic!("{:?}", failed.fault));
    drop(answered.body);
    String::from_utf8(transport.sent().pop().unwrap().body.to_vec()).unwrap()
}

/// Only where something enforced counts it, and only where the caller set none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_output_limit_is_written_only_where_a_policy_needs_one() {
    let plain = bodies::chat("gpt-4o-mini", false);
    let own = bodies::chat_with("gpt-4o-mini", false, r#","max_completion_tokens":7"#);
    let spliced = plain.replacen('{', r#"{"max_completion_tokens":4096,"#, 1);
    let some = Some(1_u64 << 40);
    let cost = Some(Micros(1 << 40));
    let table = [
        ((some, None, None), PolicyMode::Enforce, &plain),
        ((None, some, None), PolicyMode::Shadow, &plain),
        ((None, None, cost), PolicyMode::Shadow, &plain),
        ((None, some, None), PolicyMode::Enforce, &spliced),
        ((None, None, cost), PolicyMode::Enforce, &spliced),
    ];
    for ((requests, tokens, cost), mode, expected) in table {
        let (gateway, transport) = gateway().await;
        assert_eq!(sent(&gateway, &transport, &plain).await, plain, "without any policy");
        gateway.policy(requests, tokens, cost, mode).await;
        assert_eq!(&sent(&gateway, &transport, &plain).await, expected, "{requests:?} {tokens:?} {mode:?}");
        assert_eq!(sent(&gateway, &transport, &own).await, own, "the caller's own limit stands");
        gateway.close().await;
    }
}

/// DeepSeek reads another name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_output_limit_goes_by_the_name_the_vendor_reads() {
    let (gateway, transport) = Gateway::scripted().await;
    gateway.channel("only", "deepseek").await;
    gateway.policy(None, Some(1 << 40), None, PolicyMode::Enforce).await;
    let body = bodies::chat("deepseek-chat", false);
    let expected = body.replacen('{', r#"{"max_tokens":4096,"#, 1);
    assert_eq!(sent(&gateway, &transport, &body).await, expected);
    gateway.close().await;
}

/// Usage is asked for in every stream; nothing else of the body is touched.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usage_is_asked_for_where_the_caller_did_not() {
    let (gateway, transport) = gateway().await;
    let plain = bodies::chat("gpt-4o-mini", true);
    let asked = r#"{"stream_options":{"include_usage":true},"#;
    assert_eq!(sent(&gateway, &transport, &plain).await, plain.replacen('{', asked, 1));
    let with =
        |options: &str| bodies::chat_with("gpt-4o-mini", true, &format!(r#","stream_options":{options}"#));
    for (from, to) in [
        (r#"{"include_usage":true}"#, r#"{"include_usage":true}"#),
        (r#"{"include_usage": false}"#, r#"{"include_usage": true}"#),
        (r#"{"x":1}"#, r#"{"include_usage":true,"x":1}"#),
        ("{}", r#"{"include_usage":true}"#),
        ("null", r#"{"include_usage":true}"#),
    ] {
        assert_eq!(sent(&gateway, &transport, &with(from)).await, with(to), "{from}");
    }
    let whole = bodies::chat("gpt-4o-mini", false);
    assert_eq!(sent(&gateway, &transport, &whole).await, whole);
    gateway.close().await;
}

/// A call that no vendor answered costs nothing, and leaves the quota as it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_is_given_back() {
    let (gateway, transport) = gateway().await;
    gateway.policy(Some(1), Some(10_000), None, PolicyMode::Enforce).await;
    for _ in 0..5 {
        transport.push(Answer::json(500, "{}"));
        assert_eq!(gateway.ask(&bodies::chat("gpt-4o-mini", false)).await.status, 500);
    }
    assert_eq!((gateway.reserved(), gateway.posted(Unit::Requests)), (0, 0));
    transport.push(Answer::json(200, bodies::OPENAI_WHOLE));
    assert_eq!(gateway.ask(&bodies::chat("gpt-4o-mini", false)).await.status, 200);
    assert_eq!(gateway.ask(&bodies::chat("gpt-4o-mini", false)).await.status, 429);
    gateway.close().await;
}

/// A vendor that says more than was asked: what it says is settled, whatever was reserved.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overrun_is_charged_in_full() {
    let transport = ScriptedTransport::default();
    let settings = ProxySettings { default_output_tokens: 10, ..ProxySettings::default() };
    let gateway = Gateway::in_process(Arc::new(transport.clone()), settings).await;
    gateway.channel("only", "openai").await;
    gateway.policy(None, Some(1_000), None, PolicyMode::Enforce).await;
    let usage = r#"{"prompt_tokens":11,"completion_tokens":5000,"total_tokens":5011}"#;
    let whole = format!(r#"{{"choices":[{{"message":{{"content":"x"}}}}],"usage":{usage}}}"#);
    transport.push(Answer::json(200, whole));
    let answered = gateway.chat(&bodies::chat("gpt-4o-mini", false)).await.ok().unwrap();
    assert!(matches!(answered.body, AnswerBody::Whole(_)));
    assert_eq!((gateway.posted(Unit::Tokens), gateway.reserved()), (5_011, 0));
    let told = gateway.ask(&bodies::chat("gpt-4o-mini", false)).await;
    assert_eq!((told.status, told.json()["error"]["code"].as_str()), (429, Some("insufficient_quota")));
    gateway.close().await;
}

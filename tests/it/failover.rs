//! A channel that fails before its answer began is followed by the next: what the caller sees, what is recorded, and
//! which channels may serve at all.

use std::collections::BTreeMap;
use std::time::Duration;

use lyss_domain::{Channel, ChannelState, FaultKind, Terminal};
use lyss_proxy::gate::GateSettings;
use lyss_proxy::{ProxySettings, Steering};
use lyss_quota::Unit;
use lyss_sandbox::{SandboxConfig, Vendor};
use lyss_testkit::transport::{Answer, ScriptedTransport};
use lyss_wire::TransportClass;

use crate::gateway::{Gateway, VENDOR_KEY, bodies, draft, next, steer, stream_of};

/// Channels tried in this order.
async fn in_order(gateway: &Gateway, provider: &str, names: &[&str]) -> Vec<Channel> {
    let mut channels = Vec::new();
    for (priority, name) in (0..).zip(names) {
        let mut draft = draft(name, provider, "http://127.0.0.1:9");
        draft.priority = priority;
        channels.push(gateway.office.channel(draft).await);
    }
    channels
}

fn good(stream: bool) -> Answer {
    match stream {
        true => Answer::head(200, &[]).chunk(bodies::OPENAI_STREAM).end(),
        false => Answer::json(200, bodies::OPENAI_WHOLE),
    }
}

const HTML: &str = "<!doctype html>\n\n<html><body>Bad gateway</body></html>\n\n";

/// Every way to fail before an answer begins, and what it is recorded as.
fn failures() -> Vec<(Answer, FaultKind)> {
    let refusal = |status, body: &'static str| Answer::json(status, body);
    let plain = r#"{"error":{"message":"No.","type":"some_error"}}"#;
    let class = |class| Answer::failing(class);
    vec![
        (refusal(500, plain), FaultKind::VendorError),
        (refusal(502, "<html>"), FaultKind::VendorError),
        (refusal(503, plain), FaultKind::Overloaded),
        (refusal(529, plain), FaultKind::Overloaded),
        (refusal(408, ""), FaultKind::VendorError),
        (refusal(429, plain), FaultKind::VendorRateLimited),
        (refusal(429, r#"{"error":{"code":"insufficient_quota"}}"#), FaultKind::VendorQuota),
        (refusal(402, plain), FaultKind::VendorQuota),
        (refusal(401, plain), FaultKind::CredentialRefused),
        (refusal(403, plain), FaultKind::CredentialRefused),
        (refusal(404, plain), FaultKind::ModelNotFound),
        (Answer::head(500, &[]).chunk("half").cut(), FaultKind::VendorError),
        (class(TransportClass::Connect), FaultKind::Network),
        (class(TransportClass::Dns), FaultKind::Network),
        (class(TransportClass::Reset), FaultKind::Network),
        (class(TransportClass::Tls), FaultKind::Tls),
        (class(TransportClass::Protocol), FaultKind::Protocol),
        (class(TransportClass::EgressDenied), FaultKind::EgressDenied),
        (class(TransportClass::ConnectTimeout), FaultKind::ConnectTimeout),
        (Answer::silent(), FaultKind::FirstByteTimeout),
        (Answer::head(200, &[]).stall(), FaultKind::FirstByteTimeout),
        (Answer::head(200, &[]).cut(), FaultKind::UpstreamCut),
    ]
}

fn whole_failures() -> Vec<(Answer, FaultKind)> {
    let half = &bodies::OPENAI_WHOLE.as_bytes()[..50];
    vec![
        (Answer::head(200, &[]).chunk(HTML).end(), FaultKind::Protocol),
        (Answer::head(200, &[]).end(), FaultKind::Protocol),
        (Answer::head(200, &[]).chunk(half).cut(), FaultKind::UpstreamCut),
    ]
}

fn stream_failures() -> Vec<(Answer, FaultKind)> {
    let error = |body: &str| Answer::head(200, &[]).chunk(format!("data: {body}\n\n"));
    vec![
        (Answer::head(200, &[]).chunk(HTML).end(), FaultKind::UpstreamCut),
        (Answer::head(200, &[]).end(), FaultKind::UpstreamCut),
        (Answer::head(200, &[]).chunk("x\n\n".repeat(25_000)).stall(), FaultKind::Protocol),
        (Answer::head(200, &[]).chunk(": a comment\n\n").cut(), FaultKind::UpstreamCut),
        (error(r#"{"error":{"message":"No.","type":"server_error"}}"#).end(), FaultKind::VendorError),
        (
            error(r#"{"error":{"message":"No.","code":"rate_limit_exceeded"}}"#).cut(),
            FaultKind::VendorRateLimited,
        ),
    ]
}

/// Longer than any channel is left out for what it did.
const FORGIVEN: Duration = Duration::from_secs(600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_fails_before_the_answer_is_answered_by_the_next_channel() {
    let (gateway, transport) = Gateway::scripted().await;
    let channels = in_order(&gateway, "openai", &["first", "second"]).await;
    let quick = Some(Duration::from_millis(20));
    gateway.office.edit_channel(channels[0].id, |channel| channel.timeouts.first_byte = quick).await;
    gateway.watch_reservations().await;
    let mut calls = 0;
    for stream in [false, true] {
        let more = if stream { stream_failures() } else { whole_failures() };
        for (failure, kind) in failures().into_iter().chain(more) {
            let place = format!("stream {stream}: {kind}");
            gateway.clock.advance(FORGIVEN);
            transport.push(failure);
            transport.push(good(stream));
            let asked =
                bodies::chat_with("gpt-4o-mini", stream, r#","stream_options":{"include_usage":true}"#);
            let told = gateway.ask(&asked).await;
            calls += 1;
            let whole = if stream { bodies::OPENAI_STREAM } else { bodies::OPENAI_WHOLE };
            assert_eq!((told.status, told.text()), (200, whole), "{place}");
            assert_eq!((told.head.attempts, told.head.channel), (2, Some(channels[1].id)), "{place}");
            let records = gateway.records_of(told.call()).await;
            let [failed, answered] = &records[..] else { panic!("{place}: {} records", records.len()) };
            assert_eq!((failed.channel, failed.fault), (channels[0].id, Some(kind)), "{place}");
            assert_ne!(failed.terminal, Terminal::Complete, "{place}");
            assert_eq!((failed.usage.total(), failed.cost.0), (0, 0), "{place}: charged for nothing");
            assert_eq!((answered.terminal, answered.usage.total()), (Terminal::Complete, 15), "{place}");
            // Once a call, whatever it took.
            assert_eq!(gateway.posted(Unit::Requests), calls, "{place}");
            assert_eq!(gateway.posted(Unit::Tokens), 15 * calls, "{place}");
            assert_eq!((gateway.reserved(), transport.left()), (0, 0), "{place}");
        }
    }
    gateway.close().await;
}

/// The caller's own mistake: every channel would say the same, and the vendor says it best.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_request_is_told_in_the_vendors_words_and_not_tried_again() {
    let (gateway, transport) = Gateway::scripted().await;
    in_order(&gateway, "openai", &["first", "second"]).await;
    gateway.watch_reservations().await;
    let said = r#"{ "error": {"message":"'messages' must not be empty.","type":"invalid_request_error",
        "param":"messages","code":"empty_array","extra":[1]} }"#;
    for stream in [false, true] {
        transport.push(Answer::json(400, said));
        let told = gateway.ask(&bodies::chat("gpt-4o-mini", stream)).await;
        assert_eq!((told.status, told.text(), told.head.attempts), (400, said, 1));
        let records = gateway.records_of(told.call()).await;
        assert_eq!(records.len(), 1);
        assert_eq!((records[0].terminal, records[0].status), (Terminal::Refused, Some(400)));
    }
    assert_eq!((gateway.reserved(), gateway.posted(Unit::Tokens)), (0, 0));
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_all_are_rate_limited_the_caller_is_told_the_shortest_wait() {
    let (gateway, transport) = Gateway::scripted().await;
    in_order(&gateway, "openai", &["first", "second", "third"]).await;
    for wait in ["7", "3", "5"] {
        transport.push(Answer::head(429, &[("retry-after", wait)]).chunk("{}").end());
    }
    let told = gateway.ask(&bodies::chat("gpt-4o-mini", true)).await;
    assert_eq!((told.status, told.head.attempts), (429, 3));
    let fault = told.fault.as_ref().unwrap();
    assert_eq!(fault.retry_after, Some(Duration::from_secs(3)));
    assert_eq!(told.json()["error"]["code"], "rate_limit_exceeded");
    assert_eq!(gateway.records_of(told.call()).await.len(), 3);
    gateway.close().await;
}

/// Neither as a 401 of the caller's, nor in the words of a vendor that may quote the key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_channel_credential_is_our_matter() {
    for provider in ["openai", "anthropic", "azure_openai"] {
        let (gateway, transport) = Gateway::scripted().await;
        in_order(&gateway, provider, &["first", "second"]).await;
        for status in [401, 403] {
            for _ in 0..2 {
                let said = format!(
                    r#"{{"error":{{"message":"Wrong key {VENDOR_KEY} of org-7","type":"org-7","code":"invalid_api_key","param":"{VENDOR_KEY}"}}}}"#
                );
                transport.push(Answer::json(status, said));
            }
            let told = gateway.ask(&bodies::chat("gpt-4o-mini", false)).await;
            assert_eq!(told.status, 502, "{provider}: {status}");
            for leaked in [VENDOR_KEY, "org-7", "Wrong key"] {
                assert!(!told.text().contains(leaked), "{provider}: {}", told.text());
            }
            assert_eq!(told.json()["error"]["code"], "credential_refused");
        }
        gateway.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_channels_are_tried_than_allowed() {
    for (allowed, attempts) in [(None, 3), (Some(0), 1), (Some(1), 2), (Some(4), 5), (Some(9), 5)] {
        let (gateway, transport) = Gateway::scripted().await;
        let channels = in_order(&gateway, "openai", &["a", "b", "c", "d", "e"]).await;
        for channel in &channels {
            gateway.office.edit_channel(channel.id, |channel| channel.max_retries = allowed).await;
        }
        for _ in 0..attempts {
            transport.push(Answer::json(503, "{}"));
        }
        let told = gateway.ask(&bodies::chat("gpt-4o-mini", false)).await;
        assert_eq!((told.status, told.head.attempts), (503, attempts), "{allowed:?}");
        let records = gateway.records_of(told.call()).await;
        let tried: Vec<_> = records.iter().map(|record| record.channel).collect();
        let expected: Vec<_> = channels.iter().map(|c| c.id).take(usize::from(attempts)).collect();
        assert_eq!(tried, expected, "{allowed:?}: each at most once, in the order of their priorities");
        assert!(records.iter().zip(0..).all(|(record, ordinal)| record.ordinal == ordinal));
        gateway.close().await;
    }
}

/// One deadline over all attempts: what the first used up, the second no longer has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_attempts_share_one_deadline() {
    let (gateway, transport) = Gateway::scripted().await;
    in_order(&gateway, "openai", &["first", "second"]).await;
    transport.push(Answer::head(500, &[]).wait(Duration::from_millis(100)).chunk("{}").end());
    transport.push(good(false));
    let timeout = Some(Duration::from_secs(30));
    let body = bodies::chat("gpt-4o-mini", false);
    let call = gateway.steered(&body, Steering { timeout, ..Steering::default() });
    let later = async {
        crate::gateway::until("the first is asked", || transport.sent().len() == 1).await;
        gateway.clock.advance(Duration::from_secs(20));
    };
    let (answered, ()) = tokio::join!(call, later);
    assert!(answered.is_ok());
    let sent = transport.sent();
    assert_eq!(sent[0].timers.total, Duration::from_secs(30));
    assert_eq!(sent[1].timers.total, Duration::from_secs(10));
    assert!(sent[1].timers.first_byte <= Duration::from_secs(10));
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channels_out_of_service_are_never_called() {
    let (gateway, transport) = Gateway::scripted().await;
    let mut channels = Vec::new();
    for name in ["weightless", "draining", "disabled", "serving"] {
        channels.push(gateway.channel(name, "openai").await);
    }
    gateway.office.edit_channel(channels[0].id, |channel| channel.weight = 0).await;
    gateway.office.edit_channel(channels[1].id, |channel| channel.state = ChannelState::Draining).await;
    gateway.office.edit_channel(channels[2].id, |channel| channel.state = ChannelState::Disabled).await;
    for _ in 0..40 {
        transport.push(good(false));
        let told = gateway.ask(&bodies::chat("gpt-4o-mini", false)).await;
        assert_eq!(told.head.channel, Some(channels[3].id));
    }
    // Nor as the last resort, nor when asked for by name.
    transport.push(Answer::json(500, "{}"));
    let told = gateway.ask(&bodies::chat("gpt-4o-mini", false)).await;
    assert_eq!((told.status, told.head.attempts), (500, 1));
    for (channel, status) in channels[..3].iter().zip([503, 404, 404]) {
        let answered = gateway.steered(&bodies::chat("gpt-4o-mini", false), steer(channel.id)).await;
        assert_eq!(answered.err().unwrap().fault.status, status, "{}", channel.name);
    }
    gateway.close().await;
}

/// Round robin over weights: what is asked of two channels of equal weight is shared equally.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lower_priority_serves_only_when_the_higher_one_fails() {
    let (gateway, transport) = Gateway::scripted().await;
    let channels = in_order(&gateway, "openai", &["first", "second", "third"]).await;
    gateway.office.edit_channel(channels[1].id, |channel| channel.priority = 0).await;
    let mut served = BTreeMap::new();
    for _ in 0..40 {
        transport.push(good(false));
        let told = gateway.ask(&bodies::chat("gpt-4o-mini", false)).await;
        *served.entry(told.head.channel.unwrap()).or_insert(0) += 1;
    }
    assert!(!served.contains_key(&channels[2].id));
    assert!(served[&channels[0].id] > 5 && served[&channels[1].id] > 5, "{served:?}");
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_serves_no_more_at_once_than_its_limit() {
    let nobody_waits = GateSettings { queue_length: 0, ..GateSettings::default() };
    let settings = ProxySettings { gate: nobody_waits, ..ProxySettings::default() };
    let (gateway, transport) = Gateway::scripted_with(settings).await;
    let channels = in_order(&gateway, "openai", &["narrow", "wide"]).await;
    gateway.office.edit_channel(channels[0].id, |channel| channel.limits.concurrency = Some(1)).await;
    gateway.watch_reservations().await;
    let held = |transport: &ScriptedTransport| {
        transport.push(Answer::head(200, &[]).chunk(bodies::OPENAI_STREAM).stall());
    };
    held(&transport);
    let (head, first) = stream_of(gateway.chat(&bodies::chat("gpt-4o-mini", true)).await);
    assert_eq!(head.channel, Some(channels[0].id));

    // Full: the next goes on, and passing by is no attempt.
    held(&transport);
    let (head, second) = stream_of(gateway.chat(&bodies::chat("gpt-4o-mini", true)).await);
    assert_eq!((head.channel, head.attempts), (Some(channels[1].id), 1));
    let answered = gateway.steered(&bodies::chat("gpt-4o-mini", true), steer(channels[0].id)).await;
    let failed = answered.err().unwrap();
    assert_eq!((failed.fault.status, failed.head.attempts), (503, 0));
    assert!(failed.fault.retry_after.is_some());

    // Room again, also after an edit of the channel.
    gateway.office.edit_channel(channels[0].id, |channel| channel.tags.push("edited".to_owned())).await;
    let answered = gateway.steered(&bodies::chat("gpt-4o-mini", true), steer(channels[0].id)).await;
    assert_eq!(answered.err().unwrap().fault.status, 503, "an edit empties no channel");
    drop(first);
    held(&transport);
    let (head, mut third) = stream_of(gateway.chat(&bodies::chat("gpt-4o-mini", true)).await);
    assert_eq!(head.channel, Some(channels[0].id));
    assert!(next(&mut third).await.is_some());
    drop((second, third));
    assert_eq!(gateway.reserved(), 0);
    gateway.close().await;
}

/// The place goes to the call that waited for it, when the last byte before it has gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_waits_for_a_full_channel_and_takes_the_place_that_is_freed() {
    let (gateway, transport) = Gateway::scripted().await;
    let channel = gateway.channel("only", "openai").await;
    gateway.office.edit_channel(channel.id, |channel| channel.limits.concurrency = Some(1)).await;
    gateway.watch_reservations().await;
    transport.push(Answer::head(200, &[]).chunk(bodies::OPENAI_STREAM).stall());
    let body = bodies::chat("gpt-4o-mini", true);
    let (_, first) = stream_of(gateway.chat(&body).await);
    let mut second = Box::pin(gateway.chat(&body));
    let waited = tokio::time::timeout(Duration::from_millis(600), second.as_mut()).await;
    assert!(waited.is_err(), "there is no place yet");
    transport.push(Answer::head(200, &[]).chunk(bodies::OPENAI_STREAM).end());
    drop(first);
    let (head, stream) = stream_of(second.await);
    assert_eq!((head.channel, head.attempts), (Some(channel.id), 1));
    drop(stream);
    assert_eq!(gateway.reserved(), 0);
    gateway.close().await;
}

/// A channel's only trial may take long: whoever has no other channel does not wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beside_a_trial_the_only_channel_is_asked_in_panic() {
    let (gateway, transport) = Gateway::scripted().await;
    gateway.channel("only", "openai").await;
    gateway.watch_reservations().await;
    let body = bodies::chat("gpt-4o-mini", true);
    for _ in 0..3 {
        transport.push(Answer::json(500, "{}"));
        assert_eq!(gateway.ask(&body).await.status, 500);
    }
    gateway.clock.advance(FORGIVEN);
    transport.push(Answer::head(200, &[]).stall());
    let mut trial = Box::pin(gateway.chat(&body));
    let waited = tokio::time::timeout(Duration::from_millis(100), trial.as_mut()).await;
    assert!(waited.is_err(), "the trial is under way");
    transport.push(Answer::head(200, &[]).chunk(bodies::OPENAI_STREAM).end());
    let told = gateway.ask(&body).await;
    assert_eq!((told.status, told.head.attempts, told.head.panicked), (200, 1, true));
    drop(trial);
    assert_eq!(gateway.reserved(), 0);
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_may_steer_chooses_and_another_may_not() {
    let (mut gateway, transport) = Gateway::scripted().await;
    let channels = in_order(&gateway, "openai", &["first", "second"]).await;
    gateway.office.edit_channel(channels[1].id, |channel| channel.tags = vec!["eu".to_owned()]).await;
    let tagged = Steering { tags: vec!["eu".to_owned()], ..Steering::default() };
    for steering in [steer(channels[1].id), tagged.clone()] {
        transport.push(good(false));
        let answer = gateway.steered(&bodies::chat("gpt-4o-mini", false), steering).await;
        assert_eq!(answer.ok().unwrap().head.channel, Some(channels[1].id));
    }
    // Steered to a channel that fails: no other is tried.
    transport.push(Answer::json(500, "{}"));
    let failed = gateway.steered(&bodies::chat("gpt-4o-mini", false), steer(channels[1].id)).await;
    assert_eq!(failed.err().unwrap().head.attempts, 1);

    gateway.key = gateway.office.edit_key(&gateway.key, |key| key.may_steer = false).await;
    for steering in [steer(channels[1].id), tagged] {
        let failed = gateway.steered(&bodies::chat("gpt-4o-mini", false), steering).await.err().unwrap();
        assert_eq!((failed.fault.status, failed.head.attempts), (403, 0));
    }
    assert_eq!(transport.left(), 0);
    gateway.close().await;
}

/// What a key may use is kept to, and what it may not looks as if it did not exist.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_reaches_only_what_it_may() {
    let (mut gateway, transport) = Gateway::scripted().await;
    let channels = in_order(&gateway, "openai", &["first", "second"]).await;
    let only = vec![channels[1].id];
    gateway.key = gateway
        .office
        .edit_key(&gateway.key, |key| {
            key.channels = only;
            key.models = vec!["gpt-4o*".to_owned()];
        })
        .await;
    transport.push(good(false));
    let told = gateway.ask(&bodies::chat("gpt-4o-mini", false)).await;
    assert_eq!(told.head.channel, Some(channels[1].id));
    let told = gateway.ask(&bodies::chat("o3", false)).await;
    assert_eq!((told.status, told.json()["error"]["code"].as_str()), (404, Some("model_not_found")));
    let failed = gateway.steered(&bodies::chat("gpt-4o", false), steer(channels[0].id)).await.err().unwrap();
    assert_eq!(failed.fault.status, 404);
    gateway.close().await;
}

/// The same over sockets: each vendor fails in its own way, and the other one answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vendors_that_fail_over_sockets_are_followed_by_one_that_answers() {
    let mut sandbox =
        lyss_sandbox::start(SandboxConfig { record: true, ..SandboxConfig::default() }).await.unwrap();
    let gateway = Gateway::onto(&sandbox).await;
    let knobs = [
        "status=500",
        "status=503",
        "status=529",
        "status=429",
        "status=401",
        "status=403",
        "status=402",
        "status=404",
        "quota",
        "reset=head",
        "reset=body",
        "cut_bytes=40",
        "garbage",
        "empty",
    ];
    let mut models = 0;
    for vendor in Vendor::ALL {
        let mut draft = draft(vendor.slug(), vendor.slug(), &sandbox.api_base(vendor).unwrap());
        draft.supported_models = vec!["none".to_owned()];
        for knob in knobs {
            let failing = format!("{}+{knob}", vendor.models()[0]);
            draft.model_mapping.insert(format!("{}-{knob}", vendor.slug()), failing);
        }
        gateway.office.channel(draft).await;
    }
    let mut last = draft("last", "openai", &sandbox.api_base(Vendor::OpenAi).unwrap());
    last.priority = 1;
    for vendor in Vendor::ALL {
        for knob in knobs {
            last.model_mapping.insert(format!("{}-{knob}", vendor.slug()), "gpt-4o-mini".to_owned());
        }
    }
    let last = gateway.office.channel(last).await;
    for vendor in Vendor::ALL {
        for knob in knobs {
            for stream in [false, true] {
                let place = format!("{} {knob} stream {stream}", vendor.slug());
                gateway.clock.advance(FORGIVEN);
                let told = gateway.ask(&bodies::chat(&format!("{}-{knob}", vendor.slug()), stream)).await;
                assert_eq!(
                    (told.status, told.head.channel),
                    (200, Some(last.id)),
                    "{place}: {}",
                    told.text()
                );
                assert_eq!(told.head.attempts, 2, "{place}");
                models += 1;
            }
        }
    }
    let records = gateway.records().await;
    assert_eq!(records.len(), 2 * models);
    assert_eq!(records.iter().filter(|record| record.terminal == Terminal::Complete).count(), models);

    sandbox.stop_vendor(Vendor::DeepSeek).await;
    gateway.clock.advance(FORGIVEN);
    let told = gateway.ask(&bodies::chat("deepseek-status=500", true)).await;
    assert_eq!((told.status, told.head.attempts), (200, 2), "refused connections are followed too");
    let records = gateway.records_of(told.call()).await;
    assert_eq!(records[0].fault, Some(FaultKind::Network));
    gateway.close().await;
    sandbox.stop().await;
}

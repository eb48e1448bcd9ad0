//! A second attempt beside a slow one: the caller gets the first answer there is, once, and pays for it once.

use std::time::Duration;

use lyss_domain::{FaultKind, RoutingRule, Terminal};
use lyss_quota::Unit;
use lyss_testkit::transport::{Answer, Script, ScriptedTransport};

use crate::gateway::{Gateway, bodies};

/// Calls after which the usual time to a first token is known.
const LEARNING: usize = 60;

/// Two channels that answer at once, and a tenant that wants slow calls hedged. The clock runs while they learn, so that
/// there is a time to learn.
async fn learned() -> (Gateway, ScriptedTransport) {
    let (gateway, transport) = Gateway::scripted().await;
    for name in ["first", "second"] {
        gateway.channel(name, "openai").await;
    }
    let rule = RoutingRule { hedge: Some(true), ..RoutingRule::default() };
    gateway.office.edit_tenant(|tenant| tenant.settings.routing.default = rule).await;
    gateway.watch_reservations().await;
    let clock = gateway.clock.clone();
    let running = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            clock.advance(Duration::from_millis(10));
        }
    });
    for _ in 0..LEARNING {
        transport.push(events().wait(Duration::from_millis(3)).chunk(bodies::OPENAI_STREAM).end());
        assert_eq!(gateway.ask(&asked()).await.status, 200);
    }
    running.abort();
    (gateway, transport)
}

fn events() -> Script {
    Answer::head(200, &[("content-type", "text/event-stream")])
}

fn asked() -> String {
    bodies::chat_with("gpt-4o-mini", true, r#","stream_options":{"include_usage":true}"#)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_first_is_overtaken_and_the_call_is_charged_once() {
    let (gateway, transport) = learned().await;
    let (calls, tokens) = (gateway.posted(Unit::Requests), gateway.posted(Unit::Tokens));
    transport.push(events().stall());
    transport.push(events().chunk(bodies::OPENAI_STREAM).end());
    let told = gateway.ask(&asked()).await;
    assert_eq!((told.status, told.head.attempts), (200, 2));
    assert_eq!(told.text(), bodies::OPENAI_STREAM);
    let records = gateway.records_of(told.call()).await;
    let [lost, won] = &records[..] else { panic!("{} records", records.len()) };
    assert_eq!((lost.terminal, lost.fault), (Terminal::ClientGone, Some(FaultKind::Superseded)));
    assert_eq!((lost.usage.total(), lost.cost.0), (0, 0));
    assert_eq!((won.terminal, won.fault, won.usage.total()), (Terminal::Complete, None, 15));
    assert_ne!(lost.channel, won.channel);
    assert_eq!(told.head.channel, Some(won.channel));
    assert_eq!(gateway.posted(Unit::Requests), calls + 1);
    assert_eq!(gateway.posted(Unit::Tokens), tokens + 15);
    assert_eq!(gateway.reserved(), 0);
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hedge_that_fails_leaves_the_first_to_answer() {
    let (gateway, transport) = learned().await;
    let tokens = gateway.posted(Unit::Tokens);
    transport.push(events().wait(Duration::from_secs(2)).chunk(bodies::OPENAI_STREAM).end());
    transport.push(Answer::json(500, "{}"));
    let told = gateway.ask(&asked()).await;
    assert_eq!((told.status, told.head.attempts), (200, 2));
    let records = gateway.records_of(told.call()).await;
    assert_eq!((records[0].terminal, records[1].fault), (Terminal::Complete, Some(FaultKind::VendorError)));
    assert_eq!((gateway.posted(Unit::Tokens), gateway.reserved()), (tokens + 15, 0));
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_fail_go_on_with_one_charge_and_nothing_is_owed() {
    let (gateway, transport) = learned().await;
    let (calls, tokens) = (gateway.posted(Unit::Requests), gateway.posted(Unit::Tokens));
    transport.push(events().wait(Duration::from_secs(2)).cut());
    transport.push(Answer::json(500, "{}"));
    let told = gateway.ask(&asked()).await;
    assert_eq!((told.status, told.head.attempts), (502, 2));
    assert!(gateway.records_of(told.call()).await.iter().all(|record| record.usage.total() == 0));
    assert_eq!((gateway.posted(Unit::Requests), gateway.posted(Unit::Tokens)), (calls, tokens));
    assert_eq!(gateway.reserved(), 0);
    gateway.close().await;
}

//! `Idempotency-Key` on proxied calls: one that is sent again is answered as the first time, through whichever replica,
//! and no vendor is asked twice.

use std::sync::Arc;
use std::time::Duration;

use lyss_management::KeyDraft;
use lyss_sandbox::{Sandbox, SandboxConfig, Vendor};
use lyss_testkit::{TestDatabase, database};
use sea_orm::{ConnectionTrait, Statement};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::gateway::office::WallClock;
use crate::gateway::process::{Process, Start};
use crate::gateway::wire::{self, Reply};
use crate::gateway::{Office, bodies, draft};
use crate::manage::JWT_SECRET;

const CHAT: &str = "/v1/chat/completions";
const REPLAY: &str = "x-lyss-idempotent-replay";

/// Two replicas on one database, before one vendor.
struct Pair {
    replicas: [Process; 2],
    office: Office,
    sandbox: Sandbox,
    key: String,
    database: TestDatabase,
    _homes: [TempDir; 2],
}

impl Pair {
    async fn on(database: TestDatabase) -> Self {
        let sandbox = lyss_sandbox::start(SandboxConfig::default()).await.unwrap();
        let office = Office::open(database.another().await, Arc::new(WallClock::new()), None).await;
        for vendor in [Vendor::OpenAi, Vendor::Anthropic] {
            let mut channel = draft(vendor.slug(), vendor.slug(), &sandbox.api_base(vendor).unwrap());
            channel.supported_models = vendor.models().iter().map(|model| format!("{model}*")).collect();
            channel.max_retries = Some(0);
            office.channel(channel).await;
        }
        let key = office.key("caller").await.1;
        let homes = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let start = |home: &TempDir| {
            Start::on(home.path())
                .with("DATABASE_URL", &database.settings().url)
                .with("PROVIDER_SERVICE_ENCRYPTION_KEY", &office.master_key)
                .with("PROVIDER_SERVICE_JWT_SECRET", JWT_SECRET)
                .with("PROVIDER_SERVICE_EGRESS_ALLOW", "127.0.0.1")
        };
        let replicas = [start(&homes[0]).serve().await, start(&homes[1]).serve().await];
        Self { replicas, office, sandbox, key, database, _homes: homes }
    }

    async fn send(&self, replica: usize, once: &str, body: &str) -> Reply {
        self.send_as(&self.key, replica, CHAT, once, body).await
    }

    async fn send_as(&self, key: &str, replica: usize, path: &str, once: &str, body: &str) -> Reply {
        let headers = [format!("authorization: Bearer {key}"), format!("idempotency-key: {once}")];
        let headers = headers.each_ref().map(String::as_str);
        let address = self.replicas[replica].address;
        let mut reply = wire::send(address, "POST", path, &headers, body.as_bytes()).await;
        reply.finish().await;
        reply
    }

    /// Sends it again until it is no longer under way.
    async fn settled(&self, replica: usize, once: &str, body: &str) -> Reply {
        for _ in 0..1_000 {
            let reply = self.send(replica, once, body).await;
            if reply.status != 409 {
                return reply;
            }
            assert_error(&reply, 409, "idempotency_in_progress");
            assert_eq!(reply.header("retry-after"), Some("1"));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it is under way for ever");
    }

    fn asked(&self, vendor: Vendor) -> u64 {
        self.sandbox.stats(vendor).requests
    }

    async fn close(self) {
        drop(self.replicas);
        drop(self.office);
        self.database.close().await;
    }
}

#[track_caller]
fn assert_error(reply: &Reply, status: u16, code: &str) {
    assert_eq!(
        (reply.status, reply.json()["error"]["code"].as_str()),
        (status, Some(code)),
        "{}",
        reply.text()
    );
    assert_eq!(reply.json()["error"]["param"], "Idempotency-Key");
}

#[track_caller]
fn assert_replay(first: &Reply, again: &Reply) {
    assert_eq!((again.status, again.text()), (first.status, first.text()));
    assert_eq!(again.header("content-type"), first.header("content-type"));
    assert_eq!((first.header(REPLAY), again.header(REPLAY)), (Some("false"), Some("true")));
    assert_ne!(first.header("x-request-id"), again.header("x-request-id"));
}

async fn is_answered_as_the_first_time(pair: Pair) {
    let body = bodies::chat("gpt-4o-mini", false);
    let first = pair.send(0, "once", &body).await;
    assert_eq!(first.status, 200, "{}", first.text());
    assert_replay(&first, &pair.send(0, "once", &body).await);
    assert_replay(&first, &pair.send(1, "once", &body).await);
    assert_eq!(pair.asked(Vendor::OpenAi), 1);

    // The same text with another body, at another path, of another key.
    let other = bodies::chat("gpt-4o", false);
    assert_error(&pair.send(1, "once", &other).await, 422, "idempotency_conflict");
    let reply = pair.send_as(&pair.key, 1, "/api/v1/proxy/chat/completions", "once", &body).await;
    assert_error(&reply, 422, "idempotency_conflict");
    let issued = pair.office.issue(KeyDraft::new("another")).await;
    let mut theirs = pair.send_as(&issued.1, 0, CHAT, "once", &body).await;
    for _ in 0..500 {
        // It has to be heard of first.
        if theirs.status != 401 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        theirs = pair.send_as(&issued.1, 0, CHAT, "once", &body).await;
    }
    assert_eq!((theirs.status, theirs.header(REPLAY)), (200, Some("false")));
    assert_eq!(pair.asked(Vendor::OpenAi), 2);

    // In the caller's own dialect.
    let message =
        r#"{"model":"claude-sonnet-4-5","max_tokens":50,"messages":[{"role":"user","content":"Say it."}]}"#;
    let told = pair.send_as(&pair.key, 0, "/v1/messages", "said", message).await;
    assert_eq!(told.status, 200, "{}", told.text());
    assert_replay(&told, &pair.send_as(&pair.key, 1, "/v1/messages", "said", message).await);
    let refused = pair.send_as(&pair.key, 1, "/v1/messages", "said", &message.replace("50", "51")).await;
    assert_eq!((refused.status, refused.json()["type"].as_str()), (422, Some("error")));
    assert_eq!(pair.asked(Vendor::Anthropic), 1);

    // What rests does not show what was said.
    let text = first.json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
    let connection = pair.office.store.connection();
    let select =
        Statement::from_string(connection.get_database_backend(), "SELECT body FROM idempotency_records");
    let rows = connection.query_all_raw(select).await.unwrap();
    assert!(rows.len() >= 3);
    for row in rows {
        let kept: Option<Vec<u8>> = row.try_get("", "body").unwrap();
        assert!(!String::from_utf8_lossy(&kept.unwrap_or_default()).contains(&text));
    }
    pair.close().await;
}

async fn is_made_once_however_many_race(pair: Pair) {
    let pair = Arc::new(pair);
    let body = bodies::chat("gpt-4o-mini+first_ms=300", false);
    let mut racers = JoinSet::new();
    for racer in 0..100 {
        let (pair, body) = (Arc::clone(&pair), body.clone());
        racers.spawn(async move { pair.settled(racer % 2, "race", &body).await });
    }
    let replies = racers.join_all().await;
    assert_eq!(pair.asked(Vendor::OpenAi), 1);
    assert!(replies.iter().all(|reply| reply.status == 200 && reply.text() == replies[0].text()));
    let fresh = replies.iter().filter(|reply| reply.header(REPLAY) == Some("false")).count();
    assert_eq!(fresh, 1);
    Arc::into_inner(pair).unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_is_answered_as_the_first_time() {
    is_answered_as_the_first_time(Pair::on(database::sqlite().await).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_answered_as_the_first_time() {
    is_answered_as_the_first_time(Pair::on(database::postgres().await).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_is_made_once_however_many_race() {
    is_made_once_however_many_race(Pair::on(database::sqlite().await).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_made_once_however_many_race() {
    is_made_once_however_many_race(Pair::on(database::postgres().await).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_that_may_pass_frees_the_key_and_one_for_good_is_kept() {
    let pair = Pair::on(database::sqlite().await).await;
    let asked = || pair.asked(Vendor::OpenAi);
    // No vendor was reached.
    let unknown = bodies::chat("nobody-has-this", false);
    for _ in 0..2 {
        let reply = pair.send(0, "unknown", &unknown).await;
        assert_eq!((reply.status, reply.header(REPLAY), asked()), (404, Some("false"), 0));
    }
    // The vendor refused the request itself.
    let refused = bodies::chat("gpt-4o-mini+status=400", false);
    let first = pair.send(0, "refused", &refused).await;
    assert_eq!((first.status, asked()), (400, 1));
    assert_replay(&first, &pair.send(1, "refused", &refused).await);
    assert_eq!(asked(), 1);
    // The vendor was overloaded: whoever tries again means it.
    let overloaded = bodies::chat("gpt-4o-mini+status=503", false);
    for time in 2..4 {
        let reply = pair.send(0, "overloaded", &overloaded).await;
        assert_eq!(
            (reply.status, reply.header(REPLAY), asked()),
            (503, Some("false"), time),
            "{}",
            reply.text()
        );
    }
    pair.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_made_each_time_and_a_bad_key_is_told() {
    let pair = Pair::on(database::sqlite().await).await;
    let stream = bodies::chat("gpt-4o-mini", true);
    for time in 1..3 {
        let reply = pair.send(0, "stream", &stream).await;
        assert_eq!((reply.status, reply.header(REPLAY), pair.asked(Vendor::OpenAi)), (200, None, time));
    }
    // Its key is still free.
    let whole = bodies::chat("gpt-4o-mini", false);
    assert_eq!(pair.send(0, "stream", &whole).await.status, 200);
    for bad in ["a b", &"k".repeat(256)] {
        let reply = pair.send(0, bad, &whole).await;
        assert_eq!((reply.status, reply.json()["error"]["param"].as_str()), (400, Some("Idempotency-Key")));
    }
    pair.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_hangs_up_finds_its_answer_when_it_comes_back() {
    let pair = Pair::on(database::sqlite().await).await;
    let body = bodies::chat("gpt-4o-mini+first_ms=500", false);
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nidempotency-key: gone\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        pair.key,
        body.len()
    );
    let mut socket = TcpStream::connect(pair.replicas[0].address).await.unwrap();
    socket.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await.unwrap();
    while pair.asked(Vendor::OpenAi) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(socket);
    let reply = pair.settled(1, "gone", &body).await;
    assert_eq!((reply.status, reply.header(REPLAY)), (200, Some("true")), "{}", reply.text());
    let stats = pair.sandbox.stats(Vendor::OpenAi);
    assert_eq!((stats.requests, stats.ok), (1, 1));
    pair.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_passes_as_it_comes_is_kept_and_one_too_large_is_told() {
    let pair = Pair::on(database::sqlite().await).await;
    let speech = |model: &str| format!(r#"{{"model":"{model}","input":"Say it.","voice":"alloy"}}"#);
    let send =
        async |once, model: &str| pair.send_as(&pair.key, 0, "/v1/audio/speech", once, &speech(model)).await;
    let first = send("spoken", "gpt-4o-mini").await;
    assert_eq!(first.status, 200, "{}", first.text());
    let again = send("spoken", "gpt-4o-mini").await;
    assert!(first.header("content-type").unwrap().starts_with("audio/"));
    assert_eq!(again.body, first.body);
    assert_eq!(
        (again.header("content-type"), again.header(REPLAY)),
        (first.header("content-type"), Some("true"))
    );

    // Whole, and as it comes: both arrive, and neither is kept.
    let whole = bodies::chat_with("gpt-4o-mini+words=100000", false, r#","n":3"#);
    let sounds = "\u{1f514}".repeat(4_096);
    let sound =
        format!(r#"{{"model":"gpt-4o-mini","input":"{sounds}","voice":"alloy","stream_format":"sse"}}"#);
    for (path, once, body) in [(CHAT, "large", &whole), ("/v1/audio/speech", "loud", &sound)] {
        let before = pair.asked(Vendor::OpenAi);
        let first = pair.send_as(&pair.key, 0, path, once, body).await;
        assert_eq!((first.status, first.header(REPLAY)), (200, Some("false")), "{}", first.text());
        assert!(first.body.len() > 1 << 20, "{once} has {} bytes", first.body.len());
        let again = pair.send_as(&pair.key, 0, path, once, body).await;
        assert_error(&again, 409, "idempotency_answer_not_kept");
        assert_eq!(again.header("retry-after"), None);
        assert_eq!(pair.asked(Vendor::OpenAi), before + 1);
    }
    pair.close().await;
}

//! The binary as an operator meets it: commands, refusals in words, and what a killed process leaves behind.

use std::process::Output;
use std::sync::Arc;

use lyss_domain::{PolicyMode, PolicyScope, Terminal, Window};
use lyss_repositories::{AttemptStore, Store};
use lyss_sandbox::{SandboxConfig, Vendor};
use lyss_testkit::{TestDatabase, database};
use lyss_vault::{MasterKeys, Vault, generate_master_key};
use sea_orm::ConnectionTrait;

use crate::gateway::office::{self, WallClock};
use crate::gateway::process::{self, Process, Served, Start};
use crate::gateway::wire::{self, Reply};
use crate::gateway::{Office, bodies, draft};
use crate::manage::JWT_SECRET;

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[track_caller]
fn assert_done(output: &Output) {
    assert!(output.status.success(), "{}", said(output));
}

/// A refusal ends with a failure and says these words.
#[track_caller]
fn assert_refused(output: &Output, words: &[&str]) {
    assert!(!output.status.success(), "it was not refused: {}", said(output));
    for word in words {
        assert!(said(output).contains(word), "{word:?} is not said: {}", said(output));
    }
}

async fn finished(reply: Reply) -> Reply {
    let mut reply = reply;
    reply.finish().await;
    reply
}

/// A start on a PostgreSQL database of a test.
fn on(database: &TestDatabase, data: &tempfile::TempDir, master_key: &str) -> Start {
    Start::on(data.path())
        .with("DATABASE_URL", &database.settings().url)
        .with("PROVIDER_SERVICE_ENCRYPTION_KEY", master_key)
        .with("PROVIDER_SERVICE_JWT_SECRET", JWT_SECRET)
        .with("PROVIDER_SERVICE_EGRESS_ALLOW", "127.0.0.1")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_schema_is_brought_up_by_command_and_never_by_serving() {
    let database = database::postgres_empty().await;
    let data = tempfile::tempdir().unwrap();
    let start = on(&database, &data, &generate_master_key().unwrap());
    let serve = ["serve", "--port", "0"];
    assert_refused(&start.run(&serve).await, &["lyss-provider migrate up"]);
    assert!(said(&start.run(&["migrate", "status"]).await).contains("missing "));

    // Two replicas that start at once.
    let up = ["migrate", "up"];
    let (one, other) = tokio::join!(start.run(&up), start.run(&up));
    assert_done(&one);
    assert_done(&other);
    let applied = said(&one).matches("applied ").count() + said(&other).matches("applied ").count();
    let status = start.run(&["migrate", "status"]).await;
    assert!(!said(&status).contains("missing "), "{}", said(&status));
    assert_eq!(said(&status).matches("applied ").count(), applied, "each step was applied by one of them");
    assert!(said(&start.run(&up).await).contains("nothing to do"));

    let mut serving = start.serve().await;
    for path in ["/health", "/health/ready"] {
        assert_eq!(wire::get(serving.address, path, &[]).await.status, 200);
    }
    serving.terminate();
    assert_eq!(serving.ended().await, Some(0));

    // What drops data asks first, and drops nothing until it is told so.
    for drops in [&["migrate", "down"][..], &["migrate", "fresh"]] {
        assert_refused(&start.run(drops).await, &["--yes"]);
    }
    assert!(!said(&start.run(&["migrate", "status"]).await).contains("missing "));
    assert_done(&start.run(&["migrate", "down", "--steps", "1", "--yes"]).await);
    assert_refused(&start.run(&serve).await, &["behind", "lyss-provider migrate up"]);
    assert_done(&start.run(&["migrate", "fresh", "--yes"]).await);
    assert!(!said(&start.run(&["migrate", "status"]).await).contains("missing "));

    let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20990101_000001_later', 0)";
    database.store.connection().execute_unprepared(newer).await.unwrap();
    assert_refused(&start.run(&serve).await, &["ahead", "m20990101_000001_later"]);
    assert_refused(&start.run(&["migrate", "up"]).await, &["m20990101_000001_later"]);
    database.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configured_database_needs_a_master_key_of_its_own() {
    let database = database::postgres().await;
    let data = tempfile::tempdir().unwrap();
    let without = || Start::on(data.path()).with("DATABASE_URL", &database.settings().url);
    let name = "PROVIDER_SERVICE_ENCRYPTION_KEY";
    let serve = ["serve", "--port", "0"];
    assert_refused(&without().run(&serve).await, &[name, "keys generate"]);
    for sample in
        ["", "your-encryption-key-change-me-00", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "short"]
    {
        let refused = without().with(name, sample).run(&serve).await;
        assert_refused(&refused, &[name]);
        assert!(
            sample.is_empty() || !said(&refused).contains(sample),
            "a key is repeated: {}",
            said(&refused)
        );
    }
    for sample in ["", "your-secret-key", "Zq9-too-few"] {
        let start = without().with(name, &generate_master_key().unwrap());
        let start = start.with("PROVIDER_SERVICE_JWT_SECRET", sample);
        assert_refused(&start.run(&serve).await, &["PROVIDER_SERVICE_JWT_SECRET"]);
        assert_refused(&start.run(&["check"]).await, &["PROVIDER_SERVICE_JWT_SECRET"]);
    }
    // A key that is good, on a database whose keys were sealed with another.
    let office = Office::open(database.another().await, Arc::new(WallClock::new()), None).await;
    let other = without().with(name, &generate_master_key().unwrap());
    let other = other.with("PROVIDER_SERVICE_JWT_SECRET", JWT_SECRET);
    assert_refused(&other.run(&serve).await, &["master key"]);
    office.close().await;
    database.close().await;
}

/// The process dies in the middle of an answer. The next one starts with what was recorded, and nothing is held by the
/// call that died.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_service_comes_up_with_its_records_and_without_its_reservations() {
    let mut served = Served::open(&[]).await;
    let limit = (Some(4), None, None);
    served.office.policy(PolicyScope::Tenant, Window::Month, limit, PolicyMode::Enforce).await;
    served.process.kill();
    served.restart().await;

    let whole = bodies::chat("gpt-4o-mini", false);
    for _ in 0..2 {
        assert_eq!(finished(served.chat(&whole).await).await.status, 200);
    }
    // What failed is on record and uses nothing up, neither now nor when records are added up again.
    let failing = bodies::chat("gpt-4o-mini+status=500", false);
    assert_eq!(finished(served.chat(&failing).await).await.status, 500);
    assert_eq!(served.records(3).await.len(), 3);
    let mut open = served.chat(&bodies::chat("gpt-4o-mini+words=5000+gap_ms=5", true)).await;
    open.read_until(r#""delta":{"content""#).await;
    served.process.kill();
    open.finish_somehow().await;
    assert!(!open.text().contains("[DONE]"));

    served.restart().await;
    assert_done(&served.start.run(&["check"]).await);
    assert_eq!(served.records(3).await.len(), 3);
    // Two of four are used, so exactly two are left.
    for _ in 0..2 {
        assert_eq!(finished(served.chat(&whole).await).await.status, 200);
    }
    let refused = finished(served.chat(&whole).await).await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (429, &"insufficient_quota".into()));
    assert!(refused.header("retry-after").is_some());
    let records = served.records(5).await;
    assert_eq!(records.iter().filter(|record| record.terminal == Terminal::Complete).count(), 4);
}

/// Tokens and money of earlier runs count as well as requests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_used_is_still_counted_after_a_restart() {
    let mut served = Served::open(&[]).await;
    let whole = bodies::chat_with("gpt-4o-mini", false, r#","max_tokens":40"#);
    assert_eq!(finished(served.chat(&whole).await).await.status, 200);
    let used = served.records(1).await[0].usage.total();
    // The bound of one more call does not fit beside what was used, and would without it.
    let bound = whole.len() as u64 + 40;
    let limit = (None, Some(used + bound - 1), None);
    served.process.terminate();
    assert_eq!(served.process.ended().await, Some(0));
    served.office.policy(PolicyScope::Tenant, Window::Month, limit, PolicyMode::Enforce).await;
    served.restart().await;
    assert_eq!(finished(served.chat(&whole).await).await.status, 429);
    let shorter = bodies::chat_with("gpt-4o-mini", false, r#","max_tokens":39"#);
    assert_eq!(finished(served.chat(&shorter).await).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_service_ends_its_open_answers_first() {
    let mut served = Served::open(&[]).await;
    let mut open = served.chat(&bodies::chat("gpt-4o-mini+words=150+gap_ms=10", true)).await;
    open.read_until(r#""delta":{"content""#).await;
    served.process.terminate();
    open.finish().await;
    assert!(open.text().ends_with("data: [DONE]\n\n"));
    assert_eq!(served.process.ended().await, Some(0));
    let records = served.records(1).await;
    assert_eq!((records.len(), records[0].terminal), (1, Terminal::Complete));
    assert_eq!(served.sandbox.stats(Vendor::OpenAi).streams_completed, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_leaves_one_record_a_channel() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let once = ["demo", "--once", "--port", "0", "--data", data.to_str().unwrap()];
    for runs in 1..=2_u64 {
        let shown = Start::on(&data).run(&once).await;
        assert_done(&shown);
        for vendor in Vendor::ALL {
            assert!(said(&shown).contains(&format!("sandbox-{}", vendor.slug())), "{}", said(&shown));
        }
        let store = process::embedded(&data).await;
        let tenant = store.read().await.unwrap().tenants().by_slug("default").await.unwrap().unwrap();
        assert_eq!(store.count(&office::granted(tenant.id)).await.unwrap(), 5 * runs);
        store.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_fails_when_a_vendor_does_and_says_which() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let once = ["demo", "--once", "--port", "0", "--data", folder, "--stop-vendor", "deepseek"];
    let shown = Start::on(data.path()).run(&once).await;
    assert_refused(&shown, &["FAILED: sandbox-deepseek\n", "4 of 5 channels answered"]);
    let other = ["demo", "--once", "--port", "0", "--data", folder, "--stop-vendor", "nobody"];
    assert_refused(&Start::on(data.path()).run(&other).await, &["--stop-vendor"]);
}

/// For programs: ready once the file is there, and up until it is stopped.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_tells_programs_where_it_is() {
    let data = tempfile::tempdir().unwrap();
    let mut demo: Process = Start::on(data.path()).demo(&[]).await;
    let told = finished(demo.chat(&demo.key, &bodies::chat("gpt-4o-mini", true)).await).await;
    assert_eq!(told.status, 200);
    assert!(told.text().ends_with("data: [DONE]\n\n"));
    demo.terminate();
    assert_eq!(demo.ended().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_make_check_and_seal_keys() {
    let data = tempfile::tempdir().unwrap();
    let start = Start::on(data.path());
    let generated = start.run(&["keys", "generate"]).await;
    assert_done(&generated);
    let key = String::from_utf8(generated.stdout).unwrap();
    let vault = Vault::new(MasterKeys::parse(&key).unwrap());
    assert_ne!(key, String::from_utf8(start.run(&["keys", "generate"]).await.stdout).unwrap());

    let start = start.with("PROVIDER_SERVICE_ENCRYPTION_KEY", key.trim());
    let checked = start.run(&["check"]).await;
    assert_done(&checked);
    assert!(said(&checked).contains(vault.master_keys().active_id()), "{}", said(&checked));
    assert!(!said(&checked).contains(key.trim()));
    let nowhere = Start::on(data.path())
        .with("DATABASE_URL", "postgres://lyss:canary-7f@127.0.0.1:9/none")
        .with("PROVIDER_SERVICE_ENCRYPTION_KEY", key.trim());
    let checked = nowhere.run(&["check"]).await;
    assert_refused(&checked, &["FAIL  database"]);
    assert!(!said(&checked).contains("canary-7f"), "{}", said(&checked));

    let args = ["seal", "--tenant", "acme", "--origin", "https://api.openai.com/v1"];
    let sealed = start.run_on(&args, "sk-vendor-canary\n").await;
    assert_done(&sealed);
    assert!(!said(&sealed).contains("canary"));
    let text = String::from_utf8(sealed.stdout).unwrap();
    let opens = |tenant, origin| vault.open_import(tenant, origin, &text).is_ok();
    let origins = ["https://api.openai.com:443", "https://api.openai.com"];
    assert!(origins.iter().any(|origin| opens("acme", origin)), "{text}");
    assert!(!origins.iter().any(|origin| opens("other", origin)));
    assert_refused(&start.run_on(&args, "  \n").await, &["no key"]);
}

/// As the manual says: the new key in front of the old one, `rotate`, then the new one alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn master_keys_are_rotated_and_the_old_one_may_go() {
    let mut served = Served::open(&[]).await;
    let old = served.office.master_key.clone();
    let old_id = MasterKeys::parse(&old).unwrap().active_id().to_owned();
    let new = format!("new:{}", generate_master_key().unwrap());
    let name = "PROVIDER_SERVICE_ENCRYPTION_KEY";
    let both = format!("{new},{old_id}:{old}");
    let start = |keys: &str| {
        Start::on(served.data.path()).with(name, keys).with("PROVIDER_SERVICE_EGRESS_ALLOW", "127.0.0.1")
    };
    let (with_both, with_new, with_old) = (start(&both), start(&new), start(&old));
    // Too early: the new key alone opens nothing, and the old one cannot wrap under the new.
    assert_refused(&with_new.run(&["serve", "--port", "0"]).await, &["master key"]);
    let rotated = with_both.run(&["keys", "rotate"]).await;
    assert_done(&rotated);
    assert!(said(&rotated).contains("'new'"), "{}", said(&rotated));

    served.process.kill();
    let whole = bodies::chat("gpt-4o-mini", false);
    for start in [with_new, with_both] {
        served.start = start;
        served.restart().await;
        let told = finished(served.chat(&whole).await).await;
        assert_eq!(told.status, 200, "the key's digest and the channel's credential: {}", told.text());
        served.process.kill();
    }
    assert_refused(&with_old.run(&["serve", "--port", "0"]).await, &["master key"]);
}

/// Two replicas on one database: what is configured through one place is served by both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_services_on_one_database_serve_the_same() {
    let database = database::postgres().await;
    let sandbox = lyss_sandbox::start(SandboxConfig::default()).await.unwrap();
    let office = Office::open(database.another().await, Arc::new(WallClock::new()), None).await;
    let openai = draft("openai", "openai", &sandbox.api_base(Vendor::OpenAi).unwrap());
    office.channel(openai).await;
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let starts = folders.each_ref().map(|data| on(&database, data, &office.master_key));
    let (one, other) = tokio::join!(starts[0].serve(), starts[1].serve());
    let replicas = [one, other];
    let whole = bodies::chat("gpt-4o-mini", false);

    let (stored, key) = office.key("made-while-they-run").await;
    for replica in &replicas {
        until_told(replica, &key, &whole, 200).await;
    }
    assert_eq!(process::records(&office, 2).await.len(), 2);
    office.edit_key(&stored, |key| key.revoked_at = Some(key.created_at)).await;
    for replica in &replicas {
        until_told(replica, &key, &whole, 401).await;
    }
    drop(replicas);
    office.close().await;
    sandbox.stop().await;
    database.close().await;
}

/// Calls until the service, which hears of changes by itself, answers with a status.
async fn until_told(replica: &Process, key: &str, body: &str, status: u16) {
    for _ in 0..1_000 {
        let told = finished(replica.chat(key, body).await).await;
        if told.status == status {
            return;
        }
        assert!(matches!(told.status, 200 | 401), "{}", told.text());
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the service never answers {status}");
}

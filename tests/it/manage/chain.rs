//! The audit chain at the length of years: one row of 10^5 changed, removed or moved is found, with its place.

use std::sync::Arc;

use lyss_domain::{AuditEntry, AuditId, AuditOutcome};
use lyss_management::Breach;
use lyss_repositories::Store;
use lyss_testkit::{TestDatabase, database};
use lyss_vault::mac;

use crate::gateway::Office;
use crate::gateway::office::WallClock;

const ROWS: i64 = 100_000;

/// Somewhere in the middle, away from any page's edge.
const PLACE: i64 = 61_803;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_row_of_a_hundred_thousand_is_found() {
    let database = database::sqlite().await;
    let office = Office::open(database.another().await, Arc::new(WallClock::new()), None).await;
    let written = fill(&office).await;
    let whole = office.management.verify_audit(&office.scope, None).await.unwrap();
    assert_eq!((whole.first_bad, whole.entries), (None, u64::try_from(ROWS).unwrap()));
    let head = whole.head.clone().unwrap();

    let id = |place: i64| hex_of(&written[usize::try_from(place - 1).unwrap()]);
    let tampered = [
        (
            format!("UPDATE audit_entries SET actor = 'nobody' WHERE id = {}", id(PLACE)),
            format!("UPDATE audit_entries SET actor = 'system:test' WHERE id = {}", id(PLACE)),
            (PLACE, Breach::Digest),
        ),
        (
            format!("UPDATE audit_entries SET sequence = -1 WHERE id = {}", id(PLACE)),
            format!("UPDATE audit_entries SET sequence = {PLACE} WHERE id = {}", id(PLACE)),
            (-1, Breach::Gap),
        ),
    ];
    for (harm, repair, expected) in tampered {
        database.tamper(&harm).await;
        assert_eq!(found(&office).await, expected, "{harm}");
        database.tamper(&repair).await;
        assert_eq!(office.management.verify_audit(&office.scope, None).await.unwrap().first_bad, None);
    }
    // Two neighbours change places.
    for (from, to) in [(PLACE, -7), (PLACE + 1, PLACE), (-7, PLACE + 1)] {
        let swap = format!("UPDATE audit_entries SET sequence = {to} WHERE sequence = {from}");
        database.tamper(&swap).await;
    }
    assert_eq!(found(&office).await.0, PLACE);
    // One is gone.
    database.tamper(&format!("DELETE FROM audit_entries WHERE sequence = {PLACE}")).await;
    assert_eq!(found(&office).await, (PLACE + 1, Breach::Gap));
    // The end cut off shows against a head that was kept.
    database.tamper(&format!("DELETE FROM audit_entries WHERE sequence >= {PLACE}")).await;
    let cut = office.management.verify_audit(&office.scope, None).await.unwrap();
    assert_eq!((cut.first_bad, cut.entries), (None, u64::try_from(PLACE - 1).unwrap()));
    let against = office.management.verify_audit(&office.scope, Some(head)).await.unwrap();
    assert_eq!(against.first_bad.map(|bad| bad.what), Some(Breach::CutOff));
    office.close().await;
}

async fn found(office: &Office) -> (i64, Breach) {
    let verdict = office.management.verify_audit(&office.scope, None).await.unwrap();
    let bad = verdict.first_bad.expect("it is found");
    (bad.sequence, bad.what)
}

/// Fills the tenant's chain up to its length, as the use-cases write it; the ids in order.
async fn fill(office: &Office) -> Vec<AuditId> {
    let mut work = office.store.begin().await.unwrap();
    let mut ids = Vec::new();
    let mut last = work.audit().last(&office.scope).await.unwrap().expect("the tenant's making is on record");
    ids.push(last.id);
    assert_eq!(last.sequence, 1);
    for sequence in 2..=ROWS {
        let mut random = [0; 10];
        random[2..].copy_from_slice(&sequence.to_be_bytes());
        let mut entry = AuditEntry {
            id: AuditId::from_parts(1, &random),
            tenant: office.scope.tenant(),
            sequence,
            at: office.management.clock.now(),
            actor: "system:test".to_owned(),
            address: None,
            action: "channel.update".to_owned(),
            target: format!("channel:{sequence}"),
            outcome: AuditOutcome::Done,
            detail: "{}".to_owned(),
            previous: last.digest,
            digest: [0; 32],
        };
        entry.digest = mac(&office.management.audit_chain, &[&entry.canonical()]);
        work.audit().append(&office.scope, &entry).await.unwrap();
        ids.push(entry.id);
        last = entry;
    }
    work.commit(None).await.unwrap();
    ids
}

/// As SQLite writes the bytes of an id.
fn hex_of(id: &AuditId) -> String {
    format!("x'{}'", id.0.simple())
}

/// The command an operator runs says the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_names_the_place_and_fails() {
    let database: TestDatabase = database::postgres().await;
    let master_key = lyss_vault::generate_master_key().unwrap();
    let office =
        Office::open(database.another().await, Arc::new(WallClock::new()), Some(master_key.clone())).await;
    for name in ["one", "two", "three"] {
        office.key(name).await;
    }
    let data = tempfile::tempdir().unwrap();
    let start = crate::gateway::process::Start::on(data.path())
        .with("DATABASE_URL", &database.settings().url)
        .with("PROVIDER_SERVICE_ENCRYPTION_KEY", &master_key);
    let verify = ["audit", "verify", "--tenant", "acme"];
    let output = start.run(&verify).await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("whole, 4 entries"), "{said}");
    database.tamper("UPDATE audit_entries SET target = 'key:other' WHERE sequence = 3").await;
    let output = start.run(&verify).await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success() && said.contains("BROKEN at entry 3 (changed)"), "{said}");
    office.close().await;
    database.close().await;
}

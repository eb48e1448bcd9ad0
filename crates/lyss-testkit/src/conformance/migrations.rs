//! The schema's steps, on an empty database.

use std::collections::BTreeSet;

use lyss_domain::{AttemptRecord, IdempotencyRecord, TenantId, TenantScope, VirtualKey};
use lyss_migrations::{MigrationError, SchemaState, StepStatus, down, fresh, state, status, up};
use lyss_repositories::{AttemptStore, CatalogSource, IdempotencyClaim, Store};
use sea_orm::{ConnectionTrait, Statement};

use super::work::polled;
use crate::database::TestDatabase;
use crate::samples::*;

pub async fn go_up_down_and_up_again(db: &TestDatabase) {
    let connection = db.store.connection();
    assert_eq!(state(connection).await.unwrap(), SchemaState::Empty);
    assert!(status(connection).await.unwrap().iter().all(|step| !step.applied));
    // Looking changes nothing.
    assert_eq!(tables(db).await, BTreeSet::new());

    let applied = up(connection).await.unwrap();
    assert_eq!(applied, names(&status(connection).await.unwrap()));
    assert_eq!(state(connection).await.unwrap(), SchemaState::Current);
    let all = tables(db).await;
    assert_eq!(up(connection).await.unwrap(), Vec::<String>::new());

    let mut taken_back = down(connection, u32::MAX).await.unwrap();
    taken_back.reverse();
    assert_eq!(taken_back, applied);
    assert_eq!(state(connection).await.unwrap(), SchemaState::Empty);
    assert_eq!(tables(db).await, BTreeSet::from(["seaql_migrations".to_owned()]));

    up(connection).await.unwrap();
    assert_eq!(tables(db).await, all);
    assert_eq!(db.store.generation().await.unwrap(), 0);
}

/// A release that was tried and taken back keeps what both know.
pub async fn taken_back_and_applied_again_keep_the_rows(db: &TestDatabase) {
    let connection = db.store.connection();
    up(connection).await.unwrap();
    let claimed = idempotency_record(1, "k", 0);
    let mut work = db.store.begin().await.unwrap();
    work.tenants().create(&tenant(1)).await.unwrap();
    work.keys().create(&scope(1), &virtual_key(1, 1)).await.unwrap();
    work.audit().append(&scope(1), &audit_entry(1, 1)).await.unwrap();
    work.idempotency().claim(&scope(1), &claimed).await.unwrap();
    let of_nobody = IdempotencyRecord { tenant: TenantId::NONE, ..claimed.clone() };
    work.idempotency().claim(&TenantScope::grant(TenantId::NONE), &of_nobody).await.unwrap();
    work.commit(None).await.unwrap();
    db.store.write(&[attempt(1, 1)]).await.unwrap();

    // To what the first release had.
    let steps = status(connection).await.unwrap();
    let first = names(&steps).iter().filter(|name| name.starts_with("m20261123")).count();
    down(connection, u32::try_from(steps.len() - first).unwrap()).await.unwrap();
    up(connection).await.unwrap();

    let mut work = db.store.begin().await.unwrap();
    let key = work.keys().get(&scope(1), virtual_key(1, 1).id).await.unwrap();
    assert_eq!(key, Some(VirtualKey { previous: None, last_used_at: None, ..virtual_key(1, 1) }));
    assert_eq!(work.audit().last(&scope(1)).await.unwrap(), Some(audit_entry(1, 1)));
    let again = work.idempotency().claim(&scope(1), &idempotency_record(1, "k", 1)).await.unwrap();
    assert_eq!(again, IdempotencyClaim::Seen(claimed));
    let of_nobody = work.idempotency().claim(&TenantScope::grant(TenantId::NONE), &of_nobody).await.unwrap();
    assert_eq!(of_nobody, IdempotencyClaim::Fresh, "the older schema has no place for it");
    drop(work);
    let kept = AttemptRecord { losses: Vec::new(), decision: None, ..attempt(1, 1) };
    assert_eq!(db.store.recent(&scope(1), 9).await.unwrap(), [kept]);
}

pub async fn tell_a_schema_that_is_behind(db: &TestDatabase) {
    let connection = db.store.connection();
    let steps = up(connection).await.unwrap();
    let missing = down(connection, 1).await.unwrap();
    assert_eq!(missing, steps[steps.len() - 1..]);
    assert_eq!(state(connection).await.unwrap(), SchemaState::Behind { missing: missing.clone() });
    let standing = status(connection).await.unwrap();
    let lacking: Vec<StepStatus> = standing.into_iter().filter(|step| !step.applied).collect();
    assert_eq!(names(&lacking), missing);
    assert_eq!(up(connection).await.unwrap(), missing);
}

pub async fn leave_a_schema_that_is_ahead_alone(db: &TestDatabase) {
    let connection = db.store.connection();
    up(connection).await.unwrap();
    let before = tables(db).await;
    let newer = "m20990101_000001_from_the_future";
    connection
        .execute_unprepared(&format!(
            "INSERT INTO seaql_migrations (version, applied_at) VALUES ('{newer}', 0)"
        ))
        .await
        .unwrap();

    assert_eq!(state(connection).await.unwrap(), SchemaState::Ahead { unknown: vec![newer.to_owned()] });
    for refused in [up(connection).await, down(connection, 1).await] {
        match refused {
            Err(MigrationError::Ahead { unknown }) => assert_eq!(unknown, [newer]),
            other => panic!("a refusal was due, not {other:?}"),
        }
    }
    assert_eq!(tables(db).await, before);
}

pub async fn begin_afresh(db: &TestDatabase) {
    let connection = db.store.connection();
    fresh(connection).await.unwrap();
    let all = tables(db).await;
    let mut work = db.store.begin().await.unwrap();
    work.tenants().create(&tenant(1)).await.unwrap();
    work.commit(None).await.unwrap();
    connection.execute_unprepared("CREATE TABLE stray (id INTEGER)").await.unwrap();

    fresh(connection).await.unwrap();
    assert_eq!(tables(db).await, all);
    assert_eq!(state(connection).await.unwrap(), SchemaState::Current);
    let gone = db.store.read().await.unwrap().tenants().get(tenant_id(1)).await.unwrap();
    assert_eq!(gone, None);
}

/// Replicas that start at once: each opens the database for itself, and each step is applied by exactly one.
pub async fn of_several_replicas_at_once_apply_each_step_once(db: &TestDatabase) {
    let replicas = async || {
        let store = db.another().await;
        let applied = up(store.connection()).await.unwrap();
        assert_eq!(state(store.connection()).await.unwrap(), SchemaState::Current);
        store.close().await.unwrap();
        applied
    };
    let (a, b, c, d) = tokio::join!(replicas(), replicas(), replicas(), replicas());
    let mut applied = [a, b, c, d].concat();
    applied.sort_unstable();
    assert_eq!(applied, names(&status(db.store.connection()).await.unwrap()));
}

/// Stopped after any number of polls, the schema stands between two steps and the next start goes on from there.
pub async fn stopped_anywhere_stand_between_two_steps(db: &TestDatabase) {
    let connection = db.store.connection();
    let steps = names(&status(connection).await.unwrap());
    fresh(connection).await.unwrap();
    // The tables after no step, one step, two steps …
    let mut expected = vec![tables(db).await];
    for _ in &steps {
        down(connection, 1).await.unwrap();
        expected.insert(0, tables(db).await);
    }

    let mut polls = 0;
    loop {
        polls += 3;
        let finished = polled(up(connection), polls).await.is_some();
        let (applied, found) = loop {
            // A COMMIT may have been on its way when its task was dropped: look until nothing moves.
            let before = state(connection).await.unwrap();
            let found = tables(db).await;
            if state(connection).await.unwrap() == before {
                break (before, found);
            }
        };
        let applied = match applied {
            SchemaState::Empty => 0,
            SchemaState::Behind { missing } => steps.len() - missing.len(),
            other => {
                assert_eq!(other, SchemaState::Current);
                steps.len()
            }
        };
        assert_eq!(found, expected[applied], "after {polls} polls");
        if finished {
            break;
        }
        down(connection, u32::MAX).await.unwrap();
        assert!(polls < 10_000, "the migration never finishes");
    }
}

fn names(steps: &[StepStatus]) -> Vec<String> {
    steps.iter().map(|step| step.name.clone()).collect()
}

async fn tables(db: &TestDatabase) -> BTreeSet<String> {
    let sql = if db.is_postgres() {
        "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public'"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    };
    let connection = db.store.connection();
    let query = Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection.query_all_raw(query).await.unwrap();
    rows.iter().map(|row| row.try_get("", "name").unwrap()).collect()
}

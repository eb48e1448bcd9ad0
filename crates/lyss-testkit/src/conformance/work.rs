//! Units of work.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use lyss_domain::Channel;
use lyss_repositories::{AttemptStore, Store, StoreError};
use lyss_repositories_sql::{Settings, connect};

use super::{assert_conflict, assert_stale, begin, commit, page, read, with_two_tenants};
use crate::database::TestDatabase;
use crate::samples::*;

pub async fn dropped_leaves_nothing(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    work.channels().create(&scope(1), &channel(1, 1)).await.unwrap();
    work.tenants().delete(tenant_id(2)).await.unwrap();
    drop(work);

    let mut work = read(db).await;
    assert_eq!(work.channels().get(&scope(1), channel_id(1)).await.unwrap(), None);
    assert_eq!(work.tenants().list(&page(1, 50)).await.unwrap().total, 2);
}

pub async fn shows_its_own_changes_and_hides_them_from_others(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut before = read(db).await;
    assert_eq!(before.tenants().list(&page(1, 50)).await.unwrap().total, 2);
    let mut work = begin(db).await;
    work.channels().create(&scope(1), &channel(1, 1)).await.unwrap();
    assert!(work.channels().get(&scope(1), channel_id(1)).await.unwrap().is_some());
    assert_eq!(read(db).await.channels().get(&scope(1), channel_id(1)).await.unwrap(), None);
    commit(work).await;
    // A reader keeps the picture it began with.
    assert_eq!(before.channels().get(&scope(1), channel_id(1)).await.unwrap(), None);
    assert!(read(db).await.channels().get(&scope(1), channel_id(1)).await.unwrap().is_some());
}

pub async fn for_reading_writes_nothing(db: &TestDatabase) {
    let mut work = read(db).await;
    let refused = work.tenants().create(&tenant(1)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    drop(work);
    assert_eq!(read(db).await.tenants().get(tenant_id(1)).await.unwrap(), None);
}

/// An error dooms the whole: what went before it is not committed, and the caller hears of it.
pub async fn is_never_committed_in_part(db: &TestDatabase) {
    with_two_tenants(db).await;
    let twin = Channel { name: channel(1, 1).name, ..channel(1, 2) };
    for changed_at in [None, Some(at(1))] {
        let mut work = begin(db).await;
        work.channels().create(&scope(1), &channel(1, 1)).await.unwrap();
        assert_conflict(work.channels().create(&scope(1), &twin).await, "name");
        let committed = work.commit(changed_at).await;
        assert!(matches!(committed, Err(StoreError::Unavailable(_))), "{committed:?}");
        assert_eq!(read(db).await.channels().get(&scope(1), channel_id(1)).await.unwrap(), None);
    }
    // What only did not fit is no error of that kind.
    let mut work = begin(db).await;
    assert_stale(work.tenants().update(&tenant(1), 9).await);
    work.channels().create(&scope(1), &channel(1, 1)).await.unwrap();
    commit(work).await;
}

/// However far a task came when it was aborted, nothing of it is there, nothing panics, and the next one is served.
pub async fn abandoned_anywhere_harms_nobody(db: &TestDatabase) {
    let mut number = 0;
    loop {
        number += 1;
        let store = db.store.clone();
        let whole = async move {
            let mut work = store.begin().await.unwrap();
            work.tenants().create(&tenant(number)).await.unwrap();
            work.providers().create(&scope(number), &provider(number, "mine")).await.unwrap();
            work.commit(Some(at(1))).await.unwrap();
        };
        let finished = polled(whole, number).await.is_some();
        drop(begin(db).await);
        // One picture: a COMMIT may have been on its way when its task was dropped.
        let mut work = read(db).await;
        let tenant = work.tenants().get(tenant_id(number)).await.unwrap();
        let provider = work.providers().get(&scope(number), &slug("mine")).await.unwrap();
        assert_eq!(tenant.is_some(), provider.is_some());
        if finished {
            assert!(tenant.is_some());
            break;
        }
        assert!(number < 10_000, "the unit of work never finishes");
    }
}

/// A caller may also go away while its unit of work is only beginning: PostgreSQL must not be left with a transaction
/// that nobody will end, which the next borrower of the connection would write into in vain.
pub async fn abandoned_at_its_beginning_leaves_nothing_open(db: &TestDatabase) {
    for _ in 0..3 {
        let mut polls = 0;
        let mut finished = false;
        while !finished {
            polls += 1;
            finished = polled(db.store.begin(), polls).await.is_some();
            if db.is_postgres() {
                db.wait_until_nothing_is_open().await;
            }
            assert!(polls < 1_000, "a unit of work never begins");
        }
    }
    let mut work = begin(db).await;
    work.tenants().create(&tenant(1)).await.unwrap();
    commit(work).await;
}

/// Dropped on a thread that knows no runtime: the driver alone would panic there.
pub async fn may_be_dropped_outside_any_runtime(db: &TestDatabase) {
    let mut work = begin(db).await;
    work.tenants().create(&tenant(1)).await.unwrap();
    std::thread::spawn(move || drop(work)).join().expect("no panic");
    let mut work = begin(db).await;
    assert_eq!(work.tenants().get(tenant_id(1)).await.unwrap(), None);
    work.tenants().create(&tenant(1)).await.unwrap();
    commit(work).await;
}

/// 32 writers at once, of configuration and of usage records, through two stores as of two processes, readers beside
/// them: every one succeeds.
pub async fn queues_writers_without_refusing_any(db: &TestDatabase) {
    with_two_tenants(db).await;
    const WRITERS: u64 = 32;
    const EACH: u64 = 10;
    let other = db.another().await;
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = if writer % 2 == 0 { db.store.clone() } else { other.clone() };
        tasks.spawn(async move {
            for number in (writer * EACH)..((writer + 1) * EACH) {
                let mut work = store.begin().await?;
                // To read first and then write is what SQLite refuses a transaction that began as a reader.
                assert_eq!(work.keys().get(&scope(1), key_id(number)).await?, None);
                work.keys().create(&scope(1), &virtual_key(1, number)).await?;
                // Others queue while this one takes its time.
                tokio::task::yield_now().await;
                work.commit(Some(at(number))).await?;
                store.write(&[attempt(1, number)]).await?;
                store.read().await?.keys().get(&scope(1), key_id(number)).await?.expect("it was committed");
            }
            Ok::<(), StoreError>(())
        });
    }
    let results = tasks.join_all().await;
    let failures: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    assert!(failures.is_empty(), "{failures:?}");
    other.close().await.unwrap();
    let stored = read(db).await.keys().list(&scope(1), &page(1, 1)).await.unwrap().total;
    assert_eq!((stored, db.store.count(&scope(1)).await.unwrap()), (WRITERS * EACH, WRITERS * EACH));
}

pub async fn answers_for_health(db: &TestDatabase) {
    db.store.ping().await.unwrap();
    let other = db.another().await;
    other.close().await.unwrap();
    assert!(matches!(other.ping().await, Err(StoreError::Unavailable(_))));
    db.store.ping().await.unwrap();
}

/// What an unreachable database is called must not hold its address or password.
pub async fn names_no_address_in_errors(db: &TestDatabase) {
    let password = "hunter2secret";
    let base = db.settings();
    for url in [
        format!("postgres://lyss:{password}@127.0.0.1:1/none"),
        format!("postgres://lyss:{password}@[not-a-host/none"),
        format!("sqlite:///no/such/folder/{password}.db"),
        format!("mysql://lyss:{password}@localhost/none"),
        format!("{password} is no address"),
        "sqlite::memory:".to_owned(),
    ] {
        let settings = Settings { url, ..base.clone() };
        let Err(error) = connect(&settings).await else { panic!("nothing is there to connect to") };
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(!text.contains(password) && !text.contains("127.0.0.1"), "{text}");
        }
    }
}

/// Polls the future at most this often, then drops it where it stands.
pub(super) async fn polled<T>(future: impl Future<Output = T>, times: u64) -> Option<T> {
    let mut future = pin!(future);
    let mut left = times;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            // The next wake is the next poll; when none is left, do not wait for it.
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

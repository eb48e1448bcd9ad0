//! The store away, hanging, or refusing.

use super::*;

#[tokio::test]
async fn records_wait_in_the_journal_while_the_store_is_away_and_follow_when_it_is_back() {
    let (folder, store) = (TempDir::new().unwrap(), Double::new(Mood::Away));
    // Segments of a few records, so that the writer has to read many files behind the journal's thread.
    let settings = LedgerSettings { capacity: 50, segment_bytes: 2_000, ..settings(folder.path()) };
    let (ledger, task) = writer::open(settings, store.clone(), unobserved(), quick()).await.unwrap();
    let running = tokio::spawn(task.run());
    for hundred in 0..10 {
        for n in hundred * 100..(hundred + 1) * 100 {
            // Fifty slots pass a thousand records: none is held for the store's sake.
            let slot = within(async {
                loop {
                    match ledger.try_slot() {
                        Some(slot) => break slot,
                        None => tokio::time::sleep(Duration::from_millis(1)).await,
                    }
                }
            })
            .await;
            slot.record(record(n));
        }
    }
    store.asked(3).await;
    let figures = ledger.figures();
    assert_eq!((figures.written, figures.pending, store.rows()), (0, 1_000, 0));
    assert!(figures.failed_batches >= 2);
    journalled(&ledger, 1_000).await;
    // No append holds more than fifty, and each is more than a segment.
    assert!(files(folder.path()).len() >= 20);
    store.turn(Mood::Well);
    assert!(within(ledger.drain()).await);
    assert_eq!(store.inputs(), (0..1_000).collect::<Vec<_>>());
    assert!(files(folder.path()).len() <= 2, "{:?}", files(folder.path()));
    drop(ledger);
    within(running).await.unwrap();
}

#[tokio::test]
async fn a_store_that_hangs_is_asked_again() {
    let (folder, store) = (TempDir::new().unwrap(), Double::new(Mood::Hanging));
    let (ledger, task) = open_quick(folder.path(), &store).await;
    let running = tokio::spawn(task.run());
    record_all(&ledger, 0..5);
    store.asked(3).await;
    store.turn(Mood::Well);
    assert!(within(ledger.drain()).await);
    assert_eq!(store.rows(), 5);
    drop(ledger);
    within(running).await.unwrap();
}

#[tokio::test]
async fn records_the_store_never_takes_are_kept_aside_and_stop_nobody() {
    let (folder, store) = (TempDir::new().unwrap(), Double::poisoned(Mood::Away, vec![0, 7, 8, 39]));
    let (ledger, task) = open_quick(folder.path(), &store).await;
    record_all(&ledger, 0..40);
    journalled(&ledger, 40).await;
    store.turn(Mood::Well);
    let running = tokio::spawn(task.run());
    assert!(within(ledger.drain()).await);
    assert_eq!(store.inputs(), (0..40).filter(|n| ![0, 7, 8, 39].contains(n)).collect::<Vec<_>>());
    let figures = ledger.figures();
    assert_eq!((figures.refused, figures.written, figures.pending, figures.failed_batches), (4, 36, 0, 0));
    drop(ledger);
    within(running).await.unwrap();
    assert_eq!(files(folder.path()), ["refused.jsonl"]);
    let kept = std::fs::read_to_string(folder.path().join("journal/refused.jsonl")).unwrap();
    for (line, n) in kept.lines().zip([0, 7, 8, 39]) {
        assert_eq!(
            crate::journal::line::read(line.as_bytes()),
            crate::journal::line::Line::Record(Box::new(record(n)))
        );
    }
    assert_eq!(kept.lines().count(), 4);
}

#[tokio::test]
async fn shutdown_with_the_store_away_ends_and_the_next_start_brings_the_rest() {
    let (folder, store) = (TempDir::new().unwrap(), Double::new(Mood::Away));
    let (ledger, task) = open_quick(folder.path(), &store).await;
    record_all(&ledger, 0..40);
    let running = tokio::spawn(task.run());
    ledger.shutdown();
    within(running).await.unwrap();
    assert!(!within(ledger.drain()).await, "nothing says that they are stored");
    store.turn(Mood::Well);
    let (ledger, task) = open_quick(folder.path(), &store).await;
    assert_eq!(store.rows(), 40);
    drop(ledger);
    within(task.run()).await;
}

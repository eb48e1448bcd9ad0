//! What a killed process leaves, and what the next one makes of it.

use std::os::unix::fs::PermissionsExt;

use super::*;

/// The disk as it is at this instant, as a `kill -9` would leave it.
fn killed(folder: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    std::fs::create_dir(copy.path().join("journal")).unwrap();
    for name in files(folder) {
        std::fs::copy(folder.join("journal").join(&name), copy.path().join("journal").join(&name)).unwrap();
    }
    copy
}

fn append(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join("journal").join(name);
    let mut all = std::fs::read(&path).unwrap_or_default();
    all.extend_from_slice(bytes);
    std::fs::write(path, all).unwrap();
}

fn line(n: u64) -> Vec<u8> {
    let mut line = Vec::new();
    crate::journal::line::write(&mut line, &record(n)).unwrap();
    line
}

/// One run that is killed with its store away; the disk it leaves.
async fn one_killed_run(numbers: std::ops::Range<u64>) -> TempDir {
    let (folder, store) = (TempDir::new().unwrap(), Double::new(Mood::Away));
    let settings = LedgerSettings { segment_bytes: 2_000, ..settings(folder.path()) };
    let (ledger, task) = writer::open(settings, store, unobserved(), quick()).await.unwrap();
    let running = tokio::spawn(task.run());
    for (n, count) in numbers.zip(1..) {
        record_all(&ledger, n..n + 1);
        journalled(&ledger, count).await;
    }
    let left = killed(folder.path());
    running.abort();
    left
}

#[tokio::test]
async fn what_a_killed_run_left_is_stored_before_open_answers() {
    let left = one_killed_run(0..50).await;
    assert!(files(left.path()).len() > 3);
    let store = Double::new(Mood::Well);
    // Some of it had reached the store before the end.
    store.write(&(0..20).map(record).collect::<Vec<_>>()).await.unwrap();
    let (ledger, task) = open_quick(left.path(), &store).await;
    assert_eq!(store.inputs(), (0..50).collect::<Vec<_>>());
    let figures = ledger.figures();
    assert_eq!((figures.replayed, figures.pending, figures.torn), (50, 0, 0));
    // New records go on from there.
    record_all(&ledger, 50..60);
    drop(ledger);
    within(task.run()).await;
    assert_eq!(store.rows(), 60);
}

#[tokio::test]
async fn with_the_store_away_at_the_start_the_old_follows_before_the_new() {
    let left = one_killed_run(0..50).await;
    let store = Double::new(Mood::Away);
    let (ledger, task) = within(open_quick(left.path(), &store)).await;
    assert_eq!((ledger.figures().pending, store.rows()), (50, 0));
    record_all(&ledger, 50..70);
    // Killed once more, with two runs' segments on the disk.
    journalled(&ledger, 20).await;
    let left = killed(left.path());
    drop((ledger, task));
    let (ledger, task) = open_quick(left.path(), &store).await;
    let running = tokio::spawn(task.run());
    record_all(&ledger, 70..80);
    store.asked(4).await;
    store.turn(Mood::Well);
    assert!(within(ledger.drain()).await);
    assert_eq!(store.inputs(), (0..80).collect::<Vec<_>>());
    assert_eq!(ledger.figures().replayed, 70);
    drop(ledger);
    within(running).await.unwrap();
    assert_eq!(files(left.path()), [""; 0]);
}

#[tokio::test]
async fn torn_lines_are_skipped_and_those_around_them_are_not() {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("journal")).unwrap();
    let half = |n| line(n)[..100].to_vec();
    // A segment whose last line is torn, one with a torn line in its middle, an empty one, one that is all torn.
    append(folder.path(), "00000000000000000003.jsonl", &[line(1), line(2), half(3)].concat());
    append(
        folder.path(),
        "00000000000000000004.jsonl",
        &[line(4), half(5), b"\n".to_vec(), line(6)].concat(),
    );
    append(folder.path(), "00000000000000000005.jsonl", b"");
    append(folder.path(), "00000000000000000009.jsonl", &half(7));
    let store = Double::new(Mood::Well);
    let (ledger, task) = open_quick(folder.path(), &store).await;
    assert_eq!(store.inputs(), [1, 2, 4, 6]);
    let figures = ledger.figures();
    assert_eq!((figures.torn, figures.replayed, figures.pending), (3, 4, 0));
    assert_eq!(files(folder.path()), ["00000000000000000010.jsonl"]);
    drop(ledger);
    within(task.run()).await;
}

#[tokio::test]
async fn lines_of_a_newer_build_are_kept_aside() {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("journal")).unwrap();
    let json = br#"{"v":200}"#;
    let newer = format!("{:08x} {{\"v\":200}}\n", crc32fast::hash(json));
    append(
        folder.path(),
        "00000000000000000001.jsonl",
        &[line(1), newer.clone().into_bytes(), line(2)].concat(),
    );
    let store = Double::new(Mood::Well);
    let (ledger, task) = open_quick(folder.path(), &store).await;
    assert_eq!((store.rows(), ledger.figures().refused), (2, 1));
    let kept = std::fs::read_to_string(folder.path().join("journal/refused.jsonl")).unwrap();
    assert_eq!(kept, newer);
    drop(ledger);
    within(task.run()).await;
}

#[tokio::test]
async fn two_processes_never_share_a_journal() {
    let (folder, store) = (TempDir::new().unwrap(), Double::new(Mood::Well));
    let (ledger, task) = open_quick(folder.path(), &store).await;
    let second = open(settings(folder.path()), store.clone()).await;
    assert!(matches!(second, Err(LedgerError::InUse)), "{second:?}");
    drop(ledger);
    within(task.run()).await;
    // The first has ended, so the next one may.
    let (ledger, task) = open(settings(folder.path()), store.clone()).await.unwrap();
    drop(ledger);
    within(task.run()).await;
}

#[tokio::test]
async fn nobody_else_on_the_machine_can_read_it() {
    let (folder, store) = (TempDir::new().unwrap(), Double::poisoned(Mood::Well, vec![1]));
    let (ledger, task) = open_quick(folder.path(), &store).await;
    let running = tokio::spawn(task.run());
    record_all(&ledger, 0..2);
    assert!(within(ledger.drain()).await);
    let mode = |path: &str| std::fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("journal"), 0o700);
    for file in ["lock", "00000000000000000001.jsonl", "refused.jsonl"] {
        assert_eq!(mode(&format!("journal/{file}")), 0o600, "{file}");
    }
    drop(ledger);
    within(running).await.unwrap();
}

//! The fault matrix: every way a vendor can fail, in both forms of a call, alone and beside one and two healthy channels.
//! What is expected stands in `faults/cases.rs`; `docs/faults.md` is written from what came of it.

mod bench;
mod cases;
mod expected;
mod page;
mod peers;
mod recovery;
mod switch;

use std::sync::Arc;

use lyss_domain::AttemptRecord;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use bench::{AT_ONCE, Bench, Cell, Outcome};
use expected::{Case, Ended, Seen};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_is_met_as_the_table_says() {
    let bench = Arc::new(Bench::open().await);
    let cases = cases::cases();
    let healthy = bench.healthy().await;
    let cells = cases.iter().enumerate().flat_map(|(case, of)| {
        let forms = [(false, of.whole.is_some()), (true, of.stream.is_some())];
        forms
            .into_iter()
            .filter(|(_, is)| *is)
            .flat_map(move |(stream, _)| (0..=2).map(move |healthy| Cell { case, stream, healthy }))
    });
    let prepared = bench.prepare(&cases, cells.collect()).await;
    // Every failure of every cell is tried again at one moment, which only a service with many good calls may do.
    Bench::pay_for_retries(&bench, 5 * bench::CALLS * prepared.len()).await;

    let (gate, mut running) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    for cell in prepared {
        let (bench, gate) = (Arc::clone(&bench), Arc::clone(&gate));
        running.spawn(async move {
            let _turn = gate.acquire().await.unwrap();
            bench.run(cell).await
        });
    }
    let mut outcomes = running.join_all().await;
    outcomes.sort_by_key(|outcome| {
        let Cell { case, stream, healthy } = outcome.prepared.cell;
        (case, stream, healthy)
    });

    let records = bench.gateway.records().await;
    let wrong: Vec<_> = outcomes.iter().flat_map(|outcome| judge(outcome, &records, &cases)).collect();
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    healthy.into_iter().for_each(|channel| bench.assert_well(channel));
    page::hold(&cases, &outcomes, &records);
    Arc::into_inner(bench).unwrap().close().await;
}

/// What of a cell is not as expected.
fn judge(outcome: &Outcome, records: &[AttemptRecord], cases: &[Case]) -> Vec<String> {
    let prepared = &outcome.prepared;
    let (cell, expected) = (&prepared.cell, &prepared.expected);
    let alone = cell.healthy == 0;
    let place = format!(
        "{}, {}, {} healthy",
        cases[cell.case].name,
        if cell.stream { "stream" } else { "whole" },
        cell.healthy
    );
    let mut wrong = Vec::new();
    let mut same = |what: &str, is: String, should: String| {
        if is != should {
            wrong.push(format!("{place}: {what}: {is}, expected {should}"));
        }
    };
    let [first, last] = if alone { expected.alone } else { [expected.helped; 2] };
    let mut sees = |what: &str, call: usize, should: Seen| {
        same(what, format!("{:?}", outcome.seen[call].0), format!("{:?}", Ok::<_, String>(should)));
    };
    sees("the first call", 0, first);
    sees("the third call", 2, last);
    let attempts = outcome.attempts(records);
    let (failed, others): (Vec<_>, Vec<_>) =
        attempts.iter().copied().partition(|record| record.channel == outcome.failing());
    for record in &failed {
        same("an attempt", format!("{:?}", ended(record)), format!("{:?}", expected.ended));
    }
    let asked = expected.asked[usize::from(alone)];
    same("calls that reached it", failed.len().to_string(), asked.to_string());
    if !alone {
        same("the channel", format!("{:?}", outcome.becomes), format!("{:?}", expected.becomes));
        let answered = if first == Seen::Answer { bench::CALLS } else { bench::CALLS - failed.len() };
        same("answers of others", others.len().to_string(), answered.to_string());
        let of_first = attempts.iter().filter(|record| record.call == outcome.seen[0].1).count();
        same(
            "attempts of the first call",
            of_first.to_string(),
            (1 + usize::from(first == Seen::Answer)).to_string(),
        );
    }
    // A quota is charged what the records say, once, and holds nothing.
    let tokens: u64 = attempts.iter().map(|record| record.usage.total()).sum();
    let cost: i64 = attempts.iter().map(|record| record.cost.0).sum();
    let calls = outcome.seen.iter().filter(|(seen, _)| !matches!(seen, Ok(Seen::Refused(..)))).count();
    same("posted", format!("{:?}", outcome.posted), format!("{:?}", [whole(calls), whole(tokens), cost]));
    same("held", outcome.held.to_string(), 0.to_string());
    wrong
}

fn whole(count: impl TryInto<i64, Error: std::fmt::Debug>) -> i64 {
    count.try_into().unwrap()
}

fn ended(record: &AttemptRecord) -> Ended {
    Ended {
        terminal: record.terminal,
        fault: record.fault,
        tokens: record.usage.total(),
        cost_micros: record.cost.0,
    }
}

//! `docs/faults.md`, written from what came of the matrix.

use std::fmt::Write as _;
use std::path::Path;

use lyss_domain::AttemptRecord;

use super::bench::Outcome;
use super::expected::Case;

const TOP: &str = "\
# Faults

What becomes of a call, of its bill and of a channel when a vendor fails, for every way to fail that we know of. The
tables are written by the test that makes all of it happen, `tests/it/faults.rs`: the service with its HTTP in front,
real sockets, simulated vendors behind them. `LYSS_BLESS=1 cargo test -p lyss-tests every_fault` writes this page anew;
without that, the test fails where the page says something else than what happened.

Every fault was met in two forms of a call: *whole*, and *stream* (`\"stream\": true`). In each form by a channel alone,
by one with a healthy channel beside it, and by one with two; the failing channel is always tried first. Three calls
were made in each, one after the other, at one moment of the service's clock: so no wait passes between them. A row says
*both* where the two forms came to the same. *Converted*: the vendor speaks another dialect than the caller.

**Before the first byte, another channel answers and the caller sees nothing of it.** The head of a stream is held back
until the first valid event, so an empty stream or an error in place of an answer counts as before. What has reached the
caller is never taken back: a stream that breaks afterwards ends with the error event of the caller's dialect and without
its end marker, and is not tried elsewhere.

## What the caller sees, and what it costs

- *Healthy beside it*: the first of the three calls with one healthy channel, and with two; both always see the same.
- *Alone*: the first of the three calls when no other channel serves the model. The code is the error object's, or its
  type where it has no code.
- *Attempts*: requests sent upstream for that first call, with healthy channels beside it, and alone.
- *Record*: how the attempt that failed stands in the usage records, its end and its fault.
- *Charged*: tokens and millionths of a dollar for the attempt that failed, at one micro-dollar a token of prompt and two
  a token of output. Nothing is charged for what failed before the answer began, neither to the caller's quotas nor in the
  records. A call that another channel answered is charged for that answer alone, and as one request. What a broken stream
  had said is charged; its tokens are estimated where the vendor's count never came (Anthropic's of the prompt comes first).

";

const STATES: &str = "
## What becomes of the channel

Whose fault it is decides how much of a channel is put out of service and for how long. What a *caller* did wrong judges
nobody. A failure of the *network* counts against the channel, one of the *vendor* against the model on that channel;
three in a row eject it for 1 s, and for twice as long each time it fails again, up to 15 s. A refused *credential* or an
empty account ejects the channel at once, an unknown *model* that model on that channel, for 30 s, doubling up to 300 s.
A *rate limit* is no failure: the model cools until the vendor's window is over, at most 300 s; where the vendor says no
time, for 2 s, doubling up to 60 s. Whoever is ejected comes back by one live call that others stand behind. All of these
waits except those that a vendor asked for are spread by a fifth to either side; the table shows them before that.

- *After one call*, *after three*: the state of the failing channel with healthy channels beside it. In all cells another
  model of the same channel is looked at too, which tells a model from a channel.
- *Asked*: how many of the three calls reached the failing channel with healthy channels beside it, which answered the
  others at once.
- *Alone*: the same without any. A channel that is ejected is asked all the same where nobody else is left (the least bad
  of them, once a call): an ejection is our guess. One that cools is not: its window is the vendor's word.
- *Third call alone*: what the caller sees then.

The healthy channels are looked at as well: none of this touches them.

";

/// Holds the page true, or writes it.
pub(super) fn hold(cases: &[Case], outcomes: &[Outcome], records: &[AttemptRecord]) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/faults.md");
    let page = page(cases, outcomes, records);
    #[expect(clippy::disallowed_methods, reason = "the one switch of this test")]
    if std::env::var_os("LYSS_BLESS").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let stored = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(stored == page, "docs/faults.md is not what happens: run this test with LYSS_BLESS=1");
}

fn page(cases: &[Case], outcomes: &[Outcome], records: &[AttemptRecord]) -> String {
    let mut page = TOP.to_owned();
    page.push_str("| fault | call | healthy beside it | alone | attempts | record | charged |\n");
    page.push_str("|---|---|---|---|---|---|---|\n");
    table(&mut page, cases, outcomes, |row| paid(row, records));
    page.push_str(STATES);
    page.push_str("| fault | call | after one call | after three | asked | alone | third call alone |\n");
    page.push_str("|---|---|---|---|---|---|---|\n");
    table(&mut page, cases, outcomes, |row| becomes(row, records));
    page
}

/// One row a fault where both forms of a call came to the same, else two.
fn table(page: &mut String, cases: &[Case], outcomes: &[Outcome], cells: impl Fn(&[Outcome; 3]) -> String) {
    let rows: Vec<_> = rows(outcomes).map(|row| (name(cases, &row[0]), form(&row[0]), cells(row))).collect();
    for same in rows.chunk_by(|(one, _, cells), (other, _, also)| one == other && cells == also) {
        let (name, form, cells) = &same[0];
        let form = if same.len() == 2 { "both" } else { form };
        let _ = writeln!(page, "| {name} | {form} | {cells} |");
    }
}

/// What the caller sees, and what it costs.
fn paid([alone, one, two]: &[Outcome; 3], records: &[AttemptRecord]) -> String {
    let seen = |outcome: &Outcome| outcome.seen[0].0.clone().unwrap();
    let attempts =
        |outcome: &Outcome| records.iter().filter(|record| record.call == outcome.seen[0].1).count();
    assert_eq!((seen(one), attempts(one)), (seen(two), attempts(two)), "with one and with two");
    let failed = failed_attempt(one, records);
    format!(
        "{} | {} | {}, {} | `{}`, `{}` | {}",
        seen(one),
        seen(alone),
        attempts(one),
        attempts(alone),
        failed.terminal.as_str(),
        failed.fault.map_or("", |fault| fault.as_str()),
        charged(failed),
    )
}

/// What becomes of the channel.
fn becomes([alone, one, two]: &[Outcome; 3], records: &[AttemptRecord]) -> String {
    let asked = |outcome: &Outcome| {
        outcome.attempts(records).iter().filter(|record| record.channel == outcome.failing()).count()
    };
    assert_eq!((one.becomes, asked(one)), (two.becomes, asked(two)), "with one and with two");
    let [first, last] = one.becomes;
    let third = alone.seen[2].0.clone().unwrap();
    format!("{first} | {last} | {} | {} | {third}", asked(one), asked(alone))
}

/// The three cells of each fault and form: alone, with one, with two.
fn rows(outcomes: &[Outcome]) -> impl Iterator<Item = &[Outcome; 3]> {
    outcomes.as_chunks().0.iter()
}

fn name<'c>(cases: &'c [Case], outcome: &Outcome) -> &'c str {
    cases[outcome.prepared.cell.case].name
}

fn form(outcome: &Outcome) -> &'static str {
    if outcome.prepared.cell.stream { "stream" } else { "whole" }
}

/// The first one; all of a cell are alike.
fn failed_attempt<'r>(outcome: &Outcome, records: &'r [AttemptRecord]) -> &'r AttemptRecord {
    outcome.attempts(records).into_iter().find(|record| record.channel == outcome.failing()).unwrap()
}

fn charged(record: &AttemptRecord) -> String {
    match record.usage.total() {
        0 => "nothing".to_owned(),
        tokens => format!("{tokens} tokens, {} µ$", record.cost.0),
    }
}

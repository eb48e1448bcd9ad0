//! The table people read in a terminal.

use std::fmt::Write as _;

use crate::metrics::{Report, Row};

/// One scenario: a heading and a line per policy.
pub fn table(report: &Report) -> String {
    let mut text = format!("{}: {}\n", report.scenario, report.about);
    text.push_str(
        "  policy               good/s    ok %  ttft ms p50     p95     p99  total s p50    p95    p99  fail/ok   429/ok  max %  micros  cost s  regret\n",
    );
    for row in &report.rows {
        line(&mut text, row);
    }
    text
}

fn line(text: &mut String, row: &Row) {
    let f = &row.figures;
    let seconds = |ms: f64| ms / 1_000.0;
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "  {:<18} {:>8.2} {:>7.2} {:>12.0} {:>7.0} {:>7.0} {:>12.2} {:>6.2} {:>6.2} {:>8.4} {:>8.4} {:>6.1} {:>7.0} {:>7.3} {:>7.3}",
        row.policy,
        f.goodput_per_s,
        f.success * 100.0,
        f.ttft_ms.p50,
        f.ttft_ms.p95,
        f.ttft_ms.p99,
        seconds(f.total_ms.p50),
        seconds(f.total_ms.p95),
        seconds(f.total_ms.p99),
        f.failed_per_success,
        f.limited_per_success,
        f.max_share * 100.0,
        f.spent_micros_per_call,
        seconds(f.cost_ms),
        f.regret,
    );
}

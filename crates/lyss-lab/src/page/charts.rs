//! Drawings as SVG.

use std::fmt::Write as _;

use lyss_domain::Strategy;

use crate::Policy;
use crate::metrics::{Figures, Report, Row, Spread};

/// So many colours for upstreams; then they come again.
pub(super) const COLOURS: usize = 8;

const NAMES: f64 = 140.0;
const COLUMN: f64 = 215.0;
const GAP: f64 = 22.0;
const LINE: f64 = 22.0;
const TOP: f64 = 26.0;

/// One column of the drawing: a heading, and for each policy a bar with up to three ends.
struct Column {
    heading: &'static str,
    ends: fn(&Figures) -> Spread,
    label: fn(&Figures) -> String,
}

const COLUMNS: [Column; 4] = [
    Column {
        heading: "regret (1 is the oracle)",
        ends: |f| Spread { p50: f.regret, p95: f.regret, p99: f.regret },
        label: |f| format!("{:.3}", f.regret),
    },
    Column {
        heading: "goodput, calls/s",
        ends: |f| Spread { p50: f.goodput_per_s, p95: f.goodput_per_s, p99: f.goodput_per_s },
        label: |f| format!("{:.2}", f.goodput_per_s),
    },
    Column {
        heading: "first token, ms: p50 p95 p99",
        ends: |f| f.ttft_ms,
        label: |f| format!("{:.0} {:.0} {:.0}", f.ttft_ms.p50, f.ttft_ms.p95, f.ttft_ms.p99),
    },
    Column {
        heading: "end to end, s: p50 p95 p99",
        ends: |f| f.total_ms,
        label: |f| {
            let s = |ms: f64| ms / 1_000.0;
            format!("{:.1} {:.1} {:.1}", s(f.total_ms.p50), s(f.total_ms.p95), s(f.total_ms.p99))
        },
    },
];

/// Regret, goodput and the two times of every policy, a line each.
pub(super) fn bars(report: &Report) -> String {
    let width = NAMES + COLUMNS.len() as f64 * (COLUMN + GAP);
    let height = TOP + report.rows.len() as f64 * LINE + 6.0;
    let mut svg = format!(
        "<div class=\"scroll\"><svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"Regret, goodput and times by policy\">\n"
    );
    for (row, y) in report.rows.iter().zip(lines_from(TOP)) {
        let own = if row.policy == Policy::Algorithm(Strategy::Adaptive) { " class=\"own\"" } else { "" };
        let _ = writeln!(svg, "<text x=\"0\" y=\"{:.1}\"{own}>{}</text>", y + 14.0, row.policy);
    }
    for (place, column) in COLUMNS.iter().enumerate() {
        let x = NAMES + place as f64 * (COLUMN + GAP);
        draw(&mut svg, report, column, x);
    }
    svg.push_str("</svg></div>\n");
    svg
}

fn draw(svg: &mut String, report: &Report, column: &Column, x: f64) {
    let _ = writeln!(svg, "<text class=\"soft\" x=\"{x:.1}\" y=\"14\">{}</text>", column.heading);
    let most = report.rows.iter().map(|row| (column.ends)(&row.figures).p99).fold(0.0, f64::max);
    // Room for the label behind the longest bar.
    let scale = (COLUMN - 95.0) / most.max(f64::MIN_POSITIVE);
    for (row, y) in report.rows.iter().zip(lines_from(TOP)) {
        let ends = (column.ends)(&row.figures);
        for (end, opacity) in [(ends.p99, 0.25), (ends.p95, 0.45), (ends.p50, 1.0)] {
            let _ = writeln!(
                svg,
                "<rect class=\"bar\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"12\" opacity=\"{opacity}\"/>",
                y + 4.0,
                (end * scale).max(0.5),
            );
        }
        let label = (column.label)(&row.figures);
        let _ = writeln!(
            svg,
            "<text class=\"soft\" x=\"{:.1}\" y=\"{:.1}\">{label}</text>",
            x + ends.p99 * scale + 6.0,
            y + 14.0
        );
    }
}

fn lines_from(top: f64) -> impl Iterator<Item = f64> {
    (0u32..).map(move |line| top + f64::from(line) * LINE)
}

const WIDTH: f64 = 265.0;
const HEIGHT: f64 = 84.0;

/// Shares over time as small lines, 0 to 100 %.
pub(super) fn lines(row: &Row) -> String {
    let mut svg = format!(
        "<svg width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"Shares over time with {}\">",
        row.policy
    );
    for part in [0.0, 0.5, 1.0] {
        let y = at_height(part);
        let _ = write!(svg, "<line class=\"grid\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>");
    }
    for (place, shares) in row.timeline.shares.iter().enumerate() {
        let step = WIDTH / shares.len().saturating_sub(1).max(1) as f64;
        let mut path = String::new();
        for (index, share) in shares.iter().enumerate() {
            let command = if index == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{command}{:.1} {:.1}", index as f64 * step, at_height(*share));
        }
        // The second time round a colour is drawn in dashes.
        let dashes = if place >= COLOURS { " stroke-dasharray=\"4 3\"" } else { "" };
        let _ = write!(svg, "<path class=\"u{}\" d=\"{path}\"{dashes}/>", place % COLOURS);
    }
    svg.push_str("</svg>");
    svg
}

fn at_height(share: f64) -> f64 {
    2.0 + (HEIGHT - 4.0) * (1.0 - share.clamp(0.0, 1.0))
}

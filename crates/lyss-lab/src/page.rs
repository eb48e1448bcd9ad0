//! The same figures as a page for people: one file, no script, no network, light or dark as the reader's system is.

mod charts;
mod overview;

pub use overview::drawing;

use std::fmt::Write as _;

use crate::aggressor::Aggression;
use crate::claims::Claim;
use crate::{Policy, Report, Trial};

/// HTML with its drawings inside.
pub fn page(trials: &[Trial], aggression: Option<&Aggression>, claims: &[Claim]) -> String {
    let reports: Vec<&Report> = trials.iter().map(|trial| &trial.report).collect();
    let mut html = String::from(HEAD);
    html.push_str("<header><h1>How channels are chosen, and how well</h1><p>Every scenario runs the service's own balancing code in simulated time, with the same calls and the same luck for each policy. Regret is the mean cost of a call over the oracle's, which knows every vendor's state; a call costs its time to completion, and its timeout when it fails.</p></header>\n<main>\n");
    overview(&mut html, &reports);
    claimed(&mut html, claims);
    for report in &reports {
        scenario(&mut html, report);
    }
    if let Some(aggression) = aggression {
        aggressor(&mut html, aggression);
    }
    html.push_str("<section><h2>How to read it</h2><p>The oracle knows the state of every vendor but not the luck of the single attempt; it sends one attempt at a time and does not hedge, so that a policy that hedges may come out ahead of it. A call is good when it was answered wholly and its first token came within ten seconds. Times are those of calls that were answered, from arrival, with all attempts that failed before.</p></section>\n");
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

/// Regret of everybody everywhere: darker is worse.
fn overview(html: &mut String, reports: &[&Report]) {
    let policies: Vec<Policy> =
        reports.first().map(|report| report.rows.iter().map(|row| row.policy).collect()).unwrap_or_default();
    html.push_str("<section><h2>Regret at a glance</h2>\n<div class=\"scroll\"><table class=\"heat\"><thead><tr><th>scenario</th>");
    for policy in &policies {
        let _ = write!(html, "<th>{policy}</th>");
    }
    html.push_str("</tr></thead><tbody>\n");
    for report in reports {
        let name = escaped(&report.scenario);
        let _ = write!(html, "<tr><th><a href=\"#{name}\">{name}</a></th>");
        for policy in &policies {
            let regret = report.row(*policy).map_or(0.0, |row| row.figures.regret);
            // Full strength at twice the oracle's cost.
            let strength = ((regret - 1.0).clamp(0.0, 1.0) * 100.0).round();
            let _ = write!(html, "<td style=\"--heat:{strength}%\">{regret:.3}</td>");
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div></section>\n");
}

fn claimed(html: &mut String, claims: &[Claim]) {
    if claims.is_empty() {
        return;
    }
    html.push_str("<section><h2>What is claimed</h2>\n<ul class=\"claims\">\n");
    for claim in claims {
        let (class, mark) = if claim.holds { ("holds", "holds") } else { ("fails", "fails") };
        let _ = writeln!(html, "<li class=\"{class}\"><b>{mark}</b> {}</li>", escaped(&claim.text));
    }
    html.push_str("</ul></section>\n");
}

fn scenario(html: &mut String, report: &Report) {
    let (name, about) = (escaped(&report.scenario), escaped(&report.about));
    let _ = writeln!(html, "<section id=\"{name}\"><h2>{name}</h2><p>{about}.</p>");
    html.push_str(&charts::bars(report));
    let step = report
        .rows
        .first()
        .map_or((0.0, 0), |row| (row.timeline.step_s, row.timeline.shares.first().map_or(0, Vec::len)));
    let _ = write!(
        html,
        "<h3>Shares of the channels (0 to 100 %) over {:.0} simulated seconds, in the first run</h3>\n<p class=\"legend\">",
        step.0 * step.1 as f64
    );
    for (place, upstream) in report.upstreams.iter().enumerate() {
        let _ =
            write!(html, "<span><i class=\"u{}\"></i>{}</span> ", place % charts::COLOURS, escaped(upstream));
    }
    html.push_str("</p>\n<div class=\"lines\">\n");
    for row in &report.rows {
        let _ =
            write!(html, "<figure>{}<figcaption>{}</figcaption></figure>", charts::lines(row), row.policy);
    }
    html.push_str("\n</div>\n<details><summary>All figures</summary><div class=\"scroll\"><table><thead><tr><th>policy</th><th>calls</th><th>good/s</th><th>ok %</th><th>TTFT ms p50</th><th>p95</th><th>p99</th><th>total s p50</th><th>p95</th><th>p99</th><th>failed per ok</th><th>429s per ok</th><th>max share %</th><th>micros per call</th><th>cost s</th><th>regret</th></tr></thead><tbody>\n");
    for row in &report.rows {
        let f = &row.figures;
        let _ = writeln!(
            html,
            "<tr><th>{}</th><td>{:.0}</td><td>{:.2}</td><td>{:.2}</td><td>{:.0}</td><td>{:.0}</td><td>{:.0}</td><td>{:.2}</td><td>{:.2}</td><td>{:.2}</td><td>{:.4}</td><td>{:.4}</td><td>{:.1}</td><td>{:.0}</td><td>{:.3}</td><td>{:.3}</td></tr>",
            row.policy,
            f.calls,
            f.goodput_per_s,
            f.success * 100.0,
            f.ttft_ms.p50,
            f.ttft_ms.p95,
            f.ttft_ms.p99,
            f.total_ms.p50 / 1_000.0,
            f.total_ms.p95 / 1_000.0,
            f.total_ms.p99 / 1_000.0,
            f.failed_per_success,
            f.limited_per_success,
            f.max_share * 100.0,
            f.spent_micros_per_call,
            f.cost_ms / 1_000.0,
            f.regret,
        );
    }
    html.push_str("</tbody></table></div></details></section>\n");
}

fn aggressor(html: &mut String, aggression: &Aggression) {
    html.push_str("<section id=\"aggressor\"><h2>aggressor</h2><p>One tenant sends twenty times what the victim does, through one gate of forty places.</p>\n<div class=\"scroll\"><table><thead><tr><th>queue</th><th>victim ms p50</th><th>p95</th><th>p99</th><th>p99 over alone</th><th>victim ok %</th><th>aggressor ok %</th></tr></thead><tbody>\n");
    for (name, fate) in [
        ("victim alone", &aggression.alone),
        ("fair queue", &aggression.fair),
        ("first come, first served", &aggression.first_come),
    ] {
        let _ = writeln!(
            html,
            "<tr><th>{name}</th><td>{:.0}</td><td>{:.0}</td><td>{:.0}</td><td>{:.3}</td><td>{:.2}</td><td>{:.2}</td></tr>",
            fate.victim_ms.p50,
            fate.victim_ms.p95,
            fate.victim_ms.p99,
            aggression.ratio(fate),
            fate.victim_served * 100.0,
            fate.aggressor_served * 100.0,
        );
    }
    html.push_str("</tbody></table></div></section>\n");
}

/// Names may be a tenant's own.
fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut safe, character| {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
        safe
    })
}

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>lyss-lab</title>
<style>
:root { color-scheme: light dark;
  --paper: #fbfbfa; --card: #ffffff; --ink: #1c1f23; --soft: #667079; --rule: #dfe3e6; --accent: #2f6fde; --bad: #c2402f; --good: #24804f;
  --u0: #2f6fde; --u1: #d9742b; --u2: #2a9d6f; --u3: #b8457f; --u4: #7a5bd0; --u5: #8a7b1f; --u6: #4a9fb5; --u7: #80604d; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #14171a; --card: #1b1f23; --ink: #e6e9ec; --soft: #98a3ad; --rule: #30363c; --accent: #6ea3ff; --bad: #ff8a78; --good: #63c993;
  --u0: #6ea3ff; --u1: #f2a05e; --u2: #5fd0a0; --u3: #ef86b6; --u4: #ab93f5; --u5: #cfbf5a; --u6: #7fd0e4; --u7: #c09d86; } }
body { margin: 0 auto; max-width: 76rem; padding: 1.5rem; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
header p, section > p { color: var(--soft); max-width: 52rem; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 0 0 .3rem; } h3 { font-size: .9rem; margin: 1rem 0 .3rem; color: var(--soft); font-weight: 600; }
section { background: var(--card); border: 1px solid var(--rule); border-radius: .6rem; padding: 1rem 1.2rem; margin: 1.2rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
th, td { padding: .25rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule); font-weight: 400; }
thead th { color: var(--soft); } tbody th { text-align: left; } a { color: var(--accent); text-decoration: none; }
.heat td { background: color-mix(in srgb, var(--bad) calc(var(--heat) * .7), transparent); }
.claims { list-style: none; padding: 0; margin: 0; font-size: 14px; } .claims li { padding: .2rem 0; }
.claims b { display: inline-block; width: 3.2rem; } .holds b { color: var(--good); } .fails b { color: var(--bad); }
svg { display: block; } svg text { fill: var(--ink); font: 12px system-ui, sans-serif; font-variant-numeric: tabular-nums; } svg .soft { fill: var(--soft); }
svg .grid { stroke: var(--rule); stroke-width: 1; } svg .bar { fill: var(--accent); } svg .own { font-weight: 700; }
.lines { display: flex; flex-wrap: wrap; gap: .8rem; } figure { margin: 0; } figcaption { font-size: 12px; color: var(--soft); text-align: center; }
.lines path { fill: none; stroke-width: 1.4; } .legend { font-size: 13px; } .legend span { margin-right: .8rem; } .legend i { display: inline-block; width: .8rem; height: .2rem; vertical-align: middle; margin-right: .3rem; }
path.u0 { stroke: var(--u0); } path.u1 { stroke: var(--u1); } path.u2 { stroke: var(--u2); } path.u3 { stroke: var(--u3); } path.u4 { stroke: var(--u4); } path.u5 { stroke: var(--u5); } path.u6 { stroke: var(--u6); } path.u7 { stroke: var(--u7); }
i.u0 { background: var(--u0); } i.u1 { background: var(--u1); } i.u2 { background: var(--u2); } i.u3 { background: var(--u3); } i.u4 { background: var(--u4); } i.u5 { background: var(--u5); } i.u6 { background: var(--u6); } i.u7 { background: var(--u7); }
summary { cursor: pointer; color: var(--soft); margin-top: .8rem; font-size: 13px; }
</style>
</head>
<body>
"#;

#[cfg(test)]
mod tests;

//! The report for people.

use std::time::Duration;

use lyss_lab::Figures;

use super::{BalancingReport, ModelComparison};
use crate::reports::document::{Cell, Document, Table, Tone};
use crate::reports::health::of_success;
use crate::reports::{duration, latency, moment, money, percent, percent_or_dash};

pub(super) fn document(report: &BalancingReport) -> Document {
    let period = report.period.as_str();
    let subtitle =
        format!("{} · the {period} from {} to {}", report.tenant, moment(report.since), moment(report.until));
    let mut document = Document::new("Balancing", subtitle);
    document.text(
        "What each of the five algorithms would do with the calls that came, on the channels as they were measured. The \
         laboratory plays them again in simulated time, through the code that serves; the oracle knows what every vendor \
         would do; what does better than it does so by luck.",
    );
    if report.is_empty() {
        document.text(empty(report));
    }
    for model in &report.models {
        compare(&mut document, model);
    }
    if !report.without_choice.is_empty() {
        document.heading("Without a choice");
        let names = report.without_choice.join(", ");
        document
            .text(format!("No two channels serve these models, so any algorithm does the same: {names}."));
    }
    if report.models_left_out > 0 {
        document.text(format!("{} more models had less traffic and are left out.", report.models_left_out));
    }
    document
}

/// Why there is nothing to compare.
pub(super) fn empty(report: &BalancingReport) -> String {
    let period = report.period.as_str();
    match report.calls {
        0 => format!("No conversation was recorded in this {period}, so there is nothing to play again."),
        calls => format!(
            "{calls} conversations were recorded in this {period}, and no two channels serve any of their models."
        ),
    }
}

fn compare(document: &mut Document, model: &ModelComparison) {
    document.heading(model.model.clone());
    let played = format!(
        "{} calls were recorded. Played again are the {} of its busiest stretch, {} from {}.",
        model.calls,
        model.simulated,
        duration(model.span),
        moment(model.from)
    );
    document.text(played);
    if let Some(verdict) = verdict(model) {
        document.text(verdict);
    }
    document.table(algorithms(model));
    document.text("Shares of attempts, and what the channels were measured to be:");
    document.table(channels(model));
    let assumed = model.channels.iter().filter(|channel| channel.measured == 0).count();
    if assumed > 0 {
        document.text(format!(
            "{assumed} of them had too little traffic and were taken for the middle of the others."
        ));
    }
}

fn verdict(model: &ModelComparison) -> Option<String> {
    let best = model.best()?;
    let used = model.actual.strategies.first().map(|(strategy, _)| *strategy);
    let current = model.algorithms.iter().find(|one| Some(one.strategy) == used);
    Some(match current {
        Some(current) if current.strategy == best.strategy => {
            format!("{} serves it now and does best.", best.strategy)
        }
        Some(current) if current.figures.cost_ms <= best.figures.cost_ms * 1.03 => {
            format!("{} does best; {}, which serves it now, is within 3 %.", best.strategy, current.strategy)
        }
        Some(current) => {
            let gain = 1.0 - best.figures.cost_ms / current.figures.cost_ms.max(f64::MIN_POSITIVE);
            format!(
                "{} does best: calls would be done {} sooner in the mean than with {}, which serves it now.",
                best.strategy,
                percent(gain),
                current.strategy
            )
        }
        None => format!("{} does best.", best.strategy),
    })
}

fn algorithms(model: &ModelComparison) -> Table {
    let mut table = Table::of(&[
        "Algorithm",
        "#Mean time",
        "#Over the oracle",
        "#Success",
        "#Good calls/s",
        "#First token p50",
        "#First token p95",
        "#Whole p95",
        "#Failed attempts/call",
        "#Cost/call",
    ]);
    let best = model.best().map(|best| best.strategy);
    let longest = model.algorithms.iter().map(|one| one.figures.cost_ms).fold(1.0, f64::max);
    let mut rows: Vec<_> = model.algorithms.iter().collect();
    rows.sort_by(|a, b| a.figures.cost_ms.total_cmp(&b.figures.cost_ms));
    for one in rows {
        let tone = if Some(one.strategy) == best { Tone::Good } else { Tone::Plain };
        let name = Cell::from(one.strategy.as_str()).tone(tone);
        table.rows.push(row(name, &one.figures, longest));
    }
    table.rows.push(row("oracle".into(), &model.oracle, longest));
    table.rows.push(actual(model));
    table
}

fn row(name: Cell, figures: &Figures, longest: f64) -> Vec<Cell> {
    let over = if figures.regret > 0.0 { format!("× {:.2}", figures.regret) } else { "–".to_owned() };
    vec![
        name,
        Cell::from(milliseconds(figures.cost_ms)).bar(figures.cost_ms / longest),
        over.into(),
        Cell::from(percent(figures.success)).tone(of_success(Some(figures.success))),
        format!("{:.2}", figures.goodput_per_s).into(),
        milliseconds(figures.ttft_ms.p50).into(),
        milliseconds(figures.ttft_ms.p95).into(),
        milliseconds(figures.total_ms.p95).into(),
        format!("{:.2}", figures.failed_per_success).into(),
        micros(figures.spent_micros_per_call).into(),
    ]
}

/// What was done in the whole period, as recorded: attempts, not calls.
fn actual(model: &ModelComparison) -> Vec<Cell> {
    let actual = &model.actual;
    let used = actual.strategies.first().map_or_else(
        || "as it was".to_owned(),
        |(strategy, share)| format!("as it was ({strategy} {})", percent(*share)),
    );
    let dash = || Cell::from("–");
    let each = actual.cost_micros as f64 / actual.attempts.max(1) as f64;
    vec![
        Cell::from(used).tone(Tone::Warning),
        latency(actual.latency.mean()).into(),
        dash(),
        Cell::from(percent_or_dash(actual.success_rate)).tone(of_success(actual.success_rate)),
        dash(),
        latency(actual.ttft.quantile(0.50)).into(),
        latency(actual.ttft.quantile(0.95)).into(),
        latency(actual.latency.quantile(0.95)).into(),
        dash(),
        micros(each).into(),
    ]
}

fn channels(model: &ModelComparison) -> Table {
    let mut names =
        vec!["Channel", "#Weight", "#Priority", "#Measured by", "#First token", "#Each token", "#Fails"];
    let headed: Vec<_> = model.algorithms.iter().map(|one| format!("#{}", one.strategy)).collect();
    names.extend(headed.iter().map(String::as_str));
    names.push("#As it was");
    let mut table = Table::of(&names);
    for (place, channel) in model.channels.iter().enumerate() {
        let figures = &channel.figures;
        let fails = figures.failure_rate + figures.rate_limited;
        let mut row = vec![
            Cell::from(figures.name.clone()),
            figures.weight.to_string().into(),
            figures.priority.to_string().into(),
            if channel.measured > 0 {
                channel.measured.to_string().into()
            } else {
                Cell::from("assumed").tone(Tone::Warning)
            },
            milliseconds(figures.ttft.p50.as_secs_f64() * 1e3).into(),
            format!("{:.1} ms", figures.tpot.p50.as_secs_f64() * 1e3).into(),
            Cell::from(percent(fails)).tone(of_success(Some(1.0 - fails))),
        ];
        let share = |shares: &[f64]| shares.get(place).copied().unwrap_or(0.0);
        let simulated = model.algorithms.iter().map(|one| share(&one.figures.shares));
        for share in simulated.chain([share(&model.actual.shares)]) {
            row.push(Cell::from(percent(share)).bar(share));
        }
        table.rows.push(row);
    }
    table
}

fn milliseconds(time: f64) -> String {
    latency(Some(whole(time * 1e3)))
}

/// A figure of the laboratory; it has no sign.
fn whole(figure: f64) -> u64 {
    u64::try_from(Duration::from_secs_f64(figure.clamp(0.0, 1e15) / 1e6).as_micros()).unwrap_or(u64::MAX)
}

fn micros(each: f64) -> String {
    money(i64::try_from(whole(each)).unwrap_or(i64::MAX))
}

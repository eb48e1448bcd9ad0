//! The report for people.

use lyss_balancing::Phase;

use super::{ChannelFare, HealthReport};
use crate::reports::document::{Cell, Document, Part, Table, Tone};
use crate::reports::{duration, latency, moment, money, percent, percent_or_dash};

pub(super) fn document(report: &HealthReport) -> Document {
    let period = report.period.as_str();
    let subtitle =
        format!("{} · the {period} from {} to {}", report.tenant, moment(report.since), moment(report.until));
    let mut document = Document::new("Health of channels", subtitle);
    document.parts.push(headline(report));
    let troubled = report.troubled().count();
    document.text(match troubled {
        0 => "No channel was ejected, and none failed more often than one time in twenty.".to_owned(),
        1 => "One channel is worth a look; it stands first.".to_owned(),
        more => format!("{more} channels are worth a look; they stand first."),
    });
    document.heading("Channels");
    document.table(channels(report));
    if report.channels_left_out > 0 {
        document.text(format!("{} more channels had traffic; it is not told.", report.channels_left_out));
    }
    if report.events_cut {
        document.text("There were more events than can be looked through: ejections and downtime are those of the newer part.");
    }
    errors(&mut document, report);
    slowest(&mut document, report);
    probes(&mut document, report);
    document.text(
        "Available is the part of the time in which a channel as a whole was not ejected. Success is the part of attempts \
         that were complete, of those that ended by the vendor's doing.",
    );
    document
}

fn headline(report: &HealthReport) -> Part {
    let sums = &report.total.sums;
    let ejections: u64 = report.channels.iter().map(|fare| fare.ejections + fare.models_ejected).sum();
    let figure = |name: &str, cell: Cell| (name.to_owned(), cell);
    Part::Figures(vec![
        figure("Attempts", sums.attempts.to_string().into()),
        figure(
            "Success",
            Cell::from(percent_or_dash(sums.success_rate())).tone(of_success(sums.success_rate())),
        ),
        figure("Answers, 95 % within", latency(sums.latency.quantile(0.95)).into()),
        figure("First token, 95 % within", latency(sums.ttft.quantile(0.95)).into()),
        figure(
            "Ejections",
            Cell::from(ejections.to_string()).tone(if ejections > 0 { Tone::Warning } else { Tone::Good }),
        ),
        figure("Cost", money(sums.cost_micros).into()),
    ])
}

fn channels(report: &HealthReport) -> Table {
    let mut table = Table::of(&[
        "Channel",
        "Provider",
        "Now",
        "#Attempts",
        "#Success",
        "#Available",
        "#Down",
        "#Ejected",
        "#Models ejected",
        "#Waits",
        "#p50",
        "#p95",
        "Last trouble",
    ]);
    for fare in &report.channels {
        let sums = &fare.tally.sums;
        let rate = sums.success_rate();
        let success = Cell::from(percent_or_dash(rate)).tone(of_success(rate));
        let available = Cell::from(percent(fare.availability)).bar(fare.availability);
        table.rows.push(vec![
            fare.channel.name.clone().into(),
            fare.channel.provider.as_str().into(),
            now(fare),
            sums.attempts.to_string().into(),
            success,
            available.tone(if fare.availability < 0.99 { Tone::Bad } else { Tone::Plain }),
            duration(fare.downtime).into(),
            count(fare.ejections),
            count(fare.models_ejected),
            fare.coolings.to_string().into(),
            latency(sums.latency.quantile(0.50)).into(),
            latency(sums.latency.quantile(0.95)).into(),
            last(fare).into(),
        ]);
    }
    table
}

/// What its administrator wants, else how it is.
fn now(fare: &ChannelFare) -> Cell {
    let state = fare.channel.state;
    if state != lyss_domain::ChannelState::Enabled {
        return Cell::from(state.as_str()).tone(Tone::Warning);
    }
    match fare.live.breaker.phase {
        Phase::Open => Cell::from("ejected").tone(Tone::Bad),
        Phase::HalfOpen => Cell::from("on trial").tone(Tone::Warning),
        _ if fare.live.cooling_until.is_some() => Cell::from("waiting for its vendor").tone(Tone::Warning),
        _ if !fare.live.models_ejected.is_empty() => Cell::from("a model is ejected").tone(Tone::Warning),
        _ => Cell::from("well").tone(Tone::Good),
    }
}

fn last(fare: &ChannelFare) -> String {
    let Some(event) = &fare.last_event else { return "–".to_owned() };
    let what = event.fault.map_or(event.kind.as_str(), lyss_domain::FaultKind::as_str);
    match &event.model {
        Some(model) => format!("{what}, {model}, {}", moment(event.at)),
        None => format!("{what}, {}", moment(event.at)),
    }
}

fn count(of: u64) -> Cell {
    Cell::from(of.to_string()).tone(if of > 0 { Tone::Warning } else { Tone::Plain })
}

fn errors(document: &mut Document, report: &HealthReport) {
    let faults = report.faults();
    if faults.is_empty() {
        return;
    }
    let all: u64 = faults.iter().map(|(_, count)| count).sum();
    document.heading("What went wrong");
    let mut table = Table::of(&["Kind", "#Attempts", "#Share", "Most of them at"]);
    for (kind, count) in faults {
        let share = count as f64 / all.max(1) as f64;
        let most =
            report.channels.iter().max_by_key(|fare| fare.tally.faults.get(&kind).copied().unwrap_or(0));
        table.rows.push(vec![
            kind.as_str().into(),
            count.to_string().into(),
            Cell::from(percent(share)).bar(share),
            most.map_or_else(String::new, |fare| fare.channel.name.clone()).into(),
        ]);
    }
    document.table(table);
}

fn slowest(document: &mut Document, report: &HealthReport) {
    if report.slowest.is_empty() {
        return;
    }
    document.heading("Slowest");
    let longest = report.slowest.iter().filter_map(|slow| slow.latency_p95_us).max().unwrap_or(1).max(1);
    let mut table = Table::of(&["Channel", "Model", "#Answers", "#p50", "#p95", "#First token p95"]);
    for slow in &report.slowest {
        let share = slow.latency_p95_us.unwrap_or(0) as f64 / longest as f64;
        table.rows.push(vec![
            slow.channel.clone().into(),
            slow.model.clone().into(),
            slow.answers.to_string().into(),
            latency(slow.latency_p50_us).into(),
            Cell::from(latency(slow.latency_p95_us)).bar(share),
            latency(slow.ttft_p95_us).into(),
        ]);
    }
    document.table(table);
}

fn probes(document: &mut Document, report: &HealthReport) {
    let probed: Vec<_> =
        report.channels.iter().filter(|fare| fare.probes_ok + fare.probes_failed > 0).collect();
    if probed.is_empty() {
        return;
    }
    document.heading("Probes");
    let mut table = Table::of(&["Channel", "#Good", "#Failed"]);
    for fare in probed {
        let failed = Cell::from(fare.probes_failed.to_string());
        table.rows.push(vec![
            fare.channel.name.clone().into(),
            fare.probes_ok.to_string().into(),
            failed.tone(if fare.probes_failed > 0 { Tone::Bad } else { Tone::Plain }),
        ]);
    }
    document.table(table);
}

/// By how much is lost, as a person would take it.
pub(in crate::reports) fn of_success(rate: Option<f64>) -> Tone {
    match rate {
        None => Tone::Plain,
        Some(rate) if rate >= 0.99 => Tone::Good,
        Some(rate) if rate >= 0.95 => Tone::Warning,
        Some(_) => Tone::Bad,
    }
}

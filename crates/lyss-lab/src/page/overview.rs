//! All scenarios in one drawing that stands by itself: a dot for each policy's regret.

use std::fmt::Write as _;

use lyss_domain::Strategy;

use crate::{Policy, Trial, draws};

/// Who is drawn, in which colour by light and by dark, and how large.
const DRAWN: [(Policy, &str, f64); 7] = [
    (Policy::PlainRandom, "plain", 4.0),
    (Policy::MetaBandit, "bandit", 4.0),
    (Policy::Algorithm(Strategy::WeightedRandom), "weighted", 4.0),
    (Policy::Algorithm(Strategy::RoundRobin), "robin", 4.0),
    (Policy::Algorithm(Strategy::LeastConnections), "least", 4.0),
    (Policy::Algorithm(Strategy::BestPerformance), "best", 4.5),
    (Policy::Algorithm(Strategy::Adaptive), "adaptive", 6.0),
];

const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#1c1f23}.soft{fill:#667079}.grid{stroke:#dfe3e6}.paper{fill:#fff}\
.adaptive{fill:#2f6fde}.best{fill:#2a9d6f}.least{fill:#d9742b}.robin{fill:#b8457f}.weighted{fill:#8a7b1f}.bandit{fill:#7a5bd0}.plain{fill:#9aa3ab}\
@media(prefers-color-scheme:dark){text{fill:#e6e9ec}.soft{fill:#98a3ad}.grid{stroke:#30363c}.paper{fill:#1b1f23}\
.adaptive{fill:#6ea3ff}.best{fill:#5fd0a0}.least{fill:#f2a05e}.robin{fill:#ef86b6}.weighted{fill:#cfbf5a}.bandit{fill:#ab93f5}.plain{fill:#77828c}}";

const LEFT: f64 = 130.0;
const WIDTH: f64 = 880.0;
const TOP: f64 = 56.0;
const LINE: f64 = 24.0;

/// Regret to the right, on a logarithmic scale from 0.9 to 2.5; what lies beyond is drawn at the edge.
pub fn drawing(trials: &[Trial]) -> String {
    let height = TOP + trials.len() as f64 * LINE + 12.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"Regret of each policy in each scenario\">\n<style>{STYLE}</style>\n<rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>\n"
    );
    let mut x = 20.0;
    for (policy, class, radius) in DRAWN.iter().rev() {
        let _ = writeln!(
            svg,
            "<circle class=\"{class}\" cx=\"{x}\" cy=\"16\" r=\"{radius}\"/><text x=\"{}\" y=\"20\">{policy}</text>",
            x + 9.0
        );
        x += 26.0 + 6.8 * policy.as_str().len() as f64;
    }
    for regret in [1.0, 1.1, 1.25, 1.5, 2.0, 2.5] {
        let x = at(regret);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{:.1}\"/><text class=\"soft\" x=\"{x:.1}\" y=\"46\" text-anchor=\"middle\">{regret}</text>",
            height - 8.0
        );
    }
    for (trial, line) in trials.iter().zip(0u32..) {
        let y = TOP + LINE * (f64::from(line) + 0.5);
        let name = super::escaped(&trial.report.scenario);
        let _ = writeln!(svg, "<text x=\"8\" y=\"{:.1}\">{name}</text>", y + 4.0);
        for (policy, class, radius) in &DRAWN {
            let Some(row) = trial.report.row(*policy) else { continue };
            let regret = row.figures.regret;
            let _ = writeln!(
                svg,
                "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{y:.1}\" r=\"{radius}\"><title>{policy} in {name}: {regret:.3}</title></circle>",
                at(regret)
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn at(regret: f64) -> f64 {
    let (least, most) = (draws::ln(0.9), draws::ln(2.5));
    let part = (draws::ln(regret.clamp(0.9, 2.5)) - least) / (most - least);
    LEFT + (WIDTH - LEFT - 20.0) * part
}

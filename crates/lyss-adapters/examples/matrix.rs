//! Prints `docs/dialects.md` as the code is now: caller × vendor × feature, from the recordings. Started by
//! `cargo xtask matrix`; with `--check` only the outcomes that are mistakes of ours, and status 1 where there are any.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    dead_code,
    reason = "a tool over the tests' own recordings: a broken recording may end it"
)]

#[path = "../src/golden/call_form.rs"]
mod call_form;
#[path = "../src/golden/crossing.rs"]
mod crossing;
#[path = "../src/golden/fixtures.rs"]
mod fixtures;
#[path = "../src/golden/heard.rs"]
mod heard;
#[path = "../src/golden/page.rs"]
mod page;
#[path = "../src/golden/reply_form.rs"]
mod reply_form;
#[path = "../src/golden/unshown.rs"]
mod unshown;

use std::process::ExitCode;

use crate::crossing::Outcome;
use crate::fixtures::{Case, FOLDERS, cases, vendor_kinds};

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("--check") {
        let broken = broken();
        for line in &broken {
            println!("{line}");
        }
        println!("{} mistakes", broken.len());
        return if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    print!("{}", page::page());
    ExitCode::SUCCESS
}

/// Every mistake of ours in the whole matrix, a line each.
fn broken() -> Vec<String> {
    let mut found = Vec::new();
    let mut note = |case: &Case, other: &str, what: &str, outcome: Option<Outcome>| {
        if let Some(Outcome::Broken(lines)) = outcome {
            let from = case.dialect.as_str();
            found.extend(lines.iter().map(|line| format!("{what} {from}/{} × {other}: {line}", case.name)));
        }
    };
    for case in cases() {
        for vendor in vendor_kinds() {
            note(&case, vendor.name, "request", crossing::request(&case, &vendor));
        }
        for (_, caller) in FOLDERS {
            note(&case, caller.as_str(), "reply", crossing::reply(&case, caller));
            note(&case, caller.as_str(), "stream", crossing::stream(&case, caller));
        }
    }
    found
}

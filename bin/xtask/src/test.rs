//! All tests, beside real services: what the README calls the second command.

use std::io::{BufRead as _, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::process::Running;
use crate::sdk;
use crate::services::Services;
use crate::workspace::Workspace;

/// What the test programs counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Totals {
    /// The figures of one line of output: libtest's "test result: …", pytest's "3 passed, 1 failed in 0.5s", or Node's
    /// "ℹ pass 3" and "ℹ fail 1".
    fn read(line: &str) -> Self {
        if let Some((word, count)) = line.trim_end().strip_prefix("ℹ ").and_then(|it| it.split_once(' ')) {
            let count = count.parse().unwrap_or_default();
            return match word {
                "pass" => Self { passed: count, failed: 0 },
                "fail" | "cancelled" => Self { passed: 0, failed: count },
                _ => Self::default(),
            };
        }
        let counts = line.starts_with("test result:")
            || (line.starts_with(|first: char| first.is_ascii_digit()) && line.contains(" in "));
        if !counts {
            return Self::default();
        }
        let mut totals = Self::default();
        let mut previous = "";
        for word in line.split([' ', ',', ';', '.']).filter(|word| !word.is_empty()) {
            let count: u64 = previous.parse().unwrap_or_default();
            match word {
                "passed" => totals.passed += count,
                "failed" | "error" | "errors" => totals.failed += count,
                _ => {}
            }
            previous = word;
        }
        totals
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// `cargo xtask test`.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<u8> {
    let start = Instant::now();
    let services = Services::start(workspace)?;
    let provider = build(workspace, args)?;

    let mut command = workspace.cargo();
    command.args(["test", "--locked", "--no-fail-fast"]).args(selection(args)).args(args);
    command.envs(services.environment()).env("LYSS_PROVIDER_BIN", &provider);
    let (mut green, mut totals) = counted(workspace, "cargo test", &mut command)?;

    if args.is_empty() {
        let (sdk_green, sdk_totals) = sdk::test(workspace, &provider, &[])?;
        green &= sdk_green;
        totals.add(sdk_totals);
    }
    drop(services);
    println!("{} passed, {} failed, in {:.0} s", totals.passed, totals.failed, start.elapsed().as_secs_f64());
    Ok(u8::from(!green))
}

/// Builds the service, which some tests start as a user would, and says where it lies.
///
/// For a whole run everything is built at once: building the service by itself first would settle on fewer features of
/// shared packages, and so build them twice.
fn build(workspace: &Workspace, args: &[String]) -> Result<PathBuf> {
    let scope: &[&str] =
        if args.is_empty() { &["--workspace", "--bins", "--tests"] } else { &["--package", "lyss-provider"] };
    workspace.step("cargo build", workspace.cargo().args(["build", "--locked"]).args(scope))?;
    Ok(workspace.output.join("lyss-provider"))
}

/// The whole workspace, unless the arguments choose a package.
fn selection(args: &[String]) -> Option<&'static str> {
    let mut own = args.iter().take_while(|arg| *arg != "--");
    let chosen =
        own.any(|arg| arg.starts_with("-p") || arg.starts_with("--package") || arg == "--manifest-path");
    (!chosen).then_some("--workspace")
}

/// Runs a test program, passes its output on, and adds up what it counted.
pub(crate) fn counted(workspace: &Workspace, name: &str, command: &mut Command) -> Result<(bool, Totals)> {
    let start = Instant::now();
    let mut running = Running::start(name, command.stdout(Stdio::piped()))?;
    let output = running.child().stdout.take().context("no output to read")?;
    let reader = thread::spawn(move || pass_on(output));
    let status = running.wait(&workspace.interrupt)?;
    let totals = reader.join().unwrap_or_default();
    eprintln!("xtask: {name} took {:.1} s", start.elapsed().as_secs_f64());
    Ok((status.success(), totals))
}

fn pass_on(output: impl Read) -> Totals {
    let mut totals = Totals::default();
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line);
        print!("{text}");
        totals.add(Totals::read(&text));
        line.clear();
    }
    totals
}

#[cfg(test)]
mod tests;

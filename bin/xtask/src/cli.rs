//! What can be asked for: one variant, one help text with an example, one arm.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;
use crate::{aggressor, bench, coverage, lint, matrix, sdk, services, test};

#[derive(Parser)]
#[command(
    name = "xtask",
    bin_name = "cargo xtask",
    about = "Automation for this repository",
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run a command beside a private PostgreSQL and Redis
    ///
    /// Both listen on free loopback ports and keep their files in a temporary folder; both are gone afterwards. The
    /// command finds them in LYSS_TEST_POSTGRES_URL and LYSS_TEST_REDIS_URL, and its exit status is passed on.
    /// Without a command the two lines to export are printed and the services stay until interrupted.
    #[command(after_help = "Example: cargo xtask services -- cargo test -p lyss-tests postgres")]
    Services {
        /// The command and its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Run all tests with real PostgreSQL and Redis, then the SDK tests
    ///
    /// Arguments are passed to `cargo test` and narrow the run to it: no SDK tests then.
    #[command(
        after_help = "Example: cargo xtask test\n         cargo xtask test -p lyss-quota -- --nocapture"
    )]
    Test {
        /// Arguments for `cargo test`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Run the tests of tests/sdk: the vendors' official Python and Node packages against the demo
    #[command(
        after_help = "Example: cargo xtask sdk -k stream (arguments go to pytest; Node's tests are then left out)"
    )]
    Sdk {
        /// Arguments for pytest
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Check formatting, clippy with warnings denied, and that no forbidden package is locked
    #[command(after_help = "Example: cargo xtask lint")]
    Lint,
    /// Run the Rust tests instrumented and report the lines they reach
    ///
    /// Writes coverage/summary.txt into the target folder and prints the totals of each crate.
    #[command(after_help = "Example: cargo xtask coverage\n         cargo xtask coverage -p lyss-quota")]
    Coverage {
        /// Only these packages
        #[arg(short, long = "package", value_name = "NAME")]
        packages: Vec<String>,
    },
    /// Print what arrives from every caller's dialect at every vendor, and write it to docs/dialects.md
    ///
    /// Carries every recorded conversation over and reads it again on the other side. Fails where something is lost
    /// and no loss names it.
    #[command(after_help = "Example: cargo xtask matrix")]
    Matrix,
    /// Measure what a tenant notices of another one that asks for twenty times as much
    ///
    /// Builds the service for release, starts it before simulated vendors with a limit on calls at once, and prints the
    /// first tenant's times alone and beside the other one. Takes about twenty seconds after the build.
    #[command(after_help = "Example: cargo xtask aggressor")]
    Aggressor,
    /// Measure the gateway between two runs of plain nginx
    #[command(after_help = "Example: cargo xtask bench --only W1,W2")]
    Bench(bench::Options),
}

/// Parses the command line and runs it; the code is what the process should exit with.
pub(crate) fn run() -> Result<u8> {
    let task = Cli::parse().task;
    let workspace = Workspace::find()?;
    match task {
        Task::Services { command } => services::run(&workspace, &command),
        Task::Test { args } => test::run(&workspace, &args),
        Task::Sdk { args } => sdk::run(&workspace, &args),
        Task::Lint => lint::run(&workspace).map(|()| 0),
        Task::Coverage { packages } => coverage::run(&workspace, &packages).map(|()| 0),
        Task::Matrix => matrix::run(&workspace).map(|()| 0),
        Task::Aggressor => aggressor::run(&workspace).map(|()| 0),
        Task::Bench(options) => bench::run(&workspace, &options).map(|()| 0),
    }
}

/// Where the benchmark harness lies unless told.
pub(crate) fn default_harness() -> PathBuf {
    PathBuf::from("../shared/bench")
}

#[cfg(test)]
mod tests;

//! The house's own automation: `cargo xtask --help`.
//!
//! It starts what tests need, runs the tools in one agreed way, and takes down what it started. It must never know
//! how the service works inside: it builds it, starts it, and talks to it from outside. Start reading at `cli.rs`;
//! one more command is one more file beside its siblings and one arm in `cli::run`.
#![allow(
    clippy::disallowed_methods,
    reason = "automation runs on the developer's machine: it reads the environment and the clock, as tests may"
)]

mod aggressor;
mod bench;
mod cli;
mod coverage;
mod gateway;
mod lint;
mod matrix;
mod packages;
mod process;
mod sdk;
mod services;
mod test;
mod workspace;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::from(process::failure_code(&error))
        }
    }
}

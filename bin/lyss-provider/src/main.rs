//! The binary: order only. Parse, load configuration, build, spawn, wait, drain; every subcommand in a file of its name.
//!
//! Must never know: how a call is routed, converted or stored; the crates do. Nothing but `config/` reads the
//! environment, nothing but `clock.rs` reads a clock.

mod assemble;
mod audit;
mod check;
mod cli;
mod clock;
mod config;
mod data;
mod demo;
mod dependencies;
mod first;
mod keys;
mod log;
mod migrate;
mod seal;
mod serve;
mod simulate;
mod token;

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // One crypto stack: ring, before anything could choose for itself.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        eprintln!("lyss-provider: the crypto provider could not be installed");
        return ExitCode::FAILURE;
    }
    match cli::run(cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lyss-provider: {error:#}");
            ExitCode::FAILURE
        }
    }
}

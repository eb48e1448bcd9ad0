//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::config::Config;
use crate::{audit, check, demo, keys, log, migrate, seal, serve, simulate, token};

/// An LLM gateway: applications hold a virtual key and talk to one URL; the service picks a channel and pays the
/// vendor.
#[derive(Parser)]
#[command(version, propagate_version = true)]
pub(crate) struct Cli {
    /// A TOML file with settings; environment variables win over it.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder for the embedded database, secrets and journal [default: data.folder]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until stopped. Example: lyss-provider serve --port 8003
    Serve(ServeArgs),
    /// Shows the whole service at work on simulated vendors, and on every real vendor whose usual key variable is set.
    ///
    /// Example: lyss-provider demo --once
    Demo(demo::DemoArgs),
    /// Brings the database's schema up or down, or tells where it stands. Example: lyss-provider migrate up
    #[command(subcommand)]
    Migrate(migrate::MigrateCommand),
    /// Makes and rotates master keys. Example: lyss-provider keys generate
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Makes tokens for administrators and machines. Example: lyss-provider token issue --subject alice --role viewer --tenant default
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Looks whether the audit log is whole. Example: lyss-provider audit verify
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Seals a vendor key read from standard input, for `encrypted_credentials`.
    ///
    /// Example: printf %s "$KEY" | lyss-provider seal --tenant acme --origin https://api.openai.com
    Seal(seal::SealArgs),
    /// Plays a tenant's recorded calls again in simulated time: what would each balancing algorithm have done with them?
    ///
    /// Nothing is sent. Example: lyss-provider simulate --tenant acme --period week --html balancing.html
    Simulate(simulate::SimulateArgs),
    /// Reads the settings, tries what they point to, and prints what it found, secrets masked.
    ///
    /// Example: lyss-provider check --config lyss.toml
    Check,
}

#[derive(Args)]
pub(crate) struct ServeArgs {
    /// Address to listen on [default: server.host]
    #[arg(long)]
    pub(crate) host: Option<String>,
    /// Port to listen on; 0 takes a free one [default: server.port]
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// Threads that serve calls [default: server.workers, or one a core]
    #[arg(long)]
    pub(crate) workers: Option<usize>,
}

pub(crate) fn run(cli: Cli) -> Result<ExitCode> {
    let mut config = Config::load(cli.config.as_deref())?;
    if let Some(folder) = cli.data {
        config.data.folder = folder;
    }
    if matches!(cli.command, Command::Demo(_)) && config.log.level == "info" {
        // The demo speaks for itself.
        config.log.level = "warn".to_owned();
    }
    log::init(&config.log)?;
    match cli.command {
        Command::Serve(args) => serve::run(config, &args),
        Command::Demo(args) => demo::run(config, &args),
        Command::Migrate(command) => migrate::run(&config, &command),
        Command::Keys(command) => keys::run(&config, &command),
        Command::Token(command) => token::run(&config, &command),
        Command::Audit(command) => audit::run(&config, &command),
        Command::Seal(args) => seal::run(&config, &args),
        Command::Simulate(args) => simulate::run(&config, &args),
        Command::Check => check::run(&config),
    }
}

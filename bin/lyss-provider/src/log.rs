//! Structured logs: JSON lines, or readable ones on a terminal.

use std::io::IsTerminal;

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;

use crate::config::log::{LogFormat, LogSettings};

/// Logs go to standard error, so that a command's own output stays clean.
pub(crate) fn init(settings: &LogSettings) -> Result<()> {
    // What these crates say at "info" is said by us, once, in our own words.
    let level = format!("actix_server=warn,sea_orm_migration=warn,{}", settings.level);
    let filter = EnvFilter::try_new(level).context("log.level is not a filter")?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let json = match settings.format {
        LogFormat::Json => true,
        LogFormat::Human => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    let installed = if json {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.with_target(false).try_init()
    };
    installed.map_err(|error| anyhow::anyhow!("the log cannot be set up: {error}"))
}

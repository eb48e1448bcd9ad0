//! Structured logs: JSON lines, or readable ones on a terminal.

use std::io::IsTerminal;

use anyhow::{Context, Result, ensure};
use tracing_subscriber::EnvFilter;

use crate::config::log::{LogFormat, LogSettings};

const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];

/// Logs go to standard error, so that a command's own output stays clean.
pub(crate) fn init(settings: &LogSettings) -> Result<()> {
    // A bare word that is no level would be taken for a module's name, and silence everything else.
    let bare = !settings.level.contains(['=', ',', '[']);
    ensure!(
        !bare || LEVELS.contains(&settings.level.to_ascii_lowercase().as_str()),
        "log.level (PROVIDER_SERVICE_LOG__LEVEL) is none of {}",
        LEVELS.join(", ")
    );
    // What these crates say at "info" is said by us, once, in our own words.
    let level = format!("actix_server=warn,sea_orm_migration=warn,sqlx=warn,{}", settings.level);
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

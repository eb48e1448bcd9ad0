//! `lyss-provider token issue`: a token signed with the shared secret, for administrators and for machines.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use lyss_auth::NewToken;
use lyss_domain::{Clock, Role, Secret};

use crate::assemble::{existing_data, token_secret};
use crate::clock::SystemClock;
use crate::config::Config;

#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    /// Prints a token. Whoever holds it may do what its role may, until it expires.
    ///
    /// Example: lyss-provider token issue --subject alice --tenant default --role tenant_admin --hours 12
    Issue(IssueArgs),
}

#[derive(Args)]
pub(crate) struct IssueArgs {
    /// Who it is for, as the audit log will name it.
    #[arg(long)]
    subject: String,
    /// platform_admin, tenant_admin, operator, developer or viewer.
    #[arg(long, value_parser = role)]
    role: Role,
    /// The tenant's slug or id; a platform administrator has none.
    #[arg(long)]
    tenant: Option<String>,
    /// How long it holds.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=24 * 366))]
    hours: u32,
}

fn role(text: &str) -> Result<Role, &'static str> {
    Role::parse(text).ok_or("one of platform_admin, tenant_admin, operator, developer, viewer")
}

pub(crate) fn run(config: &Config, command: &TokenCommand) -> Result<ExitCode> {
    let TokenCommand::Issue(args) = command;
    let data = existing_data(config)?;
    let secret = token_secret(config, &data)?.context(
        "tokens are signed with PROVIDER_SERVICE_JWT_SECRET, which is not set; other issuers sign their own",
    )?;
    let lifetime = Duration::from_hours(u64::from(args.hours));
    println!("{}", issue(config, &secret, &args.subject, args.role, args.tenant.as_deref(), lifetime)?);
    Ok(ExitCode::SUCCESS)
}

/// A token as the settings want it, ready to be shown.
#[expect(clippy::disallowed_methods, reason = "a token is shown to whoever asked for it, once")]
pub(crate) fn issue(
    config: &Config,
    secret: &Secret,
    subject: &str,
    role: Role,
    tenant: Option<&str>,
    lifetime: Duration,
) -> Result<String> {
    let token = NewToken {
        subject,
        role,
        tenant,
        issued_at: SystemClock::new().now(),
        lifetime,
        issuer: config.auth.issuer.as_deref(),
        audience: config.auth.audience.as_deref(),
        id: None,
        key_id: None,
    };
    Ok(String::from_utf8(lyss_auth::issue(secret, &token)?.expose().to_vec())?)
}

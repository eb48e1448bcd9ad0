//! `lyss-provider audit verify`: are the chains of the audit log whole?

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use lyss_domain::TenantId;
use lyss_management::AuditVerdict;
use lyss_repositories::AuditSource as _;

use crate::assemble::{background, existing_data, open_management};
use crate::config::Config;

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Computes every chain anew and names the first entry that was changed, removed or moved. Fails when there is one.
    ///
    /// A chain cut off at its end is whole in itself: keep the heads this prints, and compare. Example: lyss-provider
    /// audit verify --tenant default
    Verify(VerifyArgs),
}

#[derive(Args)]
pub(crate) struct VerifyArgs {
    /// One tenant's chain only, by slug or id; `none` for what concerns no tenant.
    #[arg(long)]
    tenant: Option<String>,
}

pub(crate) fn run(config: &Config, command: &AuditCommand) -> Result<ExitCode> {
    let AuditCommand::Verify(args) = command;
    background()?.block_on(verify(config, args.tenant.as_deref()))
}

async fn verify(config: &Config, tenant: Option<&str>) -> Result<ExitCode> {
    let data = existing_data(config)?;
    let (store, management) = open_management(config, &data).await?;
    let chains = match tenant {
        None => store.tenants_with_entries().await?,
        Some("none") => vec![TenantId::NONE],
        // A tenant that was deleted has left its chain behind, and only its id.
        Some(name) => match name.parse() {
            Ok(id) => vec![id],
            Err(_) => vec![management.tenant_named(name).await.context("--tenant")?.id],
        },
    };
    let mut whole = true;
    for chain in chains {
        let verdict = management.verify_chain(chain, None).await?;
        println!("{}", line(chain, &verdict));
        whole &= verdict.first_bad.is_none();
    }
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(chain: TenantId, verdict: &AuditVerdict) -> String {
    let name = if chain == TenantId::NONE { "none".to_owned() } else { chain.to_string() };
    let head = verdict
        .head
        .as_ref()
        .map_or_else(|| "no entry".to_owned(), |head| format!("head {} {}", head.sequence, head.digest));
    match &verdict.first_bad {
        None => format!("{name}: whole, {} entries, {head}", verdict.entries),
        Some(broken) => format!(
            "{name}: BROKEN at entry {} ({}); {} entries before it hold, {head}",
            broken.sequence,
            broken.what.as_str(),
            verdict.entries
        ),
    }
}

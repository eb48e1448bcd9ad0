//! `lyss-provider seal`: a vendor key sealed for one tenant and one address, to be sent as `encrypted_credentials`.

use std::io::Read;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;
use lyss_domain::Secret;

use crate::assemble::open_vault;
use crate::config::Config;
use crate::data::DataFolder;

#[derive(Args)]
pub(crate) struct SealArgs {
    /// The tenant's slug or id, as it will stand in the token that sends it.
    #[arg(long)]
    tenant: String,
    /// Where the key may be sent: scheme, host and, where it is not the usual one, port.
    #[arg(long)]
    origin: String,
}

pub(crate) fn run(config: &Config, args: &SealArgs) -> Result<ExitCode> {
    let data = DataFolder::open(&config.data.folder)?;
    let vault = open_vault(config, &data)?;
    let origin = lyss_adapters::target::origin_of(&args.origin.parse().context("--origin is not a URL")?)
        .context("--origin")?;
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("the key could not be read from standard input")?;
    let key = text.trim();
    ensure!(!key.is_empty(), "standard input holds no key");
    println!("{}", vault.seal_for_import(&args.tenant, &origin, &Secret::from(key.to_owned()))?);
    Ok(ExitCode::SUCCESS)
}

//! The file that tells programs where the demo listens.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};
use lyss_sandbox::{Sandbox, Vendor};
use serde_json::{Map, json};

use super::stage::Stage;

/// Written whole: under another name first, then renamed.
pub(crate) fn write(
    file: &Path,
    address: SocketAddr,
    stage: &Stage,
    sandbox: Option<&Sandbox>,
) -> Result<()> {
    let vendors: Map<_, _> = Vendor::ALL
        .into_iter()
        .filter_map(|vendor| Some((vendor.slug().to_owned(), sandbox?.api_base(vendor)?.into())))
        .collect();
    let text = json!({
        "url": format!("http://{address}"),
        "key": stage.key,
        "token": stage.token,
        "pid": std::process::id(),
        "sandbox": vendors,
    });
    let draft = file.with_extension("draft");
    std::fs::write(&draft, text.to_string())
        .with_context(|| format!("{} cannot be written", file.display()))?;
    std::fs::rename(&draft, file).with_context(|| format!("{} cannot be written", file.display()))
}

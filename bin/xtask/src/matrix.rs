//! What arrives of every kind of conversation from every caller at every vendor: printed, and written to
//! `docs/dialects.md`. The conversations and the comparing are the adapters' own; they are run from outside.

use std::fs;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;

const PAGE: &str = "docs/dialects.md";
/// What a cell says where something vanished and no loss names it.
const BROKEN: &str = "BROKEN";

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let output = workspace
        .cargo()
        .args(["run", "--quiet", "--locked", "--package", "lyss-adapters", "--example", "matrix"])
        .stderr(Stdio::inherit())
        .output()
        .context("cargo cannot be started")?;
    if !output.status.success() {
        bail!("the matrix cannot be drawn ({})", output.status);
    }
    let page = String::from_utf8(output.stdout).context("the matrix is not UTF-8")?;
    print!("{page}");
    fs::write(workspace.root.join(PAGE), &page).with_context(|| format!("{PAGE} cannot be written"))?;
    eprintln!("xtask: written to {PAGE}");
    match page.matches(BROKEN).count() {
        0 => Ok(()),
        cells => bail!("{cells} cells say {BROKEN}: something is lost there and no loss names it"),
    }
}

//! A tenant that asks for far more than there is, beside one that does not. The measurement is a test that only runs when
//! asked for; here it is built for release, with the service that it starts.

use anyhow::{Context as _, Result, ensure};

use crate::workspace::Workspace;

const BUILD: [&str; 5] = ["build", "--release", "--locked", "--package", "lyss-provider"];
const MEASURE: [&str; 10] = [
    "test",
    "--release",
    "--locked",
    "--quiet",
    "--package",
    "lyss-tests",
    "aggressor",
    "--",
    "--ignored",
    "--nocapture",
];

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    for args in [&BUILD[..], &MEASURE[..]] {
        let status = workspace.cargo().args(args).status().context("cargo cannot be started")?;
        ensure!(status.success(), "cargo {} failed", args.join(" "));
    }
    Ok(())
}

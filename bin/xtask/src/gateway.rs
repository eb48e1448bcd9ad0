//! Starts the service the way a newcomer does, `lyss-provider demo`, and waits until it says where it is.
//!
//! The contract with the binary: `--data DIR` holds all it writes; `--ready-file FILE` is written once it serves, a JSON
//! object `{"url", "key", "pid", "sandbox": {vendor: base URL}}`; it stays up until SIGTERM.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Running, bound_to_us};
use crate::workspace::Workspace;

/// Signs the tokens of the SDK tests; of no use to anybody else.
pub(crate) const TOKEN_SECRET: &str = "xtask-signs-tokens-for-its-own-tests";

const READY_CEILING: Duration = Duration::from_secs(120);

/// Fields go in this order: the process before its folder.
pub(crate) struct Gateway {
    pub(crate) ready: Ready,
    _process: Running,
    _home: TempDir,
}

/// What the service wrote when it was up.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    /// Scheme, address and port, without a trailing slash.
    pub(crate) url: String,
    /// A virtual key that may call every model.
    pub(crate) key: String,
    pub(crate) pid: u32,
    /// Base URL of each simulated vendor by its name; empty where none was started.
    pub(crate) sandbox: BTreeMap<String, String>,
}

impl Ready {
    /// `None` while the file is incomplete.
    fn read(file: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(file).ok()?;
        let text = |name: &str| Some(value.get(name)?.as_str()?.to_owned());
        let vendors = value.get("sandbox").and_then(Value::as_object).into_iter().flatten();
        Some(Self {
            url: text("url")?.trim_end_matches('/').to_owned(),
            key: text("key")?,
            pid: value.get("pid")?.as_u64()?.try_into().ok()?,
            sandbox: vendors
                .filter_map(|(name, url)| Some((name.clone(), url.as_str()?.to_owned())))
                .collect(),
        })
    }
}

/// Starts `program demo ARGS` with a data folder of its own. The one place that knows how the service is started.
pub(crate) fn start_gateway(workspace: &Workspace, program: &Path, args: &[&str]) -> Result<Gateway> {
    let home = tempfile::Builder::new().prefix("lyss-gateway-").tempdir().context("no temporary folder")?;
    let (ready_file, log) = (home.path().join("ready.json"), home.path().join("log"));
    let output = File::create(&log).context("no log file")?;
    let mut command = bound_to_us(program);
    command.current_dir(&workspace.root).env("PROVIDER_SERVICE_JWT_SECRET", TOKEN_SECRET);
    command
        .arg("demo")
        .arg("--data")
        .arg(home.path().join("data"))
        .arg("--ready-file")
        .arg(&ready_file)
        .args(args);
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    let mut process = Running::background("lyss-provider", &mut command)?;

    let ready = workspace.interrupt.poll_for("lyss-provider", READY_CEILING, || {
        if let Some(status) = process.exited()? {
            bail!("lyss-provider ended ({status}):\n{}", fs::read_to_string(&log).unwrap_or_default());
        }
        Ok(fs::read_to_string(&ready_file).ok().and_then(|file| Ready::read(&file)))
    })?;
    Ok(Gateway { ready, _process: process, _home: home })
}

#[cfg(test)]
mod tests;

//! Our gateway between two runs of plain nginx, on one machine in one session: only ratios are worth reading.
//!
//! The harness is a folder with a `run.sh`: `run.sh up` starts the mock upstream and nginx and prints their pids,
//! `run.sh NAME URL PID …` measures one gateway and prints table rows.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::cli::default_harness;
use crate::gateway::start_gateway;
use crate::packages;
use crate::process::{Orphan, Running};
use crate::services::free_port;
use crate::workspace::Workspace;

const UPSTREAM_PORT: u16 = 9100;
const NGINX_PORT: u16 = 9201;
const MODEL: &str = "gpt-4o-mini";

#[derive(Args)]
pub(crate) struct Options {
    /// The folder that holds run.sh, seen from the repository's top folder
    #[arg(long, value_name = "PATH", default_value_os_t = default_harness())]
    harness: PathBuf,
    /// The workloads, separated by commas
    #[arg(long, default_value = "W1,W2,W4")]
    only: String,
    /// More options for run.sh
    #[arg(last = true)]
    extra: Vec<String>,
}

/// `cargo xtask bench`.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let folder = workspace.root.join(&options.harness);
    let script =
        folder.join("run.sh").canonicalize().with_context(|| format!("no run.sh in {}", folder.display()))?;
    packages::find_or_install(workspace, &["nginx-light"], || packages::find("nginx", &[]))?;
    packages::find_or_install(workspace, &["python3"], || packages::find("python3", &[]))?;
    for port in [UPSTREAM_PORT, NGINX_PORT] {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("port {port} is taken: is another benchmark running?"))?;
    }
    let build = ["build", "--locked", "--profile", "dist", "--package", "lyss-provider"];
    workspace.step("cargo build", workspace.cargo().args(build))?;

    let baselines = start_baselines(workspace, &script)?;
    let nginx = baselines.iter().find(|process| process.is("nginx")).context("run.sh up started no nginx")?;
    let upstream = format!("openai=http://127.0.0.1:{UPSTREAM_PORT}/v1");
    let port = free_port()?.to_string();
    let args = ["--no-sandbox", "--port", &port, "--upstream", &upstream, "--models", MODEL];
    let gateway = start_gateway(workspace, &workspace.target().join("dist/lyss-provider"), &args)?;

    let nginx_url = format!("http://127.0.0.1:{NGINX_PORT}");
    let authorization = format!("authorization: Bearer {}", gateway.ready.key);
    let measure = |name: &str, url: &str, pid: &str, more: &[&str]| {
        let mut command = harness(&script);
        command.args([
            name,
            &format!("{url}/v1/chat/completions"),
            pid,
            "--model",
            MODEL,
            "--only",
            &options.only,
        ]);
        workspace.step(name, command.args(more).args(&options.extra))
    };
    measure("nginx before", &nginx_url, &nginx.pid().to_string(), &[])?;
    measure("lyss", &gateway.ready.url, &gateway.ready.pid.to_string(), &["--header", &authorization])?;
    measure("nginx after", &nginx_url, &nginx.pid().to_string(), &[])
}

/// The mock upstream and nginx, which outlive the script that starts them: it prints one "NAME PID" line for each.
fn start_baselines(workspace: &Workspace, script: &Path) -> Result<Vec<Orphan>> {
    // A file rather than a pipe: a pipe the two inherit would not end before they do.
    let said = tempfile::NamedTempFile::new().context("no temporary file")?;
    let mut command = harness(script);
    command.arg("up").stdin(Stdio::null()).stdout(said.reopen()?);
    // Not in xtask's own guard group: what is stopped is what the script says it started.
    let status = Running::background("run.sh up", &mut command)?.wait(&workspace.interrupt)?;
    let said = fs::read_to_string(said.path()).context("what run.sh up said")?;
    let started = said
        .lines()
        .filter_map(parse_pid)
        .map(|(name, pid)| Orphan::new(name, pid))
        .collect::<Result<_>>()?;
    if !status.success() {
        bail!("run.sh up failed ({status})");
    }
    Ok(started)
}

fn parse_pid(line: &str) -> Option<(&str, i32)> {
    let (name, pid) = line.split_once(' ')?;
    Some((name, pid.trim().parse().ok()?))
}

fn harness(script: &Path) -> Command {
    let mut command = Command::new("bash");
    command.arg(script);
    command
}

#[cfg(test)]
mod tests;

//! The vendors' own client packages against the running service: tests/sdk, with Python's and Node's packages each in a
//! folder of their own under the target folder.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::gateway::{Gateway, TOKEN_SECRET, start_gateway};
use crate::test::{Totals, counted};
use crate::workspace::Workspace;

mod node;
mod python;

/// What a developer's shell may say to the packages, and must not here.
const STRANGE: [&str; 12] = [
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_ORG_ID",
    "OPENAI_PROJECT_ID",
    "OPENAI_API_VERSION",
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_ENDPOINT",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
];

/// `cargo xtask sdk`.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<u8> {
    workspace
        .step("cargo build", workspace.cargo().args(["build", "--locked", "--package", "lyss-provider"]))?;
    let (green, _) = test(workspace, &workspace.output.join("lyss-provider"), args)?;
    Ok(u8::from(!green))
}

/// Runs tests/sdk against the demo of `provider`. `args` go to pytest; where there are any, Node's tests are left out,
/// as they would not understand them.
pub(crate) fn test(workspace: &Workspace, provider: &Path, args: &[String]) -> Result<(bool, Totals)> {
    let python = python::environment(workspace)?;
    let node = if args.is_empty() { Some(node::environment(workspace)?) } else { None };
    // Each on a service of its own: what one leaves behind, channels that lead nowhere among it, is no matter of the other.
    let begun = || start_gateway(workspace, provider, &["--port", "0"]);

    let mut command = workspace.command(python);
    command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/sdk"]).args(args);
    // No files beside the sources.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    let (mut green, mut totals) = counted(workspace, "SDK tests, Python", told(&mut command, &begun()?))?;

    if let Some(mut command) = node {
        let (node_green, node_totals) = counted(workspace, "SDK tests, Node", told(&mut command, &begun()?))?;
        green &= node_green;
        totals.add(node_totals);
    }
    Ok((green, totals))
}

/// Where the service and the vendors are. Loopback only, whatever proxy or key the developer's shell has set.
fn told<'c>(command: &'c mut Command, gateway: &Gateway) -> &'c mut Command {
    command.env("LYSS_URL", &gateway.ready.url).env("LYSS_KEY", &gateway.ready.key);
    command.env("LYSS_JWT_SECRET", TOKEN_SECRET);
    for (vendor, url) in &gateway.ready.sandbox {
        command.env(format!("LYSS_SANDBOX_{}", vendor.to_uppercase()), url);
    }
    for name in STRANGE {
        command.env_remove(name);
    }
    command.env("NO_PROXY", "*")
}

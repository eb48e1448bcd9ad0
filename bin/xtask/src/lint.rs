//! The checks a change must pass before anyone reads it.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;

/// Second TLS and crypto stacks: each would double what has to be patched, and needs a C toolchain to build.
const FORBIDDEN: [&str; 5] = ["aws-lc-rs", "aws-lc-sys", "native-tls", "openssl", "openssl-sys"];

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let lock = fs::read_to_string(workspace.root.join("Cargo.lock")).context("Cargo.lock")?;
    let found = forbidden_packages(&lock);
    if !found.is_empty() {
        bail!(
            "Cargo.lock holds {}: `cargo tree -i PACKAGE --target all` names who asked for it",
            found.join(", ")
        );
    }
    workspace.step("cargo fmt", workspace.cargo().args(["fmt", "--all", "--check"]))?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    workspace.step("cargo clippy", workspace.cargo().args(clippy))
}

fn forbidden_packages(lock: &str) -> Vec<&str> {
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    names.filter(|name| FORBIDDEN.contains(name)).collect()
}

#[cfg(test)]
mod tests;

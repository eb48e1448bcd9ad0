//! Node with the packages of tests/sdk/node/package-lock.json.
//!
//! Node looks for packages beside the file that imports them, so the tests are copied to where the packages are, and not
//! the packages to where the tests are.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::packages;
use crate::workspace::Workspace;

/// What the packages need.
const OLDEST: &str = "process.exit(process.versions.node.split('.')[0] >= 18 ? 0 : 1)";
const MANIFESTS: [&str; 2] = ["package.json", "package-lock.json"];

/// Node's test runner in a folder with the packages and the tests, to be run.
pub(super) fn environment(workspace: &Workspace) -> Result<Command> {
    let node = packages::find_or_install(workspace, &["nodejs", "npm"], || {
        packages::find("npm", &[])?;
        let node = packages::find("node", &[])?;
        let probe = workspace.command(&node).args(["-e", OLDEST]).output().ok()?;
        probe.status.success().then_some(node)
    })
    .context("the SDK tests need Node 18 or newer, with npm")?;

    let (sources, folder) = (workspace.root.join("tests/sdk/node"), workspace.target().join("sdk-node"));
    fs::create_dir_all(&folder).context("no folder for Node's packages")?;
    install(workspace, &sources, &folder)?;
    let mut command = workspace.command(node);
    command.current_dir(&folder).args(["--test", "--test-reporter=spec"]);
    command.args(copy_tests(&sources, &folder)?);
    Ok(command)
}

/// Exactly what the lock names, installed anew when that changes.
fn install(workspace: &Workspace, sources: &Path, folder: &Path) -> Result<()> {
    let stamp = folder.join("installed.json");
    let mut wanted = String::new();
    for name in MANIFESTS {
        let text =
            fs::read_to_string(sources.join(name)).with_context(|| format!("tests/sdk/node/{name}"))?;
        fs::write(folder.join(name), &text).context("cannot copy Node's manifests")?;
        wanted.push_str(&text);
    }
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let npm = packages::find("npm", &[]).context("npm is gone")?;
    let mut command = workspace.command(npm);
    command.current_dir(folder).args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]);
    workspace
        .step("npm ci", &mut command)
        .context("the packages of tests/sdk/node come from the npm registry: is there a network?")?;
    fs::write(&stamp, wanted).context("cannot note what is installed")
}

/// The tests' names in `folder`; a test that is gone from the sources is gone there too.
fn copy_tests(sources: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    for old in modules(folder)? {
        fs::remove_file(&old).with_context(|| format!("cannot remove {}", old.display()))?;
    }
    let mut tests = Vec::new();
    for module in modules(sources)? {
        let name = module.file_name().unwrap_or_default();
        fs::copy(&module, folder.join(name)).with_context(|| format!("cannot copy {}", module.display()))?;
        if name.to_string_lossy().ends_with(".test.mjs") {
            tests.push(PathBuf::from(name));
        }
    }
    tests.sort();
    Ok(tests)
}

fn modules(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(files.filter(|file| file.extension() == Some(OsStr::new("mjs"))).collect())
}

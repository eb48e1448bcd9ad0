//! The vendors' own client packages against the running service: tests/sdk, in a virtual environment of its own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::gateway::{TOKEN_SECRET, start_gateway};
use crate::packages;
use crate::test::{Totals, counted};
use crate::workspace::Workspace;

/// `cargo xtask sdk`.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<u8> {
    workspace
        .step("cargo build", workspace.cargo().args(["build", "--locked", "--package", "lyss-provider"]))?;
    let (green, _) = test(workspace, &workspace.output.join("lyss-provider"), args)?;
    Ok(u8::from(!green))
}

/// Runs tests/sdk against the demo of `provider`; `args` go to pytest.
pub(crate) fn test(workspace: &Workspace, provider: &Path, args: &[String]) -> Result<(bool, Totals)> {
    let python = environment(workspace)?;
    let gateway = start_gateway(workspace, provider, &["--port", "0"])?;
    let mut command = workspace.command(python);
    command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/sdk"]).args(args);
    command.env("LYSS_URL", &gateway.ready.url).env("LYSS_KEY", &gateway.ready.key);
    command.env("LYSS_JWT_SECRET", TOKEN_SECRET);
    for (vendor, url) in &gateway.ready.sandbox {
        command.env(format!("LYSS_SANDBOX_{}", vendor.to_uppercase()), url);
    }
    // Loopback only, whatever proxy or key the developer's shell has set; and no files beside the sources.
    command.env("NO_PROXY", "*").env("PYTHONDONTWRITEBYTECODE", "1");
    for name in ["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"] {
        command.env_remove(name);
    }
    counted(workspace, "SDK tests", &mut command)
}

/// The Python of a virtual environment that holds exactly tests/sdk/requirements.txt, made anew when that changes.
fn environment(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target().join("sdk-venv");
    let (python, stamp) = (folder.join("bin/python"), folder.join("requirements.txt"));
    let wanted_file = workspace.root.join("tests/sdk/requirements.txt");
    let wanted = fs::read_to_string(&wanted_file).context("tests/sdk/requirements.txt")?;
    if python.exists() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }

    // On Debian `venv` is only whole with the package that carries `ensurepip`.
    let base = packages::find_or_install(workspace, &["python3", "python3-venv"], || {
        let python = packages::find("python3", &[])?;
        let probe = workspace.command(&python).args(["-c", "import venv, ensurepip"]).output().ok()?;
        probe.status.success().then_some(python)
    })?;
    let mut venv = workspace.command(base);
    workspace.step("python3 -m venv", venv.args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut pip = workspace.command(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&wanted_file);
    workspace.step("pip install", &mut pip)?;
    fs::write(&stamp, wanted).context("cannot note what is installed")?;
    Ok(python)
}

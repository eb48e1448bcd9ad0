//! Python with the packages of tests/sdk/requirements.txt.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::packages;
use crate::workspace::Workspace;

/// The Python of a virtual environment that holds exactly what is asked for, made anew when that changes.
pub(super) fn environment(workspace: &Workspace) -> Result<PathBuf> {
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
    workspace
        .step("pip install", &mut pip)
        .context("the packages of tests/sdk/requirements.txt come from PyPI: is there a network?")?;
    fs::write(&stamp, wanted).context("cannot note what is installed")?;
    Ok(python)
}

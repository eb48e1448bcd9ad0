//! Finding a program on this machine, or installing the Debian package that brings it.

use std::fs;
use std::io::stderr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, io};

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;

/// Debian's maintainer scripts ask this file before they start a service; 101 means "you may not".
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Folders of administrators' programs that a user's PATH may lack.
const SYSTEM_FOLDERS: [&str; 4] = ["/usr/local/bin", "/usr/bin", "/usr/local/sbin", "/usr/sbin"];

/// While it lives, freshly installed packages start no service.
struct NoServices {
    written: bool,
}

impl NoServices {
    fn promise() -> io::Result<Self> {
        if Path::new(POLICY).exists() {
            return Ok(Self { written: false });
        }
        fs::write(POLICY, "#!/bin/sh\nexit 101\n")?;
        let guard = Self { written: true };
        fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755))?;
        Ok(guard)
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.written {
            let _ = fs::remove_file(POLICY);
        }
    }
}

/// The first folder that holds `program`: those given, then PATH, then the system's.
pub(crate) fn find(program: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let all = folders.iter().cloned().chain(env::split_paths(&path)).chain(SYSTEM_FOLDERS.map(PathBuf::from));
    all.map(|folder| folder.join(program)).find(|file| is_program(file))
}

/// `search()`, or after installing `packages` `search()` again.
pub(crate) fn find_or_install<T>(
    workspace: &Workspace,
    packages: &[&str],
    search: impl Fn() -> Option<T>,
) -> Result<T> {
    if let Some(found) = search() {
        return Ok(found);
    }
    install(workspace, packages)?;
    search().with_context(|| {
        format!("installed {}, but its programs are not to be found", packages.join(" and "))
    })
}

/// Installs Debian packages. Only root can; anyone else is told what to type.
pub(crate) fn install(workspace: &Workspace, packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if find("apt-get", &[]).is_none() {
        bail!(
            "{names}: not installed, and this machine has no apt-get; install it and see that it is on PATH"
        );
    }
    if !rustix::process::geteuid().is_root() {
        bail!("{names}: not installed; as root: apt-get install -y --no-install-recommends {names}");
    }
    eprintln!("xtask: installing {names}");
    let _quiet = NoServices::promise().with_context(|| format!("cannot write {POLICY}"))?;
    update(workspace)?;
    let mut command = apt_get();
    command.args(["install", "-y", "-qq", "--no-install-recommends"]).args(packages);
    workspace.step(&format!("apt-get install {names}"), &mut command)
}

/// Names of the packages on offer that match a regular expression.
pub(crate) fn offered(workspace: &Workspace, pattern: &str) -> Vec<String> {
    let search = || {
        let output = Command::new("apt-cache").args(["search", "--names-only", pattern]).output();
        let names =
            output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        names.lines().filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect::<Vec<_>>()
    };
    let known = search();
    // A fresh machine or a container knows no package before its first update.
    if known.is_empty() && rustix::process::geteuid().is_root() && update(workspace).is_ok() {
        return search();
    }
    known
}

/// Reads the package lists. Someone's third-party list may be out of order: only an installation decides.
fn update(workspace: &Workspace) -> Result<()> {
    workspace.status("apt-get update", apt_get().args(["update", "-qq"])).map(drop)
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.args(["-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0"]);
    // Our own output may be evaluated by a shell: apt's belongs beside it.
    command.env("DEBIAN_FRONTEND", "noninteractive").stdout(stderr());
    command
}

fn is_program(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests;

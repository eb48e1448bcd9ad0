//! Which lines the Rust tests reach: instrumented by rustc, merged and read by LLVM's own tools.
//!
//! Those tools must understand the profile format of the LLVM inside rustc. Rather than comparing version numbers, each
//! candidate is tried on a tiny program: the toolchain's own (rustup's `llvm-tools`), the installed ones, and then
//! Debian's packages, newest first.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::packages;
use crate::services::Services;
use crate::test::counted;
use crate::workspace::Workspace;

/// Cargo runs it instead of rustc, for our own crates only: nobody asks how much of a dependency is reached.
const WRAPPER: &str = "#!/bin/sh\nexec \"$@\" -C instrument-coverage\n";

/// Left out of the figures: tests reach themselves.
const NOT_COUNTED: &str = r"/tests\.rs$|/tests/|/lyss-testkit/|/bin/xtask/|/\.cargo/|/rustc/|/rustlib/";

/// A folder with `llvm-profdata` and `llvm-cov`.
struct Tools(PathBuf);

/// Lines with code, and those of them that ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Lines {
    all: u64,
    reached: u64,
}

impl Tools {
    fn merge(&self, profiles: &Path, into: &Path) -> Command {
        let mut command = Command::new(self.0.join("llvm-profdata"));
        // A process that was killed leaves half a profile; the others still count.
        command.args(["merge", "-sparse", "-failure-mode=all"]).arg(profiles).arg("-o").arg(into);
        command
    }

    fn export(&self, programs: &[PathBuf], profile: &Path) -> Command {
        let mut command = Command::new(self.0.join("llvm-cov"));
        command.args(["export", "-summary-only", "-format=text"]);
        command.arg(format!("-ignore-filename-regex={NOT_COUNTED}")).arg("-instr-profile").arg(profile);
        for program in programs {
            command.arg("-object").arg(program);
        }
        command
    }

    /// Whether they can read what this rustc writes.
    fn fit(&self, probe: &Path) -> bool {
        let quiet = |mut command: Command| {
            command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
        };
        let merged = probe.join("probe.profdata");
        quiet(self.merge(&probe.join("probe.profraw"), &merged))
            && quiet(self.export(&[probe.join("probe")], &merged))
    }
}

impl Lines {
    fn percent(self) -> String {
        match (self.reached * 1000).checked_div(self.all) {
            Some(permille) => format!("{}.{} %", permille / 10, permille % 10),
            None => "-".to_owned(),
        }
    }
}

/// `cargo xtask coverage`, of the whole workspace when no package is named.
pub(crate) fn run(workspace: &Workspace, packages: &[String]) -> Result<()> {
    let folder = workspace.target().join("coverage");
    let (profiles, merged, wrapper) =
        (folder.join("profiles"), folder.join("all.profdata"), folder.join("rustc"));
    // Of an earlier run, whose programs may have been others.
    let _ = fs::remove_dir_all(&profiles);
    fs::create_dir_all(&profiles).context("no folder for the profiles")?;
    fs::write(&wrapper, WRAPPER).context("cannot write the rustc wrapper")?;
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755))?;
    let tools = find_tools(workspace)?;

    let services = Services::start(workspace)?;
    let cargo = |args: &[&str]| {
        let mut cargo = workspace.cargo();
        cargo.args(args).env("CARGO_TARGET_DIR", &folder).env("RUSTC_WORKSPACE_WRAPPER", &wrapper);
        for package in packages {
            cargo.args(["--package", package]);
        }
        if packages.is_empty() {
            cargo.arg("--workspace");
        }
        cargo
    };
    let programs = built_programs(workspace, cargo(&["build", "--bins", "--tests", "--locked"]))?;
    let mut tests = cargo(&["test", "--tests", "--locked", "--no-fail-fast"]);
    tests.envs(services.environment()).env("LYSS_PROVIDER_BIN", folder.join("debug/lyss-provider"));
    tests.env("LLVM_PROFILE_FILE", profiles.join("%p-%m.profraw"));
    let (green, _) = counted(workspace, "cargo test", &mut tests)?;
    drop(services);

    workspace.step("llvm-profdata", &mut tools.merge(&profiles, &merged))?;
    let report = captured(&mut tools.export(&programs, &merged))?;
    let files = files(&serde_json::from_str(&report).context("llvm-cov's report")?, &workspace.root);
    let crates = per_crate(&files);
    fs::write(folder.join("summary.txt"), format!("{}\n{}", table(&crates), table(&files)))?;
    print!("{}", table(&crates));
    if !green {
        bail!("some tests failed: the figures show what ran");
    }
    Ok(())
}

/// Builds everything and returns the programs, as cargo names them.
fn built_programs(workspace: &Workspace, mut build: Command) -> Result<Vec<PathBuf>> {
    let said = tempfile::NamedTempFile::new().context("no temporary file")?;
    build.arg("--message-format=json-render-diagnostics").stdout(said.reopen()?);
    workspace.step("cargo build", &mut build)?;
    let said = fs::read_to_string(said.path()).context("what cargo built")?;
    let messages = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    Ok(messages.filter_map(|message| Some(message.get("executable")?.as_str()?.into())).collect())
}

fn find_tools(workspace: &Workspace) -> Result<Tools> {
    let rustc = captured(workspace.command("rustc").arg("-vV"))?;
    let sysroot = captured(workspace.command("rustc").args(["--print", "sysroot"]))?;
    let of_rustc = |field: &str| {
        rustc.lines().find_map(|line| line.strip_prefix(field)).unwrap_or("?").trim().to_owned()
    };
    let (host, version) = (of_rustc("host:"), of_rustc("LLVM version:"));

    let probe = write_probe(workspace)?;
    let own = Path::new(sysroot.trim()).join("lib/rustlib").join(host).join("bin");
    let installed = installed_versions().into_iter().map(debian_folder);
    if let Some(tools) = [own].into_iter().chain(installed).map(Tools).find(|tools| tools.fit(probe.path())) {
        return Ok(tools);
    }
    for number in versions(packages::offered(workspace, "^llvm-[0-9]+$").iter().map(String::as_str)) {
        let tools = Tools(debian_folder(number));
        let is_new = !tools.0.exists() && packages::install(workspace, &[&format!("llvm-{number}")]).is_ok();
        if is_new && tools.fit(probe.path()) {
            return Ok(tools);
        }
    }
    let major = version.split('.').next().unwrap_or("?");
    bail!(
        "no llvm-profdata here reads the profiles of this rustc, whose LLVM is {version}: \
         `rustup component add llvm-tools`, or install Debian's llvm-{major} or newer"
    )
}

/// A tiny instrumented program and the profile it wrote.
fn write_probe(workspace: &Workspace) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir().context("no temporary folder")?;
    fs::write(folder.path().join("probe.rs"), "fn main() {}\n")?;
    let mut rustc = workspace.command("rustc");
    rustc.current_dir(folder.path()).args(["-C", "instrument-coverage", "probe.rs"]);
    captured(&mut rustc)?;
    let mut probe = Command::new(folder.path().join("probe"));
    captured(probe.env("LLVM_PROFILE_FILE", folder.path().join("probe.profraw")))?;
    Ok(folder)
}

fn installed_versions() -> Vec<u32> {
    let entries = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let names: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    versions(names.iter().map(String::as_str))
}

/// The numbers of `llvm-NN` among names, newest first.
fn versions<'a>(names: impl Iterator<Item = &'a str>) -> Vec<u32> {
    let mut found: Vec<u32> = names.filter_map(|name| name.strip_prefix("llvm-")?.parse().ok()).collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found
}

fn debian_folder(version: u32) -> PathBuf {
    PathBuf::from(format!("/usr/lib/llvm-{version}/bin"))
}

/// What a command that must succeed wrote.
fn captured(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} failed ({}):\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    String::from_utf8(output.stdout).context("output is not UTF-8")
}

/// The figures of each of our files in llvm-cov's report, by path from the top folder.
fn files(report: &Value, root: &Path) -> BTreeMap<String, Lines> {
    let files = report.pointer("/data/0/files").and_then(Value::as_array).into_iter().flatten();
    files
        .filter_map(|file| {
            let path =
                Path::new(file.get("filename")?.as_str()?).strip_prefix(root).ok()?.to_str()?.to_owned();
            let figure = |name: &str| file.pointer(&format!("/summary/lines/{name}"))?.as_u64();
            Some((path, Lines { all: figure("count")?, reached: figure("covered")? }))
        })
        .collect()
}

fn per_crate(files: &BTreeMap<String, Lines>) -> BTreeMap<String, Lines> {
    let mut crates = BTreeMap::<_, Lines>::new();
    for (path, lines) in files {
        let room = path.split_once("/src/").map_or(path.as_str(), |(room, _)| room);
        for name in [room, "total"] {
            let sum = crates.entry(name.to_owned()).or_default();
            sum.all += lines.all;
            sum.reached += lines.reached;
        }
    }
    crates
}

fn table(rows: &BTreeMap<String, Lines>) -> String {
    let width = rows.keys().map(String::len).max().unwrap_or_default();
    let mut text = String::new();
    for (name, lines) in rows {
        let _ = writeln!(
            text,
            "{name:width$}  {:>8}  {:>6} of {:>6} lines",
            lines.percent(),
            lines.reached,
            lines.all
        );
    }
    text
}

#[cfg(test)]
mod tests;

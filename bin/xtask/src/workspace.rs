//! Where we are: the repository, its build output, and whether someone asked us to stop.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use std::{env, process};

use anyhow::{Context as _, Result, bail};

use crate::process::{Interrupt, Running};

pub(crate) struct Workspace {
    /// The repository's top folder.
    pub(crate) root: PathBuf,
    /// The build output of the profile xtask itself was built with; test binaries land here too.
    pub(crate) output: PathBuf,
    pub(crate) interrupt: Interrupt,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self> {
        let root =
            Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("xtask left its repository")?;
        let own = env::current_exe().context("where am I?")?;
        let output = own.parent().context("xtask has no folder")?;
        Ok(Self { root: root.to_owned(), output: output.to_owned(), interrupt: Interrupt::listen()? })
    }

    /// The folder all build output lies in.
    pub(crate) fn target(&self) -> &Path {
        self.output.parent().unwrap_or(&self.output)
    }

    /// A command in the repository's top folder.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// Cargo as a user would call it: without what `cargo run` told xtask about xtask, since build scripts that watch
    /// those variables would run anew on each change between the two.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = self.command("cargo");
        for (name, _) in env::vars_os() {
            let told = name.to_str().is_some_and(|name| {
                name.starts_with("CARGO_PKG_")
                    || name.starts_with("CARGO_MANIFEST_")
                    || name.starts_with("CARGO_BIN_")
            });
            if told {
                command.env_remove(name);
            }
        }
        command.env_remove("CARGO").env_remove("CARGO_CRATE_NAME").env_remove("CARGO_PRIMARY_PACKAGE");
        command
    }

    /// Runs one step to its end, says how long it took, and fails unless it succeeded.
    pub(crate) fn step(&self, name: &str, command: &mut Command) -> Result<()> {
        let status = self.status(name, command)?;
        if !status.success() {
            bail!("{name} failed ({status})");
        }
        Ok(())
    }

    /// Like `step`, leaving the verdict to the caller.
    pub(crate) fn status(&self, name: &str, command: &mut Command) -> Result<process::ExitStatus> {
        self.interrupt.check()?;
        let start = Instant::now();
        let status = Running::start(name, command)?.wait(&self.interrupt)?;
        eprintln!("xtask: {name} took {:.1} s", start.elapsed().as_secs_f64());
        Ok(status)
    }
}

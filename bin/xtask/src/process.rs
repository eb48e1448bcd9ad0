//! Child processes: each in its own group behind a guard that stops what was started and nothing else.

use std::error::Error;
use std::ffi::OsStr;
use std::fmt;
use std::io::{IsTerminal as _, stdin};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::packages;

/// How long a process may take to stop before it is killed.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a running child is looked at.
const TICK: Duration = Duration::from_millis(20);

/// Remembers the last signal that asked xtask to stop, so that it can stop its children first.
pub(crate) struct Interrupt(Arc<AtomicUsize>);

/// The error of work that was cut short by a signal.
#[derive(Debug)]
struct Stopped(usize);

/// A child that is stopped when this guard goes.
pub(crate) struct Running {
    name: String,
    child: Child,
    /// Whether it leads a process group of its own.
    leads_group: bool,
    stop_signal: Signal,
}

impl Interrupt {
    pub(crate) fn listen() -> Result<Self> {
        let flag = Arc::new(AtomicUsize::new(0));
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            signal_hook::flag::register_usize(signal, Arc::clone(&flag), signal.unsigned_abs() as usize)
                .context("no signal handler")?;
        }
        Ok(Self(flag))
    }

    pub(crate) fn check(&self) -> Result<()> {
        match self.0.load(Ordering::Relaxed) {
            0 => Ok(()),
            signal => Err(Stopped(signal).into()),
        }
    }

    /// Waits until `done` answers something.
    pub(crate) fn poll<T>(&self, mut done: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        loop {
            self.check()?;
            if let Some(value) = done()? {
                return Ok(value);
            }
            sleep(TICK);
        }
    }

    /// Like `poll`, giving up after a ceiling that only a broken machine reaches.
    pub(crate) fn poll_for<T>(
        &self,
        what: &str,
        ceiling: Duration,
        mut done: impl FnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        let start = Instant::now();
        self.poll(|| match done()? {
            None if start.elapsed() > ceiling => bail!("{what} is not ready after {} s", ceiling.as_secs()),
            other => Ok(other),
        })
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stopped by signal {}", self.0)
    }
}

impl Error for Stopped {}

impl Running {
    /// Starts a child in its own group: a Ctrl-C in the terminal reaches xtask alone, which then stops the group.
    pub(crate) fn background(name: &str, command: &mut Command) -> Result<Self> {
        command.process_group(0);
        Self::spawn(name, command, true)
    }

    /// Starts a child the user looks at. On a terminal it stays in the foreground group, or it could not read from it.
    pub(crate) fn start(name: &str, command: &mut Command) -> Result<Self> {
        if stdin().is_terminal() {
            Self::spawn(name, command, false)
        } else {
            Self::background(name, command)
        }
    }

    fn spawn(name: &str, command: &mut Command, leads_group: bool) -> Result<Self> {
        let child = command.spawn().with_context(|| format!("{name}: cannot start {command:?}"))?;
        Ok(Self { name: name.to_owned(), child, leads_group, stop_signal: Signal::TERM })
    }

    pub(crate) fn stopped_with(mut self, signal: Signal) -> Self {
        self.stop_signal = signal;
        self
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub(crate) fn exited(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("{}: lost sight of it", self.name))
    }

    /// Waits for the child's end; when xtask is told to stop first, the child is stopped.
    pub(crate) fn wait(mut self, interrupt: &Interrupt) -> Result<ExitStatus> {
        interrupt.poll(|| self.exited())
    }

    fn signal(&self, signal: Signal) {
        let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) else { return };
        // It may have ended by itself meanwhile, which is as good.
        let _ = if self.leads_group { kill_process_group(pid, signal) } else { kill_process(pid, signal) };
    }

    fn ended_within(&mut self, ceiling: Duration) -> bool {
        let start = Instant::now();
        loop {
            // Not ours to wait for (an error) counts as ended: its number must not be signalled again.
            if !matches!(self.child.try_wait(), Ok(None)) {
                return true;
            }
            if start.elapsed() > ceiling {
                return false;
            }
            sleep(TICK);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // What an ended child left running (a script that starts servers) is not ours to stop.
        if self.ended_within(Duration::ZERO) {
            return;
        }
        self.signal(self.stop_signal);
        if !self.ended_within(PATIENCE) {
            eprintln!("xtask: {} does not stop, killing it", self.name);
            self.signal(Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// A process started for us by a script, so that it is not our child: stopped by its number.
pub(crate) struct Orphan {
    name: String,
    pid: Pid,
}

impl Orphan {
    pub(crate) fn new(name: &str, pid: i32) -> Result<Self> {
        let pid = Pid::from_raw(pid).with_context(|| format!("{name}: {pid} is no process"))?;
        Ok(Self { name: name.to_owned(), pid })
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }
}

impl Drop for Orphan {
    fn drop(&mut self) {
        let start = Instant::now();
        let _ = kill_process(self.pid, Signal::TERM);
        while test_kill_process(self.pid).is_ok() {
            if start.elapsed() > PATIENCE {
                eprintln!("xtask: {} does not stop, killing it", self.name);
                let _ = kill_process(self.pid, Signal::KILL);
                return;
            }
            sleep(TICK);
        }
    }
}

/// A command that the kernel ends when xtask is gone, even by SIGKILL, where util-linux's `setpriv` can ask for that.
/// It replaces itself by the program, so that the pid stays the program's.
pub(crate) fn bound_to_us(program: impl AsRef<OsStr>) -> Command {
    let Some(setpriv) = packages::find("setpriv", &[]) else { return Command::new(program) };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "TERM", "--"]).arg(program);
    command
}

/// What xtask should exit with after a failure.
pub(crate) fn failure_code(error: &anyhow::Error) -> u8 {
    let stopped = error.downcast_ref::<Stopped>().and_then(|stopped| u8::try_from(128 + stopped.0).ok());
    stopped.unwrap_or(1)
}

/// What xtask should exit with after a child: its code, or the shell's 128 + signal.
pub(crate) fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests;

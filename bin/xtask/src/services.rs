//! A private PostgreSQL and Redis: free loopback ports, one temporary folder, nothing left behind.
//!
//! Three ways out, all of which take the two down: the guards (normal end, error, interrupt), and, for when xtask
//! itself is killed, a janitor: a shell that waits for the pipe from xtask to close and then stops by pid file
//! whatever is still there.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Signal, geteuid};
use tempfile::TempDir;

use crate::packages;
use crate::process::{Interrupt, Running, bound_to_us, exit_code};
use crate::workspace::Workspace;

const READY_CEILING: Duration = Duration::from_secs(60);
/// A port found free may be taken by someone else before the server binds it.
const PORT_ATTEMPTS: usize = 3;

const JANITOR: &str = r#"
cat >/dev/null
for pid_file in "$1/postgres/postmaster.pid" "$1/redis.pid"; do
    pid=$(head -n 1 "$pid_file" 2>/dev/null) || continue
    kill -QUIT "$pid"; sleep 0.2; kill -TERM "$pid"
    for _ in $(seq 50); do kill -0 "$pid" || break; sleep 0.1; done
done 2>/dev/null
rm -rf "$1"
"#;

/// Fields go in this order: servers first, then their folder, then the janitor, who finds nothing left to do.
pub(crate) struct Services {
    postgres: Server,
    redis: Server,
    _home: TempDir,
    _janitor: Running,
}

struct Server {
    port: u16,
    _process: Running,
}

/// Where a server lives and as whom it runs.
struct Place<'a> {
    home: &'a Path,
    /// PostgreSQL refuses to run as root: user and group to run as instead.
    account: Option<(u32, u32)>,
    interrupt: &'a Interrupt,
}

impl Services {
    pub(crate) fn start(workspace: &Workspace) -> Result<Self> {
        let postgres_bin = packages::find_or_install(workspace, &["postgresql"], postgres_folder)?;
        let redis_bin =
            packages::find_or_install(workspace, &["redis-server"], || packages::find("redis-server", &[]))?;
        let start = Instant::now();
        let home =
            tempfile::Builder::new().prefix("lyss-services-").tempdir().context("no temporary folder")?;
        let janitor = start_janitor(home.path())?;
        let place = Place { home: home.path(), account: account()?, interrupt: &workspace.interrupt };
        if let Some((user, group)) = place.account {
            chown(home.path(), Some(user), Some(group)).context("cannot give the temporary folder away")?;
        }
        place.init_postgres(&postgres_bin)?;
        let postgres = on_free_port(|port| place.start_postgres(&postgres_bin, port))?;
        let redis = on_free_port(|port| place.start_redis(&redis_bin, port))?;
        eprintln!("xtask: PostgreSQL and Redis are up after {:.1} s", start.elapsed().as_secs_f64());
        Ok(Self { postgres, redis, _home: home, _janitor: janitor })
    }

    /// What tests read to find the two.
    pub(crate) fn environment(&self) -> [(&'static str, String); 2] {
        [
            (
                "LYSS_TEST_POSTGRES_URL",
                format!("postgres://postgres@127.0.0.1:{}/postgres", self.postgres.port),
            ),
            ("LYSS_TEST_REDIS_URL", format!("redis://127.0.0.1:{}/", self.redis.port)),
        ]
    }
}

impl Place<'_> {
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.home).env("LC_ALL", "C").stdin(Stdio::null());
        if let Some((user, group)) = self.account {
            command.uid(user).gid(group);
        }
        command
    }

    fn init_postgres(&self, bin: &Path) -> Result<()> {
        let mut initdb = self.command(&bin.join("initdb"));
        initdb.args(["--no-sync", "--no-instructions", "--auth=trust", "--username=postgres"]);
        initdb.args(["--locale=C", "--encoding=UTF8", "--pgdata"]).arg(self.home.join("postgres"));
        let status =
            Running::background("initdb", initdb.stdout(self.log("initdb")?).stderr(self.log("initdb")?))?
                .wait(self.interrupt)?;
        if !status.success() {
            bail!("initdb failed ({status}):\n{}", self.read_log("initdb"));
        }
        Ok(())
    }

    fn start_postgres(&self, bin: &Path, port: u16) -> Result<Running> {
        let data = self.home.join("postgres");
        let mut postgres = self.command(&bin.join("postgres"));
        postgres.arg("-D").arg(&data).args(["-p", &port.to_string()]).arg("-k").arg(self.home);
        // The data is thrown away: nothing is worth waiting for a disk.
        for setting in [
            "listen_addresses=127.0.0.1",
            "max_connections=200",
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "timezone=UTC",
            "log_timezone=UTC",
        ] {
            postgres.args(["-c", setting]);
        }
        // QUIT is PostgreSQL's immediate shutdown: clients still connected are not waited for.
        let process = self.start("postgres", &mut postgres)?.stopped_with(Signal::QUIT);
        // Line 8 of the pid file is the server's own word on its state, the one `pg_ctl` waits for.
        self.until_ready("postgres", process, || {
            fs::read_to_string(data.join("postmaster.pid"))
                .is_ok_and(|file| file.lines().nth(7).is_some_and(|state| state.trim() == "ready"))
        })
    }

    fn start_redis(&self, program: &Path, port: u16) -> Result<Running> {
        let mut redis = self.command(program);
        redis.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--daemonize", "no"]);
        redis.args(["--save", "", "--appendonly", "no"]);
        redis.arg("--dir").arg(self.home).arg("--pidfile").arg(self.home.join("redis.pid"));
        let process = self.start("redis", &mut redis)?;
        self.until_ready("redis", process, || redis_answers(port))
    }

    fn start(&self, name: &str, command: &mut Command) -> Result<Running> {
        Running::background(name, command.stdout(self.log(name)?).stderr(self.log(name)?))
    }

    fn until_ready(&self, name: &str, mut process: Running, ready: impl Fn() -> bool) -> Result<Running> {
        self.interrupt.poll_for(name, READY_CEILING, || {
            if let Some(status) = process.exited()? {
                bail!("{name} ended ({status}):\n{}", self.read_log(name));
            }
            Ok(ready().then_some(()))
        })?;
        Ok(process)
    }

    fn log(&self, name: &str) -> Result<fs::File> {
        let path = self.log_path(name);
        fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .with_context(|| path.display().to_string())
    }

    fn read_log(&self, name: &str) -> String {
        fs::read_to_string(self.log_path(name)).unwrap_or_default()
    }

    fn log_path(&self, name: &str) -> PathBuf {
        self.home.join(format!("{name}.log"))
    }
}

/// `cargo xtask services`.
pub(crate) fn run(workspace: &Workspace, command: &[String]) -> Result<u8> {
    let services = Services::start(workspace)?;
    if let Some((program, args)) = command.split_first() {
        // As the user typed it: in the folder it was typed in.
        let mut child = bound_to_us(program);
        child.args(args).envs(services.environment());
        return Ok(exit_code(Running::start(program, &mut child)?.wait(&workspace.interrupt)?));
    }
    for (name, url) in services.environment() {
        println!("export {name}={url}");
    }
    eprintln!("xtask: they stay until you press Ctrl-C");
    let Err(_interrupted) = workspace.interrupt.poll::<()>(|| Ok(None)) else { return Ok(1) };
    Ok(0)
}

/// The folder with `initdb` and `postgres`: the one on PATH, else the newest in Debian's layout.
fn postgres_folder() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = folders
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_unstable();
    let newest = versions.pop().map(|(_, bin)| bin);
    let initdb = packages::find("initdb", newest.as_slice())?;
    let bin = initdb.canonicalize().ok()?.parent()?.to_owned();
    bin.join("postgres").is_file().then_some(bin)
}

/// Who runs the servers when we are root: `postgres` where the package made that account, else `nobody`.
fn account() -> Result<Option<(u32, u32)>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd").context("/etc/passwd")?;
    let find = |name| accounts.lines().find_map(|line| parse_account(line, name));
    let account = find("postgres").or_else(|| find("nobody"));
    Ok(Some(account.context("PostgreSQL refuses root, and there is no account to run it as")?))
}

/// User and group numbers of one line of passwd(5), if it is about `name`.
fn parse_account(line: &str, name: &str) -> Option<(u32, u32)> {
    let mut fields = line.split(':');
    (fields.next()? == name).then_some(())?;
    Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn start_janitor(home: &Path) -> Result<Running> {
    let mut shell = Command::new("sh");
    shell.args(["-c", JANITOR, "janitor"]).arg(home);
    // The kernel closes our end of the pipe however we end. It must not hold our own output open meanwhile.
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    Running::background("janitor", &mut shell)
}

fn on_free_port(start: impl Fn(u16) -> Result<Running>) -> Result<Server> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let port = free_port()?;
        match start(port) {
            Ok(process) => return Ok(Server { port, _process: process }),
            Err(error) if attempts == PORT_ATTEMPTS || !is_port_taken(&error) => return Err(error),
            Err(_) => {}
        }
    }
}

/// Both servers quote the system's own message in their logs.
fn is_port_taken(error: &anyhow::Error) -> bool {
    error.to_string().contains("Address already in use")
}

/// A loopback port nobody listens on at the moment.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free loopback port")?;
    Ok(listener.local_addr()?.port())
}

fn redis_answers(port: u16) -> bool {
    let ping = || -> std::io::Result<[u8; 5]> {
        let wait = Duration::from_secs(2);
        let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), wait)?;
        stream.set_read_timeout(Some(wait))?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer)?;
        Ok(answer)
    };
    ping().is_ok_and(|answer| &answer == b"+PONG")
}

#[cfg(test)]
mod tests;

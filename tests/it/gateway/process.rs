//! The built binary, run as a user would.

use std::ffi::OsStr;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use lyss_domain::AttemptRecord;
use lyss_repositories::AttemptStore;
use lyss_repositories_sql::{Settings, SqlStore, connect};
use lyss_sandbox::{Sandbox, SandboxConfig, Vendor};
use tempfile::TempDir;

use super::office::WallClock;
use super::{Office, draft, wire};

/// A running service; killed when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    /// The demo's virtual key; empty for `serve`.
    pub(crate) key: String,
    log: PathBuf,
}

/// How the service is started.
pub(crate) struct Start {
    data: PathBuf,
    variables: Vec<(String, String)>,
}

/// `serve` on the embedded database, onto simulated vendors that this test can look into.
pub(crate) struct Served {
    pub(crate) process: Process,
    pub(crate) office: Office,
    pub(crate) sandbox: Sandbox,
    /// The text of a key that may do everything.
    pub(crate) key: String,
    pub(crate) start: Start,
    pub(crate) data: TempDir,
}

/// The service's binary: named by the test command, or beside this test's own.
pub(crate) fn binary() -> PathBuf {
    if let Some(path) = variable("LYSS_PROVIDER_BIN") {
        return path.into();
    }
    let own = std::env::current_exe().unwrap();
    let found = own.parent().and_then(Path::parent).unwrap().join("lyss-provider");
    assert!(found.is_file(), "build the service first: cargo build, or cargo xtask test");
    found
}

#[expect(clippy::disallowed_methods, reason = "the test command names its services in the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Start {
    /// On a data folder, with nothing from this process's environment. Vendors are asked by the test alone: no probes.
    pub(crate) fn on(data: &Path) -> Self {
        Self { data: data.to_owned(), variables: Vec::new() }
            .with("PROVIDER_SERVICE_HEALTH__PROBE_INTERVAL_S", "0")
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs a command to its end.
    pub(crate) async fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Output {
        let mut command = self.command();
        command.args(args).stdin(Stdio::null());
        let ended = tokio::task::spawn_blocking(move || command.output());
        tokio::time::timeout(Duration::from_secs(60), ended).await.expect("it ends").unwrap().unwrap()
    }

    /// Runs a command with something on its standard input.
    pub(crate) async fn run_on(&self, args: &[&str], input: &'static str) -> Output {
        let mut command = self.command();
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let ended = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn()?;
            child.stdin.take().unwrap().write_all(input.as_bytes())?;
            child.wait_with_output()
        });
        tokio::time::timeout(Duration::from_secs(60), ended).await.expect("it ends").unwrap().unwrap()
    }

    /// `serve` on a free port.
    pub(crate) async fn serve(&self) -> Process {
        let log = self.log();
        let child = self.spawn(&["serve", "--port", "0", "--workers", "2"], &log);
        let mut process = Process { child, address: nowhere(), key: String::new(), log };
        process.address = process.told(address_in).await;
        process
    }

    /// `demo` on a free port; it stays up.
    pub(crate) async fn demo(&self, more: &[&str]) -> Process {
        let ready = self.data.join("ready.json");
        if ready.exists() {
            std::fs::remove_file(&ready).unwrap();
        }
        let (data, file) = (self.data.to_str().unwrap(), ready.to_str().unwrap());
        let mut args = vec!["demo", "--port", "0", "--data", data, "--ready-file", file];
        args.extend(more);
        let log = self.log();
        let child = self.spawn(&args, &log);
        let mut process = Process { child, address: nowhere(), key: String::new(), log };
        let told = process.told(|_| std::fs::read(&ready).ok()).await;
        let told: serde_json::Value = serde_json::from_slice(&told).unwrap();
        process.address = told["url"].as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap();
        process.key = told["key"].as_str().unwrap().to_owned();
        process
    }

    fn command(&self) -> Command {
        let mut command = Command::new(binary());
        command.env_clear().env("PROVIDER_SERVICE_DATA__FOLDER", &self.data);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    fn log(&self) -> PathBuf {
        std::fs::create_dir_all(&self.data).unwrap();
        let free = (0..).map(|n| self.data.join(format!("log.{n}"))).find(|path| !path.exists());
        free.unwrap()
    }

    fn spawn(&self, args: &[&str], log: &Path) -> Child {
        let log = std::fs::File::create(log).unwrap();
        let mut command = self.command();
        command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        command.spawn().expect("the service starts")
    }
}

impl Process {
    /// A streamed or whole chat call with the given key.
    pub(crate) async fn chat(&self, key: &str, body: &str) -> wire::Reply {
        wire::post(self.address, "/v1/chat/completions", key, body).await
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, without waiting.
    pub(crate) fn terminate(&self) {
        let sent = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the process to end by itself; its exit code.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        for _ in 0..3_000 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the service does not end:\n{}", self.log());
    }

    /// Waits until the service tells something in its log.
    pub(crate) async fn told<T>(&mut self, find: impl Fn(&str) -> Option<T>) -> T {
        for _ in 0..3_000 {
            if let Some(found) = find(&self.log()) {
                return found;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the service ended ({status}):\n{}", self.log());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the service does not tell:\n{}", self.log());
    }
}

impl Served {
    /// With one channel a vendor, each named after it and serving its models (for Azure, `azure`).
    pub(crate) async fn open(variables: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let sandbox = lyss_sandbox::start(SandboxConfig { record: true, ..SandboxConfig::default() });
        let sandbox = sandbox.await.unwrap();
        let store = embedded(data.path()).await;
        lyss_migrations::up(store.connection()).await.unwrap();
        let office = Office::open(store, Arc::new(WallClock::new()), None).await;
        for vendor in Vendor::ALL {
            let mut draft = draft(vendor.slug(), vendor.slug(), &sandbox.api_base(vendor).unwrap());
            draft.supported_models = match vendor {
                Vendor::AzureOpenAi => vec!["azure*".to_owned()],
                _ => vendor.models().iter().map(|model| format!("{model}*")).collect(),
            };
            office.channel(draft).await;
        }
        let key = office.key("caller").await.1;
        let start = variables
            .iter()
            .fold(Start::on(data.path()), |start, (name, value)| start.with(name, value))
            .with("PROVIDER_SERVICE_ENCRYPTION_KEY", &office.master_key)
            .with("PROVIDER_SERVICE_EGRESS_ALLOW", "127.0.0.1");
        let process = start.serve().await;
        Self { process, office, sandbox, key, start, data }
    }

    pub(crate) async fn chat(&self, body: &str) -> wire::Reply {
        self.process.chat(&self.key, body).await
    }

    /// The same start once more, after the process has ended.
    pub(crate) async fn restart(&mut self) {
        self.process = self.start.serve().await;
    }

    /// The records of all calls so far, once there are this many.
    pub(crate) async fn records(&self, count: usize) -> Vec<AttemptRecord> {
        records(&self.office, count).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The records of the office's tenant, newest first, once there are this many.
pub(crate) async fn records(office: &Office, count: usize) -> Vec<AttemptRecord> {
    for _ in 0..2_000 {
        let records = office.store.recent(&office.scope, 1_000).await.unwrap();
        if records.len() >= count {
            return records;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("there are never {count} records");
}

/// A store of the test on the embedded database of a data folder.
pub(crate) async fn embedded(data: &Path) -> SqlStore {
    std::fs::create_dir_all(data).unwrap();
    let url = format!("sqlite://{}", data.join("lyss.db").display());
    connect(&Settings { url, max_connections: 4, statement_timeout_ms: 10_000 }).await.unwrap()
}

fn nowhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn address_in(log: &str) -> Option<SocketAddr> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    lines.filter(|line| line["message"] == "serving").find_map(|line| line["address"].as_str()?.parse().ok())
}

//! `lyss-provider demo`: the whole service on the embedded default, simulated vendors beside it, one streamed answer
//! through each channel over its own HTTP port, and a table of what was recorded.

mod client;
mod print;
mod ready;
mod show;
mod stage;
mod system;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use lyss_domain::Role;
use lyss_http::Readiness;
use lyss_sandbox::{Sandbox, SandboxConfig, Vendor};
use lyss_upstream::{AllowedNetwork, EgressPolicy};

use crate::assemble::{Service, background, token_secret};
use crate::config::{Config, vendors};
use crate::data::DataFolder;
use crate::first::TENANT;
use crate::{serve, token};
use stage::{Stage, Upstream};

/// Between two events of a simulated vendor, so that text is seen arriving.
const SANDBOX_GAP: Duration = Duration::from_millis(20);

#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Exit after the table instead of staying up; non-zero if any answer failed.
    #[arg(long)]
    once: bool,
    /// Port to listen on; 0 takes a free one [default: server.port]
    #[arg(long)]
    port: Option<u16>,
    /// Start no simulated vendors.
    #[arg(long)]
    no_sandbox: bool,
    /// Stop this simulated vendor before it is called, to see a failure: openai, azure_openai, deepseek,
    /// anthropic or google.
    #[arg(long, value_name = "VENDOR")]
    stop_vendor: Option<String>,
    /// A further upstream as KIND=URL (KIND: openai, anthropic, deepseek, azure_openai or openai_compatible), called with
    /// the key "unused". It gets two channels, so that there is something to balance. An IP address in URL is allowed out;
    /// a name must be allowed by egress.allow.
    #[arg(long, value_name = "KIND=URL")]
    upstream: Vec<Upstream>,
    /// The models of --upstream, separated by commas.
    #[arg(long, value_delimiter = ',', default_value = "gpt-4o-mini")]
    models: Vec<String>,
    /// For programs: show nothing, write {"url", "key", "token", "pid", "sandbox"} to this file once ready, and stay up.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

pub(crate) fn run(mut config: Config, args: &DemoArgs) -> Result<ExitCode> {
    config.server.port = args.port.unwrap_or(config.server.port);
    config.server.drain_seconds = config.server.drain_seconds.min(5);
    let stopped = args.stop_vendor.as_deref().map(vendor_named).transpose()?;
    let runtime = background()?;
    let data = DataFolder::open(&config.data.folder)?;
    let listener = serve::listen(&config.server.host, config.server.port)?;
    let address = listener.local_addr()?;

    let mut sandbox = runtime.block_on(start_sandbox(args))?;
    let egress = egress(&config, sandbox.as_ref(), &args.upstream)?;
    let service = runtime.block_on(Service::build(&config, &data, egress))?;
    let mut stage =
        runtime.block_on(Stage::set(&service, sandbox.as_ref(), args, vendors::real_vendors()))?;
    let lifetime = Duration::from_hours(24);
    let issue = |secret| token::issue(&config, &secret, "demo", Role::TenantAdmin, Some(TENANT), lifetime);
    stage.token = token_secret(&config, &data)?.map(issue).transpose()?;
    if let (Some(sandbox), Some(vendor)) = (&mut sandbox, stopped) {
        runtime.block_on(sandbox.stop_vendor(vendor));
    }

    let code = actix_web::rt::System::new().block_on(async {
        let readiness = Arc::new(Readiness::default());
        let server = serve::start(&config, &service, listener, Arc::clone(&readiness))?;
        let handle = server.handle();
        let server = actix_web::rt::spawn(server);
        let code = act(&runtime, &service, &stage, sandbox.as_ref(), args, address).await;
        serve::drain(&handle, &readiness).await;
        server.await.context("the server's task ended")?.context("the server ended")?;
        code
    })?;
    runtime.block_on(service.close());
    if let Some(sandbox) = sandbox {
        runtime.block_on(sandbox.stop());
    }
    Ok(code)
}

/// What happens while the server is up.
async fn act(
    runtime: &tokio::runtime::Runtime,
    service: &Service,
    stage: &Stage,
    sandbox: Option<&Sandbox>,
    args: &DemoArgs,
    address: SocketAddr,
) -> Result<ExitCode> {
    if let Some(file) = &args.ready_file {
        ready::write(file, address, stage, sandbox)?;
        serve::stop_signal().await?;
        return Ok(ExitCode::SUCCESS);
    }
    let show = show::Show::new(service, stage, address)?;
    let rows = runtime.spawn(show.play()).await.context("the demo's calls ended early")??;
    print::table(&rows);
    let failed = print::verdict(&rows);
    if args.once {
        return Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS });
    }
    print::snippets(address, stage);
    serve::stop_signal().await?;
    Ok(ExitCode::SUCCESS)
}

async fn start_sandbox(args: &DemoArgs) -> Result<Option<Sandbox>> {
    if args.no_sandbox {
        return Ok(None);
    }
    let gap_ms = if args.ready_file.is_some() { 0 } else { SANDBOX_GAP.as_millis() };
    let gap_ms = u64::try_from(gap_ms).unwrap_or(0);
    let config = SandboxConfig { gap_ms, ..SandboxConfig::default() };
    lyss_sandbox::start(config).await.map(Some).context("the simulated vendors cannot start")
}

/// The operator's allowlist, and exactly the addresses this demo itself started or was told of.
fn egress(config: &Config, sandbox: Option<&Sandbox>, upstreams: &[Upstream]) -> Result<EgressPolicy> {
    let mut policy = config.egress.policy()?;
    if let Some(sandbox) = sandbox {
        let addresses = Vendor::ALL.into_iter().filter_map(|vendor| sandbox.addr(vendor));
        policy.allow.extend(addresses.map(AllowedNetwork::exactly));
    }
    policy
        .allow
        .extend(upstreams.iter().filter_map(|upstream| upstream.address).map(AllowedNetwork::exactly));
    Ok(policy)
}

fn vendor_named(slug: &str) -> Result<Vendor> {
    let found = Vendor::ALL.into_iter().find(|vendor| vendor.slug() == slug);
    found.with_context(|| {
        let names: Vec<_> = Vendor::ALL.iter().map(|vendor| vendor.slug()).collect();
        format!("--stop-vendor takes one of {}", names.join(", "))
    })
}

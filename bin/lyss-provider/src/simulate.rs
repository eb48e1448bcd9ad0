//! `lyss-provider simulate`: what would each algorithm have done with the calls that were recorded?

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use lyss_balancing::{ChannelHealth, Health};
use lyss_domain::{ChannelId, TenantId};
use lyss_insight::{Insight, KeptReports, Live, Period, Serving};
use lyss_proxy::RouteTable;

use crate::assemble::{background, existing_data, open_management};
use crate::config::Config;

#[derive(Args)]
pub(crate) struct SimulateArgs {
    /// Whose calls, by slug or id.
    #[arg(long)]
    tenant: String,
    /// How far back.
    #[arg(long, value_enum, default_value = "day")]
    period: PeriodArg,
    /// Writes the same as a page that any browser shows.
    #[arg(long, value_name = "PATH")]
    html: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum PeriodArg {
    Day,
    Week,
}

/// Channels as they are configured; nobody is served here.
struct Configured(RouteTable);

impl Live for Configured {
    fn health(&self, _: ChannelId) -> Option<Arc<ChannelHealth>> {
        None
    }

    fn serving(&self, tenant: TenantId, model: &str) -> Serving {
        let routes = self.0.tenant(tenant);
        routes.map(|routes| lyss_proxy::models::serving(routes, model)).unwrap_or_default()
    }
}

pub(crate) fn run(config: &Config, args: &SimulateArgs) -> Result<ExitCode> {
    background()?.block_on(simulate(config, args))
}

async fn simulate(config: &Config, args: &SimulateArgs) -> Result<ExitCode> {
    let data = existing_data(config)?;
    let (store, management) = open_management(config, &data).await?;
    let tenant = management.tenant_named(&args.tenant).await.context("--tenant")?;
    let (health, now) = (Health::default(), management.clock.tick());
    let table = RouteTable::build(management.catalog.load(), &management.vault, &health, now);
    let insight = Insight {
        attempts: Arc::new(store.clone()),
        health: Arc::new(store),
        catalog: Arc::clone(&management.catalog),
        live: Arc::new(Configured(table)),
        clock: Arc::clone(&management.clock),
        kept: KeptReports::default(),
    };
    let period = match args.period {
        PeriodArg::Day => Period::Day,
        PeriodArg::Week => Period::Week,
    };
    let report = insight.balancing_report_of(tenant.id, period).await?;
    let report = report.context("the tenant is gone")?;
    if let Some(lack) = report.lack() {
        let further = if period == Period::Day { "; --period week looks further back" } else { "" };
        bail!("{}: {}{further}", tenant.slug, lack.trim_end_matches('.'));
    }
    let document = report.document();
    print!("{}", document.plain());
    if let Some(path) = &args.html {
        std::fs::write(path, document.html())
            .with_context(|| format!("{} cannot be written", path.display()))?;
        println!("\nwritten to {}", path.display());
    }
    Ok(ExitCode::SUCCESS)
}

//! `lyss-provider migrate …`

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Subcommand;
use lyss_repositories_sql::connect;

use crate::assemble::{background, database_settings};
use crate::config::Config;
use crate::data::DataFolder;

#[derive(Subcommand)]
pub(crate) enum MigrateCommand {
    /// Applies every missing step. Several replicas may do it at once. Example: lyss-provider migrate up
    Up,
    /// Takes back the last steps, and their data with them. Example: lyss-provider migrate down --steps 1 --yes
    Down {
        /// How many steps.
        #[arg(long, default_value_t = 1)]
        steps: u32,
        /// Yes, the data of these steps may go.
        #[arg(long)]
        yes: bool,
    },
    /// Lists the steps and which are applied. Example: lyss-provider migrate status
    Status,
    /// Drops everything and starts anew. Example: lyss-provider migrate fresh --yes
    Fresh {
        /// Yes, all data may go.
        #[arg(long)]
        yes: bool,
    },
}

pub(crate) fn run(config: &Config, command: &MigrateCommand) -> Result<ExitCode> {
    background()?.block_on(migrate(config, command))
}

async fn migrate(config: &Config, command: &MigrateCommand) -> Result<ExitCode> {
    let data = DataFolder::open(&config.data.folder)?;
    let mut settings = database_settings(config, &data);
    if let Some(owner) = &config.database.migrate_url {
        settings.url.clone_from(owner);
    }
    // A step may take longer than any call may.
    settings.statement_timeout_ms = settings.statement_timeout_ms.max(600_000);
    let store = connect(&settings).await.context("the database")?;
    let db = store.connection();
    match command {
        MigrateCommand::Up => report("applied", &lyss_migrations::up(db).await?),
        MigrateCommand::Down { steps, yes } => {
            ensure!(*yes, "this drops data; say --yes if you mean it");
            report("taken back", &lyss_migrations::down(db, *steps).await?);
        }
        MigrateCommand::Status => {
            for step in lyss_migrations::status(db).await? {
                println!("{} {}", if step.applied { "applied" } else { "missing" }, step.name);
            }
        }
        MigrateCommand::Fresh { yes } => {
            ensure!(*yes, "this drops all data; say --yes if you mean it");
            lyss_migrations::fresh(db).await?;
            println!("the schema is new and empty");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn report(what: &str, steps: &[String]) {
    if steps.is_empty() {
        println!("nothing to do");
    }
    for step in steps {
        println!("{what} {step}");
    }
}

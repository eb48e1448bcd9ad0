//! Builds the service from its settings: the order in which parts come to be, and who is given what.

mod daily;
mod health;
mod live;
mod quotas;
mod sharing;
mod upkeep;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use lyss_auth::{Issuer, Tokens};
use lyss_balancing::Balancers;
use lyss_catalog::{CatalogHandle, Loader, LoaderSettings};
use lyss_domain::{Clock, KeyDigest, Secret};
use lyss_http::{Dependency, Doorkeeper, TokenCheck, UseCases};
use lyss_insight::Insight;
use lyss_ledger::{Ledger, LedgerSettings};
use lyss_management::{Guards, Management};
use lyss_migrations::SchemaState;
use lyss_proxy::draw::Draws;
use lyss_proxy::{Gauges, Meters, Parts, Proxy};
use lyss_quota::MemoryRateStore;
use lyss_repositories::{AttemptStore, CatalogSource, ChangeFeed, PurposeKey, Store};
use lyss_repositories_sql::{Settings, SqlStore, connect};
use lyss_upstream::{Upstream, UpstreamSettings};
use lyss_vault::{MasterKeys, Purpose, PurposeSecret, Vault, Wrapped, generate_master_key, mac, random};
use prometheus_client::registry::Registry;
use tokio::runtime::{Handle, Runtime};
use tokio::task::JoinHandle;
use tracing::warn;

use health::HealthTasks;

use crate::clock::SystemClock;
use crate::config::Config;
use crate::data::DataFolder;
use crate::dependencies::{DatabaseHealth, LedgerHealth};

/// The embedded default's secrets, as files of the data folder.
const MASTER_KEY: &str = "master-key";
const TOKEN_SECRET: &str = "jwt-secret";

/// How long the last records are waited for.
const CLOSE_PATIENCE: Duration = Duration::from_secs(30);

/// Everything that lives as long as the process.
pub(crate) struct Service {
    pub(crate) store: SqlStore,
    pub(crate) proxy: Arc<Proxy>,
    pub(crate) management: Arc<Management>,
    pub(crate) insight: Arc<Insight>,
    pub(crate) use_cases: UseCases,
    pub(crate) doorkeeper: Doorkeeper,
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) dependencies: Arc<Vec<Arc<dyn Dependency>>>,
    pub(crate) ledger: Ledger,
    ledger_task: JoinHandle<()>,
    loader_task: JoinHandle<()>,
    quotas_task: JoinHandle<()>,
    upkeep_task: JoinHandle<()>,
    daily_task: JoinHandle<()>,
    sharing_task: Option<JoinHandle<()>>,
    health: HealthTasks,
}

/// The runtime that carries settlement, database work and loaders, so that a worker's end never drops money.
pub(crate) fn background() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("lyss-background")
        .enable_all()
        .build()
        .context("the background runtime cannot start")
}

/// True when no database is named: SQLite in the data folder, which migrates by itself.
pub(crate) fn is_embedded(config: &Config) -> bool {
    config.database.url.is_none()
}

pub(crate) fn database_settings(config: &Config, data: &DataFolder) -> Settings {
    Settings {
        url: config.database.url.clone().unwrap_or_else(|| data.database_url()),
        max_connections: config.database.max_connections,
        statement_timeout_ms: config.database.statement_timeout_ms,
    }
}

/// Opens a database whose schema fits this binary. `migrate`: bring it up first.
pub(crate) async fn open_store(settings: &Settings, migrate: bool) -> Result<SqlStore> {
    let store = connect(settings).await.context("the database")?;
    if migrate {
        lyss_migrations::up(store.connection()).await.context("the embedded database")?;
    }
    match lyss_migrations::state(store.connection()).await? {
        SchemaState::Current => Ok(store),
        SchemaState::Empty => bail!("the database is empty: run `lyss-provider migrate up`"),
        SchemaState::Behind { missing } => {
            bail!("the schema is behind by {} steps: run `lyss-provider migrate up`", missing.len())
        }
        SchemaState::Ahead { unknown } => bail!(
            "the schema is ahead of this release (unknown: {}): run the release that made it",
            unknown.join(", ")
        ),
    }
}

/// The vault on the master keys that are set; on the embedded database, on the one kept in the data folder.
pub(crate) fn open_vault(config: &Config, data: &DataFolder) -> Result<Vault> {
    let setting = match &config.security.encryption_key {
        Some(keys) => keys.as_str().to_owned(),
        None if is_embedded(config) => data.kept_secret(MASTER_KEY)?.context(
            "there is no master key in the data folder; the first `serve` or `demo` makes it beside a new database",
        )?,
        None => bail!(
            "PROVIDER_SERVICE_ENCRYPTION_KEY is not set; `lyss-provider keys generate` prints a key to set it to"
        ),
    };
    let keys =
        MasterKeys::parse(&setting).context("security.encryption_key (PROVIDER_SERVICE_ENCRYPTION_KEY)")?;
    Ok(Vault::new(keys))
}

/// What signs our own tokens; with the embedded database one is made in the data folder. `None`: only other issuers'
/// tokens are believed.
pub(crate) fn token_secret(config: &Config, data: &DataFolder) -> Result<Option<Secret>> {
    let secret = match &config.security.jwt_secret {
        Some(secret) => secret.as_str().to_owned(),
        None if is_embedded(config) => data.secret(TOKEN_SECRET, || Ok(generate_master_key()?))?,
        None => return Ok(None),
    };
    Ok(Some(Secret::from(secret)))
}

/// Whose tokens are believed. Nobody's is no way to start: there would be no way in.
fn open_tokens(config: &Config, data: &DataFolder) -> Result<Tokens> {
    Tokens::new(issuers(config, token_secret(config, data)?)?).context("auth")
}

fn issuers(config: &Config, secret: Option<Secret>) -> Result<Vec<Issuer>> {
    let issuers = config.auth.issuers(secret)?;
    if issuers.is_empty() {
        bail!(
            "PROVIDER_SERVICE_JWT_SECRET is not set and auth.issuers is empty: nobody could sign in. Set it to at least 32 \
             random bytes, such as `openssl rand -hex 32` prints"
        );
    }
    Ok(issuers)
}

/// How many issuers are believed; the reason where a start would stop over them. Makes nothing.
pub(crate) fn signs_in(config: &Config, data: &DataFolder) -> Result<usize> {
    let kept = if is_embedded(config) { data.kept_secret(TOKEN_SECRET)? } else { None };
    let set = config.security.jwt_secret.as_ref().map(|secret| secret.as_str().to_owned()).or(kept);
    // The embedded default makes one at its first start.
    let to_come =
        (set.is_none() && is_embedded(config)).then(|| "x".repeat(lyss_auth::token::SHORTEST_SECRET));
    let issuers = issuers(config, set.or(to_come).map(Secret::from))?;
    let count = issuers.len();
    Tokens::new(issuers).context("auth")?;
    Ok(count)
}

/// Makes the embedded default's master key, once, and never beside a database that was sealed under another.
fn make_master_key(config: &Config, data: &DataFolder) -> Result<()> {
    if is_embedded(config) && config.security.encryption_key.is_none() && !data.has_database() {
        data.secret(MASTER_KEY, || Ok(generate_master_key()?))?;
    }
    Ok(())
}

/// True when the purpose keys that are stored open under this vault: the check that a start fails without.
pub(crate) async fn keys_open(store: &SqlStore, vault: &Vault) -> Result<bool> {
    let stored = store.read().await?.purpose_keys().list().await?;
    Ok(stored.into_iter().all(|key| {
        let wrapped = Wrapped { master_key_id: key.master_key_id, bytes: key.wrapped };
        Purpose::parse(&key.purpose)
            .is_some_and(|purpose| vault.unwrap_purpose_key(purpose, &wrapped).is_ok())
    }))
}

/// Master keys, token keys and the database, in the order in which a start that stops leaves nothing behind.
async fn open_database(config: &Config, data: &DataFolder) -> Result<(Arc<Vault>, Arc<Tokens>, SqlStore)> {
    make_master_key(config, data)?;
    let vault = Arc::new(open_vault(config, data)?);
    // Before the database is written to: a start that stops over this must leave no key of its own in it.
    let tokens = Arc::new(open_tokens(config, data)?);
    if is_embedded(config) {
        data.keep_database_private()?;
    }
    let store = open_store(&database_settings(config, data), is_embedded(config)).await?;
    Ok((vault, tokens, store))
}

/// For commands that go to work on what a service has made: with the embedded database, its folder must be there.
pub(crate) fn existing_data(config: &Config) -> Result<DataFolder> {
    if is_embedded(config) && !config.data.folder.join("lyss.db").exists() {
        bail!(
            "there is no database in {}: name the service's data folder with --data, or its database in \
             PROVIDER_SERVICE_DATABASE_URL",
            config.data.folder.display()
        );
    }
    DataFolder::open(&config.data.folder)
}

/// The use-cases alone, for commands beside a running service: nothing here is locked or served.
pub(crate) async fn open_management(config: &Config, data: &DataFolder) -> Result<(SqlStore, Management)> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let vault = Arc::new(open_vault(config, data)?);
    let store = open_store(&database_settings(config, data), false).await?;
    let loader = start_loader(&store).await?;
    let catalog = loader.handle();
    let management = management(&store, vault, catalog, clock).await?;
    Ok((store, management))
}

async fn start_loader(store: &SqlStore) -> Result<Loader> {
    let source: Arc<dyn CatalogSource> = Arc::new(store.clone());
    let feed: Arc<dyn ChangeFeed> = Arc::new(store.clone());
    Loader::start(source, feed, LoaderSettings::default()).await.context("the configuration")
}

async fn management(
    store: &SqlStore,
    vault: Arc<Vault>,
    catalog: Arc<CatalogHandle>,
    clock: Arc<dyn Clock>,
) -> Result<Management> {
    let key_digests = Arc::new(purpose_key(store, &vault, Purpose::VirtualKey, &*clock).await?);
    let audit_chain = Arc::new(purpose_key(store, &vault, Purpose::AuditChain, &*clock).await?);
    Ok(Management {
        store: Arc::new(store.clone()),
        vault,
        key_digests,
        audit_chain,
        catalog,
        clock,
        guards: Guards::default(),
    })
}

impl Service {
    /// Must be called within the background runtime.
    pub(crate) async fn build(
        config: &Config,
        data: &DataFolder,
        egress: lyss_upstream::EgressPolicy,
    ) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let (vault, tokens, store) = open_database(config, data).await?;
        let loader = start_loader(&store).await?;
        let catalog = loader.handle();
        let management =
            management(&store, Arc::clone(&vault), Arc::clone(&catalog), Arc::clone(&clock)).await?;

        let attempts: Arc<dyn AttemptStore> = Arc::new(store.clone());
        let mut registry = Registry::default();
        let meters = Meters::register(&mut registry);
        let (ledger, ledger_task) = open_ledger(data, Arc::clone(&attempts), meters.clone()).await?;

        let (quotas, loader) = quotas::open(loader, &attempts, &ledger, &clock).await?;
        let loader_task = tokio::spawn(loader.run());
        let quotas_task = tokio::spawn(quotas::keep(Arc::clone(&quotas), Arc::clone(&clock)));
        let parts = Parts {
            vault,
            quotas: Arc::clone(&quotas),
            rates: Arc::new(MemoryRateStore::new()),
            balancers: Balancers::new(u64::from_be_bytes(random()?)),
            health: Arc::default(),
            ledger: ledger.clone(),
            clock: Arc::clone(&clock),
            draws: Draws::seeded(u64::from_be_bytes(random()?)),
            meters,
            settings: config.proxy.settings()?,
        };
        let sharing_task = sharing::begin(&config.redis, Arc::clone(&parts.health), Arc::clone(&clock))?;
        let proxy = Arc::new(Proxy::new(parts, &catalog));
        registry.register_collector(Box::new(Gauges(Arc::clone(&proxy))));
        let insight = live::insight(&store, catalog, &proxy, &clock);
        let daily_task = tokio::spawn(daily::report(Arc::clone(&insight)));
        let management = Arc::new(management);
        let upstream = Arc::new(Upstream::new(&UpstreamSettings { egress, ..UpstreamSettings::default() })?);
        let upkeep_task = tokio::spawn(upkeep::keep(
            Arc::clone(&tokens),
            Arc::clone(&management),
            Arc::clone(&upstream),
            clock,
        ));
        let probes = config.health.probes()?;
        let health = HealthTasks::begin(probes, &proxy, &store, &management, &ledger, &upstream).await?;
        let use_cases = UseCases::new(Arc::clone(&management), Handle::current());
        let check = TokenCheck { tokens, transport: upstream.clone(), runtime: Handle::current() };
        Ok(Self {
            dependencies: Arc::new(dependencies(config, &store, &ledger)),
            store,
            proxy,
            doorkeeper: doorkeeper(&management).with_tokens(check).telling(use_cases.clone()),
            management,
            insight,
            use_cases,
            upstream,
            registry: Arc::new(registry),
            ledger,
            ledger_task,
            loader_task,
            quotas_task,
            upkeep_task,
            daily_task,
            sharing_task,
            health,
        })
    }

    /// After the last call: everything recorded reaches the store, or stays in the journal for the next start.
    pub(crate) async fn close(self) {
        self.loader_task.abort();
        self.quotas_task.abort();
        self.upkeep_task.abort();
        self.daily_task.abort();
        if let Some(task) = &self.sharing_task {
            task.abort();
        }
        self.health.close().await;
        self.ledger.shutdown();
        if tokio::time::timeout(CLOSE_PATIENCE, self.ledger_task).await.is_err() {
            warn!("the database is away: the last usage records stay in the journal for the next start");
        }
        if let Err(error) = self.store.close().await {
            warn!(%error, "the database did not close well");
        }
    }
}

/// What `/health` looks at.
fn dependencies(config: &Config, store: &SqlStore, ledger: &Ledger) -> Vec<Arc<dyn Dependency>> {
    let store: Arc<dyn Store> = Arc::new(store.clone());
    let kind = if is_embedded(config) { "SQLite" } else { "the configured database" };
    vec![DatabaseHealth::watch(store, kind), Arc::new(LedgerHealth(ledger.clone()))]
}

/// Knows virtual keys by their digests.
fn doorkeeper(management: &Management) -> Doorkeeper {
    let digests = Arc::clone(&management.key_digests);
    Doorkeeper::new(Arc::new(move |key| KeyDigest(mac(&digests, &[key]))))
}

/// The ledger at work, whose journal counts what it writes.
async fn open_ledger(
    data: &DataFolder,
    attempts: Arc<dyn AttemptStore>,
    meters: Meters,
) -> Result<(Ledger, JoinHandle<()>)> {
    let settings = LedgerSettings::in_folder(data.path());
    let observe = Arc::new(move |record: &_| meters.recorded(record));
    let opened = lyss_ledger::open_observed(settings, attempts, observe).await;
    let (ledger, task) = opened.with_context(|| {
        format!("the usage ledger in {} (is another lyss-provider running on it?)", data.path().display())
    })?;
    Ok((ledger, tokio::spawn(task.run())))
}

/// The stored key of a purpose; made and stored the first time, by whichever instance is first.
async fn purpose_key(
    store: &SqlStore,
    vault: &Vault,
    purpose: Purpose,
    clock: &dyn Clock,
) -> Result<PurposeSecret> {
    let (_, wrapped) = vault.new_purpose_key(purpose)?;
    let fresh = PurposeKey {
        purpose: purpose.as_str().to_owned(),
        master_key_id: wrapped.master_key_id,
        wrapped: wrapped.bytes,
        created_at: clock.now(),
    };
    let mut work = store.begin().await?;
    let stored = work.purpose_keys().create_if_absent(&fresh).await?;
    work.commit(None).await?;
    let wrapped = Wrapped { master_key_id: stored.master_key_id, bytes: stored.wrapped };
    vault.unwrap_purpose_key(purpose, &wrapped).with_context(|| {
        format!("the stored {} key does not open with the master keys that are set", purpose.as_str())
    })
}

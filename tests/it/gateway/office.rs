//! Who configures: stores, vault and management use-cases, as the service's own start puts them together.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use lyss_catalog::{Loader, LoaderSettings};
use lyss_domain::{
    Channel, ChannelId, Clock, Micros, PolicyId, PolicyMode, PolicyScope, Price, PriceId, QuotaPolicy, Rates,
    Secret, Tenant, TenantId, TenantScope, TenantSettings, Tick, Timestamp, VirtualKey, Window,
};
use lyss_management::{
    Acting, Actor, ChannelDraft, CredentialsDraft, Guards, KeyDraft, Management, TenantDraft,
};
use lyss_repositories::{PurposeKey, Store, UnitOfWork};
use lyss_repositories_sql::SqlStore;
use lyss_vault::{MasterKeys, Purpose, PurposeSecret, Vault, Wrapped, generate_master_key, random};
use tokio::task::JoinHandle;

/// As the audit log names the tests.
const NAME: &str = "system:test";

/// One tenant's administrator.
pub(crate) struct Office {
    pub(crate) store: SqlStore,
    pub(crate) management: Management,
    pub(crate) scope: TenantScope,
    /// The setting that `serve` needs to read what was sealed here.
    pub(crate) master_key: String,
    loader: JoinHandle<()>,
}

/// The machine's clocks.
pub(crate) struct WallClock(Instant);

impl Office {
    /// On a migrated store. The tenant `acme` is made where it is missing. `master_key`: a new one unless given.
    pub(crate) async fn open(store: SqlStore, clock: Arc<dyn Clock>, master_key: Option<String>) -> Self {
        let master_key = master_key.unwrap_or_else(|| generate_master_key().unwrap());
        let vault = Arc::new(Vault::new(MasterKeys::parse(&master_key).unwrap()));
        let key_digests = purpose_key(&store, &vault, Purpose::VirtualKey, clock.now()).await;
        let audit_chain = purpose_key(&store, &vault, Purpose::AuditChain, clock.now()).await;
        let loader =
            Loader::start(Arc::new(store.clone()), Arc::new(store.clone()), LoaderSettings::default())
                .await
                .unwrap();
        let catalog = loader.handle();
        let loader = tokio::spawn(loader.run());
        let management = Management {
            store: Arc::new(store.clone()),
            vault,
            key_digests: Arc::new(key_digests),
            audit_chain: Arc::new(audit_chain),
            catalog,
            clock,
            guards: Guards::default(),
        };
        let scope = match management.tenant_by_slug("acme").await.unwrap() {
            Some(tenant) => granted(tenant.id),
            None => {
                let draft = TenantDraft {
                    slug: "acme".to_owned(),
                    name: "Acme".to_owned(),
                    settings: TenantSettings::default(),
                };
                granted(management.create_tenant(&Actor::system(NAME), draft).await.unwrap().id)
            }
        };
        Self { store, management, scope, master_key, loader }
    }

    pub(crate) async fn channel(&self, mut draft: ChannelDraft) -> Channel {
        draft.credentials = Some(CredentialsDraft::Plain(super::vendor_key()));
        self.management.put_channel(&self.acting(), draft).await.unwrap().channel
    }

    /// A key that may steer and has no limits, and its text.
    pub(crate) async fn key(&self, name: &str) -> (VirtualKey, String) {
        self.issue(KeyDraft { may_steer: true, ..KeyDraft::new(name) }).await
    }

    pub(crate) async fn issue(&self, draft: KeyDraft) -> (VirtualKey, String) {
        let issued = self.management.put_key(&self.acting(), draft).await.unwrap();
        (issued.key, shown(&issued.text))
    }

    pub(crate) async fn policy(
        &self,
        scope: PolicyScope,
        window: Window,
        (limit_requests, limit_tokens, limit_cost): (Option<u64>, Option<u64>, Option<Micros>),
        mode: PolicyMode,
    ) -> QuotaPolicy {
        self.policies([scope], window, (limit_requests, limit_tokens, limit_cost), mode).await.remove(0)
    }

    /// The same policy on each of these scopes, in one change.
    pub(crate) async fn policies(
        &self,
        scopes: impl IntoIterator<Item = PolicyScope>,
        window: Window,
        (limit_requests, limit_tokens, limit_cost): (Option<u64>, Option<u64>, Option<Micros>),
        mode: PolicyMode,
    ) -> Vec<QuotaPolicy> {
        let now = self.management.clock.now();
        let policies: Vec<_> = scopes
            .into_iter()
            .map(|scope| QuotaPolicy {
                id: PolicyId::from_parts(millis(now), &random().unwrap()),
                tenant: self.scope.tenant(),
                scope,
                window,
                limit_requests,
                limit_tokens,
                limit_cost,
                mode,
                created_at: now,
                updated_at: now,
                version: 1,
            })
            .collect();
        let mut work = self.store.begin().await.unwrap();
        for policy in &policies {
            work.policies().create(&self.scope, policy).await.unwrap();
        }
        self.serve(work).await;
        policies
    }

    /// The tenant's price of a model, from long ago on.
    pub(crate) async fn price(&self, model: &str, rates: Rates) -> PriceId {
        let now = self.management.clock.now();
        let price = Price {
            id: PriceId::from_parts(millis(now), &random().unwrap()),
            tenant: Some(self.scope.tenant()),
            model: model.to_owned(),
            effective_from: Timestamp::from_millis(0),
            rates,
            created_at: now,
        };
        let mut work = self.store.begin().await.unwrap();
        work.prices().create(&self.scope, &price).await.unwrap();
        self.serve(work).await;
        price.id
    }

    /// Changes what no use-case changes yet.
    pub(crate) async fn edit_channel(&self, id: ChannelId, edit: impl FnOnce(&mut Channel)) -> Channel {
        let mut work = self.store.begin().await.unwrap();
        let mut channel = work.channels().get(&self.scope, id).await.unwrap().unwrap();
        edit(&mut channel);
        channel.version += 1;
        work.channels().update(&self.scope, &channel, channel.version - 1).await.unwrap();
        self.serve(work).await;
        channel
    }

    pub(crate) async fn edit_tenant(&self, edit: impl FnOnce(&mut Tenant)) {
        let mut work = self.store.begin().await.unwrap();
        let mut tenant = work.tenants().get(self.scope.tenant()).await.unwrap().unwrap();
        edit(&mut tenant);
        tenant.version += 1;
        work.tenants().update(&tenant, tenant.version - 1).await.unwrap();
        self.serve(work).await;
    }

    /// Changes what no use-case changes yet.
    pub(crate) async fn edit_key(&self, key: &VirtualKey, edit: impl FnOnce(&mut VirtualKey)) -> VirtualKey {
        let mut key = key.clone();
        edit(&mut key);
        key.version += 1;
        let mut work = self.store.begin().await.unwrap();
        work.keys().update(&self.scope, &key, key.version - 1).await.unwrap();
        self.serve(work).await;
        key
    }

    pub(crate) fn acting(&self) -> Acting<'static> {
        Acting::system(self.scope, NAME)
    }

    pub(crate) async fn close(self) {
        self.loader.abort();
        self.store.close().await.unwrap();
    }

    /// Commits, and waits until this process serves it.
    async fn serve(&self, work: Box<dyn UnitOfWork>) {
        let generation = work.commit(Some(self.management.clock.now())).await.unwrap();
        self.management.catalog.serving(generation).await;
    }
}

impl WallClock {
    #[expect(clippy::disallowed_methods, reason = "beside a real process time is real")]
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "beside a real process time is real")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap())
    }

    fn tick(&self) -> Tick {
        Tick::default().after(self.0.elapsed() + Duration::from_nanos(1))
    }
}

async fn purpose_key(store: &SqlStore, vault: &Vault, purpose: Purpose, now: Timestamp) -> PurposeSecret {
    let (_, wrapped) = vault.new_purpose_key(purpose).unwrap();
    let fresh = PurposeKey {
        purpose: purpose.as_str().to_owned(),
        master_key_id: wrapped.master_key_id,
        wrapped: wrapped.bytes,
        created_at: now,
    };
    let mut work = store.begin().await.unwrap();
    let stored = work.purpose_keys().create_if_absent(&fresh).await.unwrap();
    work.commit(None).await.unwrap();
    let wrapped = Wrapped { master_key_id: stored.master_key_id, bytes: stored.wrapped };
    vault.unwrap_purpose_key(purpose, &wrapped).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a test is its own administrator")]
pub(crate) fn granted(tenant: TenantId) -> TenantScope {
    TenantScope::grant(tenant)
}

#[expect(clippy::disallowed_methods, reason = "a test calls with the key it made")]
fn shown(text: &Secret) -> String {
    String::from_utf8(text.expose().to_vec()).unwrap()
}

fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.as_millis()).unwrap()
}

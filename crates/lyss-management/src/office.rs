//! Where this crate's tests work: a database of their own, two tenants, a clock that stands still.

use std::sync::Arc;

use lyss_auth::permission::of_role;
use lyss_auth::{Credential, Principal};
use lyss_catalog::{Loader, LoaderSettings};
use lyss_domain::{AuditEntry, Clock, Role, Secret, TenantId, TenantScope, TenantSettings};
use lyss_repositories::{PurposeKey, Store};
use lyss_repositories_sql::SqlStore;
use lyss_testkit::ManualClock;
use lyss_testkit::database::{TestDatabase, sqlite};
use lyss_vault::{MasterKeys, Purpose, PurposeSecret, Vault, Wrapped, generate_master_key};
use sea_orm::ConnectionTrait;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::{
    Acting, Actor, ChannelDraft, CredentialsDraft, Fields, Guards, Listing, Management, ManagementError,
    Noun, Page, TenantDraft, system,
};

/// What no entry, answer or error may ever show.
pub(crate) const CANARY: &str = "sk-canary-0123456789-WXYZ";

pub(crate) struct Office {
    pub(crate) database: TestDatabase,
    pub(crate) management: Management,
    pub(crate) clock: ManualClock,
    pub(crate) scope: TenantScope,
    pub(crate) foreign: TenantScope,
    loader: JoinHandle<()>,
}

impl Office {
    pub(crate) async fn open() -> Self {
        let database = sqlite().await;
        let clock = ManualClock::new();
        let store = database.store.clone();
        let vault = Arc::new(Vault::new(MasterKeys::parse(&generate_master_key().unwrap()).unwrap()));
        let key_digests = Arc::new(purpose_key(&store, &vault, Purpose::VirtualKey).await);
        let audit_chain = Arc::new(purpose_key(&store, &vault, Purpose::AuditChain).await);
        let settings = LoaderSettings::default();
        let loader = Loader::start(Arc::new(store.clone()), Arc::new(store.clone()), settings).await.unwrap();
        let catalog = loader.handle();
        let management = Management {
            store: Arc::new(store),
            vault,
            key_digests,
            audit_chain,
            catalog,
            clock: Arc::new(clock.clone()),
            guards: Guards::default(),
        };
        let loader = tokio::spawn(loader.run());
        let scope = system::scope_of(tenant(&management, "acme").await);
        let foreign = system::scope_of(tenant(&management, "globex").await);
        Self { database, management, clock, scope, foreign, loader }
    }

    pub(crate) fn acting(&self) -> Acting<'static> {
        Acting::system(self.scope, "system:test")
    }

    pub(crate) fn acting_abroad(&self) -> Acting<'static> {
        Acting::system(self.foreign, "system:test")
    }

    /// Somebody of this tenant.
    pub(crate) fn principal(&self, role: Role) -> Principal {
        let home = (role != Role::PlatformAdmin).then(|| self.scope.tenant());
        let permissions = of_role(role);
        Principal { name: role.as_str().to_owned(), credential: Credential::Token(role), permissions, home }
    }

    /// The tenant's entries, oldest first.
    pub(crate) async fn audit(&self) -> Vec<AuditEntry> {
        let listing = Listing::of(Page { number: 1, size: 200 });
        self.management.list_audit(&self.scope, &listing).await.unwrap().items
    }

    /// The newest entry with its detail; it shows no canary.
    pub(crate) async fn last_entry(&self) -> (AuditEntry, Value) {
        let entry = self.audit().await.pop().unwrap();
        assert!(!entry.detail.contains("canary"), "{}", entry.detail);
        let detail = serde_json::from_str(&entry.detail).unwrap();
        (entry, detail)
    }

    /// Entries of the chain of what concerns no tenant, oldest first.
    pub(crate) async fn platform_audit(&self) -> Vec<AuditEntry> {
        let listing = Listing::of(Page { number: 1, size: 200 });
        self.management.list_platform_audit(&listing).await.unwrap().items
    }

    /// From now on the database takes no audit entry.
    pub(crate) async fn break_audit(&self) {
        let sql =
            "CREATE TRIGGER no_audit BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'no'); END";
        self.database.store.connection().execute_unprepared(sql).await.unwrap();
    }

    pub(crate) async fn close(self) {
        self.loader.abort();
        self.database.close().await;
    }
}

pub(crate) fn key(text: &str) -> Option<CredentialsDraft> {
    Some(CredentialsDraft::Plain(Secret::from(text.to_owned())))
}

/// A channel that lacks nothing.
pub(crate) fn channel(name: &str) -> ChannelDraft {
    ChannelDraft { credentials: key(CANARY), ..ChannelDraft::new(name, "openai") }
}

/// The fields that were refused, or none.
pub(crate) fn refused<T>(result: Result<T, ManagementError>) -> Vec<String> {
    match result {
        Err(ManagementError::Invalid(fields)) => paths(&fields),
        _ => Vec::new(),
    }
}

pub(crate) fn is_missing<T>(result: &Result<T, ManagementError>, noun: Noun) -> bool {
    matches!(result, Err(ManagementError::NotFound(found)) if *found == noun)
}

pub(crate) fn is_stale<T>(result: &Result<T, ManagementError>) -> bool {
    matches!(result, Err(ManagementError::Stale))
}

/// The field of a conflict.
pub(crate) fn conflict<T>(result: Result<T, ManagementError>) -> Option<&'static str> {
    match result {
        Err(ManagementError::Conflict { field, .. }) => Some(field),
        _ => None,
    }
}

/// What was asked for beyond the actor's own.
pub(crate) fn beyond<T>(result: Result<T, ManagementError>) -> Vec<&'static str> {
    match result {
        Err(ManagementError::Exceeds(what)) => what,
        _ => Vec::new(),
    }
}

fn paths(fields: &Fields) -> Vec<String> {
    fields.iter().map(|(path, _)| path.to_owned()).collect()
}

async fn tenant(management: &Management, slug: &str) -> TenantId {
    let draft =
        TenantDraft { slug: slug.to_owned(), name: slug.to_owned(), settings: TenantSettings::default() };
    management.create_tenant(&Actor::system("system:test"), draft).await.unwrap().id
}

async fn purpose_key(store: &SqlStore, vault: &Vault, purpose: Purpose) -> PurposeSecret {
    let (secret, Wrapped { master_key_id, bytes }) = vault.new_purpose_key(purpose).unwrap();
    let stored = PurposeKey {
        purpose: purpose.as_str().to_owned(),
        master_key_id,
        wrapped: bytes,
        created_at: ManualClock::new().now(),
    };
    let mut work = store.begin().await.unwrap();
    work.purpose_keys().create_if_absent(&stored).await.unwrap();
    work.commit(None).await.unwrap();
    secret
}

//! The whole application as `server::start` puts it together, two tenants, and a token for every role.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web::App;
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{Condition, from_fn};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::{Bytes, Data};
use lyss_auth::{Issuer, IssuerKeys, NewToken, Tokens, issue};
use lyss_balancing::ChannelHealth;
use lyss_catalog::{Loader, LoaderSettings};
use lyss_domain::{CallId, ChannelId, Clock, KeyDigest, Role, Secret, TenantId, TenantScope, TenantSettings};
use lyss_insight::{Insight, KeptReports, Live, Serving};
use lyss_management::{Actor, Guards, Management, TenantDraft};
use lyss_repositories::{PurposeKey, Store};
use lyss_repositories_sql::SqlStore;
use lyss_testkit::ManualClock;
use lyss_testkit::database::{TestDatabase, sqlite};
use lyss_testkit::transport::ScriptedTransport;
use lyss_vault::{MasterKeys, Purpose, PurposeSecret, Vault, Wrapped, generate_master_key, mac};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::body::BodyLimits;
use crate::caller::Doorkeeper;
use crate::cors::{self, AllowedOrigins};
use crate::identity::TokenCheck;
use crate::manage::use_cases::Vendors;
use crate::manage::{ManagementBody, RequestIds, UseCases};
use crate::table;

const SECRET: &str = "a-secret-of-the-tests-that-is-long-enough-for-hs256";
const MAX_BODY: usize = 4_096;

pub(crate) struct Office {
    pub(crate) database: TestDatabase,
    pub(crate) management: Arc<Management>,
    pub(crate) clock: ManualClock,
    pub(crate) vendors: ScriptedTransport,
    pub(crate) origins: AllowedOrigins,
    pub(crate) door: Doorkeeper,
    use_cases: UseCases,
    loader: JoinHandle<()>,
}

/// No channel was ever looked at.
struct Idle;

impl Live for Idle {
    fn health(&self, _: ChannelId) -> Option<Arc<ChannelHealth>> {
        None
    }

    fn serving(&self, _: TenantId, _: &str) -> Serving {
        Vec::new()
    }
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl Office {
    /// With the tenants `acme` and `globex`.
    pub(crate) async fn open() -> Self {
        let database = sqlite().await;
        let clock = ManualClock::new();
        let store = database.store.clone();
        let vault = Arc::new(Vault::new(MasterKeys::parse(&generate_master_key().unwrap()).unwrap()));
        let key_digests = Arc::new(purpose_key(&store, &vault, Purpose::VirtualKey).await);
        let audit_chain = Arc::new(purpose_key(&store, &vault, Purpose::AuditChain).await);
        let settings = LoaderSettings::default();
        let loader = Loader::start(Arc::new(store.clone()), Arc::new(store.clone()), settings).await.unwrap();
        let digests = Arc::clone(&key_digests);
        let management = Arc::new(Management {
            store: Arc::new(store),
            vault,
            key_digests,
            audit_chain,
            catalog: loader.handle(),
            clock: Arc::new(clock.clone()),
            guards: Guards::default(),
        });
        let loader = tokio::spawn(loader.run());
        for slug in ["acme", "globex"] {
            let (slug, name) = (slug.to_owned(), slug.to_owned());
            let draft = TenantDraft { slug, name, settings: TenantSettings::default() };
            management.create_tenant(&Actor::system("system:test"), draft).await.unwrap();
        }
        let use_cases = UseCases::new(Arc::clone(&management), Handle::current());
        let vendors = ScriptedTransport::default();
        let keys = IssuerKeys::Secret(Secret::from(SECRET.to_owned()));
        let issuer = Issuer { name: None, audience: None, keys, leeway_secs: 0 };
        let tokens = TokenCheck {
            tokens: Arc::new(Tokens::new(vec![issuer]).unwrap()),
            transport: Arc::new(vendors.clone()),
            runtime: Handle::current(),
        };
        let door = Doorkeeper::new(Arc::new(move |key| KeyDigest(mac(&digests, &[key])))).with_tokens(tokens);
        let origins = AllowedOrigins::default();
        Self { database, management, clock, vendors, origins, door, use_cases, loader }
    }

    /// A token of somebody of `tenant`, valid for an hour.
    #[expect(clippy::disallowed_methods, reason = "a test sends the token it made")]
    pub(crate) fn token(&self, role: Role, tenant: Option<&str>) -> String {
        let token = NewToken {
            subject: role.as_str(),
            role,
            tenant,
            issued_at: self.clock.now(),
            lifetime: Duration::from_secs(3_600),
            issuer: None,
            audience: None,
            id: None,
            key_id: None,
        };
        let text = issue(&Secret::from(SECRET.to_owned()), &token).unwrap();
        format!("Bearer {}", String::from_utf8(text.expose().to_vec()).unwrap())
    }

    fn insight(&self) -> Insight {
        Insight {
            attempts: Arc::new(self.database.store.clone()),
            health: Arc::new(self.database.store.clone()),
            catalog: Arc::clone(&self.management.catalog),
            live: Arc::new(Idle),
            clock: Arc::new(self.clock.clone()),
            kept: KeptReports::default(),
        }
    }

    pub(crate) async fn send(&self, request: TestRequest) -> Answer {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let ids = RequestIds(Arc::new(|| CallId::from_parts(NEXT.fetch_add(1, Ordering::Relaxed), &[7; 10])));
        let limits = BodyLimits { max_bytes: MAX_BODY, timeout: Duration::from_secs(5) };
        let app = App::new()
            .app_data(Data::new(self.door.clone()))
            .app_data(Data::new(self.use_cases.clone()))
            .app_data(Data::new(self.insight()))
            .app_data(Data::new(Vendors(Arc::new(self.vendors.clone()))))
            .app_data(Data::new(ids))
            .app_data(Data::new(ManagementBody(limits)))
            .app_data(Data::new(self.origins.clone()))
            .configure(table::configure)
            .wrap(Condition::new(!self.origins.is_empty(), from_fn(cors::guard)));
        let response = call_service(&init_service(app).await, request.to_request()).await;
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, bytes: read_body(response).await }
    }

    /// As a tenant administrator of `acme`.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.send(self.by(Role::TenantAdmin, method, path, body)).await
    }

    /// A request of somebody of `acme`, or of a platform administrator who names no tenant.
    pub(crate) fn by(&self, role: Role, method: Method, path: &str, body: Option<Value>) -> TestRequest {
        let tenant = (role != Role::PlatformAdmin).then_some("acme");
        let request = TestRequest::with_uri(path).method(method);
        let request = request.insert_header(("authorization", self.token(role, tenant)));
        match body {
            Some(body) => request.set_json(body),
            None => request,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a test is its own administrator")]
    pub(crate) async fn scope(&self, slug: &str) -> TenantScope {
        TenantScope::grant(self.management.tenant_by_slug(slug).await.unwrap().unwrap().id)
    }

    pub(crate) async fn close(self) {
        self.loader.abort();
        self.database.close().await;
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|_| panic!("{}: {}", self.status, String::from_utf8_lossy(&self.bytes)))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The data of a success with this status, its envelope checked.
    #[track_caller]
    pub(crate) fn data(&self, status: u16) -> Value {
        let mut body = self.json();
        assert_eq!(self.status.as_u16(), status, "{body}");
        assert_eq!(body["success"], true, "{body}");
        assert_eq!(body["request_id"].as_str(), self.header("x-request-id"), "{body}");
        assert_eq!(body.as_object().unwrap().len(), 3, "{body}");
        body["data"].take()
    }

    /// The error of a failure with this status and code, its envelope checked.
    #[track_caller]
    pub(crate) fn error(&self, status: u16, code: &str) -> Value {
        let mut body = self.json();
        assert_eq!(self.status.as_u16(), status, "{body}");
        assert_eq!(body["success"], false, "{body}");
        assert_eq!(body["error"]["code"], code, "{body}");
        assert!(body["error"]["message"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
        assert_eq!(body["request_id"].as_str(), self.header("x-request-id"), "{body}");
        body["error"].take()
    }

    /// The paths of fields that were refused.
    #[track_caller]
    pub(crate) fn refused(&self) -> Vec<String> {
        let error = self.error(422, "VALIDATION_FAILED");
        error["fields"].as_object().unwrap().keys().cloned().collect()
    }
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

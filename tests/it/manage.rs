//! The management side through the built service: who may do what, on whose data; what leaks; what two replicas agree on.

mod chain;
mod first;
mod insight;
mod late;
mod leaks;
mod quota;
mod replicas;
mod walk;

use std::net::SocketAddr;
use std::time::Duration;

use lyss_auth::NewToken;
use lyss_domain::{Clock, Role, Secret};
use serde_json::{Value, json};

use crate::gateway::office::WallClock;
use crate::gateway::wire;

/// Signs the tokens of these tests.
pub(crate) const JWT_SECRET: &str = "Zq9mX2vT7wK4pL8sN3rB6yD1fG5hJ0cA";

/// The management API of one running service, as one caller meets it.
#[derive(Clone)]
pub(crate) struct Api {
    address: SocketAddr,
    headers: Vec<String>,
}

pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// One tenant with one of everything.
pub(crate) struct Estate {
    pub(crate) tenant: String,
    pub(crate) slug: String,
    pub(crate) channel: String,
    pub(crate) key: String,
    /// Its text.
    pub(crate) key_text: String,
    pub(crate) quota: String,
    pub(crate) provider: String,
    /// A call that was made with the key; empty: none was.
    pub(crate) request: String,
}

/// A token that holds for an hour.
pub(crate) fn token(subject: &str, role: Role, tenant: Option<&str>) -> String {
    let token = NewToken {
        subject,
        role,
        tenant,
        issued_at: WallClock::new().now(),
        lifetime: Duration::from_secs(3_600),
        issuer: None,
        audience: None,
        id: None,
        key_id: None,
    };
    #[expect(clippy::disallowed_methods, reason = "a test signs in with the token it made")]
    String::from_utf8(
        lyss_auth::issue(&Secret::from(JWT_SECRET.to_owned()), &token).unwrap().expose().to_vec(),
    )
    .unwrap()
}

impl Api {
    /// Without any credential.
    pub(crate) fn nobody(address: SocketAddr) -> Self {
        Self { address, headers: Vec::new() }
    }

    pub(crate) fn with(address: SocketAddr, credential: &str) -> Self {
        Self { address, headers: vec![format!("authorization: Bearer {credential}")] }
    }

    pub(crate) fn role(address: SocketAddr, role: Role, tenant: &str) -> Self {
        Self::with(address, &token(&format!("{}-of-{tenant}", role.as_str()), role, Some(tenant)))
    }

    pub(crate) fn platform(address: SocketAddr) -> Self {
        Self::with(address, &token("root", Role::PlatformAdmin, None))
    }

    pub(crate) fn header(mut self, line: &str) -> Self {
        self.headers.push(line.to_owned());
        self
    }

    /// `path` is what stands behind `/api/v1`.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Said {
        self.send(method, &format!("/api/v1{path}"), body).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Said {
        let headers: Vec<&str> = self.headers.iter().map(String::as_str).collect();
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut reply = wire::send(self.address, method, path, &headers, body.as_bytes()).await;
        reply.finish().await;
        let body = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
        Said { status: reply.status, body }
    }

    /// Makes something; its data.
    pub(crate) async fn make(&self, path: &str, body: Value) -> Value {
        let said = self.call("POST", path, Some(&body)).await;
        assert_eq!(said.status, 201, "POST {path} {body}: {}", said.body);
        said.body["data"].clone()
    }

    /// Reads or changes something; its data.
    pub(crate) async fn done(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let said = self.call(method, path, body).await;
        assert_eq!(said.status, 200, "{method} {path}: {}", said.body);
        said.body["data"].clone()
    }
}

impl Said {
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// The answer without what differs between any two.
    pub(crate) fn plain(&self) -> (u16, Value) {
        let mut body = self.body.clone();
        if let Some(object) = body.as_object_mut() {
            object.remove("request_id");
        }
        (self.status, body)
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

impl Estate {
    /// Made through the API, whose vendor is at this address.
    pub(crate) async fn found(address: SocketAddr, slug: &str, vendor: &str) -> Self {
        let platform = Api::platform(address);
        let tenant = platform.make("/tenants", json!({"slug": slug, "name": slug})).await;
        let admin = Api::role(address, Role::TenantAdmin, slug);
        let provider = json!({
            "provider_id": format!("house-{slug}"), "name": "House", "kind": "openai_compatible", "api_base": vendor,
            "supported_models": ["house-model"],
        });
        let provider = admin.make("/providers", provider).await;
        let channel = json!({
            "name": "main", "provider_id": "openai", "api_base": vendor,
            "credentials": {"api_key": "sk-sandbox-main"}, "supported_models": ["gpt-4o-mini*"],
        });
        let channel = admin.make("/channels", channel).await;
        let key = admin.make("/keys", json!({"name": "app"})).await;
        let quota = json!({"scope": "tenant", "window": "month", "limit_requests": 1_000_000});
        let quota = admin.make("/quotas", quota).await;
        admin.make("/prices", json!({"model": "house-model", "input_micros": 1, "output_micros": 2})).await;
        Self {
            tenant: text(&tenant["id"]),
            slug: slug.to_owned(),
            channel: text(&channel["id"]),
            key: text(&key["id"]),
            key_text: text(&key["key"]),
            quota: text(&quota["id"]),
            provider: text(&provider["provider_id"]),
            request: String::new(),
        }
    }

    /// Calls a model once, and waits until the call can be read.
    pub(crate) async fn call(&mut self, address: SocketAddr) {
        let chat = crate::gateway::bodies::chat("gpt-4o-mini", false);
        let mut reply = wire::post(address, "/v1/chat/completions", &self.key_text, &chat).await;
        reply.finish().await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        self.request = reply.header("x-request-id").unwrap().to_owned();
        let admin = Api::role(address, Role::TenantAdmin, &self.slug);
        read_call(&admin, &self.request).await;
    }
}

/// A call, once its record is written.
pub(crate) async fn read_call(admin: &Api, id: &str) -> Value {
    let path = format!("/requests/{id}");
    let read = async {
        loop {
            let said = admin.call("GET", &path, None).await;
            if said.status == 200 {
                return said.body["data"].clone();
            }
            assert_eq!(said.code(), "REQUEST_NOT_FOUND", "{}", said.body);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(crate::gateway::CEILING, read).await.expect("the record is written")
}

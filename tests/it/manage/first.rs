//! The way in: what a first start makes, and whose tokens a start believes.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use lyss_domain::Role;
use serde_json::json;

use super::{Api, JWT_SECRET};
use crate::gateway::process::Start;

/// On an empty folder, with nothing set: a tenant and its administrator's token, readable by nobody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_start_makes_a_tenant_and_a_way_in() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("admin-token");
    // Left by an earlier database of this folder, and of no use.
    std::fs::write(&file, "stale").unwrap();
    let start = Start::on(data.path());
    let mut process = start.serve().await;
    let token = std::fs::read_to_string(&file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!process.log().contains(&token), "a token is no matter for a log");
    let admin = Api::with(process.address, &token);
    assert_eq!(admin.done("GET", "/channels", None).await["total"], 0);
    admin.make("/keys", json!({"name": "app"})).await;
    assert_eq!(admin.call("GET", "/tenants", None).await.status, 403);

    // Others are made by command, and the platform's may make tenants.
    let args = ["token", "issue", "--subject", "root", "--role", "platform_admin"];
    let issued = start.run(&args).await;
    let issued = String::from_utf8(issued.stdout).unwrap();
    let tenants = Api::with(process.address, issued.trim()).done("GET", "/tenants", None).await;
    assert_eq!((&tenants["total"], &tenants["items"][0]["slug"]), (&1.into(), &"default".into()));
    process.kill();

    // Another start makes nothing anew.
    let again = start.serve().await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), token);
    assert_eq!(Api::with(again.address, &token).done("GET", "/keys", None).await["total"], 1);
}

/// The administrator of a tenant that was removed is nobody to the next one of its name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_tenants_token_opens_nothing_of_its_successor() {
    let data = tempfile::tempdir().unwrap();
    let process = Start::on(data.path()).with("PROVIDER_SERVICE_JWT_SECRET", JWT_SECRET).serve().await;
    let platform = Api::platform(process.address);
    let made = platform.make("/tenants", json!({"slug": "acme", "name": "Acme"})).await;
    let old = Api::role(process.address, Role::TenantAdmin, "acme");
    old.done("GET", "/keys", None).await;
    platform.done("DELETE", &format!("/tenants/{}", made["id"].as_str().unwrap()), None).await;
    assert_eq!(old.call("GET", "/keys", None).await.status, 401);
    // Beyond the leeway within which nobody can tell which came first.
    tokio::time::sleep(std::time::Duration::from_secs(7)).await;
    platform.make("/tenants", json!({"slug": "acme", "name": "Acme II"})).await;
    assert_eq!(old.call("GET", "/keys", None).await.status, 401);
    Api::role(process.address, Role::TenantAdmin, "acme").done("GET", "/keys", None).await;
}

/// An issuer of its own, by its public key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_issuer_is_believed_by_its_public_key_and_no_other() {
    let data = tempfile::tempdir().unwrap();
    let [own, strange] = ["own", "strange"].map(|name| Issuer::new(data.path(), name));
    let issuers = format!(
        r#"[{{name="https://id.example",audience="lyss",algorithm="EdDSA",public_key_file="{}"}}]"#,
        own.public_key_file
    );
    let process = Start::on(data.path()).with("PROVIDER_SERVICE_AUTH__ISSUERS", &issuers).serve().await;
    let ask = |token: String| async move {
        Api::with(process.address, &token).call("GET", "/keys", None).await.status
    };
    assert_eq!(ask(own.token("lyss")).await, 200);
    assert_eq!(ask(own.token("somebody else")).await, 401);
    assert_eq!(ask(strange.token("lyss")).await, 401);
}

struct Issuer {
    key: ring::signature::Ed25519KeyPair,
    public_key_file: String,
}

impl Issuer {
    fn new(folder: &Path, name: &str) -> Self {
        use base64::Engine as _;
        use ring::signature::{Ed25519KeyPair, KeyPair as _};
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new()).unwrap();
        let key = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        // RFC 8410, section 4: the algorithm's fixed bytes, then the key.
        let prefix = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
        let der = [&prefix[..], key.public_key().as_ref()].concat();
        let pem = base64::engine::general_purpose::STANDARD.encode(der);
        let file = folder.join(format!("{name}.pem"));
        std::fs::write(&file, format!("-----BEGIN PUBLIC KEY-----\n{pem}\n-----END PUBLIC KEY-----\n"))
            .unwrap();
        Self { key, public_key_file: file.display().to_string() }
    }

    /// For tenant `default`, as its administrator.
    fn token(&self, audience: &str) -> String {
        use base64::Engine as _;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        use lyss_domain::Clock as _;
        let now = crate::gateway::office::WallClock::new().now().as_secs();
        let claims = json!({
            "iss": "https://id.example", "aud": audience, "sub": "anna", "role": "tenant_admin", "tenant_id": "default",
            "iat": now, "exp": now + 600,
        });
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(json!({"alg": "EdDSA", "typ": "JWT"})), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

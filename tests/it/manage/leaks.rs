//! Fifty planted secrets, one full run, and nothing of them anywhere that is not the answer that showed them once.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use lyss_domain::Role;
use lyss_sandbox::{SandboxConfig, Vendor};
use lyss_testkit::database;
use lyss_vault::generate_master_key;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;

use super::{Api, Estate, JWT_SECRET, Said, text};
use crate::gateway::process::{Process, Start};
use crate::gateway::{bodies, wire};

const VENDOR_KEYS: usize = 25;
const VIRTUAL_KEYS: usize = 25;

/// Where something was looked for.
struct Place {
    name: String,
    bytes: Vec<u8>,
}

/// A secret in every form in which it might slip out.
fn forms(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let hex = hex_of(secret.as_bytes());
    let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    // What base64 makes of a text depends on where in a group of three it begins; its inner part does not.
    let shifted = |shift: usize| {
        let padded = [&vec![b' '; shift][..], secret.as_bytes()].concat();
        let encoded = URL_SAFE_NO_PAD.encode(padded).into_bytes();
        encoded[4..encoded.len() - 3].to_vec()
    };
    vec![
        ("plain", secret.as_bytes().to_vec()),
        ("hex", hex.clone().into_bytes()),
        ("HEX", hex.to_ascii_uppercase().into_bytes()),
        ("base64", STANDARD_NO_PAD.encode(secret).into_bytes()),
        ("base64 behind one", shifted(1)),
        ("base64 behind two", shifted(2)),
        ("percent", percent.clone().into_bytes()),
        ("percent, small", percent.to_ascii_lowercase().into_bytes()),
    ]
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn find(places: &[Place], secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (form, needle) in forms(secret) {
        for place in places.iter().filter(|place| holds(&place.bytes, &needle)) {
            found.push(format!("{form} in {}", place.name));
        }
    }
    found
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// What is looked with must find.
#[test]
fn every_form_of_a_secret_is_found() {
    let secret = "sk-canary-control-0123456789";
    let place = |bytes: String| [Place { name: "here".to_owned(), bytes: bytes.into_bytes() }];
    let percent: String = secret.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let written = [
        format!("…{secret}…"),
        hex_of(secret.as_bytes()),
        STANDARD.encode(secret),
        STANDARD.encode(format!("x{secret}")),
        URL_SAFE_NO_PAD.encode(format!("xy{secret}z")),
        percent,
    ];
    for text in written {
        assert!(!find(&place(text.clone()), secret).is_empty(), "{text}");
    }
    assert!(find(&place("sk-canary-control-0123456780".to_owned()), secret).is_empty());
}

/// What is planted, and every answer that must not hold any of it.
#[derive(Default)]
struct Planted {
    secrets: Vec<String>,
    answers: Vec<Said>,
}

impl Planted {
    /// Channels with keys of their own: used, changed, tested, misplaced and misspelt.
    async fn vendor_keys(&mut self, admin: &Api, vendor: &str) {
        for number in 0..VENDOR_KEYS {
            // The sandbox takes a key by its beginning, so half of them are refused by their vendor.
            let prefix = if number % 2 == 0 { "sk-sandbox-" } else { "sk-refused-" };
            let secret = format!("{prefix}canary-{number:02}-Vq7xT2mK9w");
            let channel = json!({
                "name": format!("control-channel-{number:02}"), "provider_id": "openai", "api_base": vendor,
                "credentials": {"api_key": secret}, "supported_models": [format!("canary-{number:02}*")],
                "model_mapping": {format!("canary-{number:02}"): "gpt-4o-mini"},
            });
            let made = admin.call("POST", "/channels", Some(&channel)).await;
            assert_eq!(made.status, 201, "{}", made.body);
            let path = format!("/channels/{}", text(&made.body["data"]["id"]));
            self.answers.push(made);
            let test = json!({"credentials": {"api_key": secret}, "api_base": vendor});
            let calls = [
                ("PATCH", path.clone(), Some(json!({"credentials": {"api_key": secret}}))),
                ("POST", format!("{path}/test"), None),
                ("POST", "/providers/openai/test".to_owned(), Some(test)),
                ("POST", "/channels".to_owned(), Some(json!({"name": "x", "credentials": secret}))),
                ("POST", "/channels".to_owned(), Some(json!({"api_key": secret}))),
                ("GET", format!("{path}/{secret}"), None),
            ];
            for (method, path, body) in calls {
                self.answers.push(admin.call(method, &path, body.as_ref()).await);
            }
            self.secrets.push(secret);
        }
    }

    /// Virtual keys: made under an idempotency key, rotated, used for the proxy and for the management API.
    async fn virtual_keys(&mut self, process: &Process, admin: &Api) {
        for number in 0..VIRTUAL_KEYS {
            let name =
                json!({"name": format!("control-key-{number:02}"), "scopes": ["proxy", "management:read"]});
            let once = admin.clone().header(&format!("idempotency-key: plant-{number}"));
            let made = once.call("POST", "/keys", Some(&name)).await;
            assert_eq!(made.status, 201, "{}", made.body);
            let path = format!("/keys/{}", text(&made.body["data"]["id"]));
            let mut secret = text(&made.body["data"]["key"]);
            if number % 5 == 0 {
                self.secrets.push(secret);
                let rotated = admin.done("POST", &format!("{path}/rotate"), Some(&json!({}))).await;
                secret = text(&rotated["key"]);
            }
            self.answers.push(admin.call("GET", &path, None).await);
            let own = Api::with(process.address, &secret);
            self.answers.push(own.call("GET", "/channels", None).await);
            self.answers.push(own.call("POST", "/keys", Some(&json!({"name": "more"}))).await);
            self.chats(process, &secret, number).await;
            self.secrets.push(secret);
        }
    }

    async fn chats(&mut self, process: &Process, secret: &str, number: usize) {
        let model = format!("canary-{number:02}");
        for model in [&model, &format!("{model}+status=500"), secret] {
            for stream in [false, true] {
                let mut reply = process.chat(secret, &bodies::chat(model, stream)).await;
                reply.finish_somehow().await;
                // An echo of what the caller itself sent as a model's name is the caller's own.
                if model != secret {
                    self.answers.push(Said { status: reply.status, body: json!(reply.text()) });
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_planted_secrets_are_nowhere() {
    let database = database::postgres().await;
    let data = tempfile::tempdir().unwrap();
    let sandbox = lyss_sandbox::start(SandboxConfig::default()).await.unwrap();
    let vendor = sandbox.api_base(Vendor::OpenAi).unwrap();
    let mut process = Start::on(data.path())
        .with("DATABASE_URL", &database.settings().url)
        .with("PROVIDER_SERVICE_ENCRYPTION_KEY", &generate_master_key().unwrap())
        .with("PROVIDER_SERVICE_JWT_SECRET", JWT_SECRET)
        .with("PROVIDER_SERVICE_LOG__LEVEL", "trace")
        .with("PROVIDER_SERVICE_EGRESS_ALLOW", "127.0.0.1")
        .serve()
        .await;
    Estate::found(process.address, "acme", &vendor).await;
    let admin = Api::role(process.address, Role::TenantAdmin, "acme");
    let mut planted = Planted::default();
    planted.vendor_keys(&admin, &vendor).await;
    planted.virtual_keys(&process, &admin).await;
    for path in ["/channels", "/keys", "/providers", "/audit?page_size=200", "/quotas", "/prices", "/tenants"]
    {
        planted.answers.push(admin.call("GET", path, None).await);
    }
    let mut places = Vec::new();
    for path in ["/metrics", "/health"] {
        places.push(Place {
            name: path.to_owned(),
            bytes: wire::get(process.address, path, &[]).await.body.clone(),
        });
    }
    process.terminate();
    assert_eq!(process.ended().await, Some(0));
    places.push(Place { name: "log".to_owned(), bytes: process.log().into_bytes() });
    for (index, said) in planted.answers.iter().enumerate() {
        let name = format!("answer {index} ({})", said.status);
        places.push(Place { name, bytes: said.body.to_string().into_bytes() });
    }
    places.extend(dump(&database).await);
    places.extend(files(data.path()));

    // The search reaches everything: what is no secret is found in the database and in answers.
    let control = find(&places, "control-channel-07");
    assert!(control.iter().any(|place| place.contains("table channels")), "{control:?}");
    assert!(control.iter().any(|place| place.contains("answer")), "{control:?}");
    assert!(places.iter().any(|place| place.name == "log" && place.bytes.len() > 1_000));
    assert!(planted.secrets.len() >= 50);
    for secret in &planted.secrets {
        let found = find(&places, secret);
        assert!(found.is_empty(), "a planted secret was found: {found:?}");
    }
    println!("{} secrets looked for in {} places", planted.secrets.len(), places.len());
    database.close().await;
}

/// Every row of every table, as PostgreSQL writes it; bytes as hex.
async fn dump(database: &lyss_testkit::TestDatabase) -> Vec<Place> {
    let connection = database.store.connection();
    let query = |sql: String| Statement::from_string(connection.get_database_backend(), sql);
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
    let tables = connection.query_all_raw(query(tables.to_owned())).await.unwrap();
    let mut places = Vec::new();
    for table in tables {
        let table: String = table.try_get_by_index(0).unwrap();
        let rows = connection.query_all_raw(query(format!("SELECT t::text FROM {table} t"))).await.unwrap();
        let rows: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        places.push(Place { name: format!("table {table}"), bytes: rows.join("\n").into_bytes() });
    }
    assert!(places.len() > 10, "the dump has only {} tables", places.len());
    places
}

/// Everything in the data folder: the journal above all.
fn files(folder: &std::path::Path) -> Vec<Place> {
    let mut places = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            places.extend(files(&path));
        } else {
            places.push(Place { name: path.display().to_string(), bytes: std::fs::read(&path).unwrap() });
        }
    }
    places
}

//! Every route of the service, walked by six callers over own and foreign ids.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use lyss_auth::permission::of_role;
use lyss_domain::Role;
use lyss_http::table::{Access, RouteEntry, table};
use lyss_sandbox::{SandboxConfig, Vendor};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Api, Estate, JWT_SECRET};
use crate::gateway::process::Start;

/// What needs no credential of the management API, and why. A route that is not here must name a permission.
const UNGUARDED: [(&str, &str); 6] = [
    ("/health", "answers from what is known, without a secret"),
    ("/health/live", "is asked by supervisors"),
    ("/health/ready", "is asked by load balancers"),
    ("/metrics", "is scraped"),
    ("/docs", "describes what is public anyway"),
    ("/openapi.json", "describes what is public anyway"),
];

const ROLES: [Role; 4] = [Role::TenantAdmin, Role::Operator, Role::Developer, Role::Viewer];

/// What stands in a path for `{id}`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Whose {
    Own,
    Foreign,
    Nobodys,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_by_six_callers_over_own_and_foreign_ids() {
    let data = tempfile::tempdir().unwrap();
    let sandbox = lyss_sandbox::start(SandboxConfig::default()).await.unwrap();
    let vendor = sandbox.api_base(Vendor::OpenAi).unwrap();
    let process = Start::on(data.path())
        .with("PROVIDER_SERVICE_JWT_SECRET", JWT_SECRET)
        .with("PROVIDER_SERVICE_EGRESS_ALLOW", "127.0.0.1")
        .serve()
        .await;
    let mut own = Estate::found(process.address, "acme", &vendor).await;
    let mut foreign = Estate::found(process.address, "rival", &vendor).await;
    own.call(process.address).await;
    foreign.call(process.address).await;
    let mut walked = 0;
    for entry in managed() {
        let Access::Permission(permission) = entry.access else { continue };
        let above_tenants = !of_role(Role::TenantAdmin).has(permission);
        for whose in whose(&entry) {
            let path = filled(&entry, &own, &foreign, whose);
            let said = request(&Api::nobody(process.address), &entry, &path).await;
            assert_eq!((said.status, said.code()), (401, "UNAUTHENTICATED"), "{} {path}", entry.method);
            walked += 1;
            for role in ROLES {
                let caller = Api::role(process.address, role, &own.slug);
                let said = request(&caller, &entry, &path).await;
                let place = format!("{} {path} as {}: {}", entry.method, role.as_str(), said.body);
                walked += 1;
                if !of_role(role).has(permission) {
                    assert_eq!((said.status, said.code()), (403, "FORBIDDEN"), "{place}");
                    continue;
                }
                assert!(!above_tenants, "a tenant's own reaches above tenants: {place}");
                match whose {
                    // Whatever it is, it is no refusal: If-Match keeps what is there unchanged.
                    Whose::Own => {
                        assert!(![401, 403, 404, 405].contains(&said.status) && said.status < 500, "{place}");
                    }
                    Whose::Foreign | Whose::Nobodys => {
                        let nobodys = filled(&entry, &own, &foreign, Whose::Nobodys);
                        let missing = request(&caller, &entry, &nobodys).await;
                        assert_as_missing(&said, &missing, &place);
                    }
                }
            }
            // The other tenant's administrator: what is foreign to us is its own, and ours is as good as missing.
            let rival = Api::role(process.address, Role::TenantAdmin, &foreign.slug);
            let said = request(&rival, &entry, &path).await;
            walked += 1;
            if above_tenants {
                assert_eq!(said.status, 403, "{} {path}: {}", entry.method, said.body);
            } else if whose == Whose::Own && entry.path.contains('{') {
                let missing = request(&rival, &entry, &filled(&entry, &own, &foreign, Whose::Nobodys)).await;
                assert_as_missing(&said, &missing, &format!("{} {path} as the rival", entry.method));
            }
            // Nor does naming us help it.
            let named = rival.header(&format!("x-tenant-id: {}", own.tenant));
            let said = request(&named, &entry, &path).await;
            assert_eq!(said.status, 403, "{} {path} for another tenant: {}", entry.method, said.body);
        }
    }
    println!("walked {walked} requests over {} routes", managed().len());
    assert!(walked > 400, "only {walked} requests");
}

/// Byte for byte what an id that never was is answered with. Tests of connections are few a minute, whatever they are of.
#[track_caller]
fn assert_as_missing(said: &super::Said, missing: &super::Said, place: &str) {
    if [said, missing].iter().any(|answer| answer.status == 429) {
        return;
    }
    assert_eq!(said.status, 404, "{place}");
    assert_eq!(said.plain(), missing.plain(), "a foreign id is told from a missing one: {place}");
}

#[test]
fn every_route_is_classified() {
    for entry in table() {
        match entry.access {
            Access::Permission(_) => {
                assert!(entry.path.starts_with("/api/v1/"), "{} is no management path", entry.path);
            }
            Access::Proxy => {
                let proxied = ["/v1/", "/v1beta/", "/openai/", "/api/v1/proxy/"];
                assert!(proxied.iter().any(|prefix| entry.path.starts_with(prefix)), "{}", entry.path);
            }
            Access::Public => {
                let stem = entry.path.split("/{").next().unwrap_or_default();
                let known = UNGUARDED.iter().any(|(path, _)| *path == entry.path || *path == stem);
                assert!(
                    known,
                    "{} {} has no permission and no reason to have none",
                    entry.method, entry.path
                );
            }
        }
    }
}

/// `LYSS_BLESS=1 cargo xtask test -p lyss-tests walk` writes the page anew.
#[test]
fn the_page_of_permissions_is_true() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/permissions.md");
    let page = page();
    #[expect(clippy::disallowed_methods, reason = "the one switch of this test")]
    if std::env::var_os("LYSS_BLESS").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let stored = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        stored == page,
        "docs/permissions.md is not what the routes say: run this test with LYSS_BLESS=1"
    );
}

fn page() -> String {
    let mut page = String::from(
        "# Permissions\n\nWritten by a test from the table of routes (`tests/it/manage/walk.rs`); a route that is missing here \
         does not exist. ✓: this role may. A virtual key may what its scopes say: `proxy` calls models, `management:read` \
         is a viewer, `management:write` is marked in the last column.\n\n| method | path | permission | platform_admin | \
         tenant_admin | operator | developer | viewer | management:write |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    let mut rows = BTreeMap::new();
    for entry in managed() {
        let Access::Permission(permission) = entry.access else { continue };
        let mark = |may: bool| if may { "✓" } else { "" };
        let mut row = format!("| {} | `{}` | {} |", entry.method, entry.path, permission.as_str());
        for role in Role::ALL {
            write!(row, " {} |", mark(of_role(role).has(permission))).unwrap();
        }
        let scope = lyss_auth::permission::of_scope(lyss_domain::KeyScope::ManagementWrite);
        writeln!(row, " {} |", mark(scope.has(permission))).unwrap();
        rows.insert((entry.path, entry.method.to_string()), row);
    }
    page.extend(rows.into_values());
    page.push_str("\nWithout a credential of the management API:\n\n| path | why |\n|---|---|\n");
    for (path, why) in UNGUARDED {
        writeln!(page, "| `{path}` | {why} |").unwrap();
    }
    page.push_str(
        "\nProxy paths take a virtual key with the scope `proxy`, or a token whose role has `models:call`.\n",
    );
    page
}

fn managed() -> Vec<RouteEntry> {
    table().into_iter().filter(|entry| matches!(entry.access, Access::Permission(_))).collect()
}

/// A path without an id is walked once.
fn whose(entry: &RouteEntry) -> Vec<Whose> {
    if entry.path.contains('{') { vec![Whose::Own, Whose::Foreign, Whose::Nobodys] } else { vec![Whose::Own] }
}

fn filled(entry: &RouteEntry, own: &Estate, foreign: &Estate, whose: Whose) -> String {
    if !entry.path.contains('{') {
        return entry.path.to_owned();
    }
    let noun = entry.path.split('/').nth(3).unwrap_or_default();
    let of = |estate: &Estate| match noun {
        "tenants" => estate.tenant.clone(),
        "providers" => estate.provider.clone(),
        "channels" => estate.channel.clone(),
        "keys" => estate.key.clone(),
        "quotas" => estate.quota.clone(),
        "requests" => estate.request.clone(),
        other => panic!("the walk knows no id for /{other}: teach it one"),
    };
    let id = match (whose, noun) {
        (Whose::Nobodys, "providers") => "no-such-provider".to_owned(),
        (Whose::Own, _) => of(own),
        (Whose::Foreign, _) => of(foreign),
        (Whose::Nobodys, _) => Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001).to_string(),
    };
    let mut path = entry.path.to_owned();
    while let (Some(from), Some(to)) = (path.find('{'), path.find('}')) {
        path.replace_range(from..=to, &id);
    }
    path
}

/// With a body that is whole JSON, and a version that is never the newest, so that nothing is changed or removed.
async fn request(caller: &Api, entry: &RouteEntry, path: &str) -> super::Said {
    let caller = caller.clone().header("if-match: \"999999\"");
    let body: Value = json!({});
    let has_body = matches!(entry.method.as_str(), "POST" | "PATCH" | "PUT");
    caller.send(entry.method.as_str(), path, has_body.then_some(&body)).await
}

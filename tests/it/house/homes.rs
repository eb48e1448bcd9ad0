//! Each foreign package has one home, and so have the environment and the right to act for a tenant.

use super::tree::{Room, Tree};
use super::{holds, planted};

/// Packages whose names begin with `package` (as a manifest writes them), and the places that may use them: a room's
/// folder, or a module in it without `.rs`.
struct Home {
    package: &'static str,
    places: &'static [&'static str],
}

const fn home(package: &'static str, places: &'static [&'static str]) -> Home {
    Home { package, places }
}

const HOMES: [Home; 11] = [
    home("sea-orm", &["crates/lyss-repositories-sql", "migrations"]),
    home("sqlx", &["crates/lyss-repositories-sql", "migrations"]),
    home("actix", &["crates/lyss-http", "bin/lyss-provider"]),
    home("hyper", &["crates/lyss-upstream", "crates/lyss-sandbox"]),
    home("redis", &["crates/lyss-redis"]),
    home("deadpool", &["crates/lyss-redis"]),
    home("figment", &["bin/lyss-provider/src/config"]),
    home("ring", &["crates/lyss-vault", "crates/lyss-auth"]),
    home("rustls", &["crates/lyss-upstream", "bin/lyss-provider"]),
    home("utoipa", &["crates/lyss-http"]),
    home("env", &["bin/lyss-provider/src/config"]),
];

/// Where a `TenantScope` or a `Caller` may be made; elsewhere it is handed on.
const GRANTORS: [&str; 7] = [
    "crates/lyss-domain",
    "crates/lyss-auth",
    "crates/lyss-catalog/src/system",
    "crates/lyss-insight/src/system",
    "crates/lyss-ledger/src/system",
    "crates/lyss-management/src/system",
    "bin/lyss-provider/src/demo/system",
];

fn foreign_dependencies(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for room in tree.rooms().into_iter().filter(|room| !room.is_workshop()) {
        let inside = format!("{}/", room.folder);
        let lives =
            |home: &Home| home.places.iter().any(|place| *place == room.folder || place.starts_with(&inside));
        for name in room.dependencies() {
            for home in HOMES.iter().filter(|home| belongs_to(name, home.package) && !lives(home)) {
                violations.push(format!(
                    "{} must not use {name}: its home is {}",
                    room.name,
                    home.places.join(", ")
                ));
            }
        }
    }
    violations
}

fn foreign_mentions(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for room in tree.rooms().into_iter().filter(|room| !room.is_workshop()) {
        let own = own_modules(tree, &room);
        for source in tree.shipped(&room) {
            for home in HOMES.iter().filter(|home| !home.places.iter().any(|place| is_in(source.path, place)))
            {
                let places = source.lines_where(|line| {
                    path_roots(line).any(|root| belongs_to(root, home.package) && !own.contains(&root))
                });
                violations.extend(
                    places.into_iter().map(|place| format!("{place}: {} is not at home", home.package)),
                );
            }
        }
    }
    violations
}

fn foreign_grants(tree: &Tree) -> Vec<String> {
    let rooms = tree.rooms().into_iter().filter(|room| !room.is_workshop()).collect::<Vec<_>>();
    let sources = rooms.iter().flat_map(|room| tree.shipped(room));
    sources
        .filter(|source| !GRANTORS.iter().any(|place| is_in(source.path, place)))
        .flat_map(|source| {
            source.lines_where(|line| line.contains("TenantScope::grant") || line.contains("Caller::grant"))
        })
        .map(|place| format!("{place}: only {} may grant", GRANTORS.join(", ")))
        .collect()
}

/// `sea-orm-migration` belongs to `sea-orm`, `ringbuffer` not to `ring`; in sources the dash is an underscore.
fn belongs_to(name: &str, package: &str) -> bool {
    let mut rest = name.chars();
    let begins = package
        .chars()
        .all(|wanted| rest.next().is_some_and(|found| found == wanted || wanted == '-' && found == '_'));
    begins && rest.next().is_none_or(|next| next == '-' || next == '_')
}

fn is_in(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
}

/// Modules a room declares itself: `redis::Settings` after `mod redis;` is its own.
fn own_modules<'a>(tree: &'a Tree, room: &Room) -> Vec<&'a str> {
    let lines = tree.shipped(room).flat_map(|source| source.code());
    lines
        .filter_map(|(_, line)| {
            let (before, name) = line.split_once("mod ")?;
            (before.trim().is_empty() || before.trim().starts_with("pub"))
                .then_some(name.trim_end_matches([';', '{', ' ']))
        })
        .collect()
}

/// The first names of all paths in a line: `a` of `a::b`, `use a;`, `use a as b`; also `env` of `std::env`.
fn path_roots(line: &str) -> impl Iterator<Item = &str> {
    let used = line
        .trim_start()
        .trim_start_matches("pub ")
        .strip_prefix("use ")
        .map(|path| path.split([';', ' ', ':', '{']).next().unwrap_or_default());
    let mut rest = line;
    let mut before = "";
    let rooted = std::iter::from_fn(move || {
        loop {
            let (path, after) = rest.split_once("::")?;
            let name = path.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            let rooted = !before.is_empty() && path == name;
            (before, rest) = (path, after);
            let standard = name == "std" && rest.starts_with("env");
            if standard {
                return Some("env");
            }
            if !rooted && !name.is_empty() {
                return Some(name);
            }
        }
    });
    used.into_iter().chain(rooted)
}

#[test]
fn foreign_packages_stay_at_home() {
    holds(foreign_dependencies);
    holds(foreign_mentions);
}

#[test]
fn only_the_named_places_grant() {
    holds(foreign_grants);
}

#[test]
fn a_package_outside_its_home_is_found_in_a_manifest() {
    let files = [
        (
            "crates/lyss-proxy/Cargo.toml",
            "[package]\nname = \"lyss-proxy\"\n[dependencies]\nhyper-util = \"1\"\nhyperloop = \"1\"\n",
        ),
        (
            "crates/lyss-ledger/Cargo.toml",
            "[package]\nname = \"lyss-ledger\"\n[dependencies]\ndb = { package = \"sea-orm\", version = \"2\" }\n",
        ),
        (
            "bin/lyss-provider/Cargo.toml",
            "[package]\nname = \"lyss-provider\"\n[dependencies]\nfigment = \"1\"\n",
        ),
        (
            "crates/lyss-testkit/Cargo.toml",
            "[package]\nname = \"lyss-testkit\"\n[dependencies]\nsea-orm = \"2\"\n",
        ),
    ];
    assert_eq!(
        planted(foreign_dependencies, &files),
        [
            "lyss-ledger must not use sea-orm: its home is crates/lyss-repositories-sql, migrations",
            "lyss-proxy must not use hyper-util: its home is crates/lyss-upstream, crates/lyss-sandbox",
        ]
    );
}

#[test]
fn a_package_outside_its_home_is_found_in_a_source() {
    let files = [
        ("bin/lyss-provider/Cargo.toml", "[package]\nname = \"lyss-provider\"\n"),
        ("bin/lyss-provider/src/config.rs", "use std::env;\nuse figment::Figment;\nmod redis;\n"),
        ("bin/lyss-provider/src/config/redis.rs", "let home = env::var(\"HOME\");\n"),
        (
            "bin/lyss-provider/src/start.rs",
            "use std::env;\n// ring::digest\nlet p = rustls::crypto::ring::default_provider();\nlet r = redis::open();\n\
             let d = ring::digest::digest(x);\nlet k = (env::args(), env!(\"HOME\"));\nlet v = std::env::var(\"X\");\n",
        ),
        ("bin/lyss-provider/src/start/tests.rs", "use ring::digest;\n"),
        ("crates/lyss-wire/Cargo.toml", "[package]\nname = \"lyss-wire\"\n"),
        ("crates/lyss-wire/src/lib.rs", "use hyper_util as h;\npub use hyper;\nuse crate::redis::X;\n"),
    ];
    assert_eq!(
        planted(foreign_mentions, &files),
        [
            "bin/lyss-provider/src/start.rs:5: ring is not at home",
            "bin/lyss-provider/src/start.rs:1: env is not at home",
            "bin/lyss-provider/src/start.rs:6: env is not at home",
            "bin/lyss-provider/src/start.rs:7: env is not at home",
            "crates/lyss-wire/src/lib.rs:1: hyper is not at home",
            "crates/lyss-wire/src/lib.rs:2: hyper is not at home",
        ]
    );
}

#[test]
fn a_grant_elsewhere_is_found() {
    let grant = "fn a() -> TenantScope {\n    TenantScope::grant(id)\n}\n";
    let files = [
        ("crates/lyss-catalog/Cargo.toml", "[package]\nname = \"lyss-catalog\"\n"),
        ("crates/lyss-catalog/src/system.rs", grant),
        ("crates/lyss-catalog/src/loader.rs", grant),
        ("crates/lyss-catalog/src/loader/tests.rs", grant),
        ("crates/lyss-catalog/src/key.rs", "/// See Caller::grant.\nlet f = Caller::grant;\n"),
        ("crates/lyss-testkit/Cargo.toml", "[package]\nname = \"lyss-testkit\"\n"),
        ("crates/lyss-testkit/src/lib.rs", grant),
    ];
    let places: Vec<_> = planted(foreign_grants, &files)
        .into_iter()
        .map(|text| text.split(": ").next().map(str::to_owned))
        .collect();
    assert_eq!(
        places.into_iter().flatten().collect::<Vec<_>>(),
        ["crates/lyss-catalog/src/key.rs:2", "crates/lyss-catalog/src/loader.rs:2"]
    );
}

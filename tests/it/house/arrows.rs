//! Which room may use which: the table of rooms and arrows, row by row.

use super::tree::{Room, Tree};
use super::{holds, planted};

/// What one room may use. `row` orders the rooms: an arrow only ever points to a smaller number.
struct Rule {
    row: u8,
    room: &'static str,
    may_use: &'static [&'static str],
}

const fn rule(row: u8, room: &'static str, may_use: &'static [&'static str]) -> Rule {
    Rule { row, room, may_use }
}

/// The house's rooms, without the prefix `lyss-`.
#[rustfmt::skip]
const ROOMS: [Rule; 21] = [
    rule(0, "domain", &[]),
    rule(0, "wire", &[]),
    rule(0, "migrations", &[]),
    rule(1, "balancing", &["domain"]),
    rule(1, "quota", &["domain"]),
    rule(1, "repositories", &["domain"]),
    rule(1, "vault", &["domain"]),
    rule(1, "auth", &["domain", "wire"]),
    rule(2, "adapters", &["wire", "domain"]),
    rule(2, "catalog", &["repositories", "domain"]),
    rule(2, "repositories-sql", &["repositories", "quota", "domain"]),
    rule(2, "redis", &["quota", "balancing", "domain"]),
    rule(2, "upstream", &["wire"]),
    rule(2, "ledger", &["repositories", "quota", "domain"]),
    rule(2, "lab", &["balancing", "domain"]),
    rule(2, "sandbox", &["wire"]),
    rule(3, "proxy", &["domain", "wire", "balancing", "quota", "repositories", "vault", "adapters", "catalog", "ledger"]),
    rule(3, "insight", &["domain", "wire", "repositories", "catalog", "balancing", "quota", "vault", "lab"]),
    rule(3, "management", &["domain", "wire", "repositories", "catalog", "quota", "auth", "vault", "adapters"]),
    rule(4, "http", &["domain", "adapters", "auth", "quota", "catalog", "proxy", "insight", "management"]),
    rule(5, "provider", &[
        "domain", "wire", "migrations", "balancing", "quota", "repositories", "vault", "auth", "adapters", "catalog",
        "repositories-sql", "redis", "upstream", "ledger", "lab", "sandbox", "proxy", "insight", "management", "http",
    ]),
];

/// Arrows allowed against the table: from, to, and the record in docs/adr/ that says why.
const DEVIATIONS: [(&str, &str, &str); 0] = [];

/// Rows from which on a room may wait: below, everything is computation.
const FIRST_ROW_WITH_TOKIO: u8 = 2;

fn rule_of(room: &Room) -> Option<&'static Rule> {
    ROOMS.iter().find(|rule| room.name.strip_prefix("lyss-") == Some(rule.room))
}

fn shipped_rooms(tree: &Tree) -> impl Iterator<Item = Room> {
    tree.rooms().into_iter().filter(|room| !room.is_workshop())
}

fn forbidden_arrows(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for room in shipped_rooms(tree) {
        let Some(rule) = rule_of(&room) else {
            violations.push(format!("{}: no row in the table of rooms", room.name));
            continue;
        };
        let ours = room.dependencies().into_iter().filter_map(|name| name.strip_prefix("lyss-"));
        for used in ours.filter(|used| !rule.may_use.contains(used)) {
            if !DEVIATIONS.iter().any(|(from, to, _)| (*from, *to) == (rule.room, used)) {
                violations.push(format!("{} must not use lyss-{used}", room.name));
            }
        }
    }
    violations
}

fn unreasoned_deviations(tree: &Tree, deviations: &[(&str, &str, &str)]) -> Vec<String> {
    let missing =
        deviations.iter().filter(|(_, _, record)| tree.text(&format!("docs/adr/{record}")).is_none());
    missing
        .map(|(from, to, record)| format!("lyss-{from} uses lyss-{to}, but docs/adr/{record} is not there"))
        .collect()
}

fn rooms_beside_their_name(tree: &Tree) -> Vec<String> {
    let misplaced = tree.rooms().into_iter().filter(|room| {
        let folder = room.folder.rsplit('/').next().unwrap_or_default();
        let top_level = !room.folder.contains('/') && room.name == format!("lyss-{folder}");
        folder != room.name && !top_level
    });
    misplaced.map(|room| format!("{} lies in {}", room.name, room.folder)).collect()
}

fn waiting_in_low_rows(tree: &Tree) -> Vec<String> {
    let low = shipped_rooms(tree).filter(|room| {
        // Migrations stand apart from the rows: their runner works on the database.
        room.name != "lyss-migrations" && rule_of(room).is_some_and(|rule| rule.row < FIRST_ROW_WITH_TOKIO)
    });
    low.filter(|room| room.dependencies().iter().any(|name| name.starts_with("tokio")))
        .map(|room| format!("{} is pure computation and must not use tokio", room.name))
        .collect()
}

#[test]
fn arrows_run_as_drawn() {
    holds(forbidden_arrows);
    holds(|tree| unreasoned_deviations(tree, &DEVIATIONS));
}

#[test]
fn rooms_lie_where_their_name_says() {
    holds(rooms_beside_their_name);
}

#[test]
fn low_rows_do_not_wait() {
    holds(waiting_in_low_rows);
}

#[test]
fn the_table_itself_points_down() {
    let row = |name: &str| ROOMS.iter().find(|rule| rule.room == name).map(|rule| rule.row);
    for rule in &ROOMS {
        for used in rule.may_use {
            assert!(row(used).is_some_and(|used| used < rule.row), "{} to {used}", rule.room);
        }
    }
}

#[test]
fn a_forbidden_arrow_is_found() {
    let files = [
        (
            "crates/lyss-quota/Cargo.toml",
            "[package]\nname = \"lyss-quota\"\n[dependencies]\nlyss-domain = {}\nlyss-wire = {}\n",
        ),
        (
            "crates/lyss-wire/Cargo.toml",
            "[package]\nname = \"lyss-wire\"\n[build-dependencies]\nd = { package = \"lyss-domain\" }\n",
        ),
        (
            "crates/lyss-vault/Cargo.toml",
            "[package]\nname = \"lyss-vault\"\n[dev-dependencies]\nlyss-testkit = {}\n",
        ),
        ("crates/lyss-new/Cargo.toml", "[package]\nname = \"lyss-new\"\n"),
        (
            "crates/lyss-testkit/Cargo.toml",
            "[package]\nname = \"lyss-testkit\"\n[dependencies]\nlyss-http = {}\n",
        ),
    ];
    assert_eq!(
        planted(forbidden_arrows, &files),
        [
            "lyss-new: no row in the table of rooms",
            "lyss-quota must not use lyss-wire",
            "lyss-wire must not use lyss-domain",
        ]
    );
}

#[test]
fn a_deviation_without_its_record_is_found() {
    let files = [("docs/adr/0003-why.md", "")];
    let deviations = [("http", "wire", "0003-why.md"), ("http", "ledger", "0004-gone.md")];
    assert_eq!(
        planted(|tree| unreasoned_deviations(tree, &deviations), &files),
        ["lyss-http uses lyss-ledger, but docs/adr/0004-gone.md is not there"]
    );
}

#[test]
fn a_misplaced_room_is_found() {
    let files = [
        ("crates/lyss-wire/Cargo.toml", "[package]\nname = \"lyss-wires\"\n"),
        ("migrations/Cargo.toml", "[package]\nname = \"lyss-migrations\"\n"),
    ];
    assert_eq!(planted(rooms_beside_their_name, &files), ["lyss-wires lies in crates/lyss-wire"]);
}

#[test]
fn tokio_in_a_low_row_is_found() {
    let files = [
        ("crates/lyss-auth/Cargo.toml", "[package]\nname = \"lyss-auth\"\n[dependencies]\ntokio = \"1\"\n"),
        (
            "crates/lyss-wire/Cargo.toml",
            "[package]\nname = \"lyss-wire\"\n[dev-dependencies]\ntokio = \"1\"\n",
        ),
        ("crates/lyss-proxy/Cargo.toml", "[package]\nname = \"lyss-proxy\"\n[dependencies]\ntokio = \"1\"\n"),
    ];
    assert_eq!(
        planted(waiting_in_low_rows, &files),
        ["lyss-auth is pure computation and must not use tokio"]
    );
}

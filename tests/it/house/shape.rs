//! Files a person can find and hold: names, doors, lengths, one toolchain.

use toml::{Table, Value};

use super::tree::Tree;
use super::{holds, planted};

/// Names that say nothing about what is inside.
const JUNK: [&str; 6] = ["utils", "util", "common", "helpers", "helper", "misc"];

const TOOLCHAIN: &str = "1.95.0";
const LONGEST_FILE: usize = 600;
const LONGEST_MAIN: usize = 60;
/// A door says what the room is, what it must never know, where to start and how to add one more.
const SHORTEST_DOOR: usize = 3;

fn mod_files(tree: &Tree) -> Vec<String> {
    let found = tree.paths().filter(|path| path.rsplit('/').next() == Some("mod.rs"));
    found.map(|path| format!("{path}: a module is foo.rs beside foo/")).collect()
}

fn junk_rooms(tree: &Tree) -> Vec<String> {
    let is_junk = |part: &str| JUNK.contains(&part.split('.').next().unwrap_or_default());
    let by_path = tree.paths().filter(|path| path.split('/').any(is_junk)).map(str::to_owned);
    let by_line = tree.sources().flat_map(|source| {
        source.lines_where(|line| {
            line.trim_end()
                .strip_suffix('{')
                .is_some_and(|line| line.split_once("mod ").is_some_and(|(_, name)| is_junk(name.trim())))
        })
    });
    by_path.chain(by_line).map(|place| format!("{place}: this name says nothing")).collect()
}

fn missing_doors(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for room in tree.rooms() {
        let door = ["src/lib.rs", "src/main.rs", "it/main.rs"].map(|file| format!("{}/{file}", room.folder));
        let Some((path, text)) = door.iter().find_map(|path| Some((path, tree.text(path)?))) else {
            violations.push(format!("{}: no lib.rs and no main.rs", room.folder));
            continue;
        };
        let length = text.lines().take_while(|line| line.starts_with("//!")).count();
        let needed = if path.ends_with("lib.rs") { SHORTEST_DOOR } else { 1 };
        if length < needed {
            violations.push(format!("{path}: the door (`//!`) has {length} line(s), {needed} needed"));
        }
    }
    violations
}

fn rooms_without_lints(tree: &Tree) -> Vec<String> {
    let strict = |manifest: &Table| {
        manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool) == Some(true)
    };
    let lax = tree.rooms().into_iter().filter(|room| !strict(&room.manifest));
    lax.map(|room| format!("{}/Cargo.toml: no `[lints] workspace = true`", room.folder)).collect()
}

fn other_toolchains(tree: &Tree) -> Vec<String> {
    let pinned = tree.text("rust-toolchain.toml").and_then(|text| {
        let file: Table = text.parse().ok()?;
        Some(file.get("toolchain")?.get("channel")?.as_str()?.to_owned())
    });
    if pinned.as_deref() == Some(TOOLCHAIN) {
        return Vec::new();
    }
    vec![format!("rust-toolchain.toml: channel is {pinned:?}, not {TOOLCHAIN}")]
}

fn long_files(tree: &Tree) -> Vec<String> {
    let measured = tree.sources().filter_map(|source| {
        let lines = source.text.lines().count();
        let is_main = source.path.rsplit('/').next() == Some("main.rs");
        let limit = if is_main { LONGEST_MAIN } else { LONGEST_FILE };
        (lines > limit).then(|| format!("{}: {lines} lines, at most {limit}", source.path))
    });
    measured.collect()
}

#[test]
fn modules_are_named_files() {
    holds(mod_files);
}

#[test]
fn names_say_what_is_inside() {
    holds(junk_rooms);
}

#[test]
fn every_room_has_a_door() {
    holds(missing_doors);
}

#[test]
fn every_room_keeps_the_strict_lints() {
    holds(rooms_without_lints);
}

#[test]
fn one_toolchain() {
    holds(other_toolchains);
}

#[test]
fn files_can_be_held() {
    holds(long_files);
}

#[test]
fn a_mod_file_is_found() {
    let files = [("crates/a/src/b/mod.rs", ""), ("crates/a/src/mod_rs.rs", "")];
    assert_eq!(planted(mod_files, &files), ["crates/a/src/b/mod.rs: a module is foo.rs beside foo/"]);
}

#[test]
fn a_junk_room_is_found() {
    let files = [
        ("crates/a/src/utils.rs", ""),
        ("tests/common/setup.py", ""),
        ("crates/a/src/lib.rs", "mod usage;\nmod helpers {\n}\n"),
        ("crates/a/src/commons.rs", ""),
    ];
    assert_eq!(
        planted(junk_rooms, &files),
        [
            "crates/a/src/utils.rs: this name says nothing",
            "tests/common/setup.py: this name says nothing",
            "crates/a/src/lib.rs:2: this name says nothing",
        ]
    );
}

#[test]
fn a_missing_door_is_found() {
    let room = "[package]\nname = \"a\"\n";
    let files = [
        ("crates/a/Cargo.toml", room),
        ("crates/a/src/lib.rs", "//! a\nfn x() {}\n"),
        ("crates/b/Cargo.toml", room),
        ("crates/b/src/lib.rs", "//! It is b.\n//!\n//! Start at x.\nfn x() {}\n"),
        ("crates/c/Cargo.toml", room),
        ("bin/d/Cargo.toml", room),
        ("bin/d/src/main.rs", "fn main() {}\n"),
    ];
    assert_eq!(
        planted(missing_doors, &files),
        [
            "bin/d/src/main.rs: the door (`//!`) has 0 line(s), 1 needed",
            "crates/a/src/lib.rs: the door (`//!`) has 1 line(s), 3 needed",
            "crates/c: no lib.rs and no main.rs",
        ]
    );
}

#[test]
fn a_room_without_strict_lints_is_found() {
    let files = [
        ("crates/a/Cargo.toml", "[package]\nname = \"a\"\n"),
        ("crates/b/Cargo.toml", "[package]\nname = \"b\"\n[lints]\nworkspace = false\n"),
        ("crates/c/Cargo.toml", "[package]\nname = \"c\"\n[lints]\nworkspace = true\n"),
    ];
    assert_eq!(planted(rooms_without_lints, &files).len(), 2);
}

#[test]
fn another_toolchain_is_found() {
    assert_eq!(
        planted(other_toolchains, &[("rust-toolchain.toml", "[toolchain]\nchannel = \"1.95\"\n")]).len(),
        1
    );
    assert_eq!(planted(other_toolchains, &[]).len(), 1);
    let pinned = [("rust-toolchain.toml", "[toolchain]\nchannel = \"1.95.0\"\n")];
    assert!(planted(other_toolchains, &pinned).is_empty());
}

#[test]
fn a_long_file_is_found() {
    let (long, short) = ("x\n".repeat(601), "x\n".repeat(61));
    let files =
        [("crates/a/src/b.rs", &*long), ("crates/a/src/c.rs", &*short), ("bin/d/src/main.rs", &*short)];
    assert_eq!(
        planted(long_files, &files),
        ["bin/d/src/main.rs: 61 lines, at most 60", "crates/a/src/b.rs: 601 lines, at most 600"]
    );
}

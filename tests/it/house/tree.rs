//! The repository as rules see it: paths and texts, so that a planted tree is as good as a real one.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a repository that cannot be read fails the test that reads it"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use toml::{Table, Value};

/// Rooms whose code never ships: exempt from the rules about shipped code.
const WORKSHOPS: [&str; 3] = ["lyss-testkit", "lyss-tests", "xtask"];

/// Folders that hold no sources of ours.
/// `fuzz` is ours, and a workspace of its own with libFuzzer's rules.
const NOT_OURS: [&str; 8] =
    [".git", ".venv", "__pycache__", "dist", "fuzz", "lyss-data", "node_modules", "target"];

/// Text by path, relative to the repository's top folder; the text is empty for what no rule reads.
pub(super) struct Tree {
    files: BTreeMap<String, String>,
    /// Modules declared under `#[cfg(test)]`: their paths without `.rs`.
    test_modules: Vec<String>,
}

/// One crate.
pub(super) struct Room {
    pub(super) name: String,
    /// Without a trailing slash.
    pub(super) folder: String,
    pub(super) manifest: Table,
}

/// One Rust file.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) path: &'a str,
    pub(super) text: &'a str,
}

impl Tree {
    pub(super) fn of_this_repository() -> Self {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the top folder");
        let mut files = BTreeMap::new();
        walk(top, top, &mut files);
        Self::new(files)
    }

    pub(super) fn planted(files: &[(&str, &str)]) -> Self {
        Self::new(files.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect())
    }

    fn new(files: BTreeMap<String, String>) -> Self {
        let mut tree = Self { files, test_modules: Vec::new() };
        tree.test_modules = tree.sources().flat_map(declared_test_modules).collect();
        tree
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    pub(super) fn sources(&self) -> impl Iterator<Item = Source<'_>> {
        let sources = self.files.iter().filter(|(path, _)| path.ends_with(".rs"));
        sources.map(|(path, text)| Source { path, text })
    }

    /// Every crate with a readable manifest.
    pub(super) fn rooms(&self) -> Vec<Room> {
        let manifests =
            self.files.iter().filter_map(|(path, text)| Some((path.strip_suffix("/Cargo.toml")?, text)));
        manifests
            .map(|(folder, text)| {
                let manifest: Table =
                    text.parse().unwrap_or_else(|error| panic!("{folder}/Cargo.toml: {error}"));
                let name =
                    manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
                let name = name.unwrap_or_else(|| panic!("{folder}/Cargo.toml names no package")).to_owned();
                Room { name, folder: folder.to_owned(), manifest }
            })
            .collect()
    }

    /// Sources of a room that ship: neither tests nor examples.
    pub(super) fn shipped<'a>(&'a self, room: &Room) -> impl Iterator<Item = Source<'a>> {
        let inside = format!("{}/", room.folder);
        self.sources().filter(move |source| source.path.starts_with(&inside) && !self.is_test(source.path))
    }

    fn is_test(&self, path: &str) -> bool {
        let module = path.trim_end_matches(".rs");
        module.split('/').any(|part| ["tests", "benches", "examples"].contains(&part))
            || self.test_modules.iter().any(|test| module == test || module.starts_with(&format!("{test}/")))
    }
}

impl Room {
    pub(super) fn is_workshop(&self) -> bool {
        WORKSHOPS.contains(&self.name.as_str())
    }

    /// Packages that what ships is built from: their own names, whatever the manifest calls them.
    pub(super) fn dependencies(&self) -> Vec<&str> {
        let targets =
            self.manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
        let tables = [&self.manifest].into_iter().chain(targets.filter_map(Value::as_table));
        let lists =
            tables.flat_map(|table| ["dependencies", "build-dependencies"].map(|list| table.get(list)));
        lists
            .flatten()
            .filter_map(Value::as_table)
            .flatten()
            .map(|(key, value)| value.get("package").and_then(Value::as_str).unwrap_or(key))
            .collect()
    }
}

impl<'a> Source<'a> {
    /// Numbered lines of code that ships: no comments, nothing under `#[cfg(test)]`.
    pub(super) fn code(self) -> Vec<(usize, &'a str)> {
        let mut lines = Vec::new();
        let mut numbered = self.text.lines().zip(1..);
        while let Some((line, number)) = numbered.next() {
            let code = line.trim_start();
            if code.starts_with("#[cfg(test)]") {
                skip_item(line.len() - code.len(), &mut numbered);
            } else if !code.starts_with("//") {
                lines.push((number, line));
            }
        }
        lines
    }

    /// `path:line` of every line of shipped code that `is_bad`.
    pub(super) fn lines_where(self, is_bad: impl Fn(&str) -> bool) -> Vec<String> {
        let bad = self.code().into_iter().filter(|(_, line)| is_bad(line));
        bad.map(|(number, _)| format!("{}:{number}", self.path)).collect()
    }
}

/// Passes over the item under an attribute: up to a line that ends it at the attribute's own depth.
fn skip_item<'a>(depth: usize, lines: &mut impl Iterator<Item = (&'a str, usize)>) {
    for (line, _) in lines {
        let code = line.trim_start();
        let closes =
            code.starts_with('}') || code.starts_with(')') || line.trim_end().ends_with([';', ',', '}']);
        if line.len() - code.len() <= depth && !code.is_empty() && closes {
            return;
        }
    }
}

/// What `#[cfg(test)] mod name;` declares, as paths without `.rs`.
fn declared_test_modules(source: Source<'_>) -> Vec<String> {
    let module = source.path.trim_end_matches(".rs");
    let (folder, stem) = module.rsplit_once('/').unwrap_or(("", module));
    let home = if ["lib", "main"].contains(&stem) { folder } else { module };
    let mut names = Vec::new();
    let mut lines = source.text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]"
            && let Some(item) = lines.next()
            && let Some((_, name)) = item.split_once("mod ")
            && let Some(name) = name.strip_suffix(';')
        {
            names.push(format!("{home}/{name}"));
        }
    }
    names
}

fn walk(top: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in
        fs::read_dir(folder).expect("a readable folder").map(|entry| entry.expect("a readable entry"))
    {
        let path = entry.path();
        let name = entry.file_name().into_string().expect("names are UTF-8");
        if NOT_OURS.contains(&name.as_str()) {
            continue;
        }
        if entry.file_type().expect("a kind of file").is_dir() {
            walk(top, &path, files);
            continue;
        }
        let relative = path.strip_prefix(top).expect("below the top").to_str().expect("names are UTF-8");
        // Another editor may take a file away between listing and reading.
        let text = if name.ends_with(".rs") || name.ends_with(".toml") {
            fs::read_to_string(&path).unwrap_or_default()
        } else {
            String::new()
        };
        files.insert(relative.to_owned(), text);
    }
}

#[test]
fn only_shipped_code_is_read() {
    let text = "// a comment\nfn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n\n    fn c() {}\n}\nfn d() {}\n\
        #[cfg(test)]\nmod more;\nfn e() {}\nimpl X {\n    #[cfg(test)]\n    fn f() {\n        g();\n    }\n    fn h() {}\n}\n";
    let tree = Tree::planted(&[("crates/a/src/lib.rs", text)]);
    let code: Vec<_> = tree.sources().flat_map(Source::code).map(|(_, line)| line.trim()).collect();
    assert_eq!(code, ["fn a() {}", "fn d() {}", "fn e() {}", "impl X {", "fn h() {}", "}"]);
}

#[test]
fn test_modules_are_known_by_place_or_by_declaration() {
    let room = "[package]\nname = \"a\"\n";
    let tree = Tree::planted(&[
        ("crates/a/Cargo.toml", room),
        ("crates/a/src/lib.rs", "mod real;\n#[cfg(test)]\nmod golden;\n"),
        ("crates/a/src/golden.rs", ""),
        ("crates/a/src/golden/deep.rs", ""),
        ("crates/a/src/real.rs", "#[cfg(test)]\npub(crate) mod tests;\n"),
        ("crates/a/src/real/tests.rs", ""),
        ("crates/a/tests/it.rs", ""),
    ]);
    let rooms = tree.rooms();
    let shipped: Vec<_> = tree.shipped(&rooms[0]).map(|source| source.path).collect();
    assert_eq!(shipped, ["crates/a/src/lib.rs", "crates/a/src/real.rs"]);
}

#[test]
fn a_dependency_is_known_by_its_own_name_and_wherever_it_is_listed() {
    let manifest = "[package]\nname = \"a\"\n[dependencies]\nx = { package = \"lyss-x\", path = \"../x\" }\ny = \"1\"\n\
        [build-dependencies]\nz = \"1\"\n[target.'cfg(unix)'.dependencies]\nu = \"1\"\n[dev-dependencies]\nv = \"1\"\n";
    let tree = Tree::planted(&[("crates/a/Cargo.toml", manifest)]);
    assert_eq!(tree.rooms()[0].dependencies(), ["lyss-x", "y", "z", "u"]);
}

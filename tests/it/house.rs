//! The house keeps its shape: the rules of `docs/architecture.md` that a compiler does not hold.
//!
//! Every rule is a plain function from a [`Tree`] to its violations. Each is asked twice: about this repository, where
//! it must find nothing, and about a small planted tree, where it must find exactly what was planted. A new rule is
//! one more function and one more pair of tests; a new room is one more row of `arrows::ROOMS`.

mod arrows;
mod homes;
mod shape;
mod tree;

use self::tree::Tree;

/// Fails with the list when a rule is broken.
#[track_caller]
fn holds(rule: impl Fn(&Tree) -> Vec<String>) {
    let violations = rule(&Tree::of_this_repository());
    assert!(violations.is_empty(), "{} violation(s):\n  {}", violations.len(), violations.join("\n  "));
}

/// The violations in a tree of these files, given as path and content.
fn planted(rule: impl Fn(&Tree) -> Vec<String>, files: &[(&str, &str)]) -> Vec<String> {
    rule(&Tree::planted(files))
}

#[test]
fn the_tree_is_the_whole_repository() {
    let tree = Tree::of_this_repository();
    let names: Vec<_> = tree.rooms().into_iter().map(|room| room.name).collect();
    for name in ["lyss-domain", "lyss-provider", "lyss-migrations", "lyss-tests", "xtask"] {
        assert!(names.iter().any(|found| found == name), "{name} is not among {names:?}");
    }
    assert!(tree.sources().any(|source| source.path == "tests/it/house.rs"));
}

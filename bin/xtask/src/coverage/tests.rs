use std::path::Path;

use serde_json::json;

use super::{Lines, files, per_crate, table, versions};

#[test]
fn figures_are_summed_for_each_crate() {
    let file = |name: &str, count: u64, covered: u64| json!({"filename": name, "summary": {"lines": {"count": count, "covered": covered}}});
    let report = json!({"data": [{"files": [
        file("/top/crates/lyss-wire/src/sse.rs", 100, 90),
        file("/top/crates/lyss-wire/src/sse/fields.rs", 20, 20),
        file("/top/crates/lyss-quota/src/lib.rs", 3, 1),
        file("/elsewhere/src/lib.rs", 50, 0),
    ]}]});
    let files = files(&report, Path::new("/top"));
    assert_eq!(files.len(), 3);
    let crates = per_crate(&files);
    assert_eq!(crates["crates/lyss-wire"], Lines { all: 120, reached: 110 });
    assert_eq!(crates["total"], Lines { all: 123, reached: 111 });
    assert_eq!(
        table(&crates),
        "crates/lyss-quota    33.3 %       1 of      3 lines\n\
         crates/lyss-wire     91.6 %     110 of    120 lines\n\
         total                90.2 %     111 of    123 lines\n"
    );
}

#[test]
fn the_newest_version_comes_first() {
    assert_eq!(versions(["llvm-9", "llvm-22", "llvm-19", "llvm", "llvm-toolchain"].into_iter()), [22, 19, 9]);
}

use super::{Totals, pass_on, selection};

#[test]
fn results_of_all_test_programs_are_added_up() {
    let output = "running 2 tests\n\
        test a ... ok\n\
        test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 7 filtered out; finished in 0.01s\n\
        test result: ok. 40 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
        2 failed, 10 passed, 1 error in 83.21s (0:01:23)\n\
        ✔ a test (1.2ms)\nℹ tests 230\nℹ pass 200\nℹ fail 20\nℹ cancelled 10\nℹ skipped 0\nℹ duration_ms 28.3\n";
    assert_eq!(pass_on(output.as_bytes()), Totals { passed: 251, failed: 34 });
}

#[test]
fn what_a_test_prints_is_not_counted() {
    assert_eq!(Totals::read("the 3 passed things\n"), Totals::default());
}

#[test]
fn a_chosen_package_replaces_the_workspace() {
    let args = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(selection(&args(&[])), Some("--workspace"));
    assert_eq!(selection(&args(&["house"])), Some("--workspace"));
    assert_eq!(selection(&args(&["-p", "lyss-quota"])), None);
    assert_eq!(selection(&args(&["--package=lyss-quota"])), None);
    assert_eq!(selection(&args(&["house", "--", "-p"])), Some("--workspace"));
}

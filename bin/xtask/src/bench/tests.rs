use super::parse_pid;

#[test]
fn only_lines_of_a_name_and_a_pid_are_processes() {
    assert_eq!(parse_pid("mock-upstream 4711"), Some(("mock-upstream", 4711)));
    assert_eq!(parse_pid("   Compiling something v1"), None);
    assert_eq!(parse_pid("nginx"), None);
}

use super::parse_account;

#[test]
fn an_account_is_found_by_its_whole_name() {
    let line = "postgres:x:115:121:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash";
    assert_eq!(parse_account(line, "postgres"), Some((115, 121)));
    assert_eq!(parse_account(line, "post"), None);
    assert_eq!(parse_account("postgres:x:none", "postgres"), None);
}

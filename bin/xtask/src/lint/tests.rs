use super::forbidden_packages;

#[test]
fn a_locked_package_is_found_by_its_whole_name() {
    let lock =
        "[[package]]\nname = \"openssl-probe\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"openssl-sys\"\n";
    assert_eq!(forbidden_packages(lock), ["openssl-sys"]);
    assert!(
        forbidden_packages("[[package]]\nname = \"ring\"\ndependencies = [\n \"openssl-sys\",\n]\n")
            .is_empty()
    );
}

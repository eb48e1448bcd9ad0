use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::find;

#[test]
fn a_given_folder_comes_first_and_only_programs_count() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sh");
    let folders = [folder.path().to_owned()];

    fs::write(&file, "not executable").unwrap();
    assert_ne!(find("sh", &folders).unwrap(), file);

    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(find("sh", &folders).unwrap(), file);

    assert_eq!(find("no-such-program-anywhere", &folders), None);
}

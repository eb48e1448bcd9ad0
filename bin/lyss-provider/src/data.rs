//! The data folder: the embedded database, generated secrets, the journal. Only its owner may look in.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

pub(crate) struct DataFolder(PathBuf);

impl DataFolder {
    /// Makes the folder where it is missing (0700).
    pub(crate) fn open(path: &Path) -> Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| format!("the data folder {} cannot be made", path.display()))?;
        Ok(Self(path.to_path_buf()))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The embedded database's URL.
    pub(crate) fn database_url(&self) -> String {
        format!("sqlite://{}", self.0.join("lyss.db").display())
    }

    /// True when the embedded database has been made.
    pub(crate) fn has_database(&self) -> bool {
        self.0.join("lyss.db").exists()
    }

    /// Makes the embedded database's file readable by its owner alone, also in a folder that others may look into; SQLite
    /// gives the files beside it the same mode.
    pub(crate) fn keep_database_private(&self) -> Result<()> {
        let path = self.0.join("lyss.db");
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        file.and_then(|file| file.set_permissions(fs::Permissions::from_mode(0o600)))
            .with_context(|| format!("{} cannot be made private", path.display()))
    }

    /// A secret that was kept before.
    pub(crate) fn kept_secret(&self, name: &str) -> Result<Option<String>> {
        read(&self.0.join(name))
    }

    /// Removes a secret, if it is there.
    pub(crate) fn forget(&self, name: &str) -> Result<()> {
        match fs::remove_file(self.0.join(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("{name} cannot be removed"))
            }
            _ => Ok(()),
        }
    }

    /// A secret kept as a file of 0600, made by `generate` the first time. Two first starts at once agree on one.
    pub(crate) fn secret(&self, name: &str, generate: impl FnOnce() -> Result<String>) -> Result<String> {
        let path = self.0.join(name);
        if let Some(found) = read(&path)? {
            return Ok(found);
        }
        // Written whole under another name, then linked: nobody ever reads half of it.
        let text = generate()?;
        let draft = self.0.join(format!("{name}.{}", std::process::id()));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        let linked = fs::hard_link(&draft, &path);
        fs::remove_file(&draft)?;
        match linked {
            Ok(()) => Ok(text),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                read(&path)?.context("a secret file vanished while it was read")
            }
            Err(error) => Err(error).with_context(|| format!("{} cannot be written", path.display())),
        }
    }
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_secret_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(&folder.path().join("lyss-data")).unwrap();
        let first = data.secret("master-key", || Ok("one".to_owned())).unwrap();
        let second = data.secret("master-key", || Ok("two".to_owned())).unwrap();
        assert_eq!((first.as_str(), second.as_str()), ("one", "one"));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(data.path()), 0o700);
        assert_eq!(mode(&data.path().join("master-key")), 0o600);
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1, "no draft is left");
    }
}

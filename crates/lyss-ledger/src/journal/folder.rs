//! The folder of the journal: who may open it, and what its files are called.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::LedgerError;

#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Locked while this process has the journal; the kernel unlocks it however the process ends.
    _lock: File,
}

impl Folder {
    /// Makes `journal` within `parent` where it is absent, and locks it.
    pub(crate) fn open(parent: &Path) -> Result<Self, LedgerError> {
        let path = parent.join("journal");
        DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o700))?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(LedgerError::InUse),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// The segments' numbers, oldest first.
    pub(crate) fn segments(&self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for file in std::fs::read_dir(&self.path)? {
            let name = file?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".jsonl"));
            // `refused.jsonl` is no number.
            numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    pub(crate) fn create(&self, segment: u64) -> io::Result<File> {
        OpenOptions::new().create_new(true).append(true).mode(0o600).open(self.path_of(segment))
    }

    pub(crate) fn read(&self, segment: u64) -> io::Result<File> {
        File::open(self.path_of(segment))
    }

    /// Deletes a segment; answers how many bytes it had.
    pub(crate) fn remove(&self, segment: u64) -> io::Result<u64> {
        let path = self.path_of(segment);
        let bytes = std::fs::metadata(&path)?.len();
        std::fs::remove_file(&path)?;
        Ok(bytes)
    }

    /// Whole lines and bytes of a segment.
    pub(crate) fn measure(&self, segment: u64) -> io::Result<(u64, u64)> {
        let (mut lines, mut bytes) = (0u64, 0u64);
        let mut file = self.read(segment)?;
        let mut chunk = vec![0; 64 << 10];
        loop {
            let read = match file.read(&mut chunk) {
                Ok(0) => return Ok((lines, bytes)),
                Ok(read) => chunk.get(..read).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
            lines = lines.saturating_add(count(read.iter().filter(|byte| **byte == b'\n').count()));
            bytes = bytes.saturating_add(count(read.len()));
        }
    }

    /// Keeps lines the store will never take, for a person to look at.
    pub(crate) fn keep_refused(&self, lines: &[u8]) -> io::Result<()> {
        let path = self.path.join("refused.jsonl");
        OpenOptions::new().create(true).append(true).mode(0o600).open(path)?.write_all(lines)
    }

    fn path_of(&self, segment: u64) -> PathBuf {
        self.path.join(format!("{segment:020}.jsonl"))
    }
}

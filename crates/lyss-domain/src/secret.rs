//! A value that must not be seen.

use zeroize::Zeroizing;

/// A vendor key, a virtual key or key material. Wiped when dropped; has neither `Debug`, `Display`, `Clone` nor
/// `PartialEq`, so it cannot reach a log or be compared byte by byte by accident.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The plain value. Clippy refuses this call outside the few places that must make it.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

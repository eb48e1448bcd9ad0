//! The one source of randomness: the operating system's, through ring.

use ring::rand::{SecureRandom, SystemRandom};

use crate::VaultError;

/// `N` bytes of the operating system's secure random source.
pub fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut out = [0; N];
    fill(&mut out)?;
    Ok(out)
}

pub(crate) fn fill(out: &mut [u8]) -> Result<(), VaultError> {
    SystemRandom::new().fill(out).map_err(|_| VaultError::NoRandomness)
}

//! How a virtual key is written: `sk-lyss-`, 43 characters for 256 random bits, 6 characters of checksum, all in
//! base 62, so that a double click takes the whole of it.
//!
//! The prefix lets secret scanners find a leaked key; the checksum (CRC-32 over everything before it, as in zip and
//! PNG) lets them and us tell a key from a look-alike without asking anyone. It proves nothing: whoever can read this
//! can compute it. GitHub's token format is the model.

use lyss_domain::Secret;

const PREFIX: &[u8] = b"sk-lyss-";
const RANDOM_LEN: usize = 43;
const CHECKSUM_LEN: usize = 6;
const KEY_LEN: usize = PREFIX.len() + RANDOM_LEN + CHECKSUM_LEN;
/// Characters of the random part, and of the end, that a hint shows.
const SHOWN_LEN: usize = 4;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Writes 32 random bytes as a key. They must come from the vault's random source and be used for nothing else.
pub fn mint(mut random: [u8; 32]) -> Secret {
    let mut text = Vec::with_capacity(KEY_LEN);
    text.extend_from_slice(PREFIX);
    // Lowest digit first; nobody reads the number back. 62^43 is just above 2^256.
    text.extend((0..RANDOM_LEN).map(|_| digit(divide_by_62(&mut random))));
    let checksum = checksum(&text);
    text.extend_from_slice(&checksum);
    Secret::new(text)
}

/// Whether this is written as [`mint`] writes: prefix, length, alphabet, checksum. Any one changed character is
/// noticed. It does not say that the key exists.
pub fn looks_valid(text: &[u8]) -> bool {
    let Some((body, end)) = text.split_last_chunk::<CHECKSUM_LEN>() else { return false };
    let Some(random) = body.strip_prefix(PREFIX) else { return false };
    random.len() == RANDOM_LEN && random.iter().all(u8::is_ascii_alphanumeric) && *end == checksum(body)
}

/// What a person may see of a key: `sk-lyss-`, four characters, `…`, the last four. Only `…` for what is no key.
#[expect(clippy::disallowed_methods, reason = "eight of 49 characters are shown to tell keys apart")]
pub fn key_hint(key: &Secret) -> String {
    let text = key.expose();
    if !looks_valid(text) {
        return "…".to_owned();
    }
    let shown = |part: Option<&[u8]>| String::from_utf8_lossy(part.unwrap_or_default()).into_owned();
    let start = shown(text.get(..PREFIX.len() + SHOWN_LEN));
    let end = shown(text.last_chunk::<SHOWN_LEN>().map(<[u8; SHOWN_LEN]>::as_slice));
    format!("{start}…{end}")
}

/// Divides a big-endian number in place and answers the remainder.
fn divide_by_62(number: &mut [u8; 32]) -> u32 {
    let mut remainder = 0;
    for byte in number {
        let value = remainder << 8 | u32::from(*byte);
        *byte = low_byte(value / 62);
        remainder = value % 62;
    }
    remainder
}

fn checksum(body: &[u8]) -> [u8; CHECKSUM_LEN] {
    let mut rest = crc32fast::hash(body);
    let mut out = [0; CHECKSUM_LEN];
    for place in out.iter_mut().rev() {
        *place = digit(rest % 62);
        rest /= 62;
    }
    out
}

fn digit(value: u32) -> u8 {
    DIGITS.get(value as usize).copied().unwrap_or(b'0')
}

/// A quotient by 62 of less than 62 * 256 is less than 256.
fn low_byte(value: u32) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests;

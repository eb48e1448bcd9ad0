//! Ids of tool calls as this dialect takes them: at most 64 characters, never empty.

use std::borrow::Cow;

const MAX_CHARS: usize = 64;
const KEPT_CHARS: usize = 40;

/// The id itself, or a shorter one: its beginning and a hash of the whole, so that equal ids stay equal and distinct ones
/// distinct.
pub(super) fn fitted(id: &str) -> Cow<'_, str> {
    if id.is_empty() {
        return Cow::Borrowed("call_0");
    }
    if id.chars().count() <= MAX_CHARS {
        return Cow::Borrowed(id);
    }
    let kept: String = id.chars().take(KEPT_CHARS).collect();
    Cow::Owned(format!("{kept}_{:016x}", hash(id)))
}

/// FNV-1a: fixed for ever, unlike the standard library's hashers.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ids_are_shortened_alike_and_kept_apart() {
        let long = "x".repeat(65);
        let other = format!("{}y", "x".repeat(65));
        assert_eq!(fitted("call_1"), "call_1");
        assert_eq!(fitted(&"x".repeat(64)), "x".repeat(64));
        assert!(fitted(&long).chars().count() <= MAX_CHARS);
        assert_eq!(fitted(&long), fitted(&long));
        assert_ne!(fitted(&long), fitted(&other));
        assert_eq!(fitted(""), "call_0");
    }
}

//! Ids of tool calls, changed where a vendor does not take them: the same id always becomes the same one.

use std::borrow::Cow;

use super::super::wire::fingerprint;

/// OpenAI refuses longer ones.
const MAX_BYTES: usize = 40;
/// Mistral takes nothing but nine letters and digits.
const SHORT: usize = 9;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

pub(super) fn call_id(id: &str, is_short: bool) -> Cow<'_, str> {
    if is_short {
        let fits = id.len() == SHORT && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        return if fits { Cow::Borrowed(id) } else { Cow::Owned(short(id)) };
    }
    if id.len() <= MAX_BYTES {
        return Cow::Borrowed(id);
    }
    let bytes = id.as_bytes();
    Cow::Owned(format!("call_{:016x}{:016x}", fingerprint(bytes, 0), fingerprint(bytes, u64::MAX)))
}

fn short(id: &str) -> String {
    let mut rest = fingerprint(id.as_bytes(), 0);
    let mut digit = || {
        let at = usize::try_from(rest % 62).unwrap_or_default();
        rest /= 62;
        char::from(ALPHABET.get(at).copied().unwrap_or(b'0'))
    };
    (0..SHORT).map(|_| digit()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_fit_stay_and_others_are_told_apart() {
        assert_eq!(call_id("call_1", false), "call_1");
        assert_eq!(call_id(&"x".repeat(40), false), "x".repeat(40));
        let long = |end: &str| call_id(&format!("{}{end}", "toolu_".repeat(10)), false).into_owned();
        assert_eq!(long("a").len(), 37);
        assert_eq!(long("a"), long("a"));
        assert_ne!(long("a"), long("b"));
    }

    #[test]
    fn mistral_gets_nine_letters_and_digits() {
        assert_eq!(call_id("D681PevKs", true), "D681PevKs");
        for id in ["call_1", "call_2", "", "too_long_for_mistral", "nine-char"] {
            let short = call_id(id, true);
            assert!(short.len() == 9 && short.bytes().all(|b| b.is_ascii_alphanumeric()), "{id}: {short}");
            assert_eq!(short, call_id(id, true));
        }
        assert_ne!(call_id("call_1", true), call_id("call_2", true));
    }
}

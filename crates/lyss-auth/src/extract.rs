//! Where a caller puts its key: whichever header its SDK sends.

/// Headers that hold the bare key, by precedence: Anthropic's, Azure's, Google's.
const PLAIN_HEADERS: [&str; 3] = ["x-api-key", "api-key", "x-goog-api-key"];

/// The caller's key or token out of its headers: `Authorization: Bearer`, else the first of `x-api-key`, `api-key` and
/// `x-goog-api-key` that holds anything. Names and the scheme are compared without case. Of a header sent twice the
/// first counts.
pub fn extract<'a>(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Option<&'a [u8]> {
    headers
        .into_iter()
        .filter_map(|(name, value)| candidate(name, value))
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, key)| key)
}

/// The key of one header, and its precedence: 0 comes first.
fn candidate<'a>(name: &str, value: &'a [u8]) -> Option<(usize, &'a [u8])> {
    let (rank, key) = if name.eq_ignore_ascii_case("authorization") {
        (0, bearer(value)?)
    } else {
        (1 + PLAIN_HEADERS.iter().position(|plain| name.eq_ignore_ascii_case(plain))?, value.trim_ascii())
    };
    (!key.is_empty()).then_some((rank, key))
}

/// RFC 6750, section 2.1: the scheme, a space, the token.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.trim_ascii().split_at_checked("bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests;

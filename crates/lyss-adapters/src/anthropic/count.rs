//! Counting tokens, as in the API reference ("Count tokens in a Message").

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::fault;
use super::wire::unreadable;
use crate::Fault;

#[derive(Deserialize)]
struct ReadCount {
    input_tokens: Option<u64>,
}

#[derive(Serialize)]
struct Count {
    input_tokens: u64,
}

/// Reads a 2xx answer.
pub(super) fn read(body: &[u8]) -> Result<u64, Fault> {
    let count: ReadCount = serde_json::from_slice(body).map_err(|_| unreadable())?;
    match count.input_tokens {
        Some(tokens) => Ok(tokens),
        None if memchr::memmem::find(body, b"\"error\"").is_some() => Err(fault::read_event(body)),
        None => Err(unreadable()),
    }
}

pub(super) fn render(tokens: u64) -> Bytes {
    serde_json::to_vec(&Count { input_tokens: tokens }).unwrap_or_default().into()
}

//! Brotli (RFC 7932), without the large windows that are no part of it: at most 16 MiB of window for one answer.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use bytes::{Buf, Bytes};

use super::Garbage;

pub(super) struct Unbrotli {
    state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    ended: bool,
}

impl Unbrotli {
    pub(super) fn new() -> Self {
        let alloc = StandardAlloc::default;
        Self { state: Box::new(BrotliState::new_strict(alloc(), alloc(), alloc())), ended: false }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.ended
    }

    pub(super) fn run(&mut self, input: &mut Bytes, out: &mut [u8]) -> Result<usize, Garbage> {
        if self.ended {
            return if input.is_empty() { Ok(0) } else { Err(Garbage) };
        }
        let (mut left, mut read) = (input.len(), 0);
        let (mut free, mut written, mut total) = (out.len(), 0, 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut read,
            input,
            &mut free,
            &mut written,
            out,
            &mut total,
            &mut self.state,
        );
        input.advance(read.min(input.len()));
        match result {
            BrotliResult::ResultFailure => Err(Garbage),
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => Ok(written),
            BrotliResult::ResultSuccess => {
                self.ended = true;
                if input.is_empty() { Ok(written) } else { Err(Garbage) }
            }
        }
    }
}

//! gzip (RFC 1952) and deflate (RFC 1950 around RFC 1951, or RFC 1951 alone).

use bytes::{Buf, Bytes};
use flate2::{Decompress, FlushDecompress, Status};

use super::Garbage;

/// The largest window there is; smaller ones are read with it too.
const WINDOW_BITS: u8 = 15;

pub(super) struct Inflate {
    wrapping: Wrapping,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrapping {
    /// Members one behind the other are one body.
    Gzip,
    Deflate,
}

enum State {
    /// Nothing was read yet.
    Fresh,
    /// The first byte of something that may be zlib's wrapping; the second one tells.
    Undecided(u8),
    Inside(Decompress),
    /// Behind the end of a member or of the whole.
    Ended,
}

impl Inflate {
    pub(super) fn gzip() -> Self {
        Self { wrapping: Wrapping::Gzip, state: State::Fresh }
    }

    pub(super) fn deflate() -> Self {
        Self { wrapping: Wrapping::Deflate, state: State::Fresh }
    }

    pub(super) fn is_whole(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    pub(super) fn run(&mut self, input: &mut Bytes, out: &mut [u8]) -> Result<usize, Garbage> {
        let mut written = 0;
        loop {
            let open = match &mut self.state {
                State::Inside(open) => open,
                _ if input.is_empty() => return Ok(written),
                _ => {
                    self.open(input)?;
                    continue;
                }
            };
            let free = out.get_mut(written..).unwrap_or_default();
            let (wrote, ended) = step(open, input, free)?;
            written += wrote;
            if ended {
                self.state = State::Ended;
            }
            if input.is_empty() || written == out.len() {
                return Ok(written);
            }
        }
    }

    /// Decides how to read what begins here. There is input.
    fn open(&mut self, input: &mut Bytes) -> Result<(), Garbage> {
        self.state = match (&self.state, self.wrapping) {
            (State::Ended, Wrapping::Deflate) => return Err(Garbage),
            (_, Wrapping::Gzip) => State::Inside(Decompress::new_gzip(WINDOW_BITS)),
            (State::Undecided(first), Wrapping::Deflate) => {
                let first = *first;
                let zlib = is_zlib(first, input.first().copied().unwrap_or_default());
                let mut open = Decompress::new(zlib);
                // One byte of input fills no output.
                step(&mut open, &mut Bytes::copy_from_slice(&[first]), &mut [0])?;
                State::Inside(open)
            }
            (_, Wrapping::Deflate) => State::Undecided(input.get_u8()),
        };
        Ok(())
    }
}

/// Bytes written, and whether the end was reached. An error when it can go no further.
fn step(open: &mut Decompress, input: &mut Bytes, out: &mut [u8]) -> Result<(usize, bool), Garbage> {
    let (before_in, before_out) = (open.total_in(), open.total_out());
    let status = open.decompress(input, out, FlushDecompress::None).map_err(|_| Garbage)?;
    let read = usize::try_from(open.total_in() - before_in).map_err(|_| Garbage)?;
    let wrote = usize::try_from(open.total_out() - before_out).map_err(|_| Garbage)?;
    input.advance(read.min(input.len()));
    let ended = status == Status::StreamEnd;
    if !ended && read == 0 && wrote == 0 && !input.is_empty() && !out.is_empty() {
        return Err(Garbage);
    }
    Ok((wrote, ended))
}

/// RFC 1950, section 2.2: method 8, a window that exists, and a header divisible by 31. A bare stream's first byte would have
/// to have set a padding bit that compressors leave at zero.
fn is_zlib(first: u8, second: u8) -> bool {
    first & 0x0f == 8 && first >> 4 <= 7 && u16::from_be_bytes([first, second]).is_multiple_of(31)
}

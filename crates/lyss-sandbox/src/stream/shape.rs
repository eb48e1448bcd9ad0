//! The same events in other bytes: line ends, compression, and how many bytes leave at once.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::{Mark, Script};
use crate::knobs::{Encoding, Framing};

#[cfg(test)]
mod tests;

/// Between the comments sent while the first event is waited for.
const KEEP_ALIVES: u64 = 3;
const BROTLI_WINDOW: u32 = 20;

impl Script {
    /// Every event's bytes replaced by what `rewrite` makes of them; the number tells which event it is.
    fn rewrite(&mut self, mut rewrite: impl FnMut(usize, &[u8], &mut Vec<u8>)) {
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut from = 0;
        for (index, mark) in self.marks.iter_mut().enumerate() {
            let event = self.bytes.get(from..mark.end).unwrap_or_default();
            from = mark.end;
            rewrite(index, event, &mut bytes);
            mark.end = bytes.len();
        }
        self.bytes = bytes;
    }

    pub(crate) fn reframe(&mut self, framing: Framing) {
        let last = self.marks.len().saturating_sub(1);
        self.rewrite(|index, event, out| {
            let event = String::from_utf8_lossy(event).replace("\r\n", "\n");
            let event = match framing {
                Framing::Own => event,
                Framing::CrLf => event.replace('\n', "\r\n"),
                Framing::Cr => event.replace('\n', "\r"),
                Framing::Bom if index == 0 => format!("\u{feff}{event}"),
                Framing::Comments => format!(": sandbox\n:\nretry: 1000\n{event}"),
                // A line break inside the object means nothing; inside a string it would.
                Framing::Multiline => event.replace("data: {", "data: {\ndata: "),
                Framing::NoFinal if index == last => event.trim_end_matches('\n').to_owned() + "\n",
                Framing::Bom | Framing::NoFinal => event,
            };
            out.extend_from_slice(event.as_bytes());
        });
    }

    /// Each event is flushed, so that the other side can read it before the next comes.
    pub(crate) fn compress(&mut self, encoding: Encoding) {
        match encoding {
            Encoding::Gzip => {
                self.through(
                    GzEncoder::new(Vec::new(), Compression::fast()),
                    GzEncoder::get_ref,
                    |encoder| encoder.finish().unwrap_or_default(),
                );
            }
            Encoding::Deflate => {
                self.through(
                    ZlibEncoder::new(Vec::new(), Compression::fast()),
                    ZlibEncoder::get_ref,
                    |encoder| encoder.finish().unwrap_or_default(),
                );
            }
            Encoding::Brotli => {
                let encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 1, BROTLI_WINDOW);
                self.through(
                    encoder,
                    brotli::CompressorWriter::get_ref,
                    brotli::CompressorWriter::into_inner,
                );
            }
        }
    }

    fn through<W: Write>(
        &mut self,
        mut encoder: W,
        written: impl Fn(&W) -> &Vec<u8>,
        finish: impl FnOnce(W) -> Vec<u8>,
    ) {
        let mut from = 0;
        for mark in &mut self.marks {
            let event = self.bytes.get(from..mark.end).unwrap_or_default();
            from = mark.end;
            // Writing to memory does not fail.
            let _ = encoder.write_all(event).and_then(|()| encoder.flush());
            mark.end = written(&encoder).len();
        }
        self.bytes = finish(encoder);
        if let Some(last) = self.marks.last_mut() {
            last.end = self.bytes.len();
        }
    }

    /// No more than `most` bytes leave at once. The tokens count with the last of an event's pieces.
    pub(crate) fn split(&mut self, most: usize) {
        let mut marks = Vec::with_capacity(self.bytes.len() / most + self.marks.len());
        let (mut from, mut tokens) = (0, 0);
        for mark in &self.marks {
            while mark.end - from > most {
                from += most;
                marks.push(Mark { end: from, tokens, wait_ms: Some(0) });
            }
            (from, tokens) = (mark.end, mark.tokens);
            marks.push(*mark);
        }
        self.marks = marks;
    }

    /// The wait before the first event is filled with comments, as vendors do while a model thinks.
    pub(crate) fn keep_alive(&mut self, first_ms: u64) {
        const COMMENT: &[u8] = b": keep-alive\n\n";
        let mut script = Self::with_capacity(self.bytes.len() + 64, self.marks.len() + 4);
        for _ in 0..KEEP_ALIVES {
            script.event(0, |out| out.extend_from_slice(COMMENT));
            if let Some(mark) = script.marks.last_mut() {
                mark.wait_ms = Some(first_ms / KEEP_ALIVES);
            }
        }
        let before = script.bytes.len();
        script.bytes.append(&mut self.bytes);
        script.marks.extend(self.marks.iter().map(|mark| Mark { end: mark.end + before, ..*mark }));
        *self = script;
    }
}

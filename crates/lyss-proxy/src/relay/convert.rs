//! A stream whose vendor speaks another dialect than the caller.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use lyss_adapters::responses::kept::of_events;
use lyss_adapters::{ChatEvent, Decoder, Fault, Framing, Renderer, Tapped};
use lyss_domain::{FaultKind, TenantId};
use lyss_wire::{JsonArrayFramer, SseFrame, SseFramer, SseOverflow};

use crate::kept::Kept;

/// Largest event of a vendor that is read: a picture comes in one.
const MAX_EVENT_BYTES: usize = 8 << 20;

/// Where items are kept, and for whom.
pub(crate) type Keeper = (Arc<Kept>, TenantId);

/// How the vendor's bytes are cut into events.
enum Framer {
    Events(SseFramer),
    Array(JsonArrayFramer),
}

/// Frames → events → the caller's bytes. Holds one unfinished event.
pub(crate) struct Convert {
    framer: Framer,
    frames: Vec<SseFrame>,
    decoder: Box<dyn Decoder>,
    events: Vec<ChatEvent>,
    renderer: Box<dyn Renderer>,
    /// Towards the caller.
    framing: Framing,
    /// Keeps what the caller may refer to later.
    keeper: Option<Keeper>,
    out: BytesMut,
    seen: Tapped,
}

impl Convert {
    /// `from` is how the vendor frames its answer, `framing` how the caller reads it.
    pub(crate) fn new(
        from: Framing,
        decoder: Box<dyn Decoder>,
        renderer: Box<dyn Renderer>,
        framing: Framing,
        keeper: Option<Keeper>,
    ) -> Self {
        Self {
            framer: Framer::new(from),
            frames: Vec::new(),
            decoder,
            events: Vec::new(),
            renderer,
            framing,
            keeper,
            out: BytesMut::new(),
            seen: Tapped::default(),
        }
    }

    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    /// The error with which this stream ends.
    pub(crate) fn fault(&mut self, fault: &Fault) -> Bytes {
        self.renderer.event(&ChatEvent::Fault(fault.clone()), &mut self.out);
        self.out.split().freeze()
    }

    pub(crate) fn seen(&self) -> &Tapped {
        &self.seen
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<Bytes, Fault> {
        self.framer.feed(bytes, &mut self.frames).map_err(|_| too_large())?;
        self.decode()?;
        Ok(self.render())
    }

    pub(crate) fn finish(&mut self) -> Result<Bytes, Fault> {
        self.framer.finish(&mut self.frames).map_err(|_| too_large())?;
        self.decode()?;
        self.decoder.finish(&mut self.events)?;
        Ok(self.render())
    }

    fn decode(&mut self) -> Result<(), Fault> {
        let decoder = &mut self.decoder;
        let events = &mut self.events;
        self.frames.drain(..).try_for_each(|frame| decoder.feed(&frame, events))
    }

    fn render(&mut self) -> Bytes {
        for event in self.events.drain(..) {
            self.seen.started = true;
            match &event {
                ChatEvent::Usage(usage) => self.seen.usage = Some(*usage),
                ChatEvent::End => self.seen.ended = true,
                ChatEvent::Fault(fault) => {
                    // Shown by the relay, in the caller's words; nothing follows it.
                    self.seen.fault = Some(fault.clone());
                    continue;
                }
                content if content.is_content() => {
                    self.seen.content = true;
                    self.seen.events += 1;
                    self.seen.generated_bytes += content.generated_bytes() as u64;
                }
                _ => {}
            }
            if self.seen.fault.is_none() {
                self.renderer.event(&event, &mut self.out);
            }
        }
        let out = self.out.split().freeze();
        if let Some((kept, tenant)) = &self.keeper {
            kept.put(*tenant, of_events(&out));
        }
        out
    }
}

impl Framer {
    fn new(framing: Framing) -> Self {
        match framing {
            Framing::Events => Self::Events(SseFramer::new(MAX_EVENT_BYTES)),
            Framing::Array => Self::Array(JsonArrayFramer::new(MAX_EVENT_BYTES)),
        }
    }

    fn feed(&mut self, bytes: &[u8], out: &mut Vec<SseFrame>) -> Result<(), SseOverflow> {
        match self {
            Self::Events(framer) => framer.feed(bytes, out),
            Self::Array(framer) => framer.feed(bytes, out),
        }
    }

    fn finish(&mut self, out: &mut Vec<SseFrame>) -> Result<(), SseOverflow> {
        match self {
            Self::Events(framer) => framer.finish(out),
            Self::Array(framer) => {
                framer.finish(out);
                Ok(())
            }
        }
    }
}

fn too_large() -> Fault {
    Fault::new(FaultKind::Protocol, "The upstream sent an event larger than 8 MiB.")
}

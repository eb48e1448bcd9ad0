//! OpenAI responses, as in the vendor's API reference ("Responses", "Streaming events"), both sides.
//!
//! An answer here is a list of items: reasoning, messages, calls. One assistant turn of the canonical conversation is a
//! run of such items. What the vendor keeps between calls (`previous_response_id`, `conversation`, stored prompts) is
//! not there for another vendor and is refused.

mod call_id;
#[cfg(test)]
mod damaged;
mod decode;
mod decoder;
mod encode;
mod fault;
pub mod kept;
mod names;
mod output;
mod parse;
#[cfg(test)]
mod recorded;
mod render;
mod renderer;
mod splice;
mod tap;
mod usage;
mod wire;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use lyss_domain::{CapabilitySet, TokenUsage};
use lyss_wire::RequestBody;

use crate::conversation::{ChatCall, ChatReply, Loss};
use crate::dialect::{
    CallerSide, Decoder, Encoded, Encoding, PassSide, Renderer, Rendering, Tap, Unsayable, VendorSide,
};
use crate::models::of_dialect;
use crate::scan::Ask;
use crate::splice::Splices;
use crate::tap::StreamTap;
use crate::{Dialect, Fault};

/// Towards callers.
pub struct Caller;

/// Towards OpenAI and Azure OpenAI.
pub struct Vendor;

/// From a caller of responses to a vendor of responses, byte for byte.
pub struct Pass;

impl CallerSide for Caller {
    fn parse(&self, ask: &Ask) -> Result<ChatCall, Fault> {
        parse::parse(ask)
    }

    fn path(&self, loss: &Loss) -> String {
        names::path(loss)
    }

    fn render(&self, reply: &ChatReply, rendering: &Rendering) -> Bytes {
        render::render(reply, rendering)
    }

    fn renderer(&self, rendering: &Rendering) -> Box<dyn Renderer> {
        Box::new(renderer::ResponseRenderer::new(rendering))
    }

    fn render_fault(&self, fault: &Fault) -> Bytes {
        fault::render(fault)
    }

    fn render_stream_fault(&self, fault: &Fault) -> Bytes {
        fault::render_stream(fault, None)
    }
}

impl VendorSide for Vendor {
    fn capabilities(&self) -> CapabilitySet {
        of_dialect(Dialect::OpenAiResponses)
    }

    fn encode(&self, call: &ChatCall, encoding: &Encoding<'_>) -> Result<Encoded, Unsayable> {
        encode::encode(call, encoding)
    }

    fn decode(&self, body: &[u8]) -> Result<ChatReply, Fault> {
        decode::decode(body)
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(decoder::ResponseDecoder::default())
    }

    fn read_fault(&self, status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Fault {
        fault::read(status, headers, body)
    }
}

impl PassSide for Pass {
    fn splice(&self, ask: &Ask, splices: &Splices<'_>) -> RequestBody {
        splice::splice(ask, splices)
    }

    fn read_usage(&self, body: &[u8]) -> Option<TokenUsage> {
        usage::of_response(body)
    }

    /// Usage always stands in the last event, so there is never anything to hide.
    fn tap(&self, _hide_usage: bool) -> Box<dyn Tap> {
        Box::new(StreamTap::new(tap::EventLook))
    }
}

//! OpenAI chat completions, as in the vendor's API reference ("Chat", "Chat streaming"), both sides.

mod decode;
mod decoder;
mod details;
mod encode;
mod fault;
mod names;
mod parse;
mod pieces;
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

/// Towards OpenAI and every vendor that speaks its dialect.
pub struct Vendor;

/// From an OpenAI caller to an OpenAI-speaking vendor, byte for byte.
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
        Box::new(renderer::ChatRenderer::new(rendering))
    }

    fn render_fault(&self, fault: &Fault) -> Bytes {
        fault::render(fault)
    }

    fn render_stream_fault(&self, fault: &Fault) -> Bytes {
        fault::render_stream(fault)
    }
}

impl VendorSide for Vendor {
    fn capabilities(&self) -> CapabilitySet {
        of_dialect(Dialect::OpenAiChat)
    }

    fn encode(&self, call: &ChatCall, encoding: &Encoding<'_>) -> Result<Encoded, Unsayable> {
        encode::encode(call, encoding)
    }

    fn decode(&self, body: &[u8]) -> Result<ChatReply, Fault> {
        decode::decode(body)
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(decoder::ChatDecoder::default())
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
        tap::usage_of_reply(body)
    }

    fn tap(&self, hide_usage: bool) -> Box<dyn Tap> {
        Box::new(StreamTap::new(tap::ChunkLook { hide_usage }))
    }
}

//! Anthropic messages, as in the vendor's API reference ("Messages", "Streaming messages", "Errors", "Count tokens in a
//! Message"), both sides.

mod citation;
mod count;
mod decode;
mod decoder;
mod encode;
mod fault;
mod names;
mod parse;
mod render;
mod renderer;
mod shapes;
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
    CallerSide, CountSide, Decoder, Encoded, Encoding, PassSide, Renderer, Rendering, Tap, Unsayable,
    VendorSide,
};
use crate::models::of_dialect;
use crate::scan::Ask;
use crate::splice::Splices;
use crate::tap::StreamTap;
use crate::{Dialect, Fault};

/// Towards callers.
pub struct Caller;

/// Towards Anthropic.
pub struct Vendor;

/// From an Anthropic caller to Anthropic, byte for byte.
pub struct Pass;

/// Counting a prompt's tokens.
pub struct Count;

impl CountSide for Count {
    fn question(&self, call: &ChatCall, encoding: &Encoding<'_>) -> Result<Encoded, Unsayable> {
        encode::count_body(call, encoding)
    }

    fn read(&self, body: &[u8]) -> Result<u64, Fault> {
        count::read(body)
    }

    fn render(&self, tokens: u64) -> Bytes {
        count::render(tokens)
    }
}

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
        Box::new(renderer::MessagesRenderer::new(rendering))
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
        of_dialect(Dialect::AnthropicMessages)
    }

    fn encode(&self, call: &ChatCall, encoding: &Encoding<'_>) -> Result<Encoded, Unsayable> {
        encode::encode(call, encoding)
    }

    fn decode(&self, body: &[u8]) -> Result<ChatReply, Fault> {
        decode::decode(body)
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(decoder::MessagesDecoder::default())
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

    fn tap(&self, _hide_usage: bool) -> Box<dyn Tap> {
        Box::new(StreamTap::new(tap::EventLook::default()))
    }
}

#[cfg(test)]
mod tests;

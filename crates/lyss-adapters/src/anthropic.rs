//! Anthropic messages, as in the vendor's API reference ("Messages", "Streaming messages", "Errors"). Towards vendors.

mod decode;
mod decoder;
mod encode;
mod fault;
mod wire;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use lyss_domain::{Capability, CapabilitySet};

use crate::Fault;
use crate::conversation::{ChatCall, ChatReply};
use crate::dialect::{Decoder, Encoded, Encoding, Unsayable, VendorSide};

/// Towards Anthropic.
pub struct Vendor;

impl VendorSide for Vendor {
    fn capabilities(&self) -> CapabilitySet {
        CapabilitySet::of(&[
            Capability::Chat,
            Capability::Stream,
            Capability::Tools,
            Capability::ParallelTools,
        ])
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

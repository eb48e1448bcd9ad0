//! The seam: a wire format towards callers, towards vendors, or both. A format that lacks a side is absent from the
//! table below; there are no default bodies.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use lyss_domain::{CapabilitySet, ProviderKind, Timestamp, TokenUsage};
use lyss_wire::{RequestBody, SseFrame};

use crate::conversation::{ChatCall, ChatEvent, ChatReply};
use crate::scan::Ask;
use crate::splice::Splices;
use crate::{Fault, anthropic, openai};

/// A wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI chat completions; DeepSeek, Azure OpenAI and all compatible vendors speak it.
    OpenAiChat,
    /// Anthropic messages.
    AnthropicMessages,
}

impl Dialect {
    /// What a provider of this kind speaks; `None`: not yet supported.
    pub const fn of(kind: ProviderKind) -> Option<Self> {
        match kind {
            ProviderKind::OpenAi
            | ProviderKind::DeepSeek
            | ProviderKind::AzureOpenAi
            | ProviderKind::OpenAiCompatible => Some(Self::OpenAiChat),
            ProviderKind::Anthropic => Some(Self::AnthropicMessages),
            ProviderKind::Google => None,
        }
    }

    /// The side towards callers.
    pub fn caller(self) -> Option<&'static dyn CallerSide> {
        match self {
            Self::OpenAiChat => Some(&openai::Caller),
            Self::AnthropicMessages => None,
        }
    }

    /// What both sides speaking it allows.
    pub fn pass(self) -> Option<&'static dyn PassSide> {
        match self {
            Self::OpenAiChat => Some(&openai::Pass),
            Self::AnthropicMessages => None,
        }
    }

    /// The side towards vendors.
    pub fn vendor(self) -> Option<&'static dyn VendorSide> {
        match self {
            Self::OpenAiChat => Some(&openai::Vendor),
            Self::AnthropicMessages => Some(&anthropic::Vendor),
        }
    }
}

/// What a renderer must know that no event tells.
#[derive(Clone, Debug)]
pub struct Rendering {
    /// The answer's moment of creation.
    pub created: Timestamp,
    /// The caller asked for usage in the stream.
    pub include_usage: bool,
}

/// Towards callers.
pub trait CallerSide: Sync {
    /// Reads a request body whole; the fault names the field.
    fn parse(&self, body: &[u8]) -> Result<ChatCall, Fault>;

    /// Writes a whole answer.
    fn render(&self, reply: &ChatReply, rendering: &Rendering) -> Bytes;

    /// A writer for one streamed answer.
    fn renderer(&self, rendering: &Rendering) -> Box<dyn Renderer>;

    /// The dialect's error object, as the body of a non-stream answer.
    fn render_fault(&self, fault: &Fault) -> Bytes;

    /// The dialect's error inside a stream that has begun; never followed by an end marker.
    fn render_stream_fault(&self, fault: &Fault) -> Bytes;
}

/// Writes one stream in a caller's dialect, holding to that dialect's grammar.
pub trait Renderer: Send {
    /// Appends the bytes of an event; an event that the dialect does not show appends nothing.
    fn event(&mut self, event: &ChatEvent, out: &mut BytesMut);
}

/// What an encoder made of a conversation.
#[derive(Debug)]
pub struct Encoded {
    pub body: Bytes,
    /// Paths of fields that this dialect cannot express and that were left out.
    pub losses: Vec<String>,
}

/// Towards vendors.
pub trait VendorSide: Sync {
    /// What can be said in this dialect.
    fn capabilities(&self) -> CapabilitySet;

    /// Writes a conversation for `model`. `output_limit` is written where the caller set none.
    fn encode(&self, call: &ChatCall, model: &str, output_limit: Option<u64>) -> Result<Encoded, Fault>;

    /// Reads a whole 2xx answer.
    fn decode(&self, body: &[u8]) -> Result<ChatReply, Fault>;

    /// A reader for one streamed answer.
    fn decoder(&self) -> Box<dyn Decoder>;

    /// Reads an answer that is not 2xx. The body may be HTML, empty, cut or not UTF-8.
    fn read_fault(&self, status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Fault;
}

/// For a dialect spoken on both sides: the bytes go through, nothing is parsed and written anew.
pub trait PassSide: Sync {
    /// The request body with the few bytes changed that must be.
    fn splice(&self, ask: &Ask, splices: &Splices<'_>) -> RequestBody;

    /// Usage of a whole 2xx answer.
    fn read_usage(&self, body: &[u8]) -> Option<TokenUsage>;

    /// Watches one stream. `hide_usage`: the usage chunk was asked for by us and is taken out again.
    fn tap(&self, hide_usage: bool) -> Box<dyn Tap>;
}

/// Reads one stream of a vendor, bounded in memory. Unknown events and fields are passed over.
pub trait Decoder: Send {
    /// Appends what a frame says.
    fn feed(&mut self, frame: &SseFrame, out: &mut Vec<ChatEvent>) -> Result<(), Fault>;

    /// The bytes are over. Appends nothing after a fault; whether [`ChatEvent::End`] came decides completeness.
    fn finish(&mut self, out: &mut Vec<ChatEvent>) -> Result<(), Fault>;
}

/// What a tap has seen so far.
#[derive(Clone, Debug, Default)]
pub struct Tapped {
    /// The vendor's own count.
    pub usage: Option<TokenUsage>,
    /// An event has passed, so this is a stream of the dialect.
    pub started: bool,
    /// Something a reader would see has passed.
    pub content: bool,
    /// Events with generated text, and the bytes of that text: the basis of an estimate.
    pub events: u64,
    pub generated_bytes: u64,
    /// The end marker has passed.
    pub ended: bool,
    /// An error object stood inside the stream.
    pub fault: Option<Fault>,
}

/// Watches bytes go by. Holds back the unfinished event at the end of what it was given, so that an error or a
/// heartbeat of ours never lands inside one.
pub trait Tap: Send {
    /// Takes the next bytes of the body and answers those that may go on.
    fn feed(&mut self, bytes: Bytes) -> Bytes;

    /// The bytes are over, and the answer was complete: looks into what was held back and answers it.
    fn finish(&mut self) -> Bytes;

    fn tapped(&self) -> &Tapped;

    /// True when what went on so far ends between two events. False only inside an event too long to hold.
    fn at_boundary(&self) -> bool;
}

//! The seam: a wire format towards callers, towards vendors, or both. A format that lacks a side is absent from the
//! table below; there are no default bodies.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use lyss_domain::{CapabilitySet, ProviderKind, Timestamp, TokenUsage};
use lyss_wire::{RequestBody, SseFrame};

use crate::conversation::{ChatCall, ChatEvent, ChatReply, Loss};
use crate::quirks::Quirks;
use crate::scan::{Ask, Framing};
use crate::splice::Splices;
use crate::target::Endpoint;
use crate::{Fault, anthropic, google, openai, responses};

/// A wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// OpenAI chat completions; DeepSeek, Azure OpenAI and all compatible vendors speak it.
    OpenAiChat,
    /// OpenAI responses; Azure OpenAI speaks it too.
    OpenAiResponses,
    /// Anthropic messages.
    AnthropicMessages,
    /// Google `generateContent` and `streamGenerateContent`.
    GoogleGenerate,
}

impl Dialect {
    pub const ALL: [Self; 4] =
        [Self::OpenAiChat, Self::OpenAiResponses, Self::AnthropicMessages, Self::GoogleGenerate];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai_chat",
            Self::OpenAiResponses => "openai_responses",
            Self::AnthropicMessages => "anthropic_messages",
            Self::GoogleGenerate => "google_generate",
        }
    }

    /// What a provider of this kind speaks, the usual one first.
    pub const fn spoken_by(kind: ProviderKind) -> &'static [Self] {
        match kind {
            ProviderKind::OpenAi | ProviderKind::AzureOpenAi => &[Self::OpenAiChat, Self::OpenAiResponses],
            ProviderKind::DeepSeek | ProviderKind::OpenAiCompatible => &[Self::OpenAiChat],
            ProviderKind::Anthropic => &[Self::AnthropicMessages],
            ProviderKind::Google => &[Self::GoogleGenerate],
        }
    }

    /// Where a call in this dialect goes.
    pub const fn endpoint(self, stream: bool) -> Endpoint {
        match self {
            Self::OpenAiChat => Endpoint::ChatCompletions,
            Self::OpenAiResponses => Endpoint::Responses,
            Self::AnthropicMessages => Endpoint::Messages,
            Self::GoogleGenerate => Endpoint::Generate { stream },
        }
    }

    /// The side towards callers.
    pub fn caller(self) -> Option<&'static dyn CallerSide> {
        match self {
            Self::OpenAiChat => Some(&openai::Caller),
            Self::OpenAiResponses => Some(&responses::Caller),
            Self::AnthropicMessages => Some(&anthropic::Caller),
            Self::GoogleGenerate => Some(&google::Caller),
        }
    }

    /// What both sides speaking it allows.
    pub fn pass(self) -> Option<&'static dyn PassSide> {
        match self {
            Self::OpenAiChat => Some(&openai::Pass),
            Self::OpenAiResponses => Some(&responses::Pass),
            Self::AnthropicMessages => Some(&anthropic::Pass),
            Self::GoogleGenerate => Some(&google::Pass),
        }
    }

    /// How a prompt's tokens are counted; `None`: the dialect has no such call.
    pub fn count(self) -> Option<&'static dyn CountSide> {
        match self {
            Self::AnthropicMessages => Some(&anthropic::Count),
            Self::GoogleGenerate => Some(&google::Count),
            Self::OpenAiChat | Self::OpenAiResponses => None,
        }
    }

    /// Where a count in this dialect goes.
    pub const fn count_endpoint(self) -> Option<Endpoint> {
        match self {
            Self::AnthropicMessages => Some(Endpoint::CountMessages),
            Self::GoogleGenerate => Some(Endpoint::CountTokens),
            Self::OpenAiChat | Self::OpenAiResponses => None,
        }
    }

    /// The side towards vendors.
    pub fn vendor(self) -> Option<&'static dyn VendorSide> {
        match self {
            Self::OpenAiChat => Some(&openai::Vendor),
            Self::OpenAiResponses => Some(&responses::Vendor),
            Self::AnthropicMessages => Some(&anthropic::Vendor),
            Self::GoogleGenerate => Some(&google::Vendor),
        }
    }
}

/// What a renderer must know that no event tells.
#[derive(Clone, Debug)]
pub struct Rendering {
    /// The answer's moment of creation, where the vendor says none.
    pub created: Timestamp,
    /// The caller asked for usage in the stream.
    pub include_usage: bool,
    /// How a stream is framed towards the caller.
    pub framing: Framing,
    /// The model as the caller asked for it: shown where the vendor names none.
    pub model: String,
    /// The caller's own body, for a dialect whose answers repeat the request.
    pub request: Bytes,
}

impl Rendering {
    /// Of an answer made at this moment, with nothing else known.
    pub fn at(created: Timestamp) -> Self {
        Self {
            created,
            include_usage: false,
            framing: Framing::default(),
            model: String::new(),
            request: Bytes::new(),
        }
    }
}

/// Towards callers.
pub trait CallerSide: Sync {
    /// Reads a request whole; the fault names the field by its path.
    fn parse(&self, ask: &Ask) -> Result<ChatCall, Fault>;

    /// The name of a loss: a path in the caller's own request.
    fn path(&self, loss: &Loss) -> String;

    /// Writes a whole answer.
    fn render(&self, reply: &ChatReply, rendering: &Rendering) -> Bytes;

    /// A writer for one streamed answer.
    fn renderer(&self, rendering: &Rendering) -> Box<dyn Renderer>;

    /// The dialect's error object, as the body of a non-stream answer.
    fn render_fault(&self, fault: &Fault) -> Bytes;

    /// The dialect's error inside a stream of passing events that has begun; never followed by an end marker.
    fn render_stream_fault(&self, fault: &Fault) -> Bytes;
}

/// Writes one stream in a caller's dialect, holding to that dialect's grammar whatever events come in whatever order.
/// [`ChatEvent::Fault`] writes the dialect's error and [`ChatEvent::End`] its end; nothing follows either.
pub trait Renderer: Send {
    /// Appends the bytes of an event; an event that the dialect does not show appends nothing.
    fn event(&mut self, event: &ChatEvent, out: &mut BytesMut);
}

/// For whom a conversation is written.
#[derive(Clone, Copy, Debug)]
pub struct Encoding<'a> {
    /// As the vendor knows it.
    pub model: &'a str,
    /// Written where the caller set no output limit.
    pub output_limit: Option<u64>,
    /// How the vendor differs from the dialect's own.
    pub quirks: &'a Quirks,
}

impl<'a> Encoding<'a> {
    /// For a vendor without quirks.
    pub const fn plain(model: &'a str) -> Self {
        Self { model, output_limit: None, quirks: &Quirks::OPENAI }
    }
}

/// What an encoder made of a conversation.
#[derive(Debug)]
pub struct Encoded {
    pub body: Bytes,
    /// What this dialect or this vendor cannot be told and was left out.
    pub losses: Vec<Loss>,
    /// Headers that the body needs, such as a beta's name; added to the target's own.
    pub headers: Vec<(&'static str, &'static str)>,
}

/// Something of a request that this dialect cannot say and that must not be dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsayable {
    /// Where it stands; the caller's side names it.
    pub at: Option<Loss>,
    /// A sentence for the caller, without the path: "Audio cannot be sent to this model's vendor."
    pub message: String,
}

impl Unsayable {
    pub fn new(at: impl Into<Loss>, message: impl Into<String>) -> Self {
        Self { at: Some(at.into()), message: message.into() }
    }

    /// The caller's fault, with the path in its own dialect.
    pub fn into_fault(self, caller: &dyn CallerSide) -> Fault {
        match self.at.map(|loss| caller.path(&loss)) {
            Some(path) => Fault::bad_request(format!("`{path}`: {}", self.message), Some(&path)),
            None => Fault::bad_request(self.message, None),
        }
    }
}

/// Towards vendors.
pub trait VendorSide: Sync {
    /// What can be said in this dialect.
    fn capabilities(&self) -> CapabilitySet;

    /// Writes a conversation. What cannot be left out without changing its meaning is no loss but refused.
    fn encode(&self, call: &ChatCall, encoding: &Encoding<'_>) -> Result<Encoded, Unsayable>;

    /// Reads a whole 2xx answer.
    fn decode(&self, body: &[u8]) -> Result<ChatReply, Fault>;

    /// A reader for one streamed answer.
    fn decoder(&self) -> Box<dyn Decoder>;

    /// Reads an answer that is not 2xx. The body may be HTML, empty, cut or not UTF-8.
    fn read_fault(&self, status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Fault;
}

/// Counting a prompt's tokens, on both sides.
pub trait CountSide: Sync {
    /// Writes the question for a vendor.
    fn question(&self, call: &ChatCall, encoding: &Encoding<'_>) -> Result<Encoded, Unsayable>;

    /// Reads a 2xx answer.
    fn read(&self, body: &[u8]) -> Result<u64, Fault>;

    /// Writes the answer to a caller.
    fn render(&self, tokens: u64) -> Bytes;
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

//! Simulated LLM vendors on loopback, for the demo, the tests and the load tests.
//!
//! Every vendor has its own listener, so that one can be stopped alone. What they say is written as literal templates
//! from the vendors' public references. This crate must never use `lyss-adapters` or any other room of the house: if
//! both sides shared a codec, a misreading of the wire format would agree with itself and no test could fail.
//! It knows no tenant, no price and no real key; nothing here leaves 127.0.0.1.
//!
//! Answers are deterministic: the text follows from a hash of the model and the last user text. Only the ids in an
//! answer count up. Times (`created`, reset headers) are fixed instants in the past, so nothing reads a clock; only paces
//! and rate windows pass in real time.
//!
//! # What a call needs
//!
//! | vendor | address ([`Sandbox::api_base`]) | key | model |
//! |---|---|---|---|
//! | OpenAI | `http://127.0.0.1:PORT/v1` | `Authorization: Bearer` | [`Vendor::models`] |
//! | Azure OpenAI | bare host | `api-key`, and `?api-version=` | any deployment |
//! | DeepSeek | bare host | `Authorization: Bearer` | [`Vendor::models`] |
//! | Anthropic | bare host | `x-api-key`, and `anthropic-version` | [`Vendor::models`] |
//! | Google | bare host (`/v1beta` and `/v1`) | `x-goog-api-key`, or `?key=` | [`Vendor::models`] |
//!
//! A key is accepted when it begins with `sk-sandbox-`. Tokens are counted as [`prompt_tokens`] says; an answer's
//! tokens are its words, one each, and for a tool call one for its name and one for each piece of its arguments.
//!
//! A picture counts 85 tokens with OpenAI, 400 with Anthropic, 258 with Google; a file 100, 1500 (a document without
//! text) and 258; a second of sound, which every recording is taken for, 20 with OpenAI and 32 with Google.
//!
//! # What is remembered
//!
//! Nothing, between two calls, but the rate windows that a knob asks for. What a vendor would know again it knows by its own mark: signed thinking (Anthropic),
//! thought signatures (Google) and encrypted reasoning (OpenAI) carry a hash, and any other is refused as the vendor
//! refuses it. OpenAI's responses know no `previous_response_id`. A prompt's part before the last `cache_control`
//! (Anthropic) counts as written to the cache in the first turn and as read from it in later ones; OpenAI and Azure
//! take every whole block of 128 tokens for cached in prompts of 1024 and more, DeepSeek every block of 64.
//!
//! # Operations
//!
//! | vendor | operations |
//! |---|---|
//! | OpenAI | `chat/completions`, `responses`, `embeddings`, `completions`, `moderations`, `images/generations`, `images/edits`, `audio/speech`, `audio/transcriptions`, `rerank`, `models` |
//! | Azure OpenAI | the same but `responses` under `/openai/deployments/{name}/`, all of them under `/openai/v1/`, and `/openai/responses` |
//! | DeepSeek | `chat/completions`, `models` |
//! | Anthropic | `messages`, `messages/count_tokens`, `models` |
//! | Google | `generateContent`, `streamGenerateContent` (an array, or events with `alt=sse`), `countTokens`, `embedContent`, `batchEmbedContents`, `models` |
//!
//! # Knobs
//!
//! A model name (for Azure: the deployment) may carry `+knob=value` segments: `gpt-4o-mini+first_ms=200+gap_ms=20`.
//! The answer's `model` is the name without them. A knob that is unknown or unreadable is a 400, so that a typing
//! mistake in a test is seen.
//!
//! | knob | effect |
//! |---|---|
//! | `first_ms=N` | waits N ms before the response head (before anything, also before an error or a reset) |
//! | `gap_ms=N` | waits N ms between two events of a stream; overrides [`SandboxConfig::gap_ms`] |
//! | `words=N` | the text has N words (at most 100000) |
//! | `status=N` | the vendor's own error with status 400, 401, 402, 403, 404, 408, 409, 413, 429, 500, 502, 503 or 529 |
//! | `quota` | the vendor's own "no money left" error (OpenAI, Azure, Google 429; DeepSeek 402; Anthropic 400) |
//! | `blocked` | the prompt is against the vendor's policy: 400, Azure's with its filter's results; Google's 200 without candidates |
//! | `retry_after=S` | adds `Retry-After: S` to whatever is answered (Azure adds `retry-after-ms`); Google's refusals say it as `RetryInfo` instead |
//! | `wait=date` | `retry_after` as a date, measured from the answer's own `date` |
//! | `wait=ms` | as `retry-after-ms` alone |
//! | `wait=reset` | as the vendor's rate limit headers, of which one is used up and says when it is full again (where it has none: as OpenAI's) |
//! | `wait=body` | in the error object alone: Google's `RetryInfo`, else in its message |
//! | `window_requests=N`, `window_tokens=N` | a rate window of the key and the model with these very knobs: 429 to what does not fit |
//! | `window_ms=N` | its length from its first call on (60000) |
//! | `tell=header`, `=body`, `=none` | where the window is told of: in the vendor's rate limit headers, with every answer (the default); in the 429's error object alone; nowhere |
//! | `reset=head` | closes the connection before any byte of the response |
//! | `reset=body` | closes it after the head, before any byte of the body |
//! | `rst` | whatever closes the connection resets it (TCP RST), where it would be closed in good order |
//! | `drop_ms=N` | the connection is closed N ms after the answer's head, whatever is under way on it, unannounced |
//! | `cut_events=N` | closes it after N events, without the end of the chunked body |
//! | `cut_bytes=N` | closes it after N bytes of the body, streamed or not |
//! | `stall_events=N` | goes silent after N events and keeps the connection open |
//! | `error_event=N` | after N events of a stream the vendor's error object, then an orderly end without `[DONE]`; with 0 also a whole answer is that object, with status 200 |
//! | `empty` | 200 and an event stream without any event, orderly ended |
//! | `garbage` | 200 and a page of HTML |
//! | `finish=length` | half the text, ended as by the limit |
//! | `finish=content_filter` | half the text, stopped by the filter (Anthropic: `refusal`; Google: `SAFETY`) |
//! | `finish=refusal` | the model declines, in the vendor's field for it where there is one (Google: `PROHIBITED_CONTENT`) |
//! | `finish=pause` | Anthropic's `pause_turn`; the others end as usual |
//! | `finish=malformed` | Google's `MALFORMED_FUNCTION_CALL`, without content; the others end as usual, without content |
//! | `think` | the answer is thought about, whatever the model and the caller say |
//! | `thoughts=N` | the same in N words |
//! | `redacted` | the same, and Anthropic's comes as `redacted_thinking` |
//! | `tools=N` | N parallel calls of the tools offered, in turn (at most 128) |
//! | `sse=crlf`, `sse=cr` | the lines of an event stream end so |
//! | `sse=bom` | it begins with a byte order mark |
//! | `sse=comments` | comments and a `retry` line before every event |
//! | `sse=multiline` | every object is spread over two `data` lines |
//! | `sse=nofinal` | the last event's blank line is missing |
//! | `encoding=gzip`, `=deflate`, `=br` | the answer is compressed, each event flushed; cuts then count compressed bytes |
//! | `keepalive` | the head leaves at once, and comments are sent while `first_ms` passes |
//! | `split=N` | no more than N bytes leave at once; `cut_events` and `stall_events` then count such pieces |
//!
//! An answer that is not streamed counts as one event. A count beyond the answer's length changes nothing. `[DONE]`
//! and Anthropic's `ping` are events too.
//!
//! # Where to start reading
//!
//! `server.rs` (one connection, one request), then `openai.rs`, `responses.rs`, `anthropic.rs`, `google.rs` or
//! `operations.rs` (what is refused and what is said), `answer.rs` (what there is to say, without a wire), `stream.rs`
//! (how it leaves: paced, cut or stalled, and in which bytes).
//!
//! To add a vendor of OpenAI's kind: a [`Vendor`] variant with its paths in `vendor.rs`, one `Wire` table in
//! `openai/wire.rs`, its error shape in `refusal.rs`. To add a knob: one field and one arm in `knobs.rs`, its effect
//! in `server.rs`, a row above. Another wire format is one more file beside `anthropic.rs`.

mod answer;
mod anthropic;
mod google;
mod knobs;
mod openai;
mod operations;
mod reading;
mod refusal;
mod request;
mod responses;
mod schema;
mod seal;
mod server;
mod stats;
mod stream;
mod template;
mod text;
mod vendor;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use server::Stall;

pub use request::prompt_tokens;
pub use stats::{SeenRequest, VendorStats};
pub use vendor::Vendor;

/// What every accepted key begins with.
pub const KEY_PREFIX: &str = "sk-sandbox-";

/// What to start. The default starts all vendors on free ports, unpaced, recording nothing.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    pub vendors: Vec<Vendor>,
    /// Fixed ports; a vendor without an entry, or with 0, gets a free one.
    pub ports: BTreeMap<Vendor, u16>,
    /// Pace between two events of every stream whose model does not say otherwise; 0 for none.
    pub gap_ms: u64,
    /// Keeps the last requests of every vendor for [`Sandbox::requests`]. Off for load tests.
    pub record: bool,
}

/// The running vendors. Dropping it stops them all.
#[derive(Debug)]
pub struct Sandbox {
    stalls: BTreeMap<Vendor, Stall>,
}

/// Binds every vendor of `config` on 127.0.0.1 and serves on the current tokio runtime.
///
/// # Errors
/// When a port cannot be bound; nothing keeps running then.
pub async fn start(config: SandboxConfig) -> io::Result<Sandbox> {
    let mut stalls = BTreeMap::new();
    for &vendor in &config.vendors {
        let port = config.ports.get(&vendor).copied().unwrap_or(0);
        stalls.insert(vendor, Stall::open(vendor, port, &config).await?);
    }
    Ok(Sandbox { stalls })
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self { vendors: Vendor::ALL.to_vec(), ports: BTreeMap::new(), gap_ms: 0, record: false }
    }
}

impl Sandbox {
    /// Where the vendor listens; also after [`Sandbox::stop_vendor`], as connections there are then refused.
    /// `None` if it was not asked for at the start.
    pub fn addr(&self, vendor: Vendor) -> Option<SocketAddr> {
        self.stalls.get(&vendor).map(Stall::addr)
    }

    /// The address the vendor's own SDK would be given: OpenAI `http://127.0.0.1:PORT/v1`, the others the bare host
    /// (Google's SDKs add `/v1beta`).
    pub fn api_base(&self, vendor: Vendor) -> Option<String> {
        self.addr(vendor).map(|addr| format!("http://{addr}{}", vendor.base_path()))
    }

    /// Closes the vendor's listener and every open connection, and returns when both are gone.
    pub async fn stop_vendor(&mut self, vendor: Vendor) {
        if let Some(stall) = self.stalls.get_mut(&vendor) {
            stall.close().await;
        }
    }

    /// Opens a stopped vendor again on the same port, with its figures kept. Nothing happens if it is open.
    ///
    /// # Errors
    /// When somebody else took the port meanwhile.
    pub async fn start_vendor(&mut self, vendor: Vendor) -> io::Result<()> {
        match self.stalls.get_mut(&vendor) {
            Some(stall) => stall.reopen().await,
            None => Ok(()),
        }
    }

    /// Stops all vendors and returns when their listeners and connections are gone.
    pub async fn stop(mut self) {
        for stall in self.stalls.values_mut() {
            stall.close().await;
        }
    }

    /// The vendor's figures since the start; all zero if it was not asked for.
    pub fn stats(&self, vendor: Vendor) -> VendorStats {
        self.stalls.get(&vendor).map(Stall::stats).unwrap_or_default()
    }

    /// The vendor's last requests (at most 64), oldest first. Empty unless [`SandboxConfig::record`] is set.
    pub fn requests(&self, vendor: Vendor) -> Vec<SeenRequest> {
        self.stalls.get(&vendor).map(Stall::requests).unwrap_or_default()
    }
}

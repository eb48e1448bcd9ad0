//! Dialects: how callers and vendors write a conversation, and the one canonical form between them.
//!
//! Must never know: a socket, a clock, a database, a runtime, which channel is chosen. A dialect is a pure codec. No
//! request field ever selects a URL, a host, a header or a credential: those come from a [`Target`] alone.
//!
//! Start reading at [`dialect`] (the seam) and [`conversation`] (the canonical form). A body that both sides speak is
//! never parsed: [`scan`] finds the few fields the gateway needs in one pass, [`splice`] changes the few bytes it
//! must, and a [`Tap`](dialect::Tap) reads usage while the answer's bytes pass.
//!
//! To add an OpenAI-compatible vendor: one row in [`preset`] and one fixture folder. To add a wire format: one folder
//! with the same files as `openai/` and `anthropic/`, and one line in [`Dialect::vendor`] or [`Dialect::caller`].

pub mod anthropic;
mod arguments;
pub mod conversation;
pub mod dialect;
pub mod fault;
mod fields;
pub mod google;
pub mod headroom;
mod json_out;
pub mod models;
pub mod multipart;
pub mod openai;
pub mod passing;
pub mod preset;
pub mod probe;
pub mod quirks;
pub mod responses;
pub mod scan;
pub mod splice;
mod tap;
pub mod target;
mod vendor_error;

#[cfg(test)]
mod golden;

// The matrix is drawn by tests here and by an example outside, from the same files: both call this crate by its name.
#[cfg(test)]
extern crate self as lyss_adapters;

pub use conversation::{ChatCall, ChatEvent, ChatReply, FinishReason, Loss};
pub use dialect::{
    CallerSide, CountSide, Decoder, Dialect, Encoded, Encoding, PassSide, Renderer, Rendering, Tap, Tapped,
    Unsayable, VendorSide,
};
pub use fault::{Fault, Side};
pub use models::{ModelCard, model_card};
pub use preset::{Preset, Service, Services, presets};
pub use probe::{ProbeClass, probe_request, read_probe};
pub use quirks::Quirks;
pub use scan::{Ask, Errand, Framing, PathWords, ScanError, scan, scan_at};
pub use splice::Splices;
pub use target::{Endpoint, Target, TargetError};

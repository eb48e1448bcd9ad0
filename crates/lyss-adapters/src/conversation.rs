//! The canonical conversation: what every dialect is parsed into when caller and vendor speak differently.
//!
//! Order and grouping are kept as the caller wrote them; merging and reordering, where a vendor insists on it, is the
//! encoder's work. JSON that only passes through (schemas, arguments) stays text. What one dialect alone knows is noted
//! by its parser in [`ChatCall::unmapped`]; what a target cannot say is noted by its encoder as a [`Loss`].
//!
//! Two parts are marks that belong to what stands before them in the same list: [`Part::Citation`] to a text,
//! [`Part::CachePoint`] to anything. A [`Part::Reasoning`] with a seal and no text belongs to what follows it.

mod call;
mod event;
mod loss;
mod part;
mod reply;
mod seal;
mod thinking;
mod tool;

pub use call::{ChatCall, Origin, OutputFormat, Passengers, Role, Turn};
pub use event::ChatEvent;
pub use loss::{Loss, Setting};
pub use part::{CacheLifetime, Citation, CitedPlace, Media, MediaKind, Part, Reasoning, Source};
pub use reply::{ChatReply, Choice, FinishReason, ReplyHead, SafetyLevel, SafetyRating, TokenLogprob};
pub use seal::{Seal, SealKind};
pub use thinking::{Effort, Thinking, ThinkingMode};
pub use tool::{Location, ServerTool, ServerToolKind, Tool, ToolChoice, ToolKind, WebSearch};

//! What replicas share through Redis: hints of how channels fare.
//!
//! Must never know: a call, a tenant's configuration, HTTP. Nothing here stands on the path of a call, and nothing is
//! missed when Redis is away but the others' view: every operation has a budget and then does without.
//!
//! Start reading at [`hints`] (how a round of hints is one exchange), then [`share`], the loop that does it. To share one
//! more thing: a port in the crate that needs it, one file here that implements it over [`Redis`].

pub mod connection;
pub mod hints;
pub mod share;

pub use connection::{Redis, RedisUnavailable};
pub use hints::{HintSettings, RedisHints};
pub use share::Sharing;

//! The pipeline every call walks: admit → plan → attempt → relay → settle. Stages hand over owned values, so nothing
//! is settled twice or forgotten.
//!
//! Must never know: actix, hyper, SQL. It reads one route table from start to end of a call, makes no database call,
//! and holds a plain credential only while one request is being written.
//!
//! Start reading at [`call`] (the walk), then [`attempt`], [`relay`] and [`settle`]. What an administrator configured
//! becomes what a call uses in [`routes`].

pub mod admit;
mod affinity;
pub mod attempt;
pub mod call;
pub mod charge;
pub mod draw;
pub mod estimate;
pub mod explain;
mod failover;
pub mod gate;
pub mod gauges;
pub mod keeping;
mod kept;
pub mod meters;
pub mod models;
pub mod plan;
pub mod probes;
pub mod relay;
pub mod routes;
pub mod settings;
pub mod settle;
pub mod upload;

pub use attempt::Headers;
pub use call::{Answer, AnswerBody, AnswerHead, Failed, InForce, Incoming, Outlet, Parts, Proxy};
pub use explain::{Considered, ExplainAsk, Explanation, Unfit};
pub use gauges::Gauges;
pub use keeping::HealthKeeper;
pub use meters::Meters;
pub use models::ModelEntry;
pub use plan::Steering;
pub use probes::{ProbeSettings, Probed, Prober};
pub use relay::Relay;
pub use routes::RouteTable;
pub use settings::ProxySettings;
pub use upload::{Upload, UploadBody};

pub use lyss_wire::{RestOfBody, UploadError, UploadStream};

//! The integration suite: one binary, so that it links once.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "everything here is a test"
)]

mod aggressor;
mod client_gone;
mod cuts;
mod dialects;
mod failover;
mod faults;
mod gateway;
mod house;
mod http_edges;
mod keeping;
mod limits;
mod manage;
mod probes;
mod process;
mod replay;
mod storage;

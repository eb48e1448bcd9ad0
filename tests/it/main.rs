//! The integration suite: one binary, so that it links once.

mod client_gone;
mod cuts;
mod failover;
mod gateway;
mod house;
mod http_edges;
mod limits;
mod storage;

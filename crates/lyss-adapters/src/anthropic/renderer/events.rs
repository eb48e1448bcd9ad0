//! The events of a stream, as in "Streaming messages".

use serde::Serialize;

use crate::anthropic::citation;
use crate::anthropic::shapes::{Block, Message, StopDetails};
use crate::anthropic::usage::Written;

#[derive(Serialize)]
pub(super) struct MessageStart<'a> {
    pub(super) r#type: &'static str,
    pub(super) message: Message<'a>,
}

#[derive(Serialize)]
pub(super) struct BlockStart<'a> {
    pub(super) r#type: &'static str,
    pub(super) index: u64,
    pub(super) content_block: Block<'a>,
}

#[derive(Serialize)]
pub(super) struct BlockDelta<'a> {
    pub(super) r#type: &'static str,
    pub(super) index: u64,
    pub(super) delta: Delta<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type")]
pub(super) enum Delta<'a> {
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: &'a str },
    #[serde(rename = "citations_delta")]
    Citation { citation: citation::Written<'a> },
    #[serde(rename = "input_json_delta")]
    Json { partial_json: &'a str },
}

#[derive(Serialize)]
pub(super) struct BlockStop {
    pub(super) r#type: &'static str,
    pub(super) index: u64,
}

#[derive(Serialize)]
pub(super) struct MessageDelta<'a> {
    pub(super) r#type: &'static str,
    pub(super) delta: Stop<'a>,
    pub(super) usage: Written,
}

#[derive(Serialize)]
pub(super) struct Stop<'a> {
    pub(super) stop_reason: &'static str,
    pub(super) stop_sequence: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop_details: Option<StopDetails>,
}

#[derive(Serialize)]
pub(super) struct MessageStop {
    pub(super) r#type: &'static str,
}

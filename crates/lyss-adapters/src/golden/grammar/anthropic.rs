//! Message events: `message_start` first and once, blocks one at a time and counted from 0, each delta of its block's
//! own kind, `message_delta` behind the last block, `message_stop` last.

use serde_json::Value;

use super::{Check, Said, require};

/// Which deltas a block may hold.
fn deltas_of(block: &str) -> &'static [&'static str] {
    match block {
        "text" => &["text_delta", "citations_delta"],
        "thinking" => &["thinking_delta", "signature_delta"],
        "tool_use" | "server_tool_use" => &["input_json_delta"],
        _ => &[],
    }
}

#[derive(Default)]
struct State {
    started: bool,
    /// The open block's kind, and how much JSON of a call it holds.
    open: Option<(u64, String)>,
    blocks: u64,
    input: String,
    delta: bool,
    over: bool,
}

pub(super) fn check(events: &[Said]) -> Check {
    let mut state = State::default();
    for said in events {
        require(said.event.as_deref() == said.data["type"].as_str(), "the event's name is not its type")?;
        require(!state.over, "something follows the end")?;
        state.event(&said.data)?;
    }
    Ok(())
}

impl State {
    fn event(&mut self, data: &Value) -> Check {
        let kind = data["type"].as_str().unwrap_or_default();
        match kind {
            "error" => {
                self.over = true;
                return require(
                    data["error"]["type"].is_string() && data["error"]["message"].is_string(),
                    "an error without words",
                );
            }
            "ping" => return Ok(()),
            "message_start" => {
                require(!self.started, "a second message_start")?;
                self.started = true;
                let message = &data["message"];
                require(
                    message["type"] == "message" && message["role"] == "assistant",
                    "no message is started",
                )?;
                require(
                    message["id"].is_string() && message["model"].is_string(),
                    "a message without a head",
                )?;
                return require(
                    message["usage"]["input_tokens"].is_u64() && message["usage"]["output_tokens"].is_u64(),
                    "message_start without usage",
                );
            }
            _ => require(self.started, format!("{kind} before message_start"))?,
        }
        match kind {
            "content_block_start" => {
                require(self.open.is_none() && !self.delta, "a block inside a block or behind the last one")?;
                require(data["index"] == self.blocks, "blocks are counted from 0")?;
                self.input.clear();
                self.open = Some((
                    self.blocks,
                    data["content_block"]["type"].as_str().unwrap_or_default().to_owned(),
                ));
                self.blocks += 1;
            }
            "content_block_delta" => {
                let (at, block) = self.open.as_ref().ok_or("a delta outside its block")?;
                require(data["index"] == *at, "a delta of another block")?;
                let delta = data["delta"]["type"].as_str().unwrap_or_default();
                require(deltas_of(block).contains(&delta), format!("{delta} in a {block}"))?;
                self.input.push_str(data["delta"]["partial_json"].as_str().unwrap_or_default());
            }
            "content_block_stop" => {
                let (at, _) = self.open.take().ok_or("a stop without a block")?;
                require(data["index"] == at, "the stop of another block")?;
            }
            "message_delta" => {
                require(self.open.is_none() && !self.delta, "message_delta inside a block or twice")?;
                self.delta = true;
                require(data["delta"]["stop_reason"].is_string(), "message_delta without a reason")?;
                require(data["usage"]["output_tokens"].is_u64(), "message_delta without usage")?;
            }
            "message_stop" => {
                require(self.delta, "message_stop without message_delta")?;
                self.over = true;
            }
            other => return Err(format!("an event of no name: {other}")),
        }
        Ok(())
    }
}

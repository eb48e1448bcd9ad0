//! One chat request.

use serde_json::value::RawValue;

use super::{Part, ServerTool, Thinking, Tool, ToolChoice};

/// One chat request. `None` and empty lists: the caller said nothing, so the vendor's default holds.
#[derive(Debug, Default)]
pub struct ChatCall {
    /// As the caller asked; the encoder writes the target's model instead.
    pub model: String,
    pub turns: Vec<Turn>,
    /// Functions of the caller. A choice of allowed tools has narrowed this list already.
    pub tools: Vec<Tool>,
    /// Tools that run at the vendor.
    pub server_tools: Vec<ServerTool>,
    pub tool_choice: Option<ToolChoice>,
    pub parallel_tools: Option<bool>,
    pub max_output_tokens: Option<u64>,
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub top_k: Option<u64>,
    pub presence_penalty: Option<f64>,
    pub frequency_penalty: Option<f64>,
    pub seed: Option<i64>,
    pub stop: Vec<String>,
    /// How many answers, where more than one.
    pub candidates: Option<u32>,
    /// Log probabilities are wanted, with so many alternatives a token (0: of the chosen token alone).
    pub logprobs: Option<u32>,
    pub format: Option<OutputFormat>,
    pub thinking: Option<Thinking>,
    /// `low`, `medium` or `high`.
    pub verbosity: Option<String>,
    /// In OpenAI's words: `auto`, `default`, `flex`, `priority` …
    pub service_tier: Option<String>,
    pub stream: bool,
    /// The caller wants usage in the stream. Always true in dialects whose streams always carry it.
    pub include_usage: bool,
    /// An opaque id of the end user, for the vendor's abuse detection.
    pub user: Option<String>,
    /// What OpenAI's two dialects share and no other has.
    pub passengers: Passengers,
    /// Paths of fields that were sent and have no canonical form: reported as lost when another dialect is encoded.
    pub unmapped: Vec<String>,
}

/// Settings that chat completions and responses both know; lost towards everybody else.
#[derive(Debug, Default)]
pub struct Passengers {
    pub store: Option<bool>,
    /// An object of short strings.
    pub metadata: Option<Box<RawValue>>,
    pub prompt_cache_key: Option<String>,
    pub prompt_cache_retention: Option<String>,
    pub safety_identifier: Option<String>,
}

#[derive(Debug)]
pub struct Turn {
    pub role: Role,
    pub parts: Vec<Part>,
    pub origin: Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions of the application: `system` and `developer` alike.
    System,
    User,
    Assistant,
    /// Holds [`Part::ToolResult`] only, and cache points behind them.
    Tool,
}

/// Where in the caller's request a turn stood, for naming what was lost of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The field of its own that the dialect has for instructions.
    Instructions,
    /// The n-th of the list, counted from 0.
    Item(usize),
}

/// What the answer must look like. Plain text is `None` in [`ChatCall::format`].
#[derive(Debug)]
pub enum OutputFormat {
    /// Some JSON object.
    JsonObject,
    JsonSchema {
        /// `None` where the dialect has no names for schemas.
        name: Option<String>,
        description: Option<String>,
        schema: Box<RawValue>,
        strict: Option<bool>,
    },
}

impl ChatCall {
    /// Some text of it says "JSON", which OpenAI's JSON mode insists on.
    pub fn speaks_of_json(&self) -> bool {
        let mut texts = self.turns.iter().flat_map(|turn| &turn.parts).filter_map(|part| match part {
            Part::Text(text) => Some(text),
            _ => None,
        });
        texts.any(|text| text.to_ascii_lowercase().contains("json"))
    }
}

impl Turn {
    pub fn new(role: Role, parts: Vec<Part>, at: usize) -> Self {
        Self { role, parts, origin: Origin::Item(at) }
    }
}

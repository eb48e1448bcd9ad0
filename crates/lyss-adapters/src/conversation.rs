//! The canonical conversation: what every dialect is parsed into when caller and vendor speak differently.
//!
//! Order and grouping are kept as the caller wrote them; merging and reordering, where a vendor insists on it, is the
//! encoder's work. JSON that only passes through (schemas, arguments) stays text.

use lyss_domain::TokenUsage;
use serde_json::value::RawValue;

use crate::Fault;

/// One chat request.
#[derive(Debug, Default)]
pub struct ChatCall {
    /// As the caller asked; the encoder writes the target's model instead.
    pub model: String,
    pub turns: Vec<Turn>,
    pub tools: Vec<Tool>,
    pub tool_choice: Option<ToolChoice>,
    /// `None`: the vendor's default.
    pub parallel_tools: Option<bool>,
    pub max_output_tokens: Option<u64>,
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub top_k: Option<u64>,
    pub stop: Vec<String>,
    pub stream: bool,
    /// The caller wants usage in the stream.
    pub include_usage: bool,
    /// An opaque id of the end user, for the vendor's abuse detection.
    pub user: Option<String>,
    /// Paths of fields that were sent and have no canonical form: reported as lost when another dialect is encoded.
    pub unmapped: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions of the application: `system` and `developer` alike.
    System,
    User,
    Assistant,
    /// Holds [`Part::ToolResult`] only.
    Tool,
}

#[derive(Debug)]
pub struct Turn {
    pub role: Role,
    pub parts: Vec<Part>,
}

#[derive(Debug)]
pub enum Part {
    Text(String),
    ToolCall {
        id: String,
        name: String,
        /// JSON text as the model wrote it; may be empty or broken.
        arguments: String,
    },
    ToolResult {
        /// The id of the call it answers.
        id: String,
        parts: Vec<Part>,
        is_error: bool,
    },
    /// The model declined, in words.
    Refusal(String),
    /// Readable reasoning, with the vendor's signature where it signs.
    Reasoning {
        text: String,
        signature: Option<String>,
    },
}

#[derive(Debug)]
pub struct Tool {
    pub name: String,
    pub description: Option<String>,
    /// JSON schema of the arguments; `None`: no arguments.
    pub parameters: Option<Box<RawValue>>,
    pub strict: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolChoice {
    Auto,
    None,
    /// Some tool must be called.
    Required,
    Named(String),
}

/// A whole answer.
#[derive(Debug, Default)]
pub struct ChatReply {
    pub id: String,
    pub model: String,
    pub choices: Vec<Choice>,
    /// `None`: the vendor did not say.
    pub usage: Option<TokenUsage>,
}

#[derive(Debug)]
pub struct Choice {
    pub parts: Vec<Part>,
    pub finish: FinishReason,
}

/// Why the model stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FinishReason {
    Stop,
    /// One of the caller's stop sequences; which, where the vendor says.
    StopSequence(Option<String>),
    Length,
    ToolCalls,
    ContentFilter,
    Refusal,
    /// The vendor paused a long turn and expects it back.
    Pause,
}

/// A piece of a streamed answer. Tool calls are counted 0, 1, 2 … per choice, whatever stands between them.
#[derive(Debug)]
pub enum ChatEvent {
    Start {
        id: String,
        model: String,
    },
    Text {
        choice: u32,
        text: String,
    },
    Reasoning {
        choice: u32,
        text: String,
    },
    Refusal {
        choice: u32,
        text: String,
    },
    ToolCallStart {
        choice: u32,
        call: u32,
        id: String,
        name: String,
    },
    ToolCallArguments {
        choice: u32,
        call: u32,
        text: String,
    },
    Finish {
        choice: u32,
        reason: FinishReason,
    },
    /// Totals so far; a later one replaces an earlier one.
    Usage(TokenUsage),
    /// The vendor's own end marker: only this makes a stream complete.
    End,
    /// An error inside the stream; nothing follows.
    Fault(Fault),
}

impl ChatEvent {
    /// Something a reader would see: ends the time to first token, and forbids failing over.
    pub fn is_content(&self) -> bool {
        matches!(
            self,
            Self::Text { .. }
                | Self::Reasoning { .. }
                | Self::Refusal { .. }
                | Self::ToolCallStart { .. }
                | Self::ToolCallArguments { .. }
        )
    }

    /// Bytes of generated text in this event: what is counted when the vendor never says.
    pub fn generated_bytes(&self) -> usize {
        match self {
            Self::Text { text, .. }
            | Self::Reasoning { text, .. }
            | Self::Refusal { text, .. }
            | Self::ToolCallArguments { text, .. } => text.len(),
            Self::ToolCallStart { name, .. } => name.len(),
            _ => 0,
        }
    }
}

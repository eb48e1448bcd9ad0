//! The wire objects that are written to the vendor.

use std::borrow::Cow;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::conversation::{CacheLifetime, Loss, Origin};

/// Body of `POST /v1/messages`, and, without the fields that rule the answer, of `/v1/messages/count_tokens`.
#[derive(Debug, Serialize)]
pub(super) struct Request<'a> {
    pub(super) model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) system: Vec<Block<'a>>,
    pub(super) messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_choice: Option<ToolChoice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thinking: Option<Thinking>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output_config: Option<OutputConfig<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_k: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) stop_sequences: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) metadata: Option<Metadata<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) service_tier: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) stream: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Message<'a> {
    pub(super) role: &'static str,
    pub(super) content: Vec<Block<'a>>,
    /// Of its last turn.
    #[serde(skip)]
    pub(super) origin: Origin,
}

#[derive(Debug, Serialize)]
pub(super) struct Block<'a> {
    #[serde(flatten)]
    pub(super) body: Body<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<Mark>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Body<'a> {
    Text {
        text: Cow<'a, str>,
    },
    Image {
        source: Source<'a>,
    },
    Document {
        source: Source<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        citations: Option<Citations>,
    },
    Thinking {
        thinking: &'a str,
        signature: &'a str,
    },
    RedactedThinking {
        data: &'a str,
    },
    ToolUse {
        id: Cow<'a, str>,
        name: &'a str,
        input: Cow<'a, RawValue>,
    },
    ToolResult {
        tool_use_id: Cow<'a, str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        content: Vec<Block<'a>>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
    },
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Source<'a> {
    Base64 { media_type: &'a str, data: &'a str },
    Url { url: &'a str },
    Text { media_type: &'static str, data: Cow<'a, str> },
}

#[derive(Debug, Serialize)]
pub(super) struct Citations {
    pub(super) enabled: bool,
}

/// `cache_control`, and what it is called when it is lost.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) lifetime: CacheLifetime,
    pub(super) loss: Loss,
}

impl Serialize for Mark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", "ephemeral")?;
        if self.lifetime == CacheLifetime::Long {
            map.serialize_entry("ttl", "1h")?;
        }
        map.end()
    }
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Tool<'a> {
    Function(Function<'a>),
    WebSearch(WebSearch<'a>),
    /// A server tool without settings.
    Plain {
        r#type: &'static str,
        name: &'static str,
    },
}

#[derive(Debug, Serialize)]
pub(super) struct Function<'a> {
    pub(super) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<&'a str>,
    pub(super) input_schema: Cow<'a, RawValue>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) strict: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<Mark>,
}

#[derive(Debug, Serialize)]
pub(super) struct WebSearch<'a> {
    pub(super) r#type: &'static str,
    pub(super) name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_uses: Option<u64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(super) allowed_domains: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(super) blocked_domains: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_location: Option<UserLocation<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct UserLocation<'a> {
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) city: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timezone: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(super) struct ToolChoice<'a> {
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) disable_parallel_tool_use: bool,
}

impl ToolChoice<'_> {
    /// The model is to call a tool whatever it would rather do.
    pub(super) fn is_forced(&self) -> bool {
        matches!(self.r#type, "any" | "tool")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Thinking {
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) budget_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) display: Option<&'static str>,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct OutputConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<Format<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Format<'a> {
    pub(super) r#type: &'static str,
    pub(super) schema: Cow<'a, RawValue>,
}

#[derive(Debug, Serialize)]
pub(super) struct Metadata<'a> {
    pub(super) user_id: &'a str,
}

impl OutputConfig<'_> {
    pub(super) fn says_something(&self) -> bool {
        self.effort.is_some() || self.format.is_some()
    }
}

impl<'a> Block<'a> {
    pub(super) fn new(body: Body<'a>) -> Self {
        Self { body, cache_control: None }
    }

    pub(super) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::new(Body::Text { text: text.into() })
    }

    pub(super) fn is_tool_use(&self) -> bool {
        matches!(self.body, Body::ToolUse { .. })
    }

    pub(super) fn is_tool_result(&self) -> bool {
        matches!(self.body, Body::ToolResult { .. })
    }

    pub(super) fn is_thinking(&self) -> bool {
        matches!(self.body, Body::Thinking { .. } | Body::RedactedThinking { .. })
    }
}

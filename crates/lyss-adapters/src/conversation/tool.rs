//! Tools: the caller's functions, and those that run at the vendor.

use serde_json::value::RawValue;

use super::CacheLifetime;

#[derive(Debug)]
pub struct Tool {
    pub name: String,
    pub description: Option<String>,
    pub kind: ToolKind,
    pub strict: Option<bool>,
    /// The prompt up to here is to be cached.
    pub cache: Option<CacheLifetime>,
    /// Its place in the caller's list of tools, counted from 0.
    pub origin: usize,
}

#[derive(Debug)]
pub enum ToolKind {
    /// Takes a JSON object of this schema; `None`: no arguments.
    Function { parameters: Option<Box<RawValue>> },
    /// Takes free text, bound by a grammar where `format` says so (OpenAI alone).
    Custom { format: Option<Box<RawValue>> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolChoice {
    Auto,
    None,
    /// Some tool must be called.
    Required,
    /// One of the caller's functions.
    Named(String),
}

/// A tool that runs at the vendor.
#[derive(Debug)]
pub struct ServerTool {
    pub kind: ServerToolKind,
    /// Its place in the caller's list of tools, counted from 0.
    pub origin: usize,
}

#[derive(Debug)]
pub enum ServerToolKind {
    WebSearch(WebSearch),
    /// Reads pages whose addresses stand in the conversation.
    WebFetch,
    CodeExecution,
}

#[derive(Debug, Default)]
pub struct WebSearch {
    pub allowed_domains: Vec<String>,
    pub blocked_domains: Vec<String>,
    pub max_uses: Option<u64>,
    pub location: Option<Location>,
    /// In OpenAI's words: `low`, `medium`, `high`.
    pub context_size: Option<String>,
}

/// Roughly where the user is.
#[derive(Debug, Default)]
pub struct Location {
    pub city: Option<String>,
    pub region: Option<String>,
    /// Two letters, ISO 3166-1.
    pub country: Option<String>,
    /// An IANA name.
    pub timezone: Option<String>,
}

impl Tool {
    /// The schema of a function's arguments.
    pub fn parameters(&self) -> Option<&RawValue> {
        match &self.kind {
            ToolKind::Function { parameters } => parameters.as_deref(),
            ToolKind::Custom { .. } => None,
        }
    }

    pub fn is_custom(&self) -> bool {
        matches!(self.kind, ToolKind::Custom { .. })
    }
}

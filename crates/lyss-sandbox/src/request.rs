//! What both dialects' requests have in common, read with as little copying as JSON allows.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use memchr::memmem;
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

#[cfg(test)]
mod tests;

/// A string borrowed from the request unless it was escaped; `null` is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text<'a>(Cow<'a, str>);

/// A message's content: a string, or a list of typed parts, possibly nested (Anthropic's tool results).
#[derive(Debug, Default)]
pub(crate) struct Content<'a> {
    /// Of all texts in it.
    pub(crate) text_bytes: u64,
    /// The last text in it.
    pub(crate) text: Text<'a>,
    pub(crate) has_tool_result: bool,
    /// How many of each.
    pub(crate) images: u64,
    pub(crate) audio: u64,
    pub(crate) files: u64,
    /// The word is somewhere in the texts.
    pub(crate) says_json: bool,
    /// The types of all parts.
    kinds: Vec<Text<'a>>,
}

#[derive(Debug, serde::Deserialize)]
pub(crate) struct Message<'a> {
    #[serde(borrow, default)]
    pub(crate) role: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) content: Content<'a>,
    #[serde(borrow)]
    pub(crate) tool_calls: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) tool_call_id: Text<'a>,
    #[serde(borrow)]
    pub(crate) reasoning_content: Option<Text<'a>>,
}

/// A tool as either dialect declares it: its name and its parameters' JSON schema.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool<'a> {
    pub(crate) name: &'a str,
    pub(crate) parameters: Parameters<'a>,
}

/// A tool's JSON schema, as far as it was read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Parameters<'a> {
    #[default]
    None,
    Raw(&'a RawValue),
    Read(&'a Value),
    /// A custom tool: it takes free text.
    Free,
}

/// Which tools the caller wants called.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ToolWish<'a> {
    Nothing,
    Any { parallel: bool },
    Named(Text<'a>),
}

#[derive(serde::Deserialize)]
struct Part<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    text: Text<'a>,
    #[serde(borrow, default)]
    content: Content<'a>,
}

#[derive(serde::Deserialize)]
struct Schema {
    #[serde(default)]
    properties: BTreeMap<String, Value>,
}

/// The sandbox's estimate of a prompt's tokens: the bytes of all message texts (a separate system prompt included)
/// divided by four and rounded down, and four for each message (a separate system prompt is one). Images, tool
/// declarations and earlier tool arguments count nothing.
pub fn prompt_tokens(text_bytes: u64, messages: u64) -> u64 {
    text_bytes / 4 + 4 * messages
}

/// The tools to call: the named one, or the first, or the first two where that is allowed, or as many as the knob
/// `tools` says, from the first again if there are fewer; `Err` is a name not declared.
pub(crate) fn wanted_tools<'a>(
    tools: &[Tool<'a>],
    wish: &ToolWish<'_>,
    knob: Option<usize>,
) -> Result<Vec<Tool<'a>>, String> {
    match wish {
        ToolWish::Nothing => Ok(Vec::new()),
        ToolWish::Any { parallel: true } if knob.is_some() && !tools.is_empty() => {
            Ok(tools.iter().copied().cycle().take(knob.unwrap_or(1)).collect())
        }
        ToolWish::Any { parallel } => Ok(tools.iter().copied().take(if *parallel { 2 } else { 1 }).collect()),
        ToolWish::Named(name) => match tools.iter().find(|tool| tool.name == name.as_str()) {
            Some(tool) => Ok(vec![*tool]),
            None => Err(format!("tool_choice: the tool `{}` is not among the tools", name.as_str())),
        },
    }
}

/// Arguments for a tool, from the top-level properties of its schema in alphabetical order: the first of an `enum`,
/// else by type `"sample"`, `42`, `true`, `[]`, `{}`, `null`. A schema that is not readable gives none.
fn sample_arguments<'v>(properties: impl Iterator<Item = (&'v String, &'v Value)>) -> String {
    let arguments: BTreeMap<_, _> =
        properties.map(|(name, property)| (name, sample_value(property))).collect();
    serde_json::to_string(&arguments).unwrap_or_default()
}

fn sample_value(property: &Value) -> Value {
    if let Some(first) = property.get("enum").and_then(|allowed| allowed.get(0)) {
        return first.clone();
    }
    let kind = match property.get("type") {
        Some(Value::Array(kinds)) => kinds.first(),
        kind => kind,
    };
    match kind.and_then(Value::as_str).map(str::to_ascii_lowercase).as_deref() {
        Some("number" | "integer") => 42.into(),
        Some("boolean") => true.into(),
        Some("array") => Value::Array(Vec::new()),
        Some("object") => Value::Object(serde_json::Map::new()),
        Some("null") => Value::Null,
        _ => "sample".into(),
    }
}

impl Text<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor(PhantomData))
    }
}

impl<'a> Parameters<'a> {
    pub(crate) fn raw(schema: Option<&'a RawValue>) -> Self {
        schema.map_or(Self::None, Self::Raw)
    }

    pub(crate) fn read(schema: Option<&'a Value>) -> Self {
        schema.map_or(Self::None, Self::Read)
    }

    /// What the tool is called with.
    pub(crate) fn sample(self) -> String {
        match self {
            Self::None => "{}".to_owned(),
            Self::Raw(raw) => {
                let schema = serde_json::from_str::<Schema>(raw.get());
                sample_arguments(schema.map(|schema| schema.properties).unwrap_or_default().iter())
            }
            Self::Read(schema) => {
                let properties = schema.get("properties").and_then(Value::as_object);
                sample_arguments(properties.into_iter().flatten())
            }
            Self::Free => "a line of free text".to_owned(),
        }
    }
}

impl<'a> Content<'a> {
    fn of(text: Text<'a>) -> Self {
        let says_json = memmem::find(text.as_str().as_bytes(), b"json").is_some()
            || memmem::find(text.as_str().as_bytes(), b"JSON").is_some();
        Self { text_bytes: text.as_str().len() as u64, text, says_json, ..Self::default() }
    }

    pub(crate) fn kinds(&self) -> impl Iterator<Item = &str> {
        self.kinds.iter().map(Text::as_str)
    }

    fn add(&mut self, part: Part<'a>) {
        let is_result = part.kind.as_str() == "tool_result";
        match part.kind.as_str() {
            "image_url" => self.images += 1,
            "input_audio" => self.audio += 1,
            "file" => self.files += 1,
            _ => {}
        }
        self.kinds.push(part.kind);
        for inner in [Self::of(part.text), part.content] {
            self.text_bytes += inner.text_bytes;
            self.says_json |= inner.says_json;
            if !inner.text.as_str().is_empty() {
                self.text = inner.text;
            }
        }
        self.has_tool_result |= is_result;
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor(PhantomData))
    }
}

struct TextVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for TextVisitor<'a> {
    type Value = Text<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Text::default())
    }
}

struct ContentVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for ContentVisitor<'a> {
    type Value = Content<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of content parts")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Content::of(Text(Cow::Borrowed(text))))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Content::of(Text(Cow::Owned(text.to_owned()))))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Content::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Self::Value, A::Error> {
        let mut content = Content::default();
        while let Some(part) = parts.next_element()? {
            content.add(part);
        }
        Ok(content)
    }
}

//! Content blocks of a request, as in the API reference ("Create a Message").

use serde_json::value::RawValue;

use super::{FLAG, LIST, OBJECT, TEXT, cache_control, read, sources};
use crate::Fault;
use crate::anthropic::citation;
use crate::anthropic::wire::{seal_of_redacted, seal_of_signature};
use crate::conversation::{Part, Reasoning};
use crate::fields::{Fields, Lost, wrong};

const CONTENT: &str = "a string or a list of content blocks";

/// Reads blocks; what has no canonical form is noted.
pub(super) struct Blocks<'l> {
    lost: &'l mut Lost,
}

impl<'l> Blocks<'l> {
    pub(super) fn new(lost: &'l mut Lost) -> Self {
        Self { lost }
    }

    /// A string, or text blocks alone.
    pub(super) fn texts(&mut self, raw: &RawValue, path: &str) -> Result<Vec<Part>, Fault> {
        self.each(raw, path, |blocks, kind, block, parts| match kind {
            "text" => blocks.text(block, parts),
            _ => Err(wrong(&block.path_of("type"), "`text`")),
        })
    }

    pub(super) fn user(&mut self, raw: &RawValue, path: &str) -> Result<Vec<Part>, Fault> {
        self.each(raw, path, |blocks, kind, block, parts| match kind {
            "tool_result" => blocks.tool_result(block, parts),
            _ => blocks.plain(kind, block, parts),
        })
    }

    pub(super) fn assistant(&mut self, raw: &RawValue, path: &str) -> Result<Vec<Part>, Fault> {
        self.each(raw, path, Self::assistant_block)
    }

    fn each(
        &mut self,
        raw: &RawValue,
        path: &str,
        mut block: impl FnMut(&mut Self, &str, &mut Fields<'_>, &mut Vec<Part>) -> Result<(), Fault>,
    ) -> Result<Vec<Part>, Fault> {
        if raw.get().starts_with('"') {
            return Ok(vec![Part::Text(read(raw, path, TEXT)?)]);
        }
        let list: Vec<&RawValue> = read(raw, path, CONTENT)?;
        let mut parts = Vec::with_capacity(list.len());
        for (at, raw) in list.into_iter().enumerate() {
            let mut fields = Fields::open(raw, format!("{path}[{at}]"))?;
            let kind: String = fields.require("type", TEXT)?;
            let before = parts.len();
            block(self, &kind, &mut fields, &mut parts)?;
            let cache_path = fields.path_of("cache_control");
            if let Some(lifetime) = cache_control(&mut fields, self.lost)? {
                // Of a block that was left out, nothing is left to be cached.
                if parts.len() > before {
                    parts.push(Part::CachePoint(lifetime));
                } else {
                    self.lost.note(&cache_path);
                }
            }
            fields.leave(&[("is_error", "false"), ("caller", r#"{"type":"direct"}"#)], self.lost);
        }
        Ok(parts)
    }

    fn text(&mut self, block: &mut Fields<'_>, parts: &mut Vec<Part>) -> Result<(), Fault> {
        parts.push(Part::Text(block.require("text", TEXT)?));
        let path = block.path_of("citations");
        let citations: Vec<&RawValue> = block.take("citations", LIST)?.unwrap_or_default();
        for (at, raw) in citations.into_iter().enumerate() {
            match citation::read(raw) {
                Some(citation) => parts.push(Part::Citation(citation)),
                None => self.lost.note(&format!("{path}[{at}]")),
            }
        }
        Ok(())
    }

    /// What users say, in turns and in results of tools.
    fn plain(&mut self, kind: &str, block: &mut Fields<'_>, parts: &mut Vec<Part>) -> Result<(), Fault> {
        match kind {
            "text" => self.text(block, parts),
            "image" => sources::image(block, self.lost, parts),
            "document" => sources::document(block, self.lost, parts),
            "search_result" => sources::search_result(block, self.lost, parts),
            "tool_reference" | "browser_state" => {
                self.skip(block);
                Ok(())
            }
            "container_upload" => {
                let path = block.path_of("type");
                let message =
                    format!("`{path}`: files of a container cannot be sent to this model's vendor.");
                Err(Fault::bad_request(message, Some(&path)))
            }
            _ => Err(wrong(&block.path_of("type"), "a kind of content block that this model's vendor takes")),
        }
    }

    fn tool_result(&mut self, block: &mut Fields<'_>, parts: &mut Vec<Part>) -> Result<(), Fault> {
        let id = block.require("tool_use_id", TEXT)?;
        let is_error = block.take("is_error", FLAG)?.unwrap_or(false);
        let path = block.path_of("content");
        let content = match block.raw("content") {
            None => Vec::new(),
            Some(raw) => {
                self.each(raw, &path, |blocks, kind, block, parts| blocks.plain(kind, block, parts))?
            }
        };
        parts.push(Part::ToolResult { id, name: None, parts: content, is_error });
        Ok(())
    }

    fn assistant_block(
        &mut self,
        kind: &str,
        block: &mut Fields<'_>,
        parts: &mut Vec<Part>,
    ) -> Result<(), Fault> {
        match kind {
            "text" => return self.text(block, parts),
            "thinking" => {
                let text = block.take("thinking", TEXT)?.unwrap_or_default();
                let signature: Option<String> = block.take("signature", TEXT)?;
                let seal = signature.as_deref().and_then(seal_of_signature);
                parts.push(Part::Reasoning(Reasoning { text, seal }));
            }
            "redacted_thinking" => {
                let data: String = block.require("data", TEXT)?;
                let seal = seal_of_redacted(&data);
                parts.push(Part::Reasoning(Reasoning { text: String::new(), seal }));
            }
            "tool_use" => {
                let id = block.require("id", TEXT)?;
                let name = block.require("name", TEXT)?;
                let arguments = match block.raw("input") {
                    None => "{}".to_owned(),
                    Some(raw) if raw.get().starts_with('{') => raw.get().to_owned(),
                    Some(_) => return Err(wrong(&block.path_of("input"), OBJECT)),
                };
                parts.push(Part::ToolCall { id, name, arguments, custom: false });
            }
            // A summary in the place of what was said before it.
            "compaction" => {
                if let Some(text) = block.take::<String>("content", TEXT)? {
                    parts.push(Part::Text(text));
                }
            }
            // What the vendor's own tools did. Its outcome stands in the text behind it.
            _ => self.skip(block),
        }
        Ok(())
    }

    /// Notes the block as a whole.
    fn skip(&mut self, block: &mut Fields<'_>) {
        let inside = block.path_of("type");
        self.lost.note(inside.strip_suffix(".type").unwrap_or(&inside));
        block.clear();
    }
}

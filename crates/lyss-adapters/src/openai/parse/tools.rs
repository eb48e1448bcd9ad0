//! Tools of a request and which of them may be used.

use serde_json::value::RawValue;

use super::messages::{cache_control, open_function};
use super::settings::words;
use super::{FLAG, LIST, OBJECT, TEXT, read};
use crate::Fault;
use crate::conversation::{Location, ServerTool, ServerToolKind, Tool, ToolChoice, ToolKind, WebSearch};
use crate::fields::{Fields, Lost, wrong};

/// The caller's own tools and the vendor's.
pub(super) fn tools(top: &mut Fields<'_>, lost: &mut Lost) -> Result<(Vec<Tool>, Vec<ServerTool>), Fault> {
    let list: Vec<&RawValue> = top.take("tools", LIST)?.unwrap_or_default();
    let mut tools = Vec::with_capacity(list.len());
    let mut server_tools = Vec::new();
    for (origin, raw) in list.into_iter().enumerate() {
        let mut fields = Fields::open(raw, format!("tools[{origin}]"))?;
        let kind = fields.take::<String>("type", TEXT)?;
        match kind.as_deref() {
            None | Some("function") => tools.push(function(origin, fields, lost)?),
            Some("custom") => tools.push(custom(origin, fields, lost)?),
            // Not OpenAI's in this dialect, but sent by callers who know what stands behind the gateway.
            Some(word) if word.starts_with("web_search") => {
                let search = search_filters(fields, lost)?;
                server_tools.push(ServerTool { kind: ServerToolKind::WebSearch(search), origin });
            }
            Some(word) if word.starts_with("web_fetch") => {
                fields.leave(&[], lost);
                server_tools.push(ServerTool { kind: ServerToolKind::WebFetch, origin });
            }
            Some(word) if word.starts_with("code_execution") || word == "code_interpreter" => {
                fields.leave(&[], lost);
                server_tools.push(ServerTool { kind: ServerToolKind::CodeExecution, origin });
            }
            Some(_) => {
                let expected = "`function` or `custom`: this model's vendor knows no other kind";
                return Err(wrong(&fields.path_of("type"), expected));
            }
        }
    }
    Ok((tools, server_tools))
}

fn function(origin: usize, mut tool: Fields<'_>, lost: &mut Lost) -> Result<Tool, Fault> {
    let mut function = open_function(&mut tool)?;
    let name = function.require("name", TEXT)?;
    let description = function.take("description", TEXT)?;
    let strict = function.take("strict", FLAG)?;
    let parameters = match function.raw("parameters") {
        Some(raw) if !raw.get().starts_with('{') => {
            return Err(wrong(&function.path_of("parameters"), "a JSON schema object"));
        }
        schema => schema.map(ToOwned::to_owned),
    };
    let cache = cache_control(&mut function, lost)?.or(cache_control(&mut tool, lost)?);
    function.leave(&[], lost);
    tool.leave(&[], lost);
    Ok(Tool { name, description, kind: ToolKind::Function { parameters }, strict, cache, origin })
}

fn custom(origin: usize, mut tool: Fields<'_>, lost: &mut Lost) -> Result<Tool, Fault> {
    let raw: &RawValue = tool.require("custom", OBJECT)?;
    let mut custom = Fields::open(raw, tool.path_of("custom"))?;
    let name = custom.require("name", TEXT)?;
    let description = custom.take("description", TEXT)?;
    let format = custom.raw("format").map(ToOwned::to_owned);
    let cache = cache_control(&mut tool, lost)?;
    custom.leave(&[], lost);
    tool.leave(&[], lost);
    Ok(Tool { name, description, kind: ToolKind::Custom { format }, strict: None, cache, origin })
}

/// Filters as OpenAI's and Anthropic's own web search tools take them.
fn search_filters(mut tool: Fields<'_>, lost: &mut Lost) -> Result<WebSearch, Fault> {
    let mut search = WebSearch {
        allowed_domains: words(&mut tool, "allowed_domains")?,
        blocked_domains: words(&mut tool, "blocked_domains")?,
        max_uses: tool.take("max_uses", super::COUNT)?,
        location: location(&mut tool, lost)?,
        context_size: tool.take("search_context_size", TEXT)?,
    };
    if let Some(raw) = tool.raw("filters") {
        let mut filters = Fields::open(raw, tool.path_of("filters"))?;
        search.allowed_domains.append(&mut words(&mut filters, "allowed_domains")?);
        filters.leave(&[], lost);
    }
    tool.raw("name");
    tool.leave(&[], lost);
    Ok(search)
}

pub(super) fn web_search(top: &mut Fields<'_>, lost: &mut Lost) -> Result<Option<WebSearch>, Fault> {
    let Some(raw) = top.raw("web_search_options") else { return Ok(None) };
    let mut options = Fields::open(raw, "web_search_options")?;
    let search = WebSearch {
        location: location(&mut options, lost)?,
        context_size: options.take("search_context_size", TEXT)?,
        ..WebSearch::default()
    };
    options.leave(&[], lost);
    Ok(Some(search))
}

/// `user_location`, whose words stand in `approximate` or, as in the other dialects, beside the type.
fn location(holder: &mut Fields<'_>, lost: &mut Lost) -> Result<Option<Location>, Fault> {
    let Some(raw) = holder.raw("user_location") else { return Ok(None) };
    let mut outer = Fields::open(raw, holder.path_of("user_location"))?;
    let inner = outer.raw("approximate");
    let mut place = match inner {
        Some(raw) => Fields::open(raw, outer.path_of("approximate"))?,
        None => Fields::open(raw, holder.path_of("user_location"))?,
    };
    let location = Location {
        city: place.take("city", TEXT)?,
        region: place.take("region", TEXT)?,
        country: place.take("country", TEXT)?,
        timezone: place.take("timezone", TEXT)?,
    };
    const KIND: [(&str, &str); 1] = [("type", r#""approximate""#)];
    place.leave(&KIND, lost);
    if inner.is_some() {
        outer.leave(&KIND, lost);
    }
    Ok(Some(location))
}

/// A name, a named tool, or a list of allowed tools; the last one also narrows `tools`, which is what it means.
pub(super) fn choice(top: &mut Fields<'_>, tools: &mut Vec<Tool>) -> Result<Option<ToolChoice>, Fault> {
    const EXPECTED: &str = "`none`, `auto`, `required` or an object naming a function";
    let Some(raw) = top.raw("tool_choice") else { return Ok(None) };
    if raw.get().starts_with('"') {
        return mode(&read::<String>(raw, "tool_choice", EXPECTED)?, "tool_choice").map(Some);
    }
    let mut choice = Fields::open(raw, "tool_choice").map_err(|_| wrong("tool_choice", EXPECTED))?;
    let kind: String = choice.require("type", TEXT)?;
    match kind.as_str() {
        "function" | "custom" => Ok(Some(ToolChoice::Named(name_of(&mut choice, &kind)?))),
        "allowed_tools" => {
            let raw: &RawValue = choice.require("allowed_tools", OBJECT)?;
            let mut allowed = Fields::open(raw, "tool_choice.allowed_tools")?;
            let chosen = mode(&allowed.require::<String>("mode", TEXT)?, "tool_choice.allowed_tools.mode")?;
            let names = allowed_names(allowed.require("tools", LIST)?)?;
            tools.retain(|tool| names.contains(&tool.name));
            Ok(Some(chosen))
        }
        // Anthropic's words, from callers who converted half of their request.
        "auto" | "none" => mode(&kind, "tool_choice.type").map(Some),
        "any" => Ok(Some(ToolChoice::Required)),
        _ => Err(wrong("tool_choice.type", "`function`, `custom` or `allowed_tools`")),
    }
}

fn name_of(choice: &mut Fields<'_>, kind: &str) -> Result<String, Fault> {
    let raw: &RawValue = choice.require(kind, OBJECT)?;
    Fields::open(raw, choice.path_of(kind))?.require("name", TEXT)
}

fn allowed_names(list: Vec<&RawValue>) -> Result<Vec<String>, Fault> {
    let mut names = Vec::with_capacity(list.len());
    for (at, raw) in list.into_iter().enumerate() {
        let mut tool = Fields::open(raw, format!("tool_choice.allowed_tools.tools[{at}]"))?;
        let kind = tool.take::<String>("type", TEXT)?.unwrap_or_default();
        names.push(name_of(&mut tool, if kind == "custom" { "custom" } else { "function" })?);
    }
    Ok(names)
}

fn mode(text: &str, path: &str) -> Result<ToolChoice, Fault> {
    match text {
        "auto" => Ok(ToolChoice::Auto),
        "none" => Ok(ToolChoice::None),
        "required" | "any" => Ok(ToolChoice::Required),
        _ => Err(wrong(path, "`none`, `auto` or `required`")),
    }
}

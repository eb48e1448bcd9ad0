//! `tools`, `tool_choice` and `max_tool_calls`.

use serde_json::value::RawValue;

use super::{COUNT, FLAG, LIST, TEXT, read};
use crate::Fault;
use crate::conversation::{Location, ServerTool, ServerToolKind, Tool, ToolChoice, ToolKind, WebSearch};
use crate::fields::{Fields, Lost, wrong};

/// The caller's tools, apart by where they run.
#[derive(Default)]
pub(super) struct Tools {
    pub(super) functions: Vec<Tool>,
    pub(super) server: Vec<ServerTool>,
}

pub(super) fn tools(top: &mut Fields<'_>, lost: &mut Lost) -> Result<Tools, Fault> {
    let list: Vec<&RawValue> = top.take("tools", LIST)?.unwrap_or_default();
    let mut tools = Tools::default();
    for (origin, raw) in list.into_iter().enumerate() {
        let mut tool = Fields::open(raw, format!("tools[{origin}]"))?;
        let kind: String = tool.require("type", TEXT)?;
        match hosted(&kind) {
            Some(Hosted::WebSearch) => {
                let kind = ServerToolKind::WebSearch(web_search(&mut tool, lost)?);
                tools.server.push(ServerTool { kind, origin });
            }
            Some(Hosted::CodeInterpreter) => {
                container(&mut tool, lost)?;
                tools.server.push(ServerTool { kind: ServerToolKind::CodeExecution, origin });
            }
            None if kind == "function" || kind == "custom" => {
                tools.functions.push(function(&mut tool, &kind, origin)?);
            }
            None => {
                let path = tool.path_of("type");
                let message = format!("`{path}`: the tool `{kind}` is not available at this model's vendor.");
                return Err(Fault::bad_request(message, Some(&path)));
            }
        }
        tool.leave(&[("defer_loading", "false")], lost);
    }
    Ok(tools)
}

#[derive(PartialEq, Eq)]
enum Hosted {
    WebSearch,
    CodeInterpreter,
}

/// Names with and without a date, in both generations.
fn hosted(kind: &str) -> Option<Hosted> {
    match kind {
        "code_interpreter" => Some(Hosted::CodeInterpreter),
        kind if kind.starts_with("web_search") => Some(Hosted::WebSearch),
        _ => None,
    }
}

fn is_hosted_as(tool: &ServerTool, kind: &Hosted) -> bool {
    match tool.kind {
        ServerToolKind::WebSearch(_) | ServerToolKind::WebFetch => *kind == Hosted::WebSearch,
        ServerToolKind::CodeExecution => *kind == Hosted::CodeInterpreter,
    }
}

/// `strict` left out is not `true`: the vendor then takes schemas that strict mode would refuse, so nothing was said.
fn function(tool: &mut Fields<'_>, kind: &str, origin: usize) -> Result<Tool, Fault> {
    let name = tool.require("name", TEXT)?;
    let description = tool.take("description", TEXT)?;
    let strict = tool.take("strict", FLAG)?;
    let kind = match kind {
        "custom" => {
            let format = tool.raw("format").filter(|raw| !is_plain_text(raw));
            ToolKind::Custom { format: format.map(ToOwned::to_owned) }
        }
        _ => match tool.raw("parameters") {
            Some(raw) if !raw.get().starts_with('{') => {
                return Err(wrong(&tool.path_of("parameters"), "a JSON schema object"));
            }
            schema => ToolKind::Function { parameters: schema.map(ToOwned::to_owned) },
        },
    };
    Ok(Tool { name, description, kind, strict, cache: None, origin })
}

fn is_plain_text(raw: &RawValue) -> bool {
    raw.get().split_whitespace().collect::<String>() == r#"{"type":"text"}"#
}

fn web_search(tool: &mut Fields<'_>, lost: &mut Lost) -> Result<WebSearch, Fault> {
    let mut search = WebSearch {
        // The default says nothing.
        context_size: tool.take::<String>("search_context_size", TEXT)?.filter(|size| size != "medium"),
        ..WebSearch::default()
    };
    if let Some(raw) = tool.raw("user_location") {
        let mut place = Fields::open(raw, tool.path_of("user_location"))?;
        place.raw("type");
        search.location = Some(Location {
            city: place.take("city", TEXT)?,
            region: place.take("region", TEXT)?,
            country: place.take("country", TEXT)?,
            timezone: place.take("timezone", TEXT)?,
        });
        place.leave(&[], lost);
    }
    if let Some(raw) = tool.raw("filters") {
        let mut filters = Fields::open(raw, tool.path_of("filters"))?;
        search.allowed_domains = filters.take("allowed_domains", "a list of strings")?.unwrap_or_default();
        search.blocked_domains = filters.take("blocked_domains", "a list of strings")?.unwrap_or_default();
        filters.leave(&[], lost);
    }
    Ok(search)
}

/// A container made for the call alone can be had elsewhere; one that is kept, or files in it, cannot.
fn container(tool: &mut Fields<'_>, lost: &mut Lost) -> Result<(), Fault> {
    let path = tool.path_of("container");
    match tool.raw("container") {
        None => {}
        Some(raw) if raw.get().starts_with('{') => {
            let mut container = Fields::open(raw, path)?;
            container.raw("type");
            container.leave(&[("file_ids", "[]")], lost);
        }
        Some(_) => lost.note(&path),
    }
    Ok(())
}

/// `max_tool_calls` counts calls of the tools that run at the vendor: where search is the only one, it is its own limit.
pub(super) fn limit(top: &mut Fields<'_>, server: &mut [ServerTool], lost: &mut Lost) -> Result<(), Fault> {
    let Some(limit) = top.take::<u64>("max_tool_calls", COUNT)? else { return Ok(()) };
    match server {
        [] => {}
        [ServerTool { kind: ServerToolKind::WebSearch(search), .. }] => search.max_uses = Some(limit),
        _ => lost.note("max_tool_calls"),
    }
    Ok(())
}

/// A word, one tool, or a list of allowed tools; the last one also narrows the tools, which is what it means.
pub(super) fn choice(
    top: &mut Fields<'_>,
    tools: &mut Vec<Tool>,
    server: &mut Vec<ServerTool>,
    lost: &mut Lost,
) -> Result<Option<ToolChoice>, Fault> {
    const EXPECTED: &str = "`none`, `auto`, `required` or an object naming a tool";
    let Some(raw) = top.raw("tool_choice") else { return Ok(None) };
    if raw.get().starts_with('"') {
        return mode(&read::<String>(raw, "tool_choice", EXPECTED)?, "tool_choice").map(Some);
    }
    let mut choice = Fields::open(raw, "tool_choice").map_err(|_| wrong("tool_choice", EXPECTED))?;
    let kind: String = choice.require("type", TEXT)?;
    match kind.as_str() {
        "function" | "custom" => {
            let name: String = choice.require("name", TEXT)?;
            if !tools.iter().any(|tool| tool.name == name) {
                return Err(wrong("tool_choice.name", "the name of one of `tools`"));
            }
            Ok(Some(ToolChoice::Named(name)))
        }
        "allowed_tools" => {
            let chosen = mode(&choice.require::<String>("mode", TEXT)?, "tool_choice.mode")?;
            let (names, kinds) = allowed(choice.require("tools", LIST)?)?;
            tools.retain(|tool| names.contains(&tool.name));
            server.retain(|tool| kinds.iter().any(|kind| is_hosted_as(tool, kind)));
            Ok(Some(chosen))
        }
        kind => match hosted(kind) {
            // That one of the vendor's own tools must be used has no form elsewhere.
            Some(hosted) if server.iter().any(|tool| is_hosted_as(tool, &hosted)) => {
                lost.note("tool_choice");
                Ok(None)
            }
            _ => Err(wrong("tool_choice.type", "`function`, `custom`, `allowed_tools` or a kind of `tools`")),
        },
    }
}

fn allowed(list: Vec<&RawValue>) -> Result<(Vec<String>, Vec<Hosted>), Fault> {
    let (mut names, mut kinds) = (Vec::new(), Vec::new());
    for (at, raw) in list.into_iter().enumerate() {
        let mut tool = Fields::open(raw, format!("tool_choice.tools[{at}]"))?;
        let kind: String = tool.require("type", TEXT)?;
        match hosted(&kind) {
            Some(kind) => kinds.push(kind),
            None => names.push(tool.require("name", TEXT)?),
        }
    }
    Ok((names, kinds))
}

fn mode(text: &str, path: &str) -> Result<ToolChoice, Fault> {
    match text {
        "auto" => Ok(ToolChoice::Auto),
        "none" => Ok(ToolChoice::None),
        "required" => Ok(ToolChoice::Required),
        _ => Err(wrong(path, "`none`, `auto` or `required`")),
    }
}

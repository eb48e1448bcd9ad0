//! `tools` and `toolConfig`.

use serde_json::value::RawValue;

use super::super::names::{declaration, whole_tool};
use super::super::schema;
use super::{TEXT, list};
use crate::Fault;
use crate::conversation::{ChatCall, ServerTool, ServerToolKind, Tool, ToolChoice, ToolKind, WebSearch};
use crate::fields::{Fields, Lost, wrong};

pub(super) fn read(top: &mut Fields<'_>, call: &mut ChatCall, lost: &mut Lost) -> Result<(), Fault> {
    for (at, raw) in list(top, "tools")?.unwrap_or_default().into_iter().enumerate() {
        tool(at, Fields::open_camel(raw, format!("tools[{at}]"))?, call, lost)?;
    }
    if let Some(raw) = top.raw("toolConfig") {
        let mut config = Fields::open_camel(raw, "toolConfig")?;
        if let Some(raw) = config.raw("functionCallingConfig") {
            calling(Fields::open_camel(raw, config.path_of("functionCallingConfig"))?, call, lost)?;
        }
        config.leave(&[("includeServerSideToolInvocations", "false")], lost);
    }
    Ok(())
}

fn tool(at: usize, mut tool: Fields<'_>, call: &mut ChatCall, lost: &mut Lost) -> Result<(), Fault> {
    for (place, raw) in list(&mut tool, "functionDeclarations")?.unwrap_or_default().into_iter().enumerate() {
        let path = format!("{}[{place}]", tool.path_of("functionDeclarations"));
        call.tools.push(function(declaration(at, place), Fields::open_camel(raw, path)?, lost)?);
    }
    let mut push = |kind| call.server_tools.push(ServerTool { kind, origin: whole_tool(at) });
    for name in ["googleSearch", "googleSearchRetrieval"] {
        if let Some(raw) = tool.raw(name) {
            let mut search = Fields::open_camel(raw, tool.path_of(name))?;
            let blocked_domains = search.take("excludeDomains", "a list of strings")?.unwrap_or_default();
            push(ServerToolKind::WebSearch(WebSearch { blocked_domains, ..WebSearch::default() }));
            search.leave(&[], lost);
        }
    }
    for (name, kind) in
        [("urlContext", ServerToolKind::WebFetch), ("codeExecution", ServerToolKind::CodeExecution)]
    {
        if let Some(raw) = tool.raw(name) {
            Fields::open_camel(raw, tool.path_of(name))?.leave(&[], lost);
            push(kind);
        }
    }
    tool.leave(&[], lost);
    Ok(())
}

fn function(origin: usize, mut function: Fields<'_>, lost: &mut Lost) -> Result<Tool, Fault> {
    let name = function.require("name", TEXT)?;
    let description = function.take("description", TEXT)?;
    let own = function.raw("parameters");
    let json = function.raw("parametersJsonSchema");
    let is_object = |raw: &&RawValue| raw.get().starts_with('{');
    let parameters = match (json, own) {
        (Some(raw), _) if is_object(&raw) => Some(raw.to_owned()),
        (Some(_), _) => return Err(wrong(&function.path_of("parametersJsonSchema"), "a JSON schema object")),
        (None, Some(raw)) if is_object(&raw) => Some(schema::to_json_schema(raw)),
        (None, Some(_)) => return Err(wrong(&function.path_of("parameters"), "a schema object")),
        (None, None) => None,
    };
    function.leave(&[("behavior", r#""BLOCKING""#)], lost);
    Ok(Tool { name, description, kind: ToolKind::Function { parameters }, strict: None, cache: None, origin })
}

/// The mode; a list of allowed functions also narrows the tools, which is what it means.
fn calling(mut config: Fields<'_>, call: &mut ChatCall, lost: &mut Lost) -> Result<(), Fault> {
    let mode: Option<String> = config.take("mode", TEXT)?;
    let allowed: Vec<String> = config.take("allowedFunctionNames", "a list of strings")?.unwrap_or_default();
    let mode = mode.unwrap_or_default().to_ascii_uppercase();
    call.tool_choice = match (mode.as_str(), allowed.as_slice()) {
        ("" | "MODE_UNSPECIFIED", _) => None,
        ("AUTO" | "VALIDATED", _) => Some(ToolChoice::Auto),
        ("NONE", _) => Some(ToolChoice::None),
        ("ANY", [name]) => Some(ToolChoice::Named(name.clone())),
        ("ANY", _) => Some(ToolChoice::Required),
        _ => return Err(wrong(&config.path_of("mode"), "`AUTO`, `ANY`, `NONE` or `VALIDATED`")),
    };
    if mode == "VALIDATED" {
        // Calls are held to their schemas.
        call.tools.iter_mut().for_each(|tool| tool.strict = Some(true));
    }
    // The choice of one names it; the others may stay.
    let is_named = matches!(call.tool_choice, Some(ToolChoice::Named(_)));
    if matches!(mode.as_str(), "ANY" | "VALIDATED") && !allowed.is_empty() && !is_named {
        call.tools.retain(|tool| allowed.contains(&tool.name));
    }
    config.leave(&[], lost);
    Ok(())
}

//! Tools of a request and the choice among them, as in the pages "Tool use" and those of single tools.

use serde_json::value::RawValue;

use super::{COUNT, FLAG, LIST, OBJECT, TEXT, cache_control, typed};
use crate::Fault;
use crate::conversation::{Location, ServerTool, ServerToolKind, Tool, ToolChoice, ToolKind, WebSearch};
use crate::fields::{Fields, Lost, wrong};

/// Settings of tools that say nothing when they hold their default.
const DEFAULTS: [(&str, &str); 4] = [
    ("allowed_callers", r#"["direct"]"#),
    ("defer_loading", "false"),
    ("eager_input_streaming", "false"),
    ("use_cache", "true"),
];

pub(super) fn tools(top: &mut Fields<'_>, lost: &mut Lost) -> Result<(Vec<Tool>, Vec<ServerTool>), Fault> {
    let list: Vec<&RawValue> = top.take("tools", LIST)?.unwrap_or_default();
    let mut tools = Vec::with_capacity(list.len());
    let mut server_tools = Vec::new();
    for (origin, raw) in list.into_iter().enumerate() {
        let path = format!("tools[{origin}]");
        let mut fields = Fields::open(raw, path.clone())?;
        let kind: String = fields.take("type", TEXT)?.unwrap_or_else(|| "custom".to_owned());
        if kind == "custom" {
            tools.push(function(&mut fields, origin, lost)?);
        } else if let Some(known) = typed::find(&kind) {
            tools.push(known_function(known, &mut fields, origin, lost)?);
        } else if let Some(known) = server_tool(&kind, &mut fields, lost)? {
            server_tools.push(ServerTool { kind: known, origin });
        } else if kind.starts_with("tool_search_tool") {
            // Finds tools that were not loaded; here all of them are.
            lost.note(&path);
            continue;
        } else {
            let path = fields.path_of("type");
            let message = format!("`{path}`: tools of this type cannot be sent to this model's vendor.");
            return Err(Fault::bad_request(message, Some(&path)));
        }
        fields.leave(&DEFAULTS, lost);
    }
    Ok((tools, server_tools))
}

fn function(fields: &mut Fields<'_>, origin: usize, lost: &mut Lost) -> Result<Tool, Fault> {
    let parameters = match fields.raw("input_schema") {
        Some(raw) if raw.get().starts_with('{') => raw.to_owned(),
        _ => return Err(wrong(&fields.path_of("input_schema"), "a JSON schema object")),
    };
    Ok(Tool {
        name: fields.require("name", TEXT)?,
        description: fields.take("description", TEXT)?,
        kind: ToolKind::Function { parameters: Some(parameters) },
        strict: fields.take("strict", FLAG)?,
        cache: cache_control(fields, lost)?,
        origin,
    })
}

/// A tool that the caller runs and whose schema the vendor's models know by heart; others are told it.
fn known_function(
    known: &typed::Known,
    fields: &mut Fields<'_>,
    origin: usize,
    lost: &mut Lost,
) -> Result<Tool, Fault> {
    let name: Option<String> = fields.take("name", TEXT)?;
    let mut description = known.description.to_owned();
    for (field, words) in [("display_width_px", "wide"), ("display_height_px", "high")] {
        if let Some(pixels) = fields.take::<u64>(field, COUNT)? {
            description.push_str(&format!(" The screen is {pixels} pixels {words}."));
        }
    }
    let parameters = RawValue::from_string(known.schema.to_owned()).ok();
    Ok(Tool {
        name: name.unwrap_or_else(|| known.name.to_owned()),
        description: Some(description),
        kind: ToolKind::Function { parameters },
        strict: fields.take("strict", FLAG)?,
        cache: cache_control(fields, lost)?,
        origin,
    })
}

fn server_tool(
    kind: &str,
    fields: &mut Fields<'_>,
    lost: &mut Lost,
) -> Result<Option<ServerToolKind>, Fault> {
    const DOMAINS: &str = "a list of strings";
    let known = if kind.starts_with("web_search_") {
        let location = match fields.raw("user_location") {
            None => None,
            Some(raw) => Some(location(Fields::open(raw, fields.path_of("user_location"))?, lost)?),
        };
        ServerToolKind::WebSearch(WebSearch {
            allowed_domains: fields.take("allowed_domains", DOMAINS)?.unwrap_or_default(),
            blocked_domains: fields.take("blocked_domains", DOMAINS)?.unwrap_or_default(),
            max_uses: fields.take("max_uses", COUNT)?,
            location,
            context_size: None,
        })
    } else if kind.starts_with("web_fetch_") {
        ServerToolKind::WebFetch
    } else if kind.starts_with("code_execution_") {
        ServerToolKind::CodeExecution
    } else {
        return Ok(None);
    };
    // Always the same one.
    fields.raw("name");
    Ok(Some(known))
}

fn location(mut fields: Fields<'_>, lost: &mut Lost) -> Result<Location, Fault> {
    let location = Location {
        city: fields.take("city", TEXT)?,
        region: fields.take("region", TEXT)?,
        country: fields.take("country", TEXT)?,
        timezone: fields.take("timezone", TEXT)?,
    };
    fields.leave(&[("type", r#""approximate""#)], lost);
    Ok(location)
}

/// `tool_choice`, and whether several calls at once are allowed.
pub(super) fn choice(
    top: &mut Fields<'_>,
    lost: &mut Lost,
) -> Result<(Option<ToolChoice>, Option<bool>), Fault> {
    let Some(raw) = top.take::<&RawValue>("tool_choice", OBJECT)? else { return Ok((None, None)) };
    let mut fields = Fields::open(raw, "tool_choice")?;
    let kind: String = fields.require("type", TEXT)?;
    let choice = match kind.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Named(fields.require("name", TEXT)?),
        _ => return Err(wrong("tool_choice.type", "`auto`, `any`, `tool` or `none`")),
    };
    let one_at_a_time = fields.take("disable_parallel_tool_use", FLAG)?.unwrap_or(false);
    fields.leave(&[], lost);
    Ok((Some(choice), one_at_a_time.then_some(false)))
}

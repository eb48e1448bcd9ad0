//! `tools` and `tool_choice`.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::conversation::{ChatCall, Loss, ServerToolKind, Setting, Tool, ToolChoice, ToolKind, WebSearch};
use crate::dialect::Unsayable;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum WireTool<'a> {
    Function {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        parameters: Schema<'a>,
        strict: bool,
    },
    Custom {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        format: Option<&'a RawValue>,
    },
    WebSearch {
        #[serde(skip_serializing_if = "Option::is_none")]
        search_context_size: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        user_location: Option<UserLocation<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        filters: Option<Filters<'a>>,
    },
    CodeInterpreter {
        container: Container,
    },
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Schema<'a> {
    Said(&'a RawValue),
    Empty(EmptyObject),
}

/// Of a function without arguments. Strict mode, too, takes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EmptyObject {
    r#type: &'static str,
    properties: Nothing,
    additional_properties: bool,
}

#[derive(Serialize)]
pub(super) struct Nothing {}

#[derive(Serialize)]
pub(super) struct UserLocation<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timezone: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct Filters<'a> {
    allowed_domains: &'a [String],
}

#[derive(Serialize)]
pub(super) struct Container {
    r#type: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum WireChoice<'a> {
    Word(&'static str),
    Named { r#type: &'static str, name: &'a str },
}

pub(super) struct Tools<'a> {
    pub(super) list: Vec<WireTool<'a>>,
    /// How often the vendor may use its own tools.
    pub(super) max_calls: Option<u64>,
}

pub(super) fn tools<'a>(call: &'a ChatCall, losses: &mut Vec<Loss>) -> Result<Tools<'a>, Unsayable> {
    let mut list = Vec::with_capacity(call.tools.len() + call.server_tools.len());
    for tool in &call.tools {
        if tool.cache.is_some() {
            losses.push(Loss::tool(tool.origin, "cache_control"));
        }
        list.push(function(tool));
    }
    let searches = call.server_tools.iter().any(|tool| matches!(tool.kind, ServerToolKind::WebSearch(_)));
    let mut max_calls = None;
    for tool in &call.server_tools {
        match &tool.kind {
            ServerToolKind::WebSearch(search) => {
                if !search.blocked_domains.is_empty() {
                    losses.push(Loss::tool(tool.origin, "blocked_domains"));
                }
                if search.max_uses.is_some() && call.server_tools.len() > 1 {
                    losses.push(Loss::tool(tool.origin, "max_uses"));
                } else {
                    max_calls = search.max_uses;
                }
                list.push(web_search(search));
            }
            ServerToolKind::CodeExecution => {
                list.push(WireTool::CodeInterpreter { container: Container { r#type: "auto" } });
            }
            // The vendor's search opens pages, too.
            ServerToolKind::WebFetch if searches => losses.push(Loss::tool(tool.origin, "")),
            ServerToolKind::WebFetch => {
                let text = "This model's vendor has no tool that fetches pages without searching the web.";
                return Err(Unsayable::new(Loss::tool(tool.origin, ""), text));
            }
        }
    }
    Ok(Tools { list, max_calls })
}

/// `strict` is written always: what chat completions and others mean by leaving it out is the opposite of this dialect's.
fn function(tool: &Tool) -> WireTool<'_> {
    let (name, description) = (tool.name.as_str(), tool.description.as_deref());
    match &tool.kind {
        ToolKind::Custom { format } => WireTool::Custom { name, description, format: format.as_deref() },
        ToolKind::Function { parameters } => {
            let parameters = match parameters.as_deref() {
                Some(schema) if schema.get().trim() != "{}" => Schema::Said(schema),
                _ => Schema::Empty(EmptyObject {
                    r#type: "object",
                    properties: Nothing {},
                    additional_properties: false,
                }),
            };
            WireTool::Function { name, description, parameters, strict: tool.strict.unwrap_or(false) }
        }
    }
}

fn web_search(search: &WebSearch) -> WireTool<'_> {
    let allowed = search.allowed_domains.as_slice();
    WireTool::WebSearch {
        search_context_size: search.context_size.as_deref(),
        user_location: search.location.as_ref().map(|place| UserLocation {
            r#type: "approximate",
            city: place.city.as_deref(),
            region: place.region.as_deref(),
            country: place.country.as_deref(),
            timezone: place.timezone.as_deref(),
        }),
        filters: (!allowed.is_empty()).then_some(Filters { allowed_domains: allowed }),
    }
}

pub(super) fn choice<'a>(
    call: &'a ChatCall,
    has_tools: bool,
    losses: &mut Vec<Loss>,
) -> Option<WireChoice<'a>> {
    let asked = call.tool_choice.as_ref()?;
    if !has_tools {
        if matches!(asked, ToolChoice::Required | ToolChoice::Named(_)) {
            losses.push(Setting::ToolChoice.into());
        }
        return None;
    }
    Some(match asked {
        ToolChoice::Auto => WireChoice::Word("auto"),
        ToolChoice::None => WireChoice::Word("none"),
        ToolChoice::Required => WireChoice::Word("required"),
        ToolChoice::Named(name) => {
            let is_custom = call.tools.iter().any(|tool| tool.name == *name && tool.is_custom());
            WireChoice::Named { r#type: if is_custom { "custom" } else { "function" }, name }
        }
    })
}

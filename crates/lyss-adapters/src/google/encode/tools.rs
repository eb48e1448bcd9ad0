//! `tools` and `toolConfig`, as in the API reference ("Caching", `Tool`) and in "Function calling".

use serde::Serialize;
use serde_json::value::RawValue;

use super::super::schema;
use super::models::Model;
use crate::conversation::{ChatCall, Loss, ServerTool, ServerToolKind, Setting, Tool, ToolChoice, WebSearch};
use crate::dialect::Unsayable;

/// Longest name of a function.
const MAX_NAME_CHARS: usize = 128;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum WireTool<'a> {
    FunctionDeclarations(Vec<Declaration<'a>>),
    GoogleSearch(Nothing),
    GoogleSearchRetrieval(Nothing),
    UrlContext(Nothing),
    CodeExecution(Nothing),
}

/// `{}`.
#[derive(Serialize)]
pub(super) struct Nothing {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Declaration<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters_json_schema: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Box<RawValue>>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    function_calling_config: Option<CallingConfig<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    include_server_side_tool_invocations: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CallingConfig<'a> {
    mode: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowed_function_names: Vec<&'a str>,
}

pub(super) fn tools<'a>(
    call: &'a ChatCall,
    model: Model,
    losses: &mut Vec<Loss>,
) -> Result<(Vec<WireTool<'a>>, Option<ToolConfig<'a>>), Unsayable> {
    let declarations = declarations(call, model, losses)?;
    let mut tools = Vec::new();
    for tool in &call.server_tools {
        // Before the third generation the vendor refuses its own tools beside functions.
        if !declarations.is_empty() && !model.is_third() {
            losses.push(Loss::tool(tool.origin, ""));
        } else {
            server_tool(tool, model, &mut tools, losses);
        }
    }
    let mut config = ToolConfig {
        function_calling_config: choice(call, model, declarations.is_empty(), losses),
        include_server_side_tool_invocations: None,
    };
    if !declarations.is_empty() {
        // Together with functions, the vendor wants to show the calls of its own tools.
        config.include_server_side_tool_invocations = (!tools.is_empty()).then_some(true);
        tools.insert(0, WireTool::FunctionDeclarations(declarations));
    }
    let is_said =
        config.function_calling_config.is_some() || config.include_server_side_tool_invocations.is_some();
    Ok((tools, is_said.then_some(config)))
}

fn declarations<'a>(
    call: &'a ChatCall,
    model: Model,
    losses: &mut Vec<Loss>,
) -> Result<Vec<Declaration<'a>>, Unsayable> {
    let mut written = Vec::with_capacity(call.tools.len());
    // Held to their schemas are the calls of all tools or of none.
    let is_held = is_validated(call, model)
        || matches!(call.tool_choice, Some(ToolChoice::Required | ToolChoice::Named(_)));
    for tool in &call.tools {
        if tool.is_custom() {
            let text = "A custom tool, which takes free text, cannot be sent to this model's vendor.";
            return Err(Unsayable::new(Loss::tool(tool.origin, ""), text));
        }
        check_name(tool)?;
        if tool.strict == Some(true) && !is_held {
            losses.push(Loss::tool(tool.origin, "strict"));
        }
        if tool.cache.is_some() {
            losses.push(Loss::tool(tool.origin, "cache_control"));
        }
        let mut declaration = Declaration {
            name: &tool.name,
            description: tool.description.as_deref(),
            parameters_json_schema: None,
            parameters: None,
        };
        if let Some(parameters) = tool.parameters().filter(|raw| !is_empty_object(raw)) {
            if !parameters.get().starts_with('{') {
                let text = "A JSON schema object must stand here.";
                return Err(Unsayable::new(Loss::tool(tool.origin, "parameters"), text));
            }
            if model.reads_json_schema() {
                declaration.parameters_json_schema = Some(parameters);
            } else {
                let (subset, is_whole) = schema::to_subset(parameters);
                declaration.parameters = Some(subset);
                if !is_whole {
                    losses.push(Loss::tool(tool.origin, "parameters"));
                }
            }
        }
        written.push(declaration);
    }
    Ok(written)
}

fn is_empty_object(raw: &RawValue) -> bool {
    let text = raw.get().trim();
    text.strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .is_some_and(|inside| inside.trim().is_empty())
}

/// A changed name would come back in the answer as one that the caller never said, so a name that the vendor cannot take
/// is refused.
fn check_name(tool: &Tool) -> Result<(), Unsayable> {
    let name = &tool.name;
    let begins = |c: char| c.is_ascii_alphabetic() || c == '_';
    let goes_on = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-');
    if name.starts_with(begins) && name.chars().all(goes_on) && name.len() <= MAX_NAME_CHARS {
        return Ok(());
    }
    let text = "This model's vendor takes function names of letters, digits, `_`, `.`, `:` and `-` that begin with a \
                letter or `_` and are no longer than 128.";
    Err(Unsayable::new(Loss::tool(tool.origin, "name"), text))
}

fn server_tool(tool: &ServerTool, model: Model, tools: &mut Vec<WireTool<'_>>, losses: &mut Vec<Loss>) {
    match &tool.kind {
        ServerToolKind::WebSearch(search) => {
            search_losses(search, tool.origin, losses);
            tools.push(if model.searches() {
                WireTool::GoogleSearch(Nothing {})
            } else {
                WireTool::GoogleSearchRetrieval(Nothing {})
            });
        }
        ServerToolKind::WebFetch if model.reads_urls() => tools.push(WireTool::UrlContext(Nothing {})),
        ServerToolKind::WebFetch => losses.push(Loss::tool(tool.origin, "")),
        ServerToolKind::CodeExecution => tools.push(WireTool::CodeExecution(Nothing {})),
    }
}

/// The vendor's search has no settings.
fn search_losses(search: &WebSearch, origin: usize, losses: &mut Vec<Loss>) {
    let said = [
        ("allowed_domains", !search.allowed_domains.is_empty()),
        ("blocked_domains", !search.blocked_domains.is_empty()),
        ("max_uses", search.max_uses.is_some()),
        ("user_location", search.location.is_some()),
        ("search_context_size", search.context_size.as_deref().is_some_and(|size| size != "medium")),
    ];
    losses.extend(said.into_iter().filter(|(_, is_said)| *is_said).map(|(what, _)| Loss::tool(origin, what)));
}

/// `VALIDATED` is `AUTO` with every call held to its schema ("Function calling").
fn is_validated(call: &ChatCall, model: Model) -> bool {
    model.reads_json_schema()
        && matches!(call.tool_choice, None | Some(ToolChoice::Auto))
        && !call.tools.is_empty()
        && call.tools.iter().all(|tool| tool.strict == Some(true))
}

fn choice<'a>(
    call: &'a ChatCall,
    model: Model,
    is_without: bool,
    losses: &mut Vec<Loss>,
) -> Option<CallingConfig<'a>> {
    let asked = match (&call.tool_choice, is_validated(call, model)) {
        (_, true) => return Some(CallingConfig { mode: "VALIDATED", allowed_function_names: Vec::new() }),
        (asked, false) => asked.as_ref()?,
    };
    if is_without {
        if matches!(asked, ToolChoice::Required | ToolChoice::Named(_)) {
            losses.push(Setting::ToolChoice.into());
        }
        return None;
    }
    let plain = |mode| Some(CallingConfig { mode, allowed_function_names: Vec::new() });
    match asked {
        ToolChoice::Auto => plain("AUTO"),
        ToolChoice::None => plain("NONE"),
        ToolChoice::Required => plain("ANY"),
        ToolChoice::Named(name) => Some(CallingConfig { mode: "ANY", allowed_function_names: vec![name] }),
    }
}

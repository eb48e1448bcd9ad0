//! Tools and the choice among them, as in the pages "Tool use", "Web search tool", "Web fetch tool" and "Code execution
//! tool".

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::models::Model;
use super::out::{Function, Mark, Tool, ToolChoice, UserLocation, WebSearch};
use super::schema;
use super::turns::object;
use crate::conversation::{self, ChatCall, Loss, Part, ServerToolKind, Setting};
use crate::dialect::Unsayable;

/// The versions that every model takes. The later ones of the first two differ by running searches out of code.
const WEB_SEARCH: &str = "web_search_20250305";
const WEB_FETCH: &str = "web_fetch_20250910";
const CODE_EXECUTION: &str = "code_execution_20250825";

const NO_ARGUMENTS: &str = r#"{"type":"object","properties":{}}"#;
const MAX_NAME_CHARS: usize = 128;

pub(super) fn tools<'a>(
    call: &'a ChatCall,
    model: &Model,
    losses: &mut Vec<Loss>,
) -> Result<Vec<Tool<'a>>, Unsayable> {
    let mut written = Vec::with_capacity(call.tools.len() + call.server_tools.len());
    for tool in &call.tools {
        written.push(Tool::Function(function(tool, model, losses)?));
    }
    for tool in &call.server_tools {
        written.push(match &tool.kind {
            ServerToolKind::WebSearch(search) => Tool::WebSearch(web_search(search, tool.origin, losses)),
            ServerToolKind::WebFetch => Tool::Plain { r#type: WEB_FETCH, name: "web_fetch" },
            ServerToolKind::CodeExecution => Tool::Plain { r#type: CODE_EXECUTION, name: "code_execution" },
        });
    }
    if written.is_empty() {
        written = tools_of_history(call)?;
    }
    Ok(written)
}

fn function<'a>(
    tool: &'a conversation::Tool,
    model: &Model,
    losses: &mut Vec<Loss>,
) -> Result<Function<'a>, Unsayable> {
    let at = |what| Loss::tool(tool.origin, what);
    if tool.is_custom() {
        return Err(Unsayable::new(at(""), "Tools of free text cannot be sent to this model's vendor."));
    }
    let is_named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let fits = !tool.name.is_empty() && tool.name.len() <= MAX_NAME_CHARS && tool.name.chars().all(is_named);
    if !fits {
        let message = "This model's vendor takes letters, digits, `_` and `-` in a tool's name, 128 at most.";
        return Err(Unsayable::new(at("name"), message));
    }
    let schema = tool.parameters().map_or("", |schema| schema.get());
    let mut input_schema = match schema.trim() {
        "" | "{}" => object(NO_ARGUMENTS, || at("parameters"))?,
        schema => typed(object(schema, || at("parameters"))?),
    };
    let mut strict = tool.strict == Some(true);
    if strict {
        match Some(&input_schema).filter(|_| model.schemas).and_then(|schema| schema::fit(schema)) {
            Some(fitted) if !fitted.is_loose => input_schema = Cow::Owned(fitted.schema),
            _ => {
                strict = false;
                losses.push(at("strict"));
            }
        }
    }
    Ok(Function {
        name: &tool.name,
        description: tool.description.as_deref(),
        input_schema,
        strict,
        cache_control: tool.cache.map(|lifetime| Mark { lifetime, loss: at("cache_control") }),
    })
}

/// The vendor insists on `type` at the top.
fn typed(schema: Cow<'_, RawValue>) -> Cow<'_, RawValue> {
    #[derive(serde::Deserialize)]
    struct Typed<'a> {
        #[serde(borrow)]
        r#type: Option<&'a RawValue>,
    }
    let has_type = serde_json::from_str::<Typed<'_>>(schema.get()).is_ok_and(|typed| typed.r#type.is_some());
    if has_type {
        return schema;
    }
    let inside = schema.get().strip_prefix('{').unwrap_or_default();
    let comma = if inside.trim_start().starts_with('}') { "" } else { "," };
    match RawValue::from_string(format!("{{\"type\":\"object\"{comma}{inside}")) {
        Ok(with_type) => Cow::Owned(with_type),
        Err(_) => schema,
    }
}

fn web_search<'a>(
    search: &'a conversation::WebSearch,
    origin: usize,
    losses: &mut Vec<Loss>,
) -> WebSearch<'a> {
    if search.context_size.is_some() {
        losses.push(Loss::tool(origin, "search_context_size"));
    }
    // One list at a time.
    let blocked: &[String] = if search.allowed_domains.is_empty() { &search.blocked_domains } else { &[] };
    if blocked.len() < search.blocked_domains.len() {
        losses.push(Loss::tool(origin, "blocked_domains"));
    }
    WebSearch {
        r#type: WEB_SEARCH,
        name: "web_search",
        max_uses: search.max_uses,
        allowed_domains: &search.allowed_domains,
        blocked_domains: blocked,
        user_location: search.location.as_ref().map(|location| UserLocation {
            r#type: "approximate",
            city: location.city.as_deref(),
            region: location.region.as_deref(),
            country: location.country.as_deref(),
            timezone: location.timezone.as_deref(),
        }),
    }
}

/// A conversation with calls in it is refused without tools, so those that were called are named; none may be called.
fn tools_of_history(call: &ChatCall) -> Result<Vec<Tool<'_>>, Unsayable> {
    let mut names = BTreeSet::new();
    for part in call.turns.iter().flat_map(|turn| &turn.parts) {
        if let Part::ToolCall { name, .. } = part {
            names.insert(name.as_str());
        }
    }
    let tool = |name| {
        let input_schema = object(NO_ARGUMENTS, || Loss::Field("tools".to_owned()))?;
        Ok(Tool::Function(Function {
            name,
            description: None,
            input_schema,
            strict: false,
            cache_control: None,
        }))
    };
    names.into_iter().map(tool).collect()
}

/// The choice, and what is to be said in words where the model may not be forced.
pub(super) fn choice<'a>(
    call: &'a ChatCall,
    model: &Model,
    has_tools: bool,
    losses: &mut Vec<Loss>,
) -> (Option<ToolChoice<'a>>, Option<String>) {
    use crate::conversation::ToolChoice as Asked;
    let none = ToolChoice { r#type: "none", name: None, disable_parallel_tool_use: false };
    if call.tools.is_empty() && call.server_tools.is_empty() {
        if matches!(call.tool_choice, Some(Asked::Required | Asked::Named(_))) {
            losses.push(Setting::ToolChoice.into());
        }
        return (has_tools.then_some(none), None);
    }
    let one_at_a_time = call.parallel_tools == Some(false);
    let choice = |r#type, name| Some(ToolChoice { r#type, name, disable_parallel_tool_use: one_at_a_time });
    match &call.tool_choice {
        None if !one_at_a_time => (None, None),
        None | Some(Asked::Auto) => (choice("auto", None), None),
        // Knows no second field.
        Some(Asked::None) => (Some(none), None),
        Some(asked) if !model.forced_tools => {
            losses.push(Setting::ToolChoice.into());
            let words = match asked {
                Asked::Named(name) => format!("Answer by calling the tool `{name}`."),
                _ => "Answer by calling one of the tools.".to_owned(),
            };
            (choice("auto", None), Some(words))
        }
        Some(Asked::Required) => (choice("any", None), None),
        Some(Asked::Named(name)) => (choice("tool", Some(name.as_str())), None),
    }
}

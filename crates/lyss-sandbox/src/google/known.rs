//! The names Google knows. It refuses any other, so a field of another dialect that slipped through is seen.
//!
//! From the reference pages of `GenerateContentRequest`, `Content`, `Part`, `GenerationConfig`, `Tool` and `Schema`.

use serde_json::Value;

use super::fields::{get, list, snake};
use crate::refusal::Refusal;

const REQUEST: &[&str] = &[
    "model",
    "contents",
    "tools",
    "toolConfig",
    "safetySettings",
    "systemInstruction",
    "generationConfig",
    "cachedContent",
    "serviceTier",
    "store",
    "labels",
];
const CONTENT: &[&str] = &["role", "parts"];
const PART: &[&str] = &[
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "thought",
    "thoughtSignature",
    "videoMetadata",
    "partMetadata",
    "mediaResolution",
    "toolCall",
    "toolResponse",
];
/// A part holds exactly one of these.
const DATA: &[&str] = &[
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
];
const GENERATION: &[&str] = &[
    "stopSequences",
    "responseMimeType",
    "responseSchema",
    "responseJsonSchema",
    "_responseJsonSchema",
    "responseModalities",
    "candidateCount",
    "maxOutputTokens",
    "temperature",
    "topP",
    "topK",
    "seed",
    "presencePenalty",
    "frequencyPenalty",
    "responseLogprobs",
    "logprobs",
    "enableEnhancedCivicAnswers",
    "speechConfig",
    "thinkingConfig",
    "imageConfig",
    "mediaResolution",
];
const TOOL: &[&str] = &[
    "functionDeclarations",
    "googleSearch",
    "googleSearchRetrieval",
    "codeExecution",
    "urlContext",
    "computerUse",
    "fileSearch",
    "googleMaps",
    "mcpServers",
];
const DECLARATION: &[&str] = &[
    "name",
    "description",
    "behavior",
    "parameters",
    "parametersJsonSchema",
    "response",
    "responseJsonSchema",
];
const CALL: &[&str] = &["id", "name", "args", "partialArgs", "willContinue"];
const RESPONSE: &[&str] = &["id", "name", "response", "parts", "willContinue", "scheduling"];
const SCHEMA: &[&str] = &[
    "type",
    "format",
    "title",
    "description",
    "nullable",
    "enum",
    "maxItems",
    "minItems",
    "properties",
    "required",
    "minProperties",
    "maxProperties",
    "minLength",
    "maxLength",
    "pattern",
    "example",
    "anyOf",
    "propertyOrdering",
    "default",
    "items",
    "minimum",
    "maximum",
];
const MAX_SCHEMA_DEPTH: usize = 32;

/// Refuses the first name that is not known.
pub(super) fn check(body: &Value) -> Result<(), Refusal> {
    names(body, REQUEST, "")?;
    if let Some(system) = get(body, "systemInstruction") {
        content(system, "system_instruction")?;
    }
    for (index, one) in list(body, "contents").iter().enumerate() {
        content(one, &format!("contents[{index}]"))?;
    }
    for (index, tool) in list(body, "tools").iter().enumerate() {
        let path = format!("tools[{index}]");
        names(tool, TOOL, &path)?;
        for (index, declaration) in list(tool, "functionDeclarations").iter().enumerate() {
            let path = format!("{path}.function_declarations[{index}]");
            names(declaration, DECLARATION, &path)?;
            function_name(declaration, &path)?;
            if get(declaration, "parameters").is_some() && get(declaration, "parametersJsonSchema").is_some()
            {
                return Err(
                    Refusal::invalid("parameters and parameters_json_schema exclude each other.").param(path)
                );
            }
            if let Some(parameters) = get(declaration, "parameters") {
                schema(parameters, &format!("{path}.parameters"), 0)?;
            }
        }
    }
    if let Some(config) = get(body, "generationConfig") {
        names(config, GENERATION, "generation_config")?;
        if let Some(response) = get(config, "responseSchema") {
            schema(response, "generation_config.response_schema", 0)?;
        }
    }
    Ok(())
}

fn content(content: &Value, path: &str) -> Result<(), Refusal> {
    names(content, CONTENT, path)?;
    for (index, part) in list(content, "parts").iter().enumerate() {
        let path = format!("{path}.parts[{index}]");
        names(part, PART, &path)?;
        match DATA.iter().filter(|name| get(part, name).is_some()).count() {
            0 if get(part, "thoughtSignature").is_none() && get(part, "thought").is_none() => {
                let message =
                    format!("{path}.data: required oneof field 'data' must have one initialized field");
                return Err(Refusal::invalid(message).param(format!("{path}.data")));
            }
            0 | 1 => {}
            _ => {
                let message =
                    format!("Invalid value at '{path}' (oneof), oneof field 'data' is already set.");
                return Err(Refusal::invalid(message).param(path));
            }
        }
        if let Some(call) = get(part, "functionCall") {
            names(call, CALL, &format!("{path}.function_call"))?;
            structure(call, "args", &format!("{path}.function_call"))?;
        }
        if let Some(response) = get(part, "functionResponse") {
            names(response, RESPONSE, &format!("{path}.function_response"))?;
            structure(response, "response", &format!("{path}.function_response"))?;
        }
    }
    Ok(())
}

/// `args` and `response` are protocol buffers' `Struct`: an object or nothing.
fn structure(value: &Value, name: &str, path: &str) -> Result<(), Refusal> {
    match get(value, name) {
        Some(field) if !field.is_object() => {
            let path = format!("{path}.{name}");
            Err(Refusal::invalid(format!(
                "Invalid value at '{path}' (type.googleapis.com/google.protobuf.Struct)"
            ))
            .param(path))
        }
        _ => Ok(()),
    }
}

/// Letters, digits, `_`, `.`, `:` and `-`, beginning with a letter or `_`; at most 64.
fn function_name(declaration: &Value, path: &str) -> Result<(), Refusal> {
    let name = super::text(declaration, "name");
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    let rest = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.:-".contains(&b));
    match first && rest && name.len() <= 64 {
        true => Ok(()),
        false => {
            Err(Refusal::invalid(format!("{path}.name: invalid function name")).param(format!("{path}.name")))
        }
    }
}

fn schema(value: &Value, path: &str, depth: usize) -> Result<(), Refusal> {
    if depth > MAX_SCHEMA_DEPTH {
        return Err(Refusal::invalid(format!("{path}: the schema is nested too deeply")));
    }
    names(value, SCHEMA, path)?;
    if let Some(Value::Array(_)) = get(value, "type") {
        let path = format!("{path}.type");
        return Err(Refusal::invalid(format!("Proto field is not repeating, cannot start list at '{path}'"))
            .param(path));
    }
    for (name, property) in super::object_in(value, "properties").into_iter().flatten() {
        schema(property, &format!("{path}.properties[{name}]"), depth + 1)?;
    }
    if let Some(items) = get(value, "items") {
        schema(items, &format!("{path}.items"), depth + 1)?;
    }
    for (index, choice) in list(value, "anyOf").iter().enumerate() {
        schema(choice, &format!("{path}.any_of[{index}]"), depth + 1)?;
    }
    Ok(())
}

fn names(value: &Value, known: &[&str], path: &str) -> Result<(), Refusal> {
    let Some(object) = value.as_object() else {
        let at = if path.is_empty() { "request" } else { path };
        return Err(
            Refusal::invalid(format!("Invalid value at '{at}': an object is expected")).param(at.to_owned())
        );
    };
    let is_known = |name: &str| known.iter().any(|known| *known == name || snake(known) == name);
    match object.keys().find(|name| !is_known(name)) {
        None => Ok(()),
        Some(name) => {
            let place = if path.is_empty() { String::new() } else { format!(" at '{path}'") };
            let message =
                format!("Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field.");
            Err(Refusal::invalid(message).param(path.to_owned()))
        }
    }
}

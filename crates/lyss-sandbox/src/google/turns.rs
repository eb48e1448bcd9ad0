//! The order of turns, and the signatures that must come back.

use serde_json::Value;

use super::Generation;
use super::fields::{flag, get, list, text};
use crate::refusal::Refusal;
use crate::seal::{Sealer, decoded};

/// What may stand in for a signature where none was ever made (guide "Thought signatures").
const SKIPS: [&str; 2] = ["skip_thought_signature_validator", "context_engineering_is_the_way_to_go"];

pub(super) fn check(body: &Value, generation: Generation) -> Result<(), Refusal> {
    let contents = list(body, "contents");
    if contents.is_empty() {
        return Err(
            Refusal::invalid("GenerateContentRequest.contents: contents is not specified").param("contents")
        );
    }
    for (index, content) in contents.iter().enumerate() {
        if !matches!(text(content, "role"), "" | "user" | "model" | "function") {
            return Err(Refusal::invalid("Please use a valid role: user, model.")
                .param(format!("contents[{index}].role")));
        }
        if list(content, "parts").is_empty() {
            let path = format!("GenerateContentRequest.contents[{index}].parts");
            return Err(Refusal::invalid(format!("{path}: contents.parts must not be empty.")).param(path));
        }
    }
    if contents.first().is_some_and(|first| calls(first) > 0) {
        return Err(Refusal::invalid(
            "A function call turn must come right after a user turn or after a function response turn.",
        ));
    }
    for (index, content) in contents.iter().enumerate() {
        check_counts(content, contents.get(index + 1), index.checked_sub(1).and_then(|at| contents.get(at)))?;
    }
    check_signatures(contents, generation)
}

fn check_counts(content: &Value, next: Option<&Value>, before: Option<&Value>) -> Result<(), Refusal> {
    let called = calls(content);
    if called > 0 && next.map_or(0, responses) != called {
        return Err(Refusal::invalid(
            "The number of function response parts must be equal to the number of function call parts of the \
             function call turn.",
        ));
    }
    if responses(content) > 0 && before.map_or(0, calls) == 0 {
        return Err(Refusal::invalid("A function response turn must come right after a function call turn."));
    }
    if called > 0 && before.is_some_and(is_model) {
        return Err(Refusal::invalid(
            "A function call turn must come right after a user turn or after a function response turn.",
        ));
    }
    let nameless = list(content, "parts")
        .iter()
        .filter_map(|part| get(part, "functionResponse").or_else(|| get(part, "functionCall")))
        .any(|call| text(call, "name").is_empty());
    match nameless {
        true => Err(Refusal::invalid("function_response.name: Name cannot be empty.")),
        false => Ok(()),
    }
}

/// The current turn begins with the last content a user wrote that is no function's response. In it the first call of
/// every step must carry its signature where the model is of the third generation; whatever signature comes anywhere
/// must be one the sandbox made.
fn check_signatures(contents: &[Value], generation: Generation) -> Result<(), Refusal> {
    let turn =
        contents.iter().rposition(|content| !is_model(content) && responses(content) == 0).unwrap_or(0);
    for (index, content) in contents.iter().enumerate() {
        let mut first_call = true;
        for (at, part) in list(content, "parts").iter().enumerate() {
            if let Some(signature) = get(part, "thoughtSignature") {
                if !signature.as_str().is_some_and(acceptable) {
                    return Err(Refusal::invalid("Thought signature is not valid.")
                        .param(format!("contents[{index}].parts[{at}].thought_signature")));
                }
            } else if let Some(call) = get(part, "functionCall").filter(|_| first_call && index > turn)
                && generation == Generation::Three
            {
                return Err(Refusal::invalid(format!(
                    "Function call `{}` in content {index} is missing its thought_signature in functionCall parts. \
                     It is required for tools to work as they should.",
                    text(call, "name")
                )));
            }
            first_call &= get(part, "functionCall").is_none();
        }
    }
    Ok(())
}

fn acceptable(signature: &str) -> bool {
    let skips = |text: &str| SKIPS.contains(&text);
    Sealer::Google.locked(signature)
        || skips(signature)
        || decoded(signature).is_some_and(|text| skips(&text))
}

fn is_model(content: &Value) -> bool {
    text(content, "role") == "model"
}

fn calls(content: &Value) -> usize {
    list(content, "parts").iter().filter(|part| get(part, "functionCall").is_some()).count()
}

fn responses(content: &Value) -> usize {
    list(content, "parts").iter().filter(|part| get(part, "functionResponse").is_some()).count()
}

pub(super) fn last_user_text(contents: &[Value]) -> &str {
    let users = contents.iter().rev().filter(|content| !is_model(content));
    let mut texts = users.flat_map(|content| list(content, "parts").iter().rev());
    texts
        .find_map(|part| get(part, "text").and_then(Value::as_str).filter(|_| !flag(part, "thought")))
        .unwrap_or_default()
}

/// What the last function of this content answered, its text if it has one.
pub(super) fn function_result(content: &Value) -> Option<String> {
    let response = list(content, "parts").iter().rev().find_map(|part| get(part, "functionResponse"))?;
    let response = get(response, "response");
    let said = response.and_then(|response| {
        ["result", "output", "content", "error"].iter().find_map(|name| response.get(name)?.as_str())
    });
    Some(said.map_or_else(|| response.map(Value::to_string).unwrap_or_default(), str::to_owned))
}

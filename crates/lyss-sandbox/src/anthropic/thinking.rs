//! Thinking: whether it is on, and whether what was thought before came back as it was.

use serde_json::Value;

use crate::reading::{count, given, list, text};
use crate::refusal::Refusal;
use crate::seal::Sealer;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    Off,
    Enabled,
    Adaptive,
}

const MIN_BUDGET_TOKENS: u64 = 1024;

impl Thinking {
    pub(super) fn read(body: &Value, model: &str, max_tokens: u64) -> Result<Self, Refusal> {
        let Some(thinking) = given(body, "thinking") else { return Ok(Self::Off) };
        let on = match text(thinking, "type") {
            "disabled" => return Ok(Self::Off),
            "adaptive" if model.ends_with("-4-6") => Self::Adaptive,
            "adaptive" => return Err(Refusal::invalid("adaptive thinking is not supported on this model")),
            "enabled" => Self::Enabled,
            _ => return Err(Refusal::invalid("thinking.type: must be 'enabled', 'disabled' or 'adaptive'")),
        };
        if on == Self::Enabled {
            match count(thinking, "budget_tokens") {
                None => return Err(Refusal::invalid("thinking.enabled.budget_tokens: Field required")),
                Some(..MIN_BUDGET_TOKENS) => {
                    return Err(Refusal::invalid(
                        "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
                    ));
                }
                Some(budget) if budget >= max_tokens => {
                    return Err(Refusal::invalid(
                        "`max_tokens` must be greater than `thinking.budget_tokens`.",
                    ));
                }
                Some(_) => {}
            }
        }
        if given(body, "temperature").is_some_and(|it| it.as_f64() != Some(1.0)) {
            return Err(Refusal::invalid("`temperature` may only be set to 1 when thinking is enabled."));
        }
        if given(body, "top_k").is_some() {
            return Err(Refusal::invalid("`top_k` must be unset when thinking is enabled."));
        }
        if given(body, "top_p").and_then(Value::as_f64).is_some_and(|top_p| top_p < 0.95) {
            return Err(Refusal::invalid("`top_p` must be at least 0.95 or unset when thinking is enabled."));
        }
        Ok(on)
    }
}

/// Signatures are checked wherever they stand; the last assistant's turn must begin with what it thought where a tool's
/// result follows and thinking has a budget.
pub(super) fn check_history(body: &Value, thinking: Thinking) -> Result<(), Refusal> {
    let messages = list(body, "messages");
    for (at, message) in messages.iter().enumerate() {
        for (index, block) in list(message, "content").iter().enumerate() {
            check_seal(at, index, block)?;
        }
    }
    let last = messages.iter().rposition(|message| text(message, "role") == "assistant");
    let Some((at, message)) = last.and_then(|at| Some((at, messages.get(at)?))) else { return Ok(()) };
    // Several messages of one role are one turn.
    let first = messages
        .get(..at)
        .unwrap_or_default()
        .iter()
        .rposition(|message| text(message, "role") != "assistant")
        .map_or(0, |before| before + 1);
    let blocks = list(messages.get(first).unwrap_or(message), "content");
    let turn = messages.get(first..=at).unwrap_or_default();
    let uses_tools = turn
        .iter()
        .flat_map(|message| list(message, "content"))
        .any(|block| text(block, "type") == "tool_use");
    let begins = blocks.first().map(|block| text(block, "type")).unwrap_or("text");
    if thinking == Thinking::Enabled && uses_tools && !matches!(begins, "thinking" | "redacted_thinking") {
        return Err(Refusal::invalid(format!(
            "messages.{first}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{begins}`. When \
             `thinking` is enabled, a final `assistant` message must start with a thinking block."
        )));
    }
    Ok(())
}

fn check_seal(at: usize, index: usize, block: &Value) -> Result<(), Refusal> {
    let path = format!("messages.{at}.content.{index}");
    match text(block, "type") {
        "thinking" => match given(block, "signature").and_then(Value::as_str) {
            None => Err(Refusal::invalid(format!("{path}.thinking.signature: Field required"))),
            Some(seal) if Sealer::Anthropic.made(seal, text(block, "thinking")) => Ok(()),
            Some(_) => Err(Refusal::invalid(format!("{path}: Invalid `signature` in `thinking` block"))),
        },
        "redacted_thinking" if !Sealer::AnthropicRedacted.locked(text(block, "data")) => {
            Err(Refusal::invalid(format!("{path}: Invalid `data` in `redacted_thinking` block")))
        }
        "web_search_tool_result" => {
            let results = list(block, "content").iter();
            match results
                .map(|it| text(it, "encrypted_content"))
                .all(|it| Sealer::AnthropicRedacted.locked(it))
            {
                true => Ok(()),
                false => Err(Refusal::invalid(format!(
                    "{path}: Invalid `encrypted_content` in `search_result` block"
                ))),
            }
        }
        _ => Ok(()),
    }
}

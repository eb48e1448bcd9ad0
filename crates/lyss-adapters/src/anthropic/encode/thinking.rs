//! `thinking` and `output_config.effort`, as in the pages "Thinking" and "Effort".

use super::models::{Efforts, Model, Thinks};
use super::out::{Message, Thinking, ToolChoice};
use crate::conversation::{self, ChatCall, Effort, Loss, Setting};

/// The least budget that is taken.
const MIN_BUDGET: u64 = 1_024;

/// What a model is told of thinking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) thinking: Option<Thinking>,
    pub(super) effort: Option<&'static str>,
}

impl Plan {
    /// The model will think, so that sampling is restricted.
    pub(super) fn thinks(&self, model: &Model) -> bool {
        match &self.thinking {
            Some(thinking) => matches!(thinking.r#type, "enabled" | "adaptive"),
            None => model.thinking.unasked(),
        }
    }
}

/// Nothing of the request's other parts is changed: what thinking does not go together with wins over it.
pub(super) fn plan(
    call: &ChatCall,
    model: &Model,
    max_tokens: u64,
    choice: Option<&ToolChoice<'_>>,
    messages: &[Message<'_>],
    losses: &mut Vec<Loss>,
) -> Plan {
    let is_forced = choice.is_some_and(ToolChoice::is_forced);
    let lose = |losses: &mut Vec<Loss>| losses.push(Setting::Thinking.into());
    let Some(asked) = &call.thinking else {
        // It would think unasked, and refuse to be forced.
        let thinking = (is_forced && model.thinking.unasked()).then(|| off(model.thinking)).flatten();
        return Plan { thinking, effort: None };
    };
    if asked.is_off() {
        if model.thinking == Thinks::Always {
            lose(losses);
            return Plan { thinking: None, effort: model.efforts.word(Effort::Low) };
        }
        return Plan { thinking: off(model.thinking), effort: kept_effort(asked, model) };
    }
    let plan = match model.thinking {
        Thinks::Never => None,
        _ if is_forced => None,
        thinks if thinks.adaptively() && !(thinks == Thinks::Either && asked.budget.is_some()) => {
            Some(adaptive(asked, model))
        }
        _ => budgeted(asked, model, max_tokens, messages, losses),
    };
    plan.unwrap_or_else(|| {
        lose(losses);
        Plan { thinking: off(model.thinking), effort: kept_effort(asked, model) }
    })
}

/// What turns thinking off; `None`: it is off unless asked for, or cannot be.
fn off(thinks: Thinks) -> Option<Thinking> {
    let r#type = match thinks {
        Thinks::AdaptiveUnlessDisabled => "disabled",
        Thinks::AdaptiveUnlessBetweenTools => "between_tools",
        Thinks::Never | Thinks::Budget | Thinks::Either | Thinks::Adaptive | Thinks::Always => return None,
    };
    Some(Thinking { r#type, budget_tokens: None, display: None })
}

/// Effort without thinking, which the newest models take up to `high` only.
fn kept_effort(asked: &conversation::Thinking, model: &Model) -> Option<&'static str> {
    let effort = asked.effort.filter(|effort| *effort != Effort::None)?;
    model.efforts.word(effort.min(Effort::High))
}

fn adaptive(asked: &conversation::Thinking, model: &Model) -> Plan {
    let display = asked.show.map(|show| if show { "summarized" } else { "omitted" });
    Plan {
        thinking: Some(Thinking { r#type: "adaptive", budget_tokens: None, display }),
        effort: asked.effort_or_budget().and_then(|effort| model.efforts.word(effort)),
    }
}

/// Thinking with a budget below the output limit, where nothing of the conversation forbids it.
fn budgeted(
    asked: &conversation::Thinking,
    model: &Model,
    max_tokens: u64,
    messages: &[Message<'_>],
    losses: &mut Vec<Loss>,
) -> Option<Plan> {
    // A turn begun is not carried on with thinking, and the turn whose tool results are sent must begin with it.
    let ends_with_assistant = messages.last().is_some_and(|last| last.role == "assistant");
    if ends_with_assistant || lacks_thinking(messages) {
        return None;
    }
    let wished = asked.budget_or_effort().unwrap_or_else(|| Effort::Medium.budget()).max(MIN_BUDGET);
    // Something must be left for the answer itself: a fifth, and never less than a token.
    let most = max_tokens.saturating_sub(max_tokens / 5).min(max_tokens.saturating_sub(1));
    let budget = if most >= MIN_BUDGET { wished.min(most) } else { MIN_BUDGET };
    if budget >= max_tokens {
        return None;
    }
    let is_narrowed = asked.budget.is_some_and(|asked| asked > budget);
    // Only models that take `adaptive` are told what to show; the others always show.
    let display = match (model.thinking, asked.show) {
        (Thinks::Either, Some(true)) => Some("summarized"),
        (Thinks::Either, Some(false)) => Some("omitted"),
        _ => None,
    };
    let shows_unasked = asked.show == Some(false) && display.is_none();
    if is_narrowed || shows_unasked {
        losses.push(Setting::Thinking.into());
    }
    let effort = match model.efforts {
        Efforts::None => None,
        efforts => asked.effort.and_then(|effort| efforts.word(effort)),
    };
    Some(Plan {
        thinking: Some(Thinking { r#type: "enabled", budget_tokens: Some(budget), display }),
        effort,
    })
}

/// The last turn of the assistant's called tools, and its thinking was lost on the way.
fn lacks_thinking(messages: &[Message<'_>]) -> bool {
    let last = messages.iter().rev().find(|message| message.role == "assistant");
    last.is_some_and(|message| {
        let calls = message.content.iter().any(super::out::Block::is_tool_use);
        calls && !message.content.first().is_some_and(super::out::Block::is_thinking)
    })
}

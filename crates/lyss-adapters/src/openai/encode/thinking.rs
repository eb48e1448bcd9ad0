//! How a wish for more or less reasoning is told.

use serde::Serialize;

use super::Task;
use crate::conversation::{Effort, Setting, Thinking, ThinkingMode};
use crate::quirks::{EffortField, ReasoningBack};

#[derive(Serialize)]
struct Reasoning {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exclude: Option<bool>,
}

#[derive(Serialize)]
struct ThinkingType {
    r#type: &'static str,
}

#[derive(Serialize)]
struct TemplateArguments {
    enable_thinking: bool,
}

pub(super) fn thinking(task: &mut Task<'_>) {
    let Some(wish) = task.call.thinking else { return };
    let is_off = wish.is_off();
    let has_degree = !is_off && (wish.effort.is_some() || wish.budget.is_some());
    // Only whether it is shown was said, or the choice was left to the model.
    let is_open = !is_off && !has_degree && wish.mode != ThinkingMode::On;
    // OpenAI shows no thoughts in this dialect. Vendors whose thoughts go back show them unasked.
    let is_hidden =
        task.quirks.effort == EffortField::ReasoningEffort && task.quirks.reasoning == ReasoningBack::Dropped;
    if wish.show == Some(true) && !is_off && is_hidden {
        task.lose(Setting::Thinking);
    }
    match task.quirks.effort {
        EffortField::ReasoningEffort => effort_word(task, &wish, is_off),
        EffortField::ReasoningObject => task.put("reasoning", &object(&wish, is_off)),
        _ if is_open => {}
        EffortField::ThinkingType => {
            task.put("thinking", &ThinkingType { r#type: switch(is_off) });
            lose_degree(task, has_degree);
        }
        EffortField::ThinkingTypeAndEffort => {
            task.put("thinking", &ThinkingType { r#type: switch(is_off) });
            let effort = wish.effort_or_budget().filter(|_| has_degree);
            task.put_some("reasoning_effort", effort.map(coarse));
            lose_degree(task, effort.is_some_and(|effort| coarse(effort) != effort.as_str()));
        }
        EffortField::EnableThinking => {
            task.put("enable_thinking", &!is_off);
            task.put_some("thinking_budget", wish.budget_or_effort().filter(|_| has_degree));
        }
        EffortField::TemplateArguments => {
            task.put("chat_template_kwargs", &TemplateArguments { enable_thinking: !is_off });
            lose_degree(task, has_degree);
        }
        EffortField::Nowhere => task.lose(Setting::Thinking),
    }
}

const fn switch(is_off: bool) -> &'static str {
    if is_off { "disabled" } else { "enabled" }
}

fn lose_degree(task: &mut Task<'_>, has_degree: bool) {
    if has_degree {
        task.lose(Setting::Thinking);
    }
}

/// The three that DeepSeek knows ("Thinking Mode"), by its own table of the others.
const fn coarse(effort: Effort) -> &'static str {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => "low",
        Effort::Medium | Effort::High | Effort::XHigh => "high",
        Effort::Max => "max",
    }
}

fn object(wish: &Thinking, is_off: bool) -> Reasoning {
    let exclude = wish.show.map(|is_shown| !is_shown).filter(|is_hidden| *is_hidden);
    if is_off {
        // The one way that models without a word for it understand.
        return Reasoning { effort: None, max_tokens: None, enabled: Some(false), exclude };
    }
    // One of the two alone may be said; a budget is the finer one.
    let max_tokens = wish.budget;
    let effort = wish.effort.filter(|_| max_tokens.is_none()).map(|effort| match effort {
        Effort::Max => Effort::XHigh.as_str(),
        effort => effort.as_str(),
    });
    let is_bare = max_tokens.is_none() && effort.is_none() && wish.mode != ThinkingMode::Unsaid;
    Reasoning { effort, max_tokens, enabled: is_bare.then_some(true), exclude }
}

/// `reasoning_effort`: the word, or the nearest that the model knows, which then is a loss.
fn effort_word(task: &mut Task<'_>, wish: &Thinking, is_off: bool) {
    let wanted = match is_off {
        true => Some(Effort::None),
        // Without a word some models would not think at all.
        false if wish.mode == ThinkingMode::On => wish.effort_or_budget().or(Some(Effort::Medium)),
        false => wish.effort_or_budget(),
    };
    let Some(wanted) = wanted else { return };
    let written = match task.family.efforts() {
        // A model that never reasons does as it is told here, and others cannot be told.
        Some([]) => None,
        Some(known) => nearest(known, wanted),
        None if task.quirks.platform_fields => Some(wanted).map(|effort| effort.min(Effort::XHigh)),
        None => Some(match wanted {
            Effort::Minimal => Effort::Low,
            effort => effort.min(Effort::High),
        }),
    };
    task.put_some("reasoning_effort", written.map(Effort::as_str));
    let is_told = match written {
        Some(written) => written == wanted,
        None => is_off,
    };
    if !is_told && !task.losses.contains(&Setting::Thinking.into()) {
        task.lose(Setting::Thinking);
    }
}

/// The least that is not below what is wanted, else the most.
fn nearest(known: &[Effort], wanted: Effort) -> Option<Effort> {
    known.iter().copied().find(|effort| *effort >= wanted).or(known.last().copied())
}

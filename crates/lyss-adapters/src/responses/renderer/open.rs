//! What is open while an answer is written: at most one item, and in a message at most one part.

use super::super::wire::{Content, Item};
use crate::arguments::ObjectWatch;

pub(super) enum Open {
    Message(Message),
    Reasoning(Reasoning),
    Call(Call),
}

pub(super) struct Message {
    pub(super) id: String,
    /// The last one is open.
    pub(super) content: Vec<Content>,
    /// Characters of the open text, and where the stretch begins that the next citation backs.
    pub(super) chars: u64,
    pub(super) stretch: u64,
    pub(super) cited: bool,
}

pub(super) struct Reasoning {
    pub(super) id: String,
    pub(super) text: String,
    /// The summary's only part is open.
    pub(super) has_part: bool,
}

pub(super) struct Call {
    pub(super) number: u32,
    pub(super) id: String,
    pub(super) call_id: String,
    pub(super) name: String,
    pub(super) custom: bool,
    pub(super) arguments: String,
    pub(super) watch: ObjectWatch,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Refusal,
}

impl Content {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::OutputText { .. } => Kind::Text,
            Self::Refusal { .. } => Kind::Refusal,
        }
    }

    pub(super) fn empty(kind: Kind) -> Self {
        match kind {
            Kind::Text => {
                Self::OutputText { annotations: Vec::new(), logprobs: Vec::new(), text: String::new() }
            }
            Kind::Refusal => Self::Refusal { refusal: String::new() },
        }
    }
}

impl Call {
    pub(super) fn item(&self, status: &'static str, text: String) -> Item {
        let (id, call_id, name) = (self.id.clone(), self.call_id.clone(), self.name.clone());
        match self.custom {
            true => Item::CustomToolCall { id, status, call_id, name, input: text },
            false => Item::FunctionCall { id, status, call_id, name, arguments: text },
        }
    }

    pub(super) fn event(&self, what: &str) -> &'static str {
        match (self.custom, what) {
            (true, "delta") => "response.custom_tool_call_input.delta",
            (true, _) => "response.custom_tool_call_input.done",
            (false, "delta") => "response.function_call_arguments.delta",
            (false, _) => "response.function_call_arguments.done",
        }
    }
}

//! What there is to say, before it takes a vendor's shape.

use std::iter::once;

use crate::request::{Tool, sample_arguments};
use crate::text::{self, Pieces};

#[cfg(test)]
mod tests;

/// A call that was understood. Borrows from the request.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) model: &'a str,
    /// The last text a user wrote.
    pub(crate) user_text: &'a str,
    /// The last message's text, where it is a tool's result.
    pub(crate) tool_result: Option<&'a str>,
    pub(crate) tools: Vec<Tool<'a>>,
    /// Said before the tools are called.
    pub(crate) tool_opening: &'static str,
    pub(crate) choices: usize,
    pub(crate) max_tokens: usize,
    pub(crate) words: Option<usize>,
    pub(crate) reasons: bool,
}

/// One choice of an answer.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) thoughts: Pieces,
    pub(crate) words: Pieces,
    pub(crate) calls: Vec<Call>,
    pub(crate) stop: Stop,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// JSON, unless the answer was cut short by `max_tokens`.
    pub(crate) arguments: Pieces,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Stop {
    #[default]
    End,
    Length,
    Tools,
}

/// One step of a streamed answer; each but `Open` and `Close` is one token.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step<'a> {
    Open,
    Thought(&'a str),
    Word(&'a str),
    Call(usize, &'a Call),
    Arguments(usize, &'a str),
    Close,
}

/// As many bytes of a tool's result as the answer mentions.
const MENTION_BYTES: usize = 60;

pub(crate) fn compose(ask: &Ask<'_>) -> Vec<Answer> {
    let seed = text::seed(ask.model, ask.user_text);
    (0..ask.choices).map(|choice| compose_one(ask, text::reseed(seed, choice))).collect()
}

fn compose_one(ask: &Ask<'_>, seed: u64) -> Answer {
    let mut answer = Answer::default();
    if ask.reasons {
        answer.thoughts = text::thoughts(seed);
    }
    match ask.tool_result {
        _ if !ask.tools.is_empty() => {
            let opening_words = ask.tool_opening.split_whitespace().count();
            answer.words = text::words(seed, ask.tool_opening, Some(opening_words));
            answer.calls = ask.tools.iter().map(Call::sample).collect();
            answer.stop = Stop::Tools;
        }
        Some(result) => {
            let opening = format!("The tool answered: {}.", mention(result));
            answer.words = text::words(seed, &opening, ask.words);
        }
        None => answer.words = text::words(seed, "", ask.words),
    }
    answer.limit(ask.max_tokens);
    answer
}

fn mention(result: &str) -> &str {
    let end = result.floor_char_boundary(MENTION_BYTES);
    result.get(..end).unwrap_or(result)
}

impl Answer {
    pub(crate) fn tokens(&self) -> usize {
        self.thoughts.len() + self.words.len() + self.calls.iter().map(Call::tokens).sum::<usize>()
    }

    pub(crate) fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        let calls = self.calls.iter().enumerate().flat_map(|(index, call)| {
            let arguments = call.arguments.iter().map(move |piece| Step::Arguments(index, piece));
            once(Step::Call(index, call)).chain(arguments)
        });
        once(Step::Open)
            .chain(self.thoughts.iter().map(Step::Thought))
            .chain(self.words.iter().map(Step::Word))
            .chain(calls)
            .chain(once(Step::Close))
    }

    fn limit(&mut self, max_tokens: usize) {
        if self.tokens() <= max_tokens {
            return;
        }
        self.stop = Stop::Length;
        let mut left = max_tokens;
        for pieces in [&mut self.thoughts, &mut self.words] {
            pieces.truncate(left);
            left -= pieces.len();
        }
        self.calls.retain_mut(|call| {
            let kept = left > 0;
            call.arguments.truncate(left.saturating_sub(1));
            left = left.saturating_sub(call.tokens());
            kept
        });
    }
}

impl Call {
    fn sample(tool: &Tool<'_>) -> Self {
        Self { name: tool.name.to_owned(), arguments: Pieces::fragments(&sample_arguments(tool.schema)) }
    }

    fn tokens(&self) -> usize {
        1 + self.arguments.len()
    }
}

impl Step<'_> {
    pub(crate) fn tokens(self) -> usize {
        match self {
            Self::Open | Self::Close => 0,
            Self::Thought(_) | Self::Word(_) | Self::Call(..) | Self::Arguments(..) => 1,
        }
    }
}

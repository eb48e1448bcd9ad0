//! What there is to say, before it takes a vendor's shape.

use std::iter::once;

use crate::knobs::{Finish, Knobs};
use crate::request::{Parameters, Tool};
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
    /// So many words of reasoning; without it a short sentence.
    pub(crate) thought_words: Option<usize>,
    /// Said instead of sentences: the JSON the caller's schema asks for.
    pub(crate) json: Option<String>,
    /// The text ends before the first of these.
    pub(crate) stop_sequences: Vec<&'a str>,
    pub(crate) finish: Option<Finish>,
}

/// One choice of an answer.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) thoughts: Pieces,
    pub(crate) words: Pieces,
    pub(crate) calls: Vec<Call>,
    pub(crate) stop: Stop,
    /// The sequence met, if that is why it stopped.
    pub(crate) stop_sequence: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// The arguments are free text, not JSON (OpenAI's custom tools).
    pub(crate) custom: bool,
    /// JSON, unless the answer was cut short by `max_tokens`.
    pub(crate) arguments: Pieces,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Stop {
    #[default]
    End,
    Length,
    Tools,
    /// A stop sequence of the caller's.
    Sequence,
    ContentFilter,
    Refusal,
    Pause,
    Malformed,
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
/// What is said where a knob asks for a refusal.
const REFUSAL_WORDS: usize = 9;
const REFUSAL: &str = "I am sorry, but I cannot help with that.";
const JSON_PIECE_BYTES: usize = 8;

pub(crate) fn compose(ask: &Ask<'_>) -> Vec<Answer> {
    let seed = text::seed(ask.model, ask.user_text);
    (0..ask.choices).map(|choice| compose_one(ask, text::reseed(seed, choice))).collect()
}

fn compose_one(ask: &Ask<'_>, seed: u64) -> Answer {
    let mut answer = Answer::default();
    if ask.reasons {
        answer.thoughts = text::thoughts(seed, ask.thought_words);
    }
    match ask.tool_result {
        _ if ask.finish == Some(Finish::Refusal) => {
            answer.words = text::words(0, REFUSAL, Some(REFUSAL_WORDS))
        }
        _ if !ask.tools.is_empty() => {
            let opening_words = ask.tool_opening.split_whitespace().count();
            answer.words = text::words(seed, ask.tool_opening, Some(opening_words));
            answer.calls = ask.tools.iter().map(Call::sample).collect();
            answer.stop = Stop::Tools;
        }
        _ if ask.json.is_some() => {
            answer.words = Pieces::cut(ask.json.as_deref().unwrap_or_default(), JSON_PIECE_BYTES);
        }
        Some(result) => {
            let opening = format!("The tool answered: {}.", mention(result));
            answer.words = text::words(seed, &opening, ask.words);
        }
        None => answer.words = text::words(seed, "", ask.words),
    }
    answer.stop_at(&ask.stop_sequences);
    if let Some(finish) = ask.finish {
        answer.end_as(finish);
    }
    answer.limit(ask.max_tokens);
    answer
}

fn mention(result: &str) -> &str {
    let end = result.floor_char_boundary(MENTION_BYTES);
    result.get(..end).unwrap_or(result)
}

impl Default for Ask<'_> {
    fn default() -> Self {
        Self {
            model: "",
            user_text: "",
            tool_result: None,
            tools: Vec::new(),
            tool_opening: "",
            choices: 1,
            max_tokens: usize::MAX,
            words: None,
            reasons: false,
            thought_words: None,
            json: None,
            stop_sequences: Vec::new(),
            finish: None,
        }
    }
}

impl Ask<'_> {
    /// What the model's name adds to the call.
    pub(crate) fn turned_by(&mut self, knobs: &Knobs) {
        self.words = knobs.words;
        self.finish = knobs.finish;
        self.reasons |= knobs.thinks();
        self.thought_words = knobs.thoughts;
    }
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

    /// Ends the text before the first stop sequence in it. The pieces before stay as they are.
    fn stop_at(&mut self, sequences: &[&str]) {
        let text = self.words.as_str();
        let found = sequences.iter().filter(|sequence| !sequence.is_empty());
        let first = found.filter_map(|sequence| Some((text.find(sequence)?, *sequence))).min();
        if let Some((at, sequence)) = first {
            self.words.truncate_bytes(at);
            self.calls.clear();
            self.stop = Stop::Sequence;
            self.stop_sequence = Some(sequence.to_owned());
        }
    }

    fn end_as(&mut self, finish: Finish) {
        self.stop = match finish {
            Finish::Length => Stop::Length,
            Finish::ContentFilter => Stop::ContentFilter,
            Finish::Refusal => Stop::Refusal,
            Finish::Pause => Stop::Pause,
            Finish::Malformed => Stop::Malformed,
        };
        if matches!(finish, Finish::Length | Finish::ContentFilter) {
            let half = self.words.len() / 2;
            self.words.truncate(half);
            self.calls.clear();
        }
        if finish == Finish::Malformed {
            // What was meant to be a call could not be read, so nothing of it is shown.
            self.calls.clear();
            self.words = Pieces::default();
        }
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
        let custom = matches!(tool.parameters, Parameters::Free);
        let arguments = Pieces::fragments(&tool.parameters.sample());
        Self { name: tool.name.to_owned(), custom, arguments }
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

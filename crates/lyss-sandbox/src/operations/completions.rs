//! The older completions: text after text.

use serde_json::Value;

use super::{CREATED, tokens_of};
use crate::answer::{Answer, Ask, Stop, compose};
use crate::knobs::Knobs;
use crate::reading::{count, flag, given, list};
use crate::refusal::Refusal;
use crate::server::Spoken;
use crate::stream::Script;
use crate::template::{filled, quoted};

const WHOLE: &str = r#"{"id":"cmpl-sandbox$serial","object":"text_completion","created":$created,"model":$model,"choices":[$choices]$usage}"#;
const CHOICE: &str = r#"{"text":$text,"index":$index,"logprobs":null,"finish_reason":$finish}"#;
const USAGE: &str = r#"{"prompt_tokens":$prompt,"completion_tokens":$completion,"total_tokens":$total}"#;
/// The reference's default.
const DEFAULT_MAX_TOKENS: u64 = 16;
const MAX_CHOICES: u64 = 4;

pub(super) fn complete(body: &Value, model: &str, serial: u64, knobs: &Knobs) -> Result<Spoken, Refusal> {
    let prompts = super::texts(body, "prompt")?;
    let stops: Vec<&str> = match given(body, "stop") {
        Some(Value::String(one)) => vec![one],
        Some(_) => list(body, "stop").iter().filter_map(Value::as_str).collect(),
        None => Vec::new(),
    };
    let max_tokens = count(body, "max_tokens").unwrap_or(DEFAULT_MAX_TOKENS);
    let choices = count(body, "n").unwrap_or(1);
    if !(1..=MAX_CHOICES).contains(&choices) {
        return Err(super::invalid("n", "between 1 and 4 are allowed"));
    }
    let mut answers = Vec::new();
    for prompt in &prompts {
        let mut ask = Ask {
            model,
            user_text: prompt,
            choices: usize::try_from(choices).unwrap_or(1),
            max_tokens: usize::try_from(max_tokens).unwrap_or(usize::MAX),
            stop_sequences: stops.clone(),
            ..Ask::default()
        };
        ask.words = knobs.words;
        ask.finish = knobs.finish;
        answers.append(&mut compose(&ask));
    }
    let prompt_tokens = prompts.iter().map(|prompt| tokens_of(prompt)).sum::<u64>();
    let completion = answers.iter().map(Answer::tokens).sum::<usize>();
    let slots = [
        ("prompt", &*prompt_tokens.to_string()),
        ("completion", &completion.to_string()),
        ("total", &(prompt_tokens + completion as u64).to_string()),
    ];
    let usage = filled(USAGE, &slots);
    let envelope = |choices: &str, usage: &str| {
        let slots = [
            ("serial", &*format!("{serial:012x}")),
            ("created", CREATED),
            ("model", &quoted(model)),
            ("choices", choices),
            ("usage", usage),
        ];
        filled(WHOLE, &slots)
    };
    if !flag(body, "stream").unwrap_or(false) {
        let choices = answers.iter().enumerate();
        let choices: Vec<_> =
            choices.map(|(index, it)| choice(index, it.words.as_str(), Some(it.stop))).collect();
        let body = envelope(&choices.join(","), &format!(r#","usage":{usage}"#));
        return Ok(Spoken::whole(body.into_bytes(), completion, prompt_tokens));
    }
    let wants_usage = given(body, "stream_options").and_then(|it| flag(it, "include_usage")) == Some(true);
    let mut script = Script::default();
    let mut say = |tokens: usize, choices: &str, usage: &str| {
        script.event(tokens, |out| {
            out.extend_from_slice(format!("data: {}\n\n", envelope(choices, usage)).as_bytes());
        });
    };
    let no_usage = if wants_usage { r#","usage":null"# } else { "" };
    for (index, answer) in answers.iter().enumerate() {
        for word in answer.words.iter() {
            say(1, &choice(index, word, None), no_usage);
        }
        say(0, &choice(index, "", Some(answer.stop)), no_usage);
    }
    if wants_usage {
        say(0, "", &format!(r#","usage":{usage}"#));
    }
    script.event(0, |out| out.extend_from_slice(b"data: [DONE]\n\n"));
    Ok(Spoken::streamed(script, prompt_tokens))
}

fn choice(index: usize, text: &str, stop: Option<Stop>) -> String {
    let finish = match stop {
        None => "null",
        Some(Stop::Length) => r#""length""#,
        Some(Stop::ContentFilter) => r#""content_filter""#,
        Some(_) => r#""stop""#,
    };
    filled(CHOICE, &[("text", &quoted(text)), ("index", &index.to_string()), ("finish", finish)])
}

//! What Google says: whole, as events, or as the elements of an array.

use super::Generation;
use super::tokens::Prompt;
use crate::answer::{Answer, Step, Stop};
use crate::seal::Sealer;
use crate::stream::Script;
use crate::template::{filled, quoted};

/// What an answer's templates are filled with.
pub(super) struct Frame<'a> {
    pub(super) model: &'a str,
    pub(super) serial: u64,
    pub(super) generation: Generation,
    pub(super) prompt: Prompt,
    pub(super) shows_thoughts: bool,
    /// Signatures are made.
    pub(super) signs: bool,
    /// Google search was offered, and used.
    pub(super) grounded: bool,
    pub(super) logprobs: bool,
}

const WHOLE: &str =
    r#"{"candidates":[$candidates],"usageMetadata":$usage,"modelVersion":"$model","responseId":"$id"}"#;
const CANDIDATE: &str = r#"{"content":{$parts"role":"model"}$finish,"index":$index$more}"#;
const FINISH: &str = r#","finishReason":"$reason"$message"#;
const TEXT: &str = r#"{"text":$text$signature}"#;
const THOUGHT: &str = r#"{"text":$text,"thought":true}"#;
const CALL: &str = r#"{"functionCall":{"name":$name,"args":$args}$signature}"#;
const SIGNATURE: &str = r#","thoughtSignature":"$seal""#;
const SAFETY: &str = r#","safetyRatings":[{"category":"HARM_CATEGORY_HATE_SPEECH","probability":"NEGLIGIBLE"},{"category":"HARM_CATEGORY_DANGEROUS_CONTENT","probability":"$probability"$blocked},{"category":"HARM_CATEGORY_HARASSMENT","probability":"NEGLIGIBLE"},{"category":"HARM_CATEGORY_SEXUALLY_EXPLICIT","probability":"NEGLIGIBLE"}]"#;
const GROUNDING: &str = r#","groundingMetadata":{"webSearchQueries":["sandbox weather"],"searchEntryPoint":{"renderedContent":"<div>sandbox weather</div>"},"groundingChunks":[{"web":{"uri":"https://example.com/weather","title":"example.com"}}],"groundingSupports":[{"segment":{"startIndex":0,"endIndex":$end,"text":$text},"groundingChunkIndices":[0]}]}"#;
const USAGE: &str = r#"{"promptTokenCount":$prompt$cached$candidates,"totalTokenCount":$total,"promptTokensDetails":[$details]$thoughts}"#;

const BLOCKED: &str = r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":$prompt,"totalTokenCount":$prompt,"promptTokensDetails":[$details]},"modelVersion":"$model","responseId":"sandbox$id"}"#;

/// The answer to a prompt that is against the policy.
pub(super) fn blocked(model: &str, serial: u64, prompt: &Prompt) -> String {
    let slots = [
        ("prompt", &*prompt.total().to_string()),
        ("details", &prompt.details()),
        ("model", model),
        ("id", &format!("{serial:012x}")),
    ];
    filled(BLOCKED, &slots)
}

impl Frame<'_> {
    pub(super) fn whole(&self, answers: &[Answer]) -> Vec<u8> {
        let candidates: Vec<_> = answers
            .iter()
            .enumerate()
            .map(|(index, answer)| self.candidate(index, &self.parts(index, answer).join(","), Some(answer)))
            .collect();
        let (head, tail) = self.around(answers, true);
        [head, candidates.join(","), tail].concat().into_bytes()
    }

    pub(super) fn stream(&self, answers: &[Answer], array: bool) -> Script {
        let events = answers.iter().map(Answer::tokens).sum::<usize>() + 2 * answers.len() + 1;
        let mut script = Script::with_capacity(events * 640, events);
        let (running, ending) = (self.around(answers, false), self.around(answers, true));
        let mut say = |candidates: String, tokens: usize, last: bool| {
            let first = script.events() == 0;
            let (head, tail) = if last { &ending } else { &running };
            script.event(tokens, |out| {
                let (before, after) = match array {
                    true => (if first { "[" } else { ",\r\n" }, if last { "\n]\n" } else { "\n" }),
                    false => ("data: ", "\r\n\r\n"),
                };
                out.extend_from_slice(before.as_bytes());
                for piece in [&**head, &*candidates, &**tail] {
                    out.extend_from_slice(piece.as_bytes());
                }
                out.extend_from_slice(after.as_bytes());
            });
        };
        let mut turns: Vec<_> = answers.iter().map(|answer| (answer, answer.steps())).collect();
        let mut open = answers.len();
        // Thought, but not shown: counted with what is said next.
        let mut hidden = 0;
        while open > 0 {
            for (index, (answer, steps)) in turns.iter_mut().enumerate() {
                let Some(step) = steps.next() else { continue };
                let part = match step {
                    // Arguments come whole, with their call.
                    Step::Open | Step::Arguments(..) => continue,
                    Step::Thought(text) if self.shows_thoughts => filled(THOUGHT, &[("text", &quoted(text))]),
                    Step::Thought(_) => {
                        hidden += 1;
                        continue;
                    }
                    Step::Word(text) => filled(TEXT, &[("text", &quoted(text))]),
                    Step::Call(call, _) => self.call(index, call, answer),
                    Step::Close => {
                        open -= 1;
                        let part = self.closing(index, answer);
                        say(
                            self.candidate(index, &part, Some(answer)),
                            std::mem::take(&mut hidden),
                            open == 0,
                        );
                        continue;
                    }
                };
                let tokens = match step {
                    Step::Call(_, call) => 1 + call.arguments.len(),
                    _ => 1,
                };
                say(self.candidate(index, &part, None), tokens + std::mem::take(&mut hidden), false);
            }
        }
        script
    }

    /// The part of a candidate's last event: empty text, with the signature where the answer was text.
    fn closing(&self, index: usize, answer: &Answer) -> String {
        if matches!(answer.stop, Stop::Malformed | Stop::ContentFilter) {
            return String::new();
        }
        let seal = match answer.calls.is_empty() {
            true => self.signature(index, answer),
            false => String::new(),
        };
        filled(TEXT, &[("text", "\"\""), ("signature", &seal)])
    }

    fn parts(&self, index: usize, answer: &Answer) -> Vec<String> {
        let mut parts = Vec::new();
        if self.shows_thoughts && !answer.thoughts.is_empty() {
            parts.push(filled(THOUGHT, &[("text", &quoted(answer.thoughts.as_str()))]));
        }
        if !answer.words.is_empty() {
            let seal = match answer.calls.is_empty() {
                true => self.signature(index, answer),
                false => String::new(),
            };
            let slots = [("text", &*quoted(answer.words.as_str())), ("signature", &seal)];
            parts.push(filled(TEXT, &slots));
        }
        parts.extend((0..answer.calls.len()).map(|call| self.call(index, call, answer)));
        parts
    }

    /// Only the first of parallel calls is signed.
    fn call(&self, index: usize, call: usize, answer: &Answer) -> String {
        let Some(said) = answer.calls.get(call) else { return String::new() };
        let arguments = said.arguments.as_str();
        let whole = serde_json::from_str::<serde::de::IgnoredAny>(arguments).is_ok();
        let seal = if call == 0 { self.signature(index, answer) } else { String::new() };
        let slots = [
            ("name", &*quoted(&said.name)),
            ("args", if whole { arguments } else { "{}" }),
            ("signature", &seal),
        ];
        filled(CALL, &slots)
    }

    fn signature(&self, index: usize, answer: &Answer) -> String {
        if answer.thoughts.is_empty() || !self.signs {
            return String::new();
        }
        let seal = Sealer::Google.lock(&format!("{}/{index}/{}", self.model, answer.thoughts.as_str()));
        filled(SIGNATURE, &[("seal", &seal)])
    }

    /// `ended` is given with a candidate's last words.
    fn candidate(&self, index: usize, parts: &str, ended: Option<&Answer>) -> String {
        let finish = ended.map(|answer| {
            let (reason, message) = finish_reason(answer.stop, self.generation);
            let message = match message.is_empty() {
                true => String::new(),
                false => format!(r#","finishMessage":{}"#, quoted(message)),
            };
            filled(FINISH, &[("reason", reason), ("message", &message)])
        });
        let parts = match parts.is_empty() {
            true => String::new(),
            false => format!(r#""parts":[{parts}],"#),
        };
        let slots = [
            ("parts", &*parts),
            ("finish", &finish.unwrap_or_default()),
            ("index", &index.to_string()),
            ("more", &ended.map(|answer| self.more(answer)).unwrap_or_default()),
        ];
        filled(CANDIDATE, &slots)
    }

    /// What stands beside the last words: ratings, where it was found, and how likely it was.
    fn more(&self, answer: &Answer) -> String {
        let blocked = answer.stop == Stop::ContentFilter;
        let slots = [
            ("probability", if blocked { "HIGH" } else { "NEGLIGIBLE" }),
            ("blocked", if blocked { r#","blocked":true"# } else { "" }),
        ];
        let mut more = filled(SAFETY, &slots);
        let words = answer.words.as_str();
        if self.grounded && !words.is_empty() {
            let slots = [("end", &*words.len().to_string()), ("text", &quoted(words))];
            more.push_str(&filled(GROUNDING, &slots));
        }
        if self.logprobs {
            let chosen: Vec<_> = answer
                .words
                .iter()
                .map(|word| format!(r#"{{"token":{},"tokenId":1,"logProbability":-0.25}}"#, quoted(word)))
                .collect();
            let top =
                chosen.iter().map(|chosen| format!(r#"{{"candidates":[{chosen}]}}"#)).collect::<Vec<_>>();
            more.push_str(&format!(
                r#","avgLogprobs":-0.25,"logprobsResult":{{"topCandidates":[{}],"chosenCandidates":[{}]}}"#,
                top.join(","),
                chosen.join(",")
            ));
        }
        more
    }

    /// What stands before and after the candidates. Usage grows until the end; thoughts are counted from the start of
    /// the answer.
    fn around(&self, answers: &[Answer], last: bool) -> (String, String) {
        let thoughts = answers.iter().map(|answer| answer.thoughts.len()).sum::<usize>() as u64;
        let said = answers.iter().map(Answer::tokens).sum::<usize>() as u64 - thoughts;
        let said = if last { said } else { 0 };
        let prompt = self.prompt.total();
        let optional = |name: &str, count: u64| match count {
            0 => String::new(),
            count => format!(r#","{name}":{count}"#),
        };
        let mut cached = optional("cachedContentTokenCount", self.prompt.cached);
        if self.prompt.cached > 0 {
            let count = self.prompt.cached;
            cached
                .push_str(&format!(r#","cacheTokensDetails":[{{"modality":"TEXT","tokenCount":{count}}}]"#));
        }
        let slots = [
            ("prompt", &*prompt.to_string()),
            ("cached", &cached),
            ("candidates", &optional("candidatesTokenCount", said)),
            ("total", &(prompt + said + thoughts).to_string()),
            ("details", &self.prompt.details()),
            ("thoughts", &optional("thoughtsTokenCount", thoughts)),
        ];
        let slots = [
            ("usage", &*filled(USAGE, &slots)),
            ("model", self.model),
            ("id", &format!("sandbox{:012x}", self.serial)),
        ];
        let (head, tail) = WHOLE.split_once("$candidates").unwrap_or((WHOLE, ""));
        (filled(head, &slots), filled(tail, &slots))
    }
}

/// The word, and what is said with it.
fn finish_reason(stop: Stop, generation: Generation) -> (&'static str, &'static str) {
    match stop {
        Stop::End | Stop::Tools | Stop::Sequence | Stop::Pause => ("STOP", ""),
        Stop::Length => ("MAX_TOKENS", ""),
        Stop::ContentFilter => ("SAFETY", ""),
        Stop::Refusal => ("PROHIBITED_CONTENT", ""),
        Stop::Malformed if generation == Generation::Three => {
            ("MALFORMED_FUNCTION_CALL", "Malformed function call: get(")
        }
        Stop::Malformed => ("MALFORMED_FUNCTION_CALL", "Malformed function call: print(default_api.get("),
    }
}

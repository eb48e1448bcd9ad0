//! What chat says, whole or in chunks.

use super::CREATED;
use super::wire::Wire;
use crate::answer::{Answer, Step, Stop};
use crate::stream::Script;
use crate::template::{fill, filled, quoted, requote};

/// What an answer's templates are filled with.
pub(super) struct Frame<'a> {
    pub(super) wire: &'a Wire,
    pub(super) model: String,
    pub(super) serial: u64,
    pub(super) usage: String,
    /// The tier that served; empty where the vendor has none.
    pub(super) tier: &'static str,
    pub(super) logprobs: bool,
    /// The web was searched.
    pub(super) searched: bool,
}

const ANNOTATION: &str = r#"{"type":"url_citation","url_citation":{"end_index":$end,"start_index":0,"title":"Weather","url":"https://example.com/weather"}}"#;
const LOGPROB: &str = r#"{"token":$text,"logprob":-0.25,"bytes":$bytes,"top_logprobs":[]}"#;
const CUSTOM_CALL: &str = r#"{"id":"$id","type":"custom","custom":{"name":$name,"input":$arguments}}"#;

fn finish_reason(stop: Stop) -> &'static str {
    match stop {
        Stop::End | Stop::Sequence | Stop::Refusal | Stop::Pause | Stop::Malformed => "stop",
        Stop::Length => "length",
        Stop::Tools => "tool_calls",
        Stop::ContentFilter => "content_filter",
    }
}

impl Frame<'_> {
    pub(super) fn whole(&self, answers: &[Answer]) -> Vec<u8> {
        let choices: Vec<_> =
            answers.iter().enumerate().map(|(index, answer)| self.choice(index, answer)).collect();
        let slots = [
            ("id", &*self.id()),
            ("created", CREATED),
            ("model", &self.model),
            ("choices", &choices.join(",")),
            ("usage", &self.usage),
            ("tier", self.tier),
        ];
        filled(self.wire.whole, &slots).into_bytes()
    }

    fn choice(&self, index: usize, answer: &Answer) -> String {
        let calls = answer.calls.iter().enumerate().map(|(call, said)| {
            let slots = [
                ("id", &*self.call_id(index, call)),
                ("name", &quoted(&said.name)),
                ("arguments", &quoted(said.arguments.as_str())),
            ];
            filled(
                if said.custom {
                    CUSTOM_CALL
                } else {
                    r#"{"id":"$id","type":"function","function":{"name":$name,"arguments":$arguments}}"#
                },
                &slots,
            )
        });
        let calls: Vec<_> = calls.collect();
        let calls = match calls.is_empty() {
            true => String::new(),
            false => format!(r#","tool_calls":[{}]"#, calls.join(",")),
        };
        // A tool call has no text, which is `null`; an empty text is a string.
        let refuses = answer.stop == Stop::Refusal;
        let content = match refuses || answer.words.is_empty() && !answer.calls.is_empty() {
            true => "null".to_owned(),
            false => quoted(answer.words.as_str()),
        };
        let slots = [
            ("index", &*index.to_string()),
            ("content", &content),
            ("thoughts", &quoted(answer.thoughts.as_str())),
            ("calls", &calls),
            ("refusal", &if refuses { quoted(answer.words.as_str()) } else { "null".to_owned() }),
            ("annotations", &self.annotation(answer).unwrap_or_default()),
            ("logprobs", &self.logprobs(answer.words.iter())),
            ("finish", finish_reason(answer.stop)),
        ];
        filled(self.wire.choice, &slots)
    }

    /// Choices take turns, one step each, as OpenAI sends them.
    pub(super) fn stream(&self, answers: &[Answer], include_usage: bool) -> Script {
        let (head, tail) = self.wire.chunk.split_once("$choices").unwrap_or((self.wire.chunk, ""));
        let around = |usage: &str| {
            let slots = [
                ("id", &*self.id()),
                ("created", CREATED),
                ("model", &self.model),
                ("usage", usage),
                ("tier", self.tier),
            ];
            (filled(head, &slots), filled(tail, &slots))
        };
        let (head, tail) = around(if include_usage { r#","usage":null"# } else { "" });

        let events = answers.iter().map(Answer::tokens).sum::<usize>() + 2 * answers.len() + 3;
        let mut script = Script::with_capacity(events * (head.len() + tail.len() + 160), events);
        if let Some(prelude) = self.wire.prelude {
            script.event(0, |out| out.extend_from_slice(prelude.as_bytes()));
        }
        let mut scratch = String::new();
        let mut hidden = 0;
        let mut turns: Vec<_> = answers.iter().map(|answer| (answer, answer.steps())).collect();
        loop {
            let mut silent = true;
            for (index, (answer, steps)) in turns.iter_mut().enumerate() {
                let Some(step) = steps.next() else { continue };
                silent = false;
                // A single call is announced together with the role.
                if matches!(step, Step::Open) && answer.opens_with_call() {
                    continue;
                }
                // Thought, but told by this vendor only in its usage.
                if matches!(step, Step::Thought(_)) && self.wire.thought.is_empty() {
                    hidden += 1;
                    continue;
                }
                if matches!(step, Step::Close)
                    && let Some(annotation) = self.annotation(answer)
                {
                    let delta = format!(
                        r#"{{"index":{index},"delta":{{"annotations":[{annotation}]}},"logprobs":null,"finish_reason":null}}"#
                    );
                    script
                        .event(0, |out| out.extend_from_slice([&*head, &*delta, &*tail].concat().as_bytes()));
                }
                script.event(step.tokens() + std::mem::take(&mut hidden), |out| {
                    out.extend_from_slice(head.as_bytes());
                    self.delta(out, index, answer, step, &mut scratch);
                    out.extend_from_slice(tail.as_bytes());
                });
            }
            if silent {
                break;
            }
        }
        if include_usage {
            let (head, tail) = around(&format!(r#","usage":{}"#, self.usage));
            script.event(0, |out| out.extend_from_slice([head, tail].concat().as_bytes()));
        }
        script.event(0, |out| out.extend_from_slice(b"data: [DONE]\n\n"));
        script
    }

    fn delta(&self, out: &mut Vec<u8>, index: usize, answer: &Answer, step: Step<'_>, scratch: &mut String) {
        let index_text = index.to_string();
        let at = ("index", &*index_text);
        match step {
            Step::Open if answer.calls.is_empty() => fill(out, self.wire.open, &[at, ("content", "\"\"")]),
            Step::Open => fill(out, self.wire.open, &[at, ("content", "null")]),
            Step::Thought(text) => fill(out, self.wire.thought, &[at, ("text", requote(scratch, text))]),
            Step::Word(text) => {
                let field = if answer.stop == Stop::Refusal { "refusal" } else { "content" };
                let logprobs = self.logprobs(std::iter::once(text));
                let slots = [at, ("field", field), ("text", requote(scratch, text)), ("logprobs", &logprobs)];
                fill(out, self.wire.word, &slots);
            }
            Step::Call(call, said) => {
                let lead =
                    if answer.opens_with_call() { r#""role":"assistant","content":null,"# } else { "" };
                let id = self.call_id(index, call);
                let name = requote(scratch, &said.name);
                let template = if said.custom { self.wire.custom } else { self.wire.call };
                let slots = [at, ("lead", lead), ("call", &call.to_string()), ("id", &id), ("name", name)];
                fill(out, template, &slots);
            }
            Step::Arguments(call, text) => {
                let slots = [at, ("call", &*call.to_string()), ("text", requote(scratch, text))];
                let custom = answer.calls.get(call).is_some_and(|call| call.custom);
                fill(out, if custom { self.wire.input } else { self.wire.arguments }, &slots);
            }
            Step::Close => fill(out, self.wire.close, &[at, ("finish", finish_reason(answer.stop))]),
        }
    }

    /// `null`, or what stands there for these words.
    fn logprobs<'w>(&self, words: impl Iterator<Item = &'w str>) -> String {
        if !self.logprobs {
            return "null".to_owned();
        }
        let words = words.map(|word| {
            let bytes: Vec<_> = word.bytes().map(|byte| byte.to_string()).collect();
            filled(LOGPROB, &[("text", &quoted(word)), ("bytes", &format!("[{}]", bytes.join(",")))])
        });
        format!(r#"{{"content":[{}],"refusal":null}}"#, words.collect::<Vec<_>>().join(","))
    }

    fn annotation(&self, answer: &Answer) -> Option<String> {
        let says = self.searched && answer.calls.is_empty() && answer.stop != Stop::Refusal;
        says.then(|| {
            let end = answer.words.as_str().chars().count().to_string();
            filled(ANNOTATION, &[("end", &end)])
        })
    }

    fn id(&self) -> String {
        format!("chatcmpl-sandbox{:012x}", self.serial)
    }

    fn call_id(&self, choice: usize, call: usize) -> String {
        format!("call_sandbox{:012x}{choice}{call}", self.serial)
    }
}

impl Answer {
    fn opens_with_call(&self) -> bool {
        self.thoughts.is_empty() && self.words.is_empty() && self.calls.len() == 1
    }
}

//! What an answer says, whoever wrote it down: whole or streamed, a value for each path.

use std::collections::BTreeMap;

use lyss_adapters::conversation::{
    ChatEvent, ChatReply, Citation, Media, Part, ReplyHead, SafetyRating, Seal, TokenLogprob,
};
use lyss_adapters::{Fault, FinishReason};
use lyss_domain::TokenUsage;
use serde_json::{Value, json};

/// An answer by paths: `choices[0].text`, `usage.input` …; what is not said has no path.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ReplyForm {
    pub(crate) said: BTreeMap<String, Value>,
}

#[derive(Default)]
struct Gathered {
    head: ReplyHead,
    usage: Option<TokenUsage>,
    choices: BTreeMap<u32, ChoiceForm>,
    fault: Option<Fault>,
    ended: bool,
}

#[derive(Default)]
struct ChoiceForm {
    text: String,
    reasoning: String,
    refusal: String,
    seals: Vec<Value>,
    citations: Vec<Value>,
    media: Vec<Value>,
    calls: BTreeMap<u32, [String; 4]>,
    finish: Option<FinishReason>,
    logprobs: Vec<Value>,
    safety: Vec<Value>,
    /// One letter for each stretch: text, reasoning, seal, call, media.
    order: String,
}

impl ReplyForm {
    pub(crate) fn of_reply(reply: &ChatReply) -> Self {
        let mut gathered =
            Gathered { head: reply.head.clone(), usage: reply.usage, ended: true, ..Gathered::default() };
        for (at, choice) in reply.choices.iter().enumerate() {
            let form = gathered.choices.entry(u32::try_from(at).unwrap_or_default()).or_default();
            for part in &choice.parts {
                form.part(part);
            }
            form.finish = Some(choice.finish.clone());
            form.logprobs = choice.logprobs.iter().map(logprob).collect();
            form.safety = choice.safety.iter().map(safety).collect();
        }
        gathered.form()
    }

    pub(crate) fn of_events(events: &[ChatEvent]) -> Self {
        let mut gathered = Gathered::default();
        for event in events {
            gathered.event(event);
        }
        gathered.form()
    }

    /// The same in a dialect that has no refusals apart from texts.
    pub(crate) fn with_refusals_as_text(&self) -> Self {
        let mut said = self.said.clone();
        for (path, refusal) in &self.said {
            if let Some(choice) = path.strip_suffix(".refusal") {
                said.remove(path);
                let text = said.entry(format!("{choice}.text")).or_insert_with(|| json!(""));
                *text = json!(format!(
                    "{}{}",
                    text.as_str().unwrap_or_default(),
                    refusal.as_str().unwrap_or_default()
                ));
            }
        }
        Self { said }
    }

    /// The paths under which the two differ, with both values.
    pub(crate) fn differences(&self, other: &Self) -> Vec<(String, Value, Value)> {
        let mut paths: Vec<_> = self.said.keys().chain(other.said.keys()).collect();
        paths.sort();
        paths.dedup();
        let of = |form: &Self, path: &String| form.said.get(path).cloned().unwrap_or(Value::Null);
        paths
            .into_iter()
            .map(|path| (path.clone(), of(self, path), of(other, path)))
            .filter(|(_, one, other)| one != other)
            .collect()
    }
}

impl Gathered {
    fn event(&mut self, event: &ChatEvent) {
        match event {
            ChatEvent::Start(head) => self.head = head.clone(),
            ChatEvent::Text { choice, text } => self.choice(*choice).text(text),
            ChatEvent::Reasoning { choice, text } => self.choice(*choice).reasoning(text),
            ChatEvent::ReasoningSeal { choice, seal } => self.choice(*choice).seal(seal),
            ChatEvent::Refusal { choice, text } => self.choice(*choice).refusal.push_str(text),
            ChatEvent::Citation { choice, citation } => {
                self.choice(*choice).citations.push(cited(citation));
            }
            ChatEvent::Media { choice, media } => self.choice(*choice).media(media),
            ChatEvent::ToolCallStart { choice, call, id, name, custom } => {
                self.choice(*choice).call(*call, id, name, "", *custom);
            }
            ChatEvent::ToolCallArguments { choice, call, text } => {
                if let Some([_, _, arguments, _]) = self.choice(*choice).calls.get_mut(call) {
                    arguments.push_str(text);
                }
            }
            ChatEvent::Logprobs { choice, tokens } => {
                self.choice(*choice).logprobs.extend(tokens.iter().map(logprob));
            }
            ChatEvent::Safety { choice, ratings } => {
                self.choice(*choice).safety = ratings.iter().map(safety).collect();
            }
            ChatEvent::Finish { choice, reason } => self.choice(*choice).finish = Some(reason.clone()),
            ChatEvent::Usage(usage) => self.usage = Some(*usage),
            ChatEvent::End => self.ended = true,
            ChatEvent::Fault(fault) => self.fault = Some(fault.clone()),
        }
    }

    fn choice(&mut self, at: u32) -> &mut ChoiceForm {
        self.choices.entry(at).or_default()
    }

    fn form(self) -> ReplyForm {
        let mut said = BTreeMap::new();
        let mut say = |path: String, value: Value| {
            let is_empty = value.is_null() || value == json!("") || value == json!([]);
            if !is_empty {
                said.insert(path, value);
            }
        };
        say("id".into(), json!(self.head.id));
        say("model".into(), json!(self.head.model));
        say("created".into(), json!(self.head.created));
        say("service_tier".into(), json!(self.head.service_tier));
        say("system_fingerprint".into(), json!(self.head.system_fingerprint));
        if let Some(usage) = self.usage {
            let classes = [
                ("input", usage.input),
                ("cache_read", usage.cache_read),
                ("cache_write", usage.cache_write),
                ("cache_write_long", usage.cache_write_long),
                ("audio_input", usage.audio_input),
                ("output", usage.output),
                ("reasoning", usage.reasoning),
                ("audio_output", usage.audio_output),
            ];
            for (name, tokens) in classes.into_iter().filter(|(_, tokens)| *tokens > 0) {
                say(format!("usage.{name}"), json!(tokens));
            }
        }
        for (at, choice) in self.choices {
            let at = format!("choices[{at}]");
            say(format!("{at}.text"), json!(choice.text));
            say(format!("{at}.reasoning"), json!(choice.reasoning));
            say(format!("{at}.refusal"), json!(choice.refusal));
            say(format!("{at}.seals"), json!(choice.seals));
            say(format!("{at}.citations"), json!(choice.citations));
            say(format!("{at}.media"), json!(choice.media));
            let calls: Vec<_> = choice.calls.into_values().collect();
            say(format!("{at}.call_ids"), calls.iter().map(|[id, ..]| json!(id)).collect());
            let arguments = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
            let calls = calls.iter().map(|[_, name, text, custom]| json!([name, arguments(text), custom]));
            say(format!("{at}.calls"), calls.collect());
            say(format!("{at}.finish"), json!(choice.finish.map(|reason| format!("{reason:?}"))));
            say(format!("{at}.logprobs"), json!(choice.logprobs));
            say(format!("{at}.safety"), json!(choice.safety));
            if choice.order.len() > 1 {
                say(format!("{at}.order"), json!(choice.order));
            }
        }
        say("fault.kind".into(), json!(self.fault.as_ref().map(|fault| format!("{:?}", fault.kind))));
        say("fault.message".into(), json!(self.fault.map(|fault| fault.message)));
        say("end".into(), json!(self.ended.then_some(true)));
        ReplyForm { said }
    }
}

impl ChoiceForm {
    fn part(&mut self, part: &Part) {
        match part {
            Part::Text(text) => self.text(text),
            Part::Refusal(text) => self.refusal.push_str(text),
            Part::Reasoning(reasoning) => {
                self.reasoning(&reasoning.text);
                if let Some(seal) = &reasoning.seal {
                    self.seal(seal);
                }
            }
            Part::Media(media) => self.media(media),
            Part::Citation(citation) => self.citations.push(cited(citation)),
            Part::ToolCall { id, name, arguments, custom } => {
                let at = u32::try_from(self.calls.len()).unwrap_or_default();
                self.call(at, id, name, arguments, *custom);
            }
            Part::ToolResult { .. } | Part::CachePoint(_) => {}
        }
    }

    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.ordered('t');
            self.text.push_str(text);
        }
    }

    fn reasoning(&mut self, text: &str) {
        if !text.is_empty() {
            self.ordered('r');
            self.reasoning.push_str(text);
        }
    }

    fn seal(&mut self, seal: &Seal) {
        self.order.push('s');
        // As its own vendor made it: in another's field it stands wrapped, and is unwrapped when it comes back.
        let unwrapped = Seal::from_token(&seal.data);
        let seal = unwrapped.as_ref().unwrap_or(seal);
        self.seals.push(json!([format!("{:?}", seal.kind), seal.data, seal.id]));
    }

    fn media(&mut self, media: &Media) {
        self.ordered('m');
        self.media.push(json!([media.kind.as_str(), format!("{:?}", media.source), media.mime_or_usual()]));
    }

    fn call(&mut self, at: u32, id: &str, name: &str, arguments: &str, custom: bool) {
        self.order.push('c');
        let call = [id.to_owned(), name.to_owned(), arguments.to_owned(), custom.to_string()];
        self.calls.insert(at, call);
    }

    fn ordered(&mut self, what: char) {
        if !self.order.ends_with(what) {
            self.order.push(what);
        }
    }
}

fn cited(citation: &Citation) -> Value {
    let said = |words: &Option<String>| words.clone().filter(|words| !words.is_empty());
    json!([format!("{:?}", citation.place), said(&citation.title), said(&citation.cited_text), citation.span])
}

fn logprob(token: &TokenLogprob) -> Value {
    let top: Vec<_> = token.top.iter().map(|other| json!([other.token, other.logprob])).collect();
    json!([token.token, token.logprob, top])
}

fn safety(rating: &SafetyRating) -> Value {
    json!([rating.category, format!("{:?}", rating.level), rating.blocked])
}

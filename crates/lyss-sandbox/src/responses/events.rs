//! The same response as events: each item opened, told in deltas, and closed before the next.

use super::frame::{Frame, Item, logprob};
use crate::stream::Script;
use crate::template::quoted;

struct Writer {
    script: Script,
}

pub(super) fn stream(frame: &Frame<'_>) -> Script {
    let events = frame.answer.tokens() + 8 * (frame.answer.calls.len() + 3);
    let mut writer = Writer { script: Script::with_capacity(events * 220 + 4096, events) };
    let begun = format!(r#""response":{}"#, frame.response("in_progress", ""));
    writer.say("response.created", 0, &begun);
    writer.say("response.in_progress", 0, &begun);
    for (index, item) in frame.items().into_iter().enumerate() {
        writer.item(frame, index, item);
    }
    let status = frame.last_status();
    writer.say(&format!("response.{status}"), 0, &format!(r#""response":{}"#, frame.whole()));
    writer.script
}

impl Writer {
    /// `fields` follow the type and the sequence number.
    fn say(&mut self, kind: &str, tokens: usize, fields: &str) {
        let number = self.script.events();
        self.script.event(tokens, |out| {
            let event = format!(
                "event: {kind}\ndata: {{\"type\":\"{kind}\",\"sequence_number\":{number},{fields}}}\n\n"
            );
            out.extend_from_slice(event.as_bytes());
        });
    }

    fn item(&mut self, frame: &Frame<'_>, index: usize, item: Item) {
        let opened = frame.opened(item);
        self.say("response.output_item.added", 0, &format!(r#""output_index":{index},"item":{opened}"#));
        let at = format!(r#""item_id":"{}","output_index":{index}"#, frame.item_id(item));
        match item {
            Item::Reasoning => self.reasoning(frame, &at),
            Item::Search => {
                for step in ["in_progress", "searching", "completed"] {
                    self.say(&format!("response.web_search_call.{step}"), 0, &at);
                }
            }
            Item::Message => self.message(frame, &at),
            Item::Call(call) => self.call(frame, call, &at),
        }
        let done = frame.item(item);
        let untold =
            if item == Item::Reasoning && !frame.summarises { frame.answer.thoughts.len() } else { 0 };
        self.say("response.output_item.done", untold, &format!(r#""output_index":{index},"item":{done}"#));
    }

    /// Thoughts are told only in summary, and only if that was asked for; they are tokens all the same.
    fn reasoning(&mut self, frame: &Frame<'_>, at: &str) {
        let thoughts = &frame.answer.thoughts;
        if !frame.summarises {
            return;
        }
        let at = format!(r#"{at},"summary_index":0"#);
        let kind = |name: &str| format!("response.reasoning_summary_{name}");
        let empty = r#""part":{"type":"summary_text","text":""}"#;
        self.say(&kind("part.added"), 0, &format!("{at},{empty}"));
        for word in thoughts.iter() {
            self.say(&kind("text.delta"), 1, &format!(r#"{at},"delta":{}"#, quoted(word)));
        }
        self.say(&kind("text.done"), 0, &format!(r#"{at},"text":{}"#, quoted(thoughts.as_str())));
        self.say(&kind("part.done"), 0, &format!(r#"{at},"part":{}"#, frame.summary()));
    }

    fn message(&mut self, frame: &Frame<'_>, at: &str) {
        let at = format!(r#"{at},"content_index":0"#);
        let words = &frame.answer.words;
        let part = frame.opened_content();
        self.say("response.content_part.added", 0, &format!(r#"{at},"part":{part}"#));
        let (delta, done, field) = match frame.refuses() {
            true => ("response.refusal.delta", "response.refusal.done", "refusal"),
            false => ("response.output_text.delta", "response.output_text.done", "text"),
        };
        let logprobs = |words: &mut dyn Iterator<Item = &str>| match (frame.refuses(), frame.logprobs) {
            (true, _) => String::new(),
            (false, false) => r#","logprobs":[]"#.to_owned(),
            (false, true) => format!(r#","logprobs":[{}]"#, words.map(logprob).collect::<Vec<_>>().join(",")),
        };
        for word in words.iter() {
            let logprobs = logprobs(&mut std::iter::once(word));
            self.say(delta, 1, &format!(r#"{at},"delta":{}{logprobs},"obfuscation":"q8""#, quoted(word)));
        }
        if let Some(citation) = frame.citation() {
            let fields = format!(r#"{at},"annotation_index":0,"annotation":{citation}"#);
            self.say("response.output_text.annotation.added", 0, &fields);
        }
        let all = logprobs(&mut words.iter());
        self.say(done, 0, &format!(r#"{at},"{field}":{}{all}"#, quoted(words.as_str())));
        let part = frame.content();
        self.say("response.content_part.done", 0, &format!(r#"{at},"part":{part}"#));
    }

    fn call(&mut self, frame: &Frame<'_>, call: usize, at: &str) {
        let Some(said) = frame.answer.calls.get(call) else { return };
        let (kind, field) = match said.custom {
            true => ("response.custom_tool_call_input", "input"),
            false => ("response.function_call_arguments", "arguments"),
        };
        for piece in said.arguments.iter() {
            let fields = format!(r#"{at},"delta":{},"obfuscation":"q8""#, quoted(piece));
            self.say(&format!("{kind}.delta"), 1, &fields);
        }
        self.say(
            &format!("{kind}.done"),
            1,
            &format!(r#"{at},"{field}":{}"#, quoted(said.arguments.as_str())),
        );
    }
}

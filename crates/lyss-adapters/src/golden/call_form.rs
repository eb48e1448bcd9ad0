//! What a conversation says, whoever wrote it down: the same request read in two dialects has the same form, except
//! for what a named loss excuses.

use std::collections::BTreeMap;

use lyss_adapters::Dialect;
use lyss_adapters::conversation::{
    ChatCall, Effort, Loss, Media, Origin, OutputFormat, Part, Role, ServerTool, ServerToolKind, Setting,
    Source, Thinking, ThinkingMode, Tool, ToolChoice, ToolKind, Turn,
};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::heard::{Entry, Excuse, Hearing, Stretch, compare, compare_text};

#[derive(Default)]
pub(crate) struct CallForm {
    groups: BTreeMap<String, Vec<Entry>>,
    texts: BTreeMap<&'static str, Vec<Stretch>>,
    /// Tool calls by id, numbered as they come.
    numbers: Vec<(String, String)>,
    order: String,
}

impl CallForm {
    pub(crate) fn of(call: &ChatCall) -> Self {
        let mut form = Self::default();
        form.settings(call);
        for tool in &call.tools {
            form.tool(tool);
        }
        for tool in &call.server_tools {
            form.server_tool(tool);
        }
        for turn in &call.turns {
            form.turn(turn);
        }
        // Google wants the results in the order of their calls; which belongs to which is what counts.
        for group in ["results", "results.is_error"] {
            let number = |entry: &Entry| entry.value.get(0).unwrap_or(&entry.value).as_u64();
            form.groups.entry(group.to_owned()).or_default().sort_by_key(number);
        }
        let order = std::mem::take(&mut form.order);
        let anywhere = call.turns.iter().map(|turn| Excuse::Turn(turn.origin, &[])).collect();
        form.push("order", json!(order), anywhere);
        // Which call a result answers is told by its number; results of one turn may come in any order.
        if let Some(results) = form.groups.get_mut("results") {
            results.sort_by_key(|entry| entry.value[0].as_u64());
        }
        form
    }

    /// Where the second form says less than the first or something else, and no loss explains it.
    pub(crate) fn unexplained(&self, heard: &Self, target: Dialect, losses: &[Loss]) -> Vec<String> {
        self.unexplained_by(
            heard,
            Hearing { target, losses, shows_thoughts: false, text: heard.text_of("user") },
        )
    }

    /// The same of a vendor that shows its thoughts unasked.
    pub(crate) fn unexplained_where_thoughts_show(
        &self,
        heard: &Self,
        target: Dialect,
        losses: &[Loss],
    ) -> Vec<String> {
        self.unexplained_by(
            heard,
            Hearing { target, losses, shows_thoughts: true, text: heard.text_of("user") },
        )
    }

    fn text_of(&self, role: &str) -> String {
        self.texts.get(role).into_iter().flatten().map(|stretch| stretch.text.as_str()).collect()
    }

    fn unexplained_by(&self, heard: &Self, hearing: Hearing<'_>) -> Vec<String> {
        let losses = hearing.losses;
        let mut found = Vec::new();
        let none = Vec::new();
        let names: std::collections::BTreeSet<_> = self.groups.keys().chain(heard.groups.keys()).collect();
        for name in names {
            let said = self.groups.get(name).unwrap_or(&none);
            let heard = heard.groups.get(name).unwrap_or(&none);
            compare(name, &hearing, said, heard, &mut found);
        }
        for role in ["system", "user", "assistant"] {
            let none = Vec::new();
            let said = self.texts.get(role).unwrap_or(&none);
            let heard = heard.text_of(role);
            compare_text(role, said, &heard, losses, &mut found);
        }
        found
    }

    fn push(&mut self, group: &str, value: Value, excuses: Vec<Excuse>) {
        self.groups.entry(group.to_owned()).or_default().push(Entry { value, excuses });
    }

    fn setting(&mut self, name: &str, value: Option<impl Into<Value>>, setting: Setting) {
        if let Some(value) = value {
            self.push(&format!("setting.{name}"), value.into(), vec![Excuse::Setting(setting)]);
        }
    }

    fn settings(&mut self, call: &ChatCall) {
        use Setting as S;
        self.setting("max_output_tokens", call.max_output_tokens, S::MaxOutputTokens);
        // One is every vendor's default.
        self.setting(
            "temperature",
            call.temperature.filter(|n| (n - 1.0).abs() > f64::EPSILON),
            S::Temperature,
        );
        self.setting("top_p", call.top_p, S::TopP);
        self.setting("top_k", call.top_k, S::TopK);
        self.setting("presence_penalty", call.presence_penalty.filter(|n| *n != 0.0), S::PresencePenalty);
        self.setting("frequency_penalty", call.frequency_penalty.filter(|n| *n != 0.0), S::FrequencyPenalty);
        self.setting("seed", call.seed, S::Seed);
        for stop in &call.stop {
            self.push("setting.stop", json!(stop), vec![Excuse::Setting(S::Stop)]);
        }
        self.setting("candidates", call.candidates.filter(|n| *n > 1), S::Candidates);
        if let Some(top) = call.logprobs {
            self.setting("logprobs", Some(true), S::Logprobs);
            self.push(
                "setting.top_logprobs",
                json!(top),
                vec![Excuse::Setting(S::Logprobs), Excuse::Setting(S::TopLogprobs)],
            );
        }
        self.setting("verbosity", call.verbosity.clone(), S::Verbosity);
        self.setting(
            "service_tier",
            call.service_tier.clone().filter(|tier| tier != "auto" && tier != "default"),
            S::ServiceTier,
        );
        self.setting("user", call.user.clone(), S::User);
        self.setting("parallel_tools", call.parallel_tools.filter(|on| !on), S::ParallelTools);
        self.setting("tool_choice", call.tool_choice.as_ref().and_then(choice), S::ToolChoice);
        self.setting("stream", Some(call.stream), S::Store);
        let passengers = &call.passengers;
        self.setting("store", passengers.store, S::Store);
        self.setting("metadata", passengers.metadata.as_deref().map(value), S::Metadata);
        self.setting("prompt_cache_key", passengers.prompt_cache_key.clone(), S::PromptCacheKey);
        self.setting(
            "prompt_cache_retention",
            passengers.prompt_cache_retention.clone(),
            S::PromptCacheRetention,
        );
        self.setting("safety_identifier", passengers.safety_identifier.clone(), S::SafetyIdentifier);
        self.format(call.format.as_ref());
        if let Some(thinking) = &call.thinking {
            self.setting("thinking", amount(thinking), S::Thinking);
            self.setting("thinking.show", thinking.show.filter(|_| !thinking.is_off()), S::Thinking);
        }
    }

    fn format(&mut self, format: Option<&OutputFormat>) {
        match format {
            None => {}
            Some(OutputFormat::JsonObject) => self.setting("format", Some("json"), Setting::Format),
            // Its name and description are for the vendor's own book-keeping, and not every dialect has them.
            Some(OutputFormat::JsonSchema { schema, strict, .. }) => {
                self.setting("format", Some("json"), Setting::Format);
                self.setting("format.schema", Some(closed(value(schema))), Setting::Format);
                self.setting("format.strict", strict.filter(|strict| *strict), Setting::Format);
            }
        }
    }

    fn tool(&mut self, tool: &Tool) {
        let of = |words| vec![Excuse::Tool(tool.origin, words)];
        // A tool that is lost whole is lost by an empty name.
        self.push("tools.name", json!(tool.name), of(&[""]));
        if let Some(description) = &tool.description {
            self.push("tools.description", json!([tool.name, description]), of(&["", "description"]));
        }
        match &tool.kind {
            ToolKind::Function { parameters } => {
                if let Some(schema) =
                    parameters.as_deref().map(value).map(closed).filter(|schema| !takes_nothing(schema))
                {
                    self.push(
                        "tools.parameters",
                        json!([tool.name, schema]),
                        of(&["", "parameters", "schema"]),
                    );
                }
            }
            ToolKind::Custom { format } => {
                let format = format.as_deref().map(value);
                self.push("tools.custom", json!([tool.name, format]), of(&["", "custom", "format"]));
            }
        }
        if tool.strict == Some(true) {
            self.push("tools.strict", json!(tool.name), of(&["", "strict"]));
        }
        if let Some(cache) = tool.cache {
            self.push("cache", json!(format!("{cache:?}")), of(&["", "cache"]));
        }
    }

    fn server_tool(&mut self, tool: &ServerTool) {
        let of = |words| vec![Excuse::Tool(tool.origin, words)];
        match &tool.kind {
            ServerToolKind::WebFetch => self.push("server_tools", json!("web_fetch"), of(&[""])),
            ServerToolKind::CodeExecution => self.push("server_tools", json!("code_execution"), of(&[""])),
            ServerToolKind::WebSearch(search) => {
                self.push("server_tools", json!("web_search"), of(&[""]));
                let place = search
                    .location
                    .as_ref()
                    .map(|place| json!([place.city, place.region, place.country, place.timezone]));
                let fields: [(&str, Value, &'static [&'static str]); 5] = [
                    ("allowed_domains", json!(search.allowed_domains), &["", "domains", "filters"]),
                    ("blocked_domains", json!(search.blocked_domains), &["", "domains", "filters"]),
                    ("max_uses", json!(search.max_uses), &["", "max_uses"]),
                    ("location", json!(place), &["", "location"]),
                    ("context_size", json!(search.context_size), &["", "context_size"]),
                ];
                for (name, value, words) in fields {
                    if !value.is_null() && value != json!([]) {
                        self.push(&format!("server_tools.{name}"), value, of(words));
                    }
                }
            }
        }
    }

    fn turn(&mut self, turn: &Turn) {
        let role = match turn.role {
            Role::System => "system",
            Role::User | Role::Tool => "user",
            Role::Assistant => "assistant",
        };
        for part in &turn.parts {
            self.part(role, turn.origin, part);
        }
    }

    fn part(&mut self, role: &'static str, origin: Origin, part: &Part) {
        let of = |words| vec![Excuse::Turn(origin, words)];
        match part {
            Part::Text(text) | Part::Refusal(text) => self.text(role, origin, text, false),
            Part::Media(media) => self.media(role, origin, media),
            Part::ToolCall { id, name, arguments, custom } => {
                self.ordered('A');
                let number = self.numbers.len();
                self.numbers.push((id.clone(), name.clone()));
                let arguments = if *custom { json!(arguments) } else { arguments_of(arguments) };
                self.push("calls", json!([number, name, arguments, custom]), of(&["call"]));
            }
            Part::ToolResult { id, name, parts, is_error } => {
                self.ordered('T');
                let answered = self.numbers.iter().rposition(|(of, _)| of == id);
                let known = answered.and_then(|at| self.numbers.get(at)).map(|(_, name)| name.clone());
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Text(piece) => text.push_str(piece),
                        Part::Media(Media { source: Source::Text(piece), .. }) => text.push_str(piece),
                        Part::Media(media) => self.media("result", origin, media),
                        Part::CachePoint(_) => self.part("result", origin, part),
                        other => text.push_str(&format!("{other:?}")),
                    }
                }
                let name = known.or_else(|| name.clone());
                self.push("results", json!([answered, name, result_of(&text)]), of(&["result", "content"]));
                if *is_error {
                    self.push("results.is_error", json!(answered), of(&["error"]));
                }
            }
            Part::Reasoning(reasoning) => {
                const WORDS: &[&str] = &["reasoning", "thinking", "thought"];
                if !reasoning.text.is_empty() {
                    self.push("reasoning.text", json!(squeezed(&reasoning.text)), of(WORDS));
                }
                if let Some(seal) = &reasoning.seal {
                    self.push("reasoning.seal", json!([format!("{:?}", seal.kind), seal.data]), of(WORDS));
                }
            }
            Part::Citation(citation) => {
                self.push("citations", json!(format!("{citation:?}")), of(&["citation", "annotation"]));
            }
            Part::CachePoint(lifetime) => self.push("cache", json!(format!("{lifetime:?}")), of(&["cache"])),
        }
    }

    fn text(&mut self, role: &'static str, origin: Origin, text: &str, wrapped: bool) {
        let text = squeezed(text);
        if !text.is_empty() {
            match role {
                "user" => self.ordered('U'),
                "assistant" => self.ordered('A'),
                _ => {}
            }
            self.texts.entry(role).or_default().push(Stretch { text, origin, wrapped });
        }
    }

    fn media(&mut self, role: &'static str, origin: Origin, media: &Media) {
        let of = |words| vec![Excuse::Turn(origin, words)];
        const KINDS: &[&str] = &["image", "audio", "video", "file", "document", "media"];
        match &media.source {
            Source::Text(text) => self.text(role, origin, text, true),
            Source::Data(data) if media.mime_or_usual().starts_with("text/") => {
                let text = String::from_utf8_lossy(&of_base64(data)).into_owned();
                self.text(role, origin, &text, true);
            }
            source => {
                let source = match source {
                    Source::Data(data) => json!([media.mime_or_usual(), data]),
                    other => json!(format!("{other:?}")),
                };
                self.push("media", json!([media.kind.as_str(), source]), of(KINDS));
            }
        }
        if let Some(name) = &media.name {
            self.push(
                "media.name",
                json!(name),
                of(&["name", "title", "image", "audio", "video", "file", "document"]),
            );
        }
        if let Some(detail) = media.detail.as_deref().filter(|detail| *detail != "auto") {
            self.push("media.detail", json!(detail), of(&["detail", "image"]));
        }
        if media.citable {
            self.push("media.citable", json!(true), of(&["citation"]));
        }
    }

    /// Who speaks after whom; the same again is one.
    fn ordered(&mut self, who: char) {
        if !self.order.ends_with(who) {
            self.order.push(who);
        }
    }
}

fn choice(choice: &ToolChoice) -> Option<String> {
    match choice {
        ToolChoice::Auto => None,
        ToolChoice::None => Some("none".to_owned()),
        ToolChoice::Required => Some("required".to_owned()),
        ToolChoice::Named(name) => Some(format!("named {name}")),
    }
}

/// Words and numbers of thinking on one scale, since every vendor has its own.
fn amount(thinking: &Thinking) -> Option<String> {
    if thinking.is_off() {
        return Some("off".to_owned());
    }
    match thinking.budget_or_effort() {
        Some(tokens) => Some(Effort::of_budget(tokens).as_str().to_owned()),
        None => match thinking.mode {
            ThinkingMode::Adaptive | ThinkingMode::On => Some("on".to_owned()),
            ThinkingMode::Off | ThinkingMode::Unsaid => None,
        },
    }
}

fn value(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap_or(Value::Null)
}

/// Objects that take no other fields than those named may say so or not: vendors insist on it, and models write no others.
fn closed(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(fields) => {
            if fields.get("additionalProperties") == Some(&json!(false)) {
                fields.remove("additionalProperties");
            }
            for field in fields.values_mut() {
                *field = closed(field.take());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = closed(item.take())),
        _ => {}
    }
    schema
}

/// Base64 in the standard alphabet; anything else is passed over.
fn of_base64(text: &str) -> Vec<u8> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0_u32, 0);
    for digit in text.chars().filter_map(|letter| ALPHABET.find(letter)) {
        bits = (bits << 6 | u32::try_from(digit).unwrap_or_default()) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).unwrap_or_default());
        }
    }
    bytes
}

/// A schema without properties: the same as none.
fn takes_nothing(schema: &Value) -> bool {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.is_none_or(serde_json::Map::is_empty)
        && schema.as_object().is_none_or(|fields| {
            fields
                .keys()
                .all(|key| ["type", "properties", "required", "additionalProperties"].contains(&key.as_str()))
        })
}

fn arguments_of(text: &str) -> Value {
    match text.trim() {
        "" => json!({}),
        text => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
    }
}

/// A result as JSON where it is an object: where a dialect wants an object, plain text stands in one field of it.
fn result_of(text: &str) -> Value {
    let read = serde_json::from_str::<Value>(text).unwrap_or_else(|_| json!(squeezed(text)));
    let only = read.as_object().filter(|fields| fields.len() == 1).and_then(|fields| fields.iter().next());
    match only {
        Some((key, inner)) if ["output", "result", "error", "content"].contains(&key.as_str()) => match inner
        {
            Value::String(text) => result_of(text),
            other => other.clone(),
        },
        _ => read,
    }
}

pub(super) fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

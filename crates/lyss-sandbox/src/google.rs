//! Google's generateContent and its neighbours.
//!
//! Follows the Gemini API reference ("Generating content", "Counting tokens", "Embeddings", "Models"), and its guides
//! "Thinking", "Thought signatures", "Structured output" and "Function calling". Fields are read in camel case and in
//! snake case, as protocol buffers' JSON allows, and answered in camel case.

use http::Uri;
use serde_json::{Value, json};

use crate::answer::{Answer, Ask, compose};
use crate::knobs::{self, Knobs};
use crate::reading::object;
use crate::refusal::{Kind, Refusal};
use crate::request::{Parameters, Tool, ToolWish, wanted_tools};
use crate::schema::fitting;
use crate::server::Spoken;
use crate::stream::Script;
use crate::vendor::{GoogleMethod, Vendor, query_value};
use fields::{list, object_in, text};
use frame::Frame;

pub(crate) use models::{model, models};

mod embed;
mod fields;
mod frame;
mod known;
mod models;
mod settings;
mod tokens;
mod turns;

/// One call of one method of a model.
pub(crate) struct Call<'a> {
    pub(crate) model: &'a str,
    pub(crate) method: GoogleMethod,
    pub(crate) uri: &'a Uri,
    pub(crate) serial: u64,
}

/// What the rest needs to know of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Generation {
    /// Thinking in a budget of tokens.
    Two,
    /// Thinking in levels, and signatures are a must.
    Three,
}

const ARRAY: &str = "application/json; charset=UTF-8";

/// A stream nobody asked for as events is an array.
pub(crate) fn answers_array(vendor: Vendor, uri: &Uri) -> bool {
    vendor == Vendor::Google
        && uri.path().ends_with(":streamGenerateContent")
        && query_value(uri, "alt") != Some("sse")
}

/// A failure inside a stream that began well; `before` events were sent.
pub(crate) fn error_event(array: bool, before: usize, out: &mut Vec<u8>) {
    let body = Refusal::wished(Kind::Unavailable).body(Vendor::Google, "");
    // An event's data is one line.
    let line: Vec<u8> = body.into_iter().filter(|byte| *byte != b'\n').collect();
    if array {
        out.extend_from_slice(if before == 0 { b"[" } else { b",\r\n" });
        out.extend_from_slice(&line);
        out.extend_from_slice(b"]\n");
    } else {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(&line);
        out.extend_from_slice(b"\r\n\r\n");
    }
}

impl Generation {
    fn of(model: &str) -> Self {
        if model.starts_with("gemini-3") { Self::Three } else { Self::Two }
    }
}

impl Call<'_> {
    pub(crate) fn answer(&self, body: &[u8], knobs: &mut Knobs) -> Result<Spoken, Refusal> {
        let (model, read) = knobs::split(self.model).map_err(Refusal::invalid)?;
        *knobs = read;
        let embeds = model.contains("embedding");
        let embedding = matches!(self.method, GoogleMethod::Embed | GoogleMethod::BatchEmbed);
        let counting = self.method == GoogleMethod::Count;
        if !Vendor::Google.models().contains(&model) || (embeds != embedding && !counting) {
            return Err(Refusal::unknown_model(Vendor::Google, model));
        }
        let blocks = matches!(self.method, GoogleMethod::Generate | GoogleMethod::Stream);
        match knobs.refuse {
            // Not an error here: an answer without candidates.
            Some(Kind::Blocked) if blocks => return Ok(self.blocked(model, &object(body)?)),
            Some(kind) => return Err(Refusal::wished(kind)),
            None => {}
        }
        let body = object(body)?;
        match self.method {
            GoogleMethod::Embed => embed::one(&body),
            GoogleMethod::BatchEmbed => embed::many(&body),
            GoogleMethod::Count => tokens::count(&body),
            GoogleMethod::Generate => self.generate(model, &body, knobs, false),
            GoogleMethod::Stream => self.generate(model, &body, knobs, true),
        }
    }

    fn blocked(&self, model: &str, body: &Value) -> Spoken {
        let prompt = tokens::Prompt::of(body);
        let answer = frame::blocked(model, self.serial, &prompt);
        let array = query_value(self.uri, "alt") != Some("sse");
        if self.method == GoogleMethod::Generate {
            return Spoken::whole(answer.into_bytes(), 0, prompt.total());
        }
        let mut script = Script::default();
        script.event(0, |out| {
            let event = if array { format!("[{answer}\n]\n") } else { format!("data: {answer}\r\n\r\n") };
            out.extend_from_slice(event.as_bytes());
        });
        let mut spoken = Spoken::streamed(script, prompt.total());
        if array {
            spoken.array = true;
            spoken.content_type = ARRAY;
        }
        spoken
    }

    fn generate(&self, model: &str, body: &Value, knobs: &Knobs, stream: bool) -> Result<Spoken, Refusal> {
        known::check(body)?;
        let generation = Generation::of(model);
        turns::check(body, generation)?;
        let settings = settings::Settings::read(body, model, generation)?;
        let contents = list(body, "contents");
        let declared = declared_tools(body);
        let tools: Vec<_> = declared.iter().map(|tool| tool_of(tool)).collect();
        let result = contents.last().and_then(turns::function_result);
        let mut ask = Ask {
            model,
            user_text: turns::last_user_text(contents),
            tool_result: result.as_deref(),
            choices: settings.candidates,
            max_tokens: settings.max_output_tokens,
            reasons: settings.thinks,
            stop_sequences: settings.stop_sequences.clone(),
            json: settings.schema.as_ref().map(|schema| fitting(schema).to_string()),
            ..Ask::default()
        };
        if settings.enumerates {
            ask.json = ask.json.map(|json| json.trim_matches('"').to_owned());
        }
        if result.is_none() {
            ask.tools = wanted(&tools, body, knobs)?;
        }
        ask.turned_by(knobs);

        let answers = compose(&ask);
        let prompt = tokens::Prompt::of(body);
        let frame = Frame {
            model,
            serial: self.serial,
            generation,
            prompt,
            shows_thoughts: settings.shows_thoughts || knobs.thinks(),
            signs: generation == Generation::Three || !declared.is_empty(),
            grounded: list(body, "tools").iter().any(|tool| object_in(tool, "googleSearch").is_some()),
            logprobs: settings.logprobs,
        };
        let tokens = answers.iter().map(Answer::tokens).sum();
        let prompt_tokens = frame.prompt.total();
        Ok(match stream {
            false => Spoken::whole(frame.whole(&answers), tokens, prompt_tokens),
            true => {
                let array = query_value(self.uri, "alt") != Some("sse");
                let mut spoken = Spoken::streamed(frame.stream(&answers, array), prompt_tokens);
                if array {
                    spoken.array = true;
                    spoken.content_type = ARRAY;
                }
                spoken
            }
        })
    }
}

fn declared_tools(body: &Value) -> Vec<&Value> {
    list(body, "tools").iter().flat_map(|tool| list(tool, "functionDeclarations")).collect()
}

fn tool_of(declaration: &Value) -> Tool<'_> {
    let schema =
        fields::get(declaration, "parameters").or_else(|| fields::get(declaration, "parametersJsonSchema"));
    Tool { name: text(declaration, "name"), parameters: Parameters::read(schema) }
}

/// Which functions the model is allowed, or told, to call.
fn wanted<'a>(tools: &[Tool<'a>], body: &Value, knobs: &Knobs) -> Result<Vec<Tool<'a>>, Refusal> {
    let nothing = json!({});
    let config =
        fields::get(body, "toolConfig").and_then(|config| fields::get(config, "functionCallingConfig"));
    let config = config.unwrap_or(&nothing);
    let allowed = list(config, "allowedFunctionNames");
    let mode = text(config, "mode");
    if !allowed.is_empty() && !matches!(mode, "ANY" | "VALIDATED") {
        return Err(Refusal::invalid(
            "Allowed function names may be given only where the function calling mode is ANY or VALIDATED.",
        ));
    }
    let mut offered = tools.to_vec();
    if !allowed.is_empty() {
        let strange = allowed.iter().find(|name| !tools.iter().any(|tool| Some(tool.name) == name.as_str()));
        if let Some(name) = strange {
            return Err(Refusal::invalid(format!("The allowed function {name} is not declared in tools.")));
        }
        offered.retain(|tool| allowed.iter().any(|name| name.as_str() == Some(tool.name)));
    }
    let wish = match mode {
        "NONE" => ToolWish::Nothing,
        "" | "AUTO" | "ANY" | "VALIDATED" | "MODE_UNSPECIFIED" => ToolWish::Any { parallel: true },
        _ => {
            return Err(Refusal::invalid(format!(
                "Invalid value at 'tool_config.function_calling_config.mode': \"{mode}\""
            ))
            .param("tool_config.function_calling_config.mode"));
        }
    };
    wanted_tools(&offered, &wish, knobs.tools).map_err(Refusal::invalid)
}

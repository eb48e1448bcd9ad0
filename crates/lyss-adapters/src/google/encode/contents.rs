//! `contents` and `systemInstruction`, as in the API reference ("Content", "Part"), "Function calling", "Thought
//! signatures" and "File input methods".

mod media;

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Serialize;
use serde_json::value::RawValue;

use self::media::Blob;
use super::models::Model;
use crate::conversation::{Loss, Media, Origin, Part, Reasoning, Role, SealKind, Source, Turn};
use crate::dialect::Unsayable;

/// What stands for the signature of a call that this vendor never made, as "Thought signatures" says: the check is
/// skipped.
const SKIP: &str = "skip_thought_signature_validator";

#[derive(Serialize)]
pub(super) struct Content<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    parts: Vec<WirePart<'a>>,
}

/// One part; one of its kinds is set.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WirePart<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thought: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inline_data: Option<Blob<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_data: Option<Blob<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<FunctionCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_response: Option<FunctionResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thought_signature: Option<&'a str>,
}

#[derive(Serialize)]
struct FunctionCall<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    name: &'a str,
    args: &'a RawValue,
}

#[derive(Serialize)]
struct FunctionResponse<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    name: &'a str,
    response: Box<RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<WirePart<'a>>,
    /// Where its call stands among those of the turn before.
    #[serde(skip)]
    place: usize,
}

pub(super) struct Contents<'a> {
    pub(super) contents: Vec<Content<'a>>,
    pub(super) system: Option<Content<'a>>,
}

pub(super) fn contents<'a>(
    turns: &'a [Turn],
    model: Model,
    losses: &mut Vec<Loss>,
) -> Result<Contents<'a>, Unsayable> {
    let mut writer =
        Writer { model, losses, calls: HashMap::new(), contents: Vec::new(), system: Vec::new() };
    for turn in turns {
        writer.turn(turn)?;
    }
    let Writer { mut contents, system, .. } = writer;
    // The vendor wants the user to begin, and something to answer at all.
    if contents.first().is_none_or(|first| first.role != Some("user")) {
        contents.insert(0, Content { role: Some("user"), parts: vec![text(" ")] });
    }
    for content in &mut contents {
        arrange(content, model);
    }
    let system = (!system.is_empty()).then_some(Content { role: None, parts: system });
    Ok(Contents { contents, system })
}

struct Writer<'a, 'l> {
    model: Model,
    losses: &'l mut Vec<Loss>,
    /// Function names by the ids of their calls, and where among its turn's calls each stands.
    calls: HashMap<&'a str, (&'a str, usize)>,
    contents: Vec<Content<'a>>,
    system: Vec<WirePart<'a>>,
}

impl<'a> Writer<'a, '_> {
    fn turn(&mut self, turn: &'a Turn) -> Result<(), Unsayable> {
        let (role, mut parts) = match turn.role {
            Role::System => {
                let mut parts = self.plain(&turn.parts, turn.origin)?;
                self.system.append(&mut parts);
                return Ok(());
            }
            Role::User | Role::Tool => ("user", self.plain(&turn.parts, turn.origin)?),
            Role::Assistant => ("model", self.answer(&turn.parts, turn.origin)?),
        };
        if parts.is_empty() {
            return Ok(());
        }
        match self.contents.last_mut() {
            Some(last) if last.role == Some(role) => last.parts.append(&mut parts),
            _ => self.contents.push(Content { role: Some(role), parts }),
        }
        Ok(())
    }

    /// Parts of anyone but the model.
    fn plain(&mut self, parts: &'a [Part], origin: Origin) -> Result<Vec<WirePart<'a>>, Unsayable> {
        let mut written = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Part::Text(words) | Part::Refusal(words) if !words.is_empty() => written.push(text(words)),
                Part::Media(media) => written.push(media::part(media, origin, self.model, self.losses)?),
                Part::ToolResult { id, name, parts, is_error } => {
                    self.result(id, name.as_deref(), parts, *is_error, origin, &mut written)?;
                }
                Part::CachePoint(_) => self.lose(origin, "cache_control"),
                Part::Citation(_) => self.lose(origin, "citations"),
                Part::Reasoning(_) => self.lose(origin, "reasoning"),
                Part::Text(_) | Part::Refusal(_) => {}
                Part::ToolCall { .. } => {
                    return Err(Unsayable::new(
                        Loss::turn(origin, "functionCall"),
                        "Only the model calls functions.",
                    ));
                }
            }
        }
        Ok(written)
    }

    /// Parts of the model, each with its signature.
    fn answer(&mut self, parts: &'a [Part], origin: Origin) -> Result<Vec<WirePart<'a>>, Unsayable> {
        let mut written = Vec::with_capacity(parts.len());
        // The place of this turn's calls goes on where a turn before was the model's too.
        let before = self.contents.last().filter(|last| last.role == Some("model"));
        let mut place =
            before.map_or(0, |last| last.parts.iter().filter(|part| part.function_call.is_some()).count());
        let mut calls = 0;
        for (at, part) in parts.iter().enumerate() {
            match part {
                Part::Text(words) | Part::Refusal(words) if !words.is_empty() => written.push(text(words)),
                Part::Text(_) | Part::Refusal(_) => {}
                Part::Media(media) => written.push(media::part(media, origin, self.model, self.losses)?),
                Part::Reasoning(reasoning) if is_own(reasoning, parts.get(at + 1)) => {
                    if !reasoning.text.is_empty() {
                        written.push(WirePart { thought: Some(true), ..text(&reasoning.text) });
                    }
                }
                Part::Reasoning(_) => self.lose(origin, "reasoning"),
                Part::ToolCall { custom: true, .. } => {
                    let text = "A call of a custom tool cannot be sent to this model's vendor.";
                    return Err(Unsayable::new(Loss::Call { origin, call: calls, what: "name" }, text));
                }
                Part::ToolCall { id, name, arguments, .. } => {
                    let at = Loss::Call { origin, call: calls, what: "arguments" };
                    self.calls.insert(id, (name, place));
                    let id = Some(id.as_str()).filter(|id| self.model.is_third() && !id.is_empty());
                    let function_call = Some(FunctionCall { id, name, args: object(arguments, at)? });
                    written.push(WirePart { function_call, ..WirePart::default() });
                    calls += 1;
                    place += 1;
                }
                Part::Citation(_) => self.lose(origin, "citations"),
                Part::CachePoint(_) => self.lose(origin, "cache_control"),
                Part::ToolResult { .. } => {
                    let text = "The results of functions are not the model's.";
                    return Err(Unsayable::new(Loss::turn(origin, "functionResponse"), text));
                }
            }
        }
        seal(parts, &mut written);
        Ok(written)
    }

    fn result(
        &mut self,
        id: &'a str,
        name: Option<&'a str>,
        parts: &'a [Part],
        is_error: bool,
        origin: Origin,
        written: &mut Vec<WirePart<'a>>,
    ) -> Result<(), Unsayable> {
        let call = self.calls.get(id).copied();
        let Some((name, place)) = call.or(name.map(|name| (name, usize::MAX))) else {
            let text = "No function call with this id stands before its result.";
            return Err(Unsayable::new(Loss::turn(origin, "tool_call_id"), text));
        };
        let mut words = String::new();
        let mut media = Vec::new();
        for part in parts {
            match part {
                Part::Text(text) | Part::Refusal(text) => words.push_str(text),
                Part::Media(Media { source: Source::Text(text), .. }) => words.push_str(text),
                Part::Media(one) => media.push(media::part(one, origin, self.model, self.losses)?),
                Part::CachePoint(_) => self.lose(origin, "cache_control"),
                Part::Citation(_) => self.lose(origin, "citations"),
                Part::Reasoning(_) => self.lose(origin, "reasoning"),
                Part::ToolCall { .. } | Part::ToolResult { .. } => self.lose(origin, "content"),
            }
        }
        let is_third = self.model.is_third();
        // Older models read media beside the result, not inside it.
        let inside = if is_third { std::mem::take(&mut media) } else { Vec::new() };
        written.push(WirePart {
            function_response: Some(FunctionResponse {
                id: Some(id).filter(|id| is_third && !id.is_empty()),
                name,
                response: response(&words, is_error),
                parts: inside,
                place,
            }),
            ..WirePart::default()
        });
        written.append(&mut media);
        Ok(())
    }

    fn lose(&mut self, origin: Origin, what: &'static str) {
        self.losses.push(Loss::turn(origin, what));
    }
}

/// Reasoning of this vendor: sealed by it, or right before an empty seal of its own.
fn is_own(reasoning: &Reasoning, next: Option<&Part>) -> bool {
    let is_google = |one: &Reasoning| one.seal.as_ref().map(|seal| seal.kind == SealKind::Google);
    match (is_google(reasoning), next) {
        (Some(own), _) => own,
        (None, Some(Part::Reasoning(next))) => next.text.is_empty() && is_google(next) == Some(true),
        (None, _) => false,
    }
}

/// Puts each seal of this vendor where it belongs: on the next function call before another seal, else on the next text,
/// else on an empty text at the end. The written parts stand for the others in their order.
fn seal<'a>(parts: &'a [Part], written: &mut Vec<WirePart<'a>>) {
    // The answer's parts that were written, one by one, beside the written ones.
    let mut at = 0;
    let mut open: Option<(&'a str, usize)> = None;
    for part in parts {
        match part {
            Part::Reasoning(reasoning) => {
                let own = reasoning.seal.as_ref().filter(|seal| seal.kind == SealKind::Google);
                if written.get(at).is_some_and(|one| {
                    one.thought.is_some() && one.text.as_deref() == Some(reasoning.text.as_str())
                }) {
                    at += 1;
                }
                if let Some(seal) = own {
                    close(open.take(), at, written);
                    open = Some((&seal.data, at));
                }
            }
            Part::Text(words) | Part::Refusal(words) if words.is_empty() => {}
            Part::Text(_) | Part::Refusal(_) | Part::Media(_) => at += 1,
            Part::ToolCall { .. } => {
                if let Some((data, _)) = open.take()
                    && let Some(one) = written.get_mut(at)
                {
                    one.thought_signature = Some(data);
                }
                at += 1;
            }
            Part::ToolResult { .. } | Part::Citation(_) | Part::CachePoint(_) => {}
        }
    }
    let end = written.len();
    if let Some(data) = close(open, end, written) {
        written.push(WirePart { thought_signature: Some(data), ..text("") });
    }
}

/// A seal behind which no function call came: it goes to the first text there; answered if there is none.
fn close<'a>(open: Option<(&'a str, usize)>, to: usize, written: &mut [WirePart<'a>]) -> Option<&'a str> {
    let (data, from) = open?;
    let is_text = |part: &&mut WirePart<'a>| part.text.is_some() && part.thought.is_none();
    match written.get_mut(from..to).unwrap_or_default().iter_mut().find(is_text) {
        Some(part) => {
            part.thought_signature = Some(data);
            None
        }
        None => Some(data),
    }
}

/// Results first and in the order of their calls; and from the third generation on, a signature on a step's first call.
fn arrange(content: &mut Content<'_>, model: Model) {
    content.parts.sort_by_key(|part| match &part.function_response {
        Some(response) => (0, response.place),
        None => (1, 0),
    });
    if model.is_third()
        && let Some(call) = content.parts.iter_mut().find(|part| part.function_call.is_some())
    {
        call.thought_signature.get_or_insert(SKIP);
    }
}

fn text(words: &str) -> WirePart<'_> {
    WirePart { text: Some(Cow::Borrowed(words)), ..WirePart::default() }
}

/// JSON text that must hold an object; nothing stands for the empty one.
fn object(json: &str, at: Loss) -> Result<&RawValue, Unsayable> {
    let text = if json.trim().is_empty() { "{}" } else { json };
    match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) if raw.get().starts_with('{') => Ok(raw),
        _ => Err(Unsayable::new(at, "A JSON object must stand here.")),
    }
}

/// A result must be an object. One that is stays as it is, unless it would be mistaken for what wraps the others: the
/// reference's `output` and `error`.
fn response(words: &str, is_error: bool) -> Box<RawValue> {
    let raw = serde_json::from_str::<&RawValue>(words).ok().filter(|raw| raw.get().starts_with('{'));
    let fields = raw.and_then(super::super::schema::Object::read);
    let is_wrapper = fields.is_some_and(|fields| match fields.0.as_slice() {
        [(name, _)] => matches!(name.as_str(), "output" | "result" | "error"),
        _ => false,
    });
    let mut out = String::new();
    match raw {
        Some(raw) if !is_error && !is_wrapper => out.push_str(raw.get()),
        _ => {
            out.push_str(if is_error { "{\"error\":" } else { "{\"output\":" });
            match raw {
                Some(raw) => out.push_str(raw.get()),
                None => super::super::schema::push_text(words, &mut out),
            }
            out.push('}');
        }
    }
    RawValue::from_string(out).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

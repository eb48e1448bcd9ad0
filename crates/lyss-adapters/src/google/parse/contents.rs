//! `contents` and `systemInstruction`.

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::super::schema::Object;
use super::super::wire::{compact, from_base64, seal, standard_base64};
use super::{FLAG, TEXT, list};
use crate::Fault;
use crate::conversation::{Media, MediaKind, Origin, Part, Reasoning, Role, SealKind, Source, Turn};
use crate::fields::{Fields, Lost, wrong};

/// Calls whose results have not come yet.
#[derive(Default)]
struct Calls {
    ids: HashSet<String>,
    open: Vec<(String, String)>,
}

pub(super) fn turns(top: &mut Fields<'_>, lost: &mut Lost) -> Result<Vec<Turn>, Fault> {
    let mut turns = Vec::new();
    let mut calls = Calls::default();
    if let Some(raw) = top.raw("systemInstruction") {
        let parts = instructions(raw, lost, &mut calls)?;
        turns.push(Turn { role: Role::System, parts, origin: Origin::Instructions });
    }
    let contents = list(top, "contents")?.unwrap_or_default();
    if contents.is_empty() {
        return Err(wrong("contents", "a list with at least one content"));
    }
    for (at, raw) in contents.into_iter().enumerate() {
        content(at, raw, &mut turns, &mut calls, lost)?;
    }
    Ok(turns)
}

/// A text, a content, or what the SDKs make of one: a part or a list of parts.
fn instructions(raw: &RawValue, lost: &mut Lost, calls: &mut Calls) -> Result<Vec<Part>, Fault> {
    const PATH: &str = "systemInstruction";
    if raw.get().starts_with('"') {
        let text = serde_json::from_str(raw.get()).map_err(|_| wrong(PATH, TEXT))?;
        return Ok(vec![Part::Text(text)]);
    }
    let mut out = Vec::new();
    if raw.get().starts_with('[') {
        let parts: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_| wrong(PATH, "a content"))?;
        for (at, raw) in parts.into_iter().enumerate() {
            part(Fields::open_camel(raw, format!("{PATH}[{at}]"))?, 0, at, &mut out, calls, lost)?;
        }
        return Ok(out);
    }
    let mut content = Fields::open_camel(raw, PATH)?;
    match list(&mut content, "parts")? {
        Some(parts) => {
            content.raw("role");
            for (at, raw) in parts.into_iter().enumerate() {
                part(Fields::open_camel(raw, format!("{PATH}.parts[{at}]"))?, 0, at, &mut out, calls, lost)?;
            }
            content.leave(&[], lost);
        }
        None => part(content, 0, 0, &mut out, calls, lost)?,
    }
    Ok(out)
}

fn content(
    at: usize,
    raw: &RawValue,
    turns: &mut Vec<Turn>,
    calls: &mut Calls,
    lost: &mut Lost,
) -> Result<(), Fault> {
    let mut content = Fields::open_camel(raw, format!("contents[{at}]"))?;
    let role = match content.take::<String>("role", TEXT)?.as_deref() {
        None | Some("user" | "function" | "tool" | "") => Role::User,
        Some("model") => Role::Assistant,
        Some(_) => return Err(wrong(&content.path_of("role"), "`user` or `model`")),
    };
    let mut parts = Vec::new();
    for (place, raw) in list(&mut content, "parts")?.unwrap_or_default().into_iter().enumerate() {
        let path = format!("{}[{place}]", content.path_of("parts"));
        part(Fields::open_camel(raw, path)?, at, place, &mut parts, calls, lost)?;
    }
    content.leave(&[], lost);
    if role == Role::Assistant {
        turns.push(Turn::new(role, parts, at));
        return Ok(());
    }
    // Results of functions stand among the user's parts; they are turns of their own.
    let mut runs: Vec<Turn> = Vec::new();
    for part in parts {
        let role = if matches!(part, Part::ToolResult { .. }) { Role::Tool } else { Role::User };
        match runs.last_mut() {
            Some(run) if run.role == role => run.parts.push(part),
            _ => runs.push(Turn::new(role, vec![part], at)),
        }
    }
    if runs.is_empty() {
        runs.push(Turn::new(Role::User, Vec::new(), at));
    }
    turns.append(&mut runs);
    Ok(())
}

fn part(
    mut fields: Fields<'_>,
    at: usize,
    place: usize,
    out: &mut Vec<Part>,
    calls: &mut Calls,
    lost: &mut Lost,
) -> Result<(), Fault> {
    let is_thought = fields.take("thought", FLAG)?.unwrap_or(false);
    let signature: Option<String> = fields.take("thoughtSignature", TEXT)?;
    let seal = signature.filter(|signature| !signature.is_empty()).map(|signature| seal(&signature));
    if is_thought {
        thought(Reasoning { text: fields.take("text", TEXT)?.unwrap_or_default(), seal }, out);
        fields.leave(&[], lost);
        return Ok(());
    }
    if seal.is_some() {
        thought(Reasoning { text: String::new(), seal }, out);
    }
    if let Some(text) = fields.take::<String>("text", TEXT)? {
        if !text.is_empty() {
            out.push(Part::Text(text));
        }
    } else if let Some(raw) = fields.raw("inlineData") {
        out.push(Part::Media(inline(raw, fields.path_of("inlineData"), lost)?));
    } else if let Some(raw) = fields.raw("fileData") {
        out.push(Part::Media(file(raw, fields.path_of("fileData"), lost)?));
    } else if let Some(raw) = fields.raw("functionCall") {
        let call = Fields::open_camel(raw, fields.path_of("functionCall"))?;
        out.push(function_call(call, at, place, calls, lost)?);
    } else if let Some(raw) = fields.raw("functionResponse") {
        let result = Fields::open_camel(raw, fields.path_of("functionResponse"))?;
        out.push(function_response(result, at, place, calls, lost)?);
    } else {
        // What ran at the vendor is told by the text around it.
        let ran = ["executableCode", "codeExecutionResult", "toolCall", "toolResponse"];
        let mut is_known = false;
        for name in ran {
            if fields.raw(name).is_some() {
                lost.note(&fields.path_of(name));
                is_known = true;
            }
        }
        if !is_known && out.last().is_none_or(|part| !is_bare_seal(part)) {
            let path = fields.path_of("text");
            let path = path.strip_suffix(".text").unwrap_or(&path);
            return Err(wrong(path, "a part with a known kind of data, such as `text`"));
        }
    }
    fields.leave(&[], lost);
    Ok(())
}

fn is_bare_seal(part: &Part) -> bool {
    matches!(part, Part::Reasoning(reasoning) if reasoning.text.is_empty() && reasoning.seal.is_some())
}

/// A stream tells one thought in many parts and its seal in the last one; another vendor wants it whole. A seal of
/// Google's own belongs to what follows instead.
fn thought(next: Reasoning, out: &mut Vec<Part>) {
    let is_googles = next.seal.as_ref().is_some_and(|seal| seal.kind == SealKind::Google);
    if let Some(Part::Reasoning(last)) = out.last_mut()
        && last.seal.is_none()
        && !(is_googles && next.text.is_empty())
    {
        last.text.push_str(&next.text);
        last.seal = next.seal;
        return;
    }
    if !next.text.is_empty() || next.seal.is_some() {
        out.push(Part::Reasoning(next));
    }
}

fn inline(raw: &RawValue, path: String, lost: &mut Lost) -> Result<Media, Fault> {
    let mut blob = Fields::open_camel(raw, path)?;
    let mime: String = blob.require("mimeType", TEXT)?;
    let data: String = blob.require("data", "a string of base64")?;
    let name: Option<String> = blob.take("displayName", TEXT)?;
    let kind = MediaKind::of_mime(&mime);
    // A plain text is one to every vendor, where a file of it is not.
    let words =
        mime.starts_with("text/").then(|| from_base64(&data).and_then(|bytes| String::from_utf8(bytes).ok()));
    let source = match words.flatten() {
        Some(text) => Source::Text(text),
        None => Source::Data(standard_base64(data)),
    };
    blob.leave(&[], lost);
    Ok(Media { name, ..Media::new(kind, source, Some(mime)) })
}

fn file(raw: &RawValue, path: String, lost: &mut Lost) -> Result<Media, Fault> {
    let mut blob = Fields::open_camel(raw, path)?;
    let uri: String = blob.require("fileUri", TEXT)?;
    let mime: Option<String> = blob.take("mimeType", TEXT)?;
    let name: Option<String> = blob.take("displayName", TEXT)?;
    let is_kept = uri.starts_with("https://generativelanguage.googleapis.com/") || uri.starts_with("files/");
    let mut media = if is_kept {
        Media::new(MediaKind::File, Source::FileId(uri), None)
    } else {
        let is_film = uri.contains("youtube.com/") || uri.contains("youtu.be/");
        let kind = if is_film { MediaKind::Video } else { MediaKind::File };
        Media::new(kind, Source::Url(uri), None)
    };
    let guess = match &mime {
        Some(mime) => Some(mime.clone()),
        None if media.kind == MediaKind::File => Some(media.mime_or_usual().to_owned()),
        None => None,
    };
    if let Some(mime) = guess {
        media.kind = MediaKind::of_mime(&mime);
    }
    media.mime = mime;
    media.name = name;
    blob.leave(&[], lost);
    Ok(media)
}

fn function_call(
    mut call: Fields<'_>,
    at: usize,
    place: usize,
    calls: &mut Calls,
    lost: &mut Lost,
) -> Result<Part, Fault> {
    let name: String = call.require("name", TEXT)?;
    let given: Option<String> = call.take("id", TEXT)?;
    let mut id = given.filter(|id| !id.is_empty()).unwrap_or_else(|| format!("call_{at}_{place}"));
    while !calls.ids.insert(id.clone()) {
        id.push('_');
    }
    calls.open.push((id.clone(), name.clone()));
    let arguments = match call.raw("args") {
        None => "{}".to_owned(),
        Some(raw) if raw.get().starts_with('{') => compact(raw.get()),
        Some(_) => return Err(wrong(&call.path_of("args"), "an object")),
    };
    call.leave(&[], lost);
    Ok(Part::ToolCall { id, name, arguments, custom: false })
}

fn function_response(
    mut result: Fields<'_>,
    at: usize,
    place: usize,
    calls: &mut Calls,
    lost: &mut Lost,
) -> Result<Part, Fault> {
    let name: String = result.require("name", TEXT)?;
    let given: Option<String> = result.take("id", TEXT)?.filter(|id: &String| !id.is_empty());
    let by_id = given.as_ref().and_then(|id| calls.open.iter().position(|(open, _)| open == id));
    let by_name = || calls.open.iter().position(|(_, open)| *open == name);
    let id = match by_id.or_else(by_name) {
        Some(found) => calls.open.remove(found).0,
        None => given.unwrap_or_else(|| format!("call_{at}_{place}")),
    };
    let (mut parts, is_error) = match result.raw("response") {
        None => (Vec::new(), false),
        Some(raw) => response(raw).ok_or_else(|| wrong(&result.path_of("response"), "an object"))?,
    };
    for (at, raw) in list(&mut result, "parts")?.unwrap_or_default().into_iter().enumerate() {
        let path = format!("{}[{at}]", result.path_of("parts"));
        let mut fields = Fields::open_camel(raw, path)?;
        if let Some(raw) = fields.raw("inlineData") {
            parts.push(Part::Media(inline(raw, fields.path_of("inlineData"), lost)?));
        } else if let Some(raw) = fields.raw("fileData") {
            parts.push(Part::Media(file(raw, fields.path_of("fileData"), lost)?));
        } else if let Some(text) = fields.take("text", TEXT)? {
            parts.push(Part::Text(text));
        }
        fields.leave(&[], lost);
    }
    result.leave(&[("willContinue", "false")], lost);
    Ok(Part::ToolResult { id, name: Some(name), parts, is_error })
}

/// What a function answered: alone under one of the reference's names, or the object itself.
fn response(raw: &RawValue) -> Option<(Vec<Part>, bool)> {
    let object = Object::read(raw)?;
    let (value, is_error) = match object.0.as_slice() {
        [] => return Some((Vec::new(), false)),
        [(name, value)] if name == "output" || name == "result" => (*value, false),
        [(name, value)] if name == "error" => (*value, true),
        _ => (raw, false),
    };
    let text = match value.get() {
        text if text.starts_with('"') => serde_json::from_str(text).ok()?,
        text => compact(text),
    };
    Some((vec![Part::Text(text)], is_error))
}

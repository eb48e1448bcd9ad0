//! `input`: each turn as the items it is made of.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Serialize;

use super::super::call_id::fitted;
use crate::conversation::{
    Citation, CitedPlace, Loss, Media, MediaKind, Origin, Part, Reasoning, Role, SealKind, Source, Turn,
};
use crate::dialect::Unsayable;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Item<'a> {
    Message {
        role: &'static str,
        content: Vec<Content<'a>>,
    },
    Reasoning {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
        summary: Vec<Summary<'a>>,
        encrypted_content: &'a str,
    },
    FunctionCall {
        call_id: Cow<'a, str>,
        name: &'a str,
        arguments: &'a str,
    },
    CustomToolCall {
        call_id: Cow<'a, str>,
        name: &'a str,
        input: &'a str,
    },
    FunctionCallOutput {
        call_id: Cow<'a, str>,
        output: Output<'a>,
    },
    CustomToolCallOutput {
        call_id: Cow<'a, str>,
        output: Output<'a>,
    },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Content<'a> {
    InputText {
        text: Cow<'a, str>,
    },
    OutputText {
        text: &'a str,
        annotations: Vec<Annotation<'a>>,
    },
    Refusal {
        refusal: &'a str,
    },
    InputImage {
        #[serde(skip_serializing_if = "Option::is_none")]
        image_url: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_id: Option<&'a str>,
        detail: &'a str,
    },
    InputFile {
        #[serde(skip_serializing_if = "Option::is_none")]
        filename: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_data: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_url: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_id: Option<&'a str>,
    },
}

#[derive(Serialize)]
pub(super) struct Annotation<'a> {
    r#type: &'static str,
    url: &'a str,
    title: &'a str,
    start_index: u64,
    end_index: u64,
}

#[derive(Serialize)]
pub(super) struct Summary<'a> {
    r#type: &'static str,
    text: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Output<'a> {
    Text(Cow<'a, str>),
    Parts(Vec<Content<'a>>),
}

pub(super) struct Conversation<'a> {
    pub(super) instructions: Option<String>,
    pub(super) items: Vec<Item<'a>>,
    /// Reasoning of this vendor's goes back.
    pub(super) has_seals: bool,
}

pub(super) fn conversation<'a>(
    turns: &'a [Turn],
    losses: &mut Vec<Loss>,
) -> Result<Conversation<'a>, Unsayable> {
    let custom = custom_calls(turns);
    let mut instructions: Option<String> = None;
    let mut items = Vec::with_capacity(turns.len());
    for turn in turns {
        match turn.role {
            Role::System if turn.origin == Origin::Instructions => {
                for text in texts(turn, losses) {
                    let all = instructions.get_or_insert_default();
                    if !all.is_empty() {
                        all.push_str("\n\n");
                    }
                    all.push_str(text);
                }
            }
            Role::System => message("system", turn, &mut items, losses)?,
            Role::User => message("user", turn, &mut items, losses)?,
            Role::Assistant => assistant(turn, &mut items, losses),
            Role::Tool => results(turn, &custom, &mut items, losses)?,
        }
    }
    if items.is_empty() {
        // The vendor wants some input; instructions alone are one.
        let Some(text) = instructions.take() else {
            let message = "This model's vendor needs at least one message with something in it.";
            return Err(Unsayable { at: None, message: message.to_owned() });
        };
        let content = vec![Content::InputText { text: Cow::Owned(text) }];
        items.push(Item::Message { role: "system", content });
    }
    let has_seals = items.iter().any(|item| matches!(item, Item::Reasoning { .. }));
    Ok(Conversation { instructions, items, has_seals })
}

/// Ids of calls whose tools take free text: their results are items of another kind.
fn custom_calls(turns: &[Turn]) -> BTreeSet<&str> {
    let parts = turns.iter().flat_map(|turn| &turn.parts);
    let id = |part: &'_ Part| matches!(part, Part::ToolCall { custom: true, .. });
    parts
        .filter(|part| id(part))
        .filter_map(|part| match part {
            Part::ToolCall { id, .. } => Some(id.as_str()),
            _ => None,
        })
        .collect()
}

fn texts<'a>(turn: &'a Turn, losses: &mut Vec<Loss>) -> Vec<&'a str> {
    let mut texts = Vec::new();
    for part in &turn.parts {
        match part {
            Part::Text(text) | Part::Refusal(text) if !text.is_empty() => texts.push(text.as_str()),
            Part::Text(_) | Part::Refusal(_) | Part::Citation(_) => {}
            other => losses.push(Loss::turn(turn.origin, word(other))),
        }
    }
    texts
}

fn message<'a>(
    role: &'static str,
    turn: &'a Turn,
    items: &mut Vec<Item<'a>>,
    losses: &mut Vec<Loss>,
) -> Result<(), Unsayable> {
    let content = contents(&turn.parts, turn.origin, losses)?;
    if !content.is_empty() {
        items.push(Item::Message { role, content });
    }
    Ok(())
}

/// What a user, an application or a tool says.
fn contents<'a>(
    parts: &'a [Part],
    origin: Origin,
    losses: &mut Vec<Loss>,
) -> Result<Vec<Content<'a>>, Unsayable> {
    let mut content = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            // Blank text says nothing and is refused in places.
            Part::Text(text) | Part::Refusal(text) if text.is_empty() => {}
            Part::Text(text) | Part::Refusal(text) => {
                content.push(Content::InputText { text: Cow::Borrowed(text) });
            }
            Part::Media(media) => content.push(self::media(media, origin, losses)?),
            Part::Citation(_) => {}
            other => losses.push(Loss::turn(origin, word(other))),
        }
    }
    Ok(content)
}

fn media<'a>(media: &'a Media, origin: Origin, losses: &mut Vec<Loss>) -> Result<Content<'a>, Unsayable> {
    if media.citable {
        losses.push(Loss::turn(origin, "citations"));
    }
    let name = media.name.as_deref();
    match (media.kind, &media.source) {
        (MediaKind::Audio | MediaKind::Video, _) => {
            let what = if media.kind == MediaKind::Audio { "Audio" } else { "Video" };
            let text = format!("{what} cannot be sent to this model's vendor in this dialect.");
            Err(Unsayable::new(Loss::turn(origin, media.kind.as_str()), text))
        }
        (_, Source::Text(text)) => {
            if name.is_some() {
                losses.push(Loss::turn(origin, "filename"));
            }
            Ok(Content::InputText { text: Cow::Borrowed(text.as_str()) })
        }
        (MediaKind::Image, source) => Ok(Content::InputImage {
            image_url: media.to_url(),
            file_id: file_id(source),
            detail: media.detail.as_deref().unwrap_or("auto"),
        }),
        (MediaKind::File, source) => {
            let data = matches!(source, Source::Data(_)).then(|| media.to_url()).flatten();
            let url = match source {
                Source::Url(url) => Some(url.as_str()),
                _ => None,
            };
            // Data has no name of its own, and the vendor tells the kind of a file by its name.
            let usual = data.as_ref().map(|_| file_name(media.mime_or_usual()));
            let filename = name.filter(|_| data.is_some()).or(usual);
            if name.is_some() && data.is_none() {
                losses.push(Loss::turn(origin, "filename"));
            }
            Ok(Content::InputFile { filename, file_data: data, file_url: url, file_id: file_id(source) })
        }
    }
}

fn file_id(source: &Source) -> Option<&str> {
    match source {
        Source::FileId(id) => Some(id),
        _ => None,
    }
}

fn file_name(mime: &str) -> &'static str {
    match mime {
        "text/plain" => "file.txt",
        "text/markdown" => "file.md",
        "text/csv" => "file.csv",
        "text/html" => "file.html",
        "application/json" => "file.json",
        _ => "file.pdf",
    }
}

/// A run of items: texts in a row are one message, and reasoning stands before what it led to. Reasoning that led to
/// nothing is refused by the vendor and left out.
fn assistant<'a>(turn: &'a Turn, items: &mut Vec<Item<'a>>, losses: &mut Vec<Loss>) {
    let mut content: Vec<Content<'a>> = Vec::new();
    let begin = items.len();
    for part in &turn.parts {
        match part {
            Part::Text(text) if text.is_empty() => {}
            Part::Text(text) => content.push(Content::OutputText { text, annotations: Vec::new() }),
            Part::Refusal(refusal) => content.push(Content::Refusal { refusal }),
            Part::Citation(citation) => annotate(citation, &mut content),
            Part::ToolCall { id, name, arguments, custom } => {
                close(&mut content, items);
                let call_id = fitted(id);
                items.push(match custom {
                    true => Item::CustomToolCall { call_id, name, input: arguments },
                    false => {
                        let arguments = if arguments.trim().is_empty() { "{}" } else { arguments };
                        Item::FunctionCall { call_id, name, arguments }
                    }
                });
            }
            Part::Reasoning(reasoning) => match own(reasoning) {
                Some(item) => {
                    close(&mut content, items);
                    items.push(item);
                }
                None => losses.push(Loss::turn(turn.origin, "reasoning")),
            },
            other => losses.push(Loss::turn(turn.origin, word(other))),
        }
    }
    close(&mut content, items);
    while items.len() > begin && matches!(items.last(), Some(Item::Reasoning { .. })) {
        items.pop();
        losses.push(Loss::turn(turn.origin, "reasoning"));
    }
}

/// Ends the message that texts were gathered for.
fn close<'a>(content: &mut Vec<Content<'a>>, items: &mut Vec<Item<'a>>) {
    if !content.is_empty() {
        items.push(Item::Message { role: "assistant", content: std::mem::take(content) });
    }
}

/// Reasoning that this vendor sealed.
fn own(reasoning: &Reasoning) -> Option<Item<'_>> {
    let seal = reasoning.seal.as_ref().filter(|seal| seal.kind == SealKind::OpenAi)?;
    let text = Some(reasoning.text.as_str()).filter(|text| !text.is_empty());
    let summary = text.map(|text| Summary { r#type: "summary_text", text }).into_iter().collect();
    Some(Item::Reasoning { id: seal.id.as_deref(), summary, encrypted_content: &seal.data })
}

/// Marks of an earlier answer: those of pages go back where their place is known, the rest says nothing to the model.
fn annotate<'a>(citation: &'a Citation, content: &mut [Content<'a>]) {
    let Some(Content::OutputText { annotations, .. }) = content.last_mut() else { return };
    if let (CitedPlace::Url(url), Some((start_index, end_index))) = (&citation.place, citation.span) {
        let title = citation.title.as_deref().unwrap_or_default();
        annotations.push(Annotation { r#type: "url_citation", url, title, start_index, end_index });
    }
}

fn results<'a>(
    turn: &'a Turn,
    custom: &BTreeSet<&str>,
    items: &mut Vec<Item<'a>>,
    losses: &mut Vec<Loss>,
) -> Result<(), Unsayable> {
    for part in &turn.parts {
        let Part::ToolResult { id, parts, is_error, .. } = part else {
            losses.push(Loss::turn(turn.origin, word(part)));
            continue;
        };
        if *is_error {
            losses.push(Loss::turn(turn.origin, "is_error"));
        }
        let output = output(parts, turn.origin, losses)?;
        let call_id = fitted(id);
        items.push(match custom.contains(id.as_str()) {
            true => Item::CustomToolCallOutput { call_id, output },
            false => Item::FunctionCallOutput { call_id, output },
        });
    }
    Ok(())
}

/// One text stays a string; more than that is a list.
fn output<'a>(parts: &'a [Part], origin: Origin, losses: &mut Vec<Loss>) -> Result<Output<'a>, Unsayable> {
    let mut content = contents(parts, origin, losses)?;
    Ok(match content.as_mut_slice() {
        [] => Output::Text(Cow::Borrowed("")),
        [Content::InputText { text }] => Output::Text(std::mem::take(text)),
        _ => Output::Parts(content),
    })
}

/// What a part that has no place here is called.
fn word(part: &Part) -> &'static str {
    match part {
        Part::Text(_) => "text",
        Part::Media(media) => media.kind.as_str(),
        Part::ToolCall { .. } => "tool_call",
        Part::ToolResult { .. } => "tool_result",
        Part::Refusal(_) => "refusal",
        Part::Reasoning(_) => "reasoning",
        Part::Citation(_) => "citations",
        Part::CachePoint(_) => "cache_control",
    }
}

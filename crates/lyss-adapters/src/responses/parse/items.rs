//! `input`: items, of which those in a row that one assistant turn is made of become one turn, and the results of tools
//! in a row another.

use serde_json::value::RawValue;

use super::content;
use super::{LIST, TEXT};
use crate::Fault;
use crate::conversation::{Media, MediaKind, Part, Reasoning, Role, Seal, SealKind, Source, Turn};
use crate::fields::{Fields, Lost, wrong};

/// What an item becomes.
enum Read {
    /// A turn of its own.
    Turn(Role, Vec<Part>),
    /// Belongs to the turn before it, where that is of the same role.
    Joins(Role, Vec<Part>),
    /// Left out; what stands around it may still be one turn.
    Nothing,
}

pub(super) fn read_items(list: Vec<&RawValue>, turns: &mut Vec<Turn>, lost: &mut Lost) -> Result<(), Fault> {
    for (at, raw) in list.into_iter().enumerate() {
        let item = Fields::open(raw, format!("input[{at}]"))?;
        match read_item(item, at, lost)? {
            Read::Turn(role, parts) => turns.push(Turn::new(role, parts, at)),
            Read::Joins(role, mut parts) => match turns.last_mut() {
                Some(last) if last.role == role => last.parts.append(&mut parts),
                _ => turns.push(Turn::new(role, parts, at)),
            },
            Read::Nothing => {}
        }
    }
    if turns.is_empty() {
        return Err(wrong("input", "a list with at least one message"));
    }
    Ok(())
}

fn read_item(mut item: Fields<'_>, at: usize, lost: &mut Lost) -> Result<Read, Fault> {
    let kind = match item.take::<String>("type", TEXT)? {
        Some(kind) => kind,
        None => untyped(&mut item)?,
    };
    let read = match kind.as_str() {
        "message" => message(&mut item, lost)?,
        "reasoning" => Read::Joins(Role::Assistant, vec![reasoning(&mut item, lost)?]),
        "function_call" => Read::Joins(Role::Assistant, vec![call(&mut item, "arguments", false)?]),
        "custom_tool_call" => Read::Joins(Role::Assistant, vec![call(&mut item, "input", true)?]),
        "function_call_output" | "custom_tool_call_output" => {
            Read::Joins(Role::Tool, vec![output(&mut item, lost)?])
        }
        "image_generation_call" => image(&mut item)?,
        // What tools at the vendor did; the model's own words about it stand in a message.
        "web_search_call"
        | "file_search_call"
        | "code_interpreter_call"
        | "mcp_list_tools"
        | "mcp_call"
        | "tool_search_call"
        | "tool_search_output" => {
            lost.note(&format!("input[{at}]"));
            return Ok(Read::Nothing);
        }
        "item_reference" => return Err(kept_at_vendor(&item)),
        "computer_call"
        | "computer_call_output"
        | "local_shell_call"
        | "local_shell_call_output"
        | "shell_call"
        | "shell_call_output"
        | "apply_patch_call"
        | "apply_patch_call_output"
        | "mcp_approval_request"
        | "mcp_approval_response"
        | "compaction" => {
            let path = item.path_of("type");
            let message = format!("`{path}`: an item `{kind}` cannot be sent to this model's vendor.");
            return Err(Fault::bad_request(message, Some(&path)));
        }
        _ => return Err(wrong(&item.path_of("type"), "a known kind of item")),
    };
    // Given by the vendor when the item was made; of no meaning to another one.
    for name in ["id", "status", "created_by", "agent"] {
        item.raw(name);
    }
    item.leave(&[("phase", r#""final_answer""#)], lost);
    Ok(read)
}

/// `type` may be left out of a message and of a reference.
fn untyped(item: &mut Fields<'_>) -> Result<String, Fault> {
    if item.has("role") {
        return Ok("message".to_owned());
    }
    if item.has("id") {
        return Ok("item_reference".to_owned());
    }
    Err(wrong(&item.path_of("type"), "a known kind of item"))
}

fn kept_at_vendor(item: &Fields<'_>) -> Fault {
    let path = item.path_of("type");
    let message = format!(
        "`{path}`: items kept at the vendor can be referred to only with a channel that speaks responses itself; \
         send the item whole."
    );
    Fault::bad_request(message, Some(&path))
}

fn message(item: &mut Fields<'_>, lost: &mut Lost) -> Result<Read, Fault> {
    let name: String = item.require("role", TEXT)?;
    let role = match name.as_str() {
        "system" | "developer" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        _ => {
            let expected = "one of `system`, `developer`, `user`, `assistant`";
            return Err(wrong(&item.path_of("role"), expected));
        }
    };
    let parts = content::content(item, "content", lost)?;
    Ok(match role {
        Role::Assistant => Read::Joins(role, parts),
        role => Read::Turn(role, parts),
    })
}

/// The text is the summary and the reasoning itself, where either was shown.
fn reasoning(item: &mut Fields<'_>, lost: &mut Lost) -> Result<Part, Fault> {
    let mut texts: Vec<String> = Vec::new();
    for name in ["summary", "content"] {
        let list: Vec<&RawValue> = item.take(name, LIST)?.unwrap_or_default();
        for (at, raw) in list.into_iter().enumerate() {
            let mut part = Fields::open(raw, item.path_of(&format!("{name}[{at}]")))?;
            part.raw("type");
            texts.push(part.require("text", TEXT)?);
            part.leave(&[], lost);
        }
    }
    let id: Option<String> = item.take("id", TEXT)?;
    let sealed: Option<String> = item.take("encrypted_content", TEXT)?;
    let seal = sealed
        .filter(|data| !data.is_empty())
        .map(|data| Seal::from_token(&data).unwrap_or(Seal { kind: SealKind::OpenAi, data, id }));
    Ok(Part::Reasoning(Reasoning { text: texts.join("\n\n"), seal }))
}

fn call(item: &mut Fields<'_>, arguments: &str, custom: bool) -> Result<Part, Fault> {
    Ok(Part::ToolCall {
        id: item.require("call_id", TEXT)?,
        name: item.require("name", TEXT)?,
        arguments: item.require(arguments, TEXT)?,
        custom,
    })
}

fn output(item: &mut Fields<'_>, lost: &mut Lost) -> Result<Part, Fault> {
    let id = item.require("call_id", TEXT)?;
    let name = item.take("name", TEXT)?;
    let parts = content::content(item, "output", lost)?;
    Ok(Part::ToolResult { id, name, parts, is_error: false })
}

/// An image that the model made.
fn image(item: &mut Fields<'_>) -> Result<Read, Fault> {
    let result: Option<String> = item.take("result", TEXT)?;
    let format: Option<String> = item.take("output_format", TEXT)?;
    // How it was asked for says nothing about the image.
    for name in ["revised_prompt", "background", "quality", "size", "action"] {
        item.raw(name);
    }
    let Some(data) = result.filter(|data| !data.is_empty()) else { return Ok(Read::Nothing) };
    let mime = format!("image/{}", format.as_deref().unwrap_or("png"));
    let media = Media::new(MediaKind::Image, Source::Data(data), Some(mime));
    Ok(Read::Joins(Role::Assistant, vec![Part::Media(media)]))
}

//! Schemas: Google's own form, an OpenAPI subset with types in capitals, as JSON Schema; and JSON Schema as that form,
//! for models that know no other. The order of properties is kept, since models write in it.

mod ordered;
mod subset;

use serde_json::value::RawValue;

pub(super) use self::ordered::{Object, push_text};
pub(super) use self::subset::to_subset;
use crate::fields::camel;

/// What the SDKs write as strings, being 64-bit numbers in protobuf.
const COUNTS: [&str; 6] =
    ["minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"];

/// A schema of the API reference's `Schema` type as JSON Schema. A schema that is JSON Schema already comes back with
/// nothing but its types' letters changed.
pub(super) fn to_json_schema(raw: &RawValue) -> Box<RawValue> {
    let mut out = String::with_capacity(raw.get().len());
    schema(raw, &mut out);
    RawValue::from_string(out).unwrap_or_else(|_| raw.to_owned())
}

fn schema(raw: &RawValue, out: &mut String) {
    let Some(object) = Object::read(raw) else { return out.push_str(raw.get()) };
    let fields: Vec<_> = object.0.iter().map(|(name, value)| (camel(name), *value)).collect();
    let find = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| *value);
    let is_nullable = find("nullable").is_some_and(|raw| raw.get() == "true");
    let order: Vec<String> =
        find("propertyOrdering").and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    let mut writer = ordered::Writer::open(out);
    for (name, value) in &fields {
        let name = name.as_str();
        match name {
            "nullable" | "propertyOrdering" => {}
            "format" if value.get() == "\"enum\"" => {}
            "type" => r#type(value, is_nullable, &mut writer),
            "enum" if is_nullable => list(value, Some("null"), false, writer.key("enum")),
            "anyOf" => {
                let null = is_nullable && find("type").is_none();
                list(value, null.then_some(r#"{"type":"null"}"#), true, writer.key("anyOf"));
            }
            "oneOf" | "allOf" | "prefixItems" => list(value, None, true, writer.key(name)),
            "items" | "additionalProperties" | "not" => schema(value, writer.key(name)),
            "properties" => properties(value, &order, writer.key("properties")),
            "defs" | "$defs" | "definitions" => {
                properties(value, &[], writer.key(if name == "defs" { "$defs" } else { name }));
            }
            "ref" => writer.key("$ref").push_str(value.get()),
            "example" => {
                let out = writer.key("examples");
                out.push('[');
                out.push_str(value.get());
                out.push(']');
            }
            _ if COUNTS.contains(&name) => writer.key(name).push_str(value.get().trim_matches('"')),
            _ => writer.key(name).push_str(value.get()),
        }
    }
    writer.close();
}

fn r#type(value: &RawValue, is_nullable: bool, writer: &mut ordered::Writer<'_>) {
    let Ok(word) = serde_json::from_str::<String>(value.get()) else {
        return writer.key("type").push_str(value.get());
    };
    let word = word.to_ascii_lowercase();
    if word == "type_unspecified" {
        return;
    }
    let out = writer.key("type");
    if is_nullable && word != "null" {
        out.push('[');
        push_text(&word, out);
        out.push_str(",\"null\"]");
    } else {
        push_text(&word, out);
    }
}

/// A list, each of it a schema where said, with one more at its end.
fn list(value: &RawValue, more: Option<&str>, of_schemas: bool, out: &mut String) {
    let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(value.get()) else {
        return out.push_str(value.get());
    };
    out.push('[');
    let mut is_first = true;
    for item in items {
        if !std::mem::replace(&mut is_first, false) {
            out.push(',');
        }
        if of_schemas { schema(item, out) } else { out.push_str(item.get()) }
    }
    if let Some(more) = more {
        if !is_first {
            out.push(',');
        }
        out.push_str(more);
    }
    out.push(']');
}

/// A map of schemas, those named in `order` first.
fn properties(value: &RawValue, order: &[String], out: &mut String) {
    let Some(object) = Object::read(value) else { return out.push_str(value.get()) };
    let mut fields = object.0;
    // Stable, so what is not named keeps its place behind.
    fields.sort_by_key(|(name, _)| order.iter().position(|one| one == name).unwrap_or(order.len()));
    let mut writer = ordered::Writer::open(out);
    for (name, value) in fields {
        schema(value, writer.key(&name));
    }
    writer.close();
}

#[cfg(test)]
mod tests;

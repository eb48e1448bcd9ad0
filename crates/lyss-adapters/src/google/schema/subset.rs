//! JSON Schema as the API reference's `Schema` type, for models before Gemini 2: types in capitals, `nullable` for a null
//! beside a type, references written out. What that type cannot say is told.

use serde_json::value::RawValue;

use super::ordered::{Object, Writer};
use super::{list, push_text};

/// References inside references.
const MAX_REFERENCES: usize = 16;
/// Longest schema written: references written out may grow without end.
const MAX_BYTES: usize = 1 << 20;

/// Said as it is.
const KEPT: [&str; 16] = [
    "title",
    "description",
    "enum",
    "format",
    "required",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "minProperties",
    "maxProperties",
    "pattern",
    "default",
    "nullable",
];

/// The schema in Google's own form, and whether all of it could be said.
pub(in super::super) fn to_subset(raw: &RawValue) -> (Box<RawValue>, bool) {
    let mut subset = Subset { root: raw, is_whole: true };
    let mut out = String::with_capacity(raw.get().len());
    subset.schema(raw, 0, &mut out);
    match RawValue::from_string(out) {
        Ok(written) => (written, subset.is_whole),
        Err(_) => (raw.to_owned(), false),
    }
}

struct Subset<'a> {
    root: &'a RawValue,
    is_whole: bool,
}

impl<'a> Subset<'a> {
    fn schema(&mut self, raw: &'a RawValue, references: usize, out: &mut String) {
        let Some(object) = Object::read(raw) else {
            // `true` takes anything, as a schema that says nothing does; `false` cannot be said.
            self.is_whole &= raw.get() == "true";
            return out.push_str("{}");
        };
        if out.len() > MAX_BYTES {
            self.is_whole = false;
            return out.push_str("{}");
        }
        let reference = object.0.iter().find(|(name, _)| name == "$ref").map(|(_, value)| *value);
        if let Some(reference) = reference {
            match self.resolve(reference).filter(|_| references < MAX_REFERENCES) {
                Some(target) => return self.schema(target, references + 1, out),
                None => {
                    self.is_whole = false;
                    return out.push_str("{\"type\":\"OBJECT\"}");
                }
            }
        }
        let mut writer = Writer::open(out);
        for (name, value) in &object.0 {
            self.field(name, value, references, &mut writer);
        }
        writer.close();
    }

    fn field(&mut self, name: &str, value: &'a RawValue, references: usize, writer: &mut Writer<'_>) {
        match name {
            "type" => self.r#type(value, writer),
            "items" => self.schema(value, references, writer.key(name)),
            "properties" => {
                let Some(object) = Object::read(value) else { return };
                let mut properties = Writer::open(writer.key(name));
                for (name, value) in object.0 {
                    self.schema(value, references, properties.key(&name));
                }
                properties.close();
            }
            "anyOf" | "oneOf" => {
                self.is_whole &= name == "anyOf";
                let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(value.get()) else { return };
                let out = writer.key("anyOf");
                out.push('[');
                for (at, item) in items.into_iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    self.schema(item, references, out);
                }
                out.push(']');
            }
            "const" => {
                let out = writer.key("enum");
                out.push('[');
                out.push_str(value.get());
                out.push(']');
            }
            "examples" => {
                let first = serde_json::from_str::<Vec<&RawValue>>(value.get()).unwrap_or_default();
                if let Some(first) = first.first() {
                    writer.key("example").push_str(first.get());
                }
            }
            // Says nothing of what is allowed, or holds what references have written out.
            "$schema" | "$id" | "$comment" | "$defs" | "definitions" => {}
            "additionalProperties" if value.get() == "true" => {}
            "enum" => list(value, None, false, writer.key(name)),
            name if KEPT.contains(&name) => writer.key(name).push_str(value.get()),
            _ => self.is_whole = false,
        }
    }

    fn r#type(&mut self, value: &RawValue, writer: &mut Writer<'_>) {
        let words: Vec<String> = match serde_json::from_str::<String>(value.get()) {
            Ok(word) => vec![word],
            Err(_) => serde_json::from_str(value.get()).unwrap_or_default(),
        };
        let is_nullable = words.len() > 1 && words.iter().any(|word| word == "null");
        let plain: Vec<_> = words.iter().filter(|word| !is_nullable || *word != "null").collect();
        self.is_whole &= plain.len() == 1;
        if let Some(word) = plain.first() {
            push_text(&word.to_ascii_uppercase(), writer.key("type"));
        }
        if is_nullable {
            writer.key("nullable").push_str("true");
        }
    }

    /// What `#/$defs/name` and the like point to.
    fn resolve(&self, reference: &RawValue) -> Option<&'a RawValue> {
        let pointer: String = serde_json::from_str(reference.get()).ok()?;
        let mut at = self.root;
        for step in pointer.strip_prefix('#')?.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            at = Object::read(at)?.0.into_iter().find(|(name, _)| *name == step)?.1;
        }
        Some(at)
    }
}

//! JSON schemas as the vendor takes them for constrained answers, from its page "Structured outputs": every object
//! closed, no recursion, and few keywords. What is not taken moves into the description, where the model may heed it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// A schema that the vendor takes.
pub(super) struct Fitted {
    pub(super) schema: Box<RawValue>,
    /// Something of it was left to the model's good will.
    pub(super) is_loose: bool,
}

/// Keywords that are taken as they are.
const TAKEN: [&str; 8] = ["type", "description", "title", "enum", "const", "default", "required", "$ref"];
const FORMATS: [&str; 10] =
    ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];

/// `None`: the schema is no object's, refers to itself, or cannot be read.
pub(super) fn fit(schema: &RawValue) -> Option<Fitted> {
    let value: Value = serde_json::from_str(schema.get()).ok()?;
    if !is_object_schema(&value) || is_recursive(&value) {
        return None;
    }
    let mut writer = Writer { out: String::with_capacity(schema.get().len() + 64), is_loose: false };
    writer.schema(schema.get())?;
    Some(Fitted { schema: RawValue::from_string(writer.out).ok()?, is_loose: writer.is_loose })
}

fn is_object_schema(schema: &Value) -> bool {
    schema.get("type") == Some(&Value::from("object")) || schema.get("$ref").is_some()
}

/// Whether a definition leads back to itself, or anything to the whole.
fn is_recursive(schema: &Value) -> bool {
    let mut edges: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut whole = Vec::new();
    refs(schema, &mut whole);
    if whole.contains(&"#") {
        return true;
    }
    for key in ["$defs", "definitions"] {
        for (name, definition) in schema.get(key).and_then(Value::as_object).into_iter().flatten() {
            let mut found = Vec::new();
            refs(definition, &mut found);
            let names = found.into_iter().filter_map(|path| path.rsplit('/').next()).collect();
            edges.insert(name, names);
        }
    }
    // What only leads to settled names is settled; names that never are lie on a circle or before one.
    let mut open: Vec<&str> = edges.keys().copied().collect();
    loop {
        let before = open.len();
        let still = open.clone();
        open.retain(|name| edges.get(name).is_some_and(|to| to.iter().any(|to| still.contains(to))));
        if open.is_empty() || open.len() == before {
            return !open.is_empty();
        }
    }
}

fn refs<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|inner| refs(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| refs(inner, found)),
        _ => {}
    }
}

/// Writes a schema anew, its fields in the order they came.
struct Writer {
    out: String,
    is_loose: bool,
}

impl Writer {
    fn schema(&mut self, json: &str) -> Option<()> {
        if !json.starts_with('{') {
            self.out.push_str(json);
            return Some(());
        }
        let fields: Ordered<'_> = serde_json::from_str(json).ok()?;
        let is_object = fields
            .0
            .iter()
            .any(|(key, value)| key == "properties" || (key == "type" && value.get().contains("\"object\"")));
        let mut notes = Vec::new();
        let mut description = None;
        self.out.push('{');
        for (key, value) in &fields.0 {
            let json = value.get();
            match key.as_str() {
                "description" => description = serde_json::from_str::<String>(json).ok(),
                "properties" | "$defs" | "definitions" => {
                    self.key(key);
                    self.named(json)?;
                }
                "items" if json.starts_with('{') => {
                    self.key(key);
                    self.schema(json)?;
                }
                "anyOf" | "oneOf" | "allOf" => {
                    self.key(if key == "oneOf" { "anyOf" } else { key });
                    self.list(json)?;
                }
                "minItems" if matches!(json, "0" | "1") => self.field(key, json),
                "format" if FORMATS.iter().any(|known| json == format!("\"{known}\"")) => {
                    self.field(key, json)
                }
                "additionalProperties" if is_object && json == "false" => {}
                // Says nothing of the value.
                "$schema" | "$id" | "$comment" => {}
                known if TAKEN.contains(&known) => self.field(known, json),
                other => {
                    self.is_loose = true;
                    notes.push(format!("{other}: {json}"));
                }
            }
        }
        if is_object {
            self.field("additionalProperties", "false");
        }
        if description.is_some() || !notes.is_empty() {
            let notes = if notes.is_empty() { String::new() } else { format!("({})", notes.join("; ")) };
            let text = [description.unwrap_or_default(), notes].into_iter().filter(|text| !text.is_empty());
            let text = text.collect::<Vec<_>>().join(" ");
            self.field("description", &Value::from(text).to_string());
        }
        self.out.push('}');
        Some(())
    }

    /// An object whose values are schemas.
    fn named(&mut self, json: &str) -> Option<()> {
        let fields: Ordered<'_> = serde_json::from_str(json).ok()?;
        self.out.push('{');
        for (key, value) in &fields.0 {
            self.key(key);
            self.schema(value.get())?;
        }
        self.out.push('}');
        Some(())
    }

    fn list(&mut self, json: &str) -> Option<()> {
        let items: Vec<&RawValue> = serde_json::from_str(json).ok()?;
        self.out.push('[');
        for item in items {
            self.separate();
            self.schema(item.get())?;
        }
        self.out.push(']');
        Some(())
    }

    fn field(&mut self, key: &str, json: &str) {
        self.key(key);
        self.out.push_str(json);
    }

    fn key(&mut self, key: &str) {
        self.separate();
        self.out.push_str(&Value::from(key).to_string());
        self.out.push(':');
    }

    fn separate(&mut self) {
        if !self.out.ends_with(['{', '[']) {
            self.out.push(',');
        }
    }
}

/// An object's fields in their order.
struct Ordered<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Ordered<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Fields).map(Ordered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(schema: &Value) -> Option<(Value, bool)> {
        let raw = RawValue::from_string(schema.to_string()).unwrap();
        fit(&raw).map(|fitted| (serde_json::from_str(fitted.schema.get()).unwrap(), fitted.is_loose))
    }

    #[test]
    fn a_closed_schema_stays_as_it_is() {
        let schema = serde_json::json!({
            "type": "object",
            "properties": {"a": {"type": ["string", "null"], "format": "date", "description": "day"},
                "b": {"type": "array", "items": {"$ref": "#/$defs/c"}, "minItems": 1}},
            "required": ["a", "b"], "additionalProperties": false,
            "$defs": {"c": {"type": "object", "properties": {}, "additionalProperties": false}},
        });
        assert_eq!(fitted(&schema), Some((schema, false)));
    }

    #[test]
    fn what_is_not_taken_moves_into_the_description() {
        let schema = serde_json::json!({
            "type": "object", "$schema": "x",
            "properties": {"n": {"type": "integer", "minimum": 1, "description": "How many."},
                "s": {"oneOf": [{"type": "string", "format": "odd"}, {"type": "null"}]}},
        });
        let expected = serde_json::json!({
            "type": "object", "additionalProperties": false,
            "properties": {"n": {"type": "integer", "description": "How many. (minimum: 1)"},
                "s": {"anyOf": [{"type": "string", "description": "(format: \"odd\")"}, {"type": "null"}]}},
        });
        assert_eq!(fitted(&schema), Some((expected, true)));
    }

    #[test]
    fn an_open_object_is_loose_when_it_said_so() {
        let open = serde_json::json!({"type": "object", "properties": {}, "additionalProperties": true});
        assert!(fitted(&open).unwrap().1);
        let unsaid = serde_json::json!({"type": "object", "properties": {}});
        assert!(!fitted(&unsaid).unwrap().1);
    }

    #[test]
    fn the_order_of_fields_is_kept() {
        let raw = RawValue::from_string(
            r#"{"type":"object","properties":{"z":{"type":"string"},"a":{"type":"string"}}}"#.to_owned(),
        )
        .unwrap();
        let text = fit(&raw).unwrap().schema.get().to_owned();
        assert!(text.find("\"z\"") < text.find("\"a\""), "{text}");
    }

    #[test]
    fn circles_are_not_taken() {
        let circle = |to: &str| {
            serde_json::json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}},
                "$defs": {"a": {"type": "object", "properties": {"b": {"$ref": "#/$defs/b"}}},
                    "b": {"type": "object", "properties": {"x": {"$ref": to}}},
                    "c": {"type": "string"}}})
        };
        assert!(fitted(&circle("#/$defs/a")).is_none());
        assert!(fitted(&circle("#")).is_none());
        assert!(fitted(&circle("#/$defs/c")).is_some());
        assert!(fitted(&serde_json::json!({"type": "string"})).is_none());
    }
}

//! Fields by their camel-case name, found under their snake-case name too.

use serde_json::{Map, Value};

pub(super) fn get<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let object = value.as_object()?;
    object.get(name).or_else(|| object.get(&snake(name))).filter(|value| !value.is_null())
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    get(value, name).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    get(value, name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

pub(super) fn object_in<'a>(value: &'a Value, name: &str) -> Option<&'a Map<String, Value>> {
    get(value, name).and_then(Value::as_object)
}

pub(super) fn flag(value: &Value, name: &str) -> bool {
    get(value, name).and_then(Value::as_bool).unwrap_or(false)
}

/// Protocol buffers' JSON takes a number also as text.
pub(super) fn number(value: &Value, name: &str) -> Option<i64> {
    let field = get(value, name)?;
    field.as_i64().or_else(|| field.as_str().and_then(|text| text.parse().ok()))
}

pub(super) fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

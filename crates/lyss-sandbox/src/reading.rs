//! Reading a request that was parsed whole: a field that is missing, `null` or of another type reads as nothing.

use serde_json::{Map, Value};

use crate::refusal::Refusal;

pub(crate) fn object(body: &[u8]) -> Result<Value, Refusal> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| Refusal::invalid(format!("The body could not be read as JSON: {error}")))?;
    match value.is_object() {
        true => Ok(value),
        false => Err(Refusal::invalid("The body must be a JSON object.")),
    }
}

pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

pub(crate) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

pub(crate) fn map<'a>(value: &'a Value, name: &str) -> Option<&'a Map<String, Value>> {
    value.get(name).and_then(Value::as_object)
}

pub(crate) fn flag(value: &Value, name: &str) -> Option<bool> {
    value.get(name).and_then(Value::as_bool)
}

pub(crate) fn count(value: &Value, name: &str) -> Option<u64> {
    value.get(name).and_then(Value::as_u64)
}

/// The field, unless it is missing or `null`.
pub(crate) fn given<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name).filter(|value| !value.is_null())
}

/// A field's name and what its value must be.
pub(crate) type Typed = (&'static str, fn(&Value) -> bool);

/// Refuses the first field that is given and of another type.
pub(crate) fn typed(value: &Value, fields: &[Typed]) -> Result<(), Refusal> {
    let wrong = fields.iter().find(|(name, is)| given(value, name).is_some_and(|field| !is(field)));
    match wrong {
        Some((name, _)) => {
            Err(Refusal::invalid(format!("{name}: the value is of the wrong type")).param(*name))
        }
        None => Ok(()),
    }
}

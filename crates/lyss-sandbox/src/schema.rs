//! JSON that fits a schema: what a model says when the caller asked for structured output.

use serde_json::{Map, Value};

#[cfg(test)]
mod tests;

/// Schemas that refer to themselves end here.
const MAX_DEPTH: usize = 12;

/// The smallest value that fits: every property, one item a list, the first of a choice. Types in capitals (Google's)
/// are read too.
pub(crate) fn fitting(schema: &Value) -> Value {
    value_for(schema, schema, 0)
}

fn value_for(schema: &Value, root: &Value, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return Value::Null;
    }
    if let Some(fixed) = schema.get("const") {
        return fixed.clone();
    }
    if let Some(first) = schema.get("enum").and_then(|allowed| allowed.get(0)) {
        return first.clone();
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#')) {
        return root.pointer(target).map_or(Value::Null, |target| value_for(target, root, depth + 1));
    }
    for choice in ["anyOf", "oneOf", "allOf"] {
        if let Some(first) = schema.get(choice).and_then(|choices| choices.get(0)) {
            return value_for(first, root, depth + 1);
        }
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.first(),
        kind => kind,
    };
    let kind = kind.and_then(Value::as_str).map(str::to_ascii_lowercase);
    match kind.as_deref() {
        Some("string") => text_for(schema),
        Some("integer" | "number") => number_for(schema),
        Some("boolean") => true.into(),
        Some("null") => Value::Null,
        Some("array") => list_for(schema, root, depth),
        _ => object_for(schema, root, depth),
    }
}

fn text_for(schema: &Value) -> Value {
    let format = schema.get("format").and_then(Value::as_str);
    let sample = match format {
        Some("date") => "2025-06-15",
        Some("date-time") => "2025-06-15T00:00:00Z",
        Some("email") => "someone@example.com",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        _ => "sample",
    };
    let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(0);
    let least = usize::try_from(least).unwrap_or(0).min(10_000);
    let most = schema.get("maxLength").and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok());
    let padded = sample.len().max(least).min(most.unwrap_or(usize::MAX));
    sample.chars().chain(std::iter::repeat('x')).take(padded).collect::<String>().into()
}

fn number_for(schema: &Value) -> Value {
    let limit = |name: &str| schema.get(name).and_then(Value::as_i64);
    let least = limit("minimum").unwrap_or(i64::MIN);
    let most = limit("maximum").unwrap_or(i64::MAX);
    42.max(least).min(most).into()
}

fn list_for(schema: &Value, root: &Value, depth: usize) -> Value {
    let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1);
    let count = usize::try_from(least).unwrap_or(1).clamp(1, 16);
    match schema.get("items") {
        Some(items) => vec![value_for(items, root, depth + 1); count].into(),
        None => Value::Array(Vec::new()),
    }
}

fn object_for(schema: &Value, root: &Value, depth: usize) -> Value {
    let properties = schema.get("properties").and_then(Value::as_object);
    let fields = properties.into_iter().flatten();
    Value::Object(
        fields.map(|(name, field)| (name.clone(), value_for(field, root, depth + 1))).collect::<Map<_, _>>(),
    )
}

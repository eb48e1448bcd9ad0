//! What names, lists, maps and numbers may be, the same for every noun.

use std::collections::BTreeMap;

use crate::error::Fields;

pub(crate) const MAX_NAME_LEN: usize = 128;
pub(crate) const MAX_MODEL_LEN: usize = 256;
const MAX_TAGS: usize = 32;
const MAX_TAG_LEN: usize = 64;
/// Entries of any longer list or map: a bound against nonsense, not a limit anybody meets.
const MAX_ENTRIES: usize = 1_000;

/// A name people read.
pub(crate) fn name(fields: &mut Fields, field: &str, value: &str) {
    text(fields, field, value, MAX_NAME_LEN);
}

/// 1 to `max_len` bytes without control characters, not blank at either end.
pub(crate) fn text(fields: &mut Fields, field: &str, value: &str, max_len: usize) {
    if !is_text(value, max_len) {
        fields.refuse(field, format!("must be 1 to {max_len} bytes of text, not blank at its ends"));
    }
}

/// Model names, or prefixes ending in `*`.
pub(crate) fn models(fields: &mut Fields, field: &str, list: &[String]) {
    entries(fields, field, list.len());
    if list.iter().any(|model| !is_pattern(model)) {
        fields.refuse(
            field,
            format!("every model is 1 to {MAX_MODEL_LEN} bytes; a '*' only stands at the end of a prefix"),
        );
    }
}

pub(crate) fn is_pattern(model: &str) -> bool {
    let prefix = model.strip_suffix('*').unwrap_or(model);
    is_text(model, MAX_MODEL_LEN) && !prefix.contains('*')
}

/// From one model's name to another.
pub(crate) fn model_map(fields: &mut Fields, field: &str, map: &BTreeMap<String, String>) {
    entries(fields, field, map.len());
    let whole = |name: &String| is_text(name, MAX_MODEL_LEN);
    if map.iter().any(|(from, to)| !whole(from) || !whole(to)) {
        fields.refuse(field, format!("both names are 1 to {MAX_MODEL_LEN} bytes"));
    }
}

pub(crate) fn tags(fields: &mut Fields, field: &str, tags: &[String]) {
    if tags.len() > MAX_TAGS || tags.iter().any(|tag| !is_text(tag, MAX_TAG_LEN)) {
        fields.refuse(field, format!("at most {MAX_TAGS} tags of 1 to {MAX_TAG_LEN} bytes"));
    }
}

pub(crate) fn entries(fields: &mut Fields, field: &str, count: usize) {
    if count > MAX_ENTRIES {
        fields.refuse(field, format!("has {count} entries, at most {MAX_ENTRIES}"));
    }
}

/// A limit that is absent or more than nothing.
pub(crate) fn above_zero(fields: &mut Fields, field: &str, limit: Option<u32>) {
    if limit == Some(0) {
        fields.refuse(field, "must be at least 1; leave it out for no limit");
    }
}

pub(crate) fn is_text(value: &str, max_len: usize) -> bool {
    (1..=max_len).contains(&value.len()) && value.trim() == value && !value.chars().any(char::is_control)
}

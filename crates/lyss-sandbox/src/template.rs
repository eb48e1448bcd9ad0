//! Literal templates with `$name` slots.

use memchr::memchr;

#[cfg(test)]
mod tests;

/// Appends `template` to `out` with every `$name` (`a-z`, `_`) replaced. What is put in is not looked at again, so a
/// value may hold anything. A name without a value stays empty.
pub(crate) fn fill(out: &mut Vec<u8>, template: &str, slots: &[(&str, &str)]) {
    let mut rest = template;
    while let Some((before, after)) = memchr(b'$', rest.as_bytes()).and_then(|at| rest.split_at_checked(at)) {
        out.extend_from_slice(before.as_bytes());
        let after = after.trim_start_matches('$');
        let end = after.bytes().position(|b| !(b.is_ascii_lowercase() || b == b'_')).unwrap_or(after.len());
        let (name, after) = after.split_at_checked(end).unwrap_or((after, ""));
        if let Some((_, value)) = slots.iter().find(|(slot, _)| *slot == name) {
            out.extend_from_slice(value.as_bytes());
        }
        rest = after;
    }
    out.extend_from_slice(rest.as_bytes());
}

pub(crate) fn filled(template: &str, slots: &[(&str, &str)]) -> String {
    let mut out = Vec::with_capacity(template.len() + 64);
    fill(&mut out, template, slots);
    String::from_utf8(out).unwrap_or_default()
}

/// `text` as a JSON string with its quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote_into(&mut out, text);
    out
}

/// Replaces `out` by `text` as a JSON string; for loops that would otherwise allocate one each time.
pub(crate) fn requote<'a>(out: &'a mut String, text: &str) -> &'a str {
    out.clear();
    quote_into(out, text);
    out
}

/// Commonly nothing needs escaping; the rest is left to serde_json.
fn quote_into(out: &mut String, text: &str) {
    if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::to_string(text).unwrap_or_default());
    }
}

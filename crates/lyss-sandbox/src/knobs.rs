//! Knobs in a model's name: `gpt-4o+first_ms=200+status=503`. The table is in the crate's door.

use crate::refusal::Kind;

#[cfg(test)]
mod tests;

/// An answer is built in memory before it is sent.
const MAX_WORDS: usize = 100_000;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Knobs {
    pub(crate) first_ms: u64,
    pub(crate) gap_ms: Option<u64>,
    pub(crate) words: Option<usize>,
    pub(crate) refuse: Option<Kind>,
    pub(crate) retry_after_s: Option<u64>,
    pub(crate) reset_before_head: bool,
    pub(crate) cut_events: Option<usize>,
    pub(crate) cut_bytes: Option<usize>,
    pub(crate) stall_events: Option<usize>,
    pub(crate) error_event: Option<usize>,
    pub(crate) empty: bool,
    pub(crate) garbage: bool,
}

/// The bare model name and its knobs; the error is a sentence for the caller.
pub(crate) fn split(model: &str) -> Result<(&str, Knobs), String> {
    let mut segments = model.split('+');
    let name = segments.next().unwrap_or_default();
    let mut knobs = Knobs::default();
    for segment in segments {
        let (key, value) = segment.split_once('=').unwrap_or((segment, ""));
        knobs.set(key, value).ok_or_else(|| format!("sandbox: no such knob: `{segment}`"))?;
    }
    Ok((name, knobs))
}

impl Knobs {
    fn set(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            "first_ms" => self.first_ms = value.parse().ok()?,
            "gap_ms" => self.gap_ms = Some(value.parse().ok()?),
            "words" => self.words = Some(value.parse().ok().filter(|&words| words <= MAX_WORDS)?),
            "status" => self.refuse = Some(Kind::from_status(value.parse().ok()?)?),
            "quota" if value.is_empty() => self.refuse = Some(Kind::Balance),
            "retry_after" => self.retry_after_s = Some(value.parse().ok()?),
            "reset" => match value {
                "head" => self.reset_before_head = true,
                "body" => self.cut_bytes = Some(0),
                _ => return None,
            },
            "cut_events" => self.cut_events = Some(value.parse().ok()?),
            "cut_bytes" => self.cut_bytes = Some(value.parse().ok()?),
            "stall_events" => self.stall_events = Some(value.parse().ok()?),
            "error_event" => self.error_event = Some(value.parse().ok()?),
            "empty" if value.is_empty() => self.empty = true,
            "garbage" if value.is_empty() => self.garbage = true,
            _ => return None,
        }
        Some(())
    }
}

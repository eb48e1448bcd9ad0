//! Knobs in a model's name: `gpt-4o+first_ms=200+status=503`. The table is in the crate's door.

use crate::refusal::Kind;

#[cfg(test)]
mod tests;

/// An answer is built in memory before it is sent.
const MAX_WORDS: usize = 100_000;
const MAX_CALLS: usize = 128;

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
    pub(crate) finish: Option<Finish>,
    /// So many words of reasoning, whether the caller asked for it or not.
    pub(crate) thoughts: Option<usize>,
    pub(crate) think: bool,
    /// Anthropic: the reasoning comes redacted.
    pub(crate) redacted: bool,
    pub(crate) tools: Option<usize>,
    pub(crate) framing: Framing,
    pub(crate) encoding: Option<Encoding>,
    pub(crate) keepalive: bool,
    pub(crate) split: Option<usize>,
}

/// How an answer is made to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    Length,
    ContentFilter,
    Refusal,
    Pause,
    Malformed,
}

/// How the lines of an event stream are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Framing {
    /// As the vendor does.
    #[default]
    Own,
    CrLf,
    Cr,
    Bom,
    Comments,
    Multiline,
    NoFinal,
}

/// The `Content-Encoding` of the whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Gzip,
    Deflate,
    Brotli,
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
            "blocked" if value.is_empty() => self.refuse = Some(Kind::Blocked),
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
            "finish" => self.finish = Some(Finish::from_word(value)?),
            "think" if value.is_empty() => self.think = true,
            "thoughts" => {
                self.thoughts = Some(value.parse().ok().filter(|&words| words <= MAX_WORDS)?);
            }
            "redacted" if value.is_empty() => self.redacted = true,
            "tools" => self.tools = Some(value.parse().ok().filter(|&calls| calls <= MAX_CALLS)?),
            "sse" => self.framing = Framing::from_word(value)?,
            "encoding" => self.encoding = Some(Encoding::from_word(value)?),
            "keepalive" if value.is_empty() => self.keepalive = true,
            "split" => self.split = Some(value.parse().ok().filter(|&bytes| bytes > 0)?),
            _ => return None,
        }
        Some(())
    }

    /// The answer reasons although neither the model nor the caller would have it.
    pub(crate) fn thinks(&self) -> bool {
        self.think || self.redacted || self.thoughts.is_some()
    }
}

impl Finish {
    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "length" => Self::Length,
            "content_filter" => Self::ContentFilter,
            "refusal" => Self::Refusal,
            "pause" => Self::Pause,
            "malformed" => Self::Malformed,
            _ => return None,
        })
    }
}

impl Framing {
    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "crlf" => Self::CrLf,
            "cr" => Self::Cr,
            "bom" => Self::Bom,
            "comments" => Self::Comments,
            "multiline" => Self::Multiline,
            "nofinal" => Self::NoFinal,
            _ => return None,
        })
    }
}

impl Encoding {
    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "gzip" => Self::Gzip,
            "deflate" => Self::Deflate,
            "br" => Self::Brotli,
            _ => return None,
        })
    }

    pub(crate) fn token(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
        }
    }
}

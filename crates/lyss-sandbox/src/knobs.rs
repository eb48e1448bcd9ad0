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
    pub(crate) wait: WaitForm,
    pub(crate) reset_before_head: bool,
    /// Connections end by a reset instead of an orderly close.
    pub(crate) rst: bool,
    /// The connection is closed so long after the head of this answer, unannounced.
    pub(crate) drop_ms: Option<u64>,
    pub(crate) window: Option<Window>,
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

/// How `retry_after` is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum WaitForm {
    /// As the vendor does.
    #[default]
    Own,
    /// `Retry-After` as a date.
    Date,
    /// `retry-after-ms` alone.
    Millis,
    /// The headers of a rate window that is used up.
    Reset,
    /// In the error object alone.
    Body,
}

/// A rate window that nobody is told of beforehand: so much in so long, then 429.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) requests: Option<u64>,
    pub(crate) tokens: Option<u64>,
    pub(crate) length_ms: u64,
    pub(crate) tell: Tell,
    /// Whose window it is: the model as asked, knobs included.
    pub(crate) of: String,
}

/// Where a vendor tells of its windows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Tell {
    #[default]
    Header,
    Body,
    Nowhere,
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
    if let Some(window) = &mut knobs.window {
        model.clone_into(&mut window.of);
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
            "wait" => self.wait = WaitForm::from_word(value)?,
            "rst" if value.is_empty() => self.rst = true,
            "drop_ms" => self.drop_ms = Some(value.parse().ok()?),
            "window_requests" => self.window().requests = Some(value.parse().ok()?),
            "window_tokens" => self.window().tokens = Some(value.parse().ok()?),
            "window_ms" => self.window().length_ms = value.parse().ok().filter(|&ms| ms > 0)?,
            "tell" => self.window().tell = Tell::from_word(value)?,
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

    fn window(&mut self) -> &mut Window {
        self.window.get_or_insert_with(Window::default)
    }

    /// The answer reasons although neither the model nor the caller would have it.
    pub(crate) fn thinks(&self) -> bool {
        self.think || self.redacted || self.thoughts.is_some()
    }
}

impl Default for Window {
    fn default() -> Self {
        Self { requests: None, tokens: None, length_ms: 60_000, tell: Tell::default(), of: String::new() }
    }
}

impl WaitForm {
    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "date" => Self::Date,
            "ms" => Self::Millis,
            "reset" => Self::Reset,
            "body" => Self::Body,
            _ => return None,
        })
    }
}

impl Tell {
    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "header" => Self::Header,
            "body" => Self::Body,
            "none" => Self::Nowhere,
            _ => return None,
        })
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

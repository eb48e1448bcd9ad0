//! `reasoning_details`, as OpenRouter's page "Reasoning Tokens" shapes them: where a chat message carries reasoning that
//! some vendor sealed.
//!
//! Three kinds: `reasoning.text` (with Anthropic's signature), `reasoning.summary`, and `reasoning.encrypted` (redacted
//! thinking, OpenAI's encrypted items, Google's thought signatures). `format` says whose it is; a Google seal that belongs
//! to a tool call carries the call's id.

use serde::{Deserialize, Serialize};

use crate::conversation::{Part, Reasoning, Seal, SealKind};

const ANTHROPIC: &str = "anthropic-claude-v1";
const OPENAI: &str = "openai-responses-v1";
const GOOGLE: &str = "google-gemini-v1";
/// More than any real answer has.
const MAX_DETAILS: usize = 1_024;

/// One entry, read. A field of a wrong type makes the whole list unreadable.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Detail {
    r#type: Option<String>,
    text: Option<String>,
    summary: Option<String>,
    data: Option<String>,
    signature: Option<String>,
    id: Option<String>,
    format: Option<String>,
    index: Option<u64>,
}

/// One stretch of reasoning as a list of details tells it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Stretch {
    pub(super) reasoning: Reasoning,
    /// The tool call that a Google seal belongs to.
    pub(super) call_id: Option<String>,
    index: Option<u64>,
    /// Shown by OpenAI: its seal may follow under an index of its own.
    is_summary: bool,
}

/// What one entry says: readable text, a seal, and the call the seal belongs to.
pub(super) struct Said {
    pub(super) text: Option<String>,
    pub(super) seal: Option<Seal>,
    pub(super) call_id: Option<String>,
    index: Option<u64>,
    kind: SealKind,
}

impl Detail {
    pub(super) fn said(self) -> Said {
        let text = self.text.or(self.summary).filter(|text| !text.is_empty());
        let is_encrypted = self.r#type.as_deref() == Some("reasoning.encrypted");
        let id = self.id.filter(|id| !id.is_empty());
        let word = self.signature.or(self.data).filter(|word| !word.is_empty());
        let format = self.format.as_deref().unwrap_or_default();
        let kind = match format {
            _ if format.contains("responses") => SealKind::OpenAi,
            GOOGLE => SealKind::Google,
            _ if is_encrypted && id.as_deref().is_some_and(|id| id.starts_with("rs_")) => SealKind::OpenAi,
            _ if is_encrypted => SealKind::AnthropicRedacted,
            _ => SealKind::AnthropicSignature,
        };
        let (seal_id, call_id) = match kind {
            SealKind::OpenAi => (id, None),
            SealKind::Google => (None, id),
            _ => (None, None),
        };
        let seal = word.map(|data| Seal::from_token(&data).unwrap_or(Seal { kind, data, id: seal_id }));
        Said { text, seal, call_id, index: self.index, kind }
    }
}

/// The stretches of a whole list. Texts of one index belong together, and so does what an OpenAI item shows and its
/// encrypted content; redacted thinking and Google's seals stand alone.
pub(super) fn stretches(details: Vec<Detail>) -> Vec<Stretch> {
    let mut found: Vec<Stretch> = Vec::new();
    for said in details.into_iter().take(MAX_DETAILS).map(Detail::said) {
        let stands_alone = said
            .seal
            .as_ref()
            .is_some_and(|seal| matches!(seal.kind, SealKind::AnthropicRedacted | SealKind::Google))
            && said.text.is_none();
        let is_openai = said.kind == SealKind::OpenAi;
        let last = found.last_mut().filter(|last| {
            let seals_summary = last.is_summary && is_openai && said.seal.is_some();
            !stands_alone && last.reasoning.seal.is_none() && (last.index == said.index || seals_summary)
        });
        match last {
            Some(last) => {
                last.reasoning.text.push_str(&said.text.unwrap_or_default());
                last.reasoning.seal = said.seal;
            }
            None => found.push(Stretch {
                reasoning: Reasoning { text: said.text.unwrap_or_default(), seal: said.seal },
                call_id: said.call_id,
                index: said.index,
                is_summary: is_openai,
            }),
        }
    }
    found
}

impl Stretch {
    pub(super) fn of(reasoning: Reasoning) -> Self {
        Self { reasoning, call_id: None, index: None, is_summary: false }
    }

    /// Its seal is over a text, which may stand elsewhere.
    fn seals_text(&self) -> bool {
        let kind = self.reasoning.seal.as_ref().map(|seal| seal.kind);
        matches!(kind, Some(SealKind::AnthropicSignature | SealKind::OpenAi))
    }
}

/// The reasoning in front of a message, and apart from it the seals that name a tool call, which stand before that.
#[derive(Default)]
pub(super) struct Laid {
    pub(super) parts: Vec<Part>,
    called: Vec<(String, Seal)>,
}

impl Laid {
    /// The details tell most; a plain text beside them says the same again, unless they have only the seal of it.
    pub(super) fn of(plain: Option<String>, mut stretches: Vec<Stretch>) -> Self {
        let mut laid = Self::default();
        let has_text = stretches.iter().any(|stretch| !stretch.reasoning.text.is_empty());
        if let Some(plain) = plain.filter(|plain| !plain.is_empty() && !has_text) {
            match stretches.first_mut().filter(|first| first.seals_text()) {
                Some(first) => first.reasoning.text = plain,
                None => laid.parts.push(Part::Reasoning(Reasoning { text: plain, seal: None })),
            }
        }
        for stretch in stretches {
            match (stretch.call_id, stretch.reasoning.seal) {
                (Some(id), Some(seal)) => laid.called.push((id, seal)),
                (_, seal) => {
                    let text = stretch.reasoning.text;
                    laid.parts.push(Part::Reasoning(Reasoning { text, seal }));
                }
            }
        }
        laid
    }

    /// The seal of a call, as the part that stands before it.
    pub(super) fn before_call(&mut self, id: &str, own: Option<Seal>) -> Option<Part> {
        let at = self.called.iter().position(|(of, _)| of == id);
        let seal = at.map(|at| self.called.swap_remove(at).1).or(own)?;
        Some(Part::Reasoning(Reasoning { text: String::new(), seal: Some(seal) }))
    }

    /// Seals whose call is gone still are part of the message.
    pub(super) fn rest(self) -> impl Iterator<Item = Part> {
        self.called
            .into_iter()
            .map(|(_, seal)| Part::Reasoning(Reasoning { text: String::new(), seal: Some(seal) }))
    }
}

/// One entry, written.
#[derive(Serialize)]
pub(super) struct Written<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    format: &'static str,
    index: u64,
}

/// Appends the entries of one stretch; two where a seal and the text it seals are told apart. `first`: the index of the
/// list's first entry. Every entry has its own, since SDKs put the pieces of a stream together by it.
pub(super) fn push<'a>(
    list: &mut Vec<Written<'a>>,
    first: u64,
    text: &'a str,
    seal: Option<&'a Seal>,
    call_id: Option<&'a str>,
) {
    let mut add = |r#type, format, fill: &dyn Fn(&mut Written<'a>)| {
        let index = first + list.len() as u64;
        let mut entry = Written {
            r#type,
            text: None,
            summary: None,
            data: None,
            signature: None,
            id: None,
            format,
            index,
        };
        fill(&mut entry);
        list.push(entry);
    };
    let text = Some(text).filter(|text| !text.is_empty());
    let Some(seal) = seal else {
        if text.is_some() {
            add("reasoning.text", "unknown", &|entry| entry.text = text);
        }
        return;
    };
    let data = Some(seal.data.as_str());
    let format = match seal.kind {
        SealKind::AnthropicSignature | SealKind::AnthropicRedacted => ANTHROPIC,
        SealKind::OpenAi => OPENAI,
        SealKind::Google => GOOGLE,
    };
    match seal.kind {
        SealKind::AnthropicSignature => {
            return add("reasoning.text", format, &|entry| (entry.text, entry.signature) = (text, data));
        }
        SealKind::OpenAi if text.is_some() => {
            add("reasoning.summary", format, &|entry| entry.summary = text);
        }
        _ if text.is_some() => add("reasoning.text", format, &|entry| entry.text = text),
        _ => {}
    }
    let id = if seal.kind == SealKind::Google { call_id } else { seal.id.as_deref() };
    add("reasoning.encrypted", format, &|entry| (entry.data, entry.id) = (data, id));
}

/// `extra_content` of a tool call: `{"google": {"thought_signature"}}`, as Google's page "OpenAI compatibility" has it.
#[derive(Deserialize, Serialize)]
pub(super) struct ExtraContent<T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    google: Option<GoogleExtra<T>>,
}

#[derive(Deserialize, Serialize)]
struct GoogleExtra<T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    thought_signature: Option<T>,
}

impl<'a> ExtraContent<&'a str> {
    pub(super) const fn of(signature: &'a str) -> Self {
        Self { google: Some(GoogleExtra { thought_signature: Some(signature) }) }
    }
}

impl ExtraContent<String> {
    pub(super) fn seal(self) -> Option<Seal> {
        let data = self.google?.thought_signature.filter(|data| !data.is_empty())?;
        Some(Seal::from_token(&data).unwrap_or_else(|| Seal::new(SealKind::Google, data)))
    }
}

#[cfg(test)]
mod tests;

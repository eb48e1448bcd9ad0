//! What an answer rests on, as in the API reference ("GroundingMetadata", "CitationMetadata", "UrlContextMetadata").
//!
//! The vendor counts bytes of the text, other dialects characters; the text seen so far, kept up to a bound, tells one
//! from the other. Where it cannot, a citation stands for the whole text before it.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::conversation::{ChatEvent, Citation, CitedPlace};

/// Of a candidate's text, kept for counting.
const MAX_TEXT_BYTES: usize = 1 << 20;
const MAX_CITATIONS: usize = 512;

#[derive(Default)]
pub(super) struct Sources {
    text: String,
    /// The text grew beyond the bound, and what is kept is no longer the whole of it.
    cut: bool,
    /// What was told already: chunks may repeat it.
    told: Vec<Citation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Grounding {
    grounding_chunks: Option<Vec<Chunk>>,
    grounding_supports: Option<Vec<Support>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk {
    web: Option<Page>,
    retrieved_context: Option<Page>,
    maps: Option<Page>,
}

#[derive(Deserialize)]
struct Page {
    uri: Option<String>,
    title: Option<String>,
    text: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Support {
    segment: Option<Segment>,
    grounding_chunk_indices: Option<Vec<usize>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Segment {
    start_index: Option<usize>,
    end_index: Option<usize>,
    text: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Citations {
    /// The Gemini API's word; Vertex AI says `citations`.
    citation_sources: Option<Vec<CitationSource>>,
    citations: Option<Vec<CitationSource>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CitationSource {
    start_index: Option<usize>,
    end_index: Option<usize>,
    uri: Option<String>,
    title: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UrlContext {
    url_metadata: Option<Vec<UrlRead>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UrlRead {
    retrieved_url: Option<String>,
    url_retrieval_status: Option<String>,
}

impl Sources {
    pub(super) fn saw(&mut self, text: &str) {
        if self.cut || self.text.len() + text.len() > MAX_TEXT_BYTES {
            self.cut = true;
        } else {
            self.text.push_str(text);
        }
    }

    /// Reads `groundingMetadata`, `citationMetadata` and `urlContextMetadata`, in this order.
    pub(super) fn read(
        &mut self,
        choice: u32,
        [grounding, citations, urls]: [Option<&RawValue>; 3],
        out: &mut Vec<ChatEvent>,
    ) {
        if let Some(grounding) = read::<Grounding>(grounding) {
            self.grounding(choice, grounding, out);
        }
        if let Some(citations) = read::<Citations>(citations) {
            for source in citations.citation_sources.or(citations.citations).unwrap_or_default() {
                let span = self.span(source.start_index, source.end_index, None);
                if let Some(uri) = source.uri {
                    self.tell(choice, citation(uri, source.title, None, span), out);
                }
            }
        }
        if let Some(urls) = read::<UrlContext>(urls) {
            for page in urls.url_metadata.unwrap_or_default() {
                let was_read = page
                    .url_retrieval_status
                    .as_deref()
                    .is_none_or(|word| word == "URL_RETRIEVAL_STATUS_SUCCESS");
                if let Some(uri) = page.retrieved_url.filter(|_| was_read) {
                    self.tell(choice, citation(uri, None, None, None), out);
                }
            }
        }
    }

    fn grounding(&mut self, choice: u32, grounding: Grounding, out: &mut Vec<ChatEvent>) {
        let chunks = grounding.grounding_chunks.unwrap_or_default();
        let supports = grounding.grounding_supports.unwrap_or_default();
        let pages: Vec<_> =
            chunks.into_iter().map(|chunk| chunk.web.or(chunk.retrieved_context).or(chunk.maps)).collect();
        let mut supported = vec![false; pages.len()];
        for support in supports {
            let span = support
                .segment
                .and_then(|segment| self.span(segment.start_index, segment.end_index, segment.text));
            for index in support.grounding_chunk_indices.unwrap_or_default() {
                if let Some(Some(page)) = pages.get(index) {
                    supported.get_mut(index).into_iter().for_each(|seen| *seen = true);
                    self.tell_page(choice, page, span, out);
                }
            }
        }
        for (page, _) in pages.iter().zip(supported).filter(|(_, seen)| !seen) {
            if let Some(page) = page {
                self.tell_page(choice, page, None, out);
            }
        }
    }

    fn tell_page(&mut self, choice: u32, page: &Page, span: Option<(u64, u64)>, out: &mut Vec<ChatEvent>) {
        if let Some(uri) = &page.uri {
            self.tell(choice, citation(uri.clone(), page.title.clone(), page.text.clone(), span), out);
        }
    }

    fn tell(&mut self, choice: u32, citation: Citation, out: &mut Vec<ChatEvent>) {
        if self.told.len() < MAX_CITATIONS && !self.told.contains(&citation) {
            self.told.push(citation.clone());
            out.push(ChatEvent::Citation { choice, citation });
        }
    }

    /// Bytes from and to as characters. The segment's own words, where given, decide whether the numbers are of this
    /// text: some answers count from the beginning of their part.
    fn span(&self, from: Option<usize>, to: Option<usize>, words: Option<String>) -> Option<(u64, u64)> {
        let counted = to.and_then(|to| Some((from.unwrap_or(0), to, self.text.get(from.unwrap_or(0)..to)?)));
        let (from, to) = match (counted, &words) {
            (Some((from, to, found)), Some(words)) if found == words => (from, to),
            (_, Some(words)) if !words.is_empty() => {
                let from = self.text.find(words.as_str())?;
                (from, from + words.len())
            }
            (Some((from, to, _)), _) => (from, to),
            (None, _) => return None,
        };
        let before = u64::try_from(self.text.get(..from)?.chars().count()).ok()?;
        let inside = u64::try_from(self.text.get(from..to)?.chars().count()).ok()?;
        (inside > 0).then_some((before, before + inside))
    }
}

fn citation(
    uri: String,
    title: Option<String>,
    cited_text: Option<String>,
    span: Option<(u64, u64)>,
) -> Citation {
    Citation { place: CitedPlace::Url(uri), title, cited_text, span }
}

/// What cannot be read counts as not said.
fn read<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
}

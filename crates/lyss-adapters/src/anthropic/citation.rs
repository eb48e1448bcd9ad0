//! Citations, as in the pages "Citations", "Search results" and "Web search tool".

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::conversation::{Citation, CitedPlace};

#[derive(Deserialize)]
struct ReadCitation {
    r#type: Option<String>,
    cited_text: Option<String>,
    title: Option<String>,
    document_title: Option<String>,
    document_index: Option<u64>,
    url: Option<String>,
    source: Option<String>,
    start_char_index: Option<u64>,
    end_char_index: Option<u64>,
    start_page_number: Option<u64>,
    end_page_number: Option<u64>,
    start_block_index: Option<u64>,
    end_block_index: Option<u64>,
}

/// `None`: unreadable, or of a kind that is not known.
pub(super) fn read(raw: &RawValue) -> Option<Citation> {
    let read: ReadCitation = serde_json::from_str(raw.get()).ok()?;
    let document = |unit, from: Option<u64>, to: Option<u64>| {
        Some(CitedPlace::Document { index: read.document_index?, unit, from: from?, to: to? })
    };
    let place = match read.r#type.as_deref()? {
        "char_location" => document("char", read.start_char_index, read.end_char_index)?,
        "page_location" => document("page", read.start_page_number, read.end_page_number)?,
        "content_block_location" => document("block", read.start_block_index, read.end_block_index)?,
        "web_search_result_location" => CitedPlace::Url(read.url?),
        "search_result_location" => CitedPlace::Url(read.source?),
        _ => return None,
    };
    Some(Citation {
        place,
        title: read.title.or(read.document_title),
        cited_text: read.cited_text,
        span: None,
    })
}

pub(super) fn read_list(raw: &RawValue) -> Vec<Citation> {
    let list: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
    list.into_iter().filter_map(read).collect()
}

/// A citation as a caller reads it.
#[derive(Serialize)]
#[serde(tag = "type")]
pub(super) enum Written<'a> {
    #[serde(rename = "char_location")]
    Chars {
        cited_text: &'a str,
        document_index: u64,
        document_title: Option<&'a str>,
        start_char_index: u64,
        end_char_index: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_id: Option<&'a str>,
    },
    #[serde(rename = "page_location")]
    Pages {
        cited_text: &'a str,
        document_index: u64,
        document_title: Option<&'a str>,
        start_page_number: u64,
        end_page_number: u64,
    },
    #[serde(rename = "content_block_location")]
    Blocks {
        cited_text: &'a str,
        document_index: u64,
        document_title: Option<&'a str>,
        start_block_index: u64,
        end_block_index: u64,
    },
    /// The index is the vendor's own secret; of another vendor's search there is none.
    #[serde(rename = "web_search_result_location")]
    Web { cited_text: &'a str, encrypted_index: &'static str, title: Option<&'a str>, url: &'a str },
}

impl<'a> Written<'a> {
    pub(super) fn of(citation: &'a Citation) -> Self {
        let cited_text = citation.cited_text.as_deref().unwrap_or_default();
        let title = citation.title.as_deref();
        match &citation.place {
            CitedPlace::Url(url) => Self::Web { cited_text, encrypted_index: "", title, url },
            CitedPlace::Document { index, unit: "page", from, to } => Self::Pages {
                cited_text,
                document_index: *index,
                document_title: title,
                start_page_number: *from,
                end_page_number: *to,
            },
            CitedPlace::Document { index, unit: "block", from, to } => Self::Blocks {
                cited_text,
                document_index: *index,
                document_title: title,
                start_block_index: *from,
                end_block_index: *to,
            },
            CitedPlace::Document { index, from, to, .. } => Self::Chars {
                cited_text,
                document_index: *index,
                document_title: title,
                start_char_index: *from,
                end_char_index: *to,
                file_id: None,
            },
            CitedPlace::File { id, name, index } => Self::Chars {
                cited_text,
                document_index: index.unwrap_or(0),
                document_title: title.or(name.as_deref()),
                start_char_index: 0,
                end_char_index: 0,
                file_id: Some(id),
            },
        }
    }
}

//! What turns and answers are made of.

use super::Seal;

#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Text(String),
    Media(Media),
    ToolCall {
        id: String,
        name: String,
        /// JSON text as the model wrote it, maybe empty or broken; the free text of a custom tool.
        arguments: String,
        /// The tool takes free text: [`ToolKind::Custom`](super::ToolKind::Custom).
        custom: bool,
    },
    ToolResult {
        /// The id of the call it answers.
        id: String,
        /// The tool's name, where the dialect says it; else it follows from the call with this id.
        name: Option<String>,
        /// Texts and media.
        parts: Vec<Part>,
        is_error: bool,
    },
    /// The model declined, in words.
    Refusal(String),
    Reasoning(Reasoning),
    /// Backs the text before it.
    Citation(Citation),
    /// The prompt up to here is to be cached.
    CachePoint(CacheLifetime),
}

/// Reasoning as it may be read, and the vendor's seal by which it may come back. One of the two may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasoning {
    pub text: String,
    pub seal: Option<Seal>,
}

/// An image, a document, a sound or a film.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    pub kind: MediaKind,
    pub source: Source,
    /// Such as `image/png`; `None`: not said.
    pub mime: Option<String>,
    /// The file's name or the document's title.
    pub name: Option<String>,
    /// How closely to look, in OpenAI's words: `low`, `high`, `auto`.
    pub detail: Option<String>,
    /// Anthropic: the answer is to cite this document.
    pub citable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediaKind {
    Image,
    Audio,
    Video,
    /// PDF and other documents.
    File,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Base64, standard alphabet.
    Data(String),
    /// Whatever the vendor can fetch: `https`, `gs`, a file of its own.
    Url(String),
    /// An id of a file kept at the vendor: of no use to another one.
    FileId(String),
    /// A document of plain text.
    Text(String),
}

/// What a text rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citation {
    pub place: CitedPlace,
    pub title: Option<String>,
    /// The words of the source.
    pub cited_text: Option<String>,
    /// Where in the answer's text, in characters: from, behind the last. `None`: the whole text before it.
    pub span: Option<(u64, u64)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CitedPlace {
    Url(String),
    /// A document of the request, counted from 0, and where in it: unit (`char`, `page`, `block`), from, behind the last.
    Document {
        index: u64,
        unit: &'static str,
        from: u64,
        to: u64,
    },
    /// A file kept at the vendor.
    File {
        id: String,
        name: Option<String>,
        index: Option<u64>,
    },
}

/// How long a cached prompt lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheLifetime {
    /// Five minutes at Anthropic.
    #[default]
    Short,
    /// One hour at Anthropic.
    Long,
}

impl Media {
    pub fn new(kind: MediaKind, source: Source, mime: Option<String>) -> Self {
        Self { kind, source, mime, name: None, detail: None, citable: false }
    }

    /// Reads a `data:` URL with base64 in it; anything else stays a URL.
    pub fn from_url(kind: MediaKind, url: &str) -> Self {
        let data = url.strip_prefix("data:").and_then(|rest| rest.split_once(','));
        match data.and_then(|(head, data)| Some((head.strip_suffix(";base64")?, data))) {
            Some((mime, data)) => {
                // Parameters such as a charset say nothing to a vendor.
                let mime = mime.split(';').next().filter(|mime| !mime.is_empty()).map(str::to_owned);
                Self::new(kind, Source::Data(data.to_owned()), mime)
            }
            None => Self::new(kind, Source::Url(url.to_owned()), None),
        }
    }

    /// The URL of it, made of the data where it has no other; `None` for a vendor's file and for plain text.
    pub fn to_url(&self) -> Option<String> {
        match &self.source {
            Source::Url(url) => Some(url.clone()),
            Source::Data(data) => Some(format!("data:{};base64,{data}", self.mime_or_usual())),
            Source::FileId(_) | Source::Text(_) => None,
        }
    }

    /// The type said, guessed from the name or the URL, or the usual one of its kind.
    pub fn mime_or_usual(&self) -> &str {
        if let Some(mime) = &self.mime {
            return mime;
        }
        let from_source = match &self.source {
            Source::Url(url) => mime_of_name(url.split(['?', '#']).next().unwrap_or_default()),
            Source::Text(_) => Some("text/plain"),
            Source::Data(_) | Source::FileId(_) => None,
        };
        let from_name = || self.name.as_deref().and_then(mime_of_name);
        from_source.or_else(from_name).unwrap_or(match self.kind {
            MediaKind::Image => "image/png",
            MediaKind::Audio => "audio/wav",
            MediaKind::Video => "video/mp4",
            MediaKind::File => "application/pdf",
        })
    }
}

impl MediaKind {
    /// What a MIME type is for a model.
    pub fn of_mime(mime: &str) -> Self {
        match mime.split('/').next().unwrap_or_default() {
            "image" => Self::Image,
            "audio" => Self::Audio,
            "video" => Self::Video,
            _ => Self::File,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::File => "file",
        }
    }
}

/// By the ending of a file's name.
fn mime_of_name(name: &str) -> Option<&'static str> {
    const ENDINGS: [(&str, &str); 20] = [
        ("png", "image/png"),
        ("jpg", "image/jpeg"),
        ("jpeg", "image/jpeg"),
        ("gif", "image/gif"),
        ("webp", "image/webp"),
        ("heic", "image/heic"),
        ("pdf", "application/pdf"),
        ("txt", "text/plain"),
        ("md", "text/markdown"),
        ("csv", "text/csv"),
        ("html", "text/html"),
        ("json", "application/json"),
        ("wav", "audio/wav"),
        ("mp3", "audio/mp3"),
        ("flac", "audio/flac"),
        ("ogg", "audio/ogg"),
        ("mp4", "video/mp4"),
        ("mov", "video/mov"),
        ("webm", "video/webm"),
        ("mpeg", "video/mpeg"),
    ];
    let (_, ending) = name.rsplit_once('.')?;
    ENDINGS.iter().find(|(known, _)| ending.eq_ignore_ascii_case(known)).map(|(_, mime)| *mime)
}

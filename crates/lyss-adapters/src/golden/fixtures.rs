//! The recordings under `tests/fixtures`, and whom the matrix is drawn for.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use lyss_adapters::{
    Ask, ChatEvent, Dialect, Fault, Framing, PathWords, Quirks, Rendering, ScanError, scan_at,
};
use lyss_domain::{ProviderKind, Timestamp};
use lyss_wire::{SseFrame, SseFramer};
use serde_json::Value;

pub(crate) const EVENT_BYTES: usize = 1 << 20;

/// The folder of each dialect, in the order in which everything is printed.
pub(crate) const FOLDERS: [(&str, Dialect); 4] = [
    ("openai", Dialect::OpenAiChat),
    ("responses", Dialect::OpenAiResponses),
    ("anthropic", Dialect::AnthropicMessages),
    ("google", Dialect::GoogleGenerate),
];

/// One recorded conversation, or a part of one: a file that is not there is not asked for.
pub(crate) struct Case {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
    pub(crate) dialect: Dialect,
}

impl Case {
    pub(crate) fn file(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.path.join(name)).ok()
    }

    pub(crate) fn json(&self, name: &str) -> Option<Value> {
        self.file(name).map(|text| {
            serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{}: {e}", self.path.display()))
        })
    }

    pub(crate) fn request(&self) -> Option<Vec<u8>> {
        self.file("request.json")
    }

    pub(crate) fn reply(&self) -> Option<Vec<u8>> {
        self.file("reply.json")
    }

    pub(crate) fn stream(&self) -> Option<Vec<u8>> {
        self.file("stream.sse")
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

/// All cases, by dialect and then by name.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (folder, dialect) in FOLDERS {
        let mut of_dialect: Vec<_> = fs::read_dir(root().join(folder))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .map(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                Case { path, name, dialect }
            })
            .collect();
        of_dialect.sort_by(|one, other| one.name.cmp(&other.name));
        cases.append(&mut of_dialect);
    }
    cases
}

/// Whoever serves, as the preset rows have them.
pub(crate) struct VendorKind {
    pub(crate) name: &'static str,
    pub(crate) dialect: Dialect,
    pub(crate) quirks: &'static Quirks,
    pub(crate) model: &'static str,
}

/// The columns of the matrix.
pub(crate) fn vendor_kinds() -> Vec<VendorKind> {
    let of = |name, dialect, kind, model| VendorKind { name, dialect, quirks: quirks_of(kind), model };
    vec![
        of("OpenAI", Dialect::OpenAiChat, ProviderKind::OpenAi, "gpt-5"),
        of("OpenAI via responses", Dialect::OpenAiResponses, ProviderKind::OpenAi, "gpt-5"),
        of("Azure OpenAI", Dialect::OpenAiChat, ProviderKind::AzureOpenAi, "gpt-5"),
        of("DeepSeek", Dialect::OpenAiChat, ProviderKind::DeepSeek, "deepseek-chat"),
        of("Anthropic", Dialect::AnthropicMessages, ProviderKind::Anthropic, "claude-sonnet-4-5"),
        of("Google", Dialect::GoogleGenerate, ProviderKind::Google, "gemini-2.5-pro"),
    ]
}

fn quirks_of(kind: ProviderKind) -> &'static Quirks {
    &lyss_adapters::preset::preset_of(kind).quirks
}

/// Scans a request as its address would have it: Google's has the model and the wish for a stream in its path.
pub(crate) fn ask(dialect: Dialect, body: &[u8], stream: bool) -> Result<Ask, ScanError> {
    let path = match dialect {
        Dialect::GoogleGenerate => PathWords {
            model: Some("gemini-2.5-pro".to_owned()),
            stream: Some(stream),
            framing: Framing::Events,
            ..PathWords::default()
        },
        _ => PathWords::default(),
    };
    scan_at(dialect, Bytes::copy_from_slice(body), path)
}

/// How answers are rendered to the caller in all tests: everything that may be asked for is.
pub(crate) fn rendering() -> Rendering {
    Rendering {
        include_usage: true,
        model: "as-asked".to_owned(),
        request: Bytes::from_static(b"{\"model\":\"as-asked\"}"),
        ..Rendering::at(Timestamp::from_millis(1_700_000_000_000))
    }
}

/// The frames of a stream that comes in these pieces.
pub(crate) fn frames<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<SseFrame> {
    let mut framer = SseFramer::new(EVENT_BYTES);
    let mut frames = Vec::new();
    for piece in pieces {
        framer.feed(piece, &mut frames).unwrap();
    }
    framer.finish(&mut frames).unwrap();
    frames
}

/// What a vendor's stream says; `Err` behind the events where it could not be read on.
pub(crate) fn decode<'a>(
    dialect: Dialect,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<ChatEvent>, Result<(), Fault>) {
    let mut decoder = dialect.vendor().unwrap().decoder();
    let mut events = Vec::new();
    for frame in frames(pieces) {
        if let Err(fault) = decoder.feed(&frame, &mut events) {
            return (events, Err(fault));
        }
    }
    let result = decoder.finish(&mut events);
    (events, result)
}

/// The same events as a caller of this dialect reads them.
pub(crate) fn render(dialect: Dialect, events: &[ChatEvent], rendering: &Rendering) -> Vec<u8> {
    let mut renderer = dialect.caller().unwrap().renderer(rendering);
    let mut out = BytesMut::new();
    for event in events {
        renderer.event(event, &mut out);
    }
    out.to_vec()
}

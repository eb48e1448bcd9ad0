//! Speech and transcriptions.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::multipart::Form;
use super::{invalid, missing, tokens_of};
use crate::reading::text;
use crate::refusal::Refusal;
use crate::server::Spoken;
use crate::stream::Script;
use crate::template::quoted;
use crate::text::{reseed, seed};

/// Bytes of sound for each letter, sent in pieces of this size.
const BYTES_A_LETTER: usize = 64;
const PIECE_BYTES: usize = 1024;
const MAX_LETTERS: usize = 4096;
const FORMATS: [(&str, &str); 6] = [
    ("mp3", "audio/mpeg"),
    ("opus", "audio/opus"),
    ("aac", "audio/aac"),
    ("flac", "audio/flac"),
    ("wav", "audio/wav"),
    ("pcm", "audio/pcm"),
];
const SECONDS_A_FILE: u64 = 3;

/// Sound that nobody can hear: bytes from a hash, in pieces. As events where `stream_format` is `sse`.
pub(super) fn speak(body: &Value, model: &str) -> Result<Spoken, Refusal> {
    let (said, voice) = (text(body, "input"), body.get("voice"));
    if said.is_empty() {
        return Err(missing("input"));
    }
    if voice.is_none_or(|voice| !voice.is_string() && !voice.is_object()) {
        return Err(missing("voice"));
    }
    if said.chars().count() > MAX_LETTERS {
        return Err(invalid("input", "longer than 4096 letters"));
    }
    let format = match text(body, "response_format") {
        "" => "mp3",
        format => format,
    };
    let Some((_, content_type)) = FORMATS.iter().find(|(name, _)| *name == format) else {
        return Err(invalid("response_format", "there is no such format"));
    };
    let start = seed(model, said);
    let bytes: Vec<u8> = (0..said.len() * BYTES_A_LETTER)
        .map(|index| reseed(start, index).to_be_bytes().first().copied().unwrap_or(0))
        .collect();
    let tokens = tokens_of(said);
    let mut script = Script::default();
    if text(body, "stream_format") == "sse" {
        for piece in bytes.chunks(PIECE_BYTES) {
            let audio = STANDARD.encode(piece);
            script.event(1, |out| {
                let event = format!("data: {{\"type\":\"speech.audio.delta\",\"audio\":\"{audio}\"}}\n\n");
                out.extend_from_slice(event.as_bytes());
            });
        }
        let output = script.events();
        let total = output as u64 + tokens;
        script.event(0, |out| {
            let event = format!(
                "data: {{\"type\":\"speech.audio.done\",\"usage\":{{\"input_tokens\":{tokens},\"output_tokens\":{output},\"total_tokens\":{total}}}}}\n\n"
            );
            out.extend_from_slice(event.as_bytes());
        });
        return Ok(Spoken::streamed(script, tokens));
    }
    for piece in bytes.chunks(PIECE_BYTES) {
        script.event(1, |out| out.extend_from_slice(piece));
    }
    Ok(Spoken { content_type, ..Spoken::streamed(script, tokens) })
}

/// The file is not listened to, but what arrived of it is told.
pub(super) fn transcribe(form: &Form<'_>, model: &str) -> Result<Spoken, Refusal> {
    let Some(file) = form.files("file").next() else { return Err(missing("file")) };
    let said =
        format!("A recording of {} bytes, named {}.", file.data.len(), file.file_name.unwrap_or_default());
    let words = said.split(' ').count();
    let usage = match model.starts_with("whisper") {
        true => format!(r#"{{"type":"duration","seconds":{SECONDS_A_FILE}}}"#),
        false => format!(
            r#"{{"type":"tokens","input_tokens":{0},"input_token_details":{{"text_tokens":0,"audio_tokens":{0}}},"output_tokens":{words},"total_tokens":{1}}}"#,
            SECONDS_A_FILE * 10,
            SECONDS_A_FILE * 10 + words as u64
        ),
    };
    let plain = |body: String| {
        let spoken = Spoken::whole(body.into_bytes(), words, SECONDS_A_FILE * 10);
        Ok(Spoken { content_type: "text/plain; charset=utf-8", ..spoken })
    };
    match form.text("response_format") {
        "text" => return plain(format!("{said}\n")),
        "srt" => return plain(format!("1\n00:00:00,000 --> 00:00:03,000\n{said}\n\n")),
        "vtt" => return plain(format!("WEBVTT\n\n00:00:00.000 --> 00:00:03.000\n{said}\n\n")),
        "" | "json" | "verbose_json" => {}
        _ => return Err(invalid("response_format", "there is no such format")),
    }
    if form.text("stream") == "true" {
        let mut script = Script::default();
        for (index, word) in said.split(' ').enumerate() {
            let delta = quoted(&if index == 0 { word.to_owned() } else { format!(" {word}") });
            script.event(1, |out| {
                let event = format!("data: {{\"type\":\"transcript.text.delta\",\"delta\":{delta}}}\n\n");
                out.extend_from_slice(event.as_bytes());
            });
        }
        script.event(0, |out| {
            let text = quoted(&said);
            let event =
                format!("data: {{\"type\":\"transcript.text.done\",\"text\":{text},\"usage\":{usage}}}\n\n");
            out.extend_from_slice(event.as_bytes());
        });
        return Ok(Spoken::streamed(script, SECONDS_A_FILE * 10));
    }
    let more = match form.text("response_format") {
        "verbose_json" => format!(
            r#","task":"transcribe","language":"english","duration":{SECONDS_A_FILE}.0,"segments":[]"#
        ),
        _ => String::new(),
    };
    let body = format!(r#"{{"text":{}{more},"usage":{usage}}}"#, quoted(&said));
    Ok(Spoken::whole(body.into_bytes(), words, SECONDS_A_FILE * 10))
}

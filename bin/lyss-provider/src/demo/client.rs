//! One streamed chat over the service's own HTTP port, as an application would send it.

use std::future::poll_fn;
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method};
use lyss_upstream::{AllowedNetwork, EgressPolicy, Upstream, UpstreamSettings};
use lyss_wire::{ByteStream, EncodedRequest, SseFrame, SseFramer, Timers, Transport};
use serde::Deserialize;
use serde_json::json;

use super::stage::StagedChannel;

/// An application of the service.
pub(crate) struct Client {
    upstream: Upstream,
    address: SocketAddr,
    key: String,
}

/// An answer that ended well.
pub(crate) struct Heard {
    /// `x-request-id`: finds the usage record.
    pub(crate) call: String,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    error: Option<ErrorObject>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Delta {
    content: Option<String>,
    reasoning_content: Option<String>,
}

#[derive(Deserialize)]
struct ErrorObject {
    message: String,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, key: String) -> Result<Self> {
        let egress = EgressPolicy { allow: vec![AllowedNetwork::exactly(address)] };
        let upstream = Upstream::new(&UpstreamSettings { egress, ..UpstreamSettings::default() })?;
        Ok(Self { upstream, address, key })
    }

    /// Asks one channel by header and prints the text as it arrives.
    pub(crate) async fn chat(&self, channel: &StagedChannel, prompt: &str) -> Result<Heard> {
        let minute = Duration::from_secs(60);
        let timers = Timers { connect: minute, first_byte: minute, idle: minute, total: minute };
        let (head, mut body) = self.upstream.send(self.request(channel, prompt)?, timers).await?;
        let call = header(&head.headers, "x-request-id").unwrap_or_default();
        if !head.status.is_success() {
            let text = whole(&mut body).await?;
            let reason = serde_json::from_slice::<Chunk>(&text).ok().and_then(|chunk| chunk.error);
            bail!("{}: {}", head.status, reason.map_or_else(String::new, |error| error.message));
        }
        let mut framer = SseFramer::new(1 << 20);
        let mut frames = Vec::new();
        let mut ended = false;
        while let Some(bytes) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
            framer.feed(&bytes?, &mut frames)?;
            for frame in frames.drain(..) {
                ended |= print(&frame)?;
            }
        }
        if !ended {
            bail!("the stream ended without its end marker");
        }
        Ok(Heard { call })
    }

    fn request(&self, channel: &StagedChannel, prompt: &str) -> Result<EncodedRequest> {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", self.key))?;
        bearer.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, bearer);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("x-lyss-channel", HeaderValue::try_from(channel.id.to_string())?);
        let body = json!({
            "model": channel.model,
            "stream": true,
            "messages": [{ "role": "user", "content": prompt }],
        });
        let uri = format!("http://{}/v1/chat/completions", self.address).parse()?;
        let body = bytes::Bytes::from(serde_json::to_vec(&body)?);
        Ok(EncodedRequest::new(Method::POST, uri, headers, body.into()))
    }
}

/// Prints an event's text at once; true for the end marker.
fn print(frame: &SseFrame) -> Result<bool> {
    if frame.data == b"[DONE]" {
        return Ok(true);
    }
    let chunk: Chunk = serde_json::from_slice(&frame.data).context("an event is not a chat chunk")?;
    if let Some(error) = chunk.error {
        bail!("{}", error.message);
    }
    let mut out = std::io::stdout();
    for choice in chunk.choices {
        let Delta { content, reasoning_content } = choice.delta;
        for text in [reasoning_content, content].into_iter().flatten() {
            out.write_all(text.as_bytes())?;
        }
        out.flush()?;
    }
    Ok(false)
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

async fn whole(body: &mut ByteStream) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    while let Some(bytes) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
        text.extend_from_slice(&bytes?);
    }
    Ok(text)
}

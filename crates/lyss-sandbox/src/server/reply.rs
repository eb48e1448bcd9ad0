//! An answer before it leaves, and what the knobs do to it.

use std::time::Duration;

use http::{HeaderMap, Response, StatusCode};

use super::{EVENT_STREAM, Spoken};
use crate::knobs::{Encoding, Framing, Knobs};
use crate::refusal::{Kind, Refusal};
use crate::stats::OpenAnswer;
use crate::stream::{Ending, PacedBody, Script};
use crate::vendor::Vendor;
use crate::{anthropic, google, openai, responses};

/// An answer ready to leave.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) script: Script,
    pub(super) ending: Ending,
    pub(super) streamed: bool,
    pub(super) array: bool,
    pub(super) names_events: bool,
    pub(super) encoding: Option<Encoding>,
    /// Of the whole body, if it is announced; a cut changes what is sent, not what was announced.
    pub(super) length: Option<usize>,
    pub(super) prompt_tokens: u64,
}

const GARBAGE: &str =
    "<html>\n<head><title>Welcome</title></head>\n<body><h1>It works!</h1></body>\n</html>\n";

impl Reply {
    pub(super) fn json(body: Vec<u8>) -> Self {
        Self::spoken(Spoken::whole(body, 0, 0))
    }

    pub(super) fn spoken(spoken: Spoken) -> Self {
        Self {
            status: 200,
            content_type: spoken.content_type,
            script: spoken.script,
            ending: Ending::Complete,
            streamed: spoken.streamed,
            array: spoken.array,
            names_events: spoken.names_events,
            encoding: None,
            length: None,
            prompt_tokens: spoken.prompt_tokens,
        }
    }

    pub(super) fn refusal(vendor: Vendor, refusal: &Refusal, request_id: &str, array: bool) -> Self {
        let mut body = refusal.body(vendor, request_id);
        if array {
            body = [b"[", body.as_slice(), b"]\n"].concat();
        }
        Self { status: refusal.status(vendor), ending: Ending::Fault, ..Self::json(body) }
    }

    /// Of prompt and answer, as a vendor's window counts them.
    pub(super) fn tokens(&self) -> u64 {
        self.prompt_tokens + self.script.tokens() as u64
    }

    /// What the knobs do to the body.
    pub(super) fn apply(&mut self, knobs: &Knobs, vendor: Vendor, request_id: &str) {
        if self.status == 200 && (knobs.garbage || knobs.empty) {
            (self.script, self.content_type) = match knobs.garbage {
                true => (Script::whole(GARBAGE.into(), 0), "text/html"),
                false => (Script::default(), EVENT_STREAM),
            };
            self.streamed = !knobs.garbage;
            self.ending = Ending::Fault;
            self.prompt_tokens = 0;
        }
        if knobs.error_event == Some(0) && !self.streamed && self.status == 200 {
            // A whole answer that is an error after all, as routers in front of vendors send it.
            self.script = Script::whole(Refusal::wished(Kind::Server).body(vendor, request_id), 0);
            self.ending = Ending::Fault;
            self.prompt_tokens = 0;
        }
        if let Some(count) = knobs.error_event.filter(|&count| self.streamed && count < self.script.events())
        {
            self.script.keep_events(count);
            self.script.event(0, |out| match vendor {
                Vendor::Anthropic => anthropic::error_event(request_id, out),
                Vendor::Google => google::error_event(self.array, count, out),
                _ if self.names_events => responses::error_event(count, out),
                _ => openai::error_event(vendor, out),
            });
            self.ending = Ending::Fault;
        }
        self.shape(knobs);
        self.length = (!self.streamed).then(|| self.script.len());
        if let Some(count) = knobs.cut_events.filter(|&count| count <= self.script.events()) {
            self.script.keep_events(count);
            self.ending = Ending::Cut;
        }
        if let Some(count) = knobs.cut_bytes.filter(|&count| count <= self.script.len()) {
            self.script.keep_bytes(count);
            self.ending = Ending::Cut;
        }
        if let Some(count) = knobs.stall_events.filter(|&count| count <= self.script.events()) {
            self.script.keep_events(count);
            self.ending = Ending::Stall;
        }
    }

    /// How the bytes are written: lines, compression, and how many leave at once.
    fn shape(&mut self, knobs: &Knobs) {
        if self.streamed && !self.array && knobs.framing != Framing::Own {
            self.script.reframe(knobs.framing);
        }
        if let Some(encoding) = knobs.encoding {
            self.script.compress(encoding);
            self.encoding = Some(encoding);
        }
        if let Some(bytes) = knobs.split {
            self.script.split(bytes);
        }
        if knobs.keepalive && self.streamed && !self.array && self.encoding.is_none() {
            self.script.keep_alive(knobs.first_ms);
        }
    }

    pub(super) fn into_response(
        self,
        headers: HeaderMap,
        gap: Duration,
        open: OpenAnswer,
    ) -> Response<PacedBody> {
        let body = PacedBody::new(self.script, self.ending, self.length, gap, open);
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        *response.headers_mut() = headers;
        response
    }
}

//! The question that costs nothing, and how any answer is read.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use lyss_adapters::{Fault, ProbeClass, probe_request, read_probe};
use lyss_domain::FaultKind;
use lyss_wire::{EncodedRequest, ResponseHead, Timers};

use super::{Prober, Seen, Verdict};
use crate::routes::Route;

/// Bytes of an answer that are read.
const MAX_BODY_LEN: usize = 4 << 20;

/// Whoever is slower than this does not serve callers well either.
const TIMERS: Timers = Timers {
    connect: Duration::from_secs(5),
    first_byte: Duration::from_secs(20),
    idle: Duration::from_secs(10),
    total: Duration::from_secs(30),
};

impl Prober {
    /// Asks for the vendor's list of models.
    pub(super) async fn ask_free(&self, route: &Route) -> Option<Seen> {
        let secret = route.open_credential(&self.vault).ok()?;
        let request = probe_request(route.target(), secret.as_ref()).ok()?;
        drop(secret);
        let begun = self.clock.tick();
        let verdict = match self.send(request).await {
            Err(fault) => Verdict::Failed(fault),
            Ok((head, body)) => match read_probe(route.kind, head.status, &head.headers, &body) {
                Ok(_) => Verdict::Well,
                Err(class) => verdict_of(class),
            },
        };
        Some(Seen { model: None, verdict, latency: self.clock.tick().since(begun) })
    }

    pub(super) async fn send(&self, request: EncodedRequest) -> Result<(ResponseHead, Bytes), FaultKind> {
        let lost = |class| Fault::from(class).kind;
        let sent = self.transport.send(request, TIMERS).await;
        let (head, mut body) = sent.map_err(|error| lost(error.class))?;
        let mut whole = BytesMut::new();
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|error| lost(error.class))?;
            if whole.len() + piece.len() > MAX_BODY_LEN {
                return Err(FaultKind::Protocol);
            }
            whole.extend_from_slice(&piece);
        }
        Ok((head, whole.freeze()))
    }
}

fn verdict_of(class: ProbeClass) -> Verdict {
    match class {
        ProbeClass::Auth => Verdict::Failed(FaultKind::CredentialRefused),
        ProbeClass::Quota => Verdict::Failed(FaultKind::VendorQuota),
        ProbeClass::RateLimited => Verdict::Failed(FaultKind::VendorRateLimited),
        ProbeClass::Server => Verdict::Failed(FaultKind::VendorError),
        ProbeClass::Network => Verdict::Failed(FaultKind::Network),
        ProbeClass::Timeout => Verdict::Failed(FaultKind::FirstByteTimeout),
        ProbeClass::Tls => Verdict::Failed(FaultKind::Tls),
        // The vendor was reached and has no such list.
        ProbeClass::NotFound | ProbeClass::Protocol => Verdict::Nothing,
    }
}

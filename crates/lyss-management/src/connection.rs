//! Test connection: one cheap call to a vendor, told in words from a closed list. A key from the body goes to the address
//! in the body, or to the provider's; a stored key goes to the address it is bound to, and nowhere else.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use lyss_adapters::preset::{self, ResolveError};
use lyss_adapters::target::{Target, TargetError, can_carry};
use lyss_adapters::{ProbeClass, probe_request, read_probe};
use lyss_domain::{AuthScheme, ChannelId, ProviderKind, ProviderSlug, Secret, TenantScope};
use lyss_quota::{RateAsk, RateStore, RateSubject, RateUnit, RateVerdict};
use lyss_wire::{ByteStream, EncodedRequest, Timers, Transport, TransportError};
use serde_json::json;

use crate::change::Done;
use crate::channels::place;
use crate::error::{Fields, Noun};
use crate::{Acting, Management, ManagementError};

/// Whoever may test could try out stolen keys: never many at a time.
const TESTS_PER_MINUTE: u32 = 5;
const TIMERS: Timers = Timers {
    connect: Duration::from_secs(5),
    first_byte: Duration::from_secs(10),
    idle: Duration::from_secs(5),
    total: Duration::from_secs(15),
};
const MAX_BODY_LEN: usize = 4 << 20;

/// What a provider is tested with.
pub struct TestDraft {
    /// `credentials.api_key`; `None` only where the provider takes none.
    pub api_key: Option<Secret>,
    /// Azure's `credentials.api_version`.
    pub api_version: Option<String>,
    /// Another address than the provider's, together with `api_key` alone.
    pub api_base: Option<String>,
    /// A model that should be in the vendor's list.
    pub model: Option<String>,
}

/// What came of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// The vendor accepted the credential.
    pub ok: bool,
    pub latency_ms: u64,
    /// As the vendor lists them.
    pub models: Vec<String>,
    /// Set beside `ok` only where the model asked for is not in the list: lists leave out aliases and deployments, so
    /// that is a hint and no failure.
    pub error: Option<TestError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestError {
    pub class: ProbeClass,
    /// The vendor's HTTP status, where it answered.
    pub status: Option<u16>,
    /// From the closed list of [`ProbeClass::message`].
    pub message: &'static str,
}

impl Management {
    /// With a key from the body, which is used for this and forgotten.
    pub async fn test_provider(
        &self,
        acting: &Acting<'_>,
        transport: &dyn Transport,
        slug: &str,
        draft: TestDraft,
    ) -> Result<Tested, ManagementError> {
        self.take_test(&acting.scope).await?;
        let slug: ProviderSlug = slug.parse().map_err(|_| ManagementError::NotFound(Noun::Provider))?;
        let own = self.store.read().await?.providers().get(&acting.scope, &slug).await?;
        let resolved = preset::resolve(slug.as_str(), own.as_ref(), draft.api_base.as_deref());
        let mut resolved = match resolved {
            Ok(resolved) => resolved,
            Err(ResolveError::UnknownProvider) => return Err(ManagementError::NotFound(Noun::Provider)),
            Err(error) => return Err(ManagementError::invalid("api_base", error.to_string())),
        };
        if draft.api_base.is_some() {
            // Nothing that is stored goes to an address from the body.
            resolved.headers = &[];
        }
        let mut fields = Fields::default();
        let needs_key = resolved.auth != AuthScheme::None || draft.api_base.is_some();
        match &draft.api_key {
            Some(key) if key.is_empty() || !can_carry(key) => {
                fields.refuse("credentials.api_key", "must be text that a header can carry");
            }
            None if needs_key => fields.refuse("credentials.api_key", "is required"),
            _ => {}
        }
        let target = resolved.target(draft.api_version.as_deref());
        if let Err(error) = &target {
            fields.refuse("api_base", error.to_string());
        }
        fields.check()?;
        let target = target.map_err(unusable)?;
        let request = probe_request(&target, draft.api_key.as_ref()).map_err(unusable)?;
        let what = format!("provider:{slug}");
        self.note_test(acting, "provider.test", what, &target, "given").await?;
        Ok(self.probe(transport, target.kind(), request, draft.model.as_deref()).await)
    }

    /// With the channel's stored key, at the channel's own address.
    pub async fn test_channel(
        &self,
        acting: &Acting<'_>,
        transport: &dyn Transport,
        id: ChannelId,
    ) -> Result<Tested, ManagementError> {
        self.take_test(&acting.scope).await?;
        let scope = &acting.scope;
        let mut work = self.store.read().await?;
        let channel = work.channels().get(scope, id).await?;
        let channel = channel.ok_or(ManagementError::NotFound(Noun::Channel))?;
        let mut fields = Fields::default();
        let place = place(&mut fields, &mut *work, scope, &channel).await?;
        fields.check()?;
        let place = place.ok_or(ManagementError::NotFound(Noun::Provider))?;
        let secret = match work.credentials().get(scope, id).await? {
            _ if !place.takes_key => None,
            None => return Err(ManagementError::conflict("credentials", "this channel has none")),
            Some(sealed) if sealed.origin != place.target.origin() => {
                let reason = "must be given again: the channel's address has changed";
                return Err(ManagementError::conflict("credentials", reason));
            }
            Some(sealed) => Some(self.open_stored(&mut *work, scope, &channel, &sealed).await?),
        };
        drop(work);
        let request = probe_request(&place.target, secret.as_ref()).map_err(unusable)?;
        let what = format!("channel:{id}");
        self.note_test(acting, "channel.test", what, &place.target, "stored").await?;
        Ok(self.probe(transport, place.target.kind(), request, None).await)
    }

    async fn take_test(&self, scope: &TenantScope) -> Result<(), ManagementError> {
        let ask = RateAsk {
            subject: RateSubject::Tenant(scope.tenant()),
            unit: RateUnit::Requests,
            limit_per_minute: TESTS_PER_MINUTE,
            cost: 1,
        };
        match self.guards.tests.take(&[ask], self.clock.tick()).await {
            Ok(RateVerdict::Refused { retry_after, .. }) => Err(ManagementError::TooMany { retry_after }),
            // The store is in this process and never away.
            Ok(RateVerdict::Granted { .. }) | Err(_) => Ok(()),
        }
    }

    /// Written before the call: no test without its entry.
    async fn note_test(
        &self,
        acting: &Acting<'_>,
        action: &'static str,
        target: String,
        at: &Target,
        credentials: &str,
    ) -> Result<(), ManagementError> {
        let detail = json!({ "origin": at.origin(), "credentials": credentials }).to_string();
        self.note(acting, Done { action, target, detail }).await
    }

    async fn probe(
        &self,
        transport: &dyn Transport,
        kind: ProviderKind,
        request: EncodedRequest,
        model: Option<&str>,
    ) -> Tested {
        let begun = self.clock.tick();
        let answer = ask(transport, kind, request).await;
        let latency = self.clock.tick().since(begun);
        let latency_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
        match answer {
            Ok(models) => {
                // Azure lists base models, while its callers name deployments.
                let lists_callable = kind != ProviderKind::AzureOpenAi;
                let lacks = |model: &str| lists_callable && !models.iter().any(|listed| listed == model);
                let error =
                    model.filter(|model| lacks(model)).map(|_| TestError::new(ProbeClass::NotFound, None));
                Tested { ok: true, latency_ms, models, error }
            }
            Err(error) => Tested { ok: false, latency_ms, models: Vec::new(), error: Some(error) },
        }
    }
}

impl TestError {
    fn new(class: ProbeClass, status: Option<u16>) -> Self {
        Self { class, status, message: class.message() }
    }
}

async fn ask(
    transport: &dyn Transport,
    kind: ProviderKind,
    request: EncodedRequest,
) -> Result<Vec<String>, TestError> {
    let lost = |error: TransportError| TestError::new(error.class.into(), None);
    let (head, body) = transport.send(request, TIMERS).await.map_err(lost)?;
    let status = Some(head.status.as_u16());
    let body = match read(body).await {
        Ok(body) => body,
        Err(class) => return Err(TestError::new(class, status)),
    };
    read_probe(kind, head.status, &head.headers, &body).map_err(|class| TestError::new(class, status))
}

async fn read(mut body: ByteStream) -> Result<Bytes, ProbeClass> {
    let mut whole = BytesMut::new();
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| ProbeClass::from(error.class))?;
        if whole.len() + piece.len() > MAX_BODY_LEN {
            return Err(ProbeClass::Protocol);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

fn unusable(error: TargetError) -> ManagementError {
    let field = match error {
        TargetError::BadCredential => "credentials.api_key",
        _ => "api_base",
    };
    ManagementError::invalid(field, error.to_string())
}

#[cfg(test)]
mod tests;

//! What is sent to a channel: the caller's own bytes where both speak one dialect, else its conversation written anew.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use lyss_adapters::google::embed::{self, EmbeddingFormat, EncodedEmbeddings};
use lyss_adapters::responses::kept;
use lyss_adapters::splice::OutputLimit;
use lyss_adapters::{
    Ask, ChatCall, CountSide, Dialect, Encoded, Encoding, Endpoint, Errand, Fault, Framing, Splices,
    Unsayable, VendorSide,
};
use lyss_domain::{FaultKind, ProviderKind};
use lyss_wire::{EncodedRequest, RequestBody, RestOfBody};

use crate::attempt::caller_side;
use crate::call::Walk;
use crate::estimate;
use crate::routes::Route;

/// Headers beside the target's own.
pub type Headers = Vec<(HeaderName, HeaderValue)>;

/// A request in the vendor's dialect, and how its answer is to be read.
pub(crate) struct Prepared {
    endpoint: Endpoint,
    /// The dialect that is spoken with the vendor.
    pub(crate) dialect: Dialect,
    body: RequestBody,
    rest: Option<RestOfBody>,
    headers: Headers,
    pub(crate) reading: Reading,
}

pub(crate) enum Reading {
    /// Both sides speak the caller's dialect.
    Pass { hide_usage: bool },
    /// The vendor's answer becomes one of the caller's dialect.
    Convert(&'static dyn VendorSide),
    /// A count, in the dialect of this side.
    Count(&'static dyn CountSide),
    /// Google's embeddings become OpenAI's.
    Embed {
        format: EmbeddingFormat,
        /// Where the vendor counts none.
        estimated_tokens: u64,
    },
    /// Only usage is looked for.
    Unread,
}

/// The conversation, parsed once and only when some chosen channel speaks another dialect.
#[derive(Default)]
pub(crate) struct Conversation(Option<ChatCall>);

impl Conversation {
    /// `find` knows items of earlier answers that the caller may refer to.
    pub(crate) fn get_or_parse(
        &mut self,
        ask: &Ask,
        find: impl Fn(&str) -> Option<Bytes>,
    ) -> Result<&ChatCall, Fault> {
        if self.0.is_none() {
            let side = caller_side(ask.dialect)?;
            let is_responses = ask.dialect == Dialect::OpenAiResponses;
            self.0 = Some(match is_responses.then(|| kept::resolved(&ask.body, find)).flatten() {
                Some(body) => side.parse(&Ask { body, ..ask.clone() })?,
                None => side.parse(ask)?,
            });
        }
        self.0.as_ref().ok_or_else(|| Fault::new(FaultKind::Internal, "The request could not be read."))
    }
}

/// Why nothing is to be sent.
pub(crate) enum Unsent {
    /// The vendor counts no tokens, so they were estimated.
    Counted(u64),
    /// This channel cannot serve the request; another one may.
    Unfit(Fault),
}

impl From<Fault> for Unsent {
    fn from(fault: Fault) -> Self {
        Self::Unfit(fault)
    }
}

/// Writes the request.
pub(crate) fn prepare(walk: &mut Walk<'_>, route: &Route, model: &str) -> Result<Prepared, Unsent> {
    walk.losses.clear();
    let prepared = match walk.ask.errand {
        Errand::Chat => {
            let dialect = route.dialect_for(walk.ask.dialect, model);
            // An array is no event stream: the vendor's events are read and written anew.
            let may_pass =
                dialect == walk.ask.dialect && !(walk.ask.stream && walk.ask.framing == Framing::Array);
            match dialect.pass().filter(|_| may_pass) {
                Some(_) => pass(walk, route, model, dialect),
                None => convert(walk, route, model, dialect)?,
            }
        }
        Errand::CountTokens => return count(walk, route, model),
        Errand::Embeddings if route.kind == ProviderKind::Google => embed(walk, model)?,
        Errand::Embeddings => unread(walk, route, model, Endpoint::Embeddings)?,
        Errand::Pass(_, path) => unread(walk, route, model, Endpoint::Below(path))?,
    };
    Ok(prepared)
}

/// The question goes to a vendor that counts; in its own words where the caller speaks them.
fn count(walk: &mut Walk<'_>, route: &Route, model: &str) -> Result<Prepared, Unsent> {
    let dialect = route.dialect_for(walk.ask.dialect, model);
    let (Some(endpoint), Some(side)) = (dialect.count_endpoint(), dialect.count()) else {
        return Err(Unsent::Counted(estimate::conversation(conversation(walk)?)));
    };
    let reading = Reading::Count(side);
    if dialect == walk.ask.dialect {
        return Ok(Prepared { endpoint, reading, ..pass(walk, route, model, dialect) });
    }
    let Written { body, headers } =
        encode(walk, route, model, |call, encoding| side.question(call, encoding))?;
    Ok(Prepared { endpoint, dialect, body, rest: None, headers, reading })
}

/// OpenAI's embeddings, asked of Google.
fn embed(walk: &mut Walk<'_>, model: &str) -> Result<Prepared, Fault> {
    let EncodedEmbeddings { body, format, estimated_tokens, losses } = embed::encode(&walk.ask.body, model)?;
    lose(walk, losses)?;
    Ok(Prepared {
        endpoint: Endpoint::BatchEmbed,
        dialect: Dialect::GoogleGenerate,
        body: body.into(),
        rest: None,
        headers: Headers::new(),
        reading: Reading::Embed { format, estimated_tokens },
    })
}

/// The body as it is, but for the model's name.
fn unread(walk: &mut Walk<'_>, route: &Route, model: &str, endpoint: Endpoint) -> Result<Prepared, Fault> {
    let mut prepared = pass(walk, route, model, Dialect::OpenAiChat);
    prepared.endpoint = endpoint;
    prepared.reading = Reading::Unread;
    if let Some(upload) = &mut walk.upload {
        let renamed = (model != walk.ask.model).then_some(model);
        let sent_before =
            || Fault::new(FaultKind::Unavailable, "The upload was sent already and is not kept.");
        (prepared.body, prepared.rest) = upload.take(renamed).ok_or_else(sent_before)?;
        prepared.headers.push((CONTENT_TYPE, upload.content_type.clone()));
    }
    Ok(prepared)
}

fn pass(walk: &Walk<'_>, route: &Route, model: &str, dialect: Dialect) -> Prepared {
    let ask = walk.ask;
    let hide_usage = ask.errand == Errand::Chat
        && dialect == Dialect::OpenAiChat
        && ask.stream
        && ask.include_usage != Some(true)
        && route.quirks().stream_options;
    let is_named = ask.spans.model.is_some();
    let splices = Splices {
        model: (model != ask.model || (dialect == Dialect::OpenAiChat && !is_named)).then_some(model),
        include_usage: hide_usage,
        output_limit: walk
            .written_output_limit
            .map(|tokens| OutputLimit { field: route.output_limit_field(dialect), tokens }),
    };
    let body = match dialect.pass() {
        Some(side) => side.splice(ask, &splices),
        None => ask.body.clone().into(),
    };
    Prepared {
        endpoint: dialect.endpoint(ask.stream),
        dialect,
        body,
        rest: None,
        headers: walk.forwarded.clone(),
        reading: Reading::Pass { hide_usage },
    }
}

fn convert(walk: &mut Walk<'_>, route: &Route, model: &str, dialect: Dialect) -> Result<Prepared, Fault> {
    let vendor = dialect
        .vendor()
        .ok_or_else(|| Fault::new(FaultKind::Unavailable, "This channel's dialect is not supported."))?;
    let written = |call: &ChatCall, encoding: &Encoding<'_>| vendor.encode(call, encoding);
    let encoded = encode(walk, route, model, written)?;
    Ok(Prepared {
        endpoint: dialect.endpoint(walk.ask.stream),
        dialect,
        headers: encoded.headers,
        body: encoded.body,
        rest: None,
        reading: Reading::Convert(vendor),
    })
}

/// An encoded conversation with its losses told.
struct Written {
    body: RequestBody,
    headers: Headers,
}

fn encode(
    walk: &mut Walk<'_>,
    route: &Route,
    model: &str,
    write: impl FnOnce(&ChatCall, &Encoding<'_>) -> Result<Encoded, Unsayable>,
) -> Result<Written, Fault> {
    let caller = caller_side(walk.ask.dialect)?;
    let encoding = Encoding { model, output_limit: walk.written_output_limit, quirks: route.quirks() };
    let encoded = write(conversation(walk)?, &encoding).map_err(|unsayable| unsayable.into_fault(caller))?;
    lose(walk, encoded.losses.iter().map(|loss| caller.path(loss)).collect())?;
    let header = |(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    Ok(Written { body: encoded.body.into(), headers: encoded.headers.into_iter().map(header).collect() })
}

/// The caller's conversation, with the items of earlier answers that it refers to.
fn conversation<'w>(walk: &'w mut Walk<'_>) -> Result<&'w ChatCall, Fault> {
    let (kept, tenant) = (walk.kept, walk.tenant.entry.tenant.id);
    walk.conversation.get_or_parse(walk.ask, |id| kept.find(tenant, id))
}

/// Notes what this attempt leaves out, unless the caller wants nothing left out.
fn lose(walk: &mut Walk<'_>, losses: Vec<String>) -> Result<(), Fault> {
    walk.losses = losses;
    walk.losses.dedup();
    if walk.strict && !walk.losses.is_empty() { Err(too_strict(&walk.losses)) } else { Ok(()) }
}

/// `x-lyss-strict` was sent, and something would be lost.
fn too_strict(losses: &[String]) -> Fault {
    let message = format!(
        "This model's vendor cannot be told all of the request: {}. Without `x-lyss-strict` these are left out.",
        losses.join(", ")
    );
    Fault::bad_request(message, losses.first().map(String::as_str))
}

impl Prepared {
    /// Puts the channel's address and credential to it.
    pub(crate) fn address(
        self,
        walk: &Walk<'_>,
        route: &Route,
        model: &str,
    ) -> Result<(EncodedRequest, Dialect, Reading), Fault> {
        let unusable = |reason: &str| {
            tracing::warn!(channel = %route.channel.id, reason, "a channel cannot be addressed");
            Fault::new(FaultKind::CredentialRefused, "The channel's credential or address cannot be used.")
        };
        let uri = route.uri(self.endpoint, model).ok_or_else(|| unusable("address"))?;
        let secret = route.open_credential(&walk.parts.vault).map_err(|_| unusable("credential"))?;
        let request = route.target().post(uri, self.body, secret.as_ref(), walk.ask.stream);
        let mut request = request.map_err(|_| unusable("header"))?;
        request.rest = self.rest;
        for (name, value) in self.headers {
            // A form's type replaces the usual one; all others stand beside what the provider's row says.
            if name == CONTENT_TYPE {
                request.headers.insert(name, value);
            } else {
                request.headers.append(name, value);
            }
        }
        Ok((request, self.dialect, self.reading))
    }
}

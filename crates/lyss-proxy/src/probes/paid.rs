//! The question that costs something: one token of a model. Only where a channel says `paid`, and only what fits the
//! tenant's budget for the day; in all other cases the free question is asked.
//!
//! It is kept as a usage record of the operation `health`, with what it cost and without a key. No policy is charged and
//! no rate window taken: tenants pay for what they ask, and the budget is the limit of what is asked for them.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use lyss_adapters::{Dialect, Encoding, VendorSide, preset, scan};
use lyss_balancing::{ModelReport, Phase};
use lyss_catalog::TenantEntry;
use lyss_domain::{
    AttemptId, AttemptRecord, CallId, FaultKind, KeyId, Micros, Operation, PriceId, Rates, Strategy,
    Terminal, Tick, Timestamp, TokenUsage, UsageSource,
};
use lyss_ledger::Slot;
use lyss_wire::EncodedRequest;

use super::{Prober, Seen, Verdict};
use crate::routes::Route;

/// In one dialect; each vendor is told it in its own, with its model's name and the limit written in.
const HELLO: &[u8] = br#"{"model":"any","messages":[{"role":"user","content":"Hi"}]}"#;

/// The responses API takes no smaller limit (OpenAI's reference, `max_output_tokens`).
const RESPONSES_LEAST: u64 = 16;

pub(super) struct Question {
    model: String,
    vendor: &'static dyn VendorSide,
    request: EncodedRequest,
    price: (PriceId, Rates),
    /// No answer costs more than this.
    at_most: TokenUsage,
    slot: Slot,
}

/// How it ended, for its record.
struct Ending {
    started_at: Timestamp,
    latency: Duration,
    status: Option<u16>,
    verdict: Verdict,
    usage: TokenUsage,
    source: UsageSource,
}

impl Prober {
    /// `None`: no model is known, its price is not, the budget is used up or the ledger is full.
    pub(super) async fn paid_question(&self, tenant: &TenantEntry, route: &Route) -> Option<Question> {
        let (tick, now) = (self.clock.tick(), self.clock.now());
        let model = self.model_to_ask(route, tick)?;
        let price = tenant.price(&model, now)?;
        let price = (price.id, price.rates);
        let dialect = route.dialect_for(Dialect::OpenAiChat, &model);
        let limit = if dialect == Dialect::OpenAiResponses { RESPONSES_LEAST } else { 1 };
        let vendor = dialect.vendor()?;
        let (request, prompt_len) = self.request(route, dialect, vendor, &model, limit)?;
        // No tokenizer makes more than a token of a byte.
        let at_most = TokenUsage { input: prompt_len, output: limit, ..TokenUsage::default() };
        let cost = Micros(price.1.cost(&at_most)?.0.max(1));
        let slot = self.ledger.try_slot()?;
        let granted = self.store.spend_probe(tenant.tenant.id, now, cost, self.settings.paid_daily).await;
        match granted {
            Ok(true) => Some(Question { model, vendor, request, price, at_most, slot }),
            Ok(false) => None,
            Err(error) => {
                tracing::warn!(%error, "the budget of paid probes cannot be asked for");
                None
            }
        }
    }

    pub(super) async fn ask_paid(
        &self,
        tenant: &TenantEntry,
        route: &Route,
        question: Question,
    ) -> Option<Seen> {
        let Question { model, vendor, request, price, at_most, slot } = question;
        let (begun, started_at) = (self.clock.tick(), self.clock.now());
        let answer = self.send(request).await;
        let latency = self.clock.tick().since(begun);
        let nothing = (TokenUsage::default(), UsageSource::None);
        let estimated = (at_most, UsageSource::Estimated);
        let (status, verdict, (usage, source)) = match answer {
            Err(fault) => (None, Verdict::Failed(fault), nothing),
            Ok((head, body)) if head.status.is_success() => {
                let (verdict, used) = match vendor.decode(&body) {
                    Ok(reply) => {
                        let said = reply.usage.map(|usage| (usage.capped(), UsageSource::Provider));
                        (Verdict::Well, said.unwrap_or(estimated))
                    }
                    Err(fault) => (Verdict::Failed(fault.kind), estimated),
                };
                (Some(head.status.as_u16()), verdict, used)
            }
            Ok((head, body)) => {
                let fault = vendor.read_fault(head.status, &head.headers, &body).kind;
                (Some(head.status.as_u16()), Verdict::Failed(fault), nothing)
            }
        };
        let ending = Ending { started_at, latency, status, verdict, usage, source };
        slot.record(self.record(tenant, route, &model, price, ending));
        Some(Seen { model: Some(model), verdict, latency })
    }

    /// The worst model that is ejected; else the one that is tried first at this vendor; else the one asked for last; else
    /// the first that is served by name.
    fn model_to_ask(&self, route: &Route, now: Tick) -> Option<String> {
        let known = self.health.known(route.channel.id);
        let known: Vec<ModelReport> =
            known.map(|c| c.models().iter().map(|m| m.standing(now)).collect()).unwrap_or_default();
        let mut ejected = known.iter().filter(|model| model.breaker.phase != Phase::Closed);
        if let Some(model) = ejected.next() {
            return Some(model.model.to_string());
        }
        let trial = preset::preset(route.channel.provider.as_str()).and_then(|preset| preset.trial_model);
        if let Some(trial) = trial.filter(|trial| route.serves(trial)) {
            return Some(route.upstream_model(trial).to_owned());
        }
        let last = known.iter().filter(|model| model.cooling.is_none()).max_by_key(|model| model.last_sent);
        last.map(|model| model.model.to_string())
            .or_else(|| route.listed_models().min().map(|model| route.upstream_model(model).to_owned()))
    }

    fn request(
        &self,
        route: &Route,
        dialect: Dialect,
        vendor: &dyn VendorSide,
        model: &str,
        limit: u64,
    ) -> Option<(EncodedRequest, u64)> {
        let ask = scan(Dialect::OpenAiChat, Bytes::from_static(HELLO)).ok()?;
        let call = Dialect::OpenAiChat.caller()?.parse(&ask).ok()?;
        let encoding = Encoding { model, output_limit: Some(limit), quirks: route.quirks() };
        let encoded = vendor.encode(&call, &encoding).ok()?;
        let prompt_len = u64::try_from(encoded.body.len()).ok()?;
        let uri = route.uri(dialect.endpoint(false), model)?;
        let secret = route.open_credential(&self.vault).ok()?;
        let mut request = route.target().post(uri, encoded.body.into(), secret.as_ref(), false).ok()?;
        for (name, value) in encoded.headers {
            request.headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        Some((request, prompt_len))
    }

    fn record(
        &self,
        tenant: &TenantEntry,
        route: &Route,
        model: &str,
        (price, rates): (PriceId, Rates),
        ending: Ending,
    ) -> AttemptRecord {
        let millis = u64::try_from(ending.started_at.as_millis()).unwrap_or(0);
        let call = CallId::from_parts(millis, &self.draws.id_bytes());
        let fault = match ending.verdict {
            Verdict::Failed(fault) => Some(fault),
            Verdict::Well | Verdict::Nothing => None,
        };
        let cost = match ending.source {
            UsageSource::None => Micros::ZERO,
            _ => rates.cost(&ending.usage).unwrap_or_default(),
        };
        AttemptRecord {
            id: AttemptId::of(call, 0),
            call,
            ordinal: 0,
            tenant: tenant.tenant.id,
            key: KeyId::NONE,
            channel: route.channel.id,
            provider: route.channel.provider.clone(),
            model_asked: model.to_owned(),
            model_served: model.to_owned(),
            strategy: Strategy::WeightedRandom,
            operation: Operation::Health,
            stream: false,
            terminal: fault.map_or(Terminal::Complete, terminal_of),
            fault,
            status: ending.status,
            usage: ending.usage,
            usage_source: ending.source,
            cost,
            price: Some(price),
            started_at: ending.started_at,
            ttft_us: None,
            total_us: i64::try_from(ending.latency.as_micros()).unwrap_or(i64::MAX),
            losses: Vec::new(),
            decision: None,
        }
    }
}

fn terminal_of(fault: FaultKind) -> Terminal {
    match crate::settle::terminal_of(fault) {
        Terminal::TimedOut => Terminal::TimedOut,
        _ => Terminal::Refused,
    }
}

//! A call that is thought of, and what would become of it, in JSON.

use std::collections::{BTreeMap, HashMap};

use lyss_adapters::Dialect;
use lyss_domain::{Capability, CapabilitySet, ChannelId, ChannelState, FaultKind, KeyId, Strategy};
use lyss_insight::Decided;
use lyss_proxy::{Considered, ExplainAsk, Explanation, Steering};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::manage::decision::{CandidateDto, DecisionDto};
use crate::manage::failure::Failure;
use crate::manage::schema;
use crate::manage::word::{Id, Named};

/// Tokens that no call has.
const MOST_TOKENS: u32 = 100_000_000;
const LONGEST_NAME: usize = 256;
const MOST_TAGS: usize = 64;

/// A prompt of usual size, where none is told.
const USUAL_PROMPT: u32 = 500;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoutingExplain, example = json!({
    "model": "gpt-4o-mini", "prompt_tokens": 1200, "output_tokens": 300, "stream": true
}))]
pub(super) struct ExplainBody {
    /// Id or slug; must be the tenant that is acted for.
    pub(super) tenant_id: Option<String>,
    model: String,
    /// Whose key calls; left out: somebody whose key allows everything.
    #[schema(schema_with = schema::id, required = false)]
    pub(super) key_id: Option<Id<KeyId>>,
    /// As the header `x-lyss-strategy`.
    #[schema(schema_with = schema::word::<Strategy>, required = false)]
    strategy: Option<Named<Strategy>>,
    /// As the header `x-lyss-tags`.
    #[serde(default)]
    tags: Vec<String>,
    /// As the header `x-lyss-channel`.
    #[schema(schema_with = schema::id, required = false)]
    channel: Option<Id<ChannelId>>,
    /// As the header `x-lyss-session`.
    session: Option<String>,
    /// 500 unless given.
    prompt_tokens: Option<u32>,
    /// The caller's output limit.
    output_tokens: Option<u32>,
    #[serde(default)]
    stream: bool,
    /// What a model must have to serve it, such as `tools` or `image_input`.
    #[serde(default)]
    #[schema(schema_with = schema::words_of::<Capability>, required = false)]
    needs: Vec<Named<Capability>>,
    /// How the caller speaks: `openai_chat` unless given.
    #[schema(schema_with = schema::word::<Dialect>, required = false)]
    dialect: Option<Named<Dialect>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = RoutingExplanation)]
pub(super) struct ExplanationDto {
    model: String,
    /// `chosen`, `full`, `cooling`, `nobody`, or `refused`: the call would not get as far as a choice.
    #[schema(value_type = String)]
    outcome: &'static str,
    refusal: Option<RefusalDto>,
    chosen: Option<ChosenDto>,
    /// The choice, with the candidates it was among; null: the call is refused.
    decision: Option<DecisionDto>,
    /// Every channel of the tenant, by name.
    channels: Vec<ConsideredDto>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = RoutingRefusal)]
struct RefusalDto {
    /// As in usage records and errors.
    #[schema(value_type = String)]
    class: &'static str,
    message: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = RoutingChosen)]
struct ChosenDto {
    #[schema(schema_with = schema::id)]
    channel_id: Id<ChannelId>,
    name: String,
    provider_id: String,
    /// What the vendor is asked for.
    upstream_model: Option<String>,
    why: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = RoutingChannel)]
struct ConsideredDto {
    #[schema(schema_with = schema::id)]
    channel_id: Id<ChannelId>,
    name: String,
    provider_id: String,
    #[schema(schema_with = schema::word::<ChannelState>)]
    state: Named<ChannelState>,
    priority: i32,
    weight: u32,
    chosen: bool,
    /// What the vendor would be asked for; null: this channel does not serve the model.
    upstream_model: Option<String>,
    /// The dialect it would be asked in.
    #[schema(schema_with = schema::word_or_null::<Dialect>)]
    dialect: Option<Named<Dialect>>,
    /// Why it would not be asked; null: it could be. Before there is a choice: `disabled`, `draining`, `not_ready`,
    /// `model_not_served`, `key_models`, `key_channels`, `key_tags`, `other_channel`, `tag_missing`,
    /// `operation_not_offered`, `context_too_long`, `capability_missing`, `call_refused`. At the choice: `drained`,
    /// `worse_priority`, `ejected`, `trial_taken`, `on_trial`, `cooling`, `full`.
    excluded: Option<&'static str>,
    standing: Option<&'static str>,
    score: Option<f32>,
    /// What the score was made of, by name.
    terms: BTreeMap<&'static str, f32>,
}

impl ExplainBody {
    /// `known`: the tenant's channels.
    pub(super) fn ask(&self, known: impl IntoIterator<Item = ChannelId>) -> Result<ExplainAsk, Failure> {
        let mut refused = BTreeMap::new();
        let mut refuse = |field: String, reason: String| {
            refused.entry(field).or_insert(reason);
        };
        let length = format!("must have 1 to {LONGEST_NAME} characters");
        let is_name = |text: &str| (1..=LONGEST_NAME).contains(&text.chars().count());
        if !is_name(&self.model) {
            refuse("model".to_owned(), length.clone());
        }
        if self.session.as_deref().is_some_and(|session| !is_name(session)) {
            refuse("session".to_owned(), length.clone());
        }
        if self.tags.len() > MOST_TAGS {
            refuse("tags".to_owned(), format!("must have at most {MOST_TAGS} entries"));
        }
        for (place, _) in self.tags.iter().enumerate().filter(|(_, tag)| !is_name(tag)) {
            refuse(format!("tags[{place}]"), length.clone());
        }
        let is_known = |id: ChannelId| known.into_iter().any(|other| other == id);
        if self.channel.as_ref().is_some_and(|id| !is_known(id.0)) {
            refuse("channel".to_owned(), "is no channel of this tenant".to_owned());
        }
        for (field, tokens) in [("prompt_tokens", self.prompt_tokens), ("output_tokens", self.output_tokens)]
        {
            if tokens.is_some_and(|tokens| tokens > MOST_TOKENS) {
                refuse(field.to_owned(), format!("must be at most {MOST_TOKENS}"));
            }
        }
        if !refused.is_empty() {
            return Err(Failure::fields(refused));
        }
        Ok(ExplainAsk {
            model: self.model.clone(),
            dialect: self.dialect.map_or(Dialect::OpenAiChat, |dialect| dialect.0),
            stream: self.stream,
            prompt_tokens: self.prompt_tokens.unwrap_or(USUAL_PROMPT),
            output_tokens: self.output_tokens,
            needs: self
                .needs
                .iter()
                .fold(CapabilitySet::EMPTY, |all, one| all.and(CapabilitySet::of(&[one.0]))),
            steering: Steering {
                channel: self.channel.map(|id| id.0),
                strategy: self.strategy.map(|strategy| strategy.0),
                tags: self.tags.clone(),
                session: self.session.clone(),
                ..Steering::default()
            },
        })
    }
}

impl ExplanationDto {
    /// The key itself is refused, before any channel is looked at.
    pub(super) fn refused(ask: &ExplainAsk, message: &str) -> Self {
        let refusal = RefusalDto { class: FaultKind::Unauthenticated.as_str(), message: message.to_owned() };
        Self {
            model: ask.model.clone(),
            outcome: "refused",
            refusal: Some(refusal),
            chosen: None,
            decision: None,
            channels: Vec::new(),
        }
    }

    pub(super) fn of(ask: &ExplainAsk, explanation: Explanation) -> Self {
        let named = explanation.channels.iter().map(|one| (one.channel.id, one.channel.name.clone()));
        let names: HashMap<_, _> = named.collect();
        let (refusal, decided) = match explanation.outcome {
            Ok(decision) => (None, Some(Decided::of(&decision, &names))),
            Err(fault) => (Some(RefusalDto { class: fault.kind.as_str(), message: fault.message }), None),
        };
        let chosen = decided.as_ref().and_then(|decided| {
            let considered =
                explanation.channels.iter().find(|one| Some(one.channel.id) == decided.chosen)?;
            Some(ChosenDto::of(considered, decided))
        });
        let outcome = decided.as_ref().map_or("refused", |decided| decided.outcome.as_str());
        let channels = explanation.channels.into_iter().map(|one| ConsideredDto::of(one, decided.as_ref()));
        let channels = channels.collect();
        Self {
            model: ask.model.clone(),
            outcome,
            refusal,
            chosen,
            decision: decided.map(DecisionDto::from),
            channels,
        }
    }
}

impl ChosenDto {
    fn of(considered: &Considered, decided: &Decided) -> Self {
        Self {
            channel_id: Id(considered.channel.id),
            name: considered.channel.name.clone(),
            provider_id: considered.channel.provider.as_str().to_owned(),
            upstream_model: considered.upstream_model.clone(),
            why: decided.why.map(lyss_insight::decision::why_word),
        }
    }
}

impl ConsideredDto {
    fn of(considered: Considered, decided: Option<&Decided>) -> Self {
        let channel = considered.channel;
        let mut candidates = decided.into_iter().flat_map(|decided| &decided.candidates);
        let candidate = candidates.find(|one| one.channel == channel.id).cloned().map(CandidateDto::from);
        let (chosen, excluded, standing, score, terms) = match candidate {
            Some(one) => (one.chosen, one.excluded, Some(one.standing), one.score, one.terms),
            None => (false, None, None, None, BTreeMap::new()),
        };
        Self {
            channel_id: Id(channel.id),
            name: channel.name,
            provider_id: channel.provider.as_str().to_owned(),
            state: Named(channel.state),
            priority: channel.priority,
            weight: channel.weight,
            chosen,
            upstream_model: considered.upstream_model,
            dialect: considered.dialect.map(Named),
            excluded: considered.unfit.map(lyss_proxy::Unfit::as_str).or(excluded),
            standing,
            score,
            terms,
        }
    }
}

//! A decision in JSON: of a call that was, and of one that is thought of.

use std::collections::BTreeMap;

use lyss_domain::{ChannelId, Strategy};
use lyss_insight::decision::{exclusion_word, standing_word, why_word};
use lyss_insight::{Decided, DecidedCandidate, Regime};
use serde::Serialize;
use utoipa::ToSchema;

use super::schema;
use super::word::{Id, Named};

#[derive(Serialize, ToSchema)]
#[schema(as = Decision)]
pub(super) struct DecisionDto {
    #[schema(schema_with = schema::word::<Strategy>)]
    strategy: Named<Strategy>,
    /// `latency`, `balanced` or `cost`.
    #[schema(value_type = String)]
    objective: &'static str,
    /// `chosen`, `full` (all are at their limits), `cooling` (all wait for their vendors) or `nobody`.
    #[schema(value_type = String)]
    outcome: &'static str,
    #[schema(schema_with = schema::id_or_null)]
    chosen_channel_id: Option<Id<ChannelId>>,
    /// `algorithm`; `affinity`: its session was served there; `trial`: this call shows whether it is well again; `panic`:
    /// all are ejected, and it is the least bad.
    why: Option<&'static str>,
    /// Until the first of them may be asked again.
    wait_ms: Option<u64>,
    /// What `adaptive` took the model's channels for; null: it was not asked.
    #[schema(schema_with = schema::word_or_null::<Regime>)]
    regime: Option<Named<Regime>>,
    prompt_tokens: u32,
    /// Expected, not the limit.
    output_tokens: u32,
    has_affinity: bool,
    /// The random number that was drawn, in hexadecimal.
    draw: String,
    /// Made again from what was recorded, it comes out the same.
    replayed_same: bool,
    candidates: Vec<CandidateDto>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DecisionCandidate)]
pub(super) struct CandidateDto {
    #[schema(schema_with = schema::id)]
    channel_id: Id<ChannelId>,
    /// As it is called today; null: it is gone.
    channel_name: Option<String>,
    pub(super) chosen: bool,
    /// Why it could not be chosen: `tried`, `drained`, `worse_priority`, `ejected`, `trial_taken`, `on_trial`, `cooling` or
    /// `full`; null: it could.
    pub(super) excluded: Option<&'static str>,
    /// `open`, `on_trial`, `trial_taken`, `ejected` or `cooling`.
    #[schema(value_type = String)]
    pub(super) standing: &'static str,
    /// What the algorithm compared: more is better for `weighted_random` and `round_robin`, less for the others. Null: it
    /// was not compared.
    pub(super) score: Option<f32>,
    /// What it was made of, by name.
    pub(super) terms: BTreeMap<&'static str, f32>,
}

impl From<Decided> for DecisionDto {
    fn from(decided: Decided) -> Self {
        let milliseconds = |wait: std::time::Duration| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        Self {
            strategy: Named(decided.strategy),
            objective: decided.objective.as_str(),
            outcome: decided.outcome.as_str(),
            chosen_channel_id: decided.chosen.map(Id),
            why: decided.why.map(why_word),
            wait_ms: decided.wait.map(milliseconds),
            regime: decided.regime.map(Named),
            prompt_tokens: decided.size.prompt_tokens,
            output_tokens: decided.size.output_tokens,
            has_affinity: decided.has_affinity,
            draw: format!("{:016x}", decided.draw),
            replayed_same: decided.replayed_same,
            candidates: decided.candidates.into_iter().map(CandidateDto::from).collect(),
        }
    }
}

impl From<DecidedCandidate> for CandidateDto {
    fn from(candidate: DecidedCandidate) -> Self {
        // JSON has no infinity.
        let finite = |term: &(&'static str, f32)| term.1.is_finite();
        Self {
            channel_id: Id(candidate.channel),
            channel_name: candidate.name,
            chosen: candidate.is_chosen,
            excluded: candidate.exclusion.map(exclusion_word),
            standing: standing_word(candidate.standing),
            score: candidate.score.filter(|score| score.is_finite()),
            terms: candidate.terms.into_iter().filter(finite).collect(),
        }
    }
}

//! How an attempt's channel was chosen, in the words that people and programs read.

use std::collections::HashMap;

use lyss_balancing::{
    Choice, Decision, Exclusion, Explained, Memory, Objective, Regime, Size, Standing, Why,
};
use lyss_domain::{ChannelId, Strategy};

/// What is known of a decision that was to be kept.
#[derive(Clone, Debug, PartialEq)]
pub enum ToldDecision {
    /// Nothing was kept.
    NotKept,
    /// It was written by another version of the service.
    Unreadable,
    Told(Box<Decided>),
}

/// A decision and why it came out as it did.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    pub strategy: Strategy,
    pub objective: Objective,
    pub size: Size,
    pub outcome: Outcome,
    /// The channel that was chosen, and how it came to that.
    pub chosen: Option<ChannelId>,
    pub why: Option<Why>,
    /// How long until the first of them may be asked again, where all have to be waited for.
    pub wait: Option<std::time::Duration>,
    /// The state `adaptive` saw the model's channels in; `None`: it was not asked.
    pub regime: Option<Regime>,
    pub draw: u64,
    /// A session's or prompt's channel was looked for.
    pub has_affinity: bool,
    pub candidates: Vec<DecidedCandidate>,
    /// Made again from what was recorded, it comes out the same.
    pub replayed_same: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DecidedCandidate {
    pub channel: ChannelId,
    /// As it is called today; `None`: it is gone.
    pub name: Option<String>,
    pub is_chosen: bool,
    pub exclusion: Option<Exclusion>,
    pub standing: Standing,
    pub score: Option<f32>,
    pub terms: Vec<(&'static str, f32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Chosen,
    /// Everybody who may serve is at the concurrency limit.
    Full,
    /// Everything left waits for a vendor's window.
    Cooling,
    Nobody,
}

impl Outcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chosen => "chosen",
            Self::Full => "full",
            Self::Cooling => "cooling",
            Self::Nobody => "nobody",
        }
    }
}

impl Decided {
    pub fn of(decision: &Decision, names: &HashMap<ChannelId, String>) -> Self {
        let chosen = match decision.choice {
            Choice::Chosen { index, why } => {
                decision.candidates.get(index).map(|one| (index, one.channel, why))
            }
            _ => None,
        };
        let index = chosen.map(|(index, ..)| index);
        let explained = lyss_balancing::explain(decision);
        let candidates = decision.candidates.iter().zip(explained).enumerate();
        let candidates = candidates.map(|(place, (candidate, explained))| {
            let Explained { channel, exclusion, score, terms } = explained;
            DecidedCandidate {
                channel,
                name: names.get(&channel).cloned(),
                is_chosen: index == Some(place),
                exclusion,
                standing: candidate.snapshot.standing,
                score,
                terms,
            }
        });
        Self {
            strategy: decision.strategy,
            objective: decision.objective,
            size: decision.size,
            outcome: match decision.choice {
                Choice::Chosen { .. } => Outcome::Chosen,
                Choice::Full => Outcome::Full,
                Choice::Cooling(_) => Outcome::Cooling,
                Choice::Nobody => Outcome::Nobody,
            },
            chosen: chosen.map(|(_, channel, _)| channel),
            why: chosen.map(|(.., why)| why),
            wait: if let Choice::Cooling(wait) = decision.choice { Some(wait) } else { None },
            regime: if let Memory::Regime(regime) = decision.memory { Some(regime) } else { None },
            draw: decision.draw,
            has_affinity: decision.affinity.is_some(),
            candidates: candidates.collect(),
            replayed_same: lyss_balancing::replay(decision) == decision.choice,
        }
    }
}

/// From a usage record.
pub(crate) fn tell(recorded: Option<&[u8]>, names: &HashMap<ChannelId, String>) -> ToldDecision {
    match recorded.map(Decision::decode) {
        None => ToldDecision::NotKept,
        Some(Err(_)) => ToldDecision::Unreadable,
        Some(Ok(decision)) => ToldDecision::Told(Box::new(Decided::of(&decision, names))),
    }
}

/// As JSON and pages name it.
pub const fn why_word(why: Why) -> &'static str {
    match why {
        Why::Algorithm => "algorithm",
        Why::Affinity => "affinity",
        Why::Trial => "trial",
        Why::Panic => "panic",
    }
}

/// As JSON and pages name it.
pub const fn exclusion_word(exclusion: Exclusion) -> &'static str {
    match exclusion {
        Exclusion::Tried => "tried",
        Exclusion::Drained => "drained",
        Exclusion::WorsePriority => "worse_priority",
        Exclusion::Ejected => "ejected",
        Exclusion::TrialTaken => "trial_taken",
        Exclusion::OnTrial => "on_trial",
        Exclusion::Cooling => "cooling",
        Exclusion::Full => "full",
    }
}

/// As JSON and pages name it.
pub const fn standing_word(standing: Standing) -> &'static str {
    match standing {
        Standing::Open => "open",
        Standing::OnTrial => "on_trial",
        Standing::TrialTaken => "trial_taken",
        Standing::Ejected(_) => "ejected",
        Standing::Cooling(_) => "cooling",
    }
}

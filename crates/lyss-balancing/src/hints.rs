//! What replicas tell each other of channels, a few times a second and never on the path of a call.
//!
//! A hint is a hint: it adds what is under way elsewhere, lends figures where none are known, and shares that a vendor
//! asked to be left alone or that something is broken; it never overrules what own traffic shows. Times are lengths
//! from the moment of telling, so that replicas need not agree on the clock.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use lyss_domain::{ChannelId, FaultKind, Tick};
use serde::{Deserialize, Serialize};

use crate::kept::words;
use crate::{Figures, Health};

/// What one replica tells of one model on one channel, or of the channel as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hint {
    /// Who tells it: a random number for each process.
    pub replica: u64,
    #[serde(with = "words::id")]
    pub channel: ChannelId,
    /// `None`: the channel as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Box<str>>,
    /// Of credential and address, as the teller knows them; only of a channel as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    #[serde(default)]
    pub in_flight: u32,
    #[serde(default)]
    pub figures: Figures,
    /// The vendor asked to be left alone for so long yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooling_ms: Option<u64>,
    /// Ejected by what the teller saw itself; what it only heard is not told on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ejected: Option<HintEjected>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HintEjected {
    #[serde(with = "words::fault")]
    pub fault: FaultKind,
    pub openings: u32,
    /// Since so long, and for so long yet.
    pub since_ms: u64,
    pub for_ms: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum HintError {
    /// The store is away, too slow or refuses work; the text names no secret and no address.
    #[error("the store of hints is unavailable: {0}")]
    Unavailable(String),
}

/// Where replicas meet.
#[async_trait]
pub trait HintStore: Send + Sync {
    /// Replaces what this replica told before by `own`, and reads what the others told lately. What a replica that ended
    /// had told disappears by itself within seconds.
    async fn exchange(&self, own: &[Hint]) -> Result<Vec<Hint>, HintError>;
}

/// Told at most, so that a round stays small.
pub const MOST_HINTS: usize = 1_024;

/// A model that nobody asked for so long is not worth a word, unless something is wrong with it.
pub(crate) const TOLD_AFTER_USE: Duration = Duration::from_secs(30);
/// Without news for so long, what was under way elsewhere is not any more.
pub(crate) const ELSEWHERE_LASTS: Duration = Duration::from_secs(2);
/// Where own traffic went well this recently, nobody is told otherwise.
pub(crate) const OWN_WORD_LASTS: Duration = Duration::from_secs(10);

/// What all others say of one model.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told<'a> {
    pub(crate) in_flight: u32,
    pub(crate) figures: Option<&'a Figures>,
    pub(crate) cooling: Option<Duration>,
    pub(crate) ejected: Option<(&'a HintEjected, Option<u64>)>,
}

impl Health {
    /// What there is to tell the others: what is under way or was asked for lately, and what is not well.
    pub fn hints(&self, replica: u64, now: Tick) -> Vec<Hint> {
        let mut hints = Vec::new();
        for channel in self.all() {
            hints.extend(channel.hint(replica, now));
            let room = MOST_HINTS.saturating_sub(hints.len());
            hints.extend(channel.models().iter().filter_map(|model| model.hint(replica, now)).take(room));
        }
        hints.truncate(MOST_HINTS);
        hints
    }

    /// Takes in what the others told. Of channels and models that nobody here asked for nothing is kept.
    pub fn take_hints(&self, hints: &[Hint], now: Tick) {
        let mut told: HashMap<(ChannelId, Option<&str>), Told<'_>> = HashMap::new();
        for hint in hints {
            told.entry((hint.channel, hint.model.as_deref())).or_default().add(hint);
        }
        for channel in self.all() {
            if let Some(told) = told.get(&(channel.channel(), None)) {
                channel.take_told(told, now);
            }
            for model in channel.models() {
                let silence = Told::default();
                let told = told.get(&(model.channel(), Some(model.model()))).unwrap_or(&silence);
                model.take_told(told, now);
            }
        }
    }
}

impl<'a> Told<'a> {
    fn add(&mut self, hint: &'a Hint) {
        self.in_flight = self.in_flight.saturating_add(hint.in_flight);
        // Of several figures those of the most traffic are the best founded.
        let weight = |figures: &Figures| figures.good + figures.bad;
        if self.figures.is_none_or(|known| weight(&hint.figures) > weight(known)) {
            self.figures = Some(&hint.figures);
        }
        self.cooling = self.cooling.max(hint.cooling_ms.map(Duration::from_millis));
        let is_longer =
            |ejected: &HintEjected| self.ejected.is_none_or(|(known, _)| ejected.for_ms > known.for_ms);
        if let Some(ejected) = hint.ejected.as_ref().filter(|ejected| is_longer(ejected)) {
            self.ejected = Some((ejected, hint.version));
        }
    }
}

#[cfg(test)]
mod tests;

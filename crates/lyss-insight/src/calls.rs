//! One call, as its attempts recorded it.

use std::collections::HashMap;

use lyss_domain::{AttemptRecord, CallId, ChannelId, Micros, TenantScope, Terminal, Timestamp, UsageSource};
use lyss_repositories::StoreError;

use crate::Insight;
use crate::decision::{self, ToldDecision};

/// A call of a tenant, with at least one attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct ToldCall {
    pub id: CallId,
    /// In the order in which they were sent.
    pub attempts: Vec<ToldAttempt>,
    /// Where among them the one stands that decided how the call ended: the one that answered, wholly or in part, else the
    /// last.
    pub decisive: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ToldAttempt {
    pub record: AttemptRecord,
    /// As it is called today; `None`: it is gone.
    pub channel_name: Option<String>,
    pub decision: ToldDecision,
}

impl ToldCall {
    pub fn decisive(&self) -> Option<&AttemptRecord> {
        self.attempts.get(self.decisive).map(|attempt| &attempt.record)
    }

    pub fn terminal(&self) -> Option<Terminal> {
        self.decisive().map(|record| record.terminal)
    }

    pub fn started_at(&self) -> Option<Timestamp> {
        self.attempts.iter().map(|attempt| attempt.record.started_at).min()
    }

    /// What the call was charged.
    pub fn cost(&self) -> Micros {
        Micros(self.attempts.iter().map(|attempt| attempt.record.cost.0).fold(0, i64::saturating_add))
    }

    /// From its first attempt's beginning to the end of the one that decided, in microseconds.
    pub fn total_us(&self) -> Option<u64> {
        let ended = |record: &AttemptRecord| record.started_at.as_micros().saturating_add(record.total_us);
        let span = ended(self.decisive()?).saturating_sub(self.started_at()?.as_micros());
        Some(u64::try_from(span).unwrap_or(0))
    }

    /// From its first attempt's beginning to the first content, in microseconds; `None`: none came.
    pub fn ttft_us(&self) -> Option<u64> {
        let record = self.decisive()?;
        let first = record.started_at.as_micros().saturating_add(record.ttft_us?);
        Some(u64::try_from(first.saturating_sub(self.started_at()?.as_micros())).unwrap_or(0))
    }
}

impl Insight {
    /// `None`: the tenant has no such call, or nothing of it was sent, or its record is still on its way.
    pub async fn call(&self, scope: &TenantScope, id: CallId) -> Result<Option<ToldCall>, StoreError> {
        let records = self.attempts.of_call(scope, id).await?;
        if records.is_empty() {
            return Ok(None);
        }
        let names = self.channel_names(scope);
        let decisive = decisive(&records);
        let told = records.into_iter().map(|record| ToldAttempt {
            channel_name: names.get(&record.channel).cloned(),
            decision: decision::tell(record.decision.as_deref(), &names),
            record,
        });
        Ok(Some(ToldCall { id, attempts: told.collect(), decisive }))
    }

    pub(crate) fn channel_names(&self, scope: &TenantScope) -> HashMap<ChannelId, String> {
        let catalog = self.catalog.load();
        let channels = catalog.tenant(scope.tenant()).map(|entry| entry.channels.iter());
        let named = channels.into_iter().flatten().map(|stored| &stored.channel);
        named.map(|channel| (channel.id, channel.name.clone())).collect()
    }
}

/// Of a call's attempts exactly the one that answered has a usage source; an answer that is free has none, but is whole.
fn decisive(records: &[AttemptRecord]) -> usize {
    let charged = records.iter().position(|record| record.usage_source != UsageSource::None);
    let whole = || records.iter().position(|record| record.terminal == Terminal::Complete);
    charged.or_else(whole).unwrap_or(records.len().saturating_sub(1))
}

#[cfg(test)]
mod tests;

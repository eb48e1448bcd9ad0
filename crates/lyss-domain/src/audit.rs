//! The audit log's row. The chain over the rows is the vault's and management's matter.

use crate::{AuditId, TenantId, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    pub id: AuditId,
    pub tenant: TenantId,
    /// 1, 2, 3 … within the tenant, without gaps.
    pub sequence: i64,
    pub at: Timestamp,
    /// A token's subject, a key's id, or `system:<part>`.
    pub actor: String,
    pub address: Option<String>,
    /// What was done, such as `channel.create`.
    pub action: String,
    /// On what, such as `channel:<id>`.
    pub target: String,
    pub outcome: AuditOutcome,
    /// Masked JSON of the change; secrets appear as digests only.
    pub detail: String,
    /// Keyed digest of the row before, 32 bytes; zeros for the first.
    pub previous: [u8; 32],
    /// Keyed digest over `previous` and this row, 32 bytes.
    pub digest: [u8; 32],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditOutcome {
    Done,
    Denied,
    Failed,
}

impl AuditOutcome {
    pub const ALL: [Self; 3] = [Self::Done, Self::Denied, Self::Failed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.as_str() == text)
    }
}

impl AuditEntry {
    /// The bytes the digest covers: every field but the digest, each preceded by its length, so that no two
    /// different rows give the same bytes.
    pub fn canonical(&self) -> Vec<u8> {
        let sequence = self.sequence.to_be_bytes();
        let at = self.at.as_micros().to_be_bytes();
        let fields: [&[u8]; 11] = [
            &self.previous,
            self.id.0.as_bytes(),
            self.tenant.0.as_bytes(),
            &sequence,
            &at,
            self.actor.as_bytes(),
            self.address.as_deref().unwrap_or("").as_bytes(),
            self.action.as_bytes(),
            self.target.as_bytes(),
            self.outcome.as_str().as_bytes(),
            self.detail.as_bytes(),
        ];
        let mut out = Vec::with_capacity(fields.iter().map(|f| f.len() + 8).sum());
        for field in fields {
            out.extend_from_slice(&(field.len() as u64).to_be_bytes());
            out.extend_from_slice(field);
        }
        out
    }
}

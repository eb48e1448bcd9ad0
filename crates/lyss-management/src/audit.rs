//! The audit log. Its writing end: a row chained to the one before, in the same unit of work as the change.

pub(crate) mod detail;
pub mod refusals;
pub mod verify;

use lyss_domain::{AuditEntry, AuditId, AuditOutcome, TenantScope};
use lyss_repositories::UnitOfWork;
use lyss_vault::mac;

use crate::{Management, ManagementError};

/// What an entry says.
pub(crate) struct Note<'a> {
    pub(crate) actor: &'a str,
    pub(crate) address: Option<&'a str>,
    pub(crate) action: &'a str,
    pub(crate) target: &'a str,
    pub(crate) outcome: AuditOutcome,
    /// JSON without any secret.
    pub(crate) detail: String,
}

/// Chains an entry to `last`, which must have been read, and so locked, in this unit of work.
pub(crate) async fn append(
    management: &Management,
    work: &mut dyn UnitOfWork,
    scope: &TenantScope,
    last: Option<AuditEntry>,
    note: Note<'_>,
) -> Result<AuditEntry, ManagementError> {
    let (millis, random) = management.id_parts()?;
    let mut entry = AuditEntry {
        id: AuditId::from_parts(millis, &random),
        tenant: scope.tenant(),
        sequence: last.as_ref().map_or(1, |entry| entry.sequence + 1),
        at: management.clock.now(),
        actor: note.actor.to_owned(),
        address: note.address.map(str::to_owned),
        action: note.action.to_owned(),
        target: note.target.to_owned(),
        outcome: note.outcome,
        detail: note.detail,
        previous: last.map_or([0; 32], |entry| entry.digest),
        digest: [0; 32],
    };
    entry.digest = mac(&management.audit_chain, &[&entry.canonical()]);
    work.audit().append(scope, &entry).await?;
    Ok(entry)
}

#[cfg(test)]
mod tests;

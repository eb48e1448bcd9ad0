//! The audit log's writing end: a row chained to the one before, in the same unit of work as the change.

use lyss_domain::{AuditEntry, AuditId, AuditOutcome, TenantScope};
use lyss_repositories::UnitOfWork;
use lyss_vault::mac;

use crate::{Actor, Management, ManagementError};

/// What was done, to what, and the masked JSON of the change.
pub(crate) struct Done<'a> {
    pub action: &'a str,
    pub target: String,
    pub detail: String,
}

pub(crate) async fn append(
    management: &Management,
    work: &mut dyn UnitOfWork,
    scope: &TenantScope,
    actor: &Actor,
    done: Done<'_>,
) -> Result<(), ManagementError> {
    let last = work.audit().last(scope).await?;
    let (millis, random) = management.id_parts()?;
    let mut entry = AuditEntry {
        id: AuditId::from_parts(millis, &random),
        tenant: scope.tenant(),
        sequence: last.as_ref().map_or(1, |entry| entry.sequence + 1),
        at: management.clock.now(),
        actor: actor.name.clone(),
        address: actor.address.clone(),
        action: done.action.to_owned(),
        target: done.target,
        outcome: AuditOutcome::Done,
        detail: done.detail,
        previous: last.map_or([0; 32], |entry| entry.digest),
        digest: [0; 32],
    };
    entry.digest = mac(&management.audit_chain, &[&entry.canonical()]);
    work.audit().append(scope, &entry).await?;
    Ok(())
}

//! A change on its way: one unit of work that begins with the tenant's audit chain locked and ends with an entry in it.
//!
//! The lock is what makes checks hold: two changes of one tenant run one after the other on every database, so what
//! was read (a version, a name that is free, a policy of the same scope) is still so when the change is written.

use std::collections::BTreeMap;

use lyss_auth::permission::of_scopes;
use lyss_domain::{AuditEntry, AuditOutcome};
use lyss_repositories::UnitOfWork;

use crate::audit::{self, Note};
use crate::{Acting, Management, ManagementError};

/// Merge patch of a map: a value sets an entry, `None` removes it, the others stay.
pub type MapChange<V> = BTreeMap<String, Option<V>>;

/// An unfinished change; dropped, nothing of it happened.
pub(crate) struct Change {
    pub(crate) work: Box<dyn UnitOfWork>,
    last: Option<AuditEntry>,
}

/// What was done, to what, and the masked JSON of the change.
pub(crate) struct Done {
    pub(crate) action: &'static str,
    pub(crate) target: String,
    pub(crate) detail: String,
}

impl Management {
    pub(crate) async fn begin(&self, acting: &Acting<'_>) -> Result<Change, ManagementError> {
        let mut work = self.store.begin().await?;
        let last = work.audit().last(&acting.scope).await?;
        self.still_holds(&mut *work, acting).await?;
        Ok(Change { work, last })
    }

    /// A request may take its time between being let in and acting: a key that was revoked, ran out or lost a scope
    /// meanwhile changes nothing any more.
    async fn still_holds(
        &self,
        work: &mut dyn UnitOfWork,
        acting: &Acting<'_>,
    ) -> Result<(), ManagementError> {
        let Some(id) = acting.actor.key else { return Ok(()) };
        let now = self.clock.now();
        let holds = work.keys().get(&acting.scope, id).await?.is_some_and(|key| {
            key.revoked_at.is_none()
                && key.expires_at.is_none_or(|end| now < end)
                && of_scopes(&key.scopes).covers(acting.actor.permissions)
        });
        if holds { Ok(()) } else { Err(ManagementError::Exceeds(vec!["key"])) }
    }

    /// Writes the audit entry, commits both, and waits until this replica serves the change.
    pub(crate) async fn conclude(
        &self,
        change: Change,
        acting: &Acting<'_>,
        done: Done,
    ) -> Result<(), ManagementError> {
        let generation = self.commit(change, acting, done, true).await?;
        self.catalog.serving(generation).await;
        Ok(())
    }

    /// The same for what changes nothing that a call reads.
    pub(crate) async fn note(&self, acting: &Acting<'_>, done: Done) -> Result<(), ManagementError> {
        let change = self.begin(acting).await?;
        self.commit(change, acting, done, false).await.map(|_| ())
    }

    async fn commit(
        &self,
        mut change: Change,
        acting: &Acting<'_>,
        done: Done,
        changes_calls: bool,
    ) -> Result<i64, ManagementError> {
        let note = Note {
            actor: acting.actor.name,
            address: acting.actor.address,
            action: done.action,
            target: &done.target,
            outcome: AuditOutcome::Done,
            detail: done.detail,
        };
        audit::append(self, &mut *change.work, &acting.scope, change.last, note).await?;
        Ok(change.work.commit(changes_calls.then(|| self.clock.now())).await?)
    }
}

/// Refuses a change made for another version than the stored one.
pub(crate) fn fresh(expected: Option<i64>, stored: i64) -> Result<(), ManagementError> {
    if expected.is_some_and(|expected| expected != stored) { Err(ManagementError::Stale) } else { Ok(()) }
}

/// A field that always has a value, or one whose `None` is what removing it means.
pub(crate) fn set<T>(field: &mut T, change: Option<T>) {
    if let Some(value) = change {
        *field = value;
    }
}

/// A field whose removal brings back its type's default.
pub(crate) fn set_or_reset<T: Default>(field: &mut T, change: Option<Option<T>>) {
    if let Some(value) = change {
        *field = value.unwrap_or_default();
    }
}

/// `Some(None)` empties the map.
pub(crate) fn merge<V>(map: &mut BTreeMap<String, V>, change: Option<Option<MapChange<V>>>) {
    match change {
        None => {}
        Some(None) => map.clear(),
        Some(Some(entries)) => {
            for (key, value) in entries {
                match value {
                    Some(value) => map.insert(key, value),
                    None => map.remove(&key),
                };
            }
        }
    }
}

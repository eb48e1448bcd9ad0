//! The audit log in JSON.

use lyss_domain::{AuditEntry, AuditOutcome};
use lyss_management::{AuditHead, AuditVerdict, Broken};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::manage::schema;
use crate::manage::word::{Moment, Named};

#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(super) struct EntryDto {
    #[schema(schema_with = schema::id)]
    id: String,
    /// 1, 2, 3 … without gaps.
    sequence: i64,
    #[schema(schema_with = schema::moment)]
    at: Moment,
    /// A token's subject, `key:<id>`, `system:<part>`, or `anonymous`.
    actor: String,
    address: Option<String>,
    action: String,
    target: String,
    #[schema(schema_with = schema::word::<AuditOutcome>)]
    outcome: Named<AuditOutcome>,
    /// The change, before and after, without any secret.
    #[schema(schema_with = schema::anything)]
    detail: Box<RawValue>,
    /// Keyed digest of the entry before, 64 hex digits.
    previous: String,
    /// Keyed digest over `previous` and this entry.
    digest: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AuditVerdict)]
pub(super) struct VerdictDto {
    intact: bool,
    /// Entries that hold, from the first on.
    entries: u64,
    /// Where the chain first does not hold.
    first_bad: Option<BrokenDto>,
    /// The last entry that holds. Keep it elsewhere.
    head: Option<HeadDto>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AuditBreach)]
struct BrokenDto {
    sequence: i64,
    /// `changed`, `not_linked`, `missing`, `unreadable` or `cut_off`.
    #[schema(value_type = String)]
    what: &'static str,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AuditHead)]
struct HeadDto {
    sequence: i64,
    digest: String,
}

impl From<AuditEntry> for EntryDto {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.id.to_string(),
            sequence: entry.sequence,
            at: Moment(entry.at),
            actor: entry.actor,
            address: entry.address,
            action: entry.action,
            target: entry.target,
            outcome: Named(entry.outcome),
            // What somebody made unreadable is still shown as there.
            detail: RawValue::from_string(entry.detail).unwrap_or_else(|_| RawValue::NULL.to_owned()),
            previous: hex::encode(entry.previous),
            digest: hex::encode(entry.digest),
        }
    }
}

impl From<AuditVerdict> for VerdictDto {
    fn from(verdict: AuditVerdict) -> Self {
        let broken = |Broken { sequence, what }| BrokenDto { sequence, what: what.as_str() };
        let head = |AuditHead { sequence, digest }| HeadDto { sequence, digest };
        Self {
            intact: verdict.first_bad.is_none(),
            entries: verdict.entries,
            first_bad: verdict.first_bad.map(broken),
            head: verdict.head.map(head),
        }
    }
}

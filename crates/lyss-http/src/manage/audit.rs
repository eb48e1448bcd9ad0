//! `/api/v1/audit`: a tenant's chain of entries, and `/api/v1/platform/audit`: that of what concerns no tenant.

mod body;

use actix_web::http::Method;
use actix_web::web::Data;
use lyss_domain::AuditOutcome;
use lyss_management::{AuditFilter, AuditHead, AuditSort, Listing};

use super::authorized::{AboveTenants, Authorized};
use super::failure::Failure;
use super::managed::managed;
use super::query::Query;
use super::reply::Reply;
use super::use_cases::UseCases;
use super::{Shared, may, schema};
use crate::table::RouteEntry;
use body::{EntryDto, VerdictDto};

const OWN: &str = "/api/v1/audit";
const PLATFORM: &str = "/api/v1/platform/audit";

pub(super) fn routes() -> Vec<RouteEntry> {
    let entry = |path, handler, says| RouteEntry::managed(Method::GET, path, handler).says("audit", says);
    vec![
        filters(entry(OWN, managed(list), "List what was done to a tenant, and refused")),
        head(entry("/api/v1/audit/verify", managed(verify), "Check a tenant's chain of entries")),
        filters(entry(
            PLATFORM,
            managed(list_platform),
            "List what concerns no tenant: failed logins of unknown callers",
        )),
        head(entry(
            "/api/v1/platform/audit/verify",
            managed(verify_platform),
            "Check the chain of what concerns no tenant",
        )),
    ]
}

fn filters(entry: RouteEntry) -> RouteEntry {
    entry
        .lists::<EntryDto, AuditSort>()
        .filter("actor", schema::text())
        .filter("action", schema::text())
        .filter("target", schema::text())
        .filter("outcome", schema::word::<AuditOutcome>())
        .filter("from", schema::moment())
        .filter("until", schema::moment())
}

fn head(entry: RouteEntry) -> RouteEntry {
    entry
        .answers::<VerdictDto>()
        .explains(
            "`sequence` and `digest` of a head that was kept elsewhere show whether the end was cut off.",
        )
        .filter("sequence", schema::number())
        .filter("digest", schema::text())
}

async fn list(
    access: Authorized<may::ReadAudit>,
    query: Query,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let listing = listing(query)?;
    let (page, scope) = (listing.page, access.scope());
    let work = move |management: Shared| async move { management.list_audit(&scope, &listing).await };
    Reply::list::<_, EntryDto>(use_cases.run(work).await?, page)
}

async fn verify(
    access: Authorized<may::ReadAudit>,
    query: Query,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let (known, scope) = (known_head(query)?, access.scope());
    let work = move |management: Shared| async move { management.verify_audit(&scope, known).await };
    Reply::ok(&VerdictDto::from(use_cases.run(work).await?))
}

async fn list_platform(
    _: AboveTenants<may::ReadTenants>,
    query: Query,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let listing = listing(query)?;
    let page = listing.page;
    let work = move |management: Shared| async move { management.list_platform_audit(&listing).await };
    Reply::list::<_, EntryDto>(use_cases.run(work).await?, page)
}

async fn verify_platform(
    _: AboveTenants<may::ReadTenants>,
    query: Query,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let known = known_head(query)?;
    let work = move |management: Shared| async move { management.verify_platform_audit(known).await };
    Reply::ok(&VerdictDto::from(use_cases.run(work).await?))
}

fn listing(mut query: Query) -> Result<Listing<AuditFilter, AuditSort>, Failure> {
    let filter = AuditFilter {
        actor: query.text("actor"),
        action: query.text("action"),
        target: query.text("target"),
        outcome: query.word("outcome"),
        from: query.moment("from"),
        until: query.moment("until"),
    };
    query.listing(filter)
}

fn known_head(mut query: Query) -> Result<Option<AuditHead>, Failure> {
    let sequence = query.parsed("sequence", "must be a whole number");
    let digest = query.text("digest");
    query.done()?;
    match (sequence, digest) {
        (None, None) => Ok(None),
        (Some(_), Some(digest)) if digest.len() != 64 || !digest.bytes().all(|b| b.is_ascii_hexdigit()) => {
            Err(Failure::field("digest", "must be 64 hex digits"))
        }
        (Some(sequence), Some(digest)) => {
            Ok(Some(AuditHead { sequence, digest: digest.to_ascii_lowercase() }))
        }
        (Some(_), None) => Err(Failure::field("digest", "is required beside sequence")),
        (None, Some(_)) => Err(Failure::field("sequence", "is required beside digest")),
    }
}

use std::time::Duration;

use lyss_domain::Role;
use lyss_repositories::{AuditFilter, Listing};
use serde_json::Value;

use super::refusals::ENTRIES_PER_ADDRESS;
use crate::office::{Office, channel};
use crate::{AuditVerdict, Breach, Management};

/// A tenant whose chain has `count` entries.
async fn chain_of(count: usize) -> Office {
    let office = Office::open().await;
    for number in 1..count {
        let draft = crate::KeyDraft::new(&format!("key-{number}"));
        office.management.create_key(&office.acting(), draft).await.unwrap();
    }
    office
}

async fn verdict(office: &Office) -> AuditVerdict {
    office.management.verify_audit(&office.scope, None).await.unwrap()
}

async fn broken_at(office: &Office) -> Option<(i64, Breach)> {
    verdict(office).await.first_bad.map(|broken| (broken.sequence, broken.what))
}

fn mine(office: &Office) -> String {
    // SQLite keeps ids as 16 bytes.
    format!("tenant_id = x'{}'", office.scope.tenant().0.simple())
}

#[tokio::test]
async fn an_untouched_chain_holds_and_tells_its_head() {
    let office = chain_of(5).await;
    let found = verdict(&office).await;
    assert_eq!((found.entries, found.first_bad), (5, None));
    let head = found.head.unwrap();
    assert_eq!(head.sequence, 5);
    assert_eq!(head.digest, hex::encode(office.audit().await.pop().unwrap().digest));
    let known = office.management.verify_audit(&office.scope, Some(head)).await.unwrap();
    assert_eq!(known.first_bad, None);
    office.close().await;
}

#[tokio::test]
async fn whatever_is_done_to_a_row_is_found_with_its_place() {
    let cases = [
        ("UPDATE audit_entries SET actor = 'somebody else' WHERE sequence = 3 AND", (3, Breach::Digest)),
        ("UPDATE audit_entries SET outcome = 'nonsense' WHERE sequence = 3 AND", (3, Breach::Unreadable)),
        ("UPDATE audit_entries SET previous = zeroblob(32) WHERE sequence = 3 AND", (3, Breach::Link)),
        ("DELETE FROM audit_entries WHERE sequence = 3 AND", (4, Breach::Gap)),
        ("DELETE FROM audit_entries WHERE sequence = 1 AND", (2, Breach::Gap)),
        ("UPDATE audit_entries SET sequence = -3 WHERE sequence = 3 AND", (-3, Breach::Gap)),
        (
            "UPDATE audit_entries SET sequence = CASE sequence WHEN 2 THEN 99 ELSE sequence END WHERE",
            (3, Breach::Gap),
        ),
    ];
    for (sql, expected) in cases {
        let office = chain_of(5).await;
        office.database.tamper(&format!("{sql} {}", mine(&office))).await;
        assert_eq!(broken_at(&office).await, Some(expected), "{sql}");
        office.close().await;
    }
}

#[tokio::test]
async fn two_rows_that_changed_places_are_found() {
    let office = chain_of(5).await;
    for (from, to) in [(2, 1_000), (3, 2), (1_000, 3)] {
        let sql =
            format!("UPDATE audit_entries SET sequence = {to} WHERE sequence = {from} AND {}", mine(&office));
        office.database.tamper(&sql).await;
    }
    assert_eq!(broken_at(&office).await, Some((2, Breach::Link)));
    office.close().await;
}

#[tokio::test]
async fn an_end_that_was_cut_off_is_found_by_a_head_kept_elsewhere() {
    let office = chain_of(5).await;
    let head = verdict(&office).await.head;
    office
        .database
        .tamper(&format!("DELETE FROM audit_entries WHERE sequence > 3 AND {}", mine(&office)))
        .await;
    assert_eq!(broken_at(&office).await, None, "the chain alone cannot tell");
    let against = office.management.verify_audit(&office.scope, head.clone()).await.unwrap();
    assert_eq!(against.first_bad.map(|broken| (broken.sequence, broken.what)), Some((4, Breach::CutOff)));
    // Nor do new entries in the place of the old ones deceive it.
    for name in ["x", "y", "z"] {
        office.management.create_key(&office.acting(), crate::KeyDraft::new(name)).await.unwrap();
    }
    let against = office.management.verify_audit(&office.scope, head).await.unwrap();
    assert_eq!(against.first_bad.map(|broken| (broken.sequence, broken.what)), Some((5, Breach::CutOff)));
    office.close().await;
}

#[tokio::test]
async fn a_chain_longer_than_a_page_is_read_whole() {
    let office = Office::open().await;
    let management: &Management = &office.management;
    let admin = office.principal(Role::TenantAdmin);
    let mut work = management.store.begin().await.unwrap();
    let mut last = work.audit().last(&office.scope).await.unwrap();
    for number in 0..2_500 {
        let note = super::Note {
            actor: &admin.name,
            address: None,
            action: "key.update",
            target: &format!("key:{number}"),
            outcome: lyss_domain::AuditOutcome::Done,
            detail: "{}".to_owned(),
        };
        last = Some(super::append(management, &mut *work, &office.scope, last, note).await.unwrap());
    }
    work.commit(None).await.unwrap();
    assert_eq!((verdict(&office).await.entries, verdict(&office).await.first_bad), (2_501, None));
    let sql = format!("UPDATE audit_entries SET outcome = 'x' WHERE sequence = 2200 AND {}", mine(&office));
    office.database.tamper(&sql).await;
    assert_eq!(broken_at(&office).await, Some((2_200, Breach::Unreadable)));
    office.close().await;
}

#[tokio::test]
async fn entries_are_listed_by_what_they_say() {
    let office = chain_of(3).await;
    office.management.create_channel(&office.acting(), channel("one")).await.unwrap();
    let filter = AuditFilter { action: Some("key.create".to_owned()), ..AuditFilter::default() };
    let listing = Listing { filter, ..Listing::default() };
    assert_eq!(office.management.list_audit(&office.scope, &listing).await.unwrap().total, 2);
    assert_eq!(office.management.list_audit(&office.foreign, &listing).await.unwrap().total, 0);
    office.close().await;
}

#[tokio::test]
async fn refusals_are_written_where_they_belong() {
    let office = Office::open().await;
    let viewer = office.principal(Role::Viewer);
    let address = Some("192.0.2.7");
    office.management.denied(Some(&viewer), address, "channel.create", "channel", "channels:write").await;
    let (entry, detail) = office.last_entry().await;
    assert_eq!((entry.actor.as_str(), entry.outcome.as_str()), ("viewer", "denied"));
    assert_eq!((entry.address.as_deref(), &detail["reason"]), (address, &"channels:write".into()));
    let above = office.principal(Role::PlatformAdmin);
    office.management.denied(Some(&above), address, "key.read", &"x\n".repeat(1_000), "no tenant").await;
    office.management.failed_login(address, "expired").await;
    let chain = office.platform_audit().await;
    let seen: Vec<_> = chain.iter().map(|entry| (entry.actor.as_str(), entry.outcome.as_str())).collect();
    assert_eq!(seen, [("platform_admin", "denied"), ("anonymous", "failed")]);
    assert!(chain[0].target.len() <= 256 && !chain[0].target.contains('\n'));
    assert_eq!(office.management.verify_platform_audit(None).await.unwrap().entries, 2);
    office.close().await;
}

#[tokio::test]
async fn a_flood_of_refusals_leaves_a_count() {
    let office = Office::open().await;
    for number in 0..100 {
        let address = if number < 50 { "192.0.2.7" } else { "2001:db8::1" };
        office.management.failed_login(Some(address), "unknown").await;
        // One owner of IPv6 has a whole /64 of addresses.
        office.management.failed_login(Some(&format!("2001:db8:1::{number:x}")), "unknown").await;
    }
    let written = office.platform_audit().await.len();
    assert_eq!(written, 3 * ENTRIES_PER_ADDRESS as usize);
    office.clock.advance(Duration::from_secs(61));
    office.management.note_suppressed().await;
    office.management.note_suppressed().await;
    let chain = office.platform_audit().await;
    assert_eq!(chain.len(), written + 1);
    let entry = &chain[written];
    let detail: Value = serde_json::from_str(&entry.detail).unwrap();
    assert_eq!((entry.action.as_str(), &detail["suppressed"]), ("audit.suppress", &140.into()));
    assert_eq!(detail["who"]["192.0.2.7"], 30);
    assert_eq!(detail["who"]["2001:db8:1::/64"], 80);
    office.management.failed_login(Some("192.0.2.7"), "unknown").await;
    assert_eq!(office.platform_audit().await.len(), written + 2, "a new minute has room again");
    office.close().await;
}

#[tokio::test]
async fn no_strangers_noise_covers_what_somebody_known_tries() {
    let office = Office::open().await;
    let viewer = office.principal(Role::Viewer);
    let address = Some("192.0.2.7");
    for _ in 0..100 {
        office.management.failed_login(address, "unknown").await;
    }
    office.management.denied(Some(&viewer), address, "keys:write", "POST /api/v1/keys", "lacks").await;
    let (entry, _) = office.last_entry().await;
    assert_eq!((entry.actor.as_str(), entry.action.as_str()), ("viewer", "keys:write"));
    office.close().await;
}

#[tokio::test]
async fn a_refusal_that_cannot_be_written_harms_nobody() {
    let office = Office::open().await;
    office.break_audit().await;
    office.management.failed_login(None, "unknown").await;
    office.management.denied(None, None, "a", "b", "c").await;
    office.close().await;
}

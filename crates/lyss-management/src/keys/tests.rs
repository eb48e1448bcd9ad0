use lyss_auth::permission::of_scopes;
use lyss_auth::{Credential, Principal};
use lyss_domain::{Clock, Role};
use lyss_testkit::samples::{channel_id, key_id};

use super::*;
use crate::office::{Office, beyond, channel, conflict, is_missing, is_stale, refused};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn admins(name: &str) -> KeyDraft {
    KeyDraft { scopes: vec![KeyScope::ManagementWrite], ..KeyDraft::new(name) }
}

fn as_key(key: &VirtualKey) -> Principal {
    Principal {
        name: format!("key:{}", key.id),
        credential: Credential::Key(key.id),
        permissions: of_scopes(&key.scopes),
        home: Some(key.tenant),
    }
}

/// Whether a text opens something now, and which key.
fn opens(office: &Office, text: &Secret) -> Option<KeyId> {
    let catalog = office.management.catalog.load();
    let (key, by) = catalog.key(&office.management.key_digest(text))?;
    by.holds(office.clock.now()).then_some(key.id)
}

#[tokio::test]
async fn a_name_is_enough_and_the_text_is_shown_once() {
    let office = Office::open().await;
    let made = office.management.create_key(&office.acting(), KeyDraft::new("app")).await.unwrap();
    assert_eq!((made.key.scopes.as_slice(), made.key.may_steer), ([KeyScope::Proxy].as_slice(), false));
    assert_eq!(opens(&office, &made.text), Some(made.key.id));
    assert_eq!(office.management.key(&office.scope, made.key.id).await.unwrap(), made.key);
    let (entry, detail) = office.last_entry().await;
    assert_eq!(
        (entry.action.as_str(), &detail["after"]["hint"]),
        ("key.create", &made.key.hint.as_str().into())
    );
    assert!(!entry.detail.contains("digest"));
    let again = office.management.create_key(&office.acting(), KeyDraft::new("app")).await;
    assert_eq!(conflict(again.map(|_| ())), Some("name"));
    let listed = office.management.list_keys(&office.scope, &Listing::default()).await.unwrap();
    assert_eq!(listed.items, [made.key]);
    office.close().await;
}

#[tokio::test]
async fn every_bad_field_is_told_and_foreign_channels_are_not_there() {
    let office = Office::open().await;
    let management = &office.management;
    let theirs = management.create_channel(&office.acting_abroad(), channel("one")).await.unwrap().channel.id;
    let bad = KeyDraft {
        scopes: vec![KeyScope::Proxy, KeyScope::Proxy],
        models: vec![String::new()],
        channels: vec![theirs],
        tags: vec![String::new()],
        allowed_ips: vec!["10.0.0.0/8".to_owned(), "::1".to_owned(), "10.0.0.0/99".to_owned()],
        limits: KeyLimits { requests_per_minute: Some(0), tokens_per_minute: Some(0) },
        expires_at: Some(office.clock.now()),
        ..KeyDraft::new("")
    };
    let bad = management.create_key(&office.acting(), bad).await.map(|_| ());
    assert_eq!(
        refused(bad),
        [
            "allowed_ips",
            "channels",
            "expires_at",
            "limits.rpm",
            "limits.tpm",
            "models",
            "name",
            "scopes",
            "tags"
        ]
    );
    let missing = KeyDraft { channels: vec![channel_id(9)], ..KeyDraft::new("x") };
    assert_eq!(refused(management.create_key(&office.acting(), missing).await.map(|_| ())), ["channels"]);
    office.close().await;
}

#[tokio::test]
async fn a_change_is_a_merge_at_a_version() {
    let office = Office::open().await;
    let (acting, management) = (office.acting(), &office.management);
    let soon = office.clock.now().after(DAY);
    let draft = KeyDraft {
        limits: KeyLimits { requests_per_minute: Some(5), tokens_per_minute: None },
        expires_at: Some(soon),
        ..KeyDraft::new("app")
    };
    let id = management.create_key(&acting, draft).await.unwrap().key.id;
    let limits = KeyLimitsChange { tokens_per_minute: Some(Some(9)), ..KeyLimitsChange::default() };
    let patch = KeyChange {
        limits: Some(Some(limits)),
        models: Some(Some(vec!["gpt-*".to_owned()])),
        scopes: Some(None),
        ..KeyChange::default()
    };
    let changed = management.change_key(&acting, id, Some(1), patch.clone()).await.unwrap();
    let limits = KeyLimits { requests_per_minute: Some(5), tokens_per_minute: Some(9) };
    assert_eq!((changed.limits, changed.version), (limits, 2));
    assert!(is_stale(&management.change_key(&acting, id, Some(1), patch).await));
    // What has passed meanwhile is no reason to refuse another change.
    office.clock.advance(DAY * 2);
    let renamed = KeyChange { name: Some("other".to_owned()), ..KeyChange::default() };
    management.change_key(&acting, id, None, renamed).await.unwrap();
    let endless = KeyChange { expires_at: Some(None), limits: Some(None), ..KeyChange::default() };
    let changed = management.change_key(&acting, id, None, endless).await.unwrap();
    assert_eq!((changed.expires_at, changed.limits), (None, KeyLimits::default()));
    assert_eq!(office.last_entry().await.0.action, "key.update");
    office.close().await;
}

#[tokio::test]
async fn a_rotated_key_has_a_new_text_and_the_old_one_ends_in_time() {
    let office = Office::open().await;
    let (acting, management) = (office.acting(), &office.management);
    let made = management.create_key(&acting, KeyDraft::new("app")).await.unwrap();
    let id = made.key.id;
    let second = management.rotate_key(&acting, id, DAY).await.unwrap();
    assert_eq!(second.key.id, id);
    assert_eq!((opens(&office, &made.text), opens(&office, &second.text)), (Some(id), Some(id)));
    office.clock.advance(DAY);
    assert_eq!((opens(&office, &made.text), opens(&office, &second.text)), (None, Some(id)));
    // Without overlap the old text ends at once, and so does one that was still in its overlap.
    let third = management.rotate_key(&acting, id, DAY).await.unwrap();
    let fourth = management.rotate_key(&acting, id, Duration::ZERO).await.unwrap();
    assert_eq!((opens(&office, &third.text), opens(&office, &second.text)), (None, None));
    assert_eq!(opens(&office, &fourth.text), Some(id));
    let (entry, detail) = office.last_entry().await;
    assert_eq!(entry.action, "key.rotate");
    assert_ne!(detail["before"]["hint"], detail["after"]["hint"]);
    let too_long = management.rotate_key(&acting, id, MAX_OVERLAP + DAY).await.map(|_| ());
    assert_eq!(refused(too_long), ["overlap_seconds"]);
    let revoked = management.revoke_key(&acting, id).await.unwrap();
    assert_eq!(revoked.revoked_at, Some(office.clock.now()));
    assert_eq!(management.revoke_key(&acting, id).await.unwrap(), revoked);
    let again = management.rotate_key(&acting, id, Duration::ZERO).await.map(|_| ());
    assert_eq!(conflict(again), Some("revoked_at"));
    office.close().await;
}

#[tokio::test]
async fn nobody_makes_changes_rotates_or_removes_a_key_beyond_their_own_permissions() {
    let office = Office::open().await;
    let management = &office.management;
    let admin = office.principal(Role::TenantAdmin);
    let above = Acting::new(office.scope, &admin, None);
    let strong = management.create_key(&above, admins("strong")).await.unwrap().key;
    let weak = management.create_key(&above, KeyDraft::new("weak")).await.unwrap().key;
    let developer = office.principal(Role::Developer);
    let acting = Acting::new(office.scope, &developer, None);
    let missing = [
        "alerts:write",
        "channels:operate",
        "channels:write",
        "prices:write",
        "providers:write",
        "quotas:write",
    ];
    let renamed = KeyChange { name: Some("mine".to_owned()), ..KeyChange::default() };
    assert_eq!(beyond(management.create_key(&acting, admins("x")).await.map(|_| ())), missing);
    assert_eq!(beyond(management.change_key(&acting, strong.id, None, renamed.clone()).await), missing);
    let narrowed = KeyChange { scopes: Some(Some(vec![KeyScope::Proxy])), ..KeyChange::default() };
    assert_eq!(beyond(management.change_key(&acting, strong.id, None, narrowed).await), missing);
    let widened = KeyChange { scopes: Some(Some(vec![KeyScope::ManagementWrite])), ..KeyChange::default() };
    assert_eq!(beyond(management.change_key(&acting, weak.id, None, widened).await), missing);
    let rotated = management.rotate_key(&acting, strong.id, Duration::ZERO).await.map(|_| ());
    assert_eq!(beyond(rotated), missing);
    assert_eq!(beyond(management.revoke_key(&acting, strong.id).await), missing);
    assert_eq!(beyond(management.delete_key(&acting, strong.id, None).await), missing);
    assert_eq!(beyond(management.put_key(&acting, KeyDraft::new("strong")).await.map(|_| ())), missing);
    assert_eq!(management.key(&office.scope, strong.id).await.unwrap(), strong, "nothing happened to it");
    management.change_key(&acting, weak.id, None, renamed).await.unwrap();
    management.rotate_key(&acting, weak.id, Duration::ZERO).await.unwrap();
    management.delete_key(&acting, weak.id, None).await.unwrap();
    office.close().await;
}

/// For every role and every set of scopes: what comes of a call is covered by what the caller had.
#[tokio::test]
async fn grants_never_exceed_the_grantors_own() {
    let office = Office::open().await;
    for role in Role::ALL {
        let somebody = office.principal(role);
        let acting = Acting::new(office.scope, &somebody, None);
        for bits in 1_u8..8 {
            let scopes: Vec<_> =
                (0..3).filter(|bit| bits & 1 << bit != 0).map(|bit| KeyScope::ALL[bit]).collect();
            let may = somebody.permissions.covers(of_scopes(&scopes));
            let draft = KeyDraft { scopes, ..KeyDraft::new(&format!("{role:?}-{bits}")) };
            let made = office.management.create_key(&acting, draft).await;
            assert_eq!(made.is_ok(), may, "{role:?} {bits}");
            assert_eq!(beyond(made.map(|_| ())).is_empty(), may);
        }
    }
    office.close().await;
}

#[tokio::test]
async fn a_key_gives_no_key_what_it_does_not_have_itself() {
    let office = Office::open().await;
    let (above, management) = (office.acting(), &office.management);
    let route = management.create_channel(&above, channel("one")).await.unwrap().channel.id;
    let soon = office.clock.now().after(DAY);
    let bounded = KeyDraft {
        scopes: vec![KeyScope::Proxy, KeyScope::ManagementWrite],
        models: vec!["gpt-*".to_owned()],
        channels: vec![route],
        tags: vec!["eu".to_owned()],
        allowed_ips: vec!["10.0.0.0/8".to_owned()],
        limits: KeyLimits { requests_per_minute: Some(10), tokens_per_minute: Some(100) },
        expires_at: Some(soon),
        ..KeyDraft::new("grantor")
    };
    let grantor = management.create_key(&above, bounded.clone()).await.unwrap().key;
    let principal = as_key(&grantor);
    let acting = Acting::new(office.scope, &principal, None);
    let all =
        ["allowed_ips", "channels", "expires_at", "limits.rpm", "limits.tpm", "may_steer", "models", "tags"];
    let free = KeyDraft { may_steer: true, ..KeyDraft::new("free") };
    assert_eq!(beyond(management.create_key(&acting, free).await.map(|_| ())), all);
    let within = KeyDraft {
        models: vec!["gpt-4o".to_owned(), "gpt-5*".to_owned()],
        allowed_ips: vec!["10.1.2.3".to_owned()],
        name: "within".to_owned(),
        ..bounded
    };
    management.create_key(&acting, within).await.unwrap();
    // Nor to itself.
    let longer = KeyChange { expires_at: Some(None), ..KeyChange::default() };
    assert_eq!(beyond(management.change_key(&acting, grantor.id, None, longer).await), ["expires_at"]);
    management.delete_key(&above, grantor.id, None).await.unwrap();
    let gone = management.create_key(&acting, KeyDraft::new("late")).await.map(|_| ());
    assert_eq!(beyond(gone), ["key"]);
    office.close().await;
}

#[tokio::test]
async fn a_foreign_key_is_as_missing_as_one_that_never_was() {
    let office = Office::open().await;
    let management = &office.management;
    let theirs = management.create_key(&office.acting_abroad(), KeyDraft::new("app")).await.unwrap().key.id;
    let acting = office.acting();
    let mut answers = Vec::new();
    for id in [theirs, key_id(9)] {
        let read = management.key(&office.scope, id).await;
        let patch = KeyChange { name: Some("x".to_owned()), ..KeyChange::default() };
        let changed = management.change_key(&acting, id, Some(1), patch).await;
        let rotated = management.rotate_key(&acting, id, DAY).await.map(|_| ());
        let revoked = management.revoke_key(&acting, id).await;
        let deleted = management.delete_key(&acting, id, Some(7)).await;
        assert!(is_missing(&read, Noun::Key));
        answers.push(format!("{read:?} {changed:?} {rotated:?} {revoked:?} {deleted:?}"));
    }
    assert_eq!(answers[0], answers[1]);
    office.close().await;
}

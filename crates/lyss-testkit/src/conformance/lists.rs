//! Lists: what they may be filtered and sorted by, and that their pages fit together.

use lyss_domain::{
    AuditEntry, AuditOutcome, Channel, ChannelState, PolicyMode, PolicyScope, Provider, ProviderKind,
    QuotaPolicy, ScopeKind, Tenant, VirtualKey, Window,
};
use lyss_repositories::{
    AuditFilter, AuditSort, ChannelFilter, ChannelSort, KeyFilter, KeySort, Listing, Page, PolicyFilter,
    PolicySort, PriceFilter, PriceSort, ProviderFilter, ProviderSort, Sort, TenantFilter, TenantSort,
};

use super::{begin, commit, page, read, with_two_tenants};
use crate::database::TestDatabase;
use crate::samples::*;

pub async fn of_tenants_filter_and_sort(db: &TestDatabase) {
    let made = |number: u64, slug: &str, name: &str| Tenant {
        slug: slug.to_owned(),
        name: name.to_owned(),
        enabled: number != 2,
        created_at: at(10 - number),
        updated_at: at(20 + number % 2),
        ..tenant(number)
    };
    let mut work = begin(db).await;
    for tenant in [made(1, "acme", "Zoo_1"), made(2, "beta", "aCMe %"), made(3, "gamma", "Élan")] {
        work.tenants().create(&tenant).await.unwrap();
    }
    commit(work).await;

    let mut work = read(db).await;
    let mut slugs = async |filter: TenantFilter, by, descending| -> Vec<String> {
        let listing = Listing { filter, sort: Sort { by, descending }, page: Page::FIRST };
        let found = work.tenants().list(&listing).await.unwrap();
        assert_eq!(found.total, u64::try_from(found.items.len()).unwrap());
        found.items.into_iter().map(|tenant| tenant.slug).collect()
    };
    let all = TenantFilter::default;
    assert_eq!(slugs(all(), TenantSort::Slug, true).await, ["gamma", "beta", "acme"]);
    // Bytewise: capitals before small letters before accents, whatever the server's locale.
    assert_eq!(slugs(all(), TenantSort::Name, false).await, ["acme", "beta", "gamma"]);
    assert_eq!(slugs(all(), TenantSort::CreatedAt, false).await, ["gamma", "beta", "acme"]);
    assert_eq!(slugs(all(), TenantSort::UpdatedAt, false).await, ["beta", "acme", "gamma"]);
    assert_eq!(slugs(all(), TenantSort::UpdatedAt, true).await, ["gamma", "acme", "beta"]);

    let enabled = TenantFilter { enabled: Some(false), ..all() };
    assert_eq!(slugs(enabled, TenantSort::Slug, false).await, ["beta"]);
    let in_either = TenantFilter { search: Some("Acme".to_owned()), ..all() };
    assert_eq!(slugs(in_either.clone(), TenantSort::Slug, false).await, ["acme", "beta"]);
    let both = TenantFilter { enabled: Some(true), ..in_either };
    assert_eq!(slugs(both, TenantSort::Slug, false).await, ["acme"]);
}

/// No sign of a search stands for others; beyond ASCII, capitals are letters of their own.
pub async fn search_signs_as_themselves(db: &TestDatabase) {
    let names = ["100%", "100 pct", "a_b", "axb", r"back\slash", "Ünder", "it's \"so\""];
    let mut work = begin(db).await;
    for (number, name) in (1..).zip(names) {
        let tenant = Tenant { name: name.to_owned(), ..tenant(number) };
        work.tenants().create(&tenant).await.unwrap();
    }
    commit(work).await;

    let mut work = read(db).await;
    for (text, found) in [
        ("100%", &["100%"][..]),
        ("100", &["100%", "100 pct"]),
        ("%", &["100%"]),
        ("_", &["a_b"]),
        ("A_B", &["a_b"]),
        ("a.b", &[]),
        (r"\", &[r"back\slash"]),
        (r"K\S", &[r"back\slash"]),
        ("Ünd", &["Ünder"]),
        ("ünd", &[]),
        ("'s \"", &["it's \"so\""]),
        ("' OR 1=1 --", &[]),
        ("tenant-7", &["it's \"so\""]),
        ("a\0b", &[]),
        ("", &names),
    ] {
        let filter = TenantFilter { search: Some(text.to_owned()), ..TenantFilter::default() };
        let listed = work.tenants().list(&Listing { filter, ..page(1, 50) }).await.unwrap();
        let listed: Vec<_> = listed.items.iter().map(|tenant| tenant.name.as_str()).collect();
        assert_eq!(listed, found, "{text:?}");
    }
    // As long as anybody may send it.
    let endless = TenantFilter { search: Some("%_".repeat(100_000)), ..TenantFilter::default() };
    assert_eq!(work.tenants().list(&Listing { filter: endless, ..page(1, 50) }).await.unwrap().total, 0);
}

pub async fn of_providers_filter_and_sort(db: &TestDatabase) {
    with_two_tenants(db).await;
    let made = |slug: &str, name: &str, kind, second| Provider {
        name: name.to_owned(),
        kind,
        created_at: at(second),
        updated_at: at(9 - second),
        ..provider(1, slug)
    };
    let mut work = begin(db).await;
    for provider in [
        made("aa", "two", ProviderKind::OpenAiCompatible, 1),
        made("bb", "One", ProviderKind::Anthropic, 2),
        made("cc", "aa", ProviderKind::OpenAiCompatible, 3),
    ] {
        work.providers().create(&scope(1), &provider).await.unwrap();
    }
    work.providers().create(&scope(2), &provider(2, "aa")).await.unwrap();
    commit(work).await;

    let mut work = read(db).await;
    let mut slugs = async |filter: ProviderFilter, by, descending| -> Vec<String> {
        let listing = Listing { filter, sort: Sort { by, descending }, page: Page::FIRST };
        let found = work.providers().list(&scope(1), &listing).await.unwrap();
        found.items.into_iter().map(|provider| provider.slug.as_str().to_owned()).collect()
    };
    let all = ProviderFilter::default;
    assert_eq!(slugs(all(), ProviderSort::Slug, true).await, ["cc", "bb", "aa"]);
    assert_eq!(slugs(all(), ProviderSort::Name, false).await, ["bb", "cc", "aa"]);
    assert_eq!(slugs(all(), ProviderSort::CreatedAt, false).await, ["aa", "bb", "cc"]);
    assert_eq!(slugs(all(), ProviderSort::UpdatedAt, false).await, ["cc", "bb", "aa"]);
    let compatible = ProviderFilter { kind: Some(ProviderKind::OpenAiCompatible), ..all() };
    assert_eq!(slugs(compatible, ProviderSort::Slug, false).await, ["aa", "cc"]);
    let named = ProviderFilter { search: Some("AA".to_owned()), ..all() };
    assert_eq!(slugs(named, ProviderSort::Slug, false).await, ["aa", "cc"]);
}

pub async fn of_channels_filter_and_sort(db: &TestDatabase) {
    with_two_tenants(db).await;
    let made = |number: u64, weight, priority, group: Option<&str>| Channel {
        weight,
        priority,
        group: group.map(str::to_owned),
        state: if number == 2 { ChannelState::Draining } else { ChannelState::Enabled },
        created_at: at(10 - number),
        updated_at: at(20 + number),
        ..channel(1, number)
    };
    let mut work = begin(db).await;
    for channel in [made(1, 5, 0, Some("a")), made(2, 9, -1, Some("A")), made(3, 5, 2, None)] {
        work.channels().create(&scope(1), &channel).await.unwrap();
    }
    work.channels().create(&scope(2), &channel(2, 4)).await.unwrap();
    commit(work).await;

    let mut work = read(db).await;
    let mut numbers = async |filter: ChannelFilter, by, descending| -> Vec<u64> {
        let listing = Listing { filter, sort: Sort { by, descending }, page: Page::FIRST };
        let found = work.channels().list(&scope(1), &listing).await.unwrap();
        found.items.iter().map(|channel| channel.id.0.as_u64_pair().1).collect()
    };
    let all = ChannelFilter::default;
    assert_eq!(numbers(all(), ChannelSort::Name, true).await, [3, 2, 1]);
    assert_eq!(numbers(all(), ChannelSort::Weight, false).await, [1, 3, 2]);
    assert_eq!(numbers(all(), ChannelSort::Weight, true).await, [2, 3, 1]);
    assert_eq!(numbers(all(), ChannelSort::Priority, false).await, [2, 1, 3]);
    assert_eq!(numbers(all(), ChannelSort::CreatedAt, false).await, [3, 2, 1]);
    assert_eq!(numbers(all(), ChannelSort::UpdatedAt, false).await, [1, 2, 3]);
    let state = ChannelFilter { state: Some(ChannelState::Draining), ..all() };
    assert_eq!(numbers(state, ChannelSort::Name, false).await, [2]);
    let group = ChannelFilter { group: Some("a".to_owned()), ..all() };
    assert_eq!(numbers(group, ChannelSort::Name, false).await, [1]);
    let search = ChannelFilter { search: Some("EL-0003".to_owned()), ..all() };
    assert_eq!(numbers(search, ChannelSort::Name, false).await, [3]);
}

/// One of the tags, whole, whatever signs it has.
pub async fn of_channels_find_exact_tags(db: &TestDatabase) {
    with_two_tenants(db).await;
    let tags =
        ["eu", "eu-west", "say \"hi\"", "it's", "a,b", "50%", "a_b", r"c:\d", "ü", "[\"eu\"]", "null", ""];
    let mut work = begin(db).await;
    for (number, tag) in (1..).zip(tags) {
        let tagged = Channel { tags: vec!["every".to_owned(), tag.to_owned()], ..channel(1, number) };
        work.channels().create(&scope(1), &tagged).await.unwrap();
    }
    work.channels().create(&scope(1), &Channel { tags: Vec::new(), ..channel(1, 99) }).await.unwrap();
    work.channels().create(&scope(2), &channel(2, 1)).await.unwrap();
    commit(work).await;

    let mut work = read(db).await;
    let mut numbers = async |tag: &str| -> Vec<u64> {
        let filter = ChannelFilter { tag: Some(tag.to_owned()), ..ChannelFilter::default() };
        let found = work.channels().list(&scope(1), &Listing { filter, ..page(1, 50) }).await.unwrap();
        found.items.iter().map(|channel| channel.id.0.as_u64_pair().1).collect()
    };
    for (number, tag) in (1..).zip(tags) {
        assert_eq!(numbers(tag).await, [number], "{tag:?}");
    }
    for absent in ["EU", "e", "eu\",\"every", "a", "%", "5_%", "e%", "a\0b"] {
        assert_eq!(numbers(absent).await, Vec::<u64>::new(), "{absent:?}");
    }
    assert_eq!(numbers("every").await.len(), tags.len());
}

pub async fn of_keys_filter_and_sort(db: &TestDatabase) {
    with_two_tenants(db).await;
    let made = |number: u64, revoked: bool, expires, used| VirtualKey {
        revoked_at: revoked.then(|| at(5)),
        expires_at: expires,
        last_used_at: used,
        created_at: at(10 - number),
        ..virtual_key(1, number)
    };
    let mut work = begin(db).await;
    for key in [
        made(1, false, None, Some(at(9))),
        made(2, true, Some(at(8)), None),
        made(3, false, Some(at(7)), Some(at(6))),
    ] {
        work.keys().create(&scope(1), &key).await.unwrap();
    }
    work.keys().create(&scope(2), &virtual_key(2, 4)).await.unwrap();
    commit(work).await;

    let mut work = read(db).await;
    let mut numbers = async |filter: KeyFilter, by, descending| -> Vec<u64> {
        let listing = Listing { filter, sort: Sort { by, descending }, page: Page::FIRST };
        let found = work.keys().list(&scope(1), &listing).await.unwrap();
        found.items.iter().map(|key| key.id.0.as_u64_pair().1).collect()
    };
    let all = KeyFilter::default;
    assert_eq!(numbers(all(), KeySort::Name, true).await, [3, 2, 1]);
    assert_eq!(numbers(all(), KeySort::CreatedAt, false).await, [3, 2, 1]);
    // Never comes last, in either direction.
    assert_eq!(numbers(all(), KeySort::ExpiresAt, false).await, [3, 2, 1]);
    assert_eq!(numbers(all(), KeySort::ExpiresAt, true).await, [2, 3, 1]);
    assert_eq!(numbers(all(), KeySort::LastUsedAt, false).await, [3, 1, 2]);
    assert_eq!(numbers(all(), KeySort::LastUsedAt, true).await, [1, 3, 2]);
    let revoked = |revoked| KeyFilter { revoked: Some(revoked), ..all() };
    assert_eq!(numbers(revoked(true), KeySort::Name, false).await, [2]);
    assert_eq!(numbers(revoked(false), KeySort::Name, false).await, [1, 3]);
    let search = KeyFilter { search: Some("KEY-0003".to_owned()), ..all() };
    assert_eq!(numbers(search, KeySort::Name, false).await, [3]);
}

pub async fn of_policies_filter_and_sort(db: &TestDatabase) {
    with_two_tenants(db).await;
    let made = |number: u64, about, window, mode| QuotaPolicy {
        window,
        mode,
        created_at: at(number),
        updated_at: at(10 - number),
        ..policy(1, number, about)
    };
    let [enforce, shadow] = [PolicyMode::Enforce, PolicyMode::Shadow];
    let mut work = begin(db).await;
    work.keys().create(&scope(1), &virtual_key(1, 1)).await.unwrap();
    work.channels().create(&scope(1), &channel(1, 1)).await.unwrap();
    for policy in [
        made(1, PolicyScope::Tenant, Window::Day, enforce),
        made(2, PolicyScope::Key(key_id(1)), Window::Day, shadow),
        made(3, PolicyScope::Channel(channel_id(1)), Window::Month, enforce),
        made(4, PolicyScope::Model("gpt-*".to_owned()), Window::Hour, shadow),
    ] {
        work.policies().create(&scope(1), &policy).await.unwrap();
    }
    work.policies().create(&scope(2), &policy(2, 5, PolicyScope::Tenant)).await.unwrap();
    commit(work).await;

    let mut work = read(db).await;
    let mut numbers = async |filter: PolicyFilter, by, descending| -> Vec<u64> {
        let listing = Listing { filter, sort: Sort { by, descending }, page: Page::FIRST };
        let found = work.policies().list(&scope(1), &listing).await.unwrap();
        found.items.iter().map(|policy| policy.id.0.as_u64_pair().1).collect()
    };
    let all = PolicyFilter::default;
    assert_eq!(numbers(all(), PolicySort::CreatedAt, true).await, [4, 3, 2, 1]);
    assert_eq!(numbers(all(), PolicySort::UpdatedAt, false).await, [4, 3, 2, 1]);
    for (number, kind, id) in [
        (1, ScopeKind::Tenant, tenant_id(1).to_string()),
        (2, ScopeKind::Key, key_id(1).to_string()),
        (3, ScopeKind::Channel, channel_id(1).to_string().to_uppercase()),
        (4, ScopeKind::Model, "gpt-*".to_owned()),
    ] {
        let of_kind = PolicyFilter { scope: Some(kind), ..all() };
        assert_eq!(numbers(of_kind.clone(), PolicySort::CreatedAt, false).await, [number]);
        let about = PolicyFilter { scope_id: Some(id.clone()), ..all() };
        assert_eq!(numbers(about, PolicySort::CreatedAt, false).await, [number], "{id}");
        let neither = PolicyFilter { scope_id: Some("gpt-4\0".to_owned()), ..of_kind };
        assert_eq!(numbers(neither, PolicySort::CreatedAt, false).await, Vec::<u64>::new());
    }
    let daily = PolicyFilter { window: Some(Window::Day), ..all() };
    assert_eq!(numbers(daily.clone(), PolicySort::CreatedAt, false).await, [1, 2]);
    let both = PolicyFilter { mode: Some(shadow), ..daily };
    assert_eq!(numbers(both, PolicySort::CreatedAt, false).await, [2]);
}

pub async fn of_prices_filter_and_sort(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    for price in [price(1, 1, "b", 10), price(1, 2, "a", 20), price(1, 3, "a", 10)] {
        work.prices().create(&scope(1), &price).await.unwrap();
    }
    commit(work).await;

    let mut work = read(db).await;
    let mut numbers = async |filter: PriceFilter, by, descending| -> Vec<u64> {
        let listing = Listing { filter, sort: Sort { by, descending }, page: Page::FIRST };
        let found = work.prices().list(&scope(1), &listing).await.unwrap();
        found.items.iter().map(|price| price.id.0.as_u64_pair().1).collect()
    };
    let all = PriceFilter::default;
    assert_eq!(numbers(all(), PriceSort::Model, false).await, [3, 2, 1]);
    assert_eq!(numbers(all(), PriceSort::Model, true).await, [1, 2, 3]);
    assert_eq!(numbers(all(), PriceSort::EffectiveFrom, false).await, [1, 3, 2]);
    assert_eq!(numbers(all(), PriceSort::EffectiveFrom, true).await, [2, 3, 1]);
    let model = PriceFilter { model: Some("a".to_owned()) };
    assert_eq!(numbers(model, PriceSort::Model, false).await, [3, 2]);
}

pub async fn of_audit_entries_filter_and_sort(db: &TestDatabase) {
    let made = |sequence: i64, actor: &str, action: &str, target: &str, outcome| AuditEntry {
        actor: actor.to_owned(),
        action: action.to_owned(),
        target: target.to_owned(),
        outcome,
        at: at(u64::try_from(sequence).unwrap() * 10),
        ..audit_entry(1, sequence)
    };
    let mut work = begin(db).await;
    for entry in [
        made(1, "ann", "key.create", "key:1", AuditOutcome::Done),
        made(2, "bob", "key.create", "key:2", AuditOutcome::Denied),
        made(3, "ann", "key.revoke", "key:2", AuditOutcome::Done),
        made(4, "ann%", "login", "", AuditOutcome::Failed),
    ] {
        work.audit().append(&scope(1), &entry).await.unwrap();
    }
    work.audit().append(&scope(2), &audit_entry(2, 1)).await.unwrap();
    commit(work).await;

    let mut work = read(db).await;
    let mut numbers = async |filter: AuditFilter, descending, page| -> (Vec<i64>, u64) {
        let listing = Listing { filter, sort: Sort { by: AuditSort::Sequence, descending }, page };
        let found = work.audit().list(&scope(1), &listing).await.unwrap();
        (found.items.iter().map(|entry| entry.sequence).collect(), found.total)
    };
    let all = AuditFilter::default;
    assert_eq!(numbers(all(), false, Page::FIRST).await, (vec![1, 2, 3, 4], 4));
    assert_eq!(numbers(all(), true, Page { number: 2, size: 3 }).await, (vec![1], 4));
    for (filter, found) in [
        (AuditFilter { actor: Some("ann".to_owned()), ..all() }, vec![1, 3]),
        (AuditFilter { action: Some("key.create".to_owned()), ..all() }, vec![1, 2]),
        (AuditFilter { target: Some("key:2".to_owned()), ..all() }, vec![2, 3]),
        (AuditFilter { outcome: Some(AuditOutcome::Failed), ..all() }, vec![4]),
        (AuditFilter { from: Some(at(20)), until: Some(at(40)), ..all() }, vec![2, 3]),
        (AuditFilter { actor: Some("ann".to_owned()), from: Some(at(20)), ..all() }, vec![3]),
        (AuditFilter { actor: Some("a\0n".to_owned()), ..all() }, vec![]),
    ] {
        assert_eq!(numbers(filter.clone(), false, Page::FIRST).await.0, found, "{filter:?}");
    }
}

/// Rows that are equal in what a list is sorted by have an order among themselves, the same on every page.
pub async fn have_pages_that_never_overlap(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    for number in [4, 2, 7, 1, 6, 3, 5] {
        work.channels().create(&scope(1), &channel(1, number)).await.unwrap();
    }
    commit(work).await;
    let mut work = read(db).await;
    for descending in [false, true] {
        let mut seen = Vec::new();
        for number in 1..=4 {
            let sort = Sort { by: ChannelSort::Weight, descending };
            let listing = Listing { sort, ..page(number, 2) };
            let part = work.channels().list(&scope(1), &listing).await.unwrap();
            assert_eq!(part.total, 7);
            seen.extend(part.items.iter().map(|channel| channel.id.0.as_u64_pair().1));
        }
        let mut expected: Vec<u64> = (1..=7).collect();
        if descending {
            expected.reverse();
        }
        assert_eq!(seen, expected);
    }
    let far = Listing { page: Page { number: u32::MAX, size: 200 }, ..page(1, 1) };
    assert_eq!(work.channels().list(&scope(1), &far).await.unwrap().items, []);
}

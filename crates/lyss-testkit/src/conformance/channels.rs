//! Channels.

use std::collections::BTreeMap;

use lyss_domain::{Channel, ChannelLimits, ChannelState, ChannelTimeouts, ProbeMode};
use lyss_repositories::{ChannelFilter, Listing};

use super::{assert_conflict, assert_reference, assert_stale, begin, commit, page, read, with_two_tenants};
use crate::database::TestDatabase;
use crate::samples::*;

pub async fn are_kept_whole(db: &TestDatabase) {
    with_two_tenants(db).await;
    let bare = Channel {
        name: "bare".to_owned(),
        api_base: None,
        supported_models: Vec::new(),
        model_mapping: BTreeMap::new(),
        weight: 0,
        priority: i32::MAX,
        limits: ChannelLimits::default(),
        timeouts: ChannelTimeouts::default(),
        max_retries: None,
        state: ChannelState::Draining,
        tags: Vec::new(),
        group: None,
        api_version: None,
        deployment_map: BTreeMap::new(),
        responses_models: None,
        probe: ProbeMode::Off,
        ..channel(1, 2)
    };
    let mut work = begin(db).await;
    work.channels().create(&scope(1), &channel(1, 1)).await.unwrap();
    work.channels().create(&scope(1), &bare).await.unwrap();
    commit(work).await;

    let mut work = read(db).await;
    assert_eq!(work.channels().get(&scope(1), channel_id(1)).await.unwrap(), Some(channel(1, 1)));
    assert_eq!(work.channels().by_name(&scope(1), "bare").await.unwrap(), Some(bare));
    assert_eq!(work.channels().get(&scope(1), channel_id(3)).await.unwrap(), None);
    assert_eq!(work.channels().by_name(&scope(1), "none").await.unwrap(), None);
}

pub async fn have_names_of_their_own_within_a_tenant(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    work.channels().create(&scope(1), &channel(1, 1)).await.unwrap();
    work.channels().create(&scope(1), &channel(1, 2)).await.unwrap();
    work.channels().create(&scope(2), &channel(2, 1)).await.unwrap();
    commit(work).await;

    let twin = Channel { name: channel(1, 1).name, ..channel(1, 3) };
    assert_conflict(begin(db).await.channels().create(&scope(1), &twin).await, "name");
    let renamed = Channel { name: channel(1, 1).name, ..channel(1, 2) };
    assert_conflict(begin(db).await.channels().update(&scope(1), &renamed, 1).await, "name");
    let reborn = Channel { name: "other".to_owned(), ..channel(1, 1) };
    assert_conflict(begin(db).await.channels().create(&scope(1), &reborn).await, "id");
}

pub async fn are_filtered_and_listed_by_name_in_pages(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    for number in (1..=7).rev() {
        let state = if number % 2 == 0 { ChannelState::Disabled } else { ChannelState::Enabled };
        let provider = slug(if number > 5 { "anthropic" } else { "openai" });
        let channel = Channel { state, provider, ..channel(1, number) };
        work.channels().create(&scope(1), &channel).await.unwrap();
    }
    work.channels().create(&scope(2), &channel(2, 8)).await.unwrap();
    commit(work).await;

    let mut work = read(db).await;
    let all = work.channels().list(&scope(1), &page(2, 3)).await.unwrap();
    assert_eq!(all.total, 7);
    assert_eq!(names(&all.items), ["channel-0004", "channel-0005", "channel-0006"]);
    let openai = ChannelFilter { provider: Some(slug("openai")), ..ChannelFilter::default() };
    let of_openai = Listing { filter: openai.clone(), ..page(1, 50) };
    assert_eq!(work.channels().list(&scope(1), &of_openai).await.unwrap().total, 5);
    let off = ChannelFilter { state: Some(ChannelState::Disabled), ..openai };
    let both = work.channels().list(&scope(1), &Listing { filter: off, ..page(1, 50) }).await.unwrap();
    assert_eq!((names(&both.items), both.total), (vec!["channel-0002", "channel-0004"], 2));
}

pub async fn change_only_at_the_version_read(db: &TestDatabase) {
    with_two_tenants(db).await;
    let changed = Channel { weight: 7, group: None, updated_at: at(9), ..channel(1, 1) };
    let mut work = begin(db).await;
    work.channels().create(&scope(1), &channel(1, 1)).await.unwrap();
    work.credentials().put(&scope(1), &credential(1, 1)).await.unwrap();
    work.channels().update(&scope(1), &changed, 1).await.unwrap();
    commit(work).await;

    assert_stale(begin(db).await.channels().update(&scope(1), &channel(1, 1), 1).await);
    let mut work = read(db).await;
    let stored = work.channels().get(&scope(1), channel_id(1)).await.unwrap();
    assert_eq!(stored, Some(Channel { version: 2, ..changed }));
    // A change of the channel leaves its credential alone.
    assert!(work.credentials().get(&scope(1), channel_id(1)).await.unwrap().is_some());
}

pub async fn of_others_are_as_absent_as_none(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    work.channels().create(&scope(2), &channel(2, 1)).await.unwrap();
    commit(work).await;

    let mut work = begin(db).await;
    for absent in [1, 99] {
        let name = channel(1, absent).name;
        assert_eq!(work.channels().get(&scope(1), channel_id(absent)).await.unwrap(), None);
        assert_eq!(work.channels().by_name(&scope(1), &name).await.unwrap(), None);
        assert_stale(work.channels().update(&scope(1), &channel(1, absent), 1).await);
        assert!(!work.channels().delete(&scope(1), channel_id(absent)).await.unwrap());
    }
    assert_eq!(work.channels().list(&scope(1), &page(1, 50)).await.unwrap().total, 0);
    commit(work).await;
    let stored = read(db).await.channels().get(&scope(2), channel_id(1)).await.unwrap();
    assert_eq!(stored, Some(channel(2, 1)));
    // Nor may one tenant write in another's name.
    assert_reference(begin(db).await.channels().create(&scope(1), &channel(2, 2)).await, "tenant");
    assert_reference(begin(db).await.channels().update(&scope(1), &channel(2, 1), 1).await, "tenant");
}

pub async fn take_their_credential_and_policies_with_them(db: &TestDatabase) {
    with_two_tenants(db).await;
    let about = lyss_domain::PolicyScope::Channel(channel_id(1));
    let mut work = begin(db).await;
    work.channels().create(&scope(1), &channel(1, 1)).await.unwrap();
    work.credentials().put(&scope(1), &credential(1, 1)).await.unwrap();
    work.policies().create(&scope(1), &policy(1, 1, about)).await.unwrap();
    assert!(work.channels().delete(&scope(1), channel_id(1)).await.unwrap());
    assert!(!work.channels().delete(&scope(1), channel_id(1)).await.unwrap());
    assert_eq!(work.credentials().get(&scope(1), channel_id(1)).await.unwrap(), None);
    assert_eq!(work.policies().get(&scope(1), policy_id(1)).await.unwrap(), None);
}

fn names(channels: &[Channel]) -> Vec<&str> {
    channels.iter().map(|channel| channel.name.as_str()).collect()
}

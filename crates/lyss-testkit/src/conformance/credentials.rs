//! Sealed credentials.

use lyss_domain::SealedCredential;

use super::{assert_reference, begin, commit, read, with_two_tenants};
use crate::database::TestDatabase;
use crate::samples::*;

pub async fn are_put_replaced_and_deleted(db: &TestDatabase) {
    with_two_tenants(db).await;
    let newer = SealedCredential {
        version: 2,
        data_key_version: 3,
        sealed: (0..=255).collect(),
        origin: "https://other.example:443".to_owned(),
        hint: "…new".to_owned(),
        ..credential(1, 1)
    };
    let mut work = begin(db).await;
    work.channels().create(&scope(1), &channel(1, 1)).await.unwrap();
    work.credentials().put(&scope(1), &credential(1, 1)).await.unwrap();
    assert_eq!(work.credentials().get(&scope(1), channel_id(1)).await.unwrap(), Some(credential(1, 1)));
    work.credentials().put(&scope(1), &newer).await.unwrap();
    commit(work).await;

    assert_eq!(read(db).await.credentials().get(&scope(1), channel_id(1)).await.unwrap(), Some(newer));
    let mut work = begin(db).await;
    assert!(work.credentials().delete(&scope(1), channel_id(1)).await.unwrap());
    assert!(!work.credentials().delete(&scope(1), channel_id(1)).await.unwrap());
}

pub async fn need_a_channel_of_the_same_tenant(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    work.channels().create(&scope(2), &channel(2, 1)).await.unwrap();
    work.credentials().put(&scope(2), &credential(2, 1)).await.unwrap();
    commit(work).await;

    // Another tenant's channel is exactly as absent as none.
    for absent in [1, 99] {
        assert_reference(
            begin(db).await.credentials().put(&scope(1), &credential(1, absent)).await,
            "channel",
        );
        let mut work = begin(db).await;
        assert_eq!(work.credentials().get(&scope(1), channel_id(absent)).await.unwrap(), None);
        assert!(!work.credentials().delete(&scope(1), channel_id(absent)).await.unwrap());
    }
    assert_reference(begin(db).await.credentials().put(&scope(1), &credential(2, 1)).await, "tenant");
    assert_eq!(
        read(db).await.credentials().get(&scope(2), channel_id(1)).await.unwrap(),
        Some(credential(2, 1))
    );
}

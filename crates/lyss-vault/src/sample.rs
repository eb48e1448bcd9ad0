//! What the tests share: fixed keys, and blobs written by another implementation (Python's `cryptography`) from the
//! format's description, so that neither format nor labels can drift unnoticed. All with the nonce 00 01 … 0b.

use lyss_domain::{ChannelId, Secret, TenantId};
use uuid::Uuid;

use crate::{CredentialBinding, MasterKeys, Vault};

/// SHA-256 of `golden master key`.
pub(crate) const MASTER_HEX: &str = "960f3e4078542f473e047da9a8b5a80b56a2e037a895dc4344e0095eb15eef14";
pub(crate) const DATA_KEY_HEX: &str = "d09e69a31ac646f8bef598b3b3fba9169acc0f9b65c780c4f32633634b6dd5d1";
pub(crate) const PURPOSE_KEY_HEX: &str = "5a6c013833646fdce1a1cb9edd24c17ad80c0b5c3a1e9689dc1f63471101a8b9";
/// Of [`TENANT`], version 7, under [`MASTER_HEX`] as `golden`.
pub(crate) const WRAPPED_DATA_KEY_HEX: &str = "01000102030405060708090a0b68771536ee7f03f1a01ba866f923f8ca\
    3b4994b82aaf45a0fb51bb2c751fce2fe95ab7ca20dfd81771a0e1c438e90682";
/// For the audit chain.
pub(crate) const WRAPPED_PURPOSE_KEY_HEX: &str = "01000102030405060708090a0b7bd0710c27cf5d966b3dff1433ed80f0\
    bd4d27e1da92ff82ac36be668d8bcb71eabf7c504021057614b3d1d5b319748f";
/// [`API_KEY`] under [`DATA_KEY_HEX`] and [`BINDING`].
pub(crate) const CREDENTIAL_HEX: &str =
    "01000102030405060708090a0b34fab269101ba647efcab618814cfe330735035411464826da25c7ea2d369c516b67de31";
/// [`API_KEY`] for tenant `acme` and [`ORIGIN`].
pub(crate) const IMPORT: &str =
    "lyss-sealed-v1.BmdvbGRlbgEAAQIDBAUGBwgJCgtE_zqVsi482E4zVGab84zkpVHqJnI5VcplIhEvOhVtBTwp33c";

pub(crate) const API_KEY: &str = "sk-golden-0123456789";
pub(crate) const ORIGIN: &str = "https://api.openai.com:443";
pub(crate) const TENANT: TenantId = TenantId(Uuid::from_u128(1));
pub(crate) const BINDING: CredentialBinding<'_> = CredentialBinding {
    tenant: TENANT,
    channel: ChannelId(Uuid::from_u128(2)),
    provider: "openai",
    origin: ORIGIN,
    data_key_version: 7,
    credential_version: 3,
};

pub(crate) fn vault(setting: &str) -> Vault {
    Vault::new(MasterKeys::parse(setting).unwrap())
}

pub(crate) fn golden_vault() -> Vault {
    vault(&format!("golden:{MASTER_HEX}"))
}

pub(crate) fn key(hex_text: &str) -> [u8; 32] {
    hex::decode(hex_text).unwrap().try_into().unwrap()
}

pub(crate) fn secret() -> Secret {
    Secret::from(API_KEY.to_owned())
}

#[expect(clippy::disallowed_methods, reason = "a test compares what came out with what went in")]
pub(crate) fn plain(secret: &Secret) -> &[u8] {
    secret.expose()
}

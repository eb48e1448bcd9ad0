//! Seals a vendor's key, moves to a new master key, opens it again: `cargo run -p lyss-vault --example vault`.

use lyss_domain::{ChannelId, Secret, TenantId};
use lyss_vault::{CredentialBinding, MasterKeys, Purpose, Vault, VaultError, generate_master_key, hint, mac};
use uuid::Uuid;

fn main() -> Result<(), VaultError> {
    let (old_key, new_key) = (generate_master_key()?, generate_master_key()?);
    let before = Vault::new(MasterKeys::parse(&format!("old:{old_key}"))?);

    let tenant = TenantId(Uuid::from_u128(1));
    let (data_key, wrapped) = before.new_data_key(tenant, 1)?;
    let binding = CredentialBinding {
        tenant,
        channel: ChannelId(Uuid::from_u128(2)),
        provider: "openai",
        origin: "https://api.openai.com:443",
        data_key_version: 1,
        credential_version: 1,
    };
    let secret = Secret::from("sk-example-0123456789".to_owned());
    let sealed = before.seal_credential(&data_key, &binding, &secret)?;
    println!(
        "sealed {} as {} bytes under master key `{}`",
        hint(&secret),
        sealed.len(),
        wrapped.master_key_id
    );

    // Rotation: the new key wraps, the old one still opens; the sealed credential stays as it is.
    let after = Vault::new(MasterKeys::parse(&format!("new:{new_key},old:{old_key}"))?);
    let rewrapped = after.rewrap_data_key(tenant, 1, &wrapped)?;
    let data_key = after.unwrap_data_key(tenant, 1, &rewrapped)?;
    let opened = after.open_credential(&data_key, &binding, &sealed)?;
    println!("opened {} under master key `{}`", hint(&opened), rewrapped.master_key_id);

    let elsewhere = CredentialBinding { origin: "https://attacker.example:443", ..binding };
    let refused = after.open_credential(&data_key, &elsewhere, &sealed).err();
    println!("for another address: {}", refused.map_or_else(String::new, |e| e.to_string()));

    let (virtual_keys, _) = after.new_purpose_key(Purpose::VirtualKey)?;
    let digest = mac(&virtual_keys, &[b"sk-lyss-and-so-on"]);
    println!("a virtual key is stored as {} bytes of digest", digest.len());
    Ok(())
}

//! From a new key to its caller, and to its refusals: `cargo run -p lyss-auth --example virtual_key`.

use lyss_auth::{Refusal, authenticate, extract, key_hint, looks_valid, mint};
use lyss_domain::{KeyDigest, KeyId, KeyLimits, KeyScope, TenantId, Timestamp, VirtualKey};
use uuid::Uuid;

fn main() -> Result<(), Refusal> {
    // In the service these bytes are the vault's, and so is the digest.
    let random = std::array::from_fn(|i| b"not random, only an example.".get(i).copied().unwrap_or(b'!'));
    let key = mint(random);
    println!("minted {}", key_hint(&key));

    let headers = [("content-type", "application/json"), ("x-api-key", "sk-lyss-mistyped")];
    let sent = extract(headers.map(|(name, value)| (name, value.as_bytes()))).ok_or(Refusal::Unknown)?;
    println!("a mistyped key is worth a look-up: {}", looks_valid(sent));

    let now = Timestamp::from_millis(1_795_392_000_000);
    let entry = VirtualKey {
        id: KeyId(Uuid::from_u128(1)),
        tenant: TenantId(Uuid::from_u128(2)),
        name: "example".to_owned(),
        digest: KeyDigest([0; 32]),
        previous: None,
        hint: key_hint(&key),
        scopes: vec![KeyScope::Proxy],
        models: vec![],
        channels: vec![],
        tags: vec![],
        allowed_ips: vec!["127.0.0.0/8".to_owned()],
        limits: KeyLimits::default(),
        strategy: None,
        may_steer: false,
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
        created_at: now,
        updated_at: now,
        version: 1,
    };
    let caller = authenticate(&entry, now, Some([127, 0, 0, 1].into()))?;
    println!("from loopback: calls for tenant {}", caller.tenant());
    match authenticate(&entry, now, Some([192, 0, 2, 1].into())) {
        Ok(_) => println!("from elsewhere: calls"),
        Err(refusal) => println!("from elsewhere: {refusal} ({})", refusal.code()),
    }
    Ok(())
}

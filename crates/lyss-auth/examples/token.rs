//! A token verified on its own, without the service around it: `cargo run -p lyss-auth --example token`.

use std::time::Duration;

use lyss_auth::{Home, Issuer, IssuerKeys, NewToken, Permission, Tokens, issue};
use lyss_domain::{Role, Secret, TenantId, Timestamp};
use lyss_wire::{BoxFuture, ByteStream, EncodedRequest, ResponseHead, Timers};
use lyss_wire::{Transport, TransportClass, TransportError};
use uuid::Uuid;

/// Only key sets are fetched, and this example has none.
struct NoNetwork;

impl Transport for NoNetwork {
    fn send(
        &self,
        _: EncodedRequest,
        _: Timers,
    ) -> BoxFuture<'_, Result<(ResponseHead, ByteStream), TransportError>> {
        Box::pin(async { Err(TransportClass::EgressDenied.into()) })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = || Secret::from("not secret, only an example of 32 bytes or more".to_owned());
    let now = Timestamp::from_millis(1_795_392_000_000);
    let token = issue(
        &secret(),
        &NewToken {
            subject: "anna",
            role: Role::Developer,
            tenant: Some("acme"),
            issued_at: now,
            lifetime: Duration::from_secs(3_600),
            issuer: None,
            audience: None,
            id: None,
            key_id: None,
        },
    )?;
    #[expect(clippy::disallowed_methods, reason = "what a caller would send")]
    let sent = token.expose();

    let tokens = Tokens::new(vec![Issuer::new(IssuerKeys::Secret(secret()))])?;
    let acme = Home { tenant: TenantId(Uuid::from_u128(7)), since: Timestamp::from_millis(0) };
    let resolve = |name: &str| (name == "acme").then_some(acme);
    let anna = tokens.verify(sent, now, &NoNetwork, resolve).await?;
    let scope = anna.entitle(Permission::ReadChannels, None)?;
    println!("{} reads the channels of tenant {}", anna.name, scope.tenant());
    if let Err(denial) = anna.entitle(Permission::WriteChannels, None) {
        println!("and changes none: {denial}");
    }

    let tomorrow = now.after(Duration::from_secs(86_400));
    if let Err(refusal) = tokens.verify(sent, tomorrow, &NoNetwork, resolve).await {
        println!("tomorrow: {refusal} ({})", refusal.code());
    }
    Ok(())
}

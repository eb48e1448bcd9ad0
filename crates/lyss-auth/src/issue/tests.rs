use futures_util::FutureExt;
use lyss_domain::TenantId;
use lyss_testkit::transport::ScriptedTransport;

use super::*;
use crate::token::tests::forge::{AUDIENCE, ISSUER, NOW, SECRET, at, resolve};
use crate::token::{Issuer, IssuerKeys, TokenRefusal, Tokens};
use crate::{Credential, Principal};

fn secret() -> Secret {
    Secret::new(SECRET.to_vec())
}

fn plain<'a>() -> NewToken<'a> {
    NewToken {
        subject: "anna",
        role: Role::Operator,
        tenant: Some("acme"),
        issued_at: NOW,
        lifetime: Duration::from_secs(600),
        issuer: None,
        audience: None,
        id: None,
        key_id: None,
    }
}

#[expect(clippy::disallowed_methods, reason = "a test verifies what it issued")]
fn verify(token: &Secret, issuer: Issuer, now: Timestamp) -> Result<Principal, TokenRefusal> {
    let tokens = Tokens::new(vec![issuer]).unwrap();
    let nobody = ScriptedTransport::default();
    tokens.verify(token.expose(), now, &nobody, resolve).now_or_never().unwrap()
}

#[test]
fn what_is_issued_is_verified_until_it_expires() {
    let keys = || IssuerKeys::Secret(secret());
    let full = NewToken {
        issuer: Some(ISSUER),
        audience: Some(AUDIENCE),
        id: Some("one"),
        key_id: Some("a"),
        ..plain()
    };
    let strict = || Issuer {
        name: Some(ISSUER.to_owned()),
        audience: Some(AUDIENCE.to_owned()),
        ..Issuer::new(keys())
    };
    let open = || Issuer::new(keys());
    let token = issue(&secret(), &full).unwrap();
    let principal = verify(&token, strict(), NOW).unwrap();
    assert_eq!(principal.credential, Credential::Token(Role::Operator));
    assert!(verify(&token, strict(), at(604)).is_ok());
    assert_eq!(verify(&token, strict(), at(605)), Err(TokenRefusal::Expired));

    let token = issue(&secret(), &plain()).unwrap();
    assert!(verify(&token, open(), NOW).is_ok());
    assert_eq!(verify(&token, strict(), NOW), Err(TokenRefusal::UnknownIssuer));
    let above = NewToken { role: Role::PlatformAdmin, tenant: None, ..plain() };
    let above = verify(&issue(&secret(), &above).unwrap(), open(), NOW).unwrap();
    assert_eq!(above.home, None::<TenantId>);
}

#[test]
fn what_would_not_be_verified_is_not_issued() {
    let refused = |token: NewToken<'_>| issue(&secret(), &token).err();
    let long = "a".repeat(256);
    for subject in ["", "a\nb", "key:1", long.as_str()] {
        assert_eq!(refused(NewToken { subject, ..plain() }), Some(CannotIssue::Subject));
    }
    for tenant in [None, Some("")] {
        assert_eq!(refused(NewToken { tenant, ..plain() }), Some(CannotIssue::Tenant));
    }
    let above = NewToken { role: Role::PlatformAdmin, ..plain() };
    assert_eq!(refused(above), Some(CannotIssue::Tenant));
    let lifetime = Duration::from_millis(999);
    assert_eq!(refused(NewToken { lifetime, ..plain() }), Some(CannotIssue::Lifetime));
    let short = issue(&Secret::new(vec![b'x'; 31]), &plain()).err();
    assert_eq!(short, Some(CannotIssue::Secret(BadIssuer::ShortSecret)));
}

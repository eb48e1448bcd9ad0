//! What of a call says that its like was served before, as one number.

use std::hash::{DefaultHasher, Hash, Hasher};

use lyss_adapters::Ask;
use lyss_domain::{Affinity, TenantId};

/// So much of a body begins alike in all turns of a conversation, and holds most of a system prompt.
const PREFIX_BYTES: usize = 1_024;

/// A session that is named counts wherever one is named; the prompt's beginning where the model's rule asks for it. The
/// tenant is part of the number, so that no tenant can meet another's.
pub(crate) fn key(tenant: TenantId, ask: &Ask, session: Option<&str>, rule: Affinity) -> Option<u64> {
    match (session, rule) {
        (Some(session), _) => Some(hash((tenant, "session", session))),
        (None, Affinity::Prefix) => {
            let prefix = ask.body.get(..PREFIX_BYTES).unwrap_or(&ask.body);
            (!prefix.is_empty()).then(|| hash((tenant, "prefix", prefix)))
        }
        (None, Affinity::None | Affinity::Session) => None,
    }
}

/// The same in every process and release: replicas must agree.
fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use lyss_adapters::{Dialect, scan};
    use uuid::Uuid;

    use super::*;

    fn ask(system: &str, turn: &str) -> Ask {
        let body = format!(
            r#"{{"model":"m","messages":[{{"role":"system","content":"{system}"}},{{"role":"user","content":"{turn}"}}]}}"#
        );
        scan(Dialect::OpenAiChat, Bytes::from(body)).unwrap()
    }

    #[test]
    fn later_turns_of_one_conversation_are_alike_and_other_tenants_never() {
        let (one, other) = (TenantId(Uuid::from_u128(1)), TenantId(Uuid::from_u128(2)));
        let long = "You are careful. ".repeat(80);
        let prefix = |tenant, ask: &Ask| key(tenant, ask, None, Affinity::Prefix);
        assert_eq!(prefix(one, &ask(&long, "first")), prefix(one, &ask(&long, "second")));
        assert_ne!(prefix(one, &ask(&long, "first")), prefix(other, &ask(&long, "first")));
        assert_ne!(prefix(one, &ask("short", "first")), prefix(one, &ask("short", "second")));
        assert_eq!(key(one, &ask("a", "b"), None, Affinity::Session), None);
        let session = |tenant, name| key(tenant, &ask("a", "b"), Some(name), Affinity::None);
        assert_eq!(session(one, "s"), key(one, &ask("c", "d"), Some("s"), Affinity::Prefix));
        assert_ne!(session(one, "s"), session(one, "t"));
        assert_ne!(session(one, "s"), session(other, "s"));
    }
}

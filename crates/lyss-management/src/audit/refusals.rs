//! What was refused: failed logins and denied access. Nobody is kept waiting by it or fails for it, and a flood of it
//! leaves a count instead of a full database.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use ipnet::Ipv6Net;
use lyss_auth::Principal;
use lyss_domain::{AuditOutcome, TenantScope, Tick};
use serde_json::json;
use tracing::warn;

use super::{Note, append};
use crate::{Management, ManagementError, system};

/// Entries of one address within a minute; the rest is counted.
pub const ENTRIES_PER_ADDRESS: u32 = 20;
/// Entries of all addresses within a minute: addresses are cheap.
const ENTRIES_IN_ALL: u32 = 500;
/// Those told by name in the entry that counts.
const ADDRESSES_TOLD: usize = 20;
/// Addresses remembered within a minute; all others share one line.
const MAX_ADDRESSES: usize = 4_096;
const MINUTE_NS: u64 = 60_000_000_000;
/// Of what a stranger wrote, this many characters are kept.
const MAX_TEXT_CHARS: usize = 256;
const OTHERS: &str = "others";
const ANONYMOUS: &str = "anonymous";

/// How many entries the minute has seen. Minutes are fixed ones: the count begins anew with each.
#[derive(Debug, Default)]
pub(crate) struct RefusalGuard(Mutex<Minute>);

#[derive(Debug, Default)]
struct Minute {
    number: u64,
    written: u32,
    addresses: BTreeMap<String, Seen>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    written: u32,
    suppressed: u64,
}

/// Whether to write, and what earlier minutes left unwritten.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    write: bool,
    overdue: BTreeMap<String, u64>,
}

impl Management {
    /// A known or unknown caller was denied something. `principal` is `None` where nobody proved who they are.
    pub async fn denied(
        &self,
        principal: Option<&Principal>,
        address: Option<&str>,
        action: &str,
        target: &str,
        reason: &str,
    ) {
        let chain = principal.and_then(|one| one.home).map_or_else(system::nobodys_chain, system::scope_of);
        let note = Note {
            actor: principal.map_or(ANONYMOUS, |one| &one.name),
            address,
            action: &shortened(action),
            target: &shortened(target),
            outcome: AuditOutcome::Denied,
            detail: json!({ "reason": shortened(reason) }).to_string(),
        };
        // Whoever is known has a count of their own: no stranger's noise covers what they try.
        let (guard, name) = match principal {
            Some(known) => (&self.guards.denials, format!("{} of {}", known.name, chain.tenant())),
            None => (&self.guards.refusals, network_of(address)),
        };
        self.refused(guard, name, &chain, note).await;
    }

    /// Somebody could not prove who they are; `code` says why, in our words.
    pub async fn failed_login(&self, address: Option<&str>, code: &str) {
        let note = Note {
            actor: ANONYMOUS,
            address,
            action: "login",
            target: "api",
            outcome: AuditOutcome::Failed,
            detail: json!({ "code": shortened(code) }).to_string(),
        };
        self.refused(&self.guards.refusals, network_of(address), &system::nobodys_chain(), note).await;
    }

    /// Writes the count of what earlier minutes suppressed, if anything. The next refusal does the same; called once a
    /// minute, it is written though none should follow.
    pub async fn note_suppressed(&self) {
        for guard in [&self.guards.refusals, &self.guards.denials] {
            self.tell(guard.overdue(self.clock.tick())).await;
        }
    }

    async fn refused(&self, guard: &RefusalGuard, name: String, chain: &TenantScope, note: Note<'_>) {
        let verdict = guard.admit(name, self.clock.tick());
        self.tell(verdict.overdue).await;
        if verdict.write {
            self.log_failure(self.write_refusal(chain, note).await);
        }
    }

    async fn tell(&self, overdue: BTreeMap<String, u64>) {
        if overdue.is_empty() {
            return;
        }
        let total: u64 = overdue.values().sum();
        let told: BTreeMap<_, _> = overdue.iter().take(ADDRESSES_TOLD).collect();
        let note = Note {
            actor: "system:audit",
            address: None,
            action: "audit.suppress",
            target: "api",
            outcome: AuditOutcome::Done,
            detail: json!({ "suppressed": total, "who": told }).to_string(),
        };
        self.log_failure(self.write_refusal(&system::nobodys_chain(), note).await);
    }

    async fn write_refusal(&self, chain: &TenantScope, note: Note<'_>) -> Result<(), ManagementError> {
        let mut work = self.store.begin().await?;
        let last = work.audit().last(chain).await?;
        append(self, &mut *work, chain, last, note).await?;
        work.commit(None).await?;
        Ok(())
    }

    fn log_failure(&self, written: Result<(), ManagementError>) {
        if let Err(error) = written {
            warn!(%error, "a refusal could not be written into the audit log");
        }
    }
}

impl RefusalGuard {
    /// `name` is what entries are counted by: a stranger's network, or who is known.
    fn admit(&self, name: String, now: Tick) -> Verdict {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let overdue = minute.turn(now);
        let room = minute.addresses.len() < MAX_ADDRESSES || minute.addresses.contains_key(&name);
        let total = minute.written;
        let seen = minute.addresses.entry(if room { name } else { OTHERS.to_owned() }).or_default();
        let write = seen.written < ENTRIES_PER_ADDRESS && total < ENTRIES_IN_ALL;
        if write {
            seen.written += 1;
            minute.written += 1;
        } else {
            seen.suppressed += 1;
        }
        Verdict { write, overdue }
    }

    fn overdue(&self, now: Tick) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).turn(now)
    }
}

impl Minute {
    /// Begins a new minute where one has; answers what the old one suppressed.
    fn turn(&mut self, now: Tick) -> BTreeMap<String, u64> {
        let number = now.0 / MINUTE_NS;
        if number == self.number {
            return BTreeMap::new();
        }
        let old = std::mem::replace(self, Self { number, ..Self::default() });
        let suppressed = old.addresses.into_iter().map(|(name, seen)| (name, seen.suppressed));
        suppressed.filter(|(_, count)| *count > 0).collect()
    }
}

/// An IPv4 address, or the /64 that one owner of IPv6 has at least.
fn network_of(address: Option<&str>) -> String {
    let Some(text) = address else { return "unknown".to_owned() };
    match text.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => match Ipv6Net::new(address, 64) {
            Ok(network) => network.trunc().to_string(),
            Err(_) => text.to_owned(),
        },
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) => "unknown".to_owned(),
    }
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_TEXT_CHARS).collect()
}

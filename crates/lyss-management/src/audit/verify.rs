//! Reading the log: its entries, and whether the chain holds (every digest, every link, every number).

use lyss_domain::{AuditEntry, TenantId, TenantScope};
use lyss_repositories::{AuditFilter, AuditSort, Listing, Paged, StoreError, UnitOfWork};
use lyss_vault::verify_mac;

use crate::{Management, ManagementError, system};

const PAGE: u32 = 1_000;

/// What a chain looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditVerdict {
    /// Entries that hold, from the first on.
    pub entries: u64,
    /// The first place where the chain does not hold; everything behind it is in doubt.
    pub first_bad: Option<Broken>,
    /// The last entry that holds. Kept elsewhere, it shows later whether the end was cut off, which nothing in the
    /// database can.
    pub head: Option<AuditHead>,
}

/// The end of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditHead {
    pub sequence: i64,
    /// 64 hex digits.
    pub digest: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    pub sequence: i64,
    pub what: Breach,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Breach {
    /// An entry was changed, or was never written by this service.
    Digest,
    /// It does not follow the entry before it.
    Link,
    /// One or more entries are missing before it.
    Gap,
    /// It cannot be read.
    Unreadable,
    /// The chain ends before the head that was known, or holds another entry in its place.
    CutOff,
}

/// A walk along the chain.
struct Walk {
    entries: u64,
    next: i64,
    previous: [u8; 32],
    head: Option<AuditHead>,
    known: Option<AuditHead>,
}

impl Management {
    /// Entries of a tenant's chain.
    pub async fn list_audit(
        &self,
        scope: &TenantScope,
        listing: &Listing<AuditFilter, AuditSort>,
    ) -> Result<Paged<AuditEntry>, ManagementError> {
        Ok(self.store.read().await?.audit().list(scope, listing).await?)
    }

    /// The same for the chain of what concerns no tenant.
    pub async fn list_platform_audit(
        &self,
        listing: &Listing<AuditFilter, AuditSort>,
    ) -> Result<Paged<AuditEntry>, ManagementError> {
        self.list_audit(&system::nobodys_chain(), listing).await
    }

    /// Reads a tenant's whole chain. `known` is a head of it that was kept elsewhere.
    pub async fn verify_audit(
        &self,
        scope: &TenantScope,
        known: Option<AuditHead>,
    ) -> Result<AuditVerdict, ManagementError> {
        let mut walk = Walk { entries: 0, next: 1, previous: [0; 32], head: None, known };
        let mut work = self.store.read().await?;
        // From below the first number on: what was slipped in there is no part of the chain either.
        let mut from = i64::MIN;
        let first_bad = loop {
            let page = match page(&mut *work, scope, from).await? {
                Part::Entries(page) => page,
                Part::Unreadable => break Some((walk.next, Breach::Unreadable)),
            };
            if page.is_empty() {
                break walk.missing_head();
            }
            let broken = page.iter().find_map(|entry| {
                let what = walk.step(self, entry).err()?;
                Some((entry.sequence, what))
            });
            if broken.is_some() {
                break broken;
            }
            from = walk.next;
        };
        let first_bad = first_bad.map(|(sequence, what)| Broken { sequence, what });
        Ok(AuditVerdict { entries: walk.entries, first_bad, head: walk.head })
    }

    /// The same for any chain, for the operator at the machine: whoever may read the database needs nobody's leave to
    /// look whether it was tampered with.
    pub async fn verify_chain(
        &self,
        tenant: TenantId,
        known: Option<AuditHead>,
    ) -> Result<AuditVerdict, ManagementError> {
        self.verify_audit(&system::scope_of(tenant), known).await
    }

    /// The same for the chain of what concerns no tenant: refusals of unknown callers.
    pub async fn verify_platform_audit(
        &self,
        known: Option<AuditHead>,
    ) -> Result<AuditVerdict, ManagementError> {
        self.verify_audit(&system::nobodys_chain(), known).await
    }
}

impl Breach {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Digest => "changed",
            Self::Link => "not_linked",
            Self::Gap => "missing",
            Self::Unreadable => "unreadable",
            Self::CutOff => "cut_off",
        }
    }
}

impl Walk {
    fn step(&mut self, management: &Management, entry: &AuditEntry) -> Result<(), Breach> {
        if entry.sequence != self.next {
            return Err(Breach::Gap);
        }
        if entry.previous != self.previous {
            return Err(Breach::Link);
        }
        if !verify_mac(&management.audit_chain, &[&entry.canonical()], &entry.digest) {
            return Err(Breach::Digest);
        }
        let digest = hex::encode(entry.digest);
        if self.known.as_ref().is_some_and(|known| known.sequence == self.next && known.digest != digest) {
            return Err(Breach::CutOff);
        }
        self.head = Some(AuditHead { sequence: entry.sequence, digest });
        self.previous = entry.digest;
        self.entries += 1;
        self.next += 1;
        Ok(())
    }

    /// At the end of the chain: whether the head that was known has been passed.
    fn missing_head(&self) -> Option<(i64, Breach)> {
        let known = self.known.as_ref()?;
        (known.sequence >= self.next).then_some((self.next, Breach::CutOff))
    }
}

enum Part {
    Entries(Vec<AuditEntry>),
    /// The very first row of it.
    Unreadable,
}

/// A row that cannot be read spoils its whole page, so the rows before it are then read one by one.
async fn page(work: &mut dyn UnitOfWork, scope: &TenantScope, from: i64) -> Result<Part, ManagementError> {
    for limit in [PAGE, 1] {
        match work.audit().from(scope, from, limit).await {
            Ok(entries) => return Ok(Part::Entries(entries)),
            Err(StoreError::Corrupt(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Part::Unreadable)
}

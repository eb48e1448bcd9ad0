//! Items of converted answers that callers of the responses dialect refer to in their next turn. OpenAI keeps what it
//! answered unless told otherwise, and its SDKs rely on that; for other vendors' answers this process keeps the last ones
//! in memory: the tenant's own alone, never on disk, gone with the process.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use lyss_adapters::responses::kept::KeptItem;
use lyss_domain::TenantId;

/// All items together; the oldest go first.
const MAX_BYTES: usize = 32 << 20;
/// A larger item is not kept: a picture, mostly.
const MAX_ITEM_BYTES: usize = 256 << 10;

type Name = (TenantId, String);

#[derive(Default)]
pub(crate) struct Kept(Mutex<Shelf>);

#[derive(Default)]
struct Shelf {
    items: HashMap<Name, Bytes>,
    /// Oldest first.
    order: VecDeque<Name>,
    bytes: usize,
}

impl Kept {
    pub(crate) fn put(&self, tenant: TenantId, items: Vec<KeptItem>) {
        if items.is_empty() {
            return;
        }
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, item) in items {
            if id.len() + item.len() <= MAX_ITEM_BYTES {
                shelf.put((tenant, id), item);
            }
        }
    }

    pub(crate) fn find(&self, tenant: TenantId, id: &str) -> Option<Bytes> {
        let shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.items.get(&(tenant, id.to_owned())).cloned()
    }
}

impl Shelf {
    fn put(&mut self, name: Name, item: Bytes) {
        self.bytes += item.len();
        match self.items.insert(name.clone(), item) {
            // It keeps its place in the order.
            Some(before) => self.bytes -= before.len(),
            None => {
                self.bytes += 2 * name.1.len();
                self.order.push_back(name);
            }
        }
        while self.bytes > MAX_BYTES
            && let Some(oldest) = self.order.pop_front()
        {
            let gone = self.items.remove(&oldest).map_or(0, |item| item.len());
            self.bytes = self.bytes.saturating_sub(gone + 2 * oldest.1.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(n: u128) -> TenantId {
        format!("{n:032x}").parse().unwrap()
    }

    #[test]
    fn a_tenant_finds_its_own_alone() {
        let kept = Kept::default();
        kept.put(tenant(1), vec![("a".into(), Bytes::from_static(b"one"))]);
        assert_eq!(kept.find(tenant(1), "a").as_deref(), Some(&b"one"[..]));
        assert_eq!(kept.find(tenant(2), "a"), None);
        kept.put(tenant(1), vec![("a".into(), Bytes::from_static(b"two"))]);
        assert_eq!(kept.find(tenant(1), "a").as_deref(), Some(&b"two"[..]));
    }

    #[test]
    fn the_oldest_go_when_there_is_too_much() {
        let kept = Kept::default();
        let large = Bytes::from(vec![b'x'; 200 << 10]);
        for n in 0..400 {
            kept.put(tenant(1), vec![(format!("item-{n}"), large.clone())]);
        }
        assert!(kept.find(tenant(1), "item-0").is_none() && kept.find(tenant(1), "item-399").is_some());
        assert!(kept.0.lock().unwrap().bytes <= MAX_BYTES);
        kept.put(tenant(1), vec![("huge".into(), Bytes::from(vec![b'x'; MAX_ITEM_BYTES + 1]))]);
        assert!(kept.find(tenant(1), "huge").is_none());
    }
}

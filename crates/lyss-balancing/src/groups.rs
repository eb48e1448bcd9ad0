//! What a stateful algorithm keeps of each model group: sharded, so that workers seldom meet, and bounded.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lyss_domain::Tick;

use crate::round_robin::mix;

const SHARDS: usize = 16;

/// Groups kept per shard; the one used longest ago makes room. 16,384 in all.
const GROUPS_PER_SHARD: usize = 1_024;

#[derive(Debug)]
pub(crate) struct Groups<T> {
    most: usize,
    shards: [Shard<T>; SHARDS],
}

type Shard<T> = Mutex<HashMap<u64, Kept<T>>>;

#[derive(Debug)]
struct Kept<T> {
    used_at: Tick,
    state: T,
}

impl<T: Default> Groups<T> {
    pub(crate) fn new() -> Self {
        Self::with_room_for(GROUPS_PER_SHARD)
    }

    pub(crate) fn with_room_for(most_per_shard: usize) -> Self {
        Self { most: most_per_shard.max(1), shards: std::array::from_fn(|_| Mutex::default()) }
    }

    /// Uses a group's state, made the first time, under a lock shared with a sixteenth of the groups.
    pub(crate) fn with<R>(&self, group: u64, now: Tick, used: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut groups = self.shard(group)?;
        if groups.len() >= self.most && !groups.contains_key(&group) {
            let oldest = groups.iter().min_by_key(|(_, kept)| kept.used_at).map(|(key, _)| *key);
            oldest.and_then(|key| groups.remove(&key));
        }
        let kept = groups.entry(group).or_insert_with(|| Kept { used_at: now, state: T::default() });
        kept.used_at = kept.used_at.max(now);
        Some(used(&mut kept.state))
    }

    /// Looks at a group's state, if there is one.
    pub(crate) fn peek<R>(&self, group: u64, seen: impl FnOnce(&T) -> R) -> Option<R> {
        self.shard(group)?.get(&group).map(|kept| seen(&kept.state))
    }

    /// Of all groups, in no order.
    pub(crate) fn each(&self, mut seen: impl FnMut(u64, &T)) {
        for shard in &self.shards {
            let groups = shard.lock().unwrap_or_else(PoisonError::into_inner);
            groups.iter().for_each(|(group, kept)| seen(*group, &kept.state));
        }
    }

    fn shard(&self, group: u64) -> Option<MutexGuard<'_, HashMap<u64, Kept<T>>>> {
        let index = usize::try_from(mix(group) % SHARDS as u64).ok()?;
        // A panic half-way leaves an odd state at worst, which evens out.
        Some(self.shards.get(index)?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use lyss_domain::Tick;

    use super::{GROUPS_PER_SHARD, Groups, SHARDS};

    #[test]
    fn groups_are_apart_and_their_number_is_bounded() {
        let groups = Groups::<u64>::with_room_for(4);
        for group in 0..10_000 {
            groups.with(group, Tick(group), |state| *state += group).unwrap();
        }
        let (mut kept, mut sum) = (0, 0);
        groups.each(|group, state| {
            kept += 1;
            sum += group - state;
        });
        assert!(kept <= 4 * SHARDS, "{kept}");
        assert_eq!(sum, 0);
        // The youngest are the ones kept.
        assert_eq!(groups.peek(9_999, |state| *state), Some(9_999));
        assert_eq!(groups.peek(0, |state| *state), None);
        assert_eq!(Groups::<u64>::new().most, GROUPS_PER_SHARD);
    }
}

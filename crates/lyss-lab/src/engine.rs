//! The agenda of a simulated world: what happens next, and what time it is then.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use lyss_domain::Tick;

#[derive(Debug)]
pub struct Agenda<E> {
    now: Tick,
    added: u64,
    waiting: BinaryHeap<Reverse<Entry<E>>>,
}

#[derive(Debug)]
struct Entry<E> {
    at: Tick,
    /// Of two events at one moment the one that was noted first comes first.
    order: u64,
    event: E,
}

impl<E> Agenda<E> {
    pub fn new() -> Self {
        Self { now: Tick::default(), added: 0, waiting: BinaryHeap::new() }
    }

    pub fn now(&self) -> Tick {
        self.now
    }

    /// What was to happen in the past happens now.
    pub fn add(&mut self, at: Tick, event: E) {
        self.added += 1;
        self.waiting.push(Reverse(Entry { at: at.max(self.now), order: self.added, event }));
    }

    /// Moves time to the next event.
    pub fn advance(&mut self) -> Option<E> {
        let Reverse(entry) = self.waiting.pop()?;
        self.now = entry.at;
        Some(entry.event)
    }
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_order_of_time_then_of_noting() {
        let mut agenda = Agenda::new();
        for (at, event) in [(5, 'c'), (3, 'a'), (5, 'd'), (3, 'b')] {
            agenda.add(Tick(at), event);
        }
        assert_eq!(agenda.advance(), Some('a'));
        agenda.add(Tick(1), '!');
        let rest: String = std::iter::from_fn(|| agenda.advance()).collect();
        assert_eq!(rest, "b!cd");
        assert_eq!(agenda.now(), Tick(5));
    }
}

//! Sums over the last moments, in slices of time of which the oldest makes room for the newest.

use lyss_domain::Tick;

/// `N` slices of `NANOS` nanoseconds each.
#[derive(Clone, Debug)]
pub(crate) struct Slices<T, const N: usize, const NANOS: u64> {
    slices: [T; N],
    /// The number of the newest slice.
    newest: u64,
}

impl<T: Copy + Default, const N: usize, const NANOS: u64> Default for Slices<T, N, NANOS> {
    fn default() -> Self {
        Self { slices: [T::default(); N], newest: 0 }
    }
}

impl<T: Copy + Default, const N: usize, const NANOS: u64> Slices<T, N, NANOS> {
    /// Empties the slices that have run out by now.
    pub(crate) fn turn(&mut self, now: Tick) {
        let number = now.0 / NANOS;
        let passed = number.saturating_sub(self.newest).min(N as u64);
        for step in 0..passed {
            if let Some(slice) = self.slices.get_mut(slot_of::<N>(number - step)) {
                *slice = T::default();
            }
        }
        self.newest = self.newest.max(number);
    }

    /// The slice of this moment, after a turn; `None` only where there are no slices.
    pub(crate) fn newest(&mut self) -> Option<&mut T> {
        self.slices.get_mut(slot_of::<N>(self.newest))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = T> {
        self.slices.iter().copied()
    }

    /// Those that a turn at this moment would empty; `None`: all.
    pub(crate) fn run_out(&self, now: Tick) -> Option<impl Iterator<Item = T>> {
        let gone = (now.0 / NANOS).saturating_sub(self.newest);
        let slice = |step| self.slices.get(slot_of::<N>(self.newest + step)).copied().unwrap_or_default();
        (gone < N as u64).then(|| (1..=gone).map(slice))
    }
}

fn slot_of<const N: usize>(number: u64) -> usize {
    usize::try_from(number % N as u64).unwrap_or(0)
}

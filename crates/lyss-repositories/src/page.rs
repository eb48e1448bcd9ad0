//! Pages of lists.

/// Which part of a list: `number` counts from 1, `size` is at most 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    pub number: u32,
    pub size: u32,
}

/// A part of a list and how long the whole is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paged<T> {
    pub items: Vec<T>,
    pub total: u64,
}

impl Default for Page {
    fn default() -> Self {
        Self::FIRST
    }
}

impl Page {
    pub const FIRST: Self = Self { number: 1, size: 50 };

    pub fn offset(self) -> u64 {
        u64::from(self.number.saturating_sub(1)) * u64::from(self.size)
    }
}

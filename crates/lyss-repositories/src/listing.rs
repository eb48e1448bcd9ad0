//! What is asked of a list: which rows, in which order, which part.

use crate::Page;

/// The default is all rows in the aggregate's usual order, the first page.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Listing<F, S> {
    pub filter: F,
    pub sort: Sort<S>,
    pub page: Page,
}

/// By one field, and among equals by id in the same direction, so that pages never overlap. Where the field is absent
/// the row comes last in either direction. Text is compared bytewise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Sort<S> {
    pub by: S,
    pub descending: bool,
}

impl<F: Default, S: Default> Listing<F, S> {
    /// One part of all rows in the usual order.
    pub fn of(page: Page) -> Self {
        Self { page, ..Self::default() }
    }
}

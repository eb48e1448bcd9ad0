//! Query parameters: which part of a list, in which order, filtered how. What a list does not know is refused by name.

use std::collections::BTreeMap;
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::web;
use actix_web::{FromRequest, HttpRequest};
use lyss_domain::Timestamp;
use lyss_management::{Listing, Page, Sort};

use super::failure::Failure;
use super::word::{NO_MOMENT, Word, one_of, parse, words};

const MAX_PAGE_SIZE: u32 = 200;

/// What stands behind the `?`. Each parameter is taken out by its name; what is left over was not known.
pub struct Query {
    given: BTreeMap<String, String>,
    refused: BTreeMap<String, String>,
}

impl FromRequest for Query {
    type Error = Failure;
    type Future = std::future::Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Self::read(request.query_string()))
    }
}

impl Query {
    pub(crate) fn read(text: &str) -> Result<Self, Failure> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(text)
            .map_err(|_| Failure::field("query", "cannot be read"))?;
        let mut query = Self { given: BTreeMap::new(), refused: BTreeMap::new() };
        for (name, value) in pairs.into_inner() {
            if query.given.insert(name.clone(), value).is_some() {
                query.refuse(&name, "is given twice");
            }
        }
        Ok(query)
    }

    pub fn text(&mut self, name: &str) -> Option<String> {
        self.given.remove(name)
    }

    pub fn word<T: Word>(&mut self, name: &str) -> Option<T> {
        let text = self.text(name)?;
        let found = parse(&text);
        if found.is_none() {
            self.refuse(name, &one_of::<T>());
        }
        found
    }

    pub fn flag(&mut self, name: &str) -> Option<bool> {
        self.parsed(name, "must be true or false")
    }

    pub fn moment(&mut self, name: &str) -> Option<Timestamp> {
        let text = self.text(name)?;
        let found = Timestamp::parse_rfc3339(&text);
        if found.is_none() {
            self.refuse(name, NO_MOMENT);
        }
        found
    }

    pub fn parsed<T: FromStr>(&mut self, name: &str, otherwise: &str) -> Option<T> {
        let text = self.text(name)?;
        let found = text.parse().ok();
        if found.is_none() {
            self.refuse(name, otherwise);
        }
        found
    }

    /// The end of a list's parameters: `filter` was taken out before.
    pub fn listing<F, S: Word + Default>(mut self, filter: F) -> Result<Listing<F, S>, Failure> {
        let sort = self.sort();
        let page = self.page();
        self.done()?;
        Ok(Listing { filter, sort, page })
    }

    /// The end of the parameters of a list that has one order only.
    pub fn last_page(mut self) -> Result<Page, Failure> {
        let page = self.page();
        self.done()?;
        Ok(page)
    }

    /// Fails when a parameter was refused, or is left over.
    pub fn done(mut self) -> Result<(), Failure> {
        for name in std::mem::take(&mut self.given).into_keys() {
            self.refuse(&name, "is not a known parameter");
        }
        if self.refused.is_empty() { Ok(()) } else { Err(Failure::fields(self.refused)) }
    }

    fn page(&mut self) -> Page {
        let number: u32 = self.parsed("page", "must be 1 or more").unwrap_or(Page::FIRST.number);
        if number == 0 {
            self.refuse("page", "must be 1 or more");
        }
        let reason = format!("must be between 1 and {MAX_PAGE_SIZE}");
        let size: u32 = self.parsed("page_size", &reason).unwrap_or(Page::FIRST.size);
        if !(1..=MAX_PAGE_SIZE).contains(&size) {
            self.refuse("page_size", &reason);
        }
        Page { number, size }
    }

    /// `name`, or `-name` for descending.
    fn sort<S: Word + Default>(&mut self) -> Sort<S> {
        let Some(text) = self.text("sort") else { return Sort { by: S::default(), descending: false } };
        let (name, descending) = text.strip_prefix('-').map_or((text.as_str(), false), |name| (name, true));
        let by = parse(name).unwrap_or_else(|| {
            let names = words::<S>().join(", ");
            self.refuse("sort", &format!("must be one of {names}, with '-' before it for descending"));
            S::default()
        });
        Sort { by, descending }
    }

    pub(crate) fn refuse(&mut self, name: &str, reason: &str) {
        self.refused.entry(name.to_owned()).or_insert_with(|| reason.to_owned());
    }
}

#[cfg(test)]
mod tests;

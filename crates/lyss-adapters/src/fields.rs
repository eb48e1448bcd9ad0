//! Taking a JSON object apart field by field, so that a wrong type is told with its path and nothing unknown is lost.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Fault;

const MAX_DEFAULT_BYTES: usize = 64;
const MAX_LOST: usize = 64;
const MAX_PATH_CHARS: usize = 100;

/// One object. What nobody takes has no canonical form.
pub(crate) struct Fields<'a> {
    path: String,
    rest: BTreeMap<String, &'a RawValue>,
}

/// Paths of fields without a canonical form: few, short and printable, since they end in a header.
#[derive(Default)]
pub(crate) struct Lost(Vec<String>);

impl<'a> Fields<'a> {
    pub(crate) fn open(raw: &'a RawValue, path: impl Into<String>) -> Result<Self, Fault> {
        let path = path.into();
        match serde_json::from_str(raw.get()) {
            Ok(rest) => Ok(Self { path, rest }),
            Err(_) => Err(wrong(&path, "an object")),
        }
    }

    /// The same with every name read in `camelCase`, where protobuf's JSON allows `snake_case` beside it. A field written in
    /// both is refused, since it could mean two things.
    pub(crate) fn open_camel(raw: &'a RawValue, path: impl Into<String>) -> Result<Self, Fault> {
        let plain = Self::open(raw, path)?;
        let mut rest = BTreeMap::new();
        for (name, value) in plain.rest {
            if rest.insert(camel(&name), value).is_some() {
                let path = if plain.path.is_empty() { name } else { format!("{}.{name}", plain.path) };
                return Err(wrong(&path, "written once"));
            }
        }
        Ok(Self { path: plain.path, rest })
    }

    /// The field's value; null counts as absent.
    pub(crate) fn take<T: Deserialize<'a>>(
        &mut self,
        name: &str,
        expected: &str,
    ) -> Result<Option<T>, Fault> {
        match self.raw(name) {
            None => Ok(None),
            Some(raw) => match serde_json::from_str(raw.get()) {
                Ok(value) => Ok(Some(value)),
                Err(_) => Err(wrong(&self.path_of(name), expected)),
            },
        }
    }

    pub(crate) fn require<T: Deserialize<'a>>(&mut self, name: &str, expected: &str) -> Result<T, Fault> {
        match self.take(name, expected)? {
            Some(value) => Ok(value),
            None => Err(wrong(&self.path_of(name), expected)),
        }
    }

    pub(crate) fn raw(&mut self, name: &str) -> Option<&'a RawValue> {
        self.rest.remove(name).filter(|raw| raw.get() != "null")
    }

    /// The field's value, left where it is.
    pub(crate) fn peek(&self, name: &str) -> Option<&'a RawValue> {
        self.rest.get(name).copied()
    }

    /// True for a field that is there and not null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.rest.get(name).is_some_and(|raw| raw.get() != "null")
    }

    pub(crate) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Passes over what is left: the whole object has been noted.
    pub(crate) fn clear(&mut self) {
        self.rest.clear();
    }

    /// Notes what is left, except nulls and fields that only repeat a default.
    pub(crate) fn leave(self, defaults: &[(&str, &str)], lost: &mut Lost) {
        for (name, raw) in &self.rest {
            let value = raw.get();
            let is_default = value.len() <= MAX_DEFAULT_BYTES && {
                let compact: String = value.split_whitespace().collect();
                defaults.contains(&(name.as_str(), compact.as_str()))
            };
            if value != "null" && !is_default {
                lost.note(&self.path_of(name));
            }
        }
    }
}

impl Lost {
    pub(crate) fn note(&mut self, path: &str) {
        if self.0.len() < MAX_LOST {
            let printable = |c: char| if c.is_ascii_graphic() && c != ',' { c } else { '?' };
            self.0.push(path.chars().take(MAX_PATH_CHARS).map(printable).collect());
        }
    }

    pub(crate) fn into_paths(self) -> Vec<String> {
        self.0
    }
}

/// `snake_case` as `camelCase`; anything else as it is.
pub(crate) fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut after = false;
    for c in name.chars() {
        match c {
            '_' if !out.is_empty() => after = true,
            c if std::mem::take(&mut after) => out.extend(c.to_uppercase()),
            c => out.push(c),
        }
    }
    out
}

pub(crate) fn wrong(path: &str, expected: &str) -> Fault {
    Fault::bad_request(format!("`{path}` must be {expected}."), Some(path))
}

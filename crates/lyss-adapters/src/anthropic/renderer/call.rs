//! The arguments of the call that is being written.

use crate::anthropic::shapes::wrapped;
use crate::arguments::ObjectWatch;

/// A call whose arguments arrive. An object passes piece by piece; what is none is held until the call ends.
pub(super) struct OpenCall {
    pub(super) call: u32,
    custom: bool,
    shape: Shape,
}

enum Shape {
    /// Nothing but blanks so far.
    Unknown,
    Object(ObjectWatch),
    Other(String),
}

impl OpenCall {
    pub(super) fn new(call: u32, custom: bool) -> Self {
        Self { call, custom, shape: if custom { Shape::Other(String::new()) } else { Shape::Unknown } }
    }

    /// Nothing more is to come.
    pub(super) fn is_whole(&self) -> bool {
        matches!(&self.shape, Shape::Object(watch) if watch.is_whole())
    }

    /// How much is held.
    pub(super) fn held_bytes(&self) -> usize {
        match &self.shape {
            Shape::Other(held) => held.len(),
            Shape::Unknown | Shape::Object(_) => 0,
        }
    }

    /// Takes a piece and answers what of it may be written. What follows a whole object is no part of it.
    pub(super) fn feed<'t>(&mut self, text: &'t str) -> &'t str {
        if matches!(self.shape, Shape::Unknown) {
            match text.trim_start().chars().next() {
                None => return "",
                Some('{') => self.shape = Shape::Object(ObjectWatch::default()),
                Some(_) => self.shape = Shape::Other(String::new()),
            }
        }
        match &mut self.shape {
            Shape::Unknown => "",
            Shape::Other(held) => {
                held.push_str(text);
                ""
            }
            Shape::Object(watch) if watch.is_whole() => "",
            Shape::Object(watch) => {
                let before = *watch;
                watch.feed(text);
                if !watch.is_whole() {
                    return text;
                }
                let mut again = before;
                let end = text.char_indices().find_map(|(at, c)| {
                    let end = at + c.len_utf8();
                    again.feed(text.get(at..end).unwrap_or_default());
                    again.is_whole().then_some(end)
                });
                text.get(..end.unwrap_or(text.len())).unwrap_or(text)
            }
        }
    }

    /// What is still to be written when the call ends.
    pub(super) fn rest(self) -> Option<String> {
        match self.shape {
            Shape::Other(held) => wrapped(&held, self.custom),
            Shape::Unknown | Shape::Object(_) => None,
        }
    }
}

//! When the pieces of a tool call's arguments are whole.

/// Watches a JSON object arrive in pieces. For writers that may not begin a call before another one has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ObjectWatch {
    depth: u32,
    in_string: bool,
    escaped: bool,
    closed: bool,
}

impl ObjectWatch {
    pub(crate) fn feed(&mut self, piece: &str) {
        for byte in piece.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.closed |= self.depth == 0;
                }
                _ => {}
            }
        }
    }

    /// The outermost bracket has closed: nothing more is to come.
    pub(crate) fn is_whole(self) -> bool {
        self.closed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn only_the_last_byte_makes_an_object_whole(text in "[a-z{}\\[\\]\"\\\\,:é]{0,20}", by in 1..6_usize) {
            let json = serde_json::json!({"a": {text.as_str(): [1, text]}}).to_string();
            let mut watch = ObjectWatch::default();
            let mut pieces = json.char_indices().map(|(at, _)| at).step_by(by).chain([json.len()]).collect::<Vec<_>>();
            pieces.dedup();
            for pair in pieces.windows(2) {
                prop_assert!(!watch.is_whole());
                watch.feed(&json[pair[0]..pair[1]]);
            }
            prop_assert!(watch.is_whole());
        }
    }
}

//! Puts a stream together as the vendor's own SDKs do, and panics where it breaks the grammar.

use serde_json::{Value, json};

/// The answer that a reader of the stream ends up with.
pub(in crate::anthropic) fn assemble(events: &[Value]) -> Value {
    let mut reader = Reader::default();
    events.iter().for_each(|event| reader.event(event));
    reader.message
}

#[derive(Default)]
struct Reader {
    message: Value,
    open: Option<usize>,
    /// Of the open call's arguments.
    pieces: String,
    signed: bool,
    over: bool,
}

impl Reader {
    fn event(&mut self, event: &Value) {
        assert!(!self.over, "something follows the end: {event}");
        let kind = event["type"].as_str().unwrap();
        if kind == "error" {
            self.over = true;
            return;
        }
        assert_eq!(self.message.is_null(), kind == "message_start", "one start, and first");
        match kind {
            "message_start" => self.message = event["message"].clone(),
            "content_block_start" => self.start(event),
            "content_block_delta" => {
                let at = self.open.expect("a delta outside of its block");
                assert_eq!(event["index"], at);
                self.delta(at, &event["delta"]);
            }
            "content_block_stop" => self.stop(event),
            "message_delta" => self.message_delta(event),
            "message_stop" => {
                assert!(!self.message["stop_reason"].is_null(), "a stop without a reason");
                self.over = true;
            }
            other => panic!("unknown event {other}"),
        }
    }

    fn start(&mut self, event: &Value) {
        assert_eq!(self.open, None, "one block at a time");
        let blocks = self.message["content"].as_array_mut().unwrap();
        assert_eq!(event["index"], blocks.len(), "indexes rise by one");
        self.open = Some(blocks.len());
        blocks.push(event["content_block"].clone());
        self.pieces.clear();
        self.signed = false;
    }

    fn delta(&mut self, at: usize, delta: &Value) {
        let block = &mut self.message["content"][at];
        let kinds = (block["type"].as_str().unwrap(), delta["type"].as_str().unwrap());
        let field = match kinds {
            ("text", "text_delta") => "text",
            ("thinking", "thinking_delta") => {
                assert!(!self.signed, "thoughts behind their signature");
                "thinking"
            }
            ("thinking", "signature_delta") => {
                assert!(!self.signed, "two signatures");
                self.signed = true;
                block["signature"] = delta["signature"].clone();
                return;
            }
            ("text", "citations_delta") => {
                let list = &mut block["citations"];
                if list.is_null() {
                    *list = json!([]);
                }
                list.as_array_mut().unwrap().push(delta["citation"].clone());
                return;
            }
            ("tool_use", "input_json_delta") => {
                self.pieces.push_str(delta["partial_json"].as_str().unwrap());
                return;
            }
            (block, delta) => panic!("{delta} inside {block}"),
        };
        let text = format!("{}{}", block[field].as_str().unwrap(), delta[field].as_str().unwrap());
        block[field] = text.into();
    }

    fn stop(&mut self, event: &Value) {
        let at = self.open.take().expect("a stop without a block");
        assert_eq!(event["index"], at);
        let block = &mut self.message["content"][at];
        assert!(block["type"] != "thinking" || self.signed, "thoughts without a signature");
        // A call cut short may end anywhere; what is whole is an object.
        if block["type"] == "tool_use"
            && let Ok(input) = serde_json::from_str::<Value>(&self.pieces)
        {
            assert!(input.is_object(), "{}", self.pieces);
            block["input"] = input;
        }
    }

    fn message_delta(&mut self, event: &Value) {
        assert_eq!(self.open, None);
        assert!(self.message["stop_reason"].is_null(), "two deltas of the message");
        for (field, value) in event["delta"].as_object().unwrap() {
            self.message[field] = value.clone();
        }
        assert!(!self.message["stop_reason"].is_null());
        for (field, value) in event["usage"].as_object().unwrap() {
            self.message["usage"][field] = value.clone();
        }
    }
}

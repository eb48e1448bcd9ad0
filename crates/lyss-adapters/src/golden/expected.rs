//! Expected outputs, written by hand, beside the recordings: what an OpenAI caller's request becomes and what the
//! caller sees of an answer, word for word.

use serde_json::Value;

use super::crossing;
use super::fixtures::{self, Case, cases, decode, render, rendering};
use crate::dialect::{CallerSide, Dialect, Encoding};

/// The dialects with such files, what the OpenAI caller's request is called, and what the encoded one.
const EXPECTED: [(Dialect, &str, &str); 2] = [
    (Dialect::AnthropicMessages, "openai-request.json", "anthropic.json"),
    (Dialect::OpenAiChat, "request.json", "encoded.json"),
];

fn caller() -> &'static dyn CallerSide {
    Dialect::OpenAiChat.caller().unwrap()
}

fn expected(file: &'static str) -> impl Iterator<Item = (Case, Vec<u8>)> {
    cases().into_iter().filter_map(move |case| {
        let expected = case.file(file)?;
        Some((case, expected))
    })
}

/// A rendered stream as values; the end marker as the string it is.
fn values(stream: &[u8]) -> Vec<Value> {
    let value = |data: &[u8]| match data {
        b"[DONE]" => Value::from("[DONE]"),
        json => serde_json::from_slice(json).unwrap(),
    };
    fixtures::frames([stream]).iter().map(|frame| value(&frame.data)).collect()
}

#[test]
fn requests_are_encoded_as_expected() {
    let mut seen = 0;
    for (dialect, request, file) in EXPECTED {
        for (case, expected) in expected(file).filter(|(case, _)| case.dialect == dialect) {
            let name = case.path.display();
            let call = crossing::read(Dialect::OpenAiChat, &case.file(request).unwrap(), false).unwrap();
            let encoded = dialect.vendor().unwrap().encode(&call, &Encoding::plain(&call.model)).unwrap();
            let body: Value = serde_json::from_slice(&encoded.body).unwrap();
            assert_eq!(body, serde_json::from_slice::<Value>(&expected).unwrap(), "{name}");
            if let Some(losses) = case.file("losses.json") {
                let mut reported: Vec<_> = encoded.losses.iter().map(|loss| caller().path(loss)).collect();
                let mut losses: Vec<String> = serde_json::from_slice(&losses).unwrap();
                reported.sort();
                losses.sort();
                assert_eq!(reported, losses, "{name}");
            }
            seen += 1;
        }
    }
    assert!(seen >= 8, "only {seen} requests found");
}

#[test]
fn replies_are_rendered_as_expected() {
    let mut seen = 0;
    for (case, expected) in expected("openai.json") {
        let reply = case.dialect.vendor().unwrap().decode(&case.reply().unwrap()).unwrap();
        let rendered: Value = serde_json::from_slice(&caller().render(&reply, &rendering())).unwrap();
        assert_eq!(rendered, serde_json::from_slice::<Value>(&expected).unwrap(), "{}", case.path.display());
        seen += 1;
    }
    assert!(seen >= 10, "only {seen} replies found");
}

#[test]
fn streams_are_rendered_as_expected() {
    let mut seen = 0;
    for (case, expected) in expected("openai.sse") {
        let (events, result) = decode(case.dialect, [case.stream().unwrap().as_slice()]);
        result.unwrap();
        let rendered = render(Dialect::OpenAiChat, &events, &rendering());
        assert_eq!(values(&rendered), values(&expected), "{}", case.path.display());
        seen += 1;
    }
    assert!(seen >= 15, "only {seen} streams found");
}

//! Recordings with one value replaced, through everything that reads or writes this dialect.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use lyss_domain::Timestamp;
use lyss_wire::SseFrame;
use proptest::prelude::*;
use serde_json::Value;

use crate::dialect::{CallerSide, Dialect, Encoding, PassSide, Rendering, VendorSide};
use crate::scan::{PathWords, scan_at};

fn recordings(name: &str) -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/google");
    let mut paths: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: &PathBuf| fs::read(path.join(name)).ok();
    let found: Vec<_> = paths.iter().filter_map(read).collect();
    assert!(found.len() >= 15, "only {} of {name} found", found.len());
    found.iter().map(|text| serde_json::from_slice(text).unwrap()).collect()
}

fn pointers(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| pointers(item, format!("{at}/{n}"), found));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, item)| pointers(item, format!("{at}/{name}"), found));
        }
        _ => {}
    }
    found.push(at);
}

fn distorted(mut value: Value, which: prop::sample::Index, by: &Value) -> String {
    let mut found = Vec::new();
    pointers(&value, String::new(), &mut found);
    if let Some(target) = value.pointer_mut(which.get::<String>(&found)) {
        *target = by.clone();
    }
    value.to_string()
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
        Just(serde_json::json!([])),
        Just(serde_json::json!({})),
        Just(serde_json::json!([{"text": "x", "thought": true}, {"functionCall": {"name": "f"}}])),
        Just(serde_json::json!({"$ref": "#", "type": "OBJECT", "nullable": true})),
    ]
}

fn read_request(body: &str) {
    let path = PathWords { model: Some("m".to_owned()), ..PathWords::default() };
    let Ok(ask) = scan_at(Dialect::GoogleGenerate, body.to_owned().into(), path) else { return };
    let limit = crate::splice::OutputLimit { field: "", tokens: 1 };
    let splices = crate::Splices { output_limit: Some(limit), ..crate::Splices::default() };
    let spliced = super::Pass.splice(&ask, &splices).to_bytes();
    assert!(serde_json::from_slice::<Value>(&spliced).is_ok());
    let Ok(call) = super::Caller.parse(&ask) else { return };
    for dialect in Dialect::ALL {
        for model in ["gemini-1.5-pro", "gemini-2.5-pro", "gemini-3.5-flash"] {
            let Some(vendor) = dialect.vendor() else { continue };
            match vendor.encode(&call, &Encoding::plain(model)) {
                Ok(encoded) => {
                    serde_json::from_slice::<&serde_json::value::RawValue>(&encoded.body).unwrap();
                    encoded.losses.iter().for_each(|loss| assert!(!super::Caller.path(loss).is_empty()));
                }
                Err(unsayable) => assert!(!unsayable.into_fault(&super::Caller).message.is_empty()),
            }
        }
    }
}

fn read_answer(body: &str) {
    let rendering = Rendering::at(Timestamp::from_millis(1_700_000_000_000));
    if let Ok(reply) = super::Vendor.decode(body.as_bytes()) {
        for dialect in Dialect::ALL {
            let Some(caller) = dialect.caller() else { continue };
            serde_json::from_slice::<Value>(&caller.render(&reply, &rendering)).unwrap();
        }
    }
    let mut decoder = super::Vendor.decoder();
    let mut events = Vec::new();
    let frame = SseFrame { event: None, data: body.as_bytes().to_vec() };
    let _ = decoder.feed(&frame, &mut events);
    decoder.finish(&mut events).unwrap();
    for dialect in Dialect::ALL {
        let Some(caller) = dialect.caller() else { continue };
        let mut out = BytesMut::new();
        let mut renderer = caller.renderer(&rendering);
        events.iter().for_each(|event| renderer.event(event, &mut out));
    }
    let _ = super::Pass.read_usage(body.as_bytes());
    let mut tap = super::Pass.tap(false);
    tap.feed(format!("data: {body}\n\n").into());
    for status in [400, 403, 429, 503] {
        let status = http::StatusCode::from_u16(status).unwrap();
        let fault = super::Vendor.read_fault(status, &http::HeaderMap::new(), &body.to_owned().into());
        serde_json::from_slice::<Value>(&super::Caller.render_fault(&fault)).unwrap();
    }
    let _ = super::count::decode(body.as_bytes());
    let _ = super::embed::decode(body.as_bytes());
    let _ = super::embed::encode(body.as_bytes(), "m");
}

proptest! {
    // Each walks all recordings.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn distorted_requests_are_survived(which in any::<prop::sample::Index>(), by in any_value()) {
        for recording in recordings("request.json") {
            read_request(&distorted(recording, which, &by));
        }
    }

    #[test]
    fn distorted_answers_are_survived(which in any::<prop::sample::Index>(), by in any_value()) {
        for recording in recordings("reply.json") {
            read_answer(&distorted(recording, which, &by));
        }
    }
}

use proptest::prelude::*;

use super::*;

fn ask(body: &str) -> Result<Ask, ScanError> {
    scan(Dialect::OpenAiChat, Bytes::copy_from_slice(body.as_bytes()))
}

#[test]
fn finds_the_fields_wherever_they_stand() {
    let body = r#" { "messages" : [{"role":"user","content":"\"model\": {]"}] ,
        "stream_options":{"include_usage" : false}, "max_tokens":7, "model" : "org\/gpt", "stream":true,"n":2 } "#;
    let ask = ask(body).unwrap();
    assert_eq!(ask.model, "org/gpt");
    assert!(ask.stream);
    assert_eq!(ask.include_usage, Some(false));
    assert_eq!(ask.output_limit, Some(7));
    assert_eq!(ask.candidates, 2);
    assert_eq!(&body[ask.spans.model.clone().unwrap()], r#""org\/gpt""#);
    assert_eq!(&body[ask.spans.include_usage.clone().unwrap()], "false");
    assert_eq!(&body[ask.spans.stream_options.clone().unwrap()], r#"{"include_usage" : false}"#);
}

#[test]
fn the_newer_output_limit_wins_and_null_is_absent() {
    let both = ask(r#"{"model":"m","max_tokens":9,"max_completion_tokens":5}"#).unwrap();
    assert_eq!(both.output_limit, Some(5));
    let null = ask(r#"{"model":"m","max_tokens":null,"stream":null,"stream_options":null}"#).unwrap();
    assert_eq!((null.output_limit, null.stream, null.include_usage), (None, false, None));
}

#[test]
fn data_urls_are_no_prompt_text() {
    let body =
        r#"{"model":"m","messages":[{"content":[{"image_url":{"url":"data:image/png;base64,AAAA"}}]}]}"#;
    assert_eq!(ask(body).unwrap().data_url_bytes, "data:image/png;base64,AAAA".len());
}

#[test]
fn refuses_what_two_readers_could_read_differently() {
    let deep = format!(r#"{{"model":"m","x":{}{}}}"#, "[".repeat(128), "]".repeat(128));
    let table: &[(&str, ScanError)] = &[
        (r#"{"model":"a","model":"b"}"#, ScanError::DuplicateKey),
        (r#"{"model":"a","mod\u0065l":"b"}"#, ScanError::EscapedKey),
        (r#"[]"#, ScanError::NotAnObject),
        ("", ScanError::NotAnObject),
        ("{}", ScanError::Missing("model")),
        (r#"{"model":7}"#, ScanError::WrongType("model", "a string")),
        (r#"{"model":"m","stream":"yes"}"#, ScanError::WrongType("stream", "true or false")),
        (r#"{"model":"m","max_tokens":-1}"#, ScanError::WrongType("max_tokens", "a non-negative integer")),
        (r#"{"model":"m","stream_options":[]}"#, ScanError::WrongType("stream_options", "an object")),
        (&deep, ScanError::TooDeep),
    ];
    for (body, error) in table {
        assert_eq!(ask(body).unwrap_err(), *error, "{body}");
    }
    for broken in [
        r#"{"model":"m""#,
        r#"{"model":"m"}x"#,
        r#"{"model":"m","a":[}"#,
        r#"{"model":"m","a":"b}"#,
        r#"{"model":"m","a":}"#,
        r#"{"model":"m",}"#,
        r#"{"model":"m" "a":1}"#,
        r#"{model:"m"}"#,
        r#"{"model":"m\"#,
    ] {
        assert!(matches!(ask(broken), Err(ScanError::Malformed(_))), "{broken}");
    }
}

#[test]
fn the_depth_bound_is_what_serde_json_accepts() {
    let nested =
        |levels: usize| format!(r#"{{"model":"m","x":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    for levels in [1, 100, 126, 127, 128, 129] {
        let body = nested(levels);
        let strict = serde_json::from_str::<serde_json::Value>(&body).is_ok();
        assert_eq!(ask(&body).is_ok(), strict, "{levels} levels");
    }
}

/// JSON values of modest size.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #[test]
    fn agrees_with_serde_json_on_valid_bodies(
        model in any::<String>(),
        extra in prop::collection::btree_map("[a-z]{1,8}", json(), 0..6),
        pretty in any::<bool>(),
    ) {
        let mut object: serde_json::Map<_, _> = extra.into_iter().collect();
        for name in ["stream", "stream_options", "n"] {
            object.remove(name);
        }
        object.insert("model".to_owned(), model.clone().into());
        let body = if pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) }.unwrap();
        let ask = ask(&body).unwrap();
        prop_assert_eq!(ask.model, model.clone());
        prop_assert_eq!(serde_json::from_str::<String>(&body[ask.spans.model.clone().unwrap()]).unwrap(), model);
    }

    #[test]
    fn what_serde_json_reads_as_an_object_with_a_model_is_the_same_to_us(
        body in prop::collection::vec(prop::sample::select(br#"{}[]":,\model 1tn"#.to_vec()), 0..40),
    ) {
        // Never a panic; and where both accept, both see the same model.
        let ours = scan(Dialect::OpenAiChat, Bytes::from(body.clone()));
        let theirs = serde_json::from_slice::<serde_json::Value>(&body);
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            prop_assert_eq!(Some(ours.model.as_str()), theirs.get("model").and_then(|m| m.as_str()));
        }
    }
}

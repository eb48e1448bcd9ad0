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

fn at(dialect: Dialect, body: &str, path: PathWords) -> Result<Ask, ScanError> {
    scan_at(dialect, Bytes::copy_from_slice(body.as_bytes()), path)
}

fn named(model: &str) -> PathWords {
    PathWords { model: Some(model.to_owned()), ..PathWords::default() }
}

#[test]
fn googles_model_and_stream_stand_in_the_address() {
    let body = r#"{"model":7,"stream":"yes","contents":[],"generationConfig":{"maxOutputTokens":9,"candidateCount":3}}"#;
    let path = PathWords { stream: Some(true), framing: Framing::Array, ..named("gemini-2.5-pro") };
    let ask = at(Dialect::GoogleGenerate, body, path).unwrap();
    assert_eq!((ask.model.as_str(), ask.stream, ask.framing), ("gemini-2.5-pro", true, Framing::Array));
    assert_eq!((ask.output_limit, ask.candidates), (Some(9), 3));
    assert_eq!(ask.spans.model, None, "the body's own word is the vendor's to judge");
    assert_eq!(&body[ask.spans.generation.unwrap()], r#"{"maxOutputTokens":9,"candidateCount":3}"#);
    let whole = at(Dialect::GoogleGenerate, "{}", named("m")).unwrap();
    assert_eq!((whole.stream, whole.framing, whole.candidates), (false, Framing::Events, 1));
    assert!(whole.spans.is_empty && whole.spans.generation.is_none());
    assert_eq!(
        at(Dialect::GoogleGenerate, r#"{"model":"m"}"#, PathWords::default()).unwrap_err(),
        ScanError::Missing("model")
    );
}

#[test]
fn googles_limits_are_read_in_both_spellings() {
    for (config, limit, candidates) in [
        (r#""generationConfig":{"maxOutputTokens":9}"#, Some(9), 1),
        (r#""generation_config":{"max_output_tokens":9,"candidate_count":2}"#, Some(9), 2),
        (r#""generationConfig":{"max_output_tokens":8,"candidateCount":2}"#, Some(8), 2),
        (r#""generationConfig":{"maxOutputTokens":null,"candidateCount":null}"#, None, 1),
        (r#""generationConfig":null"#, None, 1),
        (r#""generationConfig":{}"#, None, 1),
        (r#""maxOutputTokens":9,"max_tokens":9,"n":4"#, None, 1),
        (r#""contents":[{"generationConfig":{"maxOutputTokens":9}}]"#, None, 1),
    ] {
        let ask = at(Dialect::GoogleGenerate, &format!("{{{config}}}"), named("m")).unwrap();
        assert_eq!((ask.output_limit, ask.candidates), (limit, candidates), "{config}");
    }
    let wrong = |config: &str| at(Dialect::GoogleGenerate, config, named("m")).unwrap_err();
    assert_eq!(wrong(r#"{"generationConfig":[]}"#), ScanError::WrongType("generationConfig", "an object"));
    for config in [r#"{"maxOutputTokens":-1}"#, r#"{"max_output_tokens":"9"}"#, r#"{"maxOutputTokens":1.5}"#]
    {
        assert_eq!(
            wrong(&format!(r#"{{"generation_config":{config}}}"#)),
            ScanError::WrongType("generationConfig.maxOutputTokens", "a non-negative integer"),
            "{config}"
        );
    }
    assert_eq!(
        wrong(r#"{"generationConfig":{"maxOutputTokens":1,"maxOutputTokens":2}}"#),
        ScanError::DuplicateKey
    );
}

#[test]
fn azures_deployment_wins_over_the_body() {
    let body = r#"{"model":"gpt-4o","stream":true,"messages":[]}"#;
    let ask = at(Dialect::OpenAiChat, body, named("my-deployment")).unwrap();
    assert_eq!((ask.model.as_str(), ask.stream), ("my-deployment", true));
    assert_eq!(&body[ask.spans.model.unwrap()], r#""gpt-4o""#, "still there to be spliced");
    let without = at(Dialect::OpenAiChat, r#"{"messages":[]}"#, named("my-deployment")).unwrap();
    assert_eq!((without.model.as_str(), without.spans.model), ("my-deployment", None));
    // What the body says is still held to its type.
    let odd = at(Dialect::OpenAiChat, r#"{"model":7}"#, named("my-deployment"));
    assert_eq!(odd.unwrap_err(), ScanError::WrongType("model", "a string"));
}

#[test]
fn each_dialect_reads_its_own_limit_and_no_other() {
    use Dialect::{AnthropicMessages, OpenAiChat, OpenAiResponses};
    let body = r#"{"model":"m","max_tokens":1,"max_completion_tokens":2,"max_output_tokens":3,"n":4,
        "stream_options":{"include_usage":true},"generationConfig":{"maxOutputTokens":5}}"#;
    for (dialect, limit, candidates, usage) in
        [(OpenAiChat, 2, 4, Some(true)), (OpenAiResponses, 3, 1, None), (AnthropicMessages, 1, 1, None)]
    {
        let ask = at(dialect, body, PathWords::default()).unwrap();
        assert_eq!((ask.output_limit, ask.candidates), (Some(limit), candidates), "{dialect:?}");
        assert_eq!(ask.include_usage, usage, "{dialect:?}");
        assert_eq!(ask.spans.generation, None);
    }
    let wrong = |dialect, body| at(dialect, body, PathWords::default()).unwrap_err();
    assert_eq!(
        wrong(OpenAiResponses, r#"{"model":"m","max_output_tokens":"many"}"#),
        ScanError::WrongType("max_output_tokens", "a non-negative integer")
    );
    assert_eq!(
        wrong(AnthropicMessages, r#"{"model":"m","max_tokens":{}}"#),
        ScanError::WrongType("max_tokens", "a non-negative integer")
    );
    assert_eq!(wrong(OpenAiResponses, r#"{"input":"x"}"#), ScanError::Missing("model"));
}

#[test]
fn base64_under_data_is_no_prompt_text_and_what_only_looks_alike_is() {
    let base64 = "iVBORw0KGgo".repeat(30);
    let prose = "a sentence with blanks, which no file has. ".repeat(10);
    let counted = |dialect, body: String| at(dialect, &body, named("m")).unwrap().data_url_bytes;
    use Dialect::{AnthropicMessages, GoogleGenerate, OpenAiChat};
    let anthropic = |name: &str, text: &str| {
        format!(r#"{{"messages":[{{"content":[{{"source":{{"type":"base64","{name}":"{text}"}}}}]}}]}}"#)
    };
    assert_eq!(counted(AnthropicMessages, anthropic("data", &base64)), base64.len());
    let google = format!(r#"{{"contents":[{{"parts":[{{"inlineData":{{"data" : "{base64}"}}}}]}}]}}"#);
    assert_eq!(counted(GoogleGenerate, google), base64.len());
    let audio = format!(r#"{{"messages":[{{"input_audio":{{"format":"wav","data":"{base64}"}}}}]}}"#);
    assert_eq!(counted(OpenAiChat, audio), base64.len());
    let url_safe = format!("{}-_=", "AbC9".repeat(80));
    assert_eq!(counted(AnthropicMessages, anthropic("data", &url_safe)), url_safe.len());

    for (name, text) in [
        ("text", base64.as_str()),
        ("data", prose.as_str()),
        // Too short to be a file.
        ("data", "iVBORw0KGgo"),
    ] {
        assert_eq!(counted(AnthropicMessages, anthropic(name, text)), 0, "{name} {text}");
    }
    // The word as a value, and a value behind the next comma, are not the field.
    for body in [
        format!(r#"{{"messages":[{{"type":"data","text":"{base64}"}}]}}"#),
        format!(r#"{{"messages":["data","{base64}"]}}"#),
        format!(r#"{{"messages":[{{"data":null,"text":"{base64}"}}]}}"#),
        format!(r#"{{"messages":[{{"data":["{base64}"],"text":"x"}}]}}"#).replace("[\"iVBO", "[1,\"iVBO"),
    ] {
        assert_eq!(counted(OpenAiChat, body.clone()), 0, "{body}");
    }
    let both = format!(
        r#"{{"messages":[{{"url":"data:image/png;base64,{base64}"}},{{"data":"{base64}"}},{{"text":"{prose}"}}]}}"#
    );
    assert_eq!(counted(OpenAiChat, both), 2 * base64.len() + "data:image/png;base64,".len());
    // Counted once where it is both.
    let url = format!("data:application/pdf;base64,{base64}");
    assert_eq!(counted(AnthropicMessages, anthropic("data", &url)), url.len());
}

#[test]
fn bounds_hold_in_every_dialect() {
    let keys = |count: usize| {
        let fields: Vec<_> = (0..count).map(|index| format!(r#""k{index}":1"#)).collect();
        format!("{{{}}}", fields.join(","))
    };
    let deep = format!(r#"{{"x":{}{}}}"#, r#"{"y":"#.repeat(127), "1".to_owned() + &"}".repeat(127));
    for dialect in Dialect::ALL {
        assert!(at(dialect, &keys(MAX_KEYS), named("m")).is_ok(), "{dialect:?}");
        assert_eq!(at(dialect, &keys(MAX_KEYS + 1), named("m")).unwrap_err(), ScanError::TooManyKeys);
        assert_eq!(at(dialect, &deep, named("m")).unwrap_err(), ScanError::TooDeep);
        assert_eq!(at(dialect, "null", named("m")).unwrap_err(), ScanError::NotAnObject);
    }
    let many = at(Dialect::OpenAiChat, r#"{"n":99999999999}"#, named("m")).unwrap();
    let none = at(Dialect::OpenAiChat, r#"{"n":0}"#, named("m")).unwrap();
    assert_eq!((many.candidates, none.candidates), (128, 1));
}

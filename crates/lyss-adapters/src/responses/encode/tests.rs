use serde_json::{Value, json};

use super::*;
use crate::conversation::{
    CacheLifetime, Citation, CitedPlace, Effort, Media, MediaKind, Origin, Part, Reasoning, Role, Seal,
    SealKind, ServerTool, ServerToolKind, Source, Thinking, Tool, ToolChoice, ToolKind, Turn, WebSearch,
};

fn user(parts: Vec<Part>) -> Turn {
    Turn::new(Role::User, parts, 0)
}

fn asking(parts: Vec<Part>) -> ChatCall {
    ChatCall { turns: vec![user(parts)], ..ChatCall::default() }
}

fn hi() -> Part {
    Part::Text("Hi".into())
}

fn encoded(call: &ChatCall, model: &str) -> (Value, Vec<Loss>) {
    let encoded = encode(call, &Encoding::plain(model)).unwrap();
    (serde_json::from_slice(&encoded.body).unwrap(), encoded.losses)
}

fn sealed(kind: SealKind) -> Part {
    let seal = Some(Seal { kind, data: "gAAA".into(), id: Some("rs_1".into()) });
    Part::Reasoning(Reasoning { text: "Hm.".into(), seal })
}

#[test]
fn a_plain_request_keeps_nothing_at_the_vendor() {
    let mut call = asking(vec![hi()]);
    let parts = vec![Part::Text("Be brief.".into())];
    call.turns.insert(0, Turn { role: Role::System, parts, origin: Origin::Instructions });
    let (body, losses) = encoded(&call, "gpt-4o");
    assert_eq!(
        body,
        json!({"model": "gpt-4o", "instructions": "Be brief.", "store": false,
            "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]})
    );
    assert!(losses.is_empty());
    assert_eq!(encoded(&call, "gpt-5").0["include"], json!(["reasoning.encrypted_content"]));
}

#[test]
fn own_reasoning_goes_back_before_what_it_led_to_and_foreign_is_lost() {
    let turn = |parts| ChatCall {
        turns: vec![user(vec![hi()]), Turn::new(Role::Assistant, parts, 1)],
        ..ChatCall::default()
    };
    let tool_call =
        || Part::ToolCall { id: "c".into(), name: "f".into(), arguments: String::new(), custom: false };
    let (body, losses) = encoded(&turn(vec![sealed(SealKind::OpenAi), hi(), tool_call()]), "gpt-5");
    assert_eq!(
        body["input"].as_array().unwrap()[1..],
        [
            json!({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "gAAA"}),
            json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi", "annotations": []}]}),
            json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}),
        ]
    );
    assert!(losses.is_empty());
    let lost = vec![Loss::turn(Origin::Item(1), "reasoning")];
    let (body, losses) = encoded(&turn(vec![sealed(SealKind::Google), hi()]), "gpt-5");
    assert_eq!((body["input"].as_array().unwrap().len(), losses), (2, lost.clone()));
    // Without anything behind it the vendor refuses it.
    let (body, losses) = encoded(&turn(vec![hi(), sealed(SealKind::OpenAi)]), "gpt-5");
    assert_eq!((body["input"].as_array().unwrap().len(), losses), (2, lost));
}

#[test]
fn results_are_a_string_or_a_list_and_custom_where_the_call_was() {
    let image = Media::new(MediaKind::Image, Source::Data("aGk=".into()), Some("image/png".into()));
    let result = |id: &str, parts, is_error| Part::ToolResult { id: id.into(), name: None, parts, is_error };
    let tool_call =
        |id: &str, custom| Part::ToolCall { id: id.into(), name: "f".into(), arguments: "x".into(), custom };
    let call = ChatCall {
        turns: vec![
            Turn::new(Role::Assistant, vec![tool_call("a", false), tool_call("b", true)], 0),
            Turn::new(
                Role::Tool,
                vec![
                    result("a", vec![Part::Text("1".into()), Part::Media(image)], true),
                    result("b", vec![Part::Text("2".into())], false),
                ],
                1,
            ),
        ],
        ..ChatCall::default()
    };
    let (body, losses) = encoded(&call, "gpt-5");
    assert_eq!(
        body["input"][1],
        json!({"type": "custom_tool_call", "call_id": "b", "name": "f", "input": "x"})
    );
    assert_eq!(
        body["input"][2],
        json!({"type": "function_call_output", "call_id": "a", "output": [{"type": "input_text", "text": "1"},
            {"type": "input_image", "image_url": "data:image/png;base64,aGk=", "detail": "auto"}]})
    );
    assert_eq!(body["input"][3], json!({"type": "custom_tool_call_output", "call_id": "b", "output": "2"}));
    assert_eq!(losses, [Loss::turn(Origin::Item(1), "is_error")]);
}

#[test]
fn media_are_written_and_sound_is_refused() {
    let media = |kind, source| Part::Media(Media::new(kind, source, None));
    let (body, _) = encoded(
        &asking(vec![
            media(MediaKind::Image, Source::Url("https://example.com/a.png".into())),
            media(MediaKind::File, Source::Data("aGk=".into())),
            media(MediaKind::File, Source::Url("https://example.com/a.pdf".into())),
            media(MediaKind::File, Source::FileId("file-1".into())),
            media(MediaKind::File, Source::Text("Once.".into())),
        ]),
        "gpt-5",
    );
    assert_eq!(
        body["input"][0]["content"],
        json!([{"type": "input_image", "image_url": "https://example.com/a.png", "detail": "auto"},
            {"type": "input_file", "filename": "file.pdf", "file_data": "data:application/pdf;base64,aGk="},
            {"type": "input_file", "file_url": "https://example.com/a.pdf"},
            {"type": "input_file", "file_id": "file-1"},
            {"type": "input_text", "text": "Once."}])
    );
    let refused =
        encode(&asking(vec![media(MediaKind::Audio, Source::Data("aGk=".into()))]), &Encoding::plain("m"));
    assert_eq!(refused.unwrap_err().at, Some(Loss::turn(Origin::Item(0), "audio")));
}

#[test]
fn tools_are_flat_and_always_say_strict() {
    let tool = |name: &str, kind, strict, origin| Tool {
        name: name.into(),
        description: None,
        kind,
        strict,
        cache: Some(CacheLifetime::Short).filter(|_| origin == 1),
        origin,
    };
    let schema = serde_json::value::RawValue::from_string(r#"{"type":"object"}"#.into()).unwrap();
    let search =
        WebSearch { allowed_domains: vec!["example.com".into()], max_uses: Some(2), ..WebSearch::default() };
    let call = ChatCall {
        tools: vec![
            tool("f", ToolKind::Function { parameters: Some(schema) }, None, 0),
            tool("g", ToolKind::Custom { format: None }, None, 1),
            tool("h", ToolKind::Function { parameters: None }, Some(true), 2),
        ],
        server_tools: vec![ServerTool { kind: ServerToolKind::WebSearch(search), origin: 3 }],
        tool_choice: Some(ToolChoice::Named("g".into())),
        parallel_tools: Some(false),
        ..asking(vec![hi()])
    };
    let (body, losses) = encoded(&call, "gpt-5");
    assert_eq!(
        body["tools"],
        json!([{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": false},
            {"type": "custom", "name": "g"},
            {"type": "function", "name": "h", "strict": true,
                "parameters": {"type": "object", "properties": {}, "additionalProperties": false}},
            {"type": "web_search", "filters": {"allowed_domains": ["example.com"]}}])
    );
    assert_eq!(body["tool_choice"], json!({"type": "custom", "name": "g"}));
    assert_eq!((&body["max_tool_calls"], &body["parallel_tool_calls"]), (&json!(2), &json!(false)));
    assert_eq!(losses, [Loss::tool(1, "cache_control")]);
}

#[test]
fn what_has_no_word_here_is_named() {
    let call = ChatCall {
        stop: vec!["X".into()],
        seed: Some(1),
        presence_penalty: Some(0.5),
        frequency_penalty: Some(0.0),
        top_k: Some(3),
        temperature: Some(0.2),
        max_output_tokens: Some(1),
        logprobs: Some(0),
        unmapped: vec!["x".into()],
        ..asking(vec![hi()])
    };
    let (body, losses) = encoded(&call, "o3");
    let expected = [
        Loss::Field("x".into()),
        Setting::Stop.into(),
        Setting::Seed.into(),
        Setting::PresencePenalty.into(),
        Setting::TopK.into(),
        Setting::Logprobs.into(),
        Setting::Temperature.into(),
        Setting::MaxOutputTokens.into(),
    ];
    assert_eq!(losses, expected);
    assert_eq!(body["max_output_tokens"], 16);
    assert!(body.get("temperature").is_none());
    let several = ChatCall { candidates: Some(2), ..asking(vec![hi()]) };
    let refused = encode(&several, &Encoding::plain("o3")).unwrap_err();
    assert_eq!(refused.at, Some(Setting::Candidates.into()));
}

#[test]
fn reasoning_and_format_are_written_for_the_model() {
    let schema = serde_json::value::RawValue::from_string(r#"{"type":"object"}"#.into()).unwrap();
    let format = OutputFormat::JsonSchema { name: None, description: None, schema, strict: None };
    let thinking = Thinking { effort: Some(Effort::XHigh), show: Some(true), ..Thinking::default() };
    let call = ChatCall {
        format: Some(format),
        thinking: Some(thinking),
        verbosity: Some("low".into()),
        ..asking(vec![hi()])
    };
    let (body, losses) = encoded(&call, "gpt-5");
    assert_eq!(body["reasoning"], json!({"effort": "high", "summary": "auto"}));
    let format = json!({"type": "json_schema", "name": "response", "schema": {"type": "object"}});
    assert_eq!(body["text"], json!({"format": format, "verbosity": "low"}));
    assert_eq!(losses, [Loss::from(Setting::Thinking)]);
    let (body, losses) = encoded(&call, "gpt-4.1");
    assert!(body.get("reasoning").is_none() && body["text"].get("verbosity").is_none());
    assert_eq!(losses, [Loss::from(Setting::Verbosity), Setting::Thinking.into()]);
}

#[test]
fn marks_of_an_earlier_answer_go_back_where_their_place_is_known_and_are_named_where_not() {
    let citing = |span| {
        let citation = Citation {
            place: CitedPlace::Url("https://museum.example/hours".into()),
            title: Some("Hours".into()),
            cited_text: None,
            span,
        };
        let answer = vec![Part::Text("At nine.".into()), Part::Citation(citation)];
        let turns = vec![user(vec![hi()]), Turn::new(Role::Assistant, answer, 1), user(vec![hi()])];
        encoded(&ChatCall { turns, ..ChatCall::default() }, "gpt-4o")
    };
    let (body, losses) = citing(Some((0, 8)));
    assert_eq!(body["input"][1]["content"][0]["annotations"][0]["end_index"], 8);
    assert!(losses.is_empty());
    let (_, losses) = citing(None);
    assert_eq!(losses, [Loss::turn(Origin::Item(1), "citations")]);
}

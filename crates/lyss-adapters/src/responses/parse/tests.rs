use serde_json::{Value, json};

use super::*;
use crate::conversation::{
    CitedPlace, Effort, MediaKind, OutputFormat, Seal, SealKind, ServerToolKind, Source, Thinking, ToolChoice,
};
use crate::{Dialect, scan};

fn parsed(request: &Value) -> Result<ChatCall, Fault> {
    super::parse(&scan(Dialect::OpenAiResponses, request.to_string().into())?)
}

fn call(mut request: Value) -> ChatCall {
    request["model"] = json!("gpt-5");
    if request.get("input").is_none() {
        request["input"] = json!("Hi");
    }
    parsed(&request).unwrap()
}

fn refusal(mut request: Value) -> (String, Option<String>) {
    request["model"] = json!("gpt-5");
    if request.get("input").is_none() {
        request["input"] = json!("Hi");
    }
    let fault = parsed(&request).unwrap_err();
    assert_eq!(fault.status, 400);
    (fault.message, fault.param)
}

#[test]
fn a_string_is_what_the_user_says() {
    let call = call(json!({"instructions": "Be brief.", "input": "Hi"}));
    assert_eq!(call.turns[0].origin, Origin::Instructions);
    assert_eq!(
        (call.turns[0].role, &call.turns[0].parts),
        (Role::System, &vec![Part::Text("Be brief.".into())])
    );
    assert_eq!((call.turns[1].role, &call.turns[1].parts), (Role::User, &vec![Part::Text("Hi".into())]));
    assert!(call.unmapped.is_empty() && call.include_usage);
}

#[test]
fn items_of_one_turn_become_one_turn() {
    let call = call(json!({"input": [
        {"role": "user", "content": "Weather?"},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "gAAA"},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [
            {"type": "output_text", "text": "Let me see.", "annotations": [], "logprobs": []}]},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"type": "function_call", "id": "fc_1", "call_id": "a", "name": "f", "arguments": "{}", "status": "completed"},
        {"type": "custom_tool_call", "call_id": "b", "name": "g", "input": "x"},
        {"type": "function_call_output", "call_id": "a", "output": "1"},
        {"type": "custom_tool_call_output", "call_id": "b", "output": [{"type": "input_text", "text": "2"}]},
        {"role": "user", "content": [{"type": "input_text", "text": "And?"}]}
    ]}));
    let shape: Vec<_> = call.turns.iter().map(|turn| (turn.role, turn.parts.len(), turn.origin)).collect();
    assert_eq!(
        shape,
        [
            (Role::User, 1, Origin::Item(0)),
            (Role::Assistant, 4, Origin::Item(1)),
            (Role::Tool, 2, Origin::Item(6)),
            (Role::User, 1, Origin::Item(8)),
        ]
    );
    let Part::Reasoning(reasoning) = &call.turns[1].parts[0] else { panic!() };
    assert_eq!(reasoning.text, "Hm.");
    let seal = Seal { kind: SealKind::OpenAi, data: "gAAA".into(), id: Some("rs_1".into()) };
    assert_eq!(reasoning.seal, Some(seal));
    assert!(
        matches!(&call.turns[1].parts[3], Part::ToolCall { custom: true, arguments, .. } if arguments == "x")
    );
    assert_eq!(call.unmapped, ["input[3]"]);
}

#[test]
fn a_foreign_seal_is_told_from_the_vendors_own() {
    let foreign = Seal::new(SealKind::AnthropicSignature, "sig");
    let call = call(
        json!({"input": [{"type": "reasoning", "id": "rs_9", "summary": [], "encrypted_content": foreign.to_token()},
        {"role": "assistant", "content": "x"}]}),
    );
    let expected = crate::conversation::Reasoning { text: String::new(), seal: Some(foreign) };
    assert_eq!(call.turns[0].parts[0], Part::Reasoning(expected));
}

#[test]
fn media_are_read_in_all_their_forms() {
    let call = call(json!({"input": [{"role": "user", "content": [
        {"type": "input_image", "image_url": "data:image/png;base64,aGk=", "detail": "high"},
        {"type": "input_image", "file_id": "file-1", "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="},
        {"type": "input_file", "file_url": "https://example.com/b.pdf"},
        {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}
    ]}]}));
    let media: Vec<_> = call.turns[0]
        .parts
        .iter()
        .map(|part| match part {
            Part::Media(media) => media,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(media[0].source, Source::Data("aGk=".into()));
    assert_eq!((media[0].mime.as_deref(), media[0].detail.as_deref()), (Some("image/png"), Some("high")));
    assert_eq!((&media[1].source, &media[1].detail), (&Source::FileId("file-1".into()), &None));
    assert_eq!((media[2].kind, media[2].name.as_deref()), (MediaKind::File, Some("a.pdf")));
    assert_eq!(media[3].source, Source::Url("https://example.com/b.pdf".into()));
    assert_eq!((media[4].kind, media[4].mime.as_deref()), (MediaKind::Audio, Some("audio/wav")));
    assert!(call.unmapped.is_empty());
}

#[test]
fn annotations_are_citations() {
    let call = call(
        json!({"input": [{"role": "assistant", "content": [{"type": "output_text", "text": "x", "annotations": [
        {"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 1}, {"type": "new"}]}]}]}),
    );
    let Part::Citation(citation) = &call.turns[0].parts[1] else { panic!() };
    assert_eq!((&citation.place, citation.span), (&CitedPlace::Url("u".into()), Some((0, 1))));
    assert_eq!(call.unmapped, ["input[0].content[0].annotations[1]"]);
}

#[test]
fn settings_are_read() {
    let call = call(json!({
        "max_output_tokens": 50, "temperature": 0.5, "top_p": 0.9, "parallel_tool_calls": false, "user": "u",
        "reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content", "message.output_text.logprobs", "file_search_call.results"],
        "top_logprobs": 2, "text": {"verbosity": "low", "format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": true}},
        "store": true, "metadata": {"a": "b"}, "prompt_cache_key": "k", "safety_identifier": "s", "service_tier": "flex",
        "truncation": "auto", "background": false, "stream_options": {"include_obfuscation": false}, "surprise": 1
    }));
    assert_eq!((call.max_output_tokens, call.temperature, call.top_p), (Some(50), Some(0.5), Some(0.9)));
    assert_eq!((call.parallel_tools, call.logprobs), (Some(false), Some(2)));
    let thinking = Thinking { effort: Some(Effort::Low), show: Some(true), ..Thinking::default() };
    assert_eq!(call.thinking, Some(thinking));
    assert!(
        matches!(&call.format, Some(OutputFormat::JsonSchema { name: Some(name), strict: Some(true), .. }) if name == "n")
    );
    assert_eq!((call.verbosity.as_deref(), call.service_tier.as_deref()), (Some("low"), Some("flex")));
    assert_eq!(call.passengers.store, Some(true));
    assert_eq!(call.passengers.metadata.unwrap().get(), r#"{"a":"b"}"#);
    assert_eq!(call.unmapped, ["include[2]", "surprise", "truncation"]);
}

#[test]
fn defaults_say_nothing() {
    let call = call(json!({"store": false, "truncation": "disabled", "metadata": {}, "service_tier": "auto",
        "text": {"format": {"type": "text"}, "verbosity": "medium"}, "reasoning": {"effort": null, "summary": null},
        "tools": [], "tool_choice": "auto", "previous_response_id": null, "background": false}));
    assert!(call.unmapped.is_empty());
    assert_eq!((call.thinking, call.passengers.store, call.service_tier), (None, None, None));
    assert!(call.format.is_none() && call.verbosity.is_none() && call.passengers.metadata.is_none());
}

#[test]
fn tools_are_sorted_by_where_they_run() {
    let call = call(json!({"max_tool_calls": 3, "tool_choice": {"type": "function", "name": "f"}, "tools": [
        {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": true},
        {"type": "web_search_preview", "search_context_size": "low", "user_location": {"type": "approximate", "country": "DE"}},
        {"type": "custom", "name": "g", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}}
    ]}));
    assert_eq!(
        call.tools.iter().map(|tool| (tool.origin, tool.is_custom())).collect::<Vec<_>>(),
        [(0, false), (2, true)]
    );
    assert_eq!(call.tools[0].strict, Some(true));
    let ServerToolKind::WebSearch(search) = &call.server_tools[0].kind else { panic!() };
    assert_eq!((search.context_size.as_deref(), search.max_uses), (Some("low"), Some(3)));
    assert_eq!(search.location.as_ref().unwrap().country.as_deref(), Some("DE"));
    assert_eq!(call.tool_choice, Some(ToolChoice::Named("f".into())));
}

#[test]
fn allowed_tools_narrow_the_tools() {
    let call = call(json!({
        "tools": [{"type": "function", "name": "a"}, {"type": "function", "name": "b"}, {"type": "web_search"}],
        "tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "b"}]}
    }));
    assert_eq!(call.tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(), ["b"]);
    assert!(call.server_tools.is_empty());
    assert_eq!(call.tool_choice, Some(ToolChoice::Required));
}

#[test]
fn what_lives_at_the_vendor_is_refused_with_its_path() {
    for (request, param) in [
        (json!({"previous_response_id": "resp_1"}), "previous_response_id"),
        (json!({"conversation": "conv_1"}), "conversation"),
        (json!({"prompt": {"id": "pmpt_1"}}), "prompt"),
        (json!({"background": true}), "background"),
        (json!({"input": [{"type": "item_reference", "id": "msg_1"}]}), "input[0].type"),
        (json!({"input": [{"id": "msg_1"}]}), "input[0].type"),
        (json!({"tools": [{"type": "function", "name": "f"}, {"type": "file_search"}]}), "tools[1].type"),
        (json!({"input": [{"type": "computer_call", "id": "c"}]}), "input[0].type"),
    ] {
        assert_eq!(refusal(request).1.as_deref(), Some(param));
    }
    let (message, _) = refusal(json!({"previous_response_id": "resp_1"}));
    assert!(message.contains("only with a channel that speaks responses itself"), "{message}");
}

#[test]
fn wrong_types_are_told_with_their_path() {
    for (request, param) in [
        (json!({"input": 1}), "input"),
        (json!({"input": []}), "input"),
        (json!({"input": [{"role": "robot", "content": ""}]}), "input[0].role"),
        (
            json!({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}),
            "input[0].content[0].text",
        ),
        (json!({"input": [{"type": "function_call", "name": "f", "arguments": "{}"}]}), "input[0].call_id"),
        (json!({"text": {"format": {"type": "yaml"}}}), "text.format.type"),
        (json!({"reasoning": {"effort": "huge"}}), "reasoning.effort"),
        (json!({"tools": [{"type": "function", "name": "f", "parameters": []}]}), "tools[0].parameters"),
        (json!({"tool_choice": {"type": "function", "name": "x"}}), "tool_choice.name"),
        (json!({"tool_choice": "some"}), "tool_choice"),
    ] {
        assert_eq!(refusal(request).1.as_deref(), Some(param));
    }
}

use lyss_domain::FaultKind;

use super::*;
use crate::conversation::{CitedPlace, Seal, SealKind};

fn read(output: &str, rest: &str) -> ChatReply {
    let body = format!(
        r#"{{"id":"resp_1","object":"response","created_at":1700000000.0,"model":"gpt-5","status":"completed",
            "error":null,"output":[{output}]{rest}}}"#
    );
    decode(body.as_bytes()).unwrap()
}

#[test]
fn items_become_parts_in_their_order() {
    let reply = read(
        r#"{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"A"},{"type":"summary_text","text":"B"}],"encrypted_content":"gAAA"},
           {"type":"web_search_call","id":"ws_1","status":"completed","action":{"type":"search","query":"q"}},
           {"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"Hi","annotations":[
             {"type":"url_citation","url":"https://example.com/a","title":"T","start_index":0,"end_index":2}],
             "logprobs":[{"token":"Hi","logprob":-0.1,"bytes":[72,105],"top_logprobs":[]}]}]},
           {"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"{\"a\":1}"},
           {"type":"custom_tool_call","id":"ctc_1","call_id":"call_2","name":"g","input":"x = 1"},
           {"type":"something_new","arguments":{"a":1}}"#,
        r#","usage":{"input_tokens":4,"output_tokens":6,"output_tokens_details":{"reasoning_tokens":5}}"#,
    );
    let parts = &reply.choices[0].parts;
    let seal = Seal { kind: SealKind::OpenAi, data: "gAAA".into(), id: Some("rs_1".into()) };
    assert_eq!(parts[0], Part::Reasoning(Reasoning { text: "A\n\nB".into(), seal: Some(seal) }));
    assert_eq!(parts[1], Part::Text("Hi".into()));
    let Part::Citation(citation) = &parts[2] else { panic!("{parts:?}") };
    assert_eq!(citation.place, CitedPlace::Url("https://example.com/a".into()));
    assert_eq!(citation.span, Some((0, 2)));
    let call = |id: &str, name: &str, arguments: &str, custom| Part::ToolCall {
        id: id.into(),
        name: name.into(),
        arguments: arguments.into(),
        custom,
    };
    assert_eq!(parts[3], call("call_1", "f", "{\"a\":1}", false));
    assert_eq!(parts[4], call("call_2", "g", "x = 1", true));
    assert_eq!(parts.len(), 5);
    assert_eq!(reply.choices[0].finish, FinishReason::ToolCalls);
    assert_eq!(reply.choices[0].logprobs[0].token, "Hi");
    assert_eq!(reply.head.created, Some(1_700_000_000));
    assert_eq!(reply.usage.map(|usage| (usage.input, usage.output, usage.reasoning)), Some((4, 6, 5)));
}

#[test]
fn the_status_says_why_it_ended() {
    let finish = |rest: &str| {
        let body = format!(r#"{{"id":"r","output":[],{rest}}}"#);
        decode(body.as_bytes()).map(|reply| reply.choices[0].finish.clone())
    };
    let incomplete =
        |reason: &str| format!(r#""status":"incomplete","incomplete_details":{{"reason":"{reason}"}}"#);
    assert_eq!(finish(r#""status":"completed""#).unwrap(), FinishReason::Stop);
    assert_eq!(finish(&incomplete("max_output_tokens")).unwrap(), FinishReason::Length);
    assert_eq!(finish(&incomplete("content_filter")).unwrap(), FinishReason::ContentFilter);
    let fault = finish(r#""status":"failed","error":{"code":"server_error","message":"Oops."}"#).unwrap_err();
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::VendorError, "Oops."));
}

#[test]
fn what_is_no_response_is_a_protocol_fault() {
    for body in ["", "[]", "{}", "<html>", r#"{"output":null}"#] {
        assert_eq!(decode(body.as_bytes()).unwrap_err().kind, FaultKind::Protocol, "{body}");
    }
    let refused = decode(br#"{"error":{"code":"invalid_prompt","message":"no"}}"#).unwrap_err();
    assert_eq!(refused.kind, FaultKind::BadRequest);
}

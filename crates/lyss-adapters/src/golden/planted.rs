//! The comparing itself can fail: planted losses, inventions and broken grammars are found.

use super::call_form::CallForm;
use super::grammar::check;
use super::reply_form::ReplyForm;
use crate::conversation::{ChatCall, Loss, Origin, Part, Role, Setting, Turn};
use crate::{ChatEvent, Dialect, Framing};

fn said() -> ChatCall {
    ChatCall {
        turns: vec![
            Turn::new(Role::System, vec![Part::Text("Be brief.".into())], 0),
            Turn::new(Role::User, vec![Part::Text("How long is".into()), Part::Text(" the Ebro?".into())], 1),
        ],
        seed: Some(7),
        stop: vec!["END".into()],
        ..ChatCall::default()
    }
}

fn unexplained(change: impl Fn(&mut ChatCall), losses: &[Loss]) -> Vec<String> {
    let mut heard = said();
    change(&mut heard);
    CallForm::of(&said()).unexplained(&CallForm::of(&heard), Dialect::OpenAiChat, losses)
}

#[test]
fn the_same_said_otherwise_is_the_same() {
    let joined = |call: &mut ChatCall| call.turns[1].parts = vec![Part::Text("How long is the Ebro?".into())];
    assert_eq!(unexplained(joined, &[]), Vec::<String>::new());
}

#[test]
fn a_dropped_setting_must_be_named() {
    let drop = |call: &mut ChatCall| call.seed = None;
    assert_eq!(unexplained(drop, &[]), ["setting.seed: said 7, heard nothing"]);
    assert_eq!(unexplained(drop, &[Setting::Seed.into()]), Vec::<String>::new());
    assert_eq!(unexplained(drop, &[Setting::Stop.into()]).len(), 1, "another's loss explains nothing");
}

#[test]
fn a_changed_or_invented_setting_is_found() {
    assert_eq!(unexplained(|call| call.seed = Some(8), &[]).len(), 1);
    assert_eq!(unexplained(|call| call.temperature = Some(0.5), &[]).len(), 1);
    assert_eq!(unexplained(|call| call.stop.push("STOP".into()), &[]).len(), 1);
}

#[test]
fn a_dropped_or_moved_text_is_found() {
    let drop = |call: &mut ChatCall| drop(call.turns[1].parts.pop());
    assert_eq!(unexplained(drop, &[]).len(), 1);
    assert_eq!(unexplained(drop, &[Loss::turn(Origin::Item(1), "text")]), Vec::<String>::new());
    assert_eq!(unexplained(drop, &[Loss::turn(Origin::Item(0), "text")]).len(), 1, "of another turn");
    assert!(!unexplained(|call| call.turns[0].role = Role::User, &[]).is_empty());
    assert!(!unexplained(|call| call.turns[0].role = Role::Assistant, &[]).is_empty());
}

#[test]
fn a_result_of_another_call_is_found() {
    let call = |id: &str, name: &str| Part::ToolCall {
        id: id.into(),
        name: name.into(),
        arguments: "{}".into(),
        custom: false,
    };
    let result = |(at, id): (usize, &str)| Part::ToolResult {
        id: id.into(),
        name: None,
        parts: vec![Part::Text(format!("result {at}"))],
        is_error: false,
    };
    let form = |ids: [&str; 2], answered: [&str; 2]| {
        let turns = vec![
            Turn::new(Role::Assistant, vec![call(ids[0], "f"), call(ids[1], "f")], 0),
            Turn::new(Role::Tool, answered.into_iter().enumerate().map(result).collect(), 1),
        ];
        CallForm::of(&ChatCall { turns, ..ChatCall::default() })
    };
    let first = form(["a", "b"], ["a", "b"]);
    assert!(
        first.unexplained(&form(["x", "y"], ["x", "y"]), Dialect::OpenAiChat, &[]).is_empty(),
        "ids may change"
    );
    assert!(
        !first.unexplained(&form(["x", "y"], ["y", "x"]), Dialect::OpenAiChat, &[]).is_empty(),
        "answers crossed"
    );
    assert!(
        !first.unexplained(&form(["x", "y"], ["x", "z"]), Dialect::OpenAiChat, &[]).is_empty(),
        "an answer to nobody"
    );
}

#[test]
fn a_lost_piece_of_an_answer_is_found() {
    let text = |text: &str| ChatEvent::Text { choice: 0, text: text.into() };
    let whole = ReplyForm::of_events(&[text("a"), text("b")]);
    assert!(whole.differences(&ReplyForm::of_events(&[text("ab")])).is_empty());
    assert_eq!(whole.differences(&ReplyForm::of_events(&[text("a")])).len(), 1);
}

/// Each stream breaks its dialect's grammar in one place.
#[test]
fn broken_grammars_are_found() {
    let chat = r#""id":"a","object":"chat.completion.chunk","created":1,"model":"m""#;
    let started = r#"event: message_start
data: {"type":"message_start","message":{"type":"message","role":"assistant","id":"a","model":"m","usage":{"input_tokens":1,"output_tokens":0}}}

"#;
    let created =
        "data: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"r\"}}\n\n";
    let broken = [
        (Dialect::OpenAiChat, format!("data: {{{chat},\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"x\"}}}}]}}\n\n")),
        (Dialect::OpenAiChat, format!("data: [DONE]\n\ndata: {{{chat},\"choices\":[]}}\n\n")),
        (Dialect::AnthropicMessages, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n".to_owned()),
        (Dialect::AnthropicMessages, format!("{started}{started}")),
        (Dialect::AnthropicMessages, format!("{started}event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\"x\"}}}}\n\n")),
        (Dialect::AnthropicMessages, format!("{started}event: content_block_start\ndata: {{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{{\"type\":\"text\",\"text\":\"\"}}}}\n\nevent: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"thinking_delta\",\"thinking\":\"x\"}}}}\n\n")),
        (Dialect::OpenAiResponses, format!("{created}data: {{\"type\":\"response.in_progress\",\"sequence_number\":2}}\n\n")),
        (Dialect::OpenAiResponses, format!("{created}data: {{\"type\":\"response.output_text.delta\",\"sequence_number\":1,\"output_index\":0,\"item_id\":\"i\",\"content_index\":0,\"delta\":\"x\"}}\n\n")),
        (Dialect::OpenAiResponses, format!("{created}data: {{\"type\":\"response.output_item.added\",\"sequence_number\":1,\"output_index\":0,\"item\":{{\"id\":\"i\"}}}}\n\ndata: {{\"type\":\"response.completed\",\"sequence_number\":2,\"response\":{{\"output\":[]}}}}\n\n")),
        (Dialect::GoogleGenerate, "data: {}\n\n".to_owned()),
        (Dialect::GoogleGenerate, "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\n\ndata: {\"candidates\":[{\"content\":{\"parts\":[]}}]}\n\n".to_owned()),
    ];
    for (dialect, stream) in broken {
        assert!(check(dialect, Framing::Events, stream.as_bytes()).is_err(), "{stream}");
    }
    assert!(check(Dialect::GoogleGenerate, Framing::Array, b"[{\"candidates\":[]}{}").is_err());
    assert!(check(Dialect::GoogleGenerate, Framing::Array, b"[{\"candidates\":[]},\n").is_ok());
    assert!(check(Dialect::AnthropicMessages, Framing::Events, started.as_bytes()).is_ok());
    assert!(check(Dialect::OpenAiResponses, Framing::Events, created.as_bytes()).is_ok());
}

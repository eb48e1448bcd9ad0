use super::*;

fn ask<'a>() -> Ask<'a> {
    Ask { model: "m", user_text: "hello", ..Ask::default() }
}

fn tools(ask: Ask<'static>) -> Ask<'static> {
    let schema = serde_json::from_str(r#"{"properties":{"city":{"type":"string"}}}"#).unwrap();
    Ask { tools: ["a", "b"].map(|name| Tool { name, parameters: Parameters::Raw(schema) }).to_vec(), ..ask }
}

#[test]
fn steps_carry_every_token_and_nothing_else() {
    for ask in [
        ask(),
        Ask { reasons: true, ..ask() },
        tools(ask()),
        Ask { tool_opening: "One moment.", ..tools(ask()) },
    ] {
        for max_tokens in [1, 2, 5, 14, usize::MAX] {
            let answers = compose(&Ask {
                max_tokens,
                tools: ask.tools.clone(),
                stop_sequences: Vec::new(),
                json: None,
                ..ask
            });
            let answer = &answers[0];
            assert!(answer.tokens() <= max_tokens);
            assert_eq!(answer.steps().map(Step::tokens).sum::<usize>(), answer.tokens());
        }
    }
}

#[test]
fn a_limit_shows_in_the_reason() {
    let limited = |max_tokens| compose(&Ask { max_tokens, ..ask() }).remove(0);
    let whole = limited(usize::MAX);
    assert_eq!(whole.stop, Stop::End);
    assert_eq!(limited(whole.tokens()).stop, Stop::End);
    let cut = limited(5);
    assert_eq!((cut.stop, cut.tokens()), (Stop::Length, 5));
    assert!(whole.words.as_str().starts_with(cut.words.as_str()));
}

#[test]
fn choices_differ() {
    let answers = compose(&Ask { choices: 3, ..ask() });
    assert_eq!(answers.len(), 3);
    assert_ne!(answers[0].words, answers[1].words);
}

#[test]
fn tools_are_called_and_results_mentioned() {
    let called = compose(&tools(ask())).remove(0);
    assert_eq!(called.stop, Stop::Tools);
    assert!(called.words.is_empty());
    assert_eq!(called.calls.iter().map(|call| call.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(called.calls[0].arguments.as_str(), r#"{"city":"sample"}"#);

    let long = "é".repeat(100);
    let told = compose(&Ask { tool_result: Some(&long), ..ask() }).remove(0);
    assert!(told.words.as_str().starts_with("The tool answered: éé"));
}

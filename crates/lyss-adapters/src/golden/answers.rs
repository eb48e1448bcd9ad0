//! Every recorded answer, whole and streamed, to every caller: read again by the caller's own SDK's eyes it says the same.

use super::assert_none;
use super::crossing::{self, Outcome};
use super::fixtures::{self, FOLDERS, cases};
use super::reply_form::ReplyForm;
use super::unshown;
use crate::Dialect;

fn walk(what: impl Fn(&fixtures::Case, Dialect) -> Option<Outcome>) -> (Vec<String>, usize) {
    let mut found = Vec::new();
    let mut seen = 0;
    for case in cases() {
        for (folder, caller) in FOLDERS {
            let place = format!("{} → {folder}", case.path.display());
            match what(&case, caller) {
                None => continue,
                Some(Outcome::Broken(lines)) => {
                    found.extend(lines.iter().map(|line| format!("{place}: {line}")))
                }
                Some(Outcome::Refused(message)) => found.push(format!("{place}: not read: {message}")),
                // Named in the table, and so of the canonical form itself: where both speak it, the bytes pass.
                Some(Outcome::Lost(paths)) if case.dialect == caller && !are_of_form(&paths) => {
                    found.push(format!("{place}: lost in one dialect: {}", paths.join(", ")));
                }
                Some(_) => {}
            }
            seen += 1;
        }
    }
    (found, seen)
}

#[test]
fn no_reply_loses_anything_but_what_the_table_says() {
    let (found, seen) = walk(crossing::reply);
    assert_none("lost of a reply", &found);
    assert!(seen >= 10, "only {seen} replies carried over");
}

#[test]
fn no_stream_loses_anything_but_what_the_table_says() {
    let (found, seen) = walk(crossing::stream);
    assert_none("lost of a stream", &found);
    assert!(seen >= 15, "only {seen} streams carried over");
}

/// What the canonical form tells apart and the dialect does not.
fn are_of_form(paths: &[String]) -> bool {
    let known =
        ["citations: where in the text", "place of a seal", "order of parts", unshown::REFUSAL_AS_TEXT];
    paths.iter().all(|path| known.contains(&path.as_str()))
}

/// Where both files of a case say the same, both ways of showing it to a caller say the same too.
#[test]
fn a_stream_says_what_the_whole_answer_says() {
    let mut found = Vec::new();
    let mut seen = 0;
    for case in cases() {
        let (Some(reply), Some(stream), Some(vendor)) = (case.reply(), case.stream(), case.dialect.vendor())
        else {
            continue;
        };
        let Ok(reply) = vendor.decode(&reply) else { continue };
        let events = crossing::events(case.dialect, &stream);
        let differing = |whole: &ReplyForm, streamed: &ReplyForm| -> Vec<_> {
            whole.differences(streamed).into_iter().filter(|(path, ..)| is_of_both(path)).collect()
        };
        let own = differing(&ReplyForm::of_reply(&reply), &ReplyForm::of_events(&events));
        seen += usize::from(own.is_empty());
        for (folder, caller) in FOLDERS {
            let (Some(side), Some(reader)) = (caller.caller(), caller.vendor()) else { continue };
            let Ok(whole) = reader.decode(&side.render(&reply, &fixtures::rendering())) else { continue };
            let streamed =
                crossing::events(caller, &fixtures::render(caller, &events, &fixtures::rendering()));
            for (path, whole, streamed) in
                differing(&ReplyForm::of_reply(&whole), &ReplyForm::of_events(&streamed))
            {
                // A chat message has no order of its parts, and Anthropic streams a broken call as it came.
                let is_shown = !(caller == Dialect::OpenAiChat && path.ends_with(".order"));
                // And a block that streams is begun before anybody knows which of its words have a source.
                let is_same = path.ends_with(".calls") && unshown::is_wrapped(&streamed, &whole)
                    || caller == Dialect::AnthropicMessages
                        && path.ends_with(".citations")
                        && unshown::is_same_sources(&streamed, &whole);
                // Some recordings are of two answers.
                if is_shown && !is_same && own.iter().all(|(other, ..)| *other != path) {
                    let place = case.path.display();
                    found.push(format!("{place} → {folder} {path}: whole {whole}, streamed {streamed}"));
                }
            }
        }
    }
    assert_none("whole and streamed differ", &found);
    assert!(seen >= 4, "only {seen} recordings are of one answer");
}

/// What a recording of a stream and one of a whole answer may well have different: they are two answers.
fn is_of_both(path: &str) -> bool {
    !["id", "created", "service_tier", "system_fingerprint"].contains(&path) && !path.ends_with(".call_ids")
}

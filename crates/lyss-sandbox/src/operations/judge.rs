//! Moderations and rerank: texts that get a number each.

use serde_json::Value;

use super::{missing, tokens_of};
use crate::reading::{count, flag, list, text};
use crate::refusal::Refusal;
use crate::server::Spoken;
use crate::template::{filled, quoted};
use crate::text::seed;

const MODERATION: &str = r#"{"id":"modr-sandbox$serial","model":$model,"results":[$results]}"#;
const RESULT: &str = r#"{"flagged":$flagged,"categories":{"harassment":false,"harassment/threatening":false,"sexual":false,"hate":false,"hate/threatening":false,"illicit":false,"illicit/violent":false,"self-harm/intent":false,"self-harm/instructions":false,"self-harm":false,"sexual/minors":false,"violence":$flagged,"violence/graphic":false},"category_scores":{"harassment":0.0001,"harassment/threatening":0.0001,"sexual":0.0001,"hate":0.0001,"hate/threatening":0.0001,"illicit":0.0001,"illicit/violent":0.0001,"self-harm/intent":0.0001,"self-harm/instructions":0.0001,"self-harm":0.0001,"sexual/minors":0.0001,"violence":$score,"violence/graphic":0.0001},"category_applied_input_types":{"harassment":["text"],"violence":["text"]}}"#;
/// What makes a text violent here.
const FLAGGED_WORD: &str = "violence";
const RERANK: &str = r#"{"id":"rerank-sandbox$serial","model":$model,"usage":{"total_tokens":$tokens},"results":[$results],"meta":{"billed_units":{"search_units":1}}}"#;

pub(super) fn moderate(body: &Value, model: &str, serial: u64) -> Result<Spoken, Refusal> {
    let parts = list(body, "input").iter().filter(|part| part.is_object());
    let joined: String = parts.map(|part| text(part, "text")).collect::<Vec<_>>().join(" ");
    // Parts of one input are judged together; texts each by itself.
    let texts = if joined.is_empty() { super::texts(body, "input")? } else { vec![&*joined] };
    let result = |said: &&str| {
        let flagged = said.to_ascii_lowercase().contains(FLAGGED_WORD);
        let (flagged, score) = if flagged { ("true", "0.97") } else { ("false", "0.0001") };
        filled(RESULT, &[("flagged", flagged), ("score", score)])
    };
    let results: Vec<_> = texts.iter().map(result).collect();
    let slots =
        [("serial", &*format!("{serial:012x}")), ("model", &quoted(model)), ("results", &results.join(","))];
    let tokens = texts.iter().map(|said| tokens_of(said)).sum();
    Ok(Spoken::whole(filled(MODERATION, &slots).into_bytes(), 0, tokens))
}

pub(super) fn rerank(body: &Value, model: &str, serial: u64) -> Result<Spoken, Refusal> {
    let query = text(body, "query");
    if query.is_empty() {
        return Err(missing("query"));
    }
    let documents: Vec<&str> = list(body, "documents")
        .iter()
        .map(|document| document.as_str().unwrap_or_else(|| text(document, "text")))
        .collect();
    if documents.is_empty() {
        return Err(missing("documents"));
    }
    let mut ranked: Vec<(u64, usize)> =
        documents.iter().enumerate().map(|(index, said)| (seed(query, said) % 1000, index)).collect();
    ranked.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let most = count(body, "top_n").and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    let entry = |(score, index): &(u64, usize)| {
        let document = documents.get(*index).copied().unwrap_or_default();
        let document = match flag(body, "return_documents") {
            Some(true) => format!(r#","document":{{"text":{}}}"#, quoted(document)),
            _ => String::new(),
        };
        format!(r#"{{"index":{index}{document},"relevance_score":0.{score:03}}}"#)
    };
    let results: Vec<_> = ranked.iter().take(most).map(entry).collect();
    let tokens = documents.iter().map(|said| tokens_of(said) + tokens_of(query)).sum::<u64>();
    let slots = [
        ("serial", &*format!("{serial:012x}")),
        ("model", &quoted(model)),
        ("tokens", &tokens.to_string()),
        ("results", &results.join(",")),
    ];
    Ok(Spoken::whole(filled(RERANK, &slots).into_bytes(), 0, tokens))
}

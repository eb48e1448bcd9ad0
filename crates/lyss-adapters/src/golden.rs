//! Recorded conversations through the seam: from every caller to every vendor and back, cut, split, distorted.
//!
//! Every folder of `tests/fixtures/<dialect>/` is a case; a file that is not there is not asked for, and a dialect that
//! lacks a side is not asked either. [`crossing`] carries a conversation over and reads it again on the other side; the
//! difference must be a named loss. What is compared: [`call_form`] of requests, [`reply_form`] of answers. The table of
//! what a caller's dialect cannot show is [`unshown`]; the page drawn from all of it is [`page`].
//!
//! Beside these stand expected outputs: an OpenAI caller's request (`openai-request.json` where the folder is another
//! dialect's) gives `anthropic.json` or `encoded.json` and `losses.json`; `reply.json` (the vendor's) gives `openai.json`; `stream.sse` (the vendor's) gives `openai.sse`.

mod answers;
mod call_form;
mod crossing;
mod expected;
mod faults;
mod fixtures;
mod framings;
mod grammar;
mod heard;
mod hostile;
mod mutate;
mod page;
mod planted;
mod reply_form;
mod requests;
mod sdk_requests;
pub(crate) mod strangers;
mod streams;
mod taps;
mod unshown;

use std::path::Path;

/// `LYSS_BLESS=1 cargo test -p lyss-adapters the_page_of_dialects` writes the page anew.
#[test]
fn the_page_of_dialects_is_true() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/dialects.md");
    let page = page::page();
    #[expect(clippy::disallowed_methods, reason = "the one switch of this test")]
    if std::env::var_os("LYSS_BLESS").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let stored = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(stored == page, "docs/dialects.md is not what the code does: run this test with LYSS_BLESS=1");
}

/// Fails with the whole list.
#[track_caller]
fn assert_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{} × {what}:\n  {}", found.len(), found.join("\n  "));
}

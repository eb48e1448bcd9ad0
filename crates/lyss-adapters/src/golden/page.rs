//! The matrix as a page: caller × vendor × feature, from the recordings.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lyss_adapters::Dialect;

use super::crossing::{self, Outcome};
use super::fixtures::{Case, FOLDERS, cases, vendor_kinds};
use super::unshown::{REFUSAL_AS_TEXT, UNSHOWN, USAGE_BEFORE_FAULT};

const INTRODUCTION: &str = "\
# Dialects

What arrives when a caller of one dialect is served by a vendor of another. Written by a test from the recorded
conversations under `tests/fixtures` (`LYSS_BLESS=1 cargo test -p lyss-adapters the_page_of_dialects`); `cargo xtask
matrix` prints the same. Every cell is the outcome of carrying that conversation over and reading it again on the other
side with a reader of that dialect; a difference that no loss names fails the tests.

**The same dialect on both sides** is not converted. The bytes of the request and of the answer go through, apart from
the model where it is mapped, the wish for usage in a stream, and an output limit where a policy needs one. Such cells say
`pass`. Azure's deployment path is OpenAI chat at another address.

**A loss** is something harmless that the target cannot be told: a field of the caller's own dialect, a setting that the
vendor does not have, a mark for its cache. The call is made without it, and the answer says so in the header
`x-lyss-conversion-loss`, as a list of paths in the caller's own request. With `x-lyss-strict: true` such a request is refused
with 400 and the same list, and nothing is sent. The list also stands in the request's record.

**A refusal** is something that cannot be left out without changing what was asked, such as a sound for a vendor that
cannot hear. The call is answered with 400 in the caller's dialect and names the path.

What is lost depends on the model too. The columns ask `gpt-5` (OpenAI, Azure), `deepseek-chat`, `claude-sonnet-4-5` and
`gemini-2.5-pro`: a model that does not reason takes `temperature` and `stop` where these do not. A feature is the name of a folder
under `tests/fixtures`; an empty cell: that dialect has no recording of it.
";

fn title(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::OpenAiChat => "OpenAI chat completions",
        Dialect::OpenAiResponses => "OpenAI responses",
        Dialect::AnthropicMessages => "Anthropic messages",
        Dialect::GoogleGenerate => "Google generateContent",
    }
}

/// `docs/dialects.md`.
pub(crate) fn page() -> String {
    let cases = cases();
    let mut page = INTRODUCTION.to_owned();
    for (folder, dialect) in FOLDERS {
        if dialect.caller().is_none() {
            continue;
        }
        write!(page, "\n## Callers of {}\n\n### Requests\n\n", title(dialect)).unwrap();
        page.push_str(&requests(&cases, dialect));
        write!(page, "\n### Answers\n\nWhole and streamed, by the dialect of the vendor (recordings of `{folder}` itself pass).\n\n").unwrap();
        page.push_str(&answers(&cases, dialect));
    }
    page.push_str("\n## What an answer can lose\n\nThere is no header for these: the dialect has no place for them, so its SDK could not show them either.\n\n| what | callers | why |\n|---|---|---|\n");
    writeln!(page, "| {USAGE_BEFORE_FAULT} | all | The error ends the stream, and no dialect's error has room for usage. |").unwrap();
    writeln!(
        page,
        "| {REFUSAL_AS_TEXT} | {}, {} | What the model says when it declines is its text there. |",
        title(Dialect::AnthropicMessages),
        title(Dialect::GoogleGenerate)
    )
    .unwrap();
    for row in UNSHOWN.iter().filter(|row| !row.why.is_empty()) {
        let callers: Vec<_> = row.callers.iter().map(|caller| title(*caller)).collect();
        writeln!(page, "| {} | {} | {} |", row.what, callers.join(", "), row.why).unwrap();
    }
    page
}

fn requests(cases: &[Case], dialect: Dialect) -> String {
    let vendors = vendor_kinds();
    let names: Vec<_> = vendors.iter().map(|vendor| vendor.name).collect();
    let mut rows = Vec::new();
    for case in cases.iter().filter(|case| case.dialect == dialect && case.request().is_some()) {
        let cells = vendors.iter().map(|vendor| {
            if vendor.dialect == dialect { Some(Outcome::Pass) } else { crossing::request(case, vendor) }
        });
        rows.push((case.name.clone(), cells.map(cell).collect()));
    }
    table(&names, &rows)
}

fn answers(cases: &[Case], dialect: Dialect) -> String {
    let vendors: Vec<_> = FOLDERS.iter().map(|(_, vendor)| *vendor).collect();
    let mut rows: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for case in cases.iter().filter(|case| case.reply().is_some() || case.stream().is_some()) {
        let at = vendors.iter().position(|vendor| *vendor == case.dialect).unwrap();
        let row = rows.entry(case.name.clone()).or_insert_with(|| vec![String::new(); vendors.len()]);
        row[at] = if case.dialect == dialect {
            cell(Some(Outcome::Pass))
        } else {
            both(crossing::reply(case, dialect), crossing::stream(case, dialect))
        };
    }
    let names: Vec<_> = vendors.iter().map(|vendor| title(*vendor)).collect();
    table(&names, &rows.into_iter().collect::<Vec<_>>())
}

/// Whole and streamed in one cell; in two lines where they differ.
fn both(whole: Option<Outcome>, streamed: Option<Outcome>) -> String {
    match (whole, streamed) {
        (Some(whole), Some(streamed)) if whole != streamed => {
            format!("whole {}; streamed {}", cell(Some(whole)), cell(Some(streamed)))
        }
        (whole, streamed) => cell(whole.or(streamed)),
    }
}

fn cell(outcome: Option<Outcome>) -> String {
    let listed = |paths: &[String]| {
        paths.iter().map(|path| format!("`{}`", path.replace('|', "\\|"))).collect::<Vec<_>>().join(", ")
    };
    match outcome {
        None => "–".to_owned(),
        Some(Outcome::Pass) => "pass".to_owned(),
        Some(Outcome::Whole) => "ok".to_owned(),
        Some(Outcome::Lost(paths)) => format!("loss: {}", listed(&paths)),
        Some(Outcome::Refused(message)) => format!("refused: {}", message.replace('|', "\\|")),
        Some(Outcome::Broken(paths)) => format!("BROKEN: {}", listed(&paths)),
    }
}

fn table(columns: &[&str], rows: &[(String, Vec<String>)]) -> String {
    let mut table = format!("| feature | {} |\n|---|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
    for (name, cells) in rows {
        writeln!(table, "| {name} | {} |", cells.join(" | ")).unwrap();
    }
    table
}
